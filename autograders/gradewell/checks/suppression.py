"""Lab 6: tables of cases with hidden cells, solved backwards, and published so that they cannot be."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from gradewell.checks import compare, tables
from gradewell.checks.calls import CallFailed, Function, call, right_in, runs_code_of
from gradewell.checks.result import Problem, Result
from gradewell.checks.tables import TOTAL

DIMENSIONS = ["district", "age"]
LEAST = 10
"""Smaller counts, but for 0, must not become known: the course's rule R7."""
ENOUGH, BESIDES, TOO_MUCH = 1.25, 3, 1.5
"""How many times as many hidden cells as ``rectangles`` needs still earn all points, and how many besides; and how many times
as many as these earn nothing."""

_COPIED = "Your function calls the grader's. Write it yourself: that is what this lab is for."
_ATTACKED = {
    "lowest": "The lowest value of a hidden cell is not the smallest whole number that fits all published counts and sums, none of them negative.",
    "highest": "The highest value of a hidden cell is not the largest whole number that fits all published counts and sums, none of them negative.",
    "cells": "Not every hidden cell has a line, or a published one has one.",
}  # fmt: skip


def solved(function: Function, points: float = 6) -> Result:
    """Check a function that says what a row with one hidden cell hides: ``hidden_value(row, total)``."""
    cases = (
        ("one hidden cell", ([12, None, 30], 47), 5),
        ("a hidden zero", ([None, 20], 20), 0),
        ("a zero that is shown", ([0, None, 12], 20), 8),
        ("two hidden cells", ([12, None, None], 47), None),
        ("nothing hidden", ([12, 30], 42), None),
    )
    return right_in(cases, function, points, "what a row hides", "solve")


def with_sums(counts: np.ndarray, districts: list[str], ages: list[str]) -> pd.DataFrame:
    """A table with a row for each cell and each sum: ``district``, ``age``, ``count``."""
    whole = np.zeros((len(districts) + 1, len(ages) + 1))
    whole[:-1, :-1] = counts
    whole[-1, :-1], whole[:, -1] = counts.sum(axis=0), whole[:, :-1].sum(axis=1)
    whole[-1, -1] = counts.sum()
    names = product([*districts, TOTAL], [*ages, TOTAL])
    rows = [(one, other, int(value)) for (one, other), value in zip(names, whole.flat, strict=True)]
    return pd.DataFrame(rows, columns=[*DIMENSIONS, "count"])


def epidemic(seed: int) -> pd.DataFrame:
    """Cases by district and age, with sums: most counts large, a fifth small, a few zeros; every sum large."""
    random = np.random.default_rng(seed)
    rows, columns = int(random.integers(6, 10)), int(random.integers(4, 6))
    mean = random.lognormal(3.7, 0.5, (rows, 1)) * random.lognormal(0, 0.4, (1, columns))
    counts = np.maximum(random.poisson(mean), LEAST)
    small = random.random(counts.shape) < 0.25
    small &= np.add.accumulate(small, axis=1) <= 2  # enough is left in a row to hide it with
    counts[small] = random.integers(1, LEAST, int(small.sum()))
    counts[(random.random(counts.shape) < 0.06) & ~small] = 0
    for line in (*counts, *counts.T):
        line[int(line.argmax())] += 2 * LEAST
    names = [f"district {letter}" for letter in "ABCDEFGHIJ"[:rows]]
    return with_sums(counts, names, [f"{20 * n} to {20 * n + 19}" for n in range(columns)])


def hidden_alone(table: pd.DataFrame, seed: int, least: int = LEAST) -> pd.DataFrame:
    """What an office publishes that hides small counts, and a few others, and prints all sums."""
    random = np.random.default_rng(seed)
    inner = ~table[DIMENSIONS].isin([TOTAL]).any(axis=1)
    more = inner & (random.random(len(table)) < 0.12)
    hide = inner & table["count"].between(1, least - 1) | more
    return table.assign(count=table["count"].astype(object).mask(hide, None))


def attacks(function: Function, seed: int = 1, points: float = 4, shown: bool = False) -> Result:
    """Points for ``attack(published)``: the lowest and the highest value that each hidden cell can have.

    Parameters
    ----------
    function : callable
        From a table with ``district``, ``age``, ``count`` (sums are called ``total``; hidden counts are missing) to one with
        ``district``, ``age``, ``low``, ``high``, a row for each hidden cell.
    shown : bool
        Whether a cell may be shown.
    """
    title, count = "a table solved backwards", 5
    good = dict.fromkeys(_ATTACKED, 0.0)
    problems: dict[str, Problem] = {}
    for number in range(count):
        published = hidden_alone(epidemic(seed * 100 + number), seed * 100 + number)
        if number == 0 and runs_code_of(tables.__name__, function, published.copy()):
            return Result.failed(title, points, "attack.copied", _COPIED)
        expected = tables.intervals(published, DIMENSIONS)
        try:
            found = call(function, published.copy(), shown="published" if shown else "")
        except CallFailed as failure:
            return Result.failed(title, points, "attack.fails when called", f"{failure}.")
        columns = [*DIMENSIONS, "low", "high"]
        if not tables.has_columns(found, columns):
            message = f"attack returns a table with the columns {', '.join(columns)}, not {compare.kind_of(found)}."
            return Result.failed(title, points, "attack.form", message)
        ends = {
            (str(d), str(a)): (compare.number(low), compare.number(high))
            for d, a, low, high in found[columns].itertuples(index=False, name=None)
        }
        if any(low is None or high is None for low, high in ends.values()):
            message = "The columns low and high hold numbers."
            return Result.failed(title, points, "attack.form", message)
        wanted: _Ends = {}
        for cell, (low, high) in zip(expected.index, expected.to_numpy(dtype=float), strict=True):
            wanted[str(cell[0]), str(cell[1])] = (low, high)
        holds = {
            "cells": compare.same(set(ends), set(wanted)) and len(found) == len(wanted),
            "lowest": not _off(0, ends, wanted),
            "highest": not _off(1, ends, wanted),
        }
        for name, right in holds.items():
            good[name] += right / count
            if not right:
                example = ""
                if shown and name != "cells":
                    place = int(name == "highest")
                    cell = _off(place, ends, wanted)[0]
                    example = f" For example {', '.join(cell)}: {wanted[cell][place]:g}."
                problems.setdefault(name, Problem(f"attack.{name}", _ATTACKED[name] + example))
    shares = {name: round(share, 9) for name, share in good.items()}
    if not shares["lowest"] and not shares["highest"]:
        shares["cells"] = 0.0
    return Result.from_parts(title, points, shares, list(problems.values()))


