"""Python's own kinds: numbers, text, containers, times."""

from __future__ import annotations

import array
import datetime
import decimal
import fractions
import inspect
import ipaddress
import pathlib
import re
import types
import uuid
import zoneinfo
from collections import ChainMap, Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from .kind import CannotCross, Change, Kind, of, only

if TYPE_CHECKING:
    from .message import Reader, Writer

_BITS = 63
"""Whole numbers from here on are written in hexadecimal: Python limits the digits of decimal ones."""


def _is_text(value: str) -> bool:
    """Whether JSON gives the same text back: not where there are halves of a character."""
    if value.isascii():
        return True
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


# -- containers, and how they change -------------------------------------------------------------------


def _items(writer: Writer, values: Iterable[Any]) -> list[Any]:
    return [writer.value(value) for value in values]


def _pairs(writer: Writer, value: dict[Any, Any]) -> list[Any]:
    return [writer.value(one) for pair in dict.items(value) for one in pair]


def _read_items(reader: Reader, payload: list[Any]) -> list[Any]:
    return [reader.value(item) for item in payload]


def _read_pairs(reader: Reader, payload: list[Any]) -> list[tuple[Any, Any]]:
    items = _read_items(reader, payload)
    if not reader.ends.trusted and any(
        isinstance(key, str) and key == "typestr" for key in items[::2]
    ):
        raise CannotCross("a dict that tells NumPy where in memory to read")
    return list(zip(items[::2], items[1::2], strict=True))


def _watch_items(value: Any) -> Callable[[], bool]:
    before = tuple(value)
    return lambda: (
        len(value) != len(before) or any(a is not b for a, b in zip(value, before, strict=True))
    )


def _watch_dict(value: Any) -> Callable[[], bool]:
    keys, values = tuple(value), tuple(dict.values(value))

    def changed() -> bool:
        return (
            len(value) != len(keys)
            or any(a is not b for a, b in zip(value, keys, strict=True))
            or any(a is not b for a, b in zip(dict.values(value), values, strict=True))
        )

    return changed


def _watch_set(value: Any) -> Callable[[], bool]:
    before = set(value)
    return lambda: set(value) != before


def _watch_bytes(value: Any) -> Callable[[], bool]:
    before = memoryview(value).tobytes()
    return lambda: memoryview(value).tobytes() != before


def _watch_namespace(value: Any) -> Callable[[], bool]:
    return _watch_dict(vars(value))


def _become_list(mine: Any, other: Any) -> None:
    list.__setitem__(mine, slice(None), list.__iter__(other))


def _become_dict(mine: Any, other: Any) -> None:
    pairs = list(dict.items(other))
    dict.clear(mine)
    dict.update(mine, pairs)


def _become_ordered(mine: Any, other: Any) -> None:
    pairs = list(other.items())
    OrderedDict.clear(mine)
    for key, value in pairs:
        OrderedDict.__setitem__(mine, key, value)


def _become_set(mine: Any, other: Any) -> None:
    items = list(set.__iter__(other))
    set.clear(mine)
    set.update(mine, items)


def _become_deque(mine: Any, other: Any) -> None:
    items = list(other)
    deque.clear(mine)
    deque.extend(mine, items)


def _become_bytes(mine: Any, other: Any) -> None:
    bytearray.__setitem__(mine, slice(None), other)


def _become_array(mine: Any, other: Any) -> None:
    mine[:] = other


def _become_namespace(mine: Any, other: Any) -> None:
    _become_dict(vars(mine), vars(other))


LIST = Change(_watch_items, _become_list)
DICT = Change(_watch_dict, _become_dict)
ORDERED = Change(_watch_dict, _become_ordered)
SET = Change(_watch_set, _become_set)
DEQUE = Change(_watch_items, _become_deque)
BYTES = Change(_watch_bytes, _become_bytes)


def _ordered_pairs(writer: Writer, value: OrderedDict[Any, Any]) -> list[Any]:
    return [
        writer.value(one)
        for key in OrderedDict.__iter__(value)
        for one in (key, dict.__getitem__(value, key))
    ]


