"""Values of every kind cross between two processes as what they are; what a function changes in place comes back; garbage stays out."""

import array
import asyncio
import contextlib
import copy
import dataclasses
import datetime
import decimal
import enum
import fractions
import functools
import http
import inspect
import io
import ipaddress
import itertools
import json
import math
import pathlib
import random
import re
import socket
import statistics
import struct
import threading
import types
import unittest
import zoneinfo
from collections import ChainMap, Counter, OrderedDict, defaultdict, deque, namedtuple
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from dateutil import tz
from gradewell.checks import calls
from gradewell.checks.calls import call, mapped
from gradewell.runner.inside import wire
from gradewell.runner.inside.peer import Peer, Remote, Unanswered, as_copies
from gradewell.runner.inside.values import DEPTH, CannotCross, Reader, Writer
from gradewell.runner.inside.values.table import BY_TAG
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

LARGEST = 8 << 20


@dataclasses.dataclass
class Point:
    x: object
    y: object = 0


class Color(enum.Enum):
    RED = 1
    GREEN = "g"
    CRIMSON = 1

    def shout(self):
        return self.name + "!"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Word(enum.StrEnum):
    YES = "yes"


class Right(enum.Flag):
    READ = 1
    WRITE = 2


Pair = namedtuple("Pair", "left right")


class Stack(list):
    """Its own methods lie about what it holds, and one changes it."""

    def push(self, item):
        self.append(item)
        return self

    def __eq__(self, other):
        return True

    def __len__(self):
        return 99

    def __iter__(self):
        return iter(["lie"])

    __hash__ = None


class Table(dict):
    def __getitem__(self, key):
        return "lie"

    def keys(self):
        return ["lie"]

    def __iter__(self):
        return iter(["lie"])


class Name(str):
    def __eq__(self, other):
        return True

    __hash__ = str.__hash__

    def greeting(self):
        return "Hello " + self


class Number(int):
    def __eq__(self, other):
        return True

    __hash__ = int.__hash__


class Triple(tuple):
    def __eq__(self, other):
        return True

    __hash__ = tuple.__hash__


class Group(set):
    def __contains__(self, item):
        return True


class Groups(defaultdict):
    pass


class Line(deque):
    pass


# -- two ends ------------------------------------------------------------------------------------------


def known(module, name):
    if (module, name) == (Point.__module__, "Point"):
        return Point
    raise CannotCross(f"no {name}")


class Two:
    """The judge's end of a connection, and the names at the student's end, which answers in a thread."""

    def __init__(self, largest=LARGEST):
        self.names = {}
        here, there = socket.socketpair()
        self.judge = Peer(here, False, lambda: {}, known, largest, 20.0)
        self.student = Peer(there, True, lambda: self.names, known, 1 << 31)
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        try:
            while True:
                self.student.serve()
        except (wire.Closed, Unanswered, OSError):
            pass

    def asked(self, value):
        """What the judge gets when it asks for a name that has this value."""
        self.names["value"] = value
        return self.judge.ask("name", "value")

    def told(self, value):
        """What the student's end gets when the judge hands this value over."""
        self.judge.ask("set", "told", value)
        return self.names["told"]

    def seen_there(self, value):
        """What is seen of a value at the student's end, where a function gets it."""
        found = []
        self.asked(lambda there: found.append(seen(there)))(value)
        return found[0]

    def function(self, function):
        return self.asked(function)


@pytest.fixture
def two():
    made = Two()
    yield made
    made.judge.sock.close()


# -- what can be seen of a value -----------------------------------------------------------------------


def seen(value):
    """All that can be seen of a value, made of tuples and texts: two values are alike if it is equal."""
    kind = type(value).__name__
    if isinstance(value, enum.Enum):
        return kind, value.name, seen(value.value)
    if isinstance(value, np.ma.MaskedArray) and value is not np.ma.masked:
        return (
            kind,
            seen(np.asarray(value.data)),
            seen(np.ma.getmaskarray(value)),
            repr(value.fill_value),
            value.hardmask,
        )
    if isinstance(value, np.ndarray):
        flags = value.flags.c_contiguous, value.flags.f_contiguous, value.flags.writeable
        items = tuple(map(seen, value.ravel().tolist()))
        return kind, repr(value.dtype), value.shape, flags, items
    if isinstance(value, pd.DataFrame):
        columns = tuple(seen(value.iloc[:, n].array) for n in range(value.shape[1]))
        head = (
            value.shape,
            seen(value.index),
            seen(value.columns),
            seen(value.attrs),
            value.flags.allows_duplicate_labels,
        )
        return kind, *head, tuple(map(str, value.dtypes)), columns, repr(value)
    if isinstance(value, pd.Series):
        return (
            kind,
            seen(value.array),
            seen(value.index),
            seen(value.name),
            seen(value.attrs),
            repr(value),
        )
    if isinstance(value, pd.MultiIndex):
        levels = tuple(map(seen, value.levels)), tuple(map(seen, value.codes))
        return kind, *levels, tuple(map(seen, value.names)), repr(value)
    if isinstance(value, pd.Index):
        return (
            kind,
            seen(value.array),
            seen(value.name),
            repr(getattr(value, "freq", None)),
            repr(value),
        )
    if isinstance(value, pd.api.extensions.ExtensionArray):
        more = (seen(value.categories), value.ordered) if isinstance(value, pd.Categorical) else ()
        storage = getattr(value.dtype, "storage", ""), getattr(value, "kind", "")
        return kind, repr(value.dtype), storage, more, tuple(map(seen, value))
    if isinstance(value, pd.api.extensions.ExtensionDtype | np.dtype):
        return kind, repr(value)
    if isinstance(value, pl.DataFrame | pl.Series):
        schema = value.schema if isinstance(value, pl.DataFrame) else (value.name, value.dtype)
        return kind, repr(schema), repr(value), str(value.to_arrow())
    if isinstance(value, pa.Array | pa.ChunkedArray):
        return kind, str(value.type), str(value)
    if isinstance(value, fractions.Fraction):
        return kind, seen(value.numerator), seen(value.denominator)
    if isinstance(value, pa.Table | pa.RecordBatch):
        return kind, str(value.schema), repr(value.schema.metadata), repr(value.to_pydict())
    if isinstance(value, dict | types.MappingProxyType):
        more = (value.default_factory,) if isinstance(value, defaultdict) else ()
        pairs = list(dict.items(value)) if type(value) is Table else list(value.items())
        return kind, more, tuple((seen(k), seen(v)) for k, v in pairs)
    if isinstance(value, Stack):
        return kind, (), tuple(map(seen, list.__iter__(value)))
    if isinstance(value, set | frozenset):
        return kind, frozenset(map(seen, value))
    if isinstance(value, list | tuple | deque):
        more = (value.maxlen,) if isinstance(value, deque) else getattr(value, "_fields", ())
        return kind, more, tuple(map(seen, value))
    if isinstance(value, ChainMap):
        return kind, tuple(map(seen, value.maps))
    if isinstance(value, type({}.items()) | type({}.keys()) | type({}.values())):
        return kind, tuple(map(seen, value))
    if dataclasses.is_dataclass(value) or isinstance(value, types.SimpleNamespace):
        return kind, seen(vars(value))
    if isinstance(value, memoryview):
        return kind, bytes(value), value.readonly
    if isinstance(value, datetime.time | datetime.datetime):
        return kind, repr(value), value.fold, str(value.tzinfo), getattr(value, "unit", "")
    if isinstance(value, range | slice):
        return kind, value.start, value.stop, value.step
    if isinstance(value, enum.EnumType):
        return kind, value.__name__, tuple((n, seen(m.value)) for n, m in value.__members__.items())
    if isinstance(value, int):
        return kind, hex(value)
    return kind, repr(value)


