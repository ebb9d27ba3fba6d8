"""Lab 1: one answer from many shops, without the tills' rows leaving them."""

from __future__ import annotations

import math
import shutil
import statistics
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gradewell.checks import compare
from gradewell.checks.calls import CallFailed, Function, call, measured, near
from gradewell.checks.result import Problem, Result
from gradewell.checks.summaries import alike, mergeable

TOLERANCE = 1e-6
"""Relative: around a billion, a variance of 1 that is updated row by row was right to 1.4e-7 in 4,000 trials; subtracted squares are not at all."""
MEBIBYTES = 512
"""What an answer from 20,000,000 rows may take."""
_FILES, _BLOCKS = 40, 4
_NAMES = ("rows", "customers", "revenue", "mean", "variance")


def merged(merge: Function, points: float = 6) -> Result:
    """Check a function that merges two summaries ``(count, mean, sum of squared distances from the mean)``."""
    cases = {
        "two parts": ([3.0, 5.0], [10.0, 12.0, 14.0]),
        "parts of different size": ([1.0], [4.0, 4.0, 7.0, 9.0]),
        "an empty part before": ([], [2.0, 6.0]),
        "an empty part after": ([2.0, 6.0], []),
        "two empty parts": ([], []),
    }
    problems = []
    for name, (one, other) in cases.items():
        try:
            found = call(
                merge, _moments(one), _moments(other), shown=f"{_moments(one)}, {_moments(other)}"
            )
        except CallFailed as failure:
            problems.append(Problem(f"merge.{name}", f"{failure}"))
            continue
        expected = _moments([*one, *other])
        if not alike(found, expected, TOLERANCE):
            said = f"{_moments(one)} and {_moments(other)} give {expected}, not {found!r}"
            problems.append(Problem(f"merge.{name}", f"With {name}: {said}"))
    share = 1 - len(problems) / len(cases)
    return Result.from_parts("merging two summaries", points, {"cases": share}, problems)


def moments(
    summarise: Function, merge: Function, finish: Function, seed: int = 1, points: float = 4
) -> Result:
    """Points for count, sum, mean and sample variance of amounts, however they are split."""
    random = np.random.default_rng(seed)
    rows = int(random.integers(200, 400))
    datasets = {
        "ordinary amounts": list(np.round(random.lognormal(2, 1, rows), 2)),
        "amounts around a billion that differ by about 1": list(1e9 + random.normal(0, 1, rows)),
        "amounts and refunds": list(np.round(random.normal(0, 50, rows), 2)),
        "amounts of shops that differ": list(np.repeat(random.integers(1, 99, 40), 5)),
        "one amount": [float(random.integers(1, 99))],
        "no amounts": [],
    }
    plain = {name: [float(value) for value in values] for name, values in datasets.items()}
    return mergeable(
        summarise, merge, finish, plain, _finished, seed, points, TOLERANCE, title="amounts"
    )


def baskets(
    summarise: Function, merge: Function, finish: Function, seed: int = 1, points: float = 4
) -> Result:
    """Points for how many customers there were, and which three products were bought most, however the rows are split."""
    random = np.random.default_rng(seed)
    names = [f"product {n:02}" for n in random.permutation(40)]
    people = [f"customer {n}" for n in range(60)]

    def drawn(count: int, some: Sequence[str]) -> list[tuple[str, str]]:
        return [
            (people[int(random.integers(len(people)))], some[int(random.integers(len(some)))])
            for _ in range(count)
        ]

    shops = []
    for shop in range(8):  # what is fourth in every shop may be first in all of them
        own = names[3 * shop : 3 * shop + 3]
        shops += [(people[shop], product) for product in own for _ in range(9)]
        shops += [(people[shop + 1], names[-1])] * 7
    datasets = {
        "ordinary baskets": drawn(300, names),
        "a product that is nowhere among the first three": shops,
        "products that are bought equally often": [
            (people[n % 7], names[n % 5]) for n in range(50)
        ],
        "one customer in many shops": [(people[0], name) for name in names],
        "two products": drawn(30, names[:2]),
        "no baskets": [],
    }
    return mergeable(
        summarise, merge, finish, datasets, _counted, seed, points, growth=math.inf, title="baskets"
    )


