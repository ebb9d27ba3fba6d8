"""Kinds whose class somebody's own code defines: namedtuples, enumerations, dataclasses, subclasses of containers and texts.

Their content crosses, and a class of the same name stands for theirs: made once, with nothing of what theirs overrides. What else
theirs has is reached where it is.
"""

from __future__ import annotations

import dataclasses
import enum
import sys
from collections import Counter, OrderedDict, defaultdict, deque, namedtuple
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any

from . import plain
from .kind import CannotCross, Change, Kind, fits, named, of

if TYPE_CHECKING:
    from .message import Ends, Reader, Writer

# -- what stays where it is ----------------------------------------------------------------------------


def _write_live(writer: Writer, value: Any) -> Any:
    return NotImplemented


def _never(cls: type) -> bool:
    return False


def _read_remote(reader: Reader, payload: Any) -> Any:
    if reader.in_table:
        raise CannotCross("a table or an array that holds an object")
    return reader.ends.remote(*payload)


def _read_handle(reader: Reader, payload: int) -> Any:
    if reader.in_table:
        raise CannotCross("a table or an array that holds an object")
    return reader.ends.own(payload)


def _read_exception(reader: Reader, payload: Any) -> type:
    number, name, above = payload
    known = (
        _known(reader.ends, module, path)
        for module, path in above
        if not module.startswith(_GRADERS)
    )
    found = next((k for k in known if isinstance(k, type) and issubclass(k, Exception)), Exception)
    if [found.__module__, found.__qualname__] == above[0]:
        return found
    return reader.ends.made(number, lambda: type(name[:100], (found,), {}))


_GRADERS = ("gradewell", "nbgrader", "IPython", "ipykernel", "unittest", "_pytest")
"""Whose exceptions may mean more than that something went wrong."""


def _read_earlier(place: Callable[[Reader], Any]) -> Callable[[Reader, int], Any]:
    def read(reader: Reader, payload: int) -> Any:
        known = place(reader)
        if not 0 <= payload < len(known):
            raise CannotCross("an object that did not come")
        return known[payload]

    return read


# -- namedtuples ---------------------------------------------------------------------------------------


def _is_namedtuple(cls: type) -> bool:
    fields = getattr(cls, "_fields", None)
    return issubclass(cls, tuple) and type(cls) is type and isinstance(fields, tuple)


def _has_fields(cls: Any, fields: list[str]) -> bool:
    return isinstance(cls, type) and _is_namedtuple(cls) and [*cls._fields] == fields  # type: ignore[attr-defined]


def _write_namedtuple(writer: Writer, value: Any) -> list[Any]:
    cls = type(value)
    fields = [str(name) for name in cls._fields]
    items = [writer.value(item) for item in tuple.__iter__(value)]
    above = [[one.__module__, one.__qualname__] for one in cls.__mro__ if _is_namedtuple(one)]
    return [_class_of(writer, cls), above, fields, items]


def _read_namedtuple(reader: Reader, payload: Any) -> Any:
    spec, above, fields, items = payload
    if not above:
        raise CannotCross("a namedtuple without a class")

    def make() -> type:
        short = above[0][1].rpartition(".")[2][:60]
        known = (
            _known(reader.ends, module, name) for module, name in above if module == "__main__"
        )
        base: Any = next((one for one in known if _has_fields(one, fields)), None)
        if base and [base.__module__, base.__qualname__] == above[0]:
            return base
        base = base or namedtuple(short, fields)
        return type(short, (base,), {"__slots__": (), **_reaching(reader.ends)})

    cls: Any = _class_for(reader, spec, make)
    if not _is_namedtuple(cls) or len(cls._fields) != len(items):
        raise CannotCross("a namedtuple with other fields than its class has")
    return tuple.__new__(cls, [reader.value(item) for item in items])


def _class_of(writer: Writer, cls: type) -> list[Any]:
    """How a class is named in a message: ``["remote", number]`` for one of this side, ``["handle", number]`` for one of the other."""
    given = writer.ends.give(cls)
    number = given[1] if given[0] == "handle" else given[1][0]
    return [given[0], number]


