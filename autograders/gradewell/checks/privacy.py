"""Is a mechanism as private as it says? Run it, many times, on two tables that differ in one person.

An audit bounds epsilon from below, with a stated confidence: it can show that a claim is wrong, never that it is right.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gradewell.checks.calls import CallFailed, call, repeated
from gradewell.checks.interval import clopper_pearson
from gradewell.checks.result import Figure, Problem, Result, Table

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FALSE_ALARM = 1e-5
"""How often, at most, an honest mechanism is accused by one of these checks."""


@dataclass(frozen=True)
class Audit:
    """What was found out about epsilon.

    ``epsilon`` is at least as large as this, with ``confidence``; ``event`` says by which outputs the two tables were told
    apart, and ``shares`` how often they came from each. ``draws`` are outputs for both, for a figure (numbers only).
    """

    epsilon: float
    confidence: float
    event: str
    shares: tuple[float, float]
    draws: tuple[np.ndarray, np.ndarray] | None = None


def audit(
    mechanism: Callable[[Any], Any],
    table: Any,
    neighbour: Any,
    times: int = 5_000,
    delta: float = 0.0,
    confidence: float = 1 - FALSE_ALARM,
) -> Audit:
    """A lower bound for the epsilon of a mechanism (Ding and others 2018; Jagielski and others 2020).

    On the first half of the runs the event is chosen that tells both tables apart best; on the other half it is counted, so that
    the choice does not flatter the bound. The two shares are bounded by Clopper and Pearson's intervals.

    Parameters
    ----------
    mechanism : callable
        From a table to a number, a sequence of numbers, or a hashable value.
    table, neighbour
        They differ in one person.
    times : int
        Runs on each table.
    delta : float
        Of (epsilon, delta)-differential privacy.
    confidence : float
        That the bound holds.

    Raises
    ------
    CallFailed
        The mechanism raised, or gave something of another kind.
    """
    outputs = [_outputs(repeated(mechanism, times, some)) for some in (table, neighbour)]
    kinds = {isinstance(some, np.ndarray) for some in outputs}
    if len(kinds) > 1:
        raise CallFailed("the mechanism gives numbers for one table and something else for another")
    one, other = outputs
    draws = None
    if isinstance(one, np.ndarray) and isinstance(other, np.ndarray):
        if one.shape[1] != other.shape[1]:
            raise CallFailed("the mechanism gives more numbers for one table than for another")
        direction = one[: times // 2].mean(axis=0) - other[: times // 2].mean(axis=0)
        spread = np.linalg.norm(direction)
        along = direction / spread if spread > 0 else np.eye(1, one.shape[1])[0]
        one, other = one @ along, other @ along
        draws = (one, other)
        events = _tails(one[: times // 2], other[: times // 2])
        unit = "the output" if len(along) == 1 else "the outputs together"
        named: list[tuple[str, Callable[[Any], np.ndarray]]] = [
            (f"{unit} {sign} {at:.4g}", _tail(sign, at)) for sign, at in events
        ]
    else:
        values = list(dict.fromkeys([*one[: times // 2], *other[: times // 2]]))
        named = [(f"the output is {v!r}", _equals(v)) for v in values[:200]]
    best = (0.0, named[0][0] if named else "", (0.0, 0.0))
    chosen = max(
        ((name, event, swap) for name, event in named for swap in (False, True)),
        key=lambda option: _bound(option[1], one[: times // 2], other[: times // 2], option[2], delta, 0.9)[0],
        default=None,
    )  # fmt: skip
    if chosen is not None:
        name, event, swap = chosen
        epsilon, shares = _bound(
            event, one[times // 2 :], other[times // 2 :], swap, delta, confidence
        )
        best = (epsilon, name, shares)
    return Audit(best[0], confidence, best[1], best[2], draws)


def _outputs(found: list[Any]) -> np.ndarray | list[Hashable]:
    """Numbers as an array of shape (runs, numbers of each); anything else as it is."""
    if all(isinstance(value, Hashable) and not isinstance(value, int | float | np.number | tuple) for value in found):  # fmt: skip
        return found
    try:
        numbers = np.array(found, dtype=float)
    except (TypeError, ValueError):
        raise CallFailed(
            "the mechanism has to give a number, a sequence of as many numbers each time, or a text"
        ) from None
    if not np.isfinite(numbers).all():
        raise CallFailed("the mechanism gives numbers that are not finite")
    return numbers.reshape(len(found), -1)


def _tails(one: np.ndarray, other: np.ndarray) -> list[tuple[str, float]]:
    """Where to cut: at quantiles of both."""
    both = np.concatenate([one, other])
    cuts = np.unique(np.quantile(both, np.linspace(0.005, 0.995, 100)))
    return [(sign, float(cut)) for cut in cuts for sign in (">=", "<=", ">", "<")]


def _tail(sign: str, at: float) -> Callable[[Any], np.ndarray]:
    compare = {">=": np.greater_equal, "<=": np.less_equal, ">": np.greater, "<": np.less}[sign]
    return lambda values: compare(values, at)


def _equals(value: Hashable) -> Callable[[Any], np.ndarray]:
    return lambda values: np.array([type(v) is type(value) and v == value for v in values])


def _bound(
    event: Callable[[Any], np.ndarray], one: Any, other: Any, swap: bool, delta: float, confidence: float
) -> tuple[float, tuple[float, float]]:  # fmt: skip
    """The lower bound that an event gives, and how often it came."""
    first, second = (other, one) if swap else (one, other)
    often, seldom = int(event(first).sum()), int(event(second).sum())
    shares = (often / len(first), seldom / len(second))
    low = clopper_pearson(often, len(first), confidence)[0]
    high = clopper_pearson(seldom, len(second), confidence)[1]
    if low <= delta or high <= 0:
        return 0.0, shares
    return max(0.0, math.log((low - delta) / high)), shares


def claims(
    mechanism: Callable[[Any], Any],
    epsilon: float,
    neighbours: Sequence[tuple[Any, Any]],
    points: float,
    times: int = 5_000,
    title: str = "the promise of privacy",
) -> Result:
    """Points for a mechanism that no audit can show to be less private than it says.

    Parameters
    ----------
    epsilon : float
        What is claimed.
    neighbours : sequence of pairs of tables
        Each differs in one person: the first, the last, the richest, the only one of a group.
    """
    audits = []
    confidence = 1 - FALSE_ALARM / max(1, len(neighbours))
    try:
        for table, neighbour in neighbours:
            audits.append(audit(mechanism, table, neighbour, times, confidence=confidence))
    except CallFailed as failure:
        return Result.failed(title, points, "privacy.fails when called", f"{failure}.")
    worst = max(audits, key=lambda found: found.epsilon)
    problems = []
    if worst.epsilon > epsilon:
        often, seldom = worst.shares
        problems.append(
            Problem(
                "privacy.epsilon",
                f"Epsilon is not {epsilon:g}: it is at least {worst.epsilon:.2g} (confidence {confidence:.3%}). Two tables that "
                f"differ in one person can be told apart: an output that came in {often:.1%} of the runs on one came in "
                f"{seldom:.1%} on the other, and epsilon {epsilon:g} allows a factor of {math.exp(epsilon):.3g}.",
            )
        )
    parts = {
        f"pair {number}": float(found.epsilon <= epsilon) for number, found in enumerate(audits, 1)
    }
    rows = tuple((f"pair {n}", found.epsilon, epsilon) for n, found in enumerate(audits, 1))
    return Result.from_parts(title, points, parts, problems).showing(
        _histograms(worst, epsilon), Table(("tables", "epsilon is at least", "claimed"), rows)
    )


def _histograms(found: Audit, epsilon: float) -> Figure | None:
    if found.draws is None:
        return None
    one, other = found.draws

    def draw(axes: Axes) -> None:
        low, high = np.quantile(np.concatenate([one, other]), [0.005, 0.995])
        bins = np.linspace(low, high if high > low else low + 1, 60).tolist()
        axes.hist(one, bins, histtype="step", color="#0072B2", label="with the person")
        axes.hist(other, bins, histtype="step", color="#D55E00", linestyle="--", label="without")
        axes.set(xlabel="output", ylabel="runs")
        axes.legend()

    return Figure(
        draw,
        f"Outputs on two neighbouring tables; epsilon is at least {found.epsilon:.2g}, {epsilon:g} is claimed.",
    )


def noise(
    draws: Sequence[float], truth: float, scale: float, points: float, title: str = "the noise"
) -> Result:
    """Points for outputs that are the truth with Laplace noise of this scale: not less, not more, and not of another shape.

    Twice the sum of the absolute noise over the scale has a chi-squared distribution with two degrees of freedom for each draw,
    and the signs are as a coin's; the shape is compared by Kolmogorov and Smirnov's test. Each test accuses honest noise at most
    once in 100,000 times, whatever the number of draws. Whole numbers are compared with the discrete (two-sided geometric)
    distribution of the same scale.

    Parameters
    ----------
    draws : sequence of float
        Outputs of independent runs.
    truth : float
        The answer without noise.
    scale : float
        Sensitivity over epsilon; greater than 0.
    """
    from scipy import stats

    values = np.asarray(draws, dtype=float) - truth
    if len(values) < 100:
        raise ValueError(f"{len(values)} draws are too few to see anything")
    if not np.isfinite(values).all():
        return Result.failed(title, points, "noise.finite", "Some outputs are not finite numbers.")
    if len(np.unique(values)) == 1:
        return Result.failed(
            title,
            points,
            "noise.none",
            "All outputs are equal: there is no noise, or a fixed seed.",
        )
    whole = bool(np.all(values == np.round(values)))
    if whole:
        # the mean of |x| has no simple law here: its mean and variance do for so many draws
        ratio = math.exp(-1 / scale)
        mean = 2 * ratio / (1 - ratio**2)
        variance = 2 * ratio / (1 - ratio) ** 2 - mean**2
        z = (abs(values).mean() - mean) / math.sqrt(variance / len(values))
        size = float(2 * stats.norm.sf(abs(z)))
        larger = z > 0
        jittered = np.random.default_rng(0).uniform(-0.5, 0.5, len(values))
        shape = _discrete_shape(values, ratio, jittered)
    else:
        total = 2 * float(abs(values).sum()) / scale
        lower = float(stats.chi2.cdf(total, 2 * len(values)))
        size, larger = 2 * min(lower, 1 - lower), lower > 0.5
        measured = abs(values).mean()  # the shape apart from the scale
        shape = float(stats.kstest(values / measured, "laplace").pvalue)
    plus, minus = int((values > 0).sum()), int((values < 0).sum())
    sides = float(stats.binomtest(plus, plus + minus).pvalue) if plus + minus else 0.0
    mean_error = abs(values).mean()
    found = {
        "size": (
            size,
            f"The noise is too {'large' if larger else 'small'}: its mean size is {mean_error:.3g}, "
            f"and with scale {scale:.3g} it is about {scale:.3g}.",
        ),
        "both sides": (
            sides,
            f"The noise leans to one side: {plus} outputs are above the truth and {minus} below.",
        ),
        "shape": (
            shape,
            "The noise has not the shape of Laplace's distribution (a sharp peak, and tails that fall by the same factor "
            "with each step).",
        ),
    }
    problems = [
        Problem(f"noise.{name}", text) for name, (p, text) in found.items() if p < FALSE_ALARM
    ]
    parts = {name: float(p >= FALSE_ALARM) for name, (p, _) in found.items()}
    return Result.from_parts(title, points, parts, problems)


def _discrete_shape(values: np.ndarray, ratio: float, jitter: np.ndarray) -> float:
    from scipy import stats

    support = np.arange(-int(abs(values).max()) - 1, int(abs(values).max()) + 2)
    mass = (1 - ratio) / (1 + ratio) * ratio ** abs(support)
    expected = mass * len(values)
    enough = expected >= 5
    seen = np.array([(values == v).sum() for v in support])
    observed = np.append(seen[enough], len(values) - seen[enough].sum())
    wanted = np.append(expected[enough], len(values) - expected[enough].sum())
    return float(stats.chisquare(observed, wanted).pvalue)


def accounting(
    make: Callable[[float], Any],
    seed: int,
    points: float,
    steps: int = 200,
    title: str = "the budget",
) -> Result:
    """Points for a privacy budget that adds up over a sequence of queries.

    ``make(total)`` gives an object with ``spend(epsilon)``, which raises when there is not enough left, and ``left``, the
    epsilon that remains. Costs add up (sequential composition, Dwork and others 2006); a refused query costs nothing; spending
    exactly what is left is allowed; nothing brings budget back.

    Parameters
    ----------
    seed : int
        Of the sequences.
    steps : int
        Queries of each of ten sequences.
    """
    random = np.random.default_rng(seed)
    parts = dict.fromkeys(_RULES, 1.0)
    for _ in range(10):
        total = float(random.integers(1, 17)) / 4  # quarters add up exactly
        try:
            budget = call(make, total)
        except CallFailed as failure:
            return Result.failed(title, points, "budget.fails when called", f"{failure}.")
        spent = 0.0
        for _ in range(steps):
            cost = float(
                random.choice([0.25, 0.25, 0.5, total - spent, total + 1, 0.0, -0.25, np.nan])
            )
            before = _left(budget)
            try:
                call(budget.spend, cost)
                accepted = True
            except CallFailed:
                accepted = False
            after = _left(budget)
            if not cost > 0:
                if accepted:
                    parts["positive"] = 0.0
                    break
            elif cost > total - spent:
                if accepted:
                    parts["refuses"] = 0.0
                    break
            else:
                if not accepted:
                    parts["allows"] = 0.0
                    break
                spent += cost
            if not accepted and not _same(before, after):
                parts["refusals"] = 0.0
            if accepted and not _same(after, total - spent):
                parts["adds up"] = 0.0
    problems = [
        Problem(f"budget.{name}", _RULES[name]) for name, share in parts.items() if share < 1
    ]
    return Result.from_parts(title, points, parts, problems)


_RULES = {
    "adds up": "After a query, what is left is the total less the costs of all queries so far.",
    "refuses": "A query that costs more than is left has to be refused, also after many small ones.",
    "allows": "A query that costs no more than is left, even all of it, has to be allowed.",
    "refusals": "A refused query must change nothing: what is left is the same before and after.",
    "positive": "A query whose cost is 0, negative or not a number has to be refused: it would be free, or bring budget "
    "back.",
}


def _left(budget: Any) -> float:
    try:
        left = budget.left
        return float(left() if callable(left) else left)
    except Exception:
        return math.nan


def _same(one: float, other: float) -> bool:
    return math.isclose(one, other, abs_tol=1e-9)