# -- a strategy for every kind -------------------------------------------------------------------------

TEXT = st.text(max_size=6)
ODD_TEXT = st.text(st.characters(categories=["L", "Cs"]), max_size=4) | st.just("\ud83d\ude00")
ZONES = st.sampled_from([None, datetime.UTC, datetime.timezone(datetime.timedelta(hours=-3), "here"),
                         zoneinfo.ZoneInfo("Asia/Shanghai"), zoneinfo.ZoneInfo("America/New_York")])  # fmt: skip
MOMENTS = st.datetimes(datetime.datetime(1900, 1, 1), datetime.datetime(2200, 1, 1))
NUMBERS = st.floats(allow_nan=True, allow_infinity=True)
PLAIN = st.one_of(st.none(), st.booleans(), st.integers(-(2**70), 2**70), NUMBERS, TEXT)
KEYS = st.one_of(
    st.none(), st.integers(-5, 5), TEXT, st.tuples(st.integers(0, 3), TEXT), st.dates()
)
CELLS = st.one_of(
    PLAIN, st.lists(PLAIN, max_size=2), st.dictionaries(TEXT, PLAIN, max_size=2), st.sets(st.integers(), max_size=2),
    st.tuples(PLAIN), st.dates(), st.decimals(), st.just(pd.NA), st.just(pd.NaT), st.just(Color.RED), st.just(Pair(1, 2)),
)  # fmt: skip


def objects(items):
    made = np.empty(len(items), dtype=object)
    for place, item in enumerate(items):
        made[place] = item
    return made


@st.composite
def arrays(draw):
    kind = draw(st.sampled_from([
        "b1", "i1", "<u8", ">i4", "f2", "f4", "f8", "c16", "M8[D]", "M8[ns]", "m8[s]", "U3", "S3", "O", "V4", "record", "string"]))  # fmt: skip
    shape = draw(st.sampled_from([(), (0,), (3,), (2, 2), (1, 0, 2), (2, 1, 2)]))
    size = math.prod(shape)
    if kind == "record":
        dtype = np.dtype(
            [("a", "i4"), ("b", "f8", (2,)), ("c", [("d", "U2")])], align=draw(st.booleans())
        )
        made = np.zeros(size, dtype=dtype)
        made["a"] = np.arange(size)
        made["c"]["d"] = "é"
        made = made.view(draw(st.sampled_from([np.ndarray, np.recarray])))
    elif kind == "string":
        made = np.array(
            draw(st.lists(TEXT, min_size=size, max_size=size)), dtype=np.dtypes.StringDType()
        )
    elif kind == "O":
        made = objects(draw(st.lists(CELLS, min_size=size, max_size=size)))
    else:
        made = np.arange(size).astype("i1").astype(kind) if kind != "V4" else np.zeros(size, "V4")
        if size and kind in ("f8", "M8[D]", "M8[ns]", "m8[s]"):
            made[0] = np.nan if kind == "f8" else "NaT"
    made = made.reshape(shape)
    if len(shape) == 2 and type(made) is np.ndarray and draw(st.booleans()):
        made = np.asfortranarray(made)
    made.flags.writeable = draw(st.booleans())
    return made


@st.composite
def columns(draw, size=3):
    """What a column of a table may hold: every dtype."""
    codes = draw(st.lists(st.integers(-1, 1), min_size=size, max_size=size))
    whole = [None if c < 0 else c for c in codes]
    texts = [None if c < 0 else "ab"[c] for c in codes]
    moments = pd.DatetimeIndex(
        [None if c < 0 else datetime.datetime(2020, 1, 1 + c) for c in codes]
    )
    made = {
        "int": lambda: np.array(codes, "int16"),
        "float": lambda: np.array([math.nan if c < 0 else c for c in codes], "float32"),
        "bool": lambda: np.array(codes) > 0,
        "complex": lambda: np.array(codes) * 1j,
        "object": lambda: objects(draw(st.lists(CELLS, min_size=size, max_size=size))),
        "category": lambda: pd.Categorical.from_codes(
            codes,
            pd.Index(
                draw(st.sampled_from([[1, 2], ["x", "y", "unused"], [0.5, 1.5], [(1, 2), (3, 4)]])),
                tupleize_cols=False,
            ),
            ordered=draw(st.booleans()),
        ),
        "intervals": lambda: pd.cut([c + 1 for c in codes], [-1, 0, 1, 2]),
        "Int8": lambda: pd.array(whole, "Int8"),
        "UInt64": lambda: pd.array(whole, "UInt64"),
        "Float32": lambda: pd.array(whole, "Float32"),
        "boolean": lambda: pd.array([None if c is None else bool(c) for c in whole], "boolean"),
        "str": lambda: pd.array(texts, dtype="str"),
        "string[python]": lambda: pd.array(
            [None if t is None else t + "\ud83d" for t in texts], dtype="string[python]"
        ),
        "string[pyarrow]": lambda: pd.array(texts, dtype="string[pyarrow]"),
        "python texts": lambda: pd.array(texts, dtype=pd.StringDtype("python", na_value=np.nan)),
        "arrow": lambda: pd.array(whole, dtype="int32[pyarrow]"),
        "arrow lists": lambda: pd.array(
            [None if c is None else [c] for c in whole], dtype=pd.ArrowDtype(pa.list_(pa.int64()))
        ),
        "sparse": lambda: pd.arrays.SparseArray(
            [max(c, 0) for c in codes], kind=draw(st.sampled_from(["integer", "block"]))
        ),
        "interval": lambda: pd.arrays.IntervalArray.from_arrays(
            np.array(codes), np.array(codes) + 2, closed="both"
        ),
        "period": lambda: (
            pd.PeriodIndex(moments, freq=draw(st.sampled_from(["D", "M", "W-TUE"]))).array
        ),
        "naive": lambda: moments.as_unit(draw(st.sampled_from(["s", "ns"]))).array,
        "zoned": lambda: (
            moments.tz_localize(draw(st.sampled_from(["UTC", "Asia/Shanghai", "-03:00"]))).array
        ),
        "timedelta": lambda: (moments - datetime.datetime(2019, 1, 1)).array,
    }
    return draw(st.sampled_from(sorted(made)).map(made.get))()


@st.composite
def indexes(draw, size=3, levels=True):
    kind = draw(st.integers(0, 6 if levels else 5))
    name = draw(st.none() | KEYS)
    if kind == 0:
        start, step = draw(st.integers(-2, 2)), draw(st.sampled_from([-1, 2]))
        return pd.RangeIndex(start, start + size * step, step, name=name)
    if kind == 1:
        freq = draw(st.sampled_from(["D", "2h", "MS", "B", "W-WED"]))
        zone = draw(st.sampled_from([None, "Europe/Berlin"]))
        return pd.date_range("2020-03-01", periods=size, freq=freq, tz=zone, name=name)
    if kind == 2:
        return pd.timedelta_range("1D", periods=size, freq="3h", name=name)
    if kind == 3:
        labels = objects(draw(st.lists(KEYS, min_size=size, max_size=size)))
        return pd.Index(labels, dtype=object, name=name, tupleize_cols=False)
    if kind == 4:
        return pd.Index(["a", "b", "a"][:size], name=name)
    if kind == 6:
        labels = [("a", 1), ("b", 2), ("a", None)][:size]
        return pd.MultiIndex.from_tuples(
            labels, names=draw(st.sampled_from([None, ("k", None), ("k", 5)]))
        )
    column = draw(columns(size))
    return pd.Index(column, dtype=column.dtype, name=name)


