"""Local recoding: rows that lie near each other share the ranges of their values, so that k people agree in each row.

The best such partition is hard to find (Meyerson and Williams 2004). As Mondrian does (LeFevre and others 2006), the rows are cut in two,
and the parts again, as long as both have enough people. Where Mondrian cuts at the median of the widest column, here each column and
each place is tried, and the cut taken after which the two parts lose least; all parts are cut at once, in whole columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import polars as pl

from sharewell.errors import SharewellError

if TYPE_CHECKING:
    import pandas as pd

Frame = TypeVar("Frame", pl.DataFrame, "pd.DataFrame")


def partitioned(
    table: Frame, quasi_identifiers: Sequence[str], k: int, sensitive: str = "", l: int = 1
) -> tuple[Frame, float]:
    """The table with ranges in the place of its quasi-identifiers, so that each row agrees with k - 1 others in them.

    Parameters
    ----------
    table : polars.DataFrame or pandas.DataFrame
    quasi_identifiers : sequence of str
        Numbers, days, texts (in alphabetical order), or booleans; what is missing comes before all others.
    k : int
    sensitive, l : str and int
        A column of which the rows that agree have at least l different values.

    Returns
    -------
    table : as given
        Quasi-identifiers as text: ``34``, or ``34 to 40``.
    loss : float
        The global certainty penalty, 0 to 1: of each value, the share of its column's range that it is given as; of texts, of its
        other values.

    Raises
    ------
    SharewellError
        Fewer than k rows or l values, or a column that is not there.
    """
    made = table if isinstance(table, pl.DataFrame) else pl.from_pandas(table)
    names: list[str] = list(quasi_identifiers)
    if missing := [n for n in [*names, *filter(None, [sensitive])] if n not in made.columns]:
        raise SharewellError(f"there is no column {missing[0]!r}")
    if not names or len(made) < k or k < 1:
        raise SharewellError(f"no {k} of {len(made)} rows can agree in {', '.join(names) or '()'}")
    if sensitive and made[sensitive].n_unique() < l:
        raise SharewellError(f"{sensitive} has fewer than {l} different values")
    columns = [_ranked(made[name]) for name in names]
    held = made[sensitive].rank("dense").fill_null(0) if sensitive else pl.Series([0] * len(made))
    keys = {f"{n}": column.ranks for n, column in enumerate(columns)}
    every = pl.DataFrame({**keys, "held": held.cast(pl.Int64).to_numpy()}).with_row_index("row")
    rows = every.group_by(*keys, "held").agg(pl.len().alias("n"), pl.col("row"))
    ranks = [rows[key].to_numpy() for key in keys]
    parts = _Cutter(
        columns, ranks, rows["n"].to_numpy().astype(np.int64), rows["held"].to_numpy(), k, l
    ).parts()
    part = np.empty(len(made), dtype=np.int64)
    part[rows["row"].explode().to_numpy()] = np.repeat(parts, rows["n"].to_numpy())
    lost, given = 0.0, []
    for name, column in zip(names, columns, strict=True):
        low, high = _extent(column.ranks, part)
        lost += float((column.places[high] - column.places[low]).clip(0, 1).mean())
        given.append(column.words(low, high).alias(name))
    done = made.with_columns(given)
    return (done if isinstance(table, pl.DataFrame) else done.to_pandas()), lost / len(names)


@dataclass(frozen=True)
class _Ranked:
    """A column: its distinct values in order, where they lie between 0 and 1, and the number of each row's value."""

    values: pl.Series
    places: np.ndarray
    ranks: np.ndarray

    def words(self, low: np.ndarray, high: np.ndarray) -> pl.Series:
        text = self.values.cast(pl.String).fill_null("missing")
        both = pl.DataFrame({"low": text.gather(low), "high": text.gather(high)})
        one = pl.col("low") == pl.col("high")
        said = pl.when(one).then(pl.col("low")).otherwise(pl.format("{} to {}", "low", "high"))
        return both.select(said).to_series()


def _ranked(column: pl.Series) -> _Ranked:
    values = column.unique().sort(nulls_last=False)
    ranks = column.replace_strict(values, pl.Series(np.arange(len(values)))).to_numpy()
    if column.dtype.is_numeric() or column.dtype.is_temporal():
        found = values.to_physical().cast(pl.Float64).fill_nan(None)
    else:
        found = pl.Series(np.arange(len(values), dtype=float))
        found = found.set(values.is_null(), None)
    low, high = found.min(), found.max()
    span = (high - low) or 1.0 if len(found.drop_nulls()) else 1.0  # type: ignore[operator]
    places = ((found - low) / span).fill_null(-1.0).to_numpy()  # missing: as far away as can be
    return _Ranked(values, places, ranks.astype(np.int64))