def _read_counter(reader: Reader, payload: list[Any]) -> Counter[Any]:
    made: Counter[Any] = Counter()
    dict.update(made, _read_pairs(reader, payload))
    return made


def _read_default(reader: Reader, payload: Any) -> Any:
    factory = reader.value(payload[0])
    if not (factory is None or callable(factory)):
        raise CannotCross("a defaultdict whose factory cannot be called")
    return defaultdict(factory, _read_pairs(reader, payload[1]))


def _read_ranged(cls: Any) -> Callable[[Reader, Any], Any]:
    return lambda reader, payload: cls(*_read_items(reader, payload))


def _read_chain(reader: Reader, payload: Any) -> Any:
    maps = _read_items(reader, payload)
    if not all(isinstance(one, dict) for one in maps):
        raise CannotCross("a ChainMap of what are no dicts")
    return ChainMap(*maps)


def _read_array(reader: Reader, payload: Any) -> Any:
    if payload[0] == "u":
        raise CannotCross("an array of characters")
    made = array.array(payload[0])
    made.frombytes(reader.blob(payload[1]))
    return made


# -- texts ---------------------------------------------------------------------------------------------

_TEXTS: list[type] = [
    decimal.Decimal,
    uuid.UUID,
    pathlib.PurePosixPath,
    pathlib.PureWindowsPath,
    type(pathlib.Path()),
    ipaddress.IPv4Address,
    ipaddress.IPv6Address,
    ipaddress.IPv4Network,
    ipaddress.IPv6Network,
]


def _text(cls: Any) -> Kind:
    """A kind that is what its text says."""

    def read(reader: Reader, payload: Any) -> Any:
        return cls(reader.part(payload, str))

    return Kind(cls.__name__, only(cls), ..., lambda writer, value: writer.value(str(value)), read)


# -- times ---------------------------------------------------------------------------------------------


def _write_time(writer: Writer, value: Any) -> list[Any]:
    zone = value.tzinfo
    if not isinstance(zone, _ZONES) and type(zone).__module__ != "dateutil.tz.tz":
        raise CannotCross(
            f"a time's zone is a {type(zone).__name__}; those of datetime, zoneinfo and dateutil can cross"
        )
    return [value.replace(tzinfo=None, fold=0).isoformat(), value.fold, writer.value(zone)]


_ZONES = (type(None), datetime.timezone, zoneinfo.ZoneInfo)


def _read_time(cls: Any) -> Callable[[Reader, Any], Any]:
    def read(reader: Reader, payload: Any) -> Any:
        zone = reader.part(payload[2], (type(None), datetime.tzinfo))
        return cls.fromisoformat(payload[0]).replace(fold=payload[1], tzinfo=zone)

    return read


def _write_zone(writer: Writer, value: Any) -> Any:
    if value.key is None:
        raise CannotCross("a time's zone has no name")
    return value.key


def _write_dateutil(writer: Writer, value: Any) -> list[Any]:
    name = type(value).__name__
    if name == "tzoffset":
        return ["offset", writer.value(value._name), value.utcoffset(None).total_seconds()]
    if name == "tzutc":
        return ["utc", None, 0.0]
    place = str(getattr(value, "_filename", "")).partition("zoneinfo/")[2]
    if not place:
        raise CannotCross(f"a time's zone is a {name} without a name")
    return ["file", place, 0.0]


def _read_dateutil(reader: Reader, payload: Any) -> Any:
    from dateutil import tz

    kind, name, seconds = payload[0], reader.part(payload[1], (str, type(None))), payload[2]
    if kind == "offset":
        return tz.tzoffset(name, seconds)
    if kind == "utc":
        return tz.tzutc()
    found = tz.gettz(zoneinfo.ZoneInfo(name).key)  # which knows no other files than those of zones
    if not isinstance(found, datetime.tzinfo):
        raise CannotCross("a zone that there is not")
    return found


def _write_offset(writer: Writer, value: Any) -> list[Any]:
    return [writer.value(one) for one in value.__getinitargs__()]


# -- what describes a function -------------------------------------------------------------------------


