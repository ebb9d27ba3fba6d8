"""Global recoding: every value of a column given at one level of its hierarchy, so that k people agree in each row, with the least loss.

The loss is the global certainty penalty (Xu and others 2006; Ghinita and others 2007): of each value, the share of its column's range, or
of its other categories, with which it is given; 1 for what is left out; the mean over all values. The search is exact (best first, with
the nodes cut away that fail already in two of their columns, after Incognito, LeFevre and others 2005), where the lattice is small.
"""

from __future__ import annotations

import heapq
import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from sharewell.deidentify.recipe import Recipe
from sharewell.errors import SharewellError

if TYPE_CHECKING:
    import pandas as pd

Hierarchy = Sequence[int] | Mapping[Any, Sequence[Any]]
"""The widths of bands of numbers, from fine to coarse; or for each value the groups to which it belongs, from small to large."""
Node = tuple[int, ...]
"""A level for each column: 0 is as it is, the last is left out."""
CHEAP = 50_000
"""Nodes up to which all are searched."""


@dataclass(frozen=True)
class Recoding:
    """How a table is recoded, and what is lost.

    Attributes
    ----------
    recipe : Recipe
        What does it.
    loss : float
        The global certainty penalty, 0 to 1.
    suppressed : float
        The share of the rows that are left out.
    optimal : bool
        Whether no other choice of levels loses less; else it is one that no single step improves.
    """

    recipe: Recipe
    loss: float
    suppressed: float
    optimal: bool


def recoded(
    table: pl.DataFrame | pd.DataFrame,
    hierarchies: Mapping[str, Hierarchy],
    k: int,
    suppress: float = 0.05,
) -> Recoding:
    """The recoding with which each row agrees with k - 1 others in the quasi-identifiers.

    Where the levels can be chosen in more than ``CHEAP`` ways, a heuristic takes the place of the search: from the finest level, the step
    up that loses least, until few enough rows are left out; then steps down again as long as one gains.

    Parameters
    ----------
    hierarchies : mapping of str to hierarchy
        For each quasi-identifier. To leave a column out is always the last level.
    k : int
    suppress : float
        The share of the rows that may be left out.

    Raises
    ------
    SharewellError
        Fewer than k rows, a column that is not there, or a hierarchy that lacks a value.
    """
    made = table if isinstance(table, pl.DataFrame) else pl.from_pandas(table)
    if len(made) < k or k < 1:
        raise SharewellError(f"no {k} rows can agree in a table of {len(made)}")
    if missing := [name for name in hierarchies if name not in made.columns]:
        raise SharewellError(f"there is no column {missing[0]!r}")
    if not hierarchies or not 0 <= suppress < 1:
        raise SharewellError("quasi-identifiers are named, and a share is left out from 0 to 1")
    lattice = _Lattice(made, hierarchies, k, suppress)
    cheap = math.prod(lattice.sizes) <= CHEAP
    node = lattice.best() if cheap else lattice.good()
    loss, left_out = lattice.measured(node)
    return Recoding(Recipe.of(lattice.steps(node)), loss, left_out, cheap)


@dataclass
class _Column:
    """A quasi-identifier: for each level the step that leads there, the group of each value, and what that loses."""

    name: str
    steps: list[Mapping[str, Any]]
    groups: list[np.ndarray]
    penalties: list[np.ndarray]