def _class_for(reader: Reader, spec: Any, make: Callable[[], type]) -> type:
    side, number = spec
    if side != "handle":
        return reader.ends.made(number, make)
    found = reader.ends.own(number)
    if not isinstance(found, type):
        raise CannotCross("a class that is none")
    return found


def _reaching(ends: Ends) -> dict[str, Any]:
    """What a class has so that whatever else theirs has is reached there."""
    return {"__getattr__": lambda self, name: ends.attribute(self, name)}


# -- enumerations --------------------------------------------------------------------------------------

_ENUMERATIONS = [enum.IntFlag, enum.Flag, enum.StrEnum, enum.IntEnum, enum.Enum]
_MIXED = [int, str, float, bytes, complex, tuple]


def _is_enumeration(cls: type) -> bool:
    return issubclass(cls, enum.EnumType)


def _write_enumeration(writer: Writer, cls: Any) -> Any:
    given = writer.ends.give(cls)
    if given[0] == "handle" or not _can_be_made(cls):
        return NotImplemented
    mixed = None if cls._member_type_ is object else cls._member_type_
    base = next(one for one in _ENUMERATIONS if issubclass(cls, one))
    members = [[name, writer.value(member._value_)] for name, member in cls.__members__.items()]
    kind = "" if mixed is None or base not in (enum.Enum, enum.Flag) else mixed.__name__
    return [given[1][0], cls.__module__, cls.__qualname__, base.__name__, kind, members]


def _can_be_made(cls: Any) -> bool:
    return bool(cls.__members__) and cls._member_type_ in (object, *_MIXED)


def _read_enumeration(reader: Reader, payload: Any) -> Any:
    number, module, name, base, kind, members = payload
    content = [(key, reader.value(value)) for key, value in members]
    if any(not key.isidentifier() or key.startswith("_") for key, _ in content):
        raise CannotCross("a member of an enumeration whose name would be a method's")
    known = _known_enumeration(reader.ends, module, name)
    if known is not None and [*known.__members__] == [key for key, _ in content]:
        return known
    above = next((one for one in _ENUMERATIONS if one.__name__ == base), None)
    mixed = next((one for one in _MIXED if one.__name__ == kind), None)
    if above is None or (kind and mixed is None):
        raise CannotCross("an enumeration of a kind that there is not")

    def make() -> type:
        made: Any = above(name.rpartition(".")[2], content, module="__main__", type=mixed)
        made.__getattr__ = _reaching(reader.ends)["__getattr__"]
        return made

    return reader.ends.made(number, make)


def _known_enumeration(ends: Ends, module: str, name: str) -> Any:
    found = _known(ends, module, name)
    return found if isinstance(found, enum.EnumType) else None


def _known(ends: Ends, module: str, name: str) -> Any:
    """A class that is this side's own: of a module that is imported, or of the instructor's cells; None where there is none."""
    if module == "__main__":
        try:
            return ends.known_class(module, name)
        except CannotCross:
            return None
    return vars(sys.modules[module]).get(name) if module in sys.modules else None


def _write_member(writer: Writer, value: Any) -> Any:
    cls = type(value)
    if not _can_be_made(cls):
        return NotImplemented
    content = _class_content(writer, cls)
    return [
        content,
        value._name_ if value._name_ in cls.__members__ else None,
        writer.value(value._value_),
    ]


def _class_content(writer: Writer, cls: type) -> Any:
    given = writer.ends.give(cls)
    return given if given[0] == "handle" else writer.value(cls)


def _read_member(reader: Reader, payload: Any) -> Any:
    content, name, value = payload
    cls: Any
    if type(content) is list and content and content[0] == "handle":
        cls = reader.ends.own(content[1])
    else:
        cls = reader.value(content)
    found = reader.value(value)
    if not (isinstance(cls, enum.EnumType) and issubclass(cls, enum.Enum)):
        raise CannotCross("a member of what is no enumeration")
    if name is not None:
        return cls.__members__[name]
    if not issubclass(cls, enum.Flag) or type(found) is not int:
        raise CannotCross(f"a {named(cls)} that it does not have")
    return cls(found)


# -- dataclasses ---------------------------------------------------------------------------------------


