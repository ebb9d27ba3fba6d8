"""pandas' kinds: tables, columns, indexes, their arrays, and its scalars."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .kind import CannotCross, Change, Kind, named, of
from .tables import from_arrow, to_arrow

if TYPE_CHECKING:
    from .message import Reader, Writer


# -- scalars -------------------------------------------------------------------------------------------


def _moment(value: Any) -> list[Any]:
    """The number of units since 1970 (of UTC where there is a zone), and the unit."""
    return [int(value.asm8.view("i8")), value.unit]


def _write_timestamp(writer: Writer, value: Any) -> list[Any]:
    return [*_moment(value), writer.value(value.tz), value.fold]


def _read_timestamp(reader: Reader, payload: Any) -> Any:
    import numpy as np
    import pandas as pd

    number, unit, zone, fold = payload
    made = pd.Timestamp(np.datetime64(number, unit))
    zone = reader.value(zone)
    if zone is not None:
        made = made.tz_localize("UTC").tz_convert(zone)
    return made if made.fold == fold else made.replace(fold=fold)


def _read_timedelta(reader: Reader, payload: Any) -> Any:
    import numpy as np
    import pandas as pd

    return pd.Timedelta(np.timedelta64(*payload))


def _write_offset(writer: Writer, value: Any) -> list[Any]:
    name = named(type(value))
    return [name, value.n, bool(value.normalize), writer.part({**value.kwds})]


def _read_offset(reader: Reader, payload: Any) -> Any:
    from pandas.tseries import offsets

    name, n, normalize, words = payload
    kind: Any = vars(offsets).get(name)
    if not (isinstance(kind, type) and issubclass(kind, offsets.BaseOffset)):
        raise CannotCross(f"an offset {name[:60]!r} that pandas does not have")
    words = reader.part(words, dict)
    return kind(n, normalize=normalize, **words) if normalize else kind(n, **words)


def _read_period(reader: Reader, payload: Any) -> Any:
    import pandas as pd

    return pd.Period(ordinal=payload[0], freq=_offset(reader, payload[1]))


def _offset(reader: Reader, content: Any) -> Any:
    from pandas.tseries.offsets import BaseOffset

    return reader.part(content, BaseOffset)


def _read_interval(reader: Reader, payload: Any) -> Any:
    import pandas as pd

    return pd.Interval(reader.value(payload[0]), reader.value(payload[1]), payload[2])


def _missing(name: str) -> Kind:
    def read(reader: Reader, payload: Any) -> Any:
        import pandas as pd

        return getattr(pd, name)

    return Kind(name, of_type_of(name), None, lambda writer, value: None, read)


def of_type_of(name: str) -> Callable[[type], bool]:
    """Takes the class of one of pandas' constants."""

    def takes(cls: type) -> bool:
        import sys

        pandas: Any = sys.modules.get("pandas")
        return pandas is not None and cls is type(getattr(pandas, name, None))

    return takes


# -- arrays of a column --------------------------------------------------------------------------------


def _write_numpy(writer: Writer, value: Any) -> list[Any]:
    return [writer.part(value.to_numpy())]


def _read_numpy(reader: Reader, payload: Any) -> Any:
    import pandas as pd

    return pd.arrays.NumpyExtensionArray(_array(reader, payload[0]))


def _array(reader: Reader, content: Any) -> Any:
    import numpy as np

    made = reader.part(content, np.ndarray)
    made.flags.writeable = True
    return made


def _write_masked(writer: Writer, value: Any) -> list[Any]:
    data = value.to_numpy(dtype=value.dtype.numpy_dtype, na_value=value.dtype.type(0))
    return [writer.part(data), writer.part(value.isna())]


def _read_masked(name: str) -> Callable[[Reader, Any], Any]:
    def read(reader: Reader, payload: Any) -> Any:
        import pandas as pd

        data, mask = (_array(reader, one) for one in payload)
        return getattr(pd.arrays, name)(data, mask)

    return read


def _write_strings(writer: Writer, value: Any) -> list[Any]:
    import pandas as pd

    dtype = value.dtype
    if dtype.storage == "pyarrow":
        content: Any = to_arrow(writer, value.__arrow_array__())
    else:
        content = [None if item is dtype.na_value else writer.value(item) for item in value]
    return [dtype.storage, dtype.na_value is pd.NA, content]


