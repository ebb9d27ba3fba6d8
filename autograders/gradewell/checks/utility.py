"""What an analyst can still learn from a released table, and what that is worth against the risk.

The analyst reads a group as any of the values in it, all equally likely: the usual reading of generalised tables (LeFevre and
others 2006, the query experiments). So a range costs accuracy only as far as queries cut through it.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from pandas.api.types import is_bool_dtype, is_numeric_dtype

from gradewell.checks import compare
from gradewell.checks.coding import NONE, Coarser, between
from gradewell.checks.result import Figure, Problem, Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_BINS = 20
"""Numbers and dates with more values than this are compared in bins of equal weight."""


@dataclass(frozen=True)
class Loss:
    """What a release lost of the truth; every part is 0 (nothing) to 1 (everything).

    ``queries`` is the mean relative error of counts, each at most 1; ``marginals`` and ``joints`` are mean total variation
    distances of the distributions of single columns and of pairs.
    """

    queries: float
    marginals: float
    joints: float

    @property
    def total(self) -> float:
        """The mean of the three."""
        return (self.queries + self.marginals + self.joints) / 3


def loss(
    release: pd.DataFrame,
    truth: pd.DataFrame,
    columns: Sequence[str],
    seed: int,
    coarser: Coarser = NONE,
    queries: int = 200,
) -> Loss:
    """Compare a release with the truth.

    Parameters
    ----------
    release, truth : pandas.DataFrame
        A column that the release lacks is one of which it says nothing.
    columns : sequence of str
        What analysts ask about.
    seed : int
        Of the queries.
    coarser : mapping, optional
        Names of groups that the release may use: see ``gradewell.checks.coding``.
    queries : int
        Random questions "how many people have these values": of one to three columns, each with a range or a set of values
        that holds a fifth to four fifths of all people. Errors are relative to the true count, or to one in a hundred of all people
        where it is less.

    Returns
    -------
    Loss
    """
    if not len(truth):
        raise ValueError("without people there is nothing to lose")
    release = compare.plain(release)
    views = [_View(release, truth, column, coarser) for column in columns]
    weight = min(1.0, len(release) / len(truth))  # rows that were left out are lost
    marginals = [1 - weight * (1 - _variation(v.truth, v.said)) for v in views]
    joints = [
        1 - weight * (1 - _variation(*(_joint(one, other, side) for side in ("truth", "said"))))
        for one, other in combinations(views, 2)
    ]
    errors = [
        _error(views, np.random.default_rng((seed, number)), len(truth))
        for number in range(queries)
    ]
    return Loss(
        float(np.mean(errors)),
        float(np.mean(marginals)),
        float(np.mean(joints or marginals)),
    )


class _View:
    """One column: for each row of the truth and of the release, how likely each value is."""

    def __init__(
        self, release: pd.DataFrame, truth: pd.DataFrame, column: str, coarser: Coarser
    ) -> None:
        true = truth[column]
        bins, self.ordered = _binned(true)
        names = list(bins.cat.categories)
        self.truth = np.eye(len(names), dtype=np.float32)[bins.cat.codes]
        values = [v for v in true.drop_duplicates().astype(object) if not pd.isna(v)]
        group = pd.Series(bins.to_numpy(), index=true.astype(object)).groupby(level=0).first()
        member = np.zeros((len(values), len(names)), dtype=np.float32)
        member[np.arange(len(values)), [names.index(group[v]) for v in values]] = 1
        if column not in release:
            self.said = np.full((len(release), len(names)), 1 / len(names), dtype=np.float32)
            return
        codes, said = pd.factorize(release[column].astype(object), use_na_sentinel=False)
        meant = (between(list(said), values, coarser.get(column, {})) == 0).astype(np.float32).T
        shares = meant / np.maximum(meant.sum(axis=1, keepdims=True), 1)
        self.said = (shares @ member)[codes]  # a value that stands for nobody adds up to 0


def _binned(column: pd.Series) -> tuple[pd.Series, bool]:
    """A column's values, or bins of them, as categories; and whether these have an order."""
    dates = pd.to_datetime(column).dt.year if _is_date(column) else column
    numbers = is_numeric_dtype(dates) and not is_bool_dtype(dates)
    if numbers and dates.nunique() > _BINS:
        return pd.qcut(dates, _BINS, duplicates="drop").cat.codes.astype("category"), True
    return dates.astype(object).where(dates.notna(), "none").astype("category"), bool(numbers)


