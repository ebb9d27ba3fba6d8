"""Is a plan of shipments feasible, and is there none cheaper? The second is shown by a bound, not by comparing plans."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from gradewell.checks import compare
from gradewell.checks.calls import CallFailed, call, runs_code_of
from gradewell.checks.result import Problem, Result


@dataclass(frozen=True)
class Transport:
    """Goods to be sent from sources to sinks.

    Parameters
    ----------
    supply : array, shape (m,)
    demand : array, shape (n,)
    cost : array, shape (m, n)
        Of one unit; not negative.
    capacity : array, shape (m, n)
        The most that may be sent on each arc.
    penalty : float
        The cost of one unit of demand that is not met.
    """

    supply: np.ndarray
    demand: np.ndarray
    cost: np.ndarray
    capacity: np.ndarray
    penalty: float

    def price(self, shipments: np.ndarray) -> float:
        """What a plan costs, unmet demand included."""
        unmet = np.maximum(self.demand - shipments.sum(axis=0), 0)
        return float((shipments * self.cost).sum() + self.penalty * unmet.sum())

    def bound(self) -> float:
        """A cost below which no plan can be, by duality.

        The shadow prices come from HiGHS and are then made feasible here, so that the bound holds whatever the solver says.
        """
        from scipy.optimize import linprog

        m, n = self.cost.shape
        by_source = np.hstack([np.kron(np.eye(m), np.ones((1, n))), np.zeros((m, n))])
        by_sink = np.hstack([np.kron(np.ones((1, m)), np.eye(n)), np.eye(n)])
        found = linprog(
            np.concatenate([self.cost.ravel(), np.full(n, self.penalty)]),
            A_ub=by_source,
            b_ub=self.supply,
            A_eq=by_sink,
            b_eq=self.demand,
            bounds=[(0, c) for c in self.capacity.ravel()] + [(0, None)] * n,
            method="highs",
        )
        source = np.maximum(-found.ineqlin.marginals, 0)
        sink = np.minimum(found.eqlin.marginals, self.penalty)
        arc = np.maximum(sink[None, :] - source[:, None] - self.cost, 0)
        return float(sink @ self.demand - source @ self.supply - (arc * self.capacity).sum())


def instance(seed: int, sources: int = 3, sinks: int = 12) -> Transport:
    """A random problem in whole numbers: now too little supply, now tight arcs, now many equal costs."""
    random = np.random.default_rng(seed)
    demand = random.integers(0, 40, sinks)
    share = random.choice([0.7, 1.0, 1.5])
    supply = random.multinomial(int(demand.sum() * share), random.dirichlet(np.ones(sources)))
    cost = random.integers(1, random.choice([4, 30]), (sources, sinks))
    tight = int(random.choice([8, 40, 10_000]))
    capacity = random.integers(0, tight + 1, (sources, sinks))
    arrays = [array.astype(float) for array in (supply, demand, cost, capacity)]
    return Transport(arrays[0], arrays[1], arrays[2], arrays[3], penalty=100.0)


def plans(
    plan: Callable[..., Any],
    seed: int,
    points: float,
    instances: Sequence[Transport] | None = None,
    tolerance: float = 0.001,
    shown: bool = False,
    title: str = "plans of shipments",
) -> Result:
    """Points for plans that can be carried out, and that cost no more than they must.

    Parameters
    ----------
    plan : callable
        From supply, demand, cost, capacity (arrays) and the penalty of unmet demand to the units sent on each arc, shape (m, n).
    seed : int
        Of ten random problems, unless ``instances`` are given.
    tolerance : float
        How much more than the bound a plan may cost and still be called optimal, in parts of the bound.
    shown : bool
        Whether messages may show the numbers of a problem.
    """
    todo = instances if instances is not None else [instance(seed * 1_000 + n) for n in range(10)]
    good = dict.fromkeys(_RULES, 0.0)
    problems: dict[str, Problem] = {}
    costs = []
    for case in todo:
        where = f" Supply {case.supply.tolist()}, demand {case.demand.tolist()}." if shown else ""
        try:
            arrays = (case.supply, case.demand, case.cost, case.capacity)
            said = call(plan, *(array.copy() for array in arrays), case.penalty, shown="a problem" if shown else "")  # fmt: skip
        except CallFailed as failure:
            return Result.failed(title, points, "plans.fails when called", f"{failure}.{where}")
        shipments = compare.numbers(said, case.cost.shape)
        if shipments is None:
            message = "A plan is an array like cost, with a finite number for each arc."
            return Result.failed(title, points, "plans.form", message)
        price, bound = case.price(shipments), case.bound()
        costs.append((price, bound))
        found = _holds(case, shipments)
        possible = all(found.values())
        found["cost"] = possible and compare.at_most(price, bound * (1 + tolerance) + 1e-6)
        for name, holds in found.items():
            good[name] += holds
            if not holds and (name != "cost" or possible):
                extra = f" by {price / bound - 1:.1%}" if name == "cost" and bound > 0 else ""
                problems.setdefault(
                    name, Problem(f"plans.{name}", _RULES[name].format(extra) + where)
                )
    parts = {name: count / len(todo) for name, count in good.items()}
    feasible = min(share for name, share in parts.items() if name != "cost")
    # half for plans that can be carried out at all, half for the best ones; sending nothing is no plan
    shares = {"can be carried out": feasible * min(1.0, 2 * parts["cost"]), "costs least": parts["cost"]}  # fmt: skip
    rows = tuple((f"problem {n}", price, bound) for n, (price, bound) in enumerate(costs, 1))
    return Result.from_parts(title, points, shares, list(problems.values())).showing(
        table=pd.DataFrame(rows, columns=["", "your cost", "lower bound"]) if shown else None
    )


def sharing(
    function: Callable[..., Any], seed: int = 1, points: float = 4, shown: bool = False
) -> Result:
    """Points for what sharing is worth: ``value_of_sharing(supply, demand, kilometres, capacity, price, penalty, lorry)``.

    Parameters
    ----------
    function : callable
        From supply, demand, kilometres (of each arc), capacity, the price of a unit and kilometre, the penalty of an unmet unit and the units that a lorry
        takes to ``{"alone": {...}, "shared": {...}}``, each with ``plan``, ``money``, ``unmet``, ``empty_km``.
    shown : bool
        Whether messages may show numbers.
    """
    title, count = "what sharing is worth", 8
    earned = dict.fromkeys(_VALUES, 0.0)
    problems: dict[str, Problem] = {}
    for number in range(count):
        case, kilometres, price, lorry = _offer(np.random.default_rng([seed, number]))
        arrays = (case.supply, case.demand, kilometres, case.capacity)
        if number == 0 and runs_code_of(__name__, function, *arrays, price, case.penalty, lorry):
            message = "Your function calls the grader's. Write down yourself what people do alone."
            return Result.failed(title, points, "sharing.copied", message)
        try:
            said = call(function, *(a.copy() for a in arrays), price, case.penalty, lorry, shown="a problem" if shown else "")  # fmt: skip
        except CallFailed as failure:
            return Result.failed(title, points, "sharing.fails when called", f"{failure}.")
        if not _is_told(said):
            message = "value_of_sharing returns a dict of two dicts, alone and shared, with plan, money, unmet and empty_km."
            return Result.failed(title, points, "sharing.form", message)
        alone, best = (compare.numbers(said[who]["plan"], case.cost.shape) for who in _WHO)
        told = [[_or_nan(said[who][what]) for what in _WHAT] for who in _WHO]
        if alone is None or best is None:
            message = "A plan is an array like kilometres, with a finite number for each arc."
            return Result.failed(title, points, "sharing.form", message)
        fits = all(_holds(case, best).values())
        ways = (
            empty_kilometres(alone, kilometres, lorry, pooled=False),
            empty_kilometres(best, kilometres, lorry, pooled=True) if fits else np.nan,
        )
        expected = [
            (case.price(plan), float((case.demand - plan.sum(axis=0)).sum()), empty)
            for plan, empty in zip((alone, best), ways, strict=True)
        ]
        found = {
            "alone": np.array_equal(alone, nearest(case, kilometres)),
            "shared": fits and compare.at_most(case.price(best), case.bound() * 1.001 + 1e-6),
            **{
                name: all(
                    compare.close(t[place], e[place], relative=1e-6, absolute=1e-6)
                    for t, e in zip(told, expected, strict=True)
                )
                for place, name in enumerate(_WHAT)
            },
        }
        for name, holds in found.items():
            earned[name] += holds / count
            if not holds:
                place = {"money": 0, "unmet": 1, "empty_km": 2}.get(name)
                numbers = "" if place is None or not shown else (
                    f" In the first problem that shows it: alone {expected[0][place]:.6g}, not {told[0][place]:.6g}; "
                    f"shared {expected[1][place]:.6g}, not {told[1][place]:.6g}."
                )  # fmt: skip
                problems.setdefault(name, Problem(f"sharing.{name}", _VALUES[name] + numbers))
    shares = {name: round(share, 9) for name, share in earned.items()}
    if shares["alone"] == 0 and shares["shared"] == 0:  # numbers that fit no plan are none
        shares = dict.fromkeys(shares, 0.0)
    return Result.from_parts(title, points, shares, list(problems.values()))


_WHO, _WHAT = ("alone", "shared"), ("money", "unmet", "empty_km")


def _is_told(said: Any) -> bool:
    return isinstance(said, dict) and all(
        isinstance(said.get(who), dict)
        and {"plan", *_WHAT} <= set(said[who])  # own: of plain names
        for who in _WHO
    )


def _or_nan(said: Any) -> float:
    found = compare.number(said)
    return np.nan if found is None else found


def nearest(case: Transport, kilometres: np.ndarray) -> np.ndarray:
    """The plan of sinks that know nothing of each other: each asks its nearest source, which shares out in proportion what is too little."""
    sent = np.zeros_like(case.cost)
    chosen = kilometres.argmin(axis=0)
    for source, supply in enumerate(case.supply):
        asks = np.flatnonzero(chosen == source)
        wanted = np.minimum(case.demand[asks], case.capacity[source, asks])
        enough = wanted.sum() <= supply
        sent[source, asks] = wanted if enough else wanted * supply // wanted.sum()
    return sent


def empty_kilometres(plan: np.ndarray, kilometres: np.ndarray, lorry: float, pooled: bool) -> float:
    """What lorries drive empty, back to a source for the next load: each to its own, or, ``pooled``, to whichever needs it, by the shortest ways in all."""
    lorries = np.ceil(plan / lorry)
    if not pooled:
        return float((lorries * kilometres).sum())
    left, arrived = lorries.sum(axis=1), lorries.sum(axis=0)
    ways = kilometres.T
    any_number = np.full(ways.shape, lorries.sum())
    return Transport(arrived, left, ways, any_number, penalty=2 * ways.sum() + 1).bound()


def _holds(case: Transport, shipments: np.ndarray, near: float = 1e-6) -> dict[str, bool]:
    return {
        "not negative": bool((shipments >= -near).all()),
        "whole numbers": bool((abs(shipments - shipments.round()) <= near).all()),
        "supply": bool((shipments.sum(axis=1) <= case.supply + near).all()),
        "demand": bool((shipments.sum(axis=0) <= case.demand + near).all()),
        "capacity": bool((shipments <= case.capacity + near).all()),
    }


def _offer(random: np.random.Generator) -> tuple[Transport, np.ndarray, float, float]:
    """Sources and sinks on a map, of which one source has too little; kilometres, price of a unit and kilometre, units of a lorry."""
    sources, sinks = int(random.integers(2, 5)), int(random.integers(5, 14))
    places = random.uniform(0, 100, (sources + sinks, 2))
    gaps = places[:sources, None] - places[None, sources:]
    kilometres = np.round(np.hypot(gaps[..., 0], gaps[..., 1]), 1)
    demand = random.integers(100, 2_000, sinks).astype(float)
    even = demand.sum() / sources
    supply = np.round(even * random.uniform(0.9, 2.0, sources))
    supply[kilometres.argmin(axis=0)[0]] = round(even / 3)
    capacity = random.choice([600.0, 1_500.0, 5_000.0], kilometres.shape)
    price, lorry = float(random.choice([0.01, 0.02])), float(random.choice([80, 500]))
    case = Transport(
        supply, demand, price * kilometres, capacity, penalty=float(random.choice([0.5, 3]))
    )
    return case, kilometres, price, lorry


_VALUES = {
    "alone": (
        "The plan alone is not the one described: each sink asks only its nearest source (the first, if two are equally near), for what it wants and the "
        "road can carry; a source with too little gives each the same share of what it asked, rounded down to whole units."
    ),
    "shared": "The plan shared cannot be carried out, or there is a cheaper one.",
    "money": "Money is what moving the units of that plan costs, and the penalty of all that is unmet.",
    "unmet": "Unmet is what all sinks wanted less what the plan brings them.",
    "empty_km": (
        "Empty kilometres do not fit the plan. A load takes as many lorries as it needs, the last one perhaps not full. Alone each drives back to where it came from. "
        "Shared, as many come back to each source as left it, from wherever that is shortest in all."
    ),
}  # fmt: skip
_RULES = {
    "not negative": "Nothing can be sent backwards: a shipment is negative.",
    "whole numbers": "Half a crate cannot be sent: shipments are whole numbers.",
    "supply": "A source sends more than it has.",
    "demand": "A sink gets more than it asked for.",
    "capacity": "An arc carries more than it can.",
    "cost": "There is a cheaper plan: yours costs more than the least possible{}.",
}