@st.composite
def frames(draw):
    width = draw(st.integers(0, 3))
    index = draw(indexes())
    series = {
        n: pd.Series(c, index=index, dtype=c.dtype)
        for n, c in enumerate([draw(columns()) for _ in range(width)])
    }
    made = pd.DataFrame(series, index=index)
    made.columns = draw(
        indexes(size=width) if width == 3 else st.just(pd.Index(["a", "a", "b"][:width]))
    )
    made.attrs = draw(st.dictionaries(TEXT, PLAIN, max_size=1))
    return made


@st.composite
def series(draw):
    column = draw(columns())
    made = pd.Series(column, index=draw(indexes()), dtype=column.dtype, name=draw(KEYS))
    made.attrs = draw(st.dictionaries(TEXT, PLAIN, max_size=1))
    return made


ARROW = st.sampled_from([
    pa.table({"a": [1, None], "b": [["x"], None]}), pa.table({"a": pa.chunked_array([[1], [2, 3]])}),
    pa.table({"a": []}), pa.table({"a": pa.array(["x", "x"]).dictionary_encode()}).replace_schema_metadata({"k": "v"}),
])  # fmt: skip
ARROW_COLUMNS = st.sampled_from([
    pa.array([1, None]), pa.array(["a", "bb"])[1:], pa.array([{"a": 1}, None]), pa.array([decimal.Decimal("1.10")]),
    pa.array([datetime.datetime(2020, 1, 1)], pa.timestamp("ms", "Asia/Shanghai")), pa.array([], pa.int8()),
])  # fmt: skip
POLARS_COLUMNS = st.sampled_from([
    pl.Series("a", [1, None], pl.UInt8), pl.Series("e", ["x", "y"], pl.Enum(["y", "x"])), pl.Series("c", ["x", None], pl.Categorical),
    pl.Series("l", [["x"], None], pl.List(pl.Enum(["x"]))), pl.Series("f", [math.nan, -0.0]), pl.Series("", [], pl.Int64),
    pl.Series("d", [decimal.Decimal("1.10")]), pl.Series("s", [{"a": 1}, None]), pl.Series("t", [datetime.time(1)]),
    pl.Series("z", [datetime.datetime(2020, 1, 1)]).dt.replace_time_zone("Asia/Shanghai"), pl.Series("n", [None]),
    pl.Series("r", [[1, 2]], pl.Array(pl.Int8, 2)), pl.Series("b", [b"\xff"]),
])  # fmt: skip

