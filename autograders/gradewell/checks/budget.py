"""Does a privacy budget add up over a sequence of queries?"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from gradewell.checks import compare
from gradewell.checks.calls import CallFailed, call, run
from gradewell.checks.result import Problem, Result


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
            budget = run(make, total)
        except CallFailed as failure:
            return Result.failed(title, points, "budget.fails when called", f"{failure}.")
        spend = getattr(budget, "spend", None)
        if spend is None:
            message = "A budget has a method spend(epsilon), and left: the epsilon that remains."
            return Result.failed(title, points, "budget.form", message)
        spent = 0.0
        for _ in range(steps):
            cost = float(
                random.choice([0.25, 0.25, 0.5, total - spent, total + 1, 0.0, -0.25, np.nan])
            )
            before = left_of(budget)
            try:
                call(spend, cost)
                accepted = True
            except CallFailed:
                accepted = False
            after = left_of(budget)
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
            if not accepted and not compare.close(before, after, absolute=1e-9):
                parts["refusals"] = 0.0
            if accepted and not compare.close(after, total - spent, absolute=1e-9):
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


def left_of(budget: Any) -> float:
    """What is left of a budget, an attribute or a method of it; NaN where it cannot be had."""
    try:
        left = budget.left
        found = compare.number(left() if callable(left) else left)
    except Exception:  # of the student's code
        return math.nan
    return math.nan if found is None else found
