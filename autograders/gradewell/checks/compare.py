"""Comparisons in which a value of a student takes part.

Two kinds of value make a bare comparison lie. NaN is on neither side of a limit, so that ``not x > limit`` lets it through; and an
object whose ``==`` always agrees is equal to whatever is expected. So a value is first made ``plain``, which leaves nothing of a
class that a student wrote, and then compared by the functions here: NaN, infinity, and whatever is not of the kind that is meant, pass
none of them, and none of them raises.
"""

from __future__ import annotations

import datetime
import math
import re
import sys
import uuid
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from decimal import Decimal
from fractions import Fraction
from types import GeneratorType
from typing import Any

import numpy as np
import pandas as pd

_NUMBERS = (int, float, Decimal, Fraction, np.integer, np.floating)


class Strange:
    """What stands in the place of an object that is none of the standard kinds: equal to nothing but itself."""

    def __init__(self, value: Any) -> None:
        self.kind = kind_of(value)
        try:
            self._said = str.__str__(repr(value))
        except Exception:  # of the student's own __repr__
            self._said = f"<{self.kind}>"

    def __repr__(self) -> str:
        return self._said


def kind_of(value: Any) -> str:
    """The name of a value's class, or of the next one above it that is Python's or a library's.

    Names that a student's code makes up can hold what it was given: a hidden value would get into a message.
    """
    if isinstance(value, Strange):
        return value.kind
    return next(kind.__name__ for kind in type(value).__mro__ if _is_known(kind))


def _is_known(kind: type) -> bool:
    if kind.__module__ == "__main__":
        return False
    made_in_c = not kind.__flags__ & 1 << 9  # Py_TPFLAGS_HEAPTYPE
    return made_in_c or getattr(sys.modules.get(kind.__module__), kind.__name__, None) is kind


def plain(value: Any) -> Any:
    """The same value without a class that somebody made up, so that its ``==``, ``in`` and hash are Python's or a library's own.

    Subclasses become what they are made of (a defaultdict a dict, a member of a StrEnum a text), also inside of containers, arrays and
    tables; scalars of NumPy and pandas stay. NaN stays NaN. Any other object becomes ``Strange``, which is equal to nothing, and so does a
    whole number of more than 4,200 digits.
    """
    try:
        return _plain(value)
    except Exception:  # of a student's own methods, or a list that holds itself
        return Strange(value)


def _plain(value: Any) -> Any:
    kind = type(value)
    if kind in _LEAVES:
        too_long = kind is int and value.bit_length() > _LONGEST
        return Strange(value) if too_long else value
    for base, read in _TEXTS_AND_NUMBERS.items():
        if issubclass(kind, base):
            return read(value)
    for base in (list, tuple, set, frozenset):
        if issubclass(kind, base):
            return base(_plain(one) for one in base.__iter__(value))
    if issubclass(kind, Mapping):
        pairs = dict.items(value) if issubclass(kind, dict) else value.items()
        return {_plain(name): _plain(one) for name, one in pairs}
    if issubclass(kind, np.ndarray):
        return _array(np.ndarray.view(value, np.ndarray))
    if issubclass(kind, pd.DataFrame):
        return _table(pd.DataFrame(value))
    if issubclass(kind, pd.Series):
        return _cells(pd.Series(value)).set_axis(_labels(value.index))
    if issubclass(kind, pd.Index):
        return _labels(value)
    return _record(value)


_LONGEST = 14_000
"""Bits of a whole number: those of longer ones Python does not write down, and no message could show them."""
_LEAVES = frozenset(
    {
        type(None), bool, int, float, complex, str, bytes, Decimal, Fraction, uuid.UUID, range,
        datetime.date, datetime.datetime, datetime.time, datetime.timedelta, *np.sctypeDict.values(),
        re.Match,
        # what `contents` reads
        deque, GeneratorType, map, filter, zip, type({}.keys()), type({}.values()), type({}.items()),
    }
)  # fmt: skip
_TEXTS_AND_NUMBERS: dict[type, Any] = {
    str: str.__str__,
    int: int.__pos__,
    float: float.__pos__,
    complex: complex.__pos__,
    bytes: lambda value: bytes(memoryview(value)),
}


