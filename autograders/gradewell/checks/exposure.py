"""Lab 8: who can be named in a release, and its risk as GB/T 42460-2023 reports it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from gradewell.checks import compare
from gradewell.checks.calls import COPIED, CallFailed, Function, call, runs_code_of
from gradewell.checks.hospital import AREAS
from gradewell.checks.result import Problem, Result

_ON = ["sex", "birth_date", "district"]
_LINKED = {
    "one fits": "A member whom exactly one patient fits, and who is the only member that this patient fits, is named.",
    "the whole date": "Who was born on another day of the same year, in the same district, is somebody else.",
    "several stays": "A patient who was in hospital twice has two rows and is one patient.",
    "two patients": "Where two patients fit a member, neither is claimed.",
    "two members": "Where a patient fits two members, neither is claimed.",
    "nothing known": "A value that is missing fits nobody, also where it is missing on both sides.",
    "nobody": "Where nobody fits, nobody is claimed.",
}  # fmt: skip
TAU = {"public": 20, "contract": 5, "enclave": 3}
"""How many people agree at least in each row, for each model of sharing: 1 over it is the threshold."""
_REPORTED = {
    "above the threshold": "DRa is the share of classes whose risk is above the threshold. A class that is just as large as the threshold asks for is not above it.",
    "just below it": "A class that is one smaller than the threshold asks for is above it.",
    "highest and mean": "DRb is the highest risk of a class, DRc the mean of the classes' risks.",
    "missing values": "A value that is missing is a value like any other: rows that lack it agree with each other.",
    "overall": "R is 1 where DRa is above 0; else DRb for the public, and DRc times the context's risk for the other models.",
    "other columns": "Classes are made by the known columns alone; what else stands in the table does not matter.",
}  # fmt: skip


def links(function: Function, seed: int = 1, points: float = 4, shown: bool = False) -> Result:
    """Points for ``link(release, club)``: whom of a club's list a release without names gives away.

    Parameters
    ----------
    function : callable
        From a release (``patient``, ``sex``, ``birth_date``, ``district``, ``illness``) and a list (``member_no`` and the same
        three) to a dict from member to patient.
    shown : bool
        Whether a pair of tables may be shown.
    """
    title, times = "people named", 4
    good = dict.fromkeys(_LINKED, 0.0)
    problems: dict[str, Problem] = {}
    example: pd.DataFrame | None = None
    for name in _LINKED:
        for number in range(times):
            random = np.random.default_rng([seed, number, len(name)])
            release, club = _lists(random, name)
            expected = _link(release, club)
            try:
                if not number and runs_code_of(__name__, function, release.copy(), club.copy()):
                    return Result.failed(title, points, "links.copied", COPIED)
                found = call(function, release.copy(), club.copy())
            except CallFailed as failure:
                return Result.failed(title, points, "links.fails when called", f"{failure}.")
            if not isinstance(found, dict):
                message = "link returns a dict from member_no to patient."
                return Result.failed(title, points, "links.form", message)
            right = compare.same(found, expected)
            good[name] += right / times
            if not right:
                told = f" With the patients below, {expected} is right." if shown and example is None else ""  # fmt: skip
                problems.setdefault(name, Problem(f"links.{name}", _LINKED[name] + told))
                example = release if example is None else example
    if not good["one fits"]:  # nobody is ever claimed
        good = dict.fromkeys(good, 0.0)
    result = Result.from_parts(title, points, good, list(problems.values()))
    return result.showing(table=example if shown else None)


def _lists(random: np.random.Generator, difficulty: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Two short lists that have this difficulty, in an order of chance."""
    people = [
        (_any(random, ("female", "male")), _day(random), _any(random, tuple(AREAS)))
        for _ in range(8)
    ]
    stays: list[tuple[str | None, ...]] = [(f"A{n}", *one) for n, one in enumerate(people[:6])]
    members: list[tuple[str | None, ...]] = [
        (f"M{n}", *person) for n, person in enumerate(people[3:])
    ]
    shared = people[3]
    if difficulty == "the whole date":
        other = f"{str(shared[1])[:4]}-{'03-03' if str(shared[1])[5:] != '03-03' else '04-04'}"
        stays.append(("A9", shared[0], other, shared[2]))
        members.append(("M9", people[0][0], f"{str(people[0][1])[:5]}{other[5:]}", people[0][2]))
    elif difficulty == "several stays":
        stays += [("A3", *shared)] * int(random.integers(1, 4))
    elif difficulty == "two patients":
        stays.append(("A9", *shared))
    elif difficulty == "two members":
        members.append(("M9", *shared))
    elif difficulty == "nothing known":
        stays += [("A8", shared[0], shared[1], None), ("A7", shared[0], None, shared[2])]
        members += [("M8", shared[0], shared[1], None), ("M7", shared[0], None, shared[2])]
    elif difficulty == "nobody":
        members = [(name, sex, _day(random), where) for name, sex, _, where in members]
    columns = [random.permutation(len(some)) for some in (stays, members)]
    release = pd.DataFrame([stays[n] for n in columns[0]], columns=["patient", *_ON])
    club = pd.DataFrame([members[n] for n in columns[1]], columns=["member_no", *_ON])
    illnesses = [_any(random, ("cancer", "infection", "other")) for _ in range(len(release))]
    return release.assign(illness=illnesses), club