def _is_date(column: pd.Series) -> bool:
    first = column.dropna()
    return bool(len(first)) and isinstance(first.iloc[0], datetime.date)


def _joint(one: _View, other: _View, side: str) -> np.ndarray:
    left, right = getattr(one, side), getattr(other, side)
    return (left.T @ right).reshape(1, -1)


def _variation(truth: np.ndarray, said: np.ndarray) -> float:
    """The total variation distance of two sums of rows."""
    p, q = truth.sum(axis=0, dtype=float), said.sum(axis=0, dtype=float)
    if not q.sum():
        return 1.0
    return float(abs(p / p.sum() - q / q.sum()).sum() / 2)


def _error(views: Sequence[_View], random: np.random.Generator, people: int) -> float:
    """The relative error of one random count, at most 1."""
    size = int(random.integers(1, min(3, len(views)) + 1))
    truth: Any = 1.0
    said: Any = 1.0
    for number in random.choice(len(views), size, replace=False):
        view = views[number]
        wanted = _some(view, random)
        truth, said = (
            truth * view.truth[:, wanted].sum(axis=1),
            said * view.said[:, wanted].sum(axis=1),
        )
    true, told = float(np.sum(truth)), float(np.sum(said))
    return min(1.0, abs(told - true) / max(true, people / 100))


def _some(view: _View, random: np.random.Generator) -> np.ndarray:
    """Values that together hold a fifth to four fifths of the people: a run where there is an order."""
    share = view.truth.mean(axis=0)
    order = np.arange(len(share)) if view.ordered else random.permutation(len(share))
    start = int(random.integers(len(share)))
    order = np.roll(order, -start)
    target = random.uniform(0.2, 0.8)
    return order[: 1 + int(np.searchsorted(np.cumsum(share[order]), target))]


def frontier(
    risk: float,
    lost: float,
    references: Sequence[tuple[float, float]],
    points: float,
    title: str = "risk and utility",
) -> Result:
    """Points for where a release lies between risk and lost utility, without a threshold on either.

    The score is the area that the release dominates, (1 - risk) times (1 - loss), over the largest area of the references: the
    hypervolume indicator of one point (Zitzler and Thiele 1999). Publishing everything earns nothing, and so
    does publishing nothing.

    Parameters
    ----------
    risk, lost : float
        0 to 1.
    references : sequence of (risk, loss)
        What is known to be possible, such as the model solution's release.

    Returns
    -------
    Result
        Full points from the best reference on; less in proportion below it.
    """
    for value in (risk, lost):
        if not 0 <= value <= 1:
            raise ValueError(f"risk and loss are 0 to 1, not {value!r}")
    best = max((1 - r) * (1 - u) for r, u in references)
    if best <= 0:
        raise ValueError("no reference dominates anything")
    share = min(1.0, (1 - risk) * (1 - lost) / best)
    problems = []
    if share < 1:
        r, u = max(references, key=lambda point: (1 - point[0]) * (1 - point[1]))
        advice = f"It can be done with a risk of {r:.0%} and a loss of {u:.0%}"
        problems.append(
            Problem(
                "utility.frontier",
                f"Your release has a risk of {risk:.0%} and loses {lost:.0%} of the utility. {advice}.",
            )
        )
    rows = (("your release", risk, lost), *(("a reference", r, u) for r, u in references))
    return Result.from_parts(title, points, {"area": share}, problems).showing(
        _plane(risk, lost, references, best),
        pd.DataFrame(rows, columns=["", "risk", "utility lost"]),
    )


def _plane(
    risk: float, lost: float, references: Sequence[tuple[float, float]], best: float
) -> Figure:
    def draw(axes: Axes) -> None:
        across = np.linspace(0, 1 - best, 100)
        axes.fill_between(across, 1 - best / (1 - across), color="#009E73", alpha=0.15, linewidth=0)
        axes.plot(across, 1 - best / (1 - across), color="#009E73", label="as good as the best")
        axes.scatter(*zip(*references, strict=True), marker="o", color="black", label="references")
        axes.scatter([risk], [lost], marker="*", s=180, color="#D55E00", label="your release")
        axes.set(xlim=(0, 1), ylim=(0, 1), xlabel="risk", ylabel="utility lost")
        axes.legend(loc="upper right")

    return Figure(
        draw,
        f"Risk {risk:.0%} and utility lost {lost:.0%}, beside {len(references)} references; lower left is better.",
    )
