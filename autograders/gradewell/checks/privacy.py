"""Is a mechanism as private as it says? Run it, many times, on two tables that differ in one person.

An audit bounds epsilon from below, with a stated confidence: it can show that a claim is wrong, never that it is right.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gradewell.checks import compare
from gradewell.checks.calls import CallFailed, repeated
from gradewell.checks.interval import clopper_pearson
from gradewell.checks.result import Figure, Problem, Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FALSE_ALARM = 1e-6
"""How often, at most, an honest mechanism is accused by one of these checks."""


@dataclass(frozen=True)
class Audit:
    """What was found out about epsilon.

    ``epsilon`` is at least as large as this, with ``confidence``; ``event`` says by which outputs the two tables were told
    apart, and ``shares`` how often they came from each. ``estimate`` is what epsilon is by this event as it was counted, and ``high``
    the other end of its interval: no bound of epsilon, since another event could tell the tables apart better. ``draws`` are outputs
    for both, for a figure (numbers only).
    """

    epsilon: float
    confidence: float
    event: str
    shares: tuple[float, float]
    estimate: float
    high: float
    draws: tuple[np.ndarray, np.ndarray] | None = None


def audit(
    mechanism: Callable[[Any], Any],
    table: Any,
    neighbour: Any,
    times: int = 5_000,
    confidence: float = 1 - FALSE_ALARM,
    arguments: Sequence[Any] = (),
    read: Callable[[Any], Any] = lambda output: output,
) -> Audit:
    """A lower bound for the epsilon of a mechanism (Ding and others 2018; Jagielski and others 2020).

    On the first half of the runs the event is chosen that tells both tables apart best; on the other half it is counted, so that
    the choice does not flatter the bound. The two shares are bounded by Clopper and Pearson's intervals.

    Parameters
    ----------
    mechanism : callable
        From a table, and ``arguments``, to what ``read`` makes a number, a sequence of numbers, or a hashable value.
    table, neighbour
        They differ in one person.
    times : int
        Runs on each table.
    confidence : float
        That the bound holds.

    Raises
    ------
    CallFailed
        The mechanism raised, or gave something of another kind.
    """
    one, other = (
        _outputs(_read(read, repeated(mechanism, times, some, *arguments)))
        for some in (table, neighbour)
    )
    half = times // 2
    if isinstance(one, np.ndarray) and isinstance(other, np.ndarray):
        if one.shape[1] != other.shape[1]:
            raise CallFailed("the mechanism gives more numbers for one table than for another")
        options: list[tuple[str, Callable[[Any], np.ndarray], tuple[Any, Any]]] = [
            (f"{what} {beyond}", event, pair)
            for what, pair in _lines(one, other, half).items()
            for beyond, event in _tails(pair[0][:half], pair[1][:half]).items()
        ]
    elif isinstance(one, np.ndarray) or isinstance(other, np.ndarray):
        raise CallFailed("the mechanism gives numbers for one table and something else for another")
    else:
        values = list(dict.fromkeys([*one[:half], *other[:half]]))[:200]
        options = [(f"the output is {value!r}", _equals(value), (one, other)) for value in values]
    chosen = {
        _counts(event, pair, slice(half)): (name, event, pair) for name, event, pair in options
    }
    best = max(
        chosen,
        key=lambda counts: [
            _bounds(max(counts), min(counts), half, sure)[0]
            for sure in (confidence, 0.9)  # the second decides where nothing is sure
        ],
    )
    name, event, pair = chosen[best]
    often, seldom = _counts(event, pair, slice(half, times))
    if best[0] < best[1]:
        often, seldom = seldom, often
    runs = times - half
    epsilon, high = _bounds(often, seldom, runs, confidence)
    shares = (often / runs, seldom / runs)
    draws = pair if isinstance(one, np.ndarray) else None
    return Audit(epsilon, confidence, name, shares, _ratio(*shares), high, draws)


def _read(read: Callable[[Any], Any], outputs: list[Any]) -> list[Any]:
    try:
        return [read(output) for output in outputs]
    except (AttributeError, TypeError, LookupError):
        raise CallFailed("the mechanism gives something of another kind") from None


def _outputs(found: list[Any]) -> np.ndarray | list[Hashable]:
    """Numbers as an array of shape (runs, numbers of each); anything else as it is."""
    not_labels = (int, float, complex, np.number, tuple, compare.Strange)
    if all(isinstance(value, Hashable) and not isinstance(value, not_labels) for value in found):
        return found
    try:
        numbers = np.array(found, dtype=float)
    except (TypeError, ValueError, OverflowError):
        raise CallFailed(
            "the mechanism has to give a number, a sequence of as many numbers each time, or a text"
        ) from None
    if not numbers.size:
        raise CallFailed("the mechanism gives a sequence without numbers")
    if not np.isfinite(numbers).all():
        raise CallFailed("the mechanism gives numbers that are not finite")
    return numbers.reshape(len(found), -1)


def _lines(
    one: np.ndarray, other: np.ndarray, half: int
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Vectors as single numbers, by what these are: each coordinate, and one line through all.

    A coordinate shows that one of the numbers has no noise for one of the tables. The line is Fisher's discriminant of the first halves:
    the direction in which the means are furthest apart for the noise that there is, so that noise which all numbers share does not hide them.
    """
    if one.shape[1] == 1:
        return {"the output": (one[:, 0], other[:, 0])}
    lines = {f"number {n} of the output": (one[:, n - 1], other[:, n - 1]) for n in range(1, one.shape[1] + 1)}  # fmt: skip
    apart = one[:half].mean(axis=0) - other[:half].mean(axis=0)
    if apart.any():
        spread = np.cov(one[:half].T) + np.cov(other[:half].T)
        spread += np.eye(len(apart)) * max(1e-9 * float(np.trace(spread)), 1e-12)
        direction = np.linalg.solve(spread, apart)
        direction /= np.linalg.norm(direction)
        lines["the output, along one line,"] = (one @ direction, other @ direction)
    return lines