def _read_strings(reader: Reader, payload: Any) -> Any:
    import numpy as np
    import pandas as pd

    storage, missing, content = payload
    dtype: Any = pd.StringDtype(storage, na_value=pd.NA if missing else np.nan)
    if storage == "pyarrow":
        return dtype.__from_arrow__(from_arrow(reader, content))
    items = [reader.part(item, (str, type(None))) for item in content]
    return pd.array(items, dtype=dtype)


def _read_arrow(reader: Reader, payload: int) -> Any:
    import pandas as pd

    column = from_arrow(reader, payload)
    dtype: Any = pd.ArrowDtype(column.type)
    return dtype.__from_arrow__(column)


def _write_categorical(writer: Writer, value: Any) -> list[Any]:
    return [writer.part(value.codes), writer.part(value.categories), bool(value.ordered)]


def _read_categorical(reader: Reader, payload: Any) -> Any:
    import pandas as pd

    codes, categories, ordered = payload
    return pd.Categorical.from_codes(_array(reader, codes), _index(reader, categories), ordered)


def _write_times(writer: Writer, value: Any) -> list[Any]:
    zone = getattr(value, "tz", None)
    return [writer.part(value._ndarray), writer.value(zone)]


def _read_times(reader: Reader, payload: Any) -> Any:
    import pandas as pd

    moments, zone = _array(reader, payload[0]), reader.value(payload[1])
    if moments.dtype.kind == "m":
        return pd.TimedeltaIndex(moments).array
    made = pd.DatetimeIndex(moments)
    return (made if zone is None else made.tz_localize("UTC").tz_convert(zone)).array


def _write_periods(writer: Writer, value: Any) -> list[Any]:
    return [writer.part(value.asi8), writer.value(value.freq)]


def _read_periods(reader: Reader, payload: Any) -> Any:
    import pandas as pd

    numbers, freq = _array(reader, payload[0]), _offset(reader, payload[1])
    periods: Any = pd.PeriodIndex
    return periods.from_ordinals(numbers, freq=freq).array


def _write_intervals(writer: Writer, value: Any) -> list[Any]:
    return [writer.part(value.left), writer.part(value.right), value.closed]


def _read_intervals(reader: Reader, payload: Any) -> Any:
    import pandas as pd

    left, right, closed = payload
    ends = _index(reader, left), _index(reader, right)
    return pd.arrays.IntervalArray.from_arrays(*ends, closed=closed)


def _write_sparse(writer: Writer, value: Any) -> list[Any]:
    places = value.sp_index.to_int_index()
    kept = [writer.part(value.sp_values), writer.part(places.indices), int(places.length)]
    return [*kept, writer.value(value.fill_value), value.kind]


def _read_sparse(reader: Reader, payload: Any) -> Any:
    import pandas as pd
    from pandas._libs import sparse

    values, places, length, fill, kind = payload
    kept = _array(reader, values)
    library: Any = sparse
    index = library.IntIndex(length, _array(reader, places))  # checks the places
    index = index if kind == "integer" else index.to_block_index()
    dtype = pd.SparseDtype(kept.dtype, reader.value(fill))
    return pd.arrays.SparseArray(kept, sparse_index=index, dtype=dtype)


def _write_dtype(writer: Writer, value: Any) -> list[Any]:
    import pandas as pd

    return [writer.part(pd.Series([], dtype=value).array)]


def _read_dtype(reader: Reader, payload: Any) -> Any:
    from pandas.api.extensions import ExtensionArray

    return reader.part(payload[0], ExtensionArray).dtype


# -- indexes -------------------------------------------------------------------------------------------


def _write_range(writer: Writer, value: Any) -> list[Any]:
    return [value.start, value.stop, value.step, writer.value(value.name)]


def _read_range(reader: Reader, payload: Any) -> Any:
    import pandas as pd

    start, stop, step, name = payload
    return pd.RangeIndex(start, stop, step, name=reader.value(name))


def _write_levels(writer: Writer, value: Any) -> list[Any]:
    levels = [writer.part(level) for level in value.levels]
    codes = [writer.part(code) for code in value.codes]
    return [levels, codes, [writer.value(name) for name in value.names]]


def _read_levels(reader: Reader, payload: Any) -> Any:
    import pandas as pd

    levels = [_index(reader, level) for level in payload[0]]
    codes = [_array(reader, code) for code in payload[1]]
    return pd.MultiIndex(levels, codes, names=[reader.value(name) for name in payload[2]])


