"""Is noise what it is said to be? Tests of size, sides and shape with a known rate of false alarms."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from gradewell.checks import compare
from gradewell.checks.privacy import FALSE_ALARM
from gradewell.checks.result import Problem, Result


def laplace(
    draws: Sequence[float], truth: float, scale: float, points: float, title: str = "the noise"
) -> Result:
    """Points for outputs that are the truth with Laplace noise of this scale: not less, not more, and not of another shape.

    Twice the sum of the absolute noise over the scale has a chi-squared distribution with two degrees of freedom for each draw,
    and the signs are as a coin's; the shape is compared by Kolmogorov and Smirnov's test. Whole numbers are compared with the
    discrete (two-sided geometric) distribution of the same scale: the size by the central limit theorem, the shape by Pearson's
    chi-squared test. Each test accuses honest noise about once in 1,000,000 times, or less, whatever the number of draws.

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

    if len(draws) < 100:
        raise ValueError(f"{len(draws)} draws are too few to see anything")
    outputs = compare.numbers(draws, (len(draws),))
    if outputs is None:
        return Result.failed(title, points, "noise.finite", "Some outputs are not finite numbers.")
    values = outputs - truth
    if len(np.unique(values)) == 1:
        return Result.failed(
            title,
            points,
            "noise.none",
            "All outputs are equal: there is no noise, or a fixed seed.",
        )
    whole = bool(np.all(values == np.round(values)))
    if whole:
        ratio = math.exp(-1 / scale)
        mean = 2 * ratio / (1 - ratio**2)
        variance = 2 * ratio / (1 - ratio) ** 2 - mean**2
        z = (abs(values).mean() - mean) / math.sqrt(variance / len(values))
        size = float(2 * stats.norm.sf(abs(z)))
        larger = z > 0
        shape = _discrete_shape(values, ratio)
    else:
        total = 2 * float(abs(values).sum()) / scale
        lower = float(stats.chi2.cdf(total, 2 * len(values)))
        size, larger = 2 * min(lower, 1 - lower), lower > 0.5
        mean = scale
        # the shape apart from the scale, which makes the test milder; the truth itself never comes out
        exact = bool((values == 0).any())
        shape = 0.0 if exact else float(stats.kstest(values / abs(values).mean(), "laplace").pvalue)
    plus, minus = int((values > 0).sum()), int((values < 0).sum())
    sides = float(stats.binomtest(plus, plus + minus).pvalue) if plus + minus else 0.0
    found = {
        "size": (
            size,
            f"The noise is too {'large' if larger else 'small'}: its mean size is {abs(values).mean():.3g}, "
            f"and with scale {scale:.3g} it is about {mean:.3g}.",
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


def _discrete_shape(values: np.ndarray, ratio: float) -> float:
    from scipy import stats

    support = np.arange(-int(abs(values).max()) - 1, int(abs(values).max()) + 2)
    mass = (1 - ratio) / (1 + ratio) * ratio ** abs(support)
    expected = mass * len(values)
    enough = expected >= 5
    seen = np.array([(values == v).sum() for v in support])
    observed = np.append(seen[enough], len(values) - seen[enough].sum())
    wanted = np.append(expected[enough], len(values) - expected[enough].sum())
    return float(stats.chisquare(observed, wanted).pvalue)
