"""Is a plan of shipments feasible, and is there none cheaper? The second is shown by a bound, not by comparing plans."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from gradewell.checks.calls import CallFailed, call
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
            shipments = np.asarray(said, dtype=float)
        except (CallFailed, TypeError, ValueError) as failure:
            text = (
                str(failure) if isinstance(failure, CallFailed) else "a plan is an array of numbers"
            )
            return Result.failed(title, points, "plans.fails when called", f"{text}.{where}")
        if shipments.shape != case.cost.shape or not np.isfinite(shipments).all():
            message = "A plan is an array like cost, with a finite number for each arc."
            return Result.failed(title, points, "plans.form", message)
        price, bound = case.price(shipments), case.bound()
        costs.append((price, bound))
        near = 1e-6
        found = {
            "not negative": bool((shipments >= -near).all()),
            "whole numbers": bool((abs(shipments - shipments.round()) <= near).all()),
            "supply": bool((shipments.sum(axis=1) <= case.supply + near).all()),
            "demand": bool((shipments.sum(axis=0) <= case.demand + near).all()),
            "capacity": bool((shipments <= case.capacity + near).all()),
        }
        possible = all(found.values())
        found["cost"] = possible and price <= bound * (1 + tolerance) + near
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


_RULES = {
    "not negative": "Nothing can be sent backwards: a shipment is negative.",
    "whole numbers": "Half a crate cannot be sent: shipments are whole numbers.",
    "supply": "A source sends more than it has.",
    "demand": "A sink gets more than it asked for.",
    "capacity": "An arc carries more than it can.",
    "cost": "There is a cheaper plan: yours costs more than the least possible{}.",
}
