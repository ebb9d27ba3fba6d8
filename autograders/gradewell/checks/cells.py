"""Lab 2: clean cells: identity numbers, which of them are valid, and whole tables as clerks write them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from stdnum.iso7064 import mod_11_2

from gradewell.checks import compare, registers
from gradewell.checks.calls import CallFailed, Function, call, mapped
from gradewell.checks.registers import COLUMNS, Clerk
from gradewell.checks.result import Problem, Result
from gradewell.checks.tables import has_columns


def cleaned_number(function: Function, points: float = 6) -> Result:
    """Check a function that cleans one identity number: ``clean_number(text)``."""
    cases = {
        "a clean number": ("99010219800304001X", "99010219800304001X"),
        "a small x": ("99010219800304001x", "99010219800304001X"),
        "full-width digits": ("９９０１０２１９８００３０４００１Ｘ", "99010219800304001X"),
        "spaces": (" 990102 19800304 001X ", "99010219800304001X"),
        "nothing": (None, None),
        "an empty text": ("  ", None),
    }
    problems = []
    for name, (text, expected) in cases.items():
        try:
            found = call(function, text, shown=repr(text))
        except CallFailed as failure:
            problems.append(Problem(f"number.{name}", f"{failure}"))
            continue
        if not compare.same(found, expected):
            said = f"clean_number({text!r}) is {expected!r} ({name}), not {found!r}."
            problems.append(Problem(f"number.{name}", said))
    share = 1 - len(problems) / len(cases)
    return Result.from_parts("clean identity numbers", points, {"cases": share}, problems)


_ABOUT = {
    "check character": "whose check character is wrong",
    "no such day": "whose date is no day of the calendar, although the check character is right",
    "too short or too long": "that do not have 18 characters",
    "not clean": "that hold anything but the digits 0 to 9 and a capital X at the end",
    "valid": "that are valid and were refused",
}


def valid_number(
    function: Function, seed: int = 1, points: float = 4, shown: bool = False
) -> Result:
    """Points for ``valid_number(text)``: 18 characters, a real date, the right check character (ISO 7064 MOD 11-2).

    Each sort of string counts the same, and only when all of them are decided rightly.
    """
    texts, valid = registers.numbers(seed, 500 if shown else 10_000)
    try:
        found = mapped(function, texts)
    except CallFailed as failure:
        return Result.failed("valid numbers", points, "valid.fails when called", f"{failure}.")
    wrong: dict[str, list[str]] = {}
    for text, expected, said in zip(texts, valid, found, strict=True):
        if compare.truth(said) is not expected:
            wrong.setdefault("valid" if expected else _reason(text), []).append(text)
    if not {compare.truth(said) for said in found} >= {True, False}:
        message = "valid_number returns True for some and False for others."
        return Result.failed("valid numbers", points, "valid.always the same", message)
    problems = [
        Problem(
            f"valid.{sort}",
            f"{len(some):,} strings are decided wrongly {_ABOUT[sort]}."
            + (f" For example {some[0]!r}." if shown else ""),
        )
        for sort, some in sorted(wrong.items())
    ]
    shares = {sort: float(sort not in wrong) for sort in _ABOUT}
    return Result.from_parts("valid numbers", points, shares, problems)


def _reason(text: str) -> str:
    if len(text) != 18:
        return "too short or too long"
    if not (text[:17].isascii() and text[:17].isdigit() and text[17] in "0123456789X"):
        return "not clean"
    return "no such day" if mod_11_2.is_valid(text) else "check character"


def clean(function: Function, seed: int = 1, points: float = 4, shown: bool = False) -> Result:
    """Points for ``clean(table)``: each column as it was meant, nothing lost, and clean tables as they are.

    A column earns its share when every cell is right, half of it when nine of ten are.
    """
    random = np.random.default_rng(seed)
    some = registers.register(registers.residents(seed, 300), "R", Clerk(), random)
    names = some.written["family_name"].tolist()
    names[: len(_NAMES)] = _NAMES  # what looks like nothing, and is somebody's name
    table = some.written.assign(family_name=names)
    meant = some.meant.assign(
        family_name=[
            *(" ".join(name.upper().split()) for name in _NAMES),
            *some.meant["family_name"][len(_NAMES) :],
        ]
    )
    try:
        found = call(function, table.copy(), shown="table" if shown else "")
        if not _fits(found, table):
            message = "clean returns a table with the columns and the rows of the one that it gets, in the same order."
            return Result.failed("clean cells", points, "clean.form", message)
        again = call(function, found.copy(), shown="clean table" if shown else "")
        part = call(function, table.iloc[40:90].reset_index(drop=True), shown="part of it")
    except CallFailed as failure:
        return Result.failed("clean cells", points, "clean.fails when called", f"{failure}.")
    shares: dict[str, float] = {}
    problems = []
    for name in COLUMNS:
        right = [_same(a, b) for a, b in zip(found[name], meant[name], strict=True)]
        share = sum(right) / len(right)
        shares[name] = 1.0 if all(right) else 0.5 * (share >= 0.9)
        if not all(right):
            row = right.index(False)
            example = (
                f" {table[name][row]!r} is {meant[name][row]!r}, not {found[name][row]!r}."
                if shown
                else ""
            )
            problems.append(
                Problem(f"clean.{name}", f"{name}: {share:.0%} of the cells are right.{example}")
            )
    reached = sum(shares.values()) / len(shares)
    for law, holds, message in (
        ("idempotent", _equal(again, found), "Cleaning a clean table changes it."),
        (
            "row by row",
            _equal(part, found.iloc[40:90].reset_index(drop=True)),
            "What becomes of a row depends on the other rows.",
        ),
    ):
        shares[law] = reached * holds  # the laws hold for a function that does nothing, too
        if not holds:
            problems.append(Problem(f"clean.{law}", message))
    return Result.from_parts("clean cells", points, shares, problems)


_NAMES = ("Null", "none", "O’Brien", " van  der Berg", "N/A")


def _fits(found: Any, table: pd.DataFrame) -> bool:
    return (
        has_columns(found, list(table.columns))
        and len(found) == len(table)
        and compare.same(found["record"].tolist(), table["record"].tolist())
    )


def _same(one: Any, other: Any) -> bool:
    return (compare.missing(one) and compare.missing(other)) or compare.same(one, other)


def _equal(one: Any, other: pd.DataFrame) -> bool:
    return (
        has_columns(one, COLUMNS)
        and len(one) == len(other)
        and all(
            _same(a, b) for name in COLUMNS for a, b in zip(one[name], other[name], strict=True)
        )
    )