LEAVES = {
    "None": st.none(),
    "bool": st.booleans(),
    "float": NUMBERS,
    "int": st.integers() | st.sampled_from([2**63, -(2**63)]) | st.integers(0, 9).map(lambda n: n - 10 ** (4300 + n)),
    "str": TEXT | ODD_TEXT,
    "complex": st.complex_numbers(),
    "bytes": st.binary(max_size=5),
    "bytearray": st.binary(max_size=5).map(bytearray),
    "memoryview": st.binary(max_size=5).map(memoryview) | st.binary(max_size=5).map(bytearray).map(memoryview),
    "array.array": st.sampled_from([array.array("i", [1, -2]), array.array("d", []), array.array("B", b"ab")]),
    "range": st.builds(range, st.integers(), st.integers(), st.integers(1, 9)),
    "slice": st.builds(slice, PLAIN, PLAIN, PLAIN),
    "date": st.dates(),
    "time": st.builds(lambda t, f, z: t.replace(fold=f, tzinfo=z), st.times(), st.integers(0, 1), ZONES),
    "datetime": st.builds(lambda d, f, z: d.replace(fold=f, tzinfo=z), MOMENTS, st.integers(0, 1), ZONES),
    "timedelta": st.timedeltas(),
    "timezone": st.sampled_from([datetime.UTC, datetime.timezone(datetime.timedelta(minutes=5)),
                                 datetime.timezone(datetime.timedelta(0), "zero")]),
    "dateutil's zone": st.sampled_from(
        [tz.tzutc(), tz.tzoffset("far", 3600), tz.tzoffset(None, -1800), tz.gettz("Asia/Shanghai")]
    ),
    "ZoneInfo": st.sampled_from([zoneinfo.ZoneInfo("Asia/Shanghai"), zoneinfo.ZoneInfo("UTC")]),
    "Fraction": st.fractions() | st.integers(0, 1).map(lambda n: fractions.Fraction(10**5000, 3 + n)),
    "Decimal": st.decimals() | st.sampled_from([decimal.Decimal(t) for t in ("sNaN12", "-0", "1.10", "-Infinity", "1E+999999")]),
    "UUID": st.uuids(),
    "PurePosixPath": TEXT.map(pathlib.PurePosixPath) | st.just(pathlib.PurePosixPath("a\udcff")),
    "PureWindowsPath": st.just(pathlib.PureWindowsPath("C:/a")),
    "PosixPath": TEXT.map(pathlib.Path),
    "IPv4Address": st.ip_addresses(v=4),
    "IPv6Address": st.ip_addresses(v=6),
    "IPv4Network": st.just(ipaddress.ip_network("10.0.0.0/8")),
    "IPv6Network": st.just(ipaddress.ip_network("fe80::/64")),
    "re.Pattern": st.sampled_from([re.compile("a+", re.IGNORECASE), re.compile(b"(?P<n>x)")]),
    "Signature": st.sampled_from([inspect.signature(f) for f in (lambda a, /, b=2, *c, d, **e: 0, lambda: 0)]),
    "NotImplemented": st.just(NotImplemented),
    "Ellipsis": st.just(Ellipsis),
    "builtin": st.sampled_from([int, dict, ValueError, object, type]),
    "masked": st.just(np.ma.masked),
    "masked array": st.sampled_from([
        np.ma.array([1, 2], mask=[0, 1], fill_value=7), np.ma.array([[1.5]], hard_mask=True), np.ma.array(["a"], mask=[True])]),
    "array": arrays() | st.just(np.array([[1, 2]]).view(np.matrix)),
    "dtype": st.sampled_from([np.dtype(t) for t in ("i4", ">f8", "M8[D]", "U3", "O", [("a", "i4"), ("b", "O")])]
                             + [np.dtypes.StringDType(na_object=None)]),
    "scalar": st.sampled_from([
        np.float64(1.5), np.float32("nan"), np.int8(3), np.bool_(True), np.str_("a\0"), np.bytes_(b"a\0"), np.complex64(1j),
        np.datetime64("2020-01-01"), np.datetime64("NaT", "s"), np.timedelta64(3, "h"), np.longdouble(1) / 3,
        np.zeros(1, [("a", "i4"), ("b", "U2")])[0]]),
    "NaT": st.just(pd.NaT),
    "NA": st.just(pd.NA),
    "Timestamp": st.builds(lambda d, z, u: pd.Timestamp(d, tz=z).as_unit(u), MOMENTS, ZONES, st.sampled_from(["s", "us", "ns"]))
    | st.sampled_from([pd.Timestamp("2020-11-01 06:30", tz="UTC").tz_convert("America/New_York"),
                       pd.Timestamp("2020-01-01 00:00:00.123456789")]),
    "Timedelta": st.timedeltas(datetime.timedelta(-999), datetime.timedelta(999)).map(pd.Timedelta),
    "DateOffset": st.sampled_from([
        pd.DateOffset(months=1), pd.DateOffset(days=2, hour=3), pd.offsets.Hour(2), pd.offsets.MonthEnd(-2), pd.offsets.Week(weekday=1),
        pd.offsets.BMonthEnd(normalize=True), pd.offsets.QuarterEnd(startingMonth=2), pd.offsets.Day(3), pd.offsets.BusinessHour(start="10:00")]),
    "Period": st.sampled_from([pd.Period("2020-01", "M"), pd.Period("2020", "Y-MAR"), pd.Period("2020-01-01 03:00", "2h")]),
    "Interval": st.sampled_from([pd.Interval(0, 3), pd.Interval(0.5, 1.5, "both"),
                                 pd.Interval(pd.Timestamp("2020"), pd.Timestamp("2021"), "left")]),
    "DataFrame": frames(),
    "Series": series(),
    "RangeIndex": st.builds(pd.RangeIndex, st.integers(0, 3), st.integers(4, 9), st.integers(1, 3), name=KEYS),
    "MultiIndex": st.sampled_from([
        pd.MultiIndex.from_product([["a", "b"], pd.date_range("2020", periods=2)], names=["k", None]),
        pd.MultiIndex.from_tuples([(1, "x"), (None, "x")])[:1], pd.MultiIndex(levels=[["a", "unused"]], codes=[[0, -1]])]),
    "Index": indexes(levels=False).filter(lambda one: type(one) is not pd.RangeIndex),
    "NumpyExtensionArray": st.just(pd.arrays.NumpyExtensionArray(np.array([1, 2]))),
    "IntegerArray": st.just(pd.array([1, None], "Int8")),
    "FloatingArray": st.just(pd.array([1.5, None], "Float64")),
    "BooleanArray": st.just(pd.array([True, None], "boolean")),
    "StringArray": columns().filter(lambda c: isinstance(c.dtype, pd.StringDtype)),
    "ArrowExtensionArray": st.just(pd.array([1, None], "int8[pyarrow]")),
    "Categorical": st.sampled_from([pd.Categorical(["a", None], ["a", "b"], ordered=True), pd.cut([1, 5], [0, 3, 6])]),
    "DatetimeArray": st.sampled_from([pd.date_range("2020", periods=2, tz="Asia/Shanghai").array, pd.timedelta_range("1D", periods=2).array]),
    "PeriodArray": st.just(pd.period_range("2020", periods=2, freq="M").array),
    "IntervalArray": st.just(pd.arrays.IntervalArray.from_breaks([0, 1, 2])),
    "SparseArray": st.just(pd.arrays.SparseArray([0, 0, 1.5], fill_value=0)),
    "pandas dtype": st.sampled_from([
        pd.CategoricalDtype(["a", "b"], True), pd.Int8Dtype(), pd.StringDtype(), pd.DatetimeTZDtype("s", "Asia/Shanghai"),
        pd.PeriodDtype("M"), pd.IntervalDtype("int64", "left"), pd.SparseDtype("f8", 0.0), pd.ArrowDtype(pa.int8())]),
    "arrow table": ARROW,
    "arrow batch": st.just(pa.RecordBatch.from_pydict({"a": [1, 2]})[1:]),
    "arrow column": st.sampled_from([pa.chunked_array([[1], [2, 3]]), pa.chunked_array([], pa.string())]),
    "arrow array": ARROW_COLUMNS,
    "arrow scalar": st.sampled_from([pa.scalar(1), pa.scalar(None, pa.string()), pa.scalar([1, 2]), pa.scalar({"a": "x"})]),
    "arrow schema": st.just(pa.schema([pa.field("a", pa.int8(), metadata={"u": "m"})], metadata={"k": "v"})),
    "arrow field": st.just(pa.field("a", pa.list_(pa.string()), nullable=False)),
    "arrow type": st.sampled_from([pa.int8(), pa.decimal128(5, 2), pa.timestamp("s", "UTC")]),
    "polars table": st.lists(POLARS_COLUMNS, max_size=3, unique_by=lambda s: s.name).map(
        lambda some: pl.DataFrame([s.head(1) for s in some if len(s)])),
    "polars column": POLARS_COLUMNS,
    "polars dtype": POLARS_COLUMNS.map(lambda s: s.dtype).filter(lambda d: isinstance(d, pl.DataType)),
    "enumeration": st.sampled_from([Color, Level, Word, Right, http.HTTPStatus]),
    "member": st.sampled_from([*Color, *Level, *Word, *Right, Right.READ | Right.WRITE, Right(0), http.HTTPStatus.OK]),
}  # fmt: skip


def dicts(children):
    return st.dictionaries(KEYS, children, max_size=3)


CONTAINERS = {
    "list": lambda inner: st.lists(inner, max_size=3),
    "tuple": lambda inner: st.lists(inner, max_size=3).map(tuple),
    "set": lambda inner: st.sets(KEYS, max_size=3),
    "frozenset": lambda inner: st.frozensets(KEYS, max_size=3),
    "dict": dicts,
    "OrderedDict": lambda inner: dicts(inner).map(OrderedDict),
    "Counter": lambda inner: st.lists(KEYS, max_size=5).map(Counter),
    "defaultdict": lambda inner: st.builds(defaultdict, st.sampled_from([None, int, list]), dicts(inner)),
    "deque": lambda inner: st.builds(deque, st.lists(inner, max_size=3), st.sampled_from([None, 2])),
    "ChainMap": lambda inner: st.builds(ChainMap, dicts(inner), dicts(inner)),
    "mappingproxy": lambda inner: dicts(inner).map(types.MappingProxyType),
    "dict_keys": lambda inner: dicts(inner).map(lambda d: d.keys()),
    "dict_values": lambda inner: dicts(inner).map(lambda d: d.values()),
    "dict_items": lambda inner: dicts(inner).map(lambda d: d.items()),
    "SimpleNamespace": lambda inner: st.builds(types.SimpleNamespace, a=inner, b=inner),
    "namedtuple": lambda inner: st.builds(Pair, inner, inner),
    "dataclass": lambda inner: st.builds(Point, inner, inner),
    "subclass": lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(Stack), dicts(inner).map(Table), TEXT.map(Name), st.integers().map(Number),
        st.lists(inner, max_size=2).map(Triple), st.sets(KEYS, max_size=3).map(Group),
        st.builds(Groups, st.just(list), dicts(inner)), st.builds(Line, st.lists(inner, max_size=3), st.just(2))),
}  # fmt: skip
SEEN_ELSEWHERE = {
    "again": "test_one_object_that_occurs_twice_is_one_object",
    "argument": "test_a_function_that_returns_its_argument_returns_the_judges_own",
    "remote": "test_what_has_no_content_stays_where_it_is",
    "handle": "test_an_object_that_goes_back_is_itself",
    "exception": "test_an_exception_of_the_students_own_is_caught_by_its_name",
}
ALL = {
    **LEAVES,
    **{tag: make(st.one_of(PLAIN, *LEAVES.values())) for tag, make in CONTAINERS.items()},
}
NESTED = st.recursive(
    st.one_of(*LEAVES.values()),
    lambda inner: st.one_of(*[make(inner) for make in CONTAINERS.values()]),
    max_leaves=6,
)
QUICK = settings(
    deadline=None,
    derandomize=True,
    database=None,
    max_examples=12,
    suppress_health_check=list(HealthCheck),
)