@dataclass
class _Lattice:
    """All choices of levels for the distinct rows of a table, and what each loses."""

    table: pl.DataFrame
    hierarchies: Mapping[str, Hierarchy]
    k: int
    suppress: float
    columns: list[_Column] = field(init=False)
    known: dict[Node, tuple[float, float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        names = list(self.hierarchies)
        rows = self.table.group_by(names).len()
        self.counts = rows["len"].to_numpy().astype(np.int64)
        self.total = int(self.counts.sum())
        self.values = []
        self.columns = []
        for name in names:
            distinct = rows[name].unique().sort()
            places = pl.Series(np.arange(len(distinct)))
            self.values.append(rows[name].replace_strict(distinct, places).to_numpy())
            self.columns.append(_column(name, distinct, self.hierarchies[name]))

    @property
    def sizes(self) -> list[int]:
        return [len(column.groups) for column in self.columns]

    def best(self) -> Node:
        """The node that loses least. One that lies above another cannot lose less than that one's bound."""
        start = (0,) * len(self.columns)
        queue, seen = [(self.bound(start), start)], {start}
        best, least = tuple(size - 1 for size in self.sizes), math.inf
        while queue:
            bound, node = heapq.heappop(queue)
            if bound >= least:
                break
            if not self._fails_in_two(node):
                loss, left_out = self.measured(node)
                if left_out <= self.suppress and loss < least:
                    best, least = node, loss
            for above in self._steps_up(node):
                if above not in seen:
                    seen.add(above)
                    heapq.heappush(queue, (self.bound(above), above))
        return best

    def good(self) -> Node:
        """A node that no single step improves."""
        node: Node = (0,) * len(self.columns)
        while self.measured(node)[1] > self.suppress:
            node = min(self._steps_up(node), key=lambda n: (self.measured(n)[0], n))
        while True:
            below = [n for n in self._steps_down(node) if self.measured(n)[1] <= self.suppress]
            better = [n for n in below if self.measured(n)[0] < self.measured(node)[0]]
            if not better:
                return node
            node = min(better, key=lambda n: (self.measured(n)[0], n))

    def bound(self, node: Node) -> float:
        """The loss if no row had to be left out."""
        return float(self.counts @ self._penalty(node)) / self.total

    def measured(self, node: Node) -> tuple[float, float]:
        """The loss, and the share of the rows that are left out."""
        if node not in self.known:
            weighed = pl.DataFrame(
                {
                    "n": self.counts,
                    "lost": self.counts * self._penalty(node),
                    "class": self._class(node),
                }
            )
            classes = weighed.group_by("class").agg(pl.col("n").sum(), pl.col("lost").sum())
            small = int(classes.filter(pl.col("n") < self.k)["n"].sum())
            lost = float(classes.filter(pl.col("n") >= self.k)["lost"].sum())
            self.known[node] = (lost + small) / self.total, small / self.total
        return self.known[node]

    def steps(self, node: Node) -> list[Mapping[str, Any]]:
        """The recipe of a node."""
        chosen = zip(self.columns, node, strict=True)
        made = [column.steps[level] for column, level in chosen if level]
        kept = [
            c.name for c, level in zip(self.columns, node, strict=True) if level < len(c.groups) - 1
        ]
        small = {"suppress": {"quasi_identifiers": kept, "k": self.k}}
        return [*made, small] if kept and self.measured(node)[1] else made

    def _penalty(self, node: Node) -> np.ndarray:
        each = zip(self.columns, self.values, node, strict=True)
        return np.asarray(sum(c.penalties[level][v] for c, v, level in each) / len(node))

    def _class(self, node: Node) -> np.ndarray:
        number = np.zeros(len(self.counts), dtype=np.int64)
        for column, values, level in zip(self.columns, self.values, node, strict=True):
            groups = column.groups[level]
            number = number * (int(groups.max()) + 1) + groups[values]
        return number

    def _fails_in_two(self, node: Node) -> bool:
        """Whether too many rows are rare in two columns alone: then they are in all."""
        last = [size - 1 for size in self.sizes]
        for pair in itertools.combinations(range(len(node)), min(2, len(node))):
            alone = tuple(level if n in pair else last[n] for n, level in enumerate(node))
            if alone != node and self.measured(alone)[1] > self.suppress:
                return True
        return False

    def _steps_up(self, node: Node) -> list[Node]:
        sizes = self.sizes
        return [_moved(node, n, 1) for n in range(len(node)) if node[n] + 1 < sizes[n]]

    @staticmethod
    def _steps_down(node: Node) -> list[Node]:
        return [_moved(node, n, -1) for n in range(len(node)) if node[n]]


def _moved(node: Node, column: int, by: int) -> Node:
    return (*node[:column], node[column] + by, *node[column + 1 :])


def _column(name: str, distinct: pl.Series, hierarchy: Hierarchy) -> _Column:
    """The levels of a column, made by the steps of a recipe, so that these do the same to the table."""
    steps: list[Mapping[str, Any]]
    if isinstance(hierarchy, Mapping):
        levels = max((len(above) for above in hierarchy.values()), default=0)
        along = {"column": name, "along": hierarchy}
        steps = [{"generalise": {**along, "level": level}} for level in range(1, levels + 1)]
    else:
        steps = [{"band": {"column": name, "width": width}} for width in hierarchy]
    groups, penalties = [np.arange(len(distinct))], [np.zeros(len(distinct))]
    for step in steps:
        made = Recipe.of([step]).apply(distinct.to_frame(name))[name]
        groups.append(made.fill_null("").rank("dense").to_numpy().astype(np.int64) - 1)
        penalties.append(_penalties(distinct, groups[-1], step))
    groups.append(np.zeros(len(distinct), dtype=np.int64))
    penalties.append(np.ones(len(distinct)))
    return _Column(name, [{}, *steps, {"drop": [name]}], groups, penalties)


def _penalties(distinct: pl.Series, groups: np.ndarray, step: Mapping[str, Any]) -> np.ndarray:
    if "band" in step:
        known = distinct.drop_nulls()
        span = float(known.max() - known.min()) if len(known) else 0.0  # type: ignore[operator,arg-type]
        return np.full(len(distinct), min(1.0, (step["band"]["width"] - 1) / span if span else 0.0))
    sizes = np.bincount(groups)[groups]
    return (sizes - 1) / max(len(distinct) - 1, 1)
