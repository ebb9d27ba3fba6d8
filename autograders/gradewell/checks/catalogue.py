"""Lab 3: catalogue entries that a machine can trust, with defects planted in some of them."""

from __future__ import annotations

import datetime
import itertools
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import datapolis
import numpy as np
import pandas as pd

from gradewell.checks.calls import CallFailed, Function, call, pairs_of
from gradewell.checks.result import Problem, Result

TODAY = "2026-01-01"
DAYS = {"daily": 1, "weekly": 7, "monthly": 31, "quarterly": 92, "yearly": 366}
"""After how many days an entry of this update cycle is overdue."""
BLANKS = ("", "-", "n/a", "none", "null", "tbd")
"""What people write when they write nothing, in small letters."""

Entry = dict[str, str | None]
Defect = tuple[str, str]
"""A field, and what is wrong with it."""

_NOT_BASES = (
    "internal policy",
    "by order of the director",
    "internal policy, section 4",
    "see the article in our newsletter",
    "Data Security Law",  # which of its articles?
    "it is the law",
    "Actual practice, section 2",
    "article 12",  # of what?
)
_BASES = (
    "STATISTICS LAW, ARTICLE 28",
    "Decree 809, article 3",
    "Population Register Act, section 12(4)",
    "Regulation on Maps, art. 7",
    "section 9 of the Waters Act",
)
_SAID = {
    "missing": "{field} has to be there and is not: a blank is nothing, whatever it is written with",
    "unwanted": "{field} is a condition on what has none, or is not given at all",
    "unknown": "{field} is none of the words that are allowed",
    "no citation": "{field} names no article or section of a law, act, regulation or decree",
    "looser than sharing": "society would get more than other public bodies do",
    "not shared": "there is an address for data that nobody may have",
    "no date": "{field} is no day of the calendar, written year-month-day",
    "in the future": "{field} is after today",
    "overdue": "more days have passed since {field} than the update cycle allows",
}


@dataclass(frozen=True)
class Planted:
    """An entry, and what is wrong with it."""

    entry: Entry
    defects: frozenset[Defect]


def overdue(function: Function, points: float = 6) -> Result:
    """Check a function that says whether an entry is overdue: ``overdue(last_updated, cycle, today)``."""
    cases = (
        ("one day late", "2025-12-24", "weekly", True),
        ("on the last day", "2025-12-25", "weekly", False),
        ("today", TODAY, "daily", False),
        ("a year and a day", "2024-12-30", "yearly", True),
        ("last month, of a yearly entry", "2025-12-01", "yearly", False),
        ("an unknown cycle", "2020-01-01", "now and then", False),
    )
    problems = []
    for name, updated, cycle, expected in cases:
        shown = f"{updated!r}, {cycle!r}, {TODAY!r}"
        try:
            found = call(function, updated, cycle, TODAY, shown=shown)
        except CallFailed as failure:
            problems.append(Problem(f"overdue.{name}", f"{failure}"))
            continue
        if found is not expected:
            said = f"overdue({shown}) is {expected} ({name}), not {found!r}."
            problems.append(Problem(f"overdue.{name}", said))
    share = 1 - len(problems) / len(cases)
    return Result.from_parts("which entries are overdue", points, {"cases": share}, problems)