def test_every_kind_of_the_table_is_seen_to_cross():
    assert set(ALL) | set(SEEN_ELSEWHERE) == set(BY_TAG)
    assert all(name in globals() for name in SEEN_ELSEWHERE.values())


@pytest.mark.parametrize("tag", ALL)
def test_a_value_crosses_as_what_it_is(tag, two):
    @QUICK
    @given(ALL[tag])
    def crosses(value):
        as_it_is = seen(value)
        assert seen(two.asked(value)) == as_it_is
        assert two.seen_there(value) == as_it_is

    crosses()


def test_values_cross_inside_each_other(two):
    @settings(QUICK, max_examples=80)
    @given(NESTED)
    def crosses(value):
        as_it_is = seen(value)
        assert seen(two.asked(value)) == as_it_is
        assert two.seen_there(value) == as_it_is

    crosses()


# -- objects, and what is one object ---------------------------------------------------------------------


def test_one_object_that_occurs_twice_is_one_object(two):
    shared = [1]
    for got in (two.asked([shared, {"a": shared}]), two.told([shared, {"a": shared}])):
        assert got[0] is got[1]["a"]


def test_a_value_that_shares_its_parts_does_not_grow_as_it_crosses(two):
    value = ()
    for _ in range(DEPTH - 10):
        value = (value, value)
    found = two.asked(value)
    assert found[0] is found[1] and found[0][0] is found[1][1]


def test_what_has_no_content_stays_where_it_is(two):
    found = two.asked(pd.DataFrame({"g": [1, 1], "v": [1, 2]}).groupby("g"))
    assert isinstance(found, Remote)
    assert found.v.sum().tolist() == [3]
    assert next(two.asked(iter([5]))) == 5


def test_an_object_that_goes_back_is_itself(two):
    thing = object()
    assert two.told(two.asked([thing]))[0] is thing
    assert two.function(lambda callback: (callback([1, 2]), callback))(len) == (2, len)


