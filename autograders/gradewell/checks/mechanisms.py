"""Lab 9: private counts, histograms and means.

Every mechanism is run thousands of times: its noise is compared with what it should be (``noise``), and two tables that differ in one
person are told apart, if they can be (``privacy``).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gradewell.checks import compare, noise, privacy
from gradewell.checks.calls import COPIED, CallFailed, Function, repeated, right_in, runs_code_of
from gradewell.checks.result import Problem, Result

_EPSILONS = (0.25, 0.5, 2.0)  # with 1, a scale of epsilon is right
_TOWNS = ("Ash", "Birch", "Cedar", "Elm", "Fir", "Oak")


def ledger(function: Function, points: float = 6) -> Result:
    """Check a function that keeps an account: ``ledger(total, costs)``, for each question whether it is answered."""
    cases: list[tuple[str, tuple[Any, ...], Any]] = [
        ("all that is left", (1.0, [0.5, 0.5]), [True, True]),
        ("one too many", (1.0, [0.5, 0.5, 0.25]), [True, True, False]),
        ("a dear question between two cheap ones", (1.0, [0.5, 2.0, 0.5]), [True, False, True]),
        ("a question for nothing", (1.0, [0.0, 1.0]), [False, True]),
        ("a negative cost", (1.0, [-1.0, 1.0, 0.5]), [False, True, False]),
        ("no questions", (1.0, []), []),
    ]
    return right_in(cases, function, points, "the ledger", "ledger")


def counts(function: Function, seed: int = 1, points: float = 4, shown: bool = False) -> Result:
    """Points for ``noisy_count(values, epsilon)``: how many values there are, with Laplace noise for one person.

    Parameters
    ----------
    function : callable
        From a list and epsilon to a number.
    shown : bool
        Whether the audit is drawn, and what it estimates is shown.
    """
    title, random = "noisy counts", np.random.default_rng(seed)
    values = [int(value) for value in random.integers(0, 100, int(random.integers(40, 80)))]
    first, second = (float(e) for e in random.choice(_EPSILONS, 2, replace=False))
    if runs_code_of(__name__, function, values, first):
        return Result.failed(title, points, "counts.copied", COPIED)
    try:
        many = compare.numbers(repeated(function, 5_000, values, first), (5_000,))
        none = compare.numbers(repeated(function, 2_000, [], second), (2_000,))
    except CallFailed as failure:
        return Result.failed(title, points, "counts.fails when called", f"{failure}.")
    if many is None or none is None:
        message = "noisy_count(values, epsilon) returns a finite number."
        return Result.failed(title, points, "counts.form", message)
    crowd = noise.laplace(list(many), len(values), 1 / first, 1)
    nobody = noise.laplace(list(none), 0, 1 / second, 1)
    pairs = [(values, values[1:]), (values[:1], [])]
    audited = privacy.claims(function, first, pairs, 1, arguments=[first])
    problems = [*crowd.problems]
    if crowd.passed and not nobody.passed:
        why = "With nobody in the list, it is not so: a count has to come out below 0 as often as above. "
        problems.append(Problem("counts.nobody", why + nobody.problems[0].message))
    parts = {
        name: crowd.parts.get(name, 0.0)  # without noise there are no parts
        for name in ("size", "both sides", "shape")
    }
    private = audited.passed and any(parts.values())  # who says nothing keeps every secret
    parts |= {"nobody": float(nobody.passed), "epsilon": float(private)}
    result = Result.from_parts(title, points, parts, [*problems, *audited.problems])
    return result.showing(audited.figure, audited.table) if shown else result


_BARS = {
    "empty bars": "Bars without people get noise, too: else one sees that nobody is there.",
    "independent": "The noise of one bar says nothing of another's: each has its own.",
    "other values": "Who has a value that is no category is in no bar.",
}


def histograms(function: Function, seed: int = 1, points: float = 4, shown: bool = False) -> Result:
    """Points for ``noisy_histogram(values, categories, epsilon)``: a dict with a noisy count for each category.

    Each person is in one bar, so all bars together cost epsilon once.
    """
    title, random = "noisy histograms", np.random.default_rng(seed)
    epsilon = float(random.choice(_EPSILONS))
    categories = [str(town) for town in random.permutation(_TOWNS)[:4]]
    values = [str(town) for town in random.choice(categories[:3], 60)]
    outside = [town for town in _TOWNS if town not in categories] * 5
    if runs_code_of(__name__, function, values, categories, epsilon):
        return Result.failed(title, points, "histograms.copied", COPIED)
    try:
        found = repeated(function, 3_000, values + outside, list(categories), epsilon)
    except CallFailed as failure:
        return Result.failed(title, points, "histograms.fails when called", f"{failure}.")
    if not all(isinstance(one, dict) and compare.same(set(one), set(categories)) for one in found):
        message = "noisy_histogram(values, categories, epsilon) returns a dict with all categories and nothing else."
        return Result.failed(title, points, "histograms.form", message)
    drawn_bars = [[one[name] for name in categories] for one in found]
    bars = compare.numbers(drawn_bars, (len(found), len(categories)))
    if bars is None:
        message = "The bars of a histogram are finite numbers."
        return Result.failed(title, points, "histograms.form", message)
    true = np.array([values.count(name) for name in categories])
    scale = np.maximum(1 / epsilon, abs(bars - np.median(bars, axis=0)).mean(axis=0))
    beyond = abs(bars.mean(axis=0) - true) > 8 * scale / np.sqrt(len(bars))  # a bar is off
    spread = bars - np.where(beyond, bars.mean(axis=0), true)
    drawn = noise.laplace(list(spread[:, true > 0].ravel()[:5_000]), 0, 1 / epsilon, 1)
    empty = noise.laplace(list(spread[:, 3]), 0, 1 / epsilon, 1)
    with np.errstate(invalid="ignore"):
        alike = np.nan_to_num(np.corrcoef(spread.T), nan=1.0) - np.eye(len(categories))
    audited = privacy.claims(
        function,
        epsilon,
        [(values, values[1:]), ([categories[3], *values], values)],
        1,
        times=3_000,
        arguments=[list(categories), epsilon],
        read=lambda bars: [bars.get(name, 0) for name in categories],
    )
    parts = {name: drawn.parts.get(name, 0.0) for name in ("size", "both sides", "shape")}
    parts |= {
        "empty bars": float(empty.passed),
        "independent": float(abs(alike).max() < 0.15),  # by chance within 0.09 (5 sd)
        "other values": float(not beyond.any()),
        "epsilon": float(audited.passed and any(parts.values())),
    }
    problems = [*drawn.problems]
    problems += [
        Problem(f"histograms.{name}", text)
        for name, text in _BARS.items()
        if not parts[name] and (name != "empty bars" or drawn.passed)
    ]
    result = Result.from_parts(title, points, parts, [*problems, *audited.problems])
    return result.showing(table=audited.table) if shown else result


_MEANS = {
    "cut": "What lies outside of the bounds counts as the bound: with very little noise the mean has to be that of the values as they were cut.",
    "within": "The mean lies between the bounds, whatever the noise: publish the nearest that does.",
    "accuracy": "It is too far off: about {found:.3g} on average, and {known:.3g} can be had with the same epsilon.",
    "more for more": "With a larger epsilon the mean has to be closer.",
}  # fmt: skip


def means(function: Function, seed: int = 1, points: float = 4, shown: bool = False) -> Result:
    """Points for ``private_mean(values, low, high, epsilon)``: epsilon in all, also for the number of the values.

    Parameters
    ----------
    function : callable
        From a list, two bounds and epsilon to a number.
    shown : bool
        Whether the audit is drawn, and what it estimates is shown.
    """
    title, random = "private means", np.random.default_rng(seed)
    low, high = 0.0, float(random.integers(2, 9) * 1_000)
    epsilon = float(random.choice(_EPSILONS))
    values = [float(v) for v in random.uniform(0.1 * high, 0.6 * high, 800).round(2)]
    wild = [*values[:50], 50 * high, -3 * high]
    if runs_code_of(__name__, function, values, low, high, epsilon):
        return Result.failed(title, points, "means.copied", COPIED)
    try:
        usual = compare.numbers(repeated(function, 300, values, low, high, epsilon), (300,))
        careless = compare.numbers(repeated(function, 300, values, low, high, 8 * epsilon), (300,))
        exact = compare.numbers(repeated(function, 20, wild, low, high, 1e6), (20,))
        few = compare.numbers(repeated(function, 300, values[:2], low, high, epsilon), (300,))
        none = compare.numbers(repeated(function, 100, [], low, high, epsilon), (100,))
    except CallFailed as failure:
        return Result.failed(title, points, "means.fails when called", f"{failure}.")
    if usual is None or careless is None or exact is None or few is None or none is None:
        message = "private_mean(values, low, high, epsilon) returns a finite number, also for an empty list."
        return Result.failed(title, points, "means.form", message)
    truth = float(np.mean(values))
    known = _known_error(values, high, epsilon, random)
    off = float(np.abs(usual - truth).mean())
    every = np.concatenate([usual, careless, few, none])
    cut = float(np.clip(wild, low, high).mean())
    ends, evenly = [high] * 10, [high, -high] * 5
    for pair, below, claimed, times in (
        ((values[:20], [*values[:20], 40 * high]), low, epsilon, 600),  # one far outside
        ((evenly, [*evenly, high]), -high, epsilon, 600),  # which way the sum leans
        # Of people at one end, one at the other is added: sum and number both change as far as they can.
        ((ends, [*ends, -high]), -high, 2.0, 8_000),
    ):
        audited = privacy.claims(function, claimed, [pair], 1, times, arguments=[below, high, claimed])  # fmt: skip
        if not audited.passed:
            break
    parts = {
        "cut": float(np.abs(exact - cut).max() < 0.01 * high),
        "within": float(low <= every.min() and every.max() <= high),
        "accuracy": float(off < 2.5 * known),
        "more for more": float(np.abs(careless - truth).mean() < off / 2),
        "epsilon": float(audited.passed),
    }
    problems = [
        Problem(f"means.{name}", text.format(found=off, known=known))
        for name, text in _MEANS.items()
        if not parts[name]
    ]
    # exact means are no merit, nor is it to say the same of everybody
    if not parts["epsilon"] or not (parts["cut"] or parts["accuracy"]):
        parts = dict.fromkeys(parts, 0.0)
    result = Result.from_parts(title, points, parts, [*problems, *audited.problems])
    return result.showing(audited.figure, audited.table) if shown else result


def _known_error(
    values: Sequence[float], high: float, epsilon: float, random: np.random.Generator
) -> float:
    """How far a mean is off on average with half of epsilon for the sum and half for the number."""
    sums = sum(values) + random.laplace(0, 2 * high / epsilon, 2_000)
    numbers = len(values) + random.laplace(0, 2 / epsilon, 2_000)
    return float(np.abs(sums / numbers - np.mean(values)).mean())