def _write_index(writer: Writer, value: Any) -> list[Any]:
    freq = value.freq if named(type(value)) in ("DatetimeIndex", "TimedeltaIndex") else None
    return [_write_column(writer, value), writer.value(value.name), writer.value(freq)]


def _read_index(reader: Reader, payload: Any) -> Any:
    import pandas as pd

    array, name, freq = payload
    column = _column(reader, array)
    made = pd.Index(column, dtype=column.dtype, name=reader.value(name))
    if not reader.ends.trusted and made.dtype.kind == "O" and any(map(_is_numpys, made)):
        raise CannotCross("a label that NumPy would take for an attribute")
    if freq is not None:
        made.freq = _offset(reader, freq)  # pandas checks it
    return made


def _is_numpys(label: Any) -> bool:
    """Whether pandas gives what a label stands for where NumPy asks for an attribute, which would read any place in memory."""
    return isinstance(label, str) and label.startswith("__array_")


def _index(reader: Reader, content: Any) -> Any:
    import pandas as pd

    return reader.part(content, pd.Index)


# -- tables and columns --------------------------------------------------------------------------------


def _write_column(writer: Writer, value: Any) -> Any:
    array = value.array
    plain = named(type(array)) == "NumpyExtensionArray"
    return writer.part(array.to_numpy() if plain else array)


def _column(reader: Reader, content: Any) -> Any:
    import numpy as np
    from pandas.api.extensions import ExtensionArray

    made = reader.part(content, (np.ndarray, ExtensionArray))
    if isinstance(made, np.ndarray):
        made.flags.writeable = True
    return made


def _write_series(writer: Writer, value: Any) -> list[Any]:
    import pandas as pd

    plain = pd.Series(value, copy=False)  # whatever a subclass overrides
    return [
        _write_column(writer, plain),
        writer.part(plain.index),
        writer.value(plain.name),
        _write_attributes(writer, value),
    ]


def _read_series(reader: Reader, payload: Any) -> Any:
    import pandas as pd

    column, index = _column(reader, payload[0]), _index(reader, payload[1])
    name = reader.value(payload[2])
    return _attributed(
        reader, pd.Series(column, index=index, dtype=column.dtype, name=name), payload[3]
    )


def _write_frame(writer: Writer, value: Any) -> list[Any]:
    import pandas as pd

    plain = pd.DataFrame(value, copy=False)
    columns = []
    for name, column in plain.items():
        with writer.at(f"the column {str(name)[:60]!r}"):
            columns.append(_write_column(writer, column))
    return [
        columns,
        writer.part(plain.index),
        writer.part(plain.columns),
        _write_attributes(writer, value),
    ]


def _read_frame(reader: Reader, payload: Any) -> Any:
    import pandas as pd

    columns = [_column(reader, column) for column in payload[0]]
    index, names = _index(reader, payload[1]), _index(reader, payload[2])
    series = {n: pd.Series(c, index=index, dtype=c.dtype) for n, c in enumerate(columns)}
    made = pd.DataFrame(series, index=index)
    made.columns = names
    return _attributed(reader, made, payload[3])


def _write_attributes(writer: Writer, value: Any) -> list[Any]:
    return [writer.part(dict(value.attrs)), bool(value.flags.allows_duplicate_labels)]


def _attributed(reader: Reader, made: Any, payload: Any) -> Any:
    made.attrs = reader.part(payload[0], dict)
    if not payload[1]:
        made.flags.allows_duplicate_labels = False
    return made


def _watch(value: Any) -> Callable[[], bool]:
    before = value.copy(deep=False)  # copied only if something is written

    def changed() -> bool:
        try:
            return not (
                value.equals(before)
                and all(a.identical(b) for a, b in zip(value.axes, before.axes, strict=True))
                and getattr(value, "name", None) == getattr(before, "name", None)
                and value.attrs == before.attrs
            )
        except Exception:  # items that cannot be compared
            return True

    return changed


def _become_frame(mine: Any, other: Any) -> None:
    import pandas as pd

    frame: Any = pd.DataFrame
    frame.__init__(mine, other)
    mine.attrs = other.attrs


def _become_series(mine: Any, other: Any) -> None:
    import pandas as pd

    series: Any = pd.Series
    series.__init__(mine, other)
    mine.attrs = other.attrs


def _watch_column(value: Any) -> Callable[[], bool]:
    before = value.copy()
    return lambda: not value.equals(before)