def _off(place: int, ends: _Ends, wanted: _Ends) -> list[tuple[str, str]]:
    """The cells whose lowest (0) or highest (1) value is not the one that is wanted."""
    return [
        cell
        for cell, pair in wanted.items()
        if cell not in ends or not compare.close(ends[cell][place], pair[place], absolute=1e-4)
    ]


_Ends = dict[tuple[str, str], tuple[float | None, float | None]]


def rectangles(table: pd.DataFrame, least: int = LEAST) -> int:
    """How many cells have to be hidden, about: each small count with three others at the corners of a rectangle (hypercube method,
    Giessing and Repsilber 2002), those that need fewest new ones and then the smallest."""
    inner = table[~table[DIMENSIONS].isin([TOTAL]).any(axis=1)]
    counts = inner.pivot(index="district", columns="age", values="count").to_numpy(dtype=float)
    hidden = (counts > 0) & (counts < least)
    for row, column in sorted(zip(*np.nonzero(hidden), strict=True), key=lambda c: counts[c]):
        best: tuple[float, float, list[tuple[int, int]]] = (np.inf, 0.0, [])
        for r, c in product(range(counts.shape[0]), range(counts.shape[1])):
            if r == row or c == column:
                continue
            up = min(counts[row, c], counts[r, column])
            down = min(counts[row, column], counts[r, c])
            corners = [(row, c), (r, column), (r, c)]
            new = [corner for corner in corners if not hidden[corner]]
            cost = (float(len(new)), float(sum(counts[corner] for corner in new)), new)
            if up + down >= least and cost[:2] < best[:2]:
                best = cost
        for corner in best[2]:
            hidden[corner] = True
    return int(hidden.sum())


def publishes(function: Function, seed: int = 1, points: float = 4, shown: bool = False) -> Result:
    """Points for ``publish(table, least)``: no small count can be worked out of the table, and enough of it is left.

    Parameters
    ----------
    function : callable
        From a table with ``district``, ``age``, ``count``, sums among them, and the smallest count that may be known, to the
        same with what is published.
    shown : bool
        Whether cells may be shown, and a figure.
    """
    title, count = "what is published", 5
    merged: dict[str, float] = {}
    problems: dict[str, Problem] = {}
    figure = None
    for number in range(count):
        truth = epidemic(seed * 100 + 50 + number)
        most = int(rectangles(truth) * ENOUGH) + BESIDES
        try:
            said = call(function, truth.copy(), LEAST, shown=f"table, {LEAST}" if shown else "")
        except CallFailed as failure:
            return Result.failed(title, points, "tables.fails when called", f"{failure}.")
        result = tables.protects(
            said, truth, DIMENSIONS, 10, small=_small, width=LEAST, most=most, shown=shown
        )
        for problem in result.problems:
            problems.setdefault(problem.code, problem)
        figure = figure or (result.figure if result.problems else None)
        shown_ = _shown(said)
        cells = dict(zip(zip(truth["district"], truth["age"], strict=True), truth["count"], strict=True))  # fmt: skip
        sums = all(shown_.get(c) == n for c, n in cells.items() if TOTAL in c)
        hidden = sum(cell not in shown_ for cell in cells)
        parts = {
            "small counts": result.parts.get("small counts", 0.0),
            "true": result.parts.get("true", 0.0),
            "enough is published": float(np.clip((TOO_MUCH * most - hidden) / ((TOO_MUCH - 1) * most), 0, 1)),
            "sums": float(sums),
        }  # fmt: skip
        for name, share in parts.items():
            merged[name] = merged.get(name, 0.0) + share / count
        if not sums:
            message = (
                "A sum is missing, or not the true one. Without sums nobody can use the table."
            )
            problems.setdefault("sums", Problem("tables.sums", message))
    shares = {name: round(share, 9) for name, share in merged.items()}
    # neither a table that gives people away nor one that says nothing is one to publish
    limit = min(shares["small counts"], 0.25 + shares["enough is published"])
    shares = {name: min(share, limit) for name, share in shares.items()}
    return Result.from_parts(title, points, shares, list(problems.values())).showing(figure)


def _shown(said: Any) -> dict[tuple[Any, ...], float]:
    """The cells that say one number."""
    if not tables.has_columns(said, [*DIMENSIONS, "count"]):
        return {}
    return {
        tuple(cell): found
        for *cell, value in said[[*DIMENSIONS, "count"]].itertuples(index=False, name=None)
        if (found := compare.number(value)) is not None
    }


def _small(count: float) -> bool:
    return 1 <= count < LEAST
