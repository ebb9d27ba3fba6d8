"""Lab 5: forecasts that look back only, see behind empty shelves, and read nothing but what was shared."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence, Set
from typing import Any

import numpy as np
import pandas as pd

from gradewell.checks import compare
from gradewell.checks.calls import CallFailed, Function, call, mapped
from gradewell.checks.result import Problem, Result

WARM_UP = 8
"""Weeks at the start of which no forecast is judged."""
LEADS = (1, 2, 2)
"""Weeks until a delivery arrives: store, warehouse, factory."""
SAFETY = 0.5
"""Weeks of demand that every level wants to have besides."""

_CLOSE, _NOT_CLOSE = 0.95, 1.0
"""Of what repeating the last week misses by. 60 seeds of the model solution: 0.82, standard deviation 0.02."""
_CALM = 16
"""Of the variance of sales. 60 seeds of the model solution: 8.9, standard deviation 1.0."""
_SERIES = 24
_SAID = {
    "looks back only": (
        "The forecast of a week changes when that week or a later one does. When it is needed nobody knows them yet: it is "
        "made of the rows before it."
    ),
    "reads what was shared": (
        "The forecast changes when the supplier's cost does. That column came along by mistake and is a trade secret: sold "
        "and stock are what the agreement names."
    ),
    "close enough": (
        "The forecasts miss by {0:.0%} of what simply repeating the last week misses by; all points need "
        f"{_CLOSE:.0%} or less. One week says little, and many weeks ago says little of today."
    ),
    "sees behind empty shelves": (
        "Where shelves were often empty, {0:.0%} of what customers wanted is forecast; all points need 92 % to 108 %. Who "
        "finds an empty shelf (stock 0) buys nothing, and did want something."
    ),
    "swings less when shared": (
        "With these forecasts the factory's orders vary {1:.1f} times as much as sales when it sees the tills, and {0:.1f} times when it does not; "
        f"all points need at most {_CALM} times, and clearly less than without. A forecast that follows every week starts the whip."
    ),
}  # fmt: skip


def walk_forward(function: Function, points: float = 6) -> Result:
    """Check a function that says by how much a forecast misses on average: ``mean_error(forecast, weeks, first)``."""
    weeks = [30.0, 34.0, 31.0, 50.0, 33.0, 36.0]
    last, mean = (lambda past: past[-1]), (lambda past: sum(past) / len(past))
    cases = (
        ("the last week, from week 1 on", last, 1, 9.2),
        ("the mean of all before, from week 3 on", mean, 3, (55 / 3 + 3.25 + 0.4) / 3),
        ("the last week, for the last one only", last, 5, 3.0),
    )
    problems = []
    for name, forecast, first, expected in cases:
        try:
            found = call(function, forecast, list(weeks), first, shown=f"forecast, weeks, {first}")
        except CallFailed as failure:
            problems.append(Problem(f"walk.{name}", f"{failure}"))
            continue
        if not compare.close(found, expected, absolute=1e-9):
            message = (
                f"Weeks {weeks}, forecast by {name}: the mean distance is {expected:.4g}, not {found!r:.60}. "
                "Each forecast sees the weeks before it, in their order, and nothing else."
            )
            problems.append(Problem(f"walk.{name}", message))
    share = 1 - len(problems) / len(cases)
    return Result.from_parts("how far a forecast misses", points, {"cases": share}, problems)


def demand(random: np.random.Generator, weeks: int = 60) -> np.ndarray:
    """What customers want, week by week: a level that drifts, a season, the weather of the week, and chance (Poisson). Shape (weeks,)."""
    level = random.uniform(60, 400) * np.exp(np.cumsum(random.normal(0, 0.02, weeks)))
    level *= np.exp(random.normal(0, 0.12, weeks))
    season = 1 + 0.2 * np.cos(2 * np.pi * (np.arange(weeks) + random.integers(52)) / 52)
    return random.poisson(level * season)


def shop(random: np.random.Generator, wanted: np.ndarray, often_empty: bool) -> pd.DataFrame:
    """What the till and the shelf show of it, a row a week: ``week``, ``sold``, ``stock`` (left at the end), ``supplier_cost``."""
    usual = np.convolve(np.pad(wanted, 4, mode="edge"), np.ones(9) / 9, mode="valid")
    shelf = np.round(usual * random.uniform(1.6, 2.2, len(wanted)))
    if often_empty:  # too little came in a third of the weeks, never three times in a row
        short = random.random(len(wanted)) < 0.4
        for week in range(2, len(short)):
            short[week] &= not short[week - 2 : week].all()
        shelf = np.where(short, np.round(usual * random.uniform(0.3, 0.8, len(wanted))), shelf)
    sold = np.minimum(wanted, shelf).astype(int)
    return pd.DataFrame(
        {
            "week": np.arange(len(wanted)),
            "sold": sold,
            "stock": shelf.astype(int) - sold,
            # follows what is wanted soon: who reads it gains by it
            "supplier_cost": np.round(1 + np.roll(usual, -2) / 500, 3),
        }
    )


def orders(wanted: np.ndarray, expected: np.ndarray, lead: int) -> np.ndarray:
    """What a level orders that fills up to a target which follows its forecast. Shape (weeks - 1,).

    Parameters
    ----------
    wanted : array, shape (weeks,)
        What the level below orders from it.
    expected : array, shape (weeks,)
        Its forecast for each week.
    lead : int
        Weeks until a delivery arrives. The target covers them, one week more, and ``SAFETY``.
    """
    target = (lead + 1 + SAFETY) * expected
    return np.maximum(0, wanted[:-1] + np.diff(target))


def bullwhip(forecasts: Function, sales: np.ndarray) -> tuple[float, float]:
    """How many times more the factory's orders vary than sales: when each level sees the orders below only, and when all see the tills.

    Parameters
    ----------
    forecasts : callable
        From a table with ``week``, ``sold``, ``stock`` to a forecast for each week.
    sales : array, shape (weeks,)

    Returns
    -------
    tuple of float
        Alone, shared. Simulated as in Chen and others 2000: a level may send back nothing, and gets what it orders.
    """
    alone = shared = np.asarray(sales, dtype=float)
    for lead in LEADS:
        alone = orders(alone, _array(forecasts(_plain(alone)), len(alone)), lead)
        seen = _array(forecasts(_plain(sales)), len(sales))[: len(shared)]
        shared = orders(shared, seen, lead)
    usual = float(np.var(np.asarray(sales)[WARM_UP : len(alone)]))  # the weeks in which all order
    return float(np.var(alone[WARM_UP:])) / usual, float(np.var(shared[WARM_UP:])) / usual


def _plain(wanted: np.ndarray) -> pd.DataFrame:
    whole = np.round(np.asarray(wanted)).astype(int)
    frame = {"week": np.arange(len(whole)), "sold": whole, "stock": whole + 1}
    return pd.DataFrame(frame | {"supplier_cost": np.ones(len(whole))})


def _array(found: Any, weeks: int) -> np.ndarray:
    """Forecasts as numbers; what is no such list is an error."""
    listed = [] if isinstance(found, Mapping | Set) else compare.contents(found) or []
    values = compare.numbers(listed[WARM_UP:], (weeks - WARM_UP,))
    if len(listed) != weeks or values is None or (values < 0).any():
        raise ValueError
    first = [compare.number(one) for one in listed[:WARM_UP]]
    return np.array([0.0 if one is None else one for one in first] + values.tolist())


def forecasts(function: Function, seed: int = 1, points: float = 4, shown: bool = False) -> Result:
    """Points for ``forecasts(weeks)``: what customers will want in each week, made of the weeks before it.

    Parameters
    ----------
    function : callable
        From a table with ``week``, ``sold``, ``stock``, ``supplier_cost`` to a list with a number for each row; the first
        ``WARM_UP`` are not looked at.
    shown : bool
        Whether an example may be shown: a row, and how the forecasts of the same week differ.
    """
    random = np.random.default_rng(seed)
    wanted = [demand(random) for _ in range(_SERIES)]
    weeks = [shop(random, one, number % 2 == 1) for number, one in enumerate(wanted)]
    cuts = [int(random.integers(20, 50)) for _ in weeks]
    later = [_changed_from(table, cut) for table, cut in zip(weeks, cuts, strict=True)]
    costs = [table.assign(supplier_cost=table["supplier_cost"].to_numpy()[::-1]) for table in weeks]
    tables, title = [*weeks, *later, *costs], "forecasts"
    order = random.permutation(
        len(tables)
    )  # who remembers a table remembers as often a changed one
    try:
        answers = mapped(function, [tables[place] for place in order])
        made = [np.zeros(0)] * len(tables)
        for place, found in zip(order, answers, strict=True):
            made[place] = _array(found, len(tables[place]))
        swings = [bullwhip(lambda table: call(function, table), one) for one in wanted[:6]]
    except CallFailed as failure:
        return Result.failed(title, points, "forecasts.fails when called", f"{failure}.")
    except (TypeError, ValueError):
        message = (
            "forecasts returns a list with a number for each row of the table, not negative; "
            f"only the first {WARM_UP} may be missing (NaN)."
        )
        return Result.failed(title, points, "forecasts.form", message)
    own, after, other = made[:_SERIES], made[_SERIES : 2 * _SERIES], made[2 * _SERIES :]
    moved = [
        place
        for place, cut in enumerate(cuts)
        if not np.allclose(own[place][: cut + 1], after[place][: cut + 1])
    ]
    read = [place for place in range(_SERIES) if not np.allclose(own[place], other[place])]
    missed = _missed(own[::2], wanted[::2], weeks[::2])
    level = sum(one[WARM_UP:].sum() for one in own[1::2]) / sum(
        float(one[WARM_UP:].sum()) for one in wanted[1::2]
    )
    alone, shared = np.median(swings, axis=0)
    shares = {
        "looks back only": float(not moved),
        "reads what was shared": float(not read),
        "close enough": _toward(missed, _CLOSE, _NOT_CLOSE),
        "sees behind empty shelves": _toward(abs(level - 1), 0.08, 0.16),
        "swings less when shared": float(shared <= _CALM and shared < 0.85 * alone),
    }
    if moved:  # who knows what comes forecasts well, and has shown nothing
        shares = dict.fromkeys(shares, 0.0) | {"reads what was shared": shares["reads what was shared"]}  # fmt: skip
    numbers: dict[str, Sequence[float]] = {
        "close enough": (missed,),
        "sees behind empty shelves": (level,),
        "swings less when shared": (alone, shared),
    }
    problems = [
        Problem(f"forecasts.{name}", _SAID[name].format(*numbers.get(name, ())))
        for name, share in shares.items()
        if share < 1 and not (moved and name != "looks back only")
    ]
    if shown and moved:
        place, cut = moved[0], cuts[moved[0]]
        table = weeks[place].iloc[[cut]].assign(forecast=own[place][cut])
        table["forecast when this week is another"] = after[place][cut]
        return Result.from_parts(title, points, shares, problems).showing(table=table)
    return Result.from_parts(title, points, shares, problems)


def _changed_from(table: pd.DataFrame, cut: int) -> pd.DataFrame:
    """The same weeks up to ``cut``, and others from there on."""
    other = table.copy()
    other.loc[cut:, "sold"] = other.loc[cut:, "sold"] * 3 + 50
    other.loc[cut:, "stock"] = 9
    return other


def _missed(
    made: Sequence[np.ndarray], wanted: Sequence[np.ndarray], weeks: Sequence[pd.DataFrame]
) -> float:
    """The mean distance from what was wanted, as a share of that of repeating the last week."""
    own = last = 0.0
    for forecast, truth, table in zip(made, wanted, weeks, strict=True):
        own += float(abs(forecast - truth)[WARM_UP:].mean()) / truth.mean()
        repeated = table["sold"].shift(1).to_numpy()
        last += float(abs(repeated - truth)[WARM_UP:].mean()) / truth.mean()
    return own / last


def _toward(value: float, good: float, bad: float) -> float:
    """1 up to ``good``, 0 from ``bad`` on, and in proportion between."""
    return 1.0 if math.isclose(value, good) else float(np.clip((bad - value) / (bad - good), 0, 1))