def _array(value: np.ndarray) -> Any:
    if value.dtype == np.dtype(object):
        cells = np.empty(value.size, dtype=object)
        cells[:] = [_plain(one) for one in value.flat]
        value = cells.reshape(value.shape)
    return value if value.ndim else value[()]


def _table(value: pd.DataFrame) -> pd.DataFrame:
    columns = [_cells(value.iloc[:, place]) for place in range(value.shape[1])]
    made = pd.DataFrame(dict(enumerate(columns)), index=range(len(value)))
    made.columns, made.index = _labels(value.columns), _labels(value.index)
    return made


def _cells(column: pd.Series) -> pd.Series:
    """A column of which every cell is plain, without its labels."""
    cells = column.reset_index(drop=True).rename(_plain(column.name))
    if isinstance(cells.dtype, pd.CategoricalDtype):
        return cells.cat.rename_categories(list(_labels(cells.cat.categories)))
    if _is_of_a_library(type(cells.dtype)) and not _holds_objects(cells):
        return cells
    return pd.Series([_plain(one) for one in cells], dtype=object, name=cells.name)


def _labels(index: pd.Index) -> pd.Index:
    if not _holds_objects(index):
        return index
    if isinstance(index, pd.MultiIndex):
        names = [_plain(name) for name in index.names]
        return pd.MultiIndex.from_frame(_table(index.to_frame(index=False)), names=names)
    return pd.Index([_plain(one) for one in index], dtype=object, name=_plain(index.name))


def _holds_objects(values: pd.Series | pd.Index) -> bool:
    return bool(values.dtype == np.dtype(object))


def _record(value: Any) -> Any:
    """A dataclass of the project, rebuilt of plain values, or what a library for tables made; anything else is strange."""
    for kind in type(value).__mro__:
        if is_dataclass(kind) and kind.__module__.startswith(_PROJECT) and _is_known(kind):
            return kind(**{one.name: _plain(getattr(value, one.name)) for one in fields(kind)})
    return value if _is_of_a_library(type(value)) else Strange(value)


_PROJECT = ("sharewell.", "gradewell.")


def _is_of_a_library(kind: type) -> bool:
    return kind.__module__.partition(".")[0] in (
        "numpy",
        "pandas",
        "polars",
        "pyarrow",
    ) and _is_known(kind)


def contents(value: Any) -> list[Any] | None:
    """What a collection or an iterator holds, plain; None for what holds nothing, such as a number. A text is no collection."""
    if isinstance(value, str | bytes) or not isinstance(value, Iterable):
        return None
    try:
        return [plain(one) for one in value]
    except Exception:  # of a student's own iterator
        return None


def number(value: Any) -> float | None:
    """A real, finite number as a float; None for anything else: NaN, infinity, a truth value, a complex number, a text, an array.

    NumPy's scalars, ``Decimal`` and ``Fraction`` are numbers; a whole number that is too large for a float is none.
    """
    value = plain(value)
    if isinstance(value, bool) or not isinstance(value, _NUMBERS):
        return None
    try:
        made = float(value)
    except (OverflowError, ValueError):
        return None
    return made if math.isfinite(made) else None


def numbers(values: Any, shape: tuple[int, ...]) -> np.ndarray | None:
    """The numbers of a sequence (of sequences), an array or a table as an array of finite floats; None when it has not this shape.

    None, too, when one of them is no ``number``, such as NaN.
    """
    values = plain(values)
    if isinstance(values, pd.Series | pd.Index | pd.DataFrame):
        values = values.to_numpy(dtype=object)
    elif hasattr(values, "__array__"):
        values = np.asarray(values)
    if isinstance(values, np.ndarray) and values.dtype.kind in "iuf":
        made = values.astype(float)
    else:
        try:
            made = np.array(_floats(values), dtype=float)
        except ValueError:  # rows of different lengths
            return None
    return made if made.shape == shape and np.isfinite(made).all() else None


def _floats(values: Any) -> Any:
    if isinstance(values, list | tuple | np.ndarray):
        return [_floats(one) for one in values]
    made = number(values)
    return math.nan if made is None else made