def overview(function: Function, seed: int = 1, points: float = 4, rows: int = 400_000) -> Result:
    """Points for the overview of all files of a folder, and, where these are large, for the memory that it takes.

    Parameters
    ----------
    function : callable
        From a folder to a dict with ``rows``, ``revenue``, ``mean``, ``variance`` (of the column ``amount``) and ``customers``
        (different values of ``customer``).
    rows : int
        In all files. From ten million on, a call that takes more than ``MEBIBYTES`` earns nothing.
    """
    large = rows >= 10_000_000
    seed = int(np.random.default_rng([seed, rows]).integers(1 << 62))  # no other check's
    try:
        place, expected = near(function, lay_out)(rows, seed), _overview(*_tables(rows, seed))
        found, grown = measured(function, place)
        near(function, clear)(place)
    except CallFailed as failure:
        if f"{failure}".endswith(MemoryError.__name__):
            return _too_much(rows, points, "more than there was")
        message = f"With {rows:,} rows in {_FILES} files: {failure}."
        return Result.failed("the overview", points, "overview.fails when called", message)
    if large and not compare.at_most(grown, MEBIBYTES * 2**20):
        return _too_much(rows, points, f"{grown / 2**20:,.0f} MiB")
    problems = []
    wrong = [
        name
        for name, value in expected.items()
        if not isinstance(found, dict) or not alike(found.get(name), value, TOLERANCE)
    ]
    if wrong:
        said = f"In {rows:,} rows in {_FILES} files, not right: {', '.join(wrong)}."
        problems.append(Problem("overview.answer", said))
    right = 1 - len(wrong) / len(expected)
    return Result.from_parts("the overview", points, {"answers": right}, problems)


def _too_much(rows: int, points: float, used: str) -> Result:
    advice = "Read one file at a time, and keep only its summary"
    said = (
        f"For {rows:,} rows the call took {used} of memory; {MEBIBYTES} MiB are allowed. {advice}."
    )
    return Result.failed("the overview", points, "overview.memory", said)


@contextmanager
def folder(rows: int, seed: int) -> Iterator[tuple[Path, dict[str, float]]]:
    """A folder of Parquet files as from the tills of 40 shops, and its true overview. It is gone afterwards."""
    place = lay_out(rows, seed)
    try:
        yield Path(place), _overview(*_tables(rows, seed))
    finally:
        clear(place)


def lay_out(rows: int, seed: int) -> str:
    """A new folder of such files. It runs where the function does that is to read them.

    Every fourth file is the same, so that 20,000,000 rows are there in a second; the last one has no rows.
    """
    place = Path(tempfile.mkdtemp(prefix="tills-"))
    tables, _ = _tables(rows, seed)
    for number in range(_FILES - 1):
        path = place / f"shop-{number:02}.parquet"
        if number < _BLOCKS:
            tables[number].to_parquet(path, index=False)
        else:
            path.hardlink_to(place / f"shop-{number % _BLOCKS:02}.parquet")
    tables[0].head(0).to_parquet(place / f"shop-{_FILES - 1:02}.parquet", index=False)
    return str(place)


def clear(place: str) -> None:
    """Remove such a folder."""
    shutil.rmtree(place, ignore_errors=True)


def _tables(rows: int, seed: int) -> tuple[list[pd.DataFrame], list[int]]:
    """The tables that differ, and how many files have each."""
    random, size = np.random.default_rng(seed), rows // _FILES
    tables = [
        pd.DataFrame(
            {
                "till": random.integers(1, 9, size),
                "customer": random.integers(0, 60_000, size) + 20_000 * block,
                "amount": np.round(random.lognormal(2, 1, size), 2),
            }
        )
        for block in range(_BLOCKS)
    ]
    return tables, [len(range(block, _FILES - 1, _BLOCKS)) for block in range(_BLOCKS)]


def _overview(tables: Sequence[pd.DataFrame], times: Sequence[int]) -> dict[str, float]:
    count = sum(len(table) * n for table, n in zip(tables, times, strict=True))
    revenue = math.fsum(
        math.fsum(table["amount"]) * n for table, n in zip(tables, times, strict=True)
    )
    mean = revenue / count
    squares = math.fsum(
        float(((table["amount"] - mean) ** 2).sum()) * n
        for table, n in zip(tables, times, strict=True)
    )
    customers = len(set().union(*(table["customer"] for table in tables)))
    variance = squares / (count - 1)
    found = (count, customers, revenue, mean, variance)
    return dict(zip(_NAMES, found, strict=True))


def _moments(values: Sequence[float]) -> tuple[int, float, float]:
    if not values:
        return (0, 0.0, 0.0)
    mean = math.fsum(values) / len(values)
    return (len(values), mean, math.fsum((value - mean) ** 2 for value in values))


def _finished(values: Sequence[float]) -> dict[str, float | None]:
    return {
        "count": len(values),
        "sum": math.fsum(values),
        "mean": math.fsum(values) / len(values) if values else None,
        "variance": float(statistics.variance(values)) if len(values) > 1 else None,
    }


def _counted(rows: Sequence[tuple[str, str]]) -> dict[str, Any]:
    bought = Counter(product for _, product in rows)
    top = sorted(bought.items(), key=lambda pair: (-pair[1], pair[0]))[:3]
    return {"customers": len({customer for customer, _ in rows}), "top": top}