def _tails(one: np.ndarray, other: np.ndarray) -> dict[str, Callable[[Any], np.ndarray]]:
    """Beyond a quantile of both, on either side, with it and without."""
    cuts = np.unique(np.quantile(np.concatenate([one, other]), np.linspace(0.005, 0.995, 100)))
    compare = {">=": np.greater_equal, "<=": np.less_equal, ">": np.greater, "<": np.less}
    return {
        f"{sign} {cut!r}": partial(_compared, beyond, cut)
        for cut in cuts.tolist()
        for sign, beyond in compare.items()
    }


def _compared(beyond: np.ufunc, cut: float, values: Any) -> np.ndarray:
    found: np.ndarray = beyond(values, cut)
    return found


def _equals(value: Hashable) -> Callable[[Any], np.ndarray]:
    return lambda values: np.array([type(v) is type(value) and v == value for v in values])


def _counts(
    event: Callable[[Any], np.ndarray], pair: tuple[Any, Any], part: slice
) -> tuple[int, int]:
    """How often an event came in a part of the runs, on each table."""
    return int(event(pair[0][part]).sum()), int(event(pair[1][part]).sum())


def _bounds(often: int, seldom: int, runs: int, confidence: float) -> tuple[float, float]:
    """What epsilon is by an event at least and at most, when it came so often in as many runs on each table."""
    more, less = (clopper_pearson(hits, runs, confidence) for hits in (often, seldom))
    return _ratio(more[0], less[1]), _ratio(more[1], less[0])


def _ratio(often: float, seldom: float) -> float:
    """The logarithm of how many times as often, at least 0."""
    if often <= seldom:
        return 0.0
    return math.log(often / seldom) if seldom else math.inf


def claims(
    mechanism: Callable[[Any], Any],
    epsilon: float,
    neighbours: Sequence[tuple[Any, Any]],
    points: float,
    times: int = 5_000,
    title: str = "the promise of privacy",
    arguments: Sequence[Any] = (),
    read: Callable[[Any], Any] = lambda output: output,
) -> Result:
    """Points for a mechanism that no audit can show to be less private than it says.

    Parameters
    ----------
    epsilon : float
        What is claimed.
    neighbours : sequence of pairs of tables
        Each differs in one person: the first, the last, the richest, the only one of a group.
    arguments, read
        See ``audit``.
    """
    audits = []
    confidence = 1 - FALSE_ALARM / max(1, len(neighbours))
    try:
        for table, neighbour in neighbours:
            audits.append(audit(mechanism, table, neighbour, times, confidence, arguments, read))
    except CallFailed as failure:
        return Result.failed(title, points, "privacy.fails when called", f"{failure}.")
    worst = max(audits, key=lambda found: found.epsilon)
    problems = []
    if worst.epsilon > epsilon:
        often, seldom = worst.shares
        problems.append(
            Problem(
                "privacy.epsilon",
                f"Epsilon is not {epsilon:g}: it is at least {worst.epsilon:.2g} (confidence {confidence:.5%}). Two tables that "
                f"differ in one person can be told apart: an output that came in {often:.1%} of the runs on one came in "
                f"{seldom:.1%} on the other, and epsilon {epsilon:g} allows a factor of {math.exp(epsilon):.3g}.",
            )
        )
    parts = {
        f"pair {number}": float(found.epsilon <= epsilon) for number, found in enumerate(audits, 1)
    }
    rows = tuple(
        (f"pair {n}", found.estimate, f"{found.epsilon:.2f} to {found.high:.2f}", epsilon)
        for n, found in enumerate(audits, 1)
    )
    return Result.from_parts(title, points, parts, problems).showing(
        _histograms(worst, epsilon),
        pd.DataFrame(rows, columns=["tables", "epsilon, estimated", "interval", "claimed"]),
    )


def _histograms(found: Audit, epsilon: float) -> Figure | None:
    if found.draws is None:
        return None
    one, other = found.draws

    def draw(axes: Axes) -> None:
        middle = np.median(np.concatenate([one, other]))  # which may be as good as the hidden truth
        away = one - middle, other - middle
        low, high = np.quantile(np.concatenate(away), [0.005, 0.995])
        bins = np.linspace(low, high if high > low else low + 1, 60).tolist()
        axes.hist(away[0], bins, histtype="step", color="#0072B2", label="with the person")
        axes.hist(away[1], bins, histtype="step", color="#D55E00", linestyle="--", label="without")
        axes.set(xlabel="output, less the middle one", ylabel="runs")
        axes.legend()

    return Figure(
        draw,
        f"Outputs on two neighbouring tables; epsilon is at least {found.epsilon:.2g}, {epsilon:g} is claimed.",
    )
