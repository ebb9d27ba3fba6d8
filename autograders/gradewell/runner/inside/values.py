"""Values that cross between the student's process and the judge's, as JSON and Arrow; never pickle.

A value is written as JSON with a tag for what JSON does not know, and bytes beside it. What has no value of
this kind (functions, classes, objects with a life of their own) stays where it is, and a handle crosses.
"""

from __future__ import annotations

import datetime
import decimal
import fractions
import json
import struct
import sys
from collections import namedtuple
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from typing import Any

DEPTH = 60
"""How deeply containers may be nested."""
_LENGTH = struct.Struct(">I")
_NUMPY_KINDS = "biufcmMSU"
_PLAIN: dict[str, type] = {
    "date": datetime.date,
    "time": datetime.time,
    "datetime": datetime.datetime,
}
_TEXT: dict[str, type] = {"decimal": decimal.Decimal, "fraction": fractions.Fraction}
_CONTAINERS: dict[str, type] = {"list": list, "tuple": tuple, "set": set, "frozenset": frozenset}


class CannotCross(TypeError):
    """A value that cannot be handed to the other process; the text says which."""


class Writer:
    """Writes one message.

    Parameters
    ----------
    handle : callable
        Gives the tagged JSON for an object that stays here.
    """

    def __init__(self, handle: Callable[[Any], dict[str, Any]]) -> None:
        self.handle = handle
        self.blobs: list[bytes] = []

    def message(self, content: dict[str, Any]) -> bytes:
        """The message's bytes; values in it have been written with ``value``."""
        head = json.dumps({**content, "blobs": [len(blob) for blob in self.blobs]}).encode()
        return b"".join([_LENGTH.pack(len(head)), head, *self.blobs])

    def value(self, value: Any, depth: int = 0) -> Any:
        """A value as JSON."""
        if depth > DEPTH:
            raise CannotCross(f"a value is nested more than {DEPTH} deep")
        kind = type(value)
        if value is None or kind in (bool, int, float, str):
            return value
        for tag, container in _CONTAINERS.items():
            if kind is container:
                return {"t": tag, "v": [self.value(item, depth + 1) for item in value]}
        if kind is dict:
            items = [[self.value(k, depth + 1), self.value(v, depth + 1)] for k, v in value.items()]
            return {"t": "dict", "v": items}
        if kind in (bytes, bytearray, memoryview):
            return {"t": "bytes" if kind is bytes else "bytearray", "v": self._blob(bytes(value))}
        return self._rarer(value, kind, depth)

    def _rarer(self, value: Any, kind: type, depth: int) -> Any:
        for tag, plain in _PLAIN.items():
            if kind is plain:
                return {"t": tag, "v": value.isoformat()}
        for tag, text in _TEXT.items():
            if kind is text:
                return {"t": tag, "v": str(value)}
        if kind is datetime.timedelta:
            return {"t": "timedelta", "v": [value.days, value.seconds, value.microseconds]}
        if kind is complex:
            return {"t": "complex", "v": [value.real, value.imag]}
        if kind in (range, slice):
            parts = [self.value(p, depth + 1) for p in (value.start, value.stop, value.step)]
            return {"t": kind.__name__, "v": parts}
        for constant, name in ((NotImplemented, "NotImplemented"), (Ellipsis, "Ellipsis")):
            if value is constant:
                return {"t": name}
        if isinstance(value, type) and value.__module__ == "builtins":
            return {"t": "builtin", "v": value.__name__}
        if isinstance(value, tuple) and hasattr(kind, "_fields"):
            items = [self.value(item, depth + 1) for item in value]
            return {
                "t": "namedtuple",
                "name": kind.__name__,
                "fields": list(kind._fields),
                "v": items,
            }
        if is_dataclass(value) and not isinstance(value, type):
            items = [
                [f.name, self.value(getattr(value, f.name), depth + 1)]
                for f in fields(value)
                if f.init
            ]
            return {
                "t": "dataclass",
                "module": kind.__module__,
                "name": kind.__qualname__,
                "v": items,
                "else": self.handle(value),
            }
        found = self._table(value, depth)
        return self.handle(value) if found is None else found

    def _table(self, value: Any, depth: int) -> Any:
        """NumPy's arrays, and tables and columns of pandas, Polars and Arrow; None for anything else."""
        np = sys.modules.get("numpy")
        if np is not None and isinstance(value, np.generic | np.ndarray):
            if value.dtype.kind in _NUMPY_KINDS:
                array = np.ascontiguousarray(value)
                blob = self._blob(array.tobytes())
                shape = list(np.shape(value))
                tag = "array" if isinstance(value, np.ndarray) else "number"
                return {"t": tag, "dtype": value.dtype.str, "shape": shape, "v": blob}
            if value.dtype == object and isinstance(value, np.ndarray):
                items = [self.value(item, depth + 1) for item in value.ravel().tolist()]
                return {"t": "objects", "shape": list(value.shape), "v": items}
            return None
        pd = sys.modules.get("pandas")
        if pd is not None:
            if value is pd.NaT or value is pd.NA:
                return {"t": "NaT" if value is pd.NaT else "NA"}
            if isinstance(value, pd.Timestamp):
                zone = str(value.tz) if value.tz is not None else None
                return {"t": "timestamp", "v": value.tz_localize(None).isoformat(), "zone": zone}
            if isinstance(value, pd.Timedelta):
                return {"t": "pandas-timedelta", "v": value.isoformat()}
            if isinstance(value, pd.DataFrame):
                return self._frame(value, pd, depth)
            if isinstance(value, pd.Series | pd.Index):
                return self._column(value, pd)
        pl = sys.modules.get("polars")
        if pl is not None and isinstance(value, pl.DataFrame):
            return {"t": "polars", "v": self._arrow(lambda pa: value.to_arrow())}
        if pl is not None and isinstance(value, pl.Series):
            frame = pl.DataFrame({"v": value})
            return {
                "t": "polars-series",
                "name": value.name,
                "v": self._arrow(lambda pa: frame.to_arrow()),
            }
        pa = sys.modules.get("pyarrow")
        if pa is not None and isinstance(value, pa.Table):
            return {"t": "arrow", "v": self._arrow(lambda pa: value)}
        return None

    def _frame(self, value: Any, pd: Any, depth: int) -> Any:
        """As Arrow, but for columns that hold both numbers and texts: Arrow has none like that, and they cross by themselves."""
        mixed: list[int] = []
        try:
            blob = self._arrow(lambda pa: pa.Table.from_pandas(value))
        except CannotCross:
            mixed = [place for place in range(len(value.columns)) if _mixed(value.iloc[:, place])]
            if not mixed:
                raise
            plain = value.iloc[:, [n for n in range(len(value.columns)) if n not in mixed]]
            blob = self._arrow(lambda pa: pa.Table.from_pandas(plain))
        columns = [
            [n, self.value(value.columns[n]), self._objects(value.iloc[:, n], depth)] for n in mixed
        ]
        return {"t": "pandas", "v": blob, "mixed": columns}

    def _objects(self, value: Any, depth: int) -> Any:
        items = [self.value(item, depth + 1) for item in value.tolist()]
        return {"t": "objects", "shape": [len(items)], "v": items}

    def _column(self, value: Any, pd: Any) -> Any:
        index = isinstance(value, pd.Index)
        if isinstance(value, pd.MultiIndex):
            frame = value.to_frame(index=False)
            return {
                "t": "multiindex",
                "names": self.value(list(value.names)),
                "v": self.value(frame),
            }
        frame = pd.DataFrame({"v": value}) if not index else pd.DataFrame({"v": value.array})
        name = self.value(value.name)
        tag = "index" if index else "series"
        return {"t": tag, "name": name, "v": self._arrow(lambda pa: pa.Table.from_pandas(frame))}

    def _arrow(self, table: Callable[[Any], Any]) -> int:
        try:
            import pyarrow as pa

            made = table(pa)
        except ImportError as error:
            raise CannotCross("a table crosses with pyarrow, which is not installed") from error
        except Exception as error:
            text = str(error).splitlines()[0]
            raise CannotCross(f"a table holds what Arrow cannot ({text})") from error
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, made.schema) as stream:
            stream.write_table(made)
        return self._blob(sink.getvalue().to_pybytes())

    def _blob(self, content: bytes) -> int:
        self.blobs.append(content)
        return len(self.blobs) - 1


