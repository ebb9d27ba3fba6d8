"""Arrow's and Polars' kinds: tables, columns, scalars, schemas. Their content crosses as an Arrow stream."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .kind import CannotCross, Change, Kind, of

if TYPE_CHECKING:
    from .message import Reader, Writer


def to_arrow(writer: Writer, column: Any) -> int:
    """An Arrow array as a stream beside the head."""
    import pyarrow as pa

    return _write_table(writer, pa.table({"": column}))


def from_arrow(reader: Reader, number: int) -> Any:
    """The chunked array that ``to_arrow`` wrote."""
    table = _read_table(reader, number)
    if table.num_columns != 1:
        raise CannotCross("a column that is a table")
    return table.column(0)


def _write_table(writer: Writer, table: Any) -> int:
    import pyarrow as pa

    writer.room(table.nbytes)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    return writer.blob(sink.getvalue().to_pybytes())


def _read_table(reader: Reader, number: int) -> Any:
    import pyarrow as pa

    with pa.ipc.open_stream(reader.blob(number)) as stream:
        table = stream.read_all()
    table.validate(full=True)  # a student's process may have written it
    return table


def _read_array(reader: Reader, payload: int) -> Any:
    return from_arrow(reader, payload).combine_chunks()


def _write_scalar(writer: Writer, value: Any) -> int:
    import pyarrow as pa

    return to_arrow(writer, pa.repeat(value, 1))


def _read_scalar(reader: Reader, payload: int) -> Any:
    return from_arrow(reader, payload)[0]


def _write_batch(writer: Writer, value: Any) -> int:
    import pyarrow as pa

    return _write_table(writer, pa.Table.from_batches([value]))


def _read_batch(reader: Reader, payload: int) -> Any:
    import pyarrow as pa

    table = _read_table(reader, payload).combine_chunks()
    found = table.to_batches()
    return found[0] if found else pa.RecordBatch.from_pylist([], schema=table.schema)


def _read_schema(reader: Reader, payload: int) -> Any:
    import pyarrow as pa

    return pa.ipc.read_schema(pa.py_buffer(reader.blob(payload)))


def _write_field(writer: Writer, value: Any) -> int:
    import pyarrow as pa

    return writer.blob(pa.schema([value]).serialize().to_pybytes())


def _write_type(writer: Writer, value: Any) -> int:
    import pyarrow as pa

    return writer.blob(pa.schema([pa.field("", value)]).serialize().to_pybytes())


def _write_frame(writer: Writer, value: Any) -> int:
    try:
        return _write_table(writer, value.to_arrow())
    except CannotCross:
        raise
    except BaseException as error:  # Polars' panics are no Exceptions
        if isinstance(error, KeyboardInterrupt | MemoryError):
            raise
        kinds = ", ".join(sorted({str(dtype) for dtype in value.dtypes}))
        raise CannotCross(f"a Polars table of {kinds} is not what Arrow can hold") from error


def _read_frame(reader: Reader, payload: int) -> Any:
    import polars as pl

    table = _read_table(reader, payload)
    try:
        return pl.DataFrame(pl.from_arrow(table))
    except pl.exceptions.PanicException as error:  # no Exception
        raise CannotCross("a Polars table that Polars cannot read") from error


def _watch_polars(value: Any) -> Callable[[], bool]:
    before = value.clone()
    return lambda: not (value.equals(before) and _head(value) == _head(before))


def _head(value: Any) -> Any:
    return value.schema if hasattr(value, "schema") else (value.name, value.dtype)


def _become_frame(mine: Any, other: Any) -> None:
    mine._df = other._df


def _become_series(mine: Any, other: Any) -> None:
    mine._s = other._s


def _write_series(writer: Writer, value: Any) -> list[Any]:
    return [writer.value(value.name), _write_frame(writer, value.alias("").to_frame())]


def _read_series(reader: Reader, payload: Any) -> Any:
    return _read_frame(reader, payload[1]).to_series().alias(reader.part(payload[0], str))


def _write_dtype(writer: Writer, value: Any) -> int:
    import polars as pl

    return _write_frame(writer, pl.DataFrame(schema={"": value}))


def _arrow(
    tag: str,
    names: tuple[str, ...],
    write: Callable[[Writer, Any], int],
    read: Callable[[Reader, int], Any],
) -> Kind:
    return Kind(tag, of("pyarrow", *names), int, write, read, shared=True, closed=True)


KINDS: list[Kind] = [
    _arrow("arrow table", ("Table",), _write_table, _read_table),
    _arrow("arrow batch", ("RecordBatch",), _write_batch, _read_batch),
    _arrow("arrow column", ("ChunkedArray",), to_arrow, from_arrow),
    _arrow("arrow array", ("Array",), to_arrow, _read_array),
    _arrow("arrow scalar", ("Scalar",), _write_scalar, _read_scalar),
    _arrow("arrow schema", ("Schema",), lambda w, v: w.blob(v.serialize().to_pybytes()), _read_schema),
    _arrow("arrow field", ("Field",), _write_field, lambda r, p: _read_schema(r, p).field(0)),
    _arrow("arrow type", ("DataType",), _write_type, lambda r, p: _read_schema(r, p).field(0).type),
    Kind("polars table", of("polars", "DataFrame"), int, _write_frame, _read_frame, shared=True, closed=True,
         change=Change(_watch_polars, _become_frame)),
    Kind("polars column", of("polars", "Series"), (..., int), _write_series, _read_series, shared=True, closed=True,
         change=Change(_watch_polars, _become_series)),
    Kind("polars dtype", of("polars", "DataType"), int, _write_dtype, lambda r, p: _read_frame(r, p).dtypes[0]),
]  # fmt: skip
"""In the order in which they are asked."""