def test_an_exception_of_the_students_own_is_caught_by_its_name(two):
    class Wrong(ValueError):
        pass

    def refuses():
        raise Wrong("not this")

    kind, function = two.asked(Wrong), two.asked(refuses)
    with pytest.raises(kind, match="not this") as caught:
        function()
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize(
    "error",
    [
        json.JSONDecodeError("no", "text", 1),
        UnicodeDecodeError("utf-8", b"\xff", 0, 1, "no"),
        FileNotFoundError(2, "No such file", "nowhere"),
        KeyError("it"),
        ValueError(1, 2.5, None),
        decimal.InvalidOperation([1]),
        np.linalg.LinAlgError("singular"),
        statistics.StatisticsError("none"),
        dataclasses.FrozenInstanceError("no"),
        OverflowError("colour \x1b[31m"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_exception_that_both_sides_know_is_itself(error, two):
    def raises():
        raise error

    with pytest.raises(type(error)) as caught:
        two.function(raises)()
    assert "".join(c for c in str(error) if c.isprintable()) == str(caught.value).replace(
        "\ufffd", ""
    )
    assert getattr(caught.value, "errno", 0) == getattr(error, "errno", 0)
    assert getattr(caught.value, "pos", 0) == getattr(error, "pos", 0)


def test_an_exception_that_would_mean_more_here_is_one_of_its_name(two):
    def raises():
        raise unittest.SkipTest("not today")

    with pytest.raises(Exception, match="not today") as caught:
        two.function(raises)()
    assert type(caught.value).__name__ == "SkipTest"
    assert not isinstance(caught.value, unittest.SkipTest)


ADDRESS = {"shape": (1,), "typestr": "|O8", "version": 3, "data": (8, True)}


@pytest.mark.parametrize(
    "value",
    [
        types.SimpleNamespace(**{"__array_interface__": ADDRESS}),
        types.SimpleNamespace(**{"__array_interface__": 1}),
        types.SimpleNamespace(**{"__array__": lambda: np.ones(1)}),
        [{"x": OrderedDict(ADDRESS)}],
        defaultdict(int, ADDRESS),
        type("Own", (dict,), {})(ADDRESS),
        {type("Text", (str,), {})("typestr"): 1},
        pd.Series({"__array_interface__": 1, "b": 2}),
        pd.Series([1], index=["__array_struct__"], dtype=object),
        pd.DataFrame({"__array_interface__": [1]}),
        pd.DataFrame({("__array_interface__", "a"): [1]}),
        pd.DataFrame([[1]], index=pd.CategoricalIndex(["__array_interface__"])),
        pd.DataFrame({"a": [ADDRESS]}),
    ],
    ids=lambda value: type(value).__name__,
)
def test_nothing_that_comes_tells_numpy_where_in_memory_to_read(value, two):
    with pytest.raises(CannotCross):
        two.asked(value)
    changes = two.function(lambda kept: kept.update(one=value))
    mine = {}
    with pytest.raises(CannotCross):
        changes(mine)
    assert mine == {}


def test_no_address_is_told(two):
    def one():
        pass

    got = []
    two.function(lambda given: got.append(vars(given)["_number"]))(one)
    assert 0 < got[0] < 1_000
    assert 0 < vars(two.asked(one))["_number"] < 1_000


def test_a_class_that_stays_there_is_nobodys_base_here(two):
    base = two.asked(type("Base", (), {}))
    with pytest.raises(CannotCross, match="cannot inherit from it"):
        types.new_class("Mine", (base,))


def test_a_function_is_no_iterable(two):
    twice = two.function(lambda x: 2 * x)
    assert not hasattr(twice, "__iter__") and not hasattr(twice, "__len__")
    assert pd.Series([1, 2]).apply(twice).tolist() == [2, 4]
    assert two.function(lambda f: pd.Series([1, 2]).apply(f))(lambda x: x + 1).tolist() == [2, 3]


def test_a_list_of_the_students_own_class_is_what_it_holds(two):
    found = two.asked(Stack([1, 2]))
    assert type(found).__name__ == "Stack" and isinstance(found, list)
    assert len(found) == 2 and list(found) == [1, 2] and found == [1, 2] and found != [1, 3]
    assert two.asked(Table(a=1))["a"] == 1
    assert (
        two.asked(Name("a")) != "b" and two.asked(Number(3)) != 4 and two.asked(Triple([1])) != (2,)
    )
    assert 5 not in two.asked(Group([1]))


def test_a_method_of_the_students_own_class_is_called_there_and_its_change_is_seen(two):
    found = two.asked(Stack)([1])
    assert found.push(2) is found
    assert list(found) == [1, 2]
    found.append(3)
    assert list(found.push(4)) == [1, 2, 3, 4]
    assert two.asked(Name("Ann")).greeting() == "Hello Ann"
    assert two.asked(Color.RED).shout() == "RED!"
    assert isinstance(found, two.asked(Stack)) and not isinstance([1], two.asked(Stack))


def test_a_copy_of_a_value_of_the_students_own_class_is_a_value_of_its_own(two):
    found = two.asked(Stack([1]))
    other = copy.deepcopy(found)
    other.push(2)
    assert list(found) == [1] and list(other) == [1, 2]


def test_a_member_of_an_enumeration_is_the_same_each_time(two):
    colors = two.asked(Color)
    assert two.asked(Color.RED) is colors.RED is colors.CRIMSON and [*colors] == [
        two.asked(c) for c in Color
    ]
    assert {two.asked(Level.LOW): 1} == {1: 1} and two.asked(Word.YES) == "yes"
    assert isinstance(two.asked(Right.READ | Right.WRITE), two.asked(Right))
    assert two.asked(http.HTTPStatus.OK) is http.HTTPStatus.OK
    assert two.asked(lambda c: c is Color.RED)(colors.RED)


def test_a_dataclass_is_made_only_where_it_is_known_and_from_its_fields(two):
    @dataclasses.dataclass
    class Own:
        x: int

    assert isinstance(two.asked(Own(1)), Remote) and two.asked(Own(1)).x == 1
    with pytest.raises(CannotCross, match="other fields"):
        two.judge._read(_message(two, [Point.__module__, "Point", [["x", 1], ["__class__", 2]], None]), ["dataclass", [
            Point.__module__, "Point", [["x", 1], ["__class__", 2]], None]])  # fmt: skip


def _message(two, content):
    head = json.dumps({"ok": content, "blobs": []}).encode()
    return Reader(struct.pack(">I", len(head)) + head, two.judge)


# -- what cannot cross -----------------------------------------------------------------------------------


def test_an_item_that_cannot_cross_is_named_by_its_column(two):
    with pytest.raises(CannotCross, match="column 'b' of a DataFrame holds a function"):
        two.asked(pd.DataFrame({"a": [1], "b": [len]}).map(lambda x: x if x == 1 else (lambda: 0)))
    with pytest.raises(CannotCross, match="at position 1: an array holds a object"):
        two.asked(objects([1, object()]))


@pytest.mark.parametrize("make", [lambda: bytes(LARGEST + 1), lambda: "x" * (LARGEST + 1), lambda: np.zeros(LARGEST),
                                  lambda: np.broadcast_to(0, (10**12,)), lambda: [*range(10**7)]])  # fmt: skip
def test_a_value_that_is_too_large_costs_its_own_question_only(make, two):
    with pytest.raises(CannotCross, match="larger than 8 MiB"):
        two.asked(make())
    assert two.asked(5) == 5


def test_a_value_that_is_too_large_for_the_judges_callback_costs_its_own_question_only(two):
    calls = two.function(lambda back: back(bytes(LARGEST + 1)))
    with pytest.raises(CannotCross, match="larger than 8 MiB"):
        calls(lambda content: None)
    assert two.asked(5) == 5


def test_a_value_without_end_costs_its_own_question_only(two):
    ring = []
    ring.append(ring)
    deep = 1
    for _ in range(10**5):
        deep = [deep]
    for value in (ring, deep, {"a": ring}):
        with pytest.raises(CannotCross, match="contains itself"):
            two.asked(value)
    assert two.asked(5) == 5


def test_a_whole_number_of_a_million_digits_crosses(two):
    number = 1 << 3_321_928
    assert two.asked(number) == number and two.told(-number) == -number


# -- changes in place ------------------------------------------------------------------------------------


def _sets_first(value):
    value[0] = 7


CHANGES = {
    "list": ([1, 2], lambda v: v.append(3)),
    "nested": ({"a": [1, {"b": {1}}]}, lambda v: v["a"][1]["b"].add(2)),
    "dict order": ({"a": 1, "b": 2}, lambda v: v.update(a=v.pop("a"))),
    "OrderedDict": (OrderedDict(a=1, b=2), lambda v: v.move_to_end("a")),
    "defaultdict": (defaultdict(list), lambda v: v["new"].append(1)),
    "Counter": (Counter("ab"), lambda v: v.update("b")),
    "set": ({1, 2}, lambda v: v.discard(1)),
    "bytearray": (bytearray(b"ab"), lambda v: v.extend(b"c")),
    "array.array": (array.array("i", [1]), lambda v: v.append(2)),
    "deque": (deque([1, 2], 2), lambda v: v.append(3)),
    "namespace": (types.SimpleNamespace(a=1), lambda v: setattr(v, "b", 2)),
    "dataclass": (Point([1], 2), lambda v: (setattr(v, "y", 3), v.x.append(2))),
    "in a tuple": (([1],), lambda v: v[0].append(2)),
    "array": (np.arange(4.0), _sets_first),
    "array of objects": (objects([[1], "a"]), lambda v: (v[0].append(2), v.__setitem__(1, None))),
    "view of an array": (np.arange(6)[::2], _sets_first),
    "masked array": (np.ma.array([1, 2], mask=[0, 0]), lambda v: v.__setitem__(0, np.ma.masked)),
    "column": (pd.Series([1, 2], index=["a", "b"]), lambda v: v.__setitem__("a", 9)),
    "a column's name": (pd.Series([1]), lambda v: setattr(v, "name", "new")),
    "table": (pd.DataFrame({"a": [1, 2]}), lambda v: v.__setitem__("b", ["x", None])),
    "rows of a table": (pd.DataFrame({"a": [1, 2, 3]}), lambda v: v.drop(index=1, inplace=True)),
    "cell of a table": (
        pd.DataFrame({"a": [1, 2]}),
        lambda v: v.__setitem__("a", v["a"].replace(1, 5)),
    ),
    "list in a table": (pd.DataFrame({"a": [[1], [2]]}), lambda v: v["a"].iloc[0].append(5)),
    "attrs": (pd.DataFrame({"a": [1]}), lambda v: v.attrs.update(k=1)),
    "categories": (pd.Categorical(["a", "b"]), lambda v: v.__setitem__(0, "b")),
    "polars table": (pl.DataFrame({"a": [1]}), lambda v: v.insert_column(1, pl.Series("b", [2]))),
    "Fortran array": (np.asfortranarray(np.eye(2)), lambda v: v.__setitem__((0, 1), 5)),
    "nothing": ([1, {"a": np.arange(3)}], lambda v: None),
}


@pytest.mark.parametrize("name", CHANGES)
@pytest.mark.parametrize("raises", [False, True])
def test_what_a_function_changes_in_place_is_changed_as_in_one_process(name, raises, two):
    value, change = CHANGES[name]
    value, here = copy.deepcopy(value), copy.deepcopy(value)

    def function(argument):
        change(argument)
        if raises:
            raise KeyError("after the change")

    change(here)
    try:
        two.function(function)(value)
    except KeyError:
        assert raises
    assert seen(value) == seen(here)


STEPS = st.lists(
    st.tuples(st.sampled_from(["append", "clear", "again", "key", "inner"]), st.integers(0, 3)),
    max_size=6,
)


def _walk(value, steps):
    """Change a nest of lists and dicts in place, as the steps say."""
    for step, number in steps:
        if step == "append":
            value["list"].append(number)
        elif step == "clear":
            value["list"].clear()
        elif step == "again":
            value["list"].append(value["inner"])
        elif step == "key":
            value[number] = [number]
        else:
            value["inner"]["deep"].append({number})
    return value["inner"]


def test_any_changes_in_place_are_seen_as_in_one_process(two):
    walk = two.function(_walk)

    @settings(QUICK, max_examples=60)
    @given(STEPS, NESTED)
    def alike(steps, more):
        def make():
            inner = {"deep": []}
            return {"list": [1, inner], "inner": inner, "more": more}

        value, here = make(), make()
        returned = walk(value, steps)
        _walk(here, steps)
        assert seen(value) == seen(here)
        assert returned is value["inner"] and value["list"][1:2] in (
            [],
            [value["inner"]],
            value["list"][1:2],
        )

    alike()


def test_one_object_passed_twice_is_changed_once(two):
    both = [1]
    two.function(lambda a, b: (a.append(2), b.append(3)))(both, both)
    assert both == [1, 2, 3]


def test_a_function_that_returns_its_argument_returns_the_judges_own(two):
    value, table = [1, 2], pd.DataFrame({"a": [1]})
    same = two.function(lambda x: x)
    assert same(value) is value and same(table) is table

    def adds(rows):
        rows.append([rows[0]])
        return rows

    rows = [[1]]
    assert two.function(adds)(rows) is rows and rows[1][0] is rows[0]


def test_a_call_as_copies_changes_nothing(two):
    value, table = [1], pd.DataFrame({"a": [1]})

    def function(value, table):
        value.append(2)
        table["b"] = 1
        return value, table

    with as_copies():
        found = two.function(function)(value, table)
    assert value == [1] and list(table) == ["a"]
    assert found[0] == [1, 2] and list(found[1]) == ["a", "b"]


def test_checks_compare_with_what_no_function_changed(two):
    def spoils(rows):
        rows.clear()
        return len(rows)

    for function in (spoils, two.function(spoils)):
        rows = [1, 2]
        assert call(function, rows) == 0 and rows == [1, 2]
        tables = [[1], [2]]
        assert mapped(function, tables) == [0, 0] and tables == [[1], [2]]


def test_an_array_that_gets_another_shape_in_place_is_told_in_one_sentence(two):
    def resizes(array):
        array.shape = (2, 2)

    with pytest.raises(CannotCross, match="another shape or dtype in place"):
        two.function(resizes)(np.arange(4))


# -- functions -------------------------------------------------------------------------------------------


def test_an_async_function_is_awaited(two):
    async def five(n):
        await asyncio.sleep(0)
        return n + 5

    function = two.function(five)

    async def cell():
        return await function(1)

    with ThreadPoolExecutor() as thread:  # a browser's test may have left a loop in this one
        assert thread.submit(asyncio.run, cell()).result() == 6


def test_a_function_shows_its_signature_its_text_and_its_source(two):
    def scale(a, /, b: int = 2, *rest, key=None) -> float:
        """Doubles."""
        return a * b

    function = two.function(scale)
    assert inspect.signature(function) == inspect.signature(scale)
    assert function.__doc__ == "Doubles."
    assert inspect.getsource(function) == inspect.getsource(scale)
    with pytest.raises((OSError, TypeError, ValueError)):
        inspect.getsource(two.function(len))


# -- what the student's process reads of what is handed over ---------------------------------------------


class Clock:
    """As a check has it."""

    limit = 3

    def __init__(self):
        self.hidden = "secret"

    @property
    def now(self):
        return 5

    def read(self):
        return "a reading"


def _generator():
    hidden = "secret"
    yield hidden and 1


CALL_ONLY = {
    "partial": (functools.partial(pow, 2), "args func keywords"),
    "lru_cache": (functools.lru_cache(len), "__wrapped__ cache_info"),
    "function": (lambda x, hidden=3: x, "__defaults__ __globals__ __code__ __closure__"),
    "method": (Clock().read, "__self__ __func__"),
    "class": (Clock, "limit read __init__ mro"),
    "generator": (_generator(), "gi_frame gi_code send"),
    "map": (map(str, [1]), "__reduce__"),
    "iterator": (iter([1, 2]), "__reduce__ __length_hint__"),
    "object that is called": (
        type("Called", (), {"__call__": lambda self: 1, "public": 2})(),
        "public",
    ),
    "random": (random.Random(3), "getstate seed setstate gauss_next"),
    "generator of NumPy": (np.random.default_rng(3), "bit_generator spawn"),
    "an instance of a module's class": (Clock(), "hidden _private __dict__ __class__"),
}


@pytest.mark.parametrize("name", CALL_ONLY)
def test_no_attribute_of_what_is_handed_over_is_read_unless_its_kind_allows_it(name, two):
    thing, names = CALL_ONLY[name]

    def reads(there):
        found = []
        for attribute in names.split():
            try:
                two.student.ask("getattr", there, attribute)
                found.append(attribute)
            except AttributeError:
                pass
        return found

    assert two.function(reads)(thing) == []
    if callable(thing):
        with pytest.raises(TypeError, match="__str__ does not cross"):
            two.function(lambda there: str(there))(thing)


def test_what_is_handed_over_does_what_it_is_for(two):
    assert two.function(lambda f: f(3))(functools.partial(pow, 2)) == 8
    assert two.function(list)(itertools.chain([1], [2])) == [1, 2]
    assert 0 <= two.function(lambda chance: chance.random())(random.Random(3)) < 1
    assert two.function(lambda chance: chance.integers(5, 6))(np.random.default_rng(3)) == 5
    assert two.function(lambda clock: (clock.limit, clock.now, clock.read()))(Clock()) == (
        3,
        5,
        "a reading",
    )
    kept = type("Kept", (), {"__module__": "__main__", "__len__": lambda self: 2})()
    kept.seen = 4
    assert two.function(lambda one: (one.seen, len(one), bool(one)))(kept) == (4, 2, True)
    with pytest.raises(TypeError, match="import is not for this side"):
        two.function(lambda: two.student.ask("import", "os"))()


MADE_UP = {
    "a method of a text": ("getattr", "{0.__globals__}", "format"),
    "a method of a path": ("getattr", pathlib.Path("helpers.py"), "write_text"),
    "a method of a table": ("getattr", pd.DataFrame({"a": [1]}), "eval"),
    "a method of a pattern": ("getattr", re.compile("a"), "sub"),
    "a special method of a text": ("special", "text", "__getitem__", [0]),
    "a builtin class": ("call", type, ["X", (object,), {"__eq__": bool}], {}),
    "what shows an object": ("call", str, [functools.partial(pow, 204617)], {}),
}


@pytest.mark.parametrize("name", MADE_UP)
def test_nothing_can_be_asked_of_what_the_other_side_makes_up(name, two):
    with pytest.raises(TypeError, match="nothing but what was handed over"):
        two.function(lambda: two.student.ask(*MADE_UP[name]))()


def test_a_library_class_above_the_instructors_gives_nothing_away(two):
    made = type("Table", (pd.DataFrame,), {"__module__": "__main__", "total": lambda self: 3})
    with pytest.raises(AttributeError, match="cannot be read from here"):
        two.function(lambda there: two.student.ask("getattr", there, "eval"))(made)
    mine = type("Log", (list,), {"__module__": "__main__", "total": lambda self: 3})
    assert two.function(lambda log: two.student.ask("getattr", log, "total")())(mine([1])) == 3


def test_an_end_of_iteration_ends_no_loop_of_the_judges(two):
    def stops(n):
        raise StopIteration

    with pytest.raises(RuntimeError):
        list(map(two.function(stops), [1, 2]))
    assert list(two.function(lambda: iter([1, 2]))()) == [1, 2]


@pytest.mark.parametrize(
    "asks",
    [
        lambda two: two.function(lambda: threading.Lock())() + 1,
        lambda two: (
            two.function(lambda: threading.Lock())() == two.function(lambda: threading.Lock())()
        ),
        lambda two: two.function(lambda one: one)(threading.Lock()) and two.asked(_nested()),
    ],
)
def test_a_question_without_an_answer_is_remembered(asks, two):
    with pytest.raises(TypeError):
        asks(two)
    assert two.judge.failed


def test_what_a_function_raises_is_an_answer(two):
    def fails():
        raise KeyError("x")

    with pytest.raises(KeyError):
        two.function(fails)()
    assert two.judge.failed == ""
    with pytest.raises(calls.CallFailed):
        calls.call(two.asked(lambda: _nested()))
    assert two.judge.failed == ""  # a check has counted it


def _nested():
    """A list that holds itself."""
    made = []
    made.append(made)
    return made


# -- hostile messages ------------------------------------------------------------------------------------

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.sampled_from(sorted(BY_TAG)),
    lambda inner: st.lists(inner, max_size=4) | st.tuples(st.sampled_from(sorted(BY_TAG)), inner).map(list)
    | st.dictionaries(st.sampled_from(["ok", "error", "changed", "kind", "t", "v"]), inner, max_size=2),
    max_leaves=15,
)  # fmt: skip


class Hostile:
    """A student's end that answers every question with the same frame."""

    def __init__(self, frame):
        here, self.there = socket.socketpair()
        self.judge = Peer(here, False, lambda: {}, known, LARGEST, 5.0)
        self.frame = frame
        threading.Thread(target=self._answer, daemon=True).start()

    def _answer(self):
        wire.receive(self.there)
        wire.send(self.there, b"v", self.frame)
        self.there.close()

    def ask(self):
        try:
            return self.judge.ask("call", Remote(self.judge, 1, "function"), [[1]], {})
        finally:
            self.judge.sock.close()


def frame(head, *blobs):
    content = json.dumps({**head, "blobs": [len(b) for b in blobs]}).encode()
    return struct.pack(">I", len(content)) + content + b"".join(blobs)


def _harmless(answer):
    """Whether an answer is of the table, or a handle."""
    return isinstance(answer, Remote) or type(answer).__module__ != "subprocess"


def test_bytes_by_chance_raise_the_peers_own_errors(capsys):
    @settings(QUICK, max_examples=60)
    @given(st.binary(max_size=80))
    def raises(content):
        with pytest.raises((Unanswered, CannotCross)):
            Hostile(content).ask()

    raises()


def test_json_by_chance_is_a_value_or_raises_the_peers_own_errors(capsys):
    @settings(QUICK, max_examples=250)
    @given(JSON, JSON, st.binary(max_size=30))
    def harmless(content, changed, blob):
        try:
            answer = Hostile(
                frame({"ok": content, "changed": changed} if changed else {"ok": content}, blob)
            ).ask()
        except (Unanswered, CannotCross):
            return
        assert _harmless(answer)

    harmless()


@pytest.mark.parametrize("tag", sorted(ALL))
def test_a_payload_that_was_tampered_with_is_a_value_or_raises_the_peers_own_errors(
    tag, two, capsys
):
    def tampered(content, at, other):
        """The content with one of its parts replaced."""
        places = []

        def walk(part, path):
            places.append(path)
            if isinstance(part, list):
                for n, one in enumerate(part):
                    walk(one, (*path, n))

        walk(content, ())
        path = places[at % len(places)]
        if not path:
            return other
        made = copy.deepcopy(content)
        part = made
        for n in path[:-1]:
            part = part[n]
        part[path[-1]] = other
        return made

    @settings(QUICK, max_examples=15)
    @given(ALL[tag], st.integers(0, 50), JSON, st.integers(0, 20))
    def harmless(value, at, other, cut):
        writer = Writer(two.student, LARGEST)
        content = tampered(writer.value(value), at, other)
        blobs = [blob[cut:] for blob in writer.blobs]
        reader = Reader(frame({}, *blobs), two.judge)
        try:
            answer = two.judge._read(reader, content)
        except (Unanswered, CannotCross):
            return
        assert _harmless(answer)

    harmless()


@pytest.mark.parametrize("content", [
    ["builtin", "eval"], ["builtin", "__import__"], ["array", ["ndarray", "O", [1], "C", True, 0]], ["array", ["ndarray", "<f8", [9], "C", True, 0]],
    ["dtype", "i4,i4"], ["enumeration", [1, "subprocess", "Popen", "Popen", "", [["A", 1]]]], ["namedtuple", [["remote", 1], "os;x", ["a"], [1]]],
    ["namedtuple", [["handle", 1], "P", ["a"], [1]]], ["dataclass", ["subprocess", "Popen", [["args", "id"]], None]],
    ["subclass", [["remote", 1], "X", ["array", ["ndarray", "<i1", [1], "C", True, 0]], None]], ["handle", 12345], ["again", 3], ["argument", -1],
    ["DateOffset", ["__builtins__", 1, False, ["dict", []]]], ["ZoneInfo", "../../etc/passwd"],
    ["DataFrame", [[["remote", [1, "x"]]], ["RangeIndex", [0, 1, 1, None]], ["RangeIndex", [0, 1, 1, None]], [["dict", []], True]]],
    ["array", ["ndarray", "|O", [1], "C", True, [["remote", [1, "live"]]]]], {"t": "list"}, ["no such kind", 1],
])  # fmt: skip
def test_a_payload_that_asks_for_more_than_its_kind_is_refused(content):
    with pytest.raises(CannotCross):
        Hostile(frame({"ok": content}, b"12345678")).ask()


def test_changes_that_were_not_asked_for_change_nothing(two):
    for changed in ([[0, ["dict", []]]], [[5, ["list", []]]], [["0", ["list", []]]], 7, [[0]]):
        with pytest.raises(CannotCross):
            Hostile(frame({"ok": 1, "changed": changed})).ask()


# -- the guide -------------------------------------------------------------------------------------------


class Loud(list):
    def __repr__(self):
        return "loud"


def _printed_as_the_class_says(two):
    return repr(two.asked(Loud([1]))) == repr(Loud([1]))


def _order_of_a_set(two):
    shrunk = set(range(5000))  # its table stays as large as it was
    for number in range(5000):
        if number not in (7, 3000):
            shrunk.discard(number)
    return repr(two.asked(shrunk)) == repr(shrunk)


def _objects_in_tables(two):
    try:
        return two.asked(pd.DataFrame({"a": [object()]})) is not None
    except CannotCross:
        return False


def _class_of_a_table(two):
    frame = type("Frame", (pd.DataFrame,), {})
    return type(two.asked(frame({"a": [1]}))).__name__ == "Frame"


def _changed_by_a_generator(two):
    value = []

    def later(rows):
        rows.append(1)
        yield 1

    return list(two.function(later)(value)) == [1] and value == [1]


def _arguments_of_an_exception(two):
    def raises():
        raise ValueError([1, 2])

    with pytest.raises(ValueError) as caught:
        two.function(raises)()
    return caught.value.args == ([1, 2],)


def _long_prints(two):
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        two.function(lambda: print("x" * 5000))()
    return len(said.getvalue()) == 5001


DIFFERS = {
    "The order in which a set is printed": _order_of_a_set,
    "How an object of a student's class is printed": _printed_as_the_class_says,
    "A table or an array whose items are functions or objects": _objects_in_tables,
    "The class of a table or an array": _class_of_a_table,
    "An object that a generator": _changed_by_a_generator,
    "An exception's arguments": _arguments_of_an_exception,
    "What a function prints": _long_prints,
}


def test_the_guide_lists_what_differs_and_it_does(two):
    page = pathlib.Path(__file__).parents[3].joinpath("book/teach/judge.md").read_text()
    listed = re.findall(r"(?m)^- (.*)$", page.partition("## What may differ")[2])
    assert len(listed) == len(DIFFERS)
    for sentence, (begins, alike) in zip(listed, DIFFERS.items(), strict=True):
        assert sentence.startswith(begins)
        assert not alike(two), sentence