def _mixed(column: Any) -> bool:
    """Whether a column holds plain values of several kinds."""
    kinds = {type(item) for item in column.tolist()}
    return len(kinds) > 1 and kinds <= {int, float, bool, str, type(None)}


class Reader:
    """Reads one message.

    Parameters
    ----------
    handle : callable
        Gives the object for a handle's tagged JSON.
    dataclass : callable
        Gives the class of a module's name and its own, or raises CannotCross.
    """

    def __init__(
        self,
        message: bytes,
        handle: Callable[[dict[str, Any]], Any],
        dataclass: Callable[[str, str], type],
    ) -> None:
        self.handle, self.dataclass = handle, dataclass
        (length,) = _LENGTH.unpack(message[: _LENGTH.size])
        head = json.loads(message[_LENGTH.size : _LENGTH.size + length])
        self.content: dict[str, Any] = head
        self.blobs = []
        start = _LENGTH.size + length
        for size in head["blobs"]:
            self.blobs.append(message[start : start + size])
            start += size

    def value(self, content: Any) -> Any:
        """The value of JSON that ``Writer.value`` made."""
        if not isinstance(content, dict):
            return content
        tag, inner = str(content["t"]), self._inner(content)
        if tag in _CONTAINERS:
            return _CONTAINERS[tag](self.value(item) for item in inner)
        if tag == "dict":
            return {self.value(k): self.value(v) for k, v in inner}
        if tag in ("bytes", "bytearray"):
            return bytes(self.blobs[inner]) if tag == "bytes" else bytearray(self.blobs[inner])
        if tag in _PLAIN:
            return _PLAIN[tag].fromisoformat(inner)  # type: ignore[attr-defined]
        if tag in _TEXT:
            return _TEXT[tag](inner)
        if tag in ("range", "slice"):
            parts = [self.value(part) for part in inner]
            return range(*parts) if tag == "range" else slice(*parts)
        if tag == "timedelta":
            return datetime.timedelta(*inner)
        if tag == "complex":
            return complex(*inner)
        if tag in ("NotImplemented", "Ellipsis"):
            return NotImplemented if tag == "NotImplemented" else Ellipsis
        if tag == "builtin":
            return _builtin(inner)
        if tag == "namedtuple":
            made = namedtuple(content["name"], content["fields"])  # type: ignore[misc]
            return made(*[self.value(item) for item in inner])
        if tag == "dataclass":
            try:
                kind = self.dataclass(content["module"], content["name"])
            except CannotCross:  # a class of the other side's own
                return self.handle(content["else"])
            return kind(**{name: self.value(item) for name, item in inner})
        if tag in ("remote", "handle", "exception"):
            return self.handle(content)
        return self._table(tag, content)

    @staticmethod
    def _inner(content: dict[str, Any]) -> Any:
        return content.get("v")

    def _table(self, tag: str, content: dict[str, Any]) -> Any:
        inner = self._inner(content)
        if tag in ("array", "number", "objects"):
            return _array(tag, content, self)
        import pandas as pd

        if tag in ("NaT", "NA"):
            return pd.NaT if tag == "NaT" else pd.NA
        if tag == "timestamp":
            return pd.Timestamp(inner, tz=content["zone"])
        if tag == "pandas-timedelta":
            return pd.Timedelta(inner)
        if tag == "multiindex":
            return pd.MultiIndex.from_frame(self.value(inner), names=self.value(content["names"]))
        import pyarrow as pa

        assert isinstance(inner, int)
        with pa.ipc.open_stream(self.blobs[inner]) as stream:
            table = stream.read_all()
        table.validate(full=True)  # a student's process may have written it
        if tag == "arrow":
            return table
        if tag in ("polars", "polars-series"):
            import polars as pl

            frame = pl.DataFrame(pl.from_arrow(table))
            return frame if tag == "polars" else frame["v"].alias(content["name"])
        frame = table.to_pandas()
        if tag == "pandas":
            for place, name, items in content["mixed"]:
                frame.insert(int(place), self.value(name), self.value(items), allow_duplicates=True)
            return frame
        name = self.value(content["name"])
        if tag == "series":
            return frame["v"].rename(name)
        if tag == "index":
            return pd.Index(frame["v"].array, name=name)
        raise CannotCross(f"an unknown kind of value: {tag!r}")


def _builtin(name: str) -> type:
    import builtins

    found = getattr(builtins, name, None)
    if not isinstance(found, type):
        raise CannotCross(f"{name!r} is no builtin type")
    return found


def _array(tag: str, content: dict[str, Any], reader: Reader) -> Any:
    import numpy as np

    shape = tuple(content["shape"])
    if tag == "objects":
        found = np.empty(len(content["v"]), dtype=object)
        found[:] = [reader.value(item) for item in content["v"]]
        return found.reshape(shape)
    dtype = np.dtype(content["dtype"])
    if dtype.kind not in _NUMPY_KINDS:
        raise CannotCross(f"an array of {dtype}")
    array = np.frombuffer(reader.blobs[content["v"]], dtype=dtype).reshape(shape).copy()
    return array if tag == "array" else array[()]