@dataclass
class _Cutter:
    """Distinct rows, how many people each is about, and the cutting of them into parts."""

    columns: list[_Ranked]
    ranks: list[np.ndarray]
    people: np.ndarray
    held: np.ndarray
    k: int
    l: int

    def parts(self) -> np.ndarray:
        """The number of each row's part."""
        found = np.zeros(len(self.people), dtype=np.int64)
        rows, part, done = (
            np.arange(len(self.people)),
            np.zeros(len(self.people), dtype=np.int64),
            0,
        )
        while len(rows):
            column, cut = self._cuts(rows, part)
            ends = column[part] < 0
            _, numbers = np.unique(part[ends], return_inverse=True)
            found[rows[ends]] = done + numbers
            done += int(numbers.max(initial=-1)) + 1
            rows, part = rows[~ends], part[~ends]
            ranks = (
                np.choose(column[part], [ranks[rows] for ranks in self.ranks])
                if len(rows)
                else rows
            )
            _, part = np.unique(2 * part + (ranks > cut[part]), return_inverse=True)
        return found

    def _cuts(self, rows: np.ndarray, part: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """For each part the column in which it is best cut, or -1, and the last rank on the lower side."""
        count = int(part.max()) + 1
        least = np.full(count, np.inf)
        column, cut = np.full(count, -1), np.zeros(count, dtype=np.int64)
        for number in range(len(self.columns)):
            costs, ordered, at = self._costs(number, rows, part)
            first = np.flatnonzero(np.diff(at, prepend=-1))
            lowest = np.minimum.reduceat(costs, first)
            here = np.flatnonzero(
                np.isfinite(costs) & (costs == np.repeat(lowest, np.diff(first, append=len(at))))
            )
            _, one = np.unique(at[here], return_index=True)
            here = here[one]
            here = here[costs[here] < least[at[here]]]
            least[at[here]], column[at[here]] = costs[here], number
            cut[at[here]] = self.ranks[number][ordered[here]]
        return column, cut

    def _costs(
        self, number: int, rows: np.ndarray, part: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """What is lost when a part is cut after each row, in the order of a column; infinite where it cannot be."""
        ranks = self.ranks[number][rows]
        order = np.argsort(part * len(self.columns[number].values) + ranks, kind="stable")
        rows, at, ranks = rows[order], part[order], ranks[order]
        below = _running(self.people[rows], at)
        total = np.bincount(at, weights=self.people[rows])[at].astype(np.int64)
        above = total - below
        can = np.append((at[1:] == at[:-1]) & (ranks[1:] != ranks[:-1]), False)
        can &= (below >= self.k) & (above >= self.k)
        if self.l > 1:
            can &= self._different(rows, at) >= self.l
            can[:-1] &= (self._different(rows[::-1], at[::-1])[::-1] >= self.l)[1:]
        lost = below * self._spread(rows, at)
        lost[:-1] += above[:-1] * self._spread(rows[::-1], at.max() - at[::-1])[::-1][1:]
        return np.where(can, lost, np.inf), rows, at

    def _spread(self, rows: np.ndarray, at: np.ndarray) -> np.ndarray:
        """The ranges, added up over all columns, of each row and those before it in its part."""
        spread = np.zeros(len(rows))
        for column, ranks in zip(self.columns, self.ranks, strict=True):
            size, own = len(column.values), ranks[rows]
            high = np.maximum.accumulate(own + at * size) - at * size
            low = size - 1 - (np.maximum.accumulate(size - 1 - own + at * size) - at * size)
            spread += (column.places[high] - column.places[low]).clip(0, 1)
        return spread

    def _different(self, rows: np.ndarray, at: np.ndarray) -> np.ndarray:
        """How many different sensitive values each row and those before it in its part have."""
        pairs = at * (int(self.held.max()) + 1) + self.held[rows]
        _, first = np.unique(pairs, return_index=True)
        new = np.zeros(len(rows), dtype=np.int64)
        new[first] = 1
        return _running(new, at)


def _running(values: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Sums from the beginning of each part."""
    sums = np.cumsum(values)
    first = np.flatnonzero(np.diff(at, prepend=at[0] - 1))
    before = sums[first] - values[first]
    return np.asarray(sums - np.repeat(before, np.diff(first, append=len(at))))


def _extent(ranks: np.ndarray, part: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The lowest and the highest rank in each row's part."""
    low = np.full(int(part.max()) + 1, np.iinfo(np.int64).max)
    high = np.full(len(low), -1)
    np.minimum.at(low, part, ranks)
    np.maximum.at(high, part, ranks)
    return low[part], high[part]
