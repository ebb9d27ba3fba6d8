"""How much a k-anonymous table loses, and how long it takes to make: python benchmarks/recoding.py [ROWS] [REPETITIONS]

The residents of Datapolis, with coarse and with fine quasi-identifiers: the best levels of their hierarchies (recoded), ranges for each
row (partitioned), and Mondrian (LeFevre, DeWitt and Ramakrishnan 2006), in turn, medians. The loss is the global certainty penalty.
"""

from __future__ import annotations

import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from importlib.metadata import version

import datapolis
import numpy as np
import polars as pl
from rich.console import Console
from rich.progress import track
from rich.table import Table
from sharewell.deidentify import partitioned, recoded

SHORES = ("Harbourside", "Lakeview", "Saltwick Island", "Eastmarsh", "Southfield")
SCHOOLS = ("none yet", "primary", "secondary", "vocational")
COARSE = {
    "age": [5, 10, 20, 40],
    "sex": {},
    "district": {
        name: ["shore" if name in SHORES else "land"] for name in datapolis.codelist("district")
    },
    "education": {
        name: ["school" if name in SCHOOLS else "degree"]
        for name in datapolis.codelist("education")
    },
}
FINE = {**COARSE, "income": [1_000, 2_000, 5_000, 10_000, 20_000]}


def main() -> None:
    rows, repetitions = [*map(int, sys.argv[1:]), *[1_000_000, 5][len(sys.argv) - 1 :]]
    table = residents(rows)
    console = Console(width=110)
    for name, hierarchies in (("coarse", COARSE), ("fine", FINE)):
        keys = list(hierarchies)
        distinct = table.select(keys).n_unique()
        title = (
            f"{rows:,} rows, {name} quasi-identifiers: {', '.join(keys)} ({distinct:,} distinct)"
        )
        shown = Table(title=title, title_justify="left")
        for heading in ("k", "", "loss", "of Mondrian's", "s", "times Mondrian's", "left out"):
            shown.add_column(heading, justify="left" if not heading else "right")
        for k in (5, 20):
            measured(shown, table, hierarchies, k, repetitions)
        console.print(shown, "")
    console.print(
        f"Python {platform.python_version()}, polars {version('polars')}, numpy {version('numpy')}; {os.cpu_count()} cores, "
        f"{platform.machine()}, {platform.system()}"
    )


def residents(rows: int) -> pl.DataFrame:
    """Residents with an income, and their age at the end of 2025, from a country that is large enough."""
    found = datapolis.load("residents", scale=2 * rows / 100_000, as_="polars")
    age = 2025 - pl.col("birth_date").dt.year()
    return found.with_columns(age.alias("age")).select([*FINE]).drop_nulls().head(rows)


def measured(
    shown: Table, table: pl.DataFrame, hierarchies: dict, k: int, repetitions: int
) -> None:  # type: ignore[type-arg]
    keys = list(hierarchies)
    ways: dict[str, Callable[[], tuple[float, float]]] = {
        "Mondrian": lambda: (mondrian(table, keys, k), 0.0),
        "partitioned": lambda: (partitioned(table, keys, k)[1], 0.0),
        "recoded": lambda: best(table, hierarchies, k),
    }
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    found = {}
    for _ in track(range(repetitions), f"k = {k}", transient=True):
        for name, way in ways.items():
            begun = time.perf_counter()
            found[name] = way()
            seconds[name].append(time.perf_counter() - begun)
    for name, (loss, left_out) in found.items():
        ratio = statistics.median(
            own / theirs for own, theirs in zip(seconds[name], seconds["Mondrian"], strict=True)
        )
        took = statistics.median(seconds[name])
        share = loss / found["Mondrian"][0]
        row = (f"{loss:.3%}", f"{share:.2f}", f"{took:.2f}", f"{ratio:.2f}", f"{left_out:.1%}")
        shown.add_row(str(k), name, *row)


def best(table: pl.DataFrame, hierarchies: dict, k: int) -> tuple[float, float]:  # type: ignore[type-arg]
    found = recoded(table, hierarchies, k)
    assert found.optimal
    found.recipe.apply(table)
    return found.loss, found.suppressed


def mondrian(table: pl.DataFrame, keys: Sequence[str], k: int) -> float:
    """The loss of Mondrian's strict partitioning: the widest column that can be is cut at its median, on either side of it.

    On the distinct rows with how often each occurs, which gives the same parts sooner. The ranges are written as texts, as ours are.
    """
    rows = table.group_by(keys).len()
    people = rows["len"].to_numpy().astype(np.int64)
    ranks, places = [], []
    for key in keys:
        values = rows[key].unique().sort()
        ranks.append(rows[key].replace_strict(values, pl.Series(np.arange(len(values)))).to_numpy())
        number = values.dtype.is_numeric()
        found = values.to_numpy() if number else np.arange(len(values))
        places.append((found - found.min()) / max(found.max() - found.min(), 1))
    codes = np.column_stack(ranks)
    lows, highs = np.empty_like(codes), np.empty_like(codes)
    parts = [np.arange(len(people))]
    while parts:
        part = parts.pop()
        own, weights = codes[part], people[part]
        low, high = own.min(axis=0), own.max(axis=0)
        spans = [p[h] - p[lo] for p, lo, h in zip(places, low, high, strict=True)]
        cut = cutting(own, weights, np.argsort(spans)[::-1], k) if weights.sum() >= 2 * k else None
        if cut is None:
            lows[part], highs[part] = low, high
        else:
            parts += [part[cut], part[~cut]]
    lost = sum(float(people @ (p[highs[:, n]] - p[lows[:, n]])) for n, p in enumerate(places))
    given = [labels(rows[key], lows[:, n], highs[:, n], key) for n, key in enumerate(keys)]
    table.join(rows.select(keys).with_columns(given), on=keys, how="left")
    return lost / int(people.sum()) / len(keys)


def cutting(
    own: np.ndarray, weights: np.ndarray, columns: Sequence[int], k: int
) -> np.ndarray | None:
    total = weights.sum()
    for column in columns:
        values = own[:, column]
        below = np.cumsum(np.bincount(values, weights=weights))
        median = int(np.searchsorted(below, total / 2))
        for last in (median, median - 1):
            if last >= 0 and k <= below[last] <= total - k:
                return np.asarray(values <= last)
    return None


def labels(values: pl.Series, low: np.ndarray, high: np.ndarray, key: str) -> pl.Series:
    text = values.unique().sort().cast(pl.String)
    both = pl.DataFrame({"low": text.gather(low), "high": text.gather(high)})
    one = pl.col("low") == pl.col("high")
    said = pl.when(one).then(pl.col("low")).otherwise(pl.format("{} to {}", "low", "high"))
    return both.select(said.alias(f"{key} range")).to_series()


if __name__ == "__main__":
    main()
