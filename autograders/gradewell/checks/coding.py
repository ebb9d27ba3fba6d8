"""What a released value can stand for: how an intruder, or an analyst, reads a de-identified table."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

from gradewell.checks import compare

Coarser = Mapping[str, Mapping[Any, Iterable[Any]]]
"""By column, for a true value: the names of the groups that it belongs to, such as a district's province."""

NONE: Coarser = MappingProxyType({})
"""No groups."""

_NUMBER = r"[-+]?\d+(?:\.\d+)?"
_RANGE = re.compile(
    rf"\s*(?P<open>[\[(])?\s*(?P<low>{_NUMBER})\s*(?:-|–|—|\.\.|,|;|to)\s*(?P<high>{_NUMBER})\s*(?P<close>[\])])?\s*"
)
_BOUND = re.compile(
    rf"\s*(?P<sign><=|>=|<|>|≤|≥|under|over)?\s*(?P<number>{_NUMBER})\s*(?P<plus>\+)?\s*"
)


def distances(
    release: pd.DataFrame, people: pd.DataFrame, columns: Sequence[str], coarser: Coarser = NONE
) -> np.ndarray:
    """How far each released row is from each person, over the columns that both tables have.

    A released value that can stand for the true one is at distance 0: the value itself; a range (``"30-39"``,
    ``"[30, 40)"``, ``"65+"``, ``"<18"``, a pandas Interval); the beginning of a text or a date (``"47**"``, ``"1985"``); a set
    (``"flu|cold"``); a group in ``coarser``; nothing at all (null, ``"*"``). Otherwise numbers and ranges are as far
    away as the gap between them, in parts of the range of the people's values; anything else is at distance 1.

    Parameters
    ----------
    release, people : pandas.DataFrame
    columns : sequence of str
        Those to compare; one that the release lacks tells nothing.
    coarser : mapping, optional
        Groups of values by column.

    Returns
    -------
    numpy.ndarray, shape (people, released rows), float32
        The sum over the columns.
    """
    total = np.zeros((len(people), len(release)), dtype=np.float32)
    for column in columns:
        if column not in release:
            continue
        said, said_codes = _distinct(release[column])
        true, true_codes = _distinct(people[column])
        total += between(said, true, coarser.get(column, {}))[np.ix_(true_codes, said_codes)]
    return total


def between(
    said: Sequence[Any], true: Sequence[Any], coarser: Mapping[Any, Iterable[Any]] = NONE
) -> np.ndarray:
    """The distances of single values, shape (true values, released values): see ``distances``."""
    numbers = np.array([_number(value) for value in true])
    known = numbers[~np.isnan(numbers)]
    span = float(known.max() - known.min()) if len(known) > 1 else 0.0
    texts = [_text(value) for value in true]
    groups = [{_text(name) for name in coarser.get(value, ())} for value in true]
    found = np.ones((len(true), len(said)), dtype=np.float32)
    for place, value in enumerate(said):
        if compare.missing(value) or (isinstance(value, str) and not value.strip(" *?")):
            found[:, place] = 0
            continue
        if (ends := bounds(value)) is not None and len(known):
            low, high, open_low, open_high = ends
            gap = np.maximum(low - numbers, numbers - high).clip(0)
            outside = (gap > 0) | (open_low & (numbers == low)) | (open_high & (numbers == high))
            near = np.minimum(gap / span, 1.0) if span else np.ones(len(true))
            near = np.where(np.isnan(numbers), 1.0, np.maximum(near, 1e-6))
            found[:, place] = np.where(outside | np.isnan(numbers), near, 0.0)
        text = _text(value)
        options = {option.strip() for option in text.strip("{}").split("|")}
        prefix = text.rstrip("*xX") if text.endswith("*") else ""
        for row, (own, names) in enumerate(zip(texts, groups, strict=True)):
            dated = isinstance(true[row], datetime.date) and own.startswith(text)
            if own in options or text in names or dated or (prefix and own.startswith(prefix)):
                found[row, place] = 0
    return found


def midpoint(value: Any) -> float:
    """The number in the middle of what a released value says; NaN when it names no two ends."""
    ends = None if compare.missing(value) else bounds(value)
    middle = (ends[0] + ends[1]) / 2 if ends else np.nan
    return middle if np.isfinite(middle) else np.nan


def _distinct(column: pd.Series) -> tuple[list[Any], np.ndarray]:
    plain = compare.plain(column.astype(object).where(column.notna(), None))
    keys = pd.Series([(type(v).__name__, str(v)) for v in plain], dtype=object)
    codes, _ = pd.factorize(keys)
    first = np.unique(codes, return_index=True)[1]  # own: numbers of texts
    return [plain.iloc[place] for place in first], codes


def bounds(value: Any) -> tuple[float, float, bool, bool] | None:
    """Lower and upper end of a range of numbers, and whether each end is outside of it."""
    if isinstance(value, pd.Interval):
        low, high = compare.number(value.left), compare.number(value.right)
        if low is None or high is None:  # days, for example
            return None
        return low, high, not value.closed_left, not value.closed_right
    if (number := compare.number(value)) is not None:
        return number, number, False, False
    return _ends(value) if isinstance(value, str) else None


def _ends(text: str) -> tuple[float, float, bool, bool] | None:
    if found := _RANGE.fullmatch(text):
        low, high = sorted((float(found["low"]), float(found["high"])))
        return low, high, found["open"] == "(", found["close"] == ")"
    if found := _BOUND.fullmatch(text):
        number, sign = float(found["number"]), found["sign"] or ""
        if found["plus"] or sign in (">", ">=", "≥", "over"):
            return number, np.inf, sign in (">", "over"), False
        if sign:
            return -np.inf, number, False, sign in ("<", "under")
        return number, number, False, False
    return None


def _number(value: Any) -> float:
    """A true value as a number; dates by their year, since that is what a range of years is about."""
    if isinstance(value, datetime.date):
        value = value.year
    if isinstance(value, str) and re.fullmatch(_NUMBER, value.strip()):
        return float(value)  # own: of digits
    number = compare.number(value)
    return np.nan if number is None else number


def _text(value: Any) -> str:
    if isinstance(value, datetime.datetime):
        return value.date().isoformat()
    if isinstance(value, float) and value.is_integer():
        return f"{value:.0f}"
    return str(value).strip()