def _any(random: np.random.Generator, words: tuple[str, ...]) -> str:
    return words[int(random.integers(len(words)))]


def _day(random: np.random.Generator) -> str:
    return str(np.datetime64("1930-01-01") + int(random.integers(30_000)))


def _link(release: pd.DataFrame, club: pd.DataFrame) -> dict[str, str]:
    fits: set[tuple[str, str]] = set()
    for member, *known in club[["member_no", *_ON]].itertuples(index=False, name=None):
        for patient, *own in release[["patient", *_ON]].itertuples(index=False, name=None):
            if known == own and all(isinstance(value, str) for value in known):
                fits.add((member, patient))
    members, patients = ([pair[side] for pair in fits] for side in (0, 1))
    return {m: p for m, p in fits if members.count(m) == patients.count(p) == 1}


def report(function: Function, seed: int = 1, points: float = 4, shown: bool = False) -> Result:
    """Points for ``report(release, known, model, context)``: the numbers DRa, DRb, DRc and R of a release.

    Parameters
    ----------
    function : callable
        From a table, its known columns, one of ``TAU`` and the risk of the context (0 to 1) to a dict of four numbers.
    shown : bool
        Whether the sizes of classes may be shown.
    """
    title = "the risk report"
    good: dict[str, list[bool]] = {name: [] for name in _REPORTED}
    problems: dict[str, Problem] = {}
    random = np.random.default_rng(seed)
    for model, least in TAU.items():
        for name, sizes in _cases(random, least).items():
            context = 0.25 if name == "overall" else 1.0
            table, known = _table(random, sizes, name)
            expected = _report(sizes, model, context)
            try:
                if name == "overall" and runs_code_of(__name__, function, table.copy(), list(known), model, context):  # fmt: skip
                    return Result.failed(title, points, "report.copied", COPIED)
                found = call(function, table.copy(), list(known), model, context)
            except CallFailed as failure:
                return Result.failed(title, points, "report.fails when called", f"{failure}.")
            if not _is_report(found):
                message = f"report returns a dict of four numbers: {', '.join(expected)}."
                return Result.failed(title, points, "report.form", message)
            wrong = [
                n for n, v in expected.items() if not compare.close(found[n], v, absolute=1e-9)
            ]
            right = not wrong
            good[name].append(right)
            if not right:
                first = wrong[0]
                told = (
                    f" With classes of {', '.join(map(str, sorted(sizes)))} and the model {model!r}, {first} is "
                    f"{expected[first]:.4g}, not {found[first]:.4g}."
                )
                problems.setdefault(
                    name, Problem(f"report.{name}", _REPORTED[name] + (told if shown else ""))
                )
    parts = {name: float(np.mean(each)) for name, each in good.items()}
    return Result.from_parts(title, points, parts, list(problems.values()))


def _is_report(found: Any) -> bool:
    names = ("DRa", "DRb", "DRc", "R")
    return isinstance(found, dict) and all(compare.number(found.get(n)) is not None for n in names)


def _cases(random: np.random.Generator, least: int) -> dict[str, list[int]]:
    """Sizes of classes, by what they are about."""
    large = [int(size) for size in random.integers(least + 1, 3 * least + 5, 4)]
    return {
        "above the threshold": [least, least + 1, *large],
        "just below it": [least - 1, least, *large],
        "highest and mean": [least - 1, *large, 1],
        "missing values": [least, *large, least + 2],
        "overall": [least, *large],
        "other columns": [least, *large],
    }


def _table(
    random: np.random.Generator, sizes: list[int], difficulty: str
) -> tuple[pd.DataFrame, list[str]]:
    """A table with classes of these sizes, in an order of chance."""
    pairs = [(place, band) for place in AREAS for band in ("20-39", "40-59", "60-79")]
    chosen: list[tuple[str | None, str | None]] = [
        pairs[int(n)] for n in random.permutation(len(pairs))[: len(sizes)]
    ]
    if difficulty == "missing values":
        chosen[0] = (None, chosen[0][1])
        chosen[-1] = (None, None)
    rows = [pair for pair, size in zip(chosen, sizes, strict=True) for _ in range(size)]
    order = random.permutation(len(rows))
    table = pd.DataFrame([rows[int(n)] for n in order], columns=["district", "age"])
    if difficulty == "other columns":
        table["admitted"] = [f"2025-03-{n % 28 + 1:02}" for n in range(len(table))]
        table["patient"] = [f"A{n}" for n in random.permutation(len(table))]
    return table, ["district", "age"]


def _report(sizes: list[int], model: str, context: float) -> dict[str, float]:
    risks = [1 / size for size in sizes]
    above = sum(size < TAU[model] for size in sizes) / len(sizes)
    highest, mean = max(risks), sum(risks) / len(risks)
    overall = 1.0 if above else highest if model == "public" else mean * context
    return {"DRa": above, "DRb": highest, "DRc": mean, "R": overall}