def _write_signature(writer: Writer, value: inspect.Signature) -> list[Any]:
    parameters = [
        [p.name, int(p.kind), _or_none(writer, p.default), _or_none(writer, p.annotation)]
        for p in value.parameters.values()
    ]
    return [parameters, _or_none(writer, value.return_annotation)]


def _or_none(writer: Writer, value: Any) -> Any:
    return [] if value is inspect.Parameter.empty else [writer.value(value)]


def _read_signature(reader: Reader, payload: Any) -> inspect.Signature:
    def read(content: list[Any]) -> Any:
        return reader.value(content[0]) if content else inspect.Parameter.empty

    kinds = list(inspect._ParameterKind)
    parameters = [
        inspect.Parameter(name, kinds[kind], default=read(default), annotation=read(annotation))
        for name, kind, default, annotation in payload[0]
    ]
    return inspect.Signature(parameters, return_annotation=read(payload[1]))


# -- the table's part ----------------------------------------------------------------------------------


def _constant(value: Any) -> Kind:
    return Kind(
        repr(value), only(type(value)), None, lambda writer, _: None, lambda reader, _: value
    )


def _builtin(reader: Reader, payload: str) -> type:
    import builtins

    found = getattr(builtins, payload, None)
    if payload.startswith("_") or not isinstance(found, type):
        raise CannotCross(f"{payload[:60]!r} is no builtin type")
    return found


def _read_namespace(reader: Reader, payload: Any) -> types.SimpleNamespace:
    names = dict(_read_pairs(reader, payload))
    if not all(isinstance(name, str) for name in names):
        raise CannotCross("an object with an attribute that has no name")
    if any(name.startswith(("__", "_repr_", "_ipython_")) for name in names):
        raise CannotCross("an object that says itself what it is, or how it is shown")
    return types.SimpleNamespace(**names)


def _always(value: Any) -> bool:
    return True


def _as_it_is(reader: Reader, payload: Any) -> Any:
    raise CannotCross("a number or a text with a kind")


def _write_view(writer: Writer, value: memoryview) -> Any:
    if value.format != "B" or value.ndim != 1:
        raise CannotCross("a memoryview is of what are no bytes; bytes(view) can cross")
    return [writer.blob(value.tobytes()), value.readonly]


def _read_view(reader: Reader, payload: Any) -> memoryview:
    content = reader.blob(payload[0])
    return memoryview(content if payload[1] else bytearray(content))