def validate(function: Function, seed: int = 1, points: float = 4, shown: bool = False) -> Result:
    """Points for ``validate(entry, today)``: all defects of an entry, and nothing that is none.

    Each sort of defect counts the same, and entries that are right count as a sort of their own; a sort that is found in some entries
    only earns half of its share. What is earned is multiplied by the share of entries about which nothing false is reported.

    Parameters
    ----------
    function : callable
        From an entry (a dict of text or None) and a day to a list of pairs ``(field, what is wrong)``.
    shown : bool
        Whether messages may name an entry and what stands in it.
    """
    missed: dict[Defect, list[Planted]] = {}
    there: Counter[Defect] = Counter()
    alarms: list[tuple[Planted, Defect]] = []
    everything = entries(seed)
    clean = spared = right = 0
    for planted in everything:
        given = dict(planted.entry)
        try:
            found = pairs_of(call(function, given, TODAY, shown=f"{given}" if shown else ""))
        except CallFailed as failure:
            return Result.failed("defects", points, "entries.fails when called", f"{failure}.")
        if found is None:
            message = "validate returns a list of pairs: (field, what is wrong)."
            return Result.failed("defects", points, "entries.form", message)
        there.update(planted.defects)
        for defect in planted.defects - found:
            missed.setdefault(defect, []).append(planted)
        alarms += [(planted, defect) for defect in sorted(found - planted.defects)]
        right += found <= planted.defects
        if not planted.defects:
            clean, spared = clean + 1, spared + (not found)
    calm = right / len(everything)
    factor = calm if there.keys() - missed.keys() else 0.0  # who reports nothing is always calm
    shares = {
        f"{field}: {code}": factor * _credit(len(missed.get((field, code), ())), count)
        for (field, code), count in sorted(there.items())
    } | {"entries without a defect": factor * _credit(clean - spared, clean)}
    problems = [
        Problem(
            f"entries.{field}: {code}",
            f"Not reported: ({field!r}, {code!r}), where {_SAID[code].format(field=field)}."
            + (_example(field, missed[field, code][0]) if shown else ""),
        )
        for field, code in sorted(missed)
    ]
    if alarms:
        planted, (field, code) = alarms[0]
        example = _example(field, planted) if shown else ""
        # what a student's code reports could hold what it was given
        known = (field, code) in there
        said = f"such as ({field!r}, {code!r})" if shown or known else "a pair that no entry has"
        problems.append(
            Problem(
                "entries.false alarm",
                f"For {1 - calm:.0%} of the entries something is reported that is no defect, {said}.{example}",
            )
        )
    return Result.from_parts("defects", points, shares, problems)


def _credit(missed: int, count: int) -> float:
    return (1 - missed / count) / 2 if missed else 1.0


def entries(seed: int) -> list[Planted]:
    """Some 250 entries: those of Datapolis that are right, once as they are, and once with up to four defects planted in each.

    Every sort of defect stands alone in some of them, in each of the ways to write it.
    """
    random = np.random.default_rng(seed)
    right = _right(int(random.integers(1 << 31)))
    bases = itertools.cycle(_BASES)
    made = [Planted(_varied(dict(entry), bases, random), frozenset()) for entry in right]
    alone: dict[tuple[frozenset[Defect], str], list[Planted]] = {}
    for n in random.permutation(len(right)):
        ways = list(_ways(right[n], random))
        for values, defects in ways:
            kept = alone.setdefault((defects, repr(sorted(values.items()))), [])
            kept.append(_spoiled(right[n], [(values, defects)]))
        chosen = random.permutation(len(ways))[: int(random.integers(2, 5))]
        made.append(_spoiled(right[n], [ways[m] for m in chosen]))
    made += [some[0] for some in alone.values()]
    return [made[n] for n in random.permutation(len(made))]


def _right(seed: int) -> list[Entry]:
    """The entries without a defect of as many Datapolises as it takes to have each pair of attributes five times."""
    found: list[Entry] = []
    pairs: Counter[Any] = Counter()
    while min((pairs[pair] for pair in _PAIRS), default=0) < len(_BASES):
        table = datapolis.load("catalogue_entries", seed=seed)
        spoiled = set(datapolis.truth("catalogue_entries", "faults", seed=seed)["row"])
        for n, row in enumerate(table.to_dict("records")):
            pair = (row["sharing"], row["opening"])
            if n not in spoiled and pairs[pair] < 12:
                pairs[pair] += 1
                entry = {str(name): None if pd.isna(text) else text for name, text in row.items()}
                found.append(entry)
        seed += 1
    return found


_PAIRS = (
    ("public", "public"),
    ("restricted", "restricted"),
    ("restricted", "non-sharing"),
    ("non-sharing", "non-sharing"),
)
"""Sharing and opening, as the entries of Datapolis have them."""


_Way = tuple[Entry, frozenset[Defect]]