def whole(value: Any) -> int | None:
    """A whole number as an int; None for anything else: a truth value, a float (NaN among them), a text."""
    value = plain(value)
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        return None
    return int(value)


def truth(value: Any) -> bool | None:
    """A truth value, Python's or NumPy's; None for anything else: 1, NaN, a text, an array."""
    value = plain(value)
    return bool(value) if isinstance(value, bool | np.bool_) else None


def truthy(value: Any) -> bool | None:
    """Whether a value counts as True where one was asked for: also None, a whole number, a text, a container, a match of a pattern.

    None, which is neither, for anything else, such as NaN or an object of a student's own class.
    """
    value = plain(value)
    kinds = (bool, np.bool_, int, np.integer, str, list, tuple, set, frozenset, dict, re.Match)
    return bool(value) if value is None or isinstance(value, kinds) else None


def same(found: Any, expected: Any) -> bool:
    """Whether two values are equal, and of one kind.

    Numbers are equal by their value, whole or not, NumPy's or Python's; a truth value is no number; texts, bytes, None, dates and times are equal
    to their own kind; lists, tuples, sets, dicts and arrays hold the same, each in its own kind. Nothing else is equal to anything: NaN
    (and NaT, NA) not even to itself, nor a complex number, nor an object of another class.
    """
    return bool(_form(plain(found)) == _form(plain(expected)))


def _form(value: Any) -> Any:
    """A value as nested tuples that begin with its kind, so that they are equal where values are."""
    if value is None or isinstance(value, str | bytes):
        return "bytes" if isinstance(value, bytes) else "text", value
    if isinstance(value, bool | np.bool_):
        return "truth", bool(value)
    if isinstance(value, _NUMBERS):
        return object() if missing(value) else ("number", value)
    if isinstance(value, list | tuple):
        return type(value).__name__, tuple(_form(one) for one in value)
    if isinstance(value, set | frozenset):
        return "set", frozenset(_form(one) for one in value)
    if isinstance(value, dict):
        return "dict", frozenset((_form(name), _form(one)) for name, one in value.items())
    if isinstance(value, np.ndarray):
        return "array", value.shape, tuple(_form(one) for one in value.flat)
    if type(value) in _TIMES:
        return type(value).__name__, value
    return object()


_TIMES = frozenset({datetime.date, datetime.datetime, datetime.time, datetime.timedelta, pd.Timestamp, pd.Timedelta, uuid.UUID})  # fmt: skip


def among(found: Any, options: Iterable[Any]) -> bool:
    """Whether a value is the ``same`` as one of some others. False for NaN."""
    return any(same(found, option) for option in options)


def missing(value: Any) -> bool:
    """Whether a value says that there is none: None, NaN, NaT or NA."""
    value = plain(value)
    if value is None or value is pd.NaT or value is pd.NA:
        return True
    if isinstance(value, Decimal):
        return value.is_nan()
    return isinstance(value, float | np.floating) and math.isnan(value)


def close(found: Any, expected: Any, relative: float = 0.0, absolute: float = 0.0) -> bool:
    """Whether two numbers are as near as that to each other, either way. False where one of them is no ``number``: NaN is near nothing."""
    one, other = number(found), number(expected)
    if one is None or other is None:
        return False
    return math.isclose(one, other, rel_tol=relative, abs_tol=absolute)


def at_most(value: Any, limit: float) -> bool:
    """Whether a number is a limit or less. False for NaN and whatever else is no ``number``."""
    found = number(value)
    return found is not None and found <= limit


def at_least(value: Any, limit: float) -> bool:
    """Whether a number is a limit or more. False for NaN and whatever else is no ``number``."""
    found = number(value)
    return found is not None and found >= limit


def within(value: Any, low: float, high: float) -> bool:
    """Whether a number lies between two others, or is one of them. False for NaN and whatever else is no ``number``."""
    return at_least(value, low) and at_most(value, high)


def worst(errors: Iterable[Any]) -> float:
    """The largest of some errors, none of them negative; 0 where there are none. NaN, and whatever else is no ``number``, is infinitely bad."""
    found = [number(error) for error in errors]
    return max((math.inf if one is None else one for one in found), default=0.0)