def _is_dataclass(cls: type) -> bool:
    return dataclasses.is_dataclass(cls) and type(cls) is type


def _write_dataclass(writer: Writer, value: Any) -> list[Any]:
    cls = type(value)
    other = None if writer.in_table else writer.ends.give(value)
    items = [[name, writer.value(item)] for name, item in _fields(value).items()]
    return [cls.__module__, cls.__qualname__, items, other]


def _read_dataclass(reader: Reader, payload: Any) -> Any:
    module, name, items, other = payload
    content = {key: reader.value(item) for key, item in items}
    try:
        cls = reader.ends.known_class(module, name)
        if not _is_dataclass(cls):
            raise CannotCross(f"a {name[:60]}, which is no dataclass here")
        if (*content,) != _init_names(cls):
            raise CannotCross(f"a {name[:60]} with other fields than it has here")
    except CannotCross:  # a class of the other side's own
        if other is None:
            raise
        return reader.part(other)
    return cls(**content)


def _fields(value: Any) -> dict[str, Any]:
    cls: Any = type(value)
    return {name: getattr(value, name) for name in _init_names(cls)}


@cache
def _init_names(cls: Any) -> tuple[str, ...]:
    return tuple(field.name for field in dataclasses.fields(cls) if field.init)


def _watch_fields(value: Any) -> Callable[[], bool]:
    before = _fields(value)
    return lambda: _differ(before, _fields(value))


def _become_fields(mine: Any, fields: dict[str, Any]) -> None:
    for name in _fields(mine):
        object.__setattr__(mine, name, fields[name])


# -- subclasses ----------------------------------------------------------------------------------------

_EXACT: dict[type, Callable[[Any], Any]] = {
    OrderedDict: lambda v: OrderedDict(
        (k, dict.__getitem__(v, k)) for k in OrderedDict.__iter__(v)
    ),
    Counter: lambda v: _filled(Counter, _plain_dict(v)),
    defaultdict: lambda v: defaultdict(v.default_factory, _plain_dict(v)),
    dict: lambda v: _plain_dict(v),
    list: list.copy,
    set: lambda v: set().union(v),
    frozenset: lambda v: frozenset().union(v),
    deque: lambda v: deque(deque.__iter__(v), deque.maxlen.__get__(v)),
    bytearray: lambda v: bytearray(memoryview(v)),
    tuple: lambda v: tuple.__getitem__(v, slice(None)),
    str: str.__str__,
    bytes: bytes.__bytes__,
    int: int.__int__,
    float: float.__float__,
    complex: complex.__complex__,
}
"""What there is of a subclass's value, as one of the class above it: read past whatever the subclass overrides."""
_CHANGES: dict[type, Change] = {
    OrderedDict: plain.ORDERED,
    Counter: plain.DICT,
    defaultdict: plain.DICT,
    dict: plain.DICT,
    list: plain.LIST,
    set: plain.SET,
    deque: plain.DEQUE,
    bytearray: plain.BYTES,
}


def _plain_dict(value: Any) -> dict[Any, Any]:
    return dict([*dict.items(value)])


def _above(cls: type) -> type:
    return next(one for one in _EXACT if issubclass(cls, one))


def _exact(value: Any) -> Any:
    return _EXACT[_above(type(value))](value)


def _is_subclass(cls: type) -> bool:
    return issubclass(cls, tuple(_EXACT)) and not issubclass(cls, enum.Enum) and cls not in _EXACT


class _Origin:
    """Where a value of a subclass comes from: its number there, and what it held when it came."""

    def __init__(self, number: int, content: Any) -> None:
        self.number, self.content = number, content


_ORIGIN = "_origin"


def _write_subclass(writer: Writer, value: Any) -> list[Any]:
    cls, content = type(value), _exact(value)
    origin = getattr(value, "__dict__", {}).get(_ORIGIN)
    if isinstance(origin, _Origin):  # the other side's own
        changed = writer.part(content) if _differ(origin.content, content) else None
        return [None, named(cls), changed, ["handle", origin.number]]
    other = None if writer.in_table else writer.ends.give(value)
    return [_class_of(writer, cls), named(cls), writer.part(content), other]