def _ways(entry: Entry, random: np.random.Generator) -> Iterator[_Way]:
    """Ways to spoil an entry that is right: what to write, and the defects that this makes."""

    def each(field: str, code: str, *values: str | None, **others: str | None) -> Iterator[_Way]:
        for value in values:
            yield {field: value, **others}, frozenset({(field, code)})

    cycle, sharing, opening = (str(entry[name]) for name in ("update_cycle", "sharing", "opening"))
    for field in ("title", "agency_id", "fields", "format"):
        yield from each(field, "missing", *_NOTHING)
    yield from each("update_cycle", "unknown", "sometimes", "on demand", "dayly")
    late = DAYS[cycle] + np.array([1, random.integers(2, 900)])
    yield from each("last_updated", "overdue", *(_days_ago(int(days)) for days in late))
    ahead = (1, random.integers(2, 400))
    yield from each("last_updated", "in the future", *(_days_ago(-int(days)) for days in ahead))
    yield from each("last_updated", "no date", "2025-02-30", "last week", "", "01/12/2025")
    if sharing != "non-sharing":
        yield from each("access_url", "missing", *_NOTHING)
    if sharing == "restricted":
        yield from each("sharing_condition", "missing", *_NOTHING)
        opened = {"licence": "CC BY 4.0", "opening_condition": None}
        yield from each("opening", "looser than sharing", "public", **opened)
    else:
        yield from each("sharing_condition", "unwanted", "ask first", "for a fee")
    if sharing == "non-sharing":
        yield from each("legal_basis", "missing", *_NOTHING)
        yield from each("legal_basis", "no citation", *_NOT_BASES)
        yield from each("access_url", "not shared", "https://data.example.org/files")
        yield from each(
            "opening", "looser than sharing", "restricted", opening_condition="contract"
        )
    if opening == "public":
        yield from each("licence", "missing", *_NOTHING)
    if opening == "restricted":
        yield from each("opening_condition", "missing", *_NOTHING)
    else:
        yield from each("opening_condition", "unwanted", "researchers only")
    yield from each("sharing", "unknown", "limited", "yes", "unconditional")
    yield from each("opening", "unknown", "limited", "no", "open")


_NOTHING = (None, " ", " none ", "N/A", *BLANKS)


def _spoiled(entry: Entry, ways: list[_Way]) -> Planted:
    """The entry with those of the ways that touch fields, or attributes, that no earlier one has touched."""
    changed, defects, touched = dict(entry), set[Defect](), set[str]()
    for values, found in ways:
        about = {_ATTRIBUTE.get(field, field) for field in values}
        if touched & about:
            continue
        touched |= about
        changed |= values
        defects |= found
    return Planted(changed, frozenset(defects))


_ATTRIBUTE = dict.fromkeys(
    ("sharing", "sharing_condition", "legal_basis", "access_url", "opening", "opening_condition", "licence"),
    "attributes",
) | dict.fromkeys(("update_cycle", "last_updated"), "update")  # fmt: skip


def _varied(entry: Entry, bases: Iterator[str], random: np.random.Generator) -> Entry:
    """An entry that is as right as before: on the day of a boundary, with other words, with one more field."""
    if entry["sharing"] == "non-sharing":
        entry["legal_basis"] = next(bases)
    elif entry["sharing"] == "restricted":
        entry["legal_basis"] = (None, "internal policy")[int(random.integers(2))]
        entry["sharing_condition"] = "None of the fields may be passed on"
    age = DAYS[str(entry["update_cycle"])] if random.random() < 0.5 else 0
    return {**entry, "last_updated": _days_ago(age), "note": "none"}


def _days_ago(days: int) -> str:
    return str(datetime.date.fromisoformat(TODAY) - datetime.timedelta(days))


def _example(field: str, planted: Planted) -> str:
    about = [field, *(name for name in ("sharing", "opening", "update_cycle") if name != field)]
    said = ", ".join(f"{name}={planted.entry[name]!r}" for name in about if name in planted.entry)
    return f" For example in the entry with {said}."