def _become_column(mine: Any, other: Any) -> None:
    if len(mine) != len(other) or mine.dtype != other.dtype:
        raise CannotCross(
            "an array got another length or dtype in place; only its items may change"
        )
    mine[:] = other


def _quietly(kind: Kind) -> Kind:
    """The same kind; what pandas warns of while it crosses is nobody's business."""

    def write(writer: Writer, value: Any) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return kind.write(writer, value)

    def read(reader: Reader, payload: Any) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return kind.read(reader, payload)

    from dataclasses import replace

    return replace(kind, write=write, read=read)


_ATTRIBUTES = (..., bool)
_COLUMN = Change(_watch_column, _become_column)
_PANDAS: list[Kind] = [
    _missing("NaT"),
    _missing("NA"),
    Kind("Timestamp", of("pandas", "Timestamp"), (int, str, ..., int), _write_timestamp, _read_timestamp),
    Kind("Timedelta", of("pandas", "Timedelta"), (int, str), lambda w, v: _moment(v), _read_timedelta),
    Kind("DateOffset", of("pandas.tseries.offsets", "BaseOffset"), (str, int, bool, ...), _write_offset, _read_offset),
    Kind("Period", of("pandas", "Period"), (int, ...), lambda w, v: [v.ordinal, w.value(v.freq)], _read_period),
    Kind("Interval", of("pandas", "Interval"), (..., ..., str),
         lambda w, v: [w.value(v.left), w.value(v.right), v.closed], _read_interval),
    Kind("DataFrame", of("pandas", "DataFrame"), ([...], ..., ..., _ATTRIBUTES), _write_frame, _read_frame,
         shared=True, closed=True, change=Change(_watch, _become_frame)),
    Kind("Series", of("pandas", "Series"), (..., ..., ..., _ATTRIBUTES), _write_series, _read_series,
         shared=True, closed=True, change=Change(_watch, _become_series)),
    Kind("RangeIndex", of("pandas", "RangeIndex"), (int, int, int, ...), _write_range, _read_range, shared=True),
    Kind("MultiIndex", of("pandas", "MultiIndex"), ([...], [...], [...]), _write_levels, _read_levels,
         shared=True, closed=True, change=_COLUMN),
    Kind("Index", of("pandas", "Index"), (..., ..., ...), _write_index, _read_index, shared=True, closed=True),
    Kind("StringArray", of("pandas.arrays", "StringArray", "ArrowStringArray"), (str, bool, int | list), _write_strings,
         _read_strings, shared=True, closed=True, change=_COLUMN),
    Kind("NumpyExtensionArray", of("pandas.arrays", "NumpyExtensionArray"), (...,), _write_numpy, _read_numpy,
         shared=True, closed=True, change=_COLUMN),
    *(Kind(name, of("pandas.arrays", name), (..., ...), _write_masked, _read_masked(name), shared=True, closed=True, change=_COLUMN)
      for name in ("IntegerArray", "FloatingArray", "BooleanArray")),
    Kind("ArrowExtensionArray", of("pandas.arrays", "ArrowExtensionArray"), int,
         lambda w, v: to_arrow(w, v.__arrow_array__()), _read_arrow, shared=True, closed=True, change=_COLUMN),
    Kind("Categorical", of("pandas", "Categorical"), (..., ..., bool), _write_categorical, _read_categorical,
         shared=True, closed=True, change=_COLUMN),
    Kind("DatetimeArray", of("pandas.arrays", "DatetimeArray", "TimedeltaArray"), (..., ...), _write_times, _read_times,
         shared=True, closed=True, change=_COLUMN),
    Kind("PeriodArray", of("pandas.arrays", "PeriodArray"), (..., ...), _write_periods, _read_periods,
         shared=True, closed=True, change=_COLUMN),
    Kind("IntervalArray", of("pandas.arrays", "IntervalArray"), (..., ..., str), _write_intervals, _read_intervals,
         shared=True, closed=True, change=_COLUMN),
    Kind("SparseArray", of("pandas.arrays", "SparseArray"), (..., ..., int, ..., str), _write_sparse, _read_sparse,
         shared=True, closed=True),
    Kind("pandas dtype", of("pandas.api.extensions", "ExtensionDtype"), (...,), _write_dtype, _read_dtype, closed=True),
]  # fmt: skip
KINDS: list[Kind] = [*map(_quietly, _PANDAS)]
"""In the order in which they are asked."""