def _read_subclass(reader: Reader, payload: Any) -> Any:
    spec, name, content, other = payload
    exact = None if content is None else reader.part(content)
    if spec is None:
        own = reader.part(other)
        if exact is not None and reader.ends.trusted:
            become(own, exact)
        return own
    if type(exact) not in _EXACT:
        raise CannotCross("a subclass of what has none")
    if other is not None and (reader.in_table or not fits((str, (int, str, str, [str])), other)):
        raise CannotCross("a table or an array that holds an object")

    def make() -> type:
        has = {**_reaching(reader.ends), "__reduce_ex__": _reduced}
        for above in () if other is None else other[1][3]:
            known = _known(reader.ends, "__main__", above)
            if isinstance(known, type) and issubclass(known, type(exact)):
                return type(name, (known,), has)  # a class of the instructor's cells
        return type(name, (type(exact),), has)

    cls = _class_for(reader, spec, make)
    if not (spec[0] == "remote" or reader.ends.trusted) or _above(cls) is not type(exact):
        raise CannotCross(f"a {name[:60]} that holds another kind of value than its class")
    made = _filled(cls, exact)
    if other is not None:
        made.__dict__[_ORIGIN] = _Origin(other[1][0], exact)
    return made


def _filled(cls: Any, exact: Any) -> Any:
    """A value of a class with this content, made past whatever the class overrides."""
    base: Any = _above(cls)
    if base not in _CHANGES:
        return base.__new__(cls, exact)
    made = base.__new__(cls)
    if base is deque:
        deque.__init__(made, (), exact.maxlen)
    elif base is defaultdict:
        defaultdict.__init__(made, exact.default_factory)
    _CHANGES[base].become(made, exact)
    return made


def _reduced(value: Any, protocol: int) -> Any:
    """A copy has the content, and is no more the other side's own."""
    return _filled, (type(value), _exact(value))


def _differ(before: Any, now: Any) -> bool:
    """Whether two contents are made of other objects."""
    if isinstance(before, dict):
        before, now = ([one for pair in dict.items(some) for one in pair] for some in (before, now))
    elif not isinstance(before, list | deque):
        return bool(before != now)
    return len(before) != len(now) or any(a is not b for a, b in zip(before, now, strict=True))


def watch(value: Any) -> Callable[[], bool]:
    """Has what there is of a value changed? Asked later."""
    before = _exact(value)
    return lambda: _differ(before, _exact(value))


def become(mine: Any, exact: Any) -> None:
    """Give a value of a subclass another content, in place."""
    base = _above(type(mine))
    if base in _CHANGES:
        _CHANGES[base].become(mine, exact)
    origin = getattr(mine, "__dict__", {}).get(_ORIGIN)
    if isinstance(origin, _Origin):
        origin.content = _exact(mine)


_SPEC = (str, int)
KINDS: list[Kind] = [
    Kind("again", _never, int, _write_live, _read_earlier(lambda reader: reader.shared)),
    Kind("argument", _never, int, _write_live, _read_earlier(lambda reader: reader.arguments)),
    Kind("remote", _never, (int, str, str, [str]), _write_live, _read_remote),
    Kind("handle", _never, int, _write_live, _read_handle),
    Kind("exception", _never, (int, str, [(str, str)]), _write_live, _read_exception),
    Kind("namedtuple", _is_namedtuple, (_SPEC, [(str, str)], [str], [...]), _write_namedtuple, _read_namedtuple,
         shared=True),
    Kind("enumeration", _is_enumeration, (int, str, str, str, str, [(str, ...)]), _write_enumeration,
         _read_enumeration, shared=True),
    Kind("member", of("enum", "Enum"), (..., str | None, ...), _write_member, _read_member),
    Kind("dataclass", _is_dataclass, (str, str, [(str, ...)], ...), _write_dataclass, _read_dataclass, shared=True,
         change=Change(_watch_fields, _become_fields, _fields)),
    Kind("subclass", _is_subclass, (..., str, ..., ...), _write_subclass, _read_subclass,
         shared=True, change=Change(watch, become, _exact)),
]  # fmt: skip
"""In the order in which they are asked; subclasses come after every library's own kinds."""