KINDS: list[Kind] = [
    Kind("None", only(type(None)), ..., lambda w, v: v, _as_it_is, _always),
    Kind("bool", only(bool), ..., lambda w, v: v, _as_it_is, _always),
    Kind("float", only(float), ..., lambda w, v: v, _as_it_is, _always),
    Kind("int", only(int), str, lambda w, v: hex(v), lambda r, p: int(p, 16),
         lambda v: v.bit_length() <= _BITS),
    Kind("str", only(str), int, lambda w, v: w.blob(v.encode("utf-8", "surrogatepass")),
         lambda r, p: r.blob(p).decode("utf-8", "surrogatepass"), _is_text),
    Kind("complex", only(complex), (float, float), lambda w, v: [v.real, v.imag], lambda r, p: complex(*p)),
    Kind("bytes", only(bytes), int, lambda w, v: w.blob(v), lambda r, p: r.blob(p), shared=True),
    Kind("bytearray", only(bytearray), int, lambda w, v: w.blob(bytes(v)),
         lambda r, p: bytearray(r.blob(p)), shared=True, change=BYTES),
    Kind("memoryview", only(memoryview), (int, bool), _write_view, _read_view, shared=True,
         change=Change(_watch_bytes, _become_array)),
    Kind("array.array", only(array.array), (str, int), lambda w, v: [v.typecode, w.blob(v.tobytes())],
         _read_array, shared=True, change=Change(_watch_bytes, _become_array)),
    Kind("list", only(list), [...], _items, _read_items, shared=True, change=LIST),
    Kind("tuple", only(tuple), [...], _items, lambda r, p: tuple(_read_items(r, p)), shared=True),
    Kind("set", only(set), [...], _items, lambda r, p: set(_read_items(r, p)), shared=True, change=SET),
    Kind("frozenset", only(frozenset), [...], _items, lambda r, p: frozenset(_read_items(r, p)), shared=True),
    Kind("dict", only(dict), [...], _pairs, lambda r, p: dict(_read_pairs(r, p)), shared=True, change=DICT),
    Kind("OrderedDict", only(OrderedDict), [...], _ordered_pairs,
         lambda r, p: OrderedDict(_read_pairs(r, p)), shared=True, change=ORDERED),
    Kind("Counter", only(Counter), [...], _pairs, _read_counter, shared=True, change=DICT),
    Kind("defaultdict", only(defaultdict), (..., [...]),
         lambda w, v: [w.value(v.default_factory), _pairs(w, v)], _read_default, shared=True, change=DICT),
    Kind("deque", only(deque), (int | None, [...]), lambda w, v: [v.maxlen, _items(w, v)],
         lambda r, p: deque(_read_items(r, p[1]), p[0]), shared=True, change=DEQUE),
    Kind("ChainMap", only(ChainMap), [...], lambda w, v: _items(w, v.maps), _read_chain, shared=True),
    Kind("mappingproxy", only(types.MappingProxyType), [...], lambda w, v: _pairs(w, dict(v)),
         lambda r, p: types.MappingProxyType(dict(_read_pairs(r, p))), shared=True),
    Kind("dict_keys", only(type({}.keys())), [...], _items,
         lambda r, p: dict.fromkeys(_read_items(r, p)).keys(), shared=True),
    Kind("dict_values", only(type({}.values())), [...], _items,
         lambda r, p: dict(enumerate(_read_items(r, p))).values(), shared=True),
    Kind("dict_items", only(type({}.items())), [...], lambda w, v: [w.value(one) for pair in v for one in pair],
         lambda r, p: dict(_read_pairs(r, p)).items(), shared=True),
    Kind("SimpleNamespace", only(types.SimpleNamespace), [...], lambda w, v: _pairs(w, vars(v)),
         _read_namespace, shared=True,
         change=Change(_watch_namespace, _become_namespace)),
    Kind("range", only(range), (..., ..., ...), lambda w, v: _items(w, (v.start, v.stop, v.step)), _read_ranged(range)),
    Kind("slice", only(slice), (..., ..., ...), lambda w, v: _items(w, (v.start, v.stop, v.step)), _read_ranged(slice)),
    Kind("date", only(datetime.date), str, lambda w, v: v.isoformat(),
         lambda r, p: datetime.date.fromisoformat(p)),
    Kind("time", only(datetime.time), (str, int, ...), _write_time, _read_time(datetime.time)),
    Kind("datetime", only(datetime.datetime), (str, int, ...), _write_time, _read_time(datetime.datetime)),
    Kind("timedelta", only(datetime.timedelta), (int, int, int),
         lambda w, v: [v.days, v.seconds, v.microseconds], lambda r, p: datetime.timedelta(*p)),
    Kind("timezone", only(datetime.timezone), [...], _write_offset,
         lambda r, p: datetime.timezone(*_read_items(r, p))),
    Kind("dateutil's zone", of("dateutil.tz.tz", "tzutc", "tzoffset", "tzfile"), (str, ..., float),
         _write_dateutil, _read_dateutil),
    Kind("ZoneInfo", only(zoneinfo.ZoneInfo), str, _write_zone, lambda r, p: zoneinfo.ZoneInfo(p)),
    Kind("Fraction", only(fractions.Fraction), (..., ...), lambda w, v: _items(w, (v.numerator, v.denominator)),
         lambda r, p: fractions.Fraction(*_read_items(r, p))),
    *map(_text, _TEXTS),
    Kind("re.Pattern", only(re.Pattern), (..., int), lambda w, v: [w.value(v.pattern), v.flags],
         lambda r, p: re.compile(r.value(p[0]), p[1])),
    Kind("Signature", only(inspect.Signature), ([(str, int, [...], [...])], [...]), _write_signature, _read_signature),
    *map(_constant, (NotImplemented, Ellipsis)),
    Kind("builtin", only(type), str,
         lambda w, v: v.__name__ if v.__module__ == "builtins" else NotImplemented, _builtin),
]  # fmt: skip
"""In the order in which they are asked."""
