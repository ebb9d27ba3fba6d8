"""Checks that compare with what must be true: plans, faults and links, summaries that merge."""

import itertools
import math

import numpy as np
import pytest
from gradewell.checks import allocation, quality, summaries
from gradewell.checks.calls import CallFailed, measured, repeated
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import Bounds, LinearConstraint, milp

# -- plans ------------------------------------------------------------------------------------------


def best(supply, demand, cost, capacity, penalty):
    """Whole shipments by branch and bound: another method than the check's bound."""
    m, n = cost.shape
    by_source = np.kron(np.eye(m), np.ones((1, n)))
    by_sink = np.kron(np.ones((1, m)), np.eye(n))
    found = milp(
        (cost - penalty).ravel(),
        integrality=np.ones(m * n),
        bounds=Bounds(0, capacity.ravel()),
        constraints=[LinearConstraint(by_source, ub=supply), LinearConstraint(by_sink, ub=demand)],
    )
    return found.x.reshape(m, n)


def greedy(supply, demand, cost, capacity, penalty):
    left, wanted, sent = supply.copy(), demand.copy(), np.zeros(cost.shape)
    for i, j in sorted(np.ndindex(cost.shape), key=lambda arc: cost[arc]):
        sent[i, j] = min(left[i], wanted[j], capacity[i, j])
        left[i] -= sent[i, j]
        wanted[j] -= sent[i, j]
    return sent


@pytest.mark.parametrize("seed", range(20))
def test_the_best_plans_pass(seed):
    assert allocation.plans(best, seed, 8).passed


WRONG_PLANS = {
    "cost": greedy,
    "not negative": lambda s, d, c, k, p: best(s, d, c, k, p) - 5,
    "capacity": lambda s, d, c, k, p: best(s, d, c, k + 50, p),
    "supply": lambda s, d, c, k, p: best(s + 20, d, c, k, p),
    "demand": lambda s, d, c, k, p: best(s, d + 3, c, k, p),
    "whole numbers": lambda s, d, c, k, p: best(s, d, c, k, p) * 0.999,
}


@pytest.mark.parametrize("code", WRONG_PLANS)
def test_each_wrong_plan_is_told_what_is_wrong(code):
    for seed in range(5):
        result = allocation.plans(WRONG_PLANS[code], seed, 8)
        assert f"plans.{code}" in {problem.code for problem in result.problems}
        assert result.points < 8
        assert "Supply [" not in str(result)


def test_no_plan_earns_nothing():
    assert allocation.plans(lambda s, d, c, k, p: np.zeros(c.shape), 1, 8).points <= 1
    for wrong in (lambda *a: None, lambda *a: [1], lambda *a: 1 / 0, lambda *a: "plan"):
        assert allocation.plans(wrong, 1, 8).points == 0


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6))
def test_no_plan_costs_less_than_the_bound_and_the_best_reaches_it(seed):
    case = allocation.instance(seed, sources=2, sinks=3)
    arrays = (case.supply, case.demand, case.cost, case.capacity, case.penalty)
    bound = case.bound()
    assert case.price(best(*arrays)) == pytest.approx(bound)
    assert case.price(greedy(*arrays)) >= bound - 1e-6


# -- faults and links -------------------------------------------------------------------------------

PLANTED = {
    *((row, "age", "impossible") for row in range(20)),
    *((row, "id", "duplicate") for row in range(2)),
}


def test_all_faults_and_nothing_else_earn_everything():
    assert quality.faults(PLANTED, PLANTED, 6).passed
    assert quality.faults([list(f) for f in sorted(PLANTED)], PLANTED, 6).passed
    assert quality.faults([], set(), 6).problems == ()


def test_a_rare_kind_counts_as_much_as_a_common_one():
    without = {fault for fault in PLANTED if fault[2] != "duplicate"}
    result = quality.faults(without, PLANTED, 6)
    assert result.points == 3
    assert [p.code for p in result.problems] == ["quality.missed.duplicate"]
    assert "row" not in result.problems[0].message
    assert "row 0" in str(quality.faults(without, PLANTED, 6, shown=True))


def test_reporting_everything_earns_little():
    everything = {(row, column, kind) for row in range(200) for column in ("age", "id") for kind in ("impossible", "duplicate")}  # fmt: skip
    result = quality.faults(everything, PLANTED, 6)
    assert result.points <= 0.25
    assert "quality.false alarms" in {p.code for p in result.problems}
    for wrong in (None, 3, [1], [(1, 2)]):
        assert quality.faults(wrong, PLANTED, 6).points == 0


def test_links_are_scored_by_both_kinds_of_mistake():
    true = {(n, n) for n in range(100)}
    assert quality.links(true, true, 4).passed
    assert quality.links({(n, n) for n in range(90)}, true, 4).passed
    missing = quality.links({(n, n) for n in range(50)}, true, 4)
    wrong = quality.links(true | {(n, n + 1) for n in range(100)}, true, 4)
    assert "missing" in str(missing)
    assert "wrong" in str(wrong)
    assert quality.links(itertools.product(range(100), repeat=2), true, 4).points <= 0.25
    assert quality.links([], true, 4).points == 0
    rule = {"different numbers": {(3, 4)}}
    assert quality.links(true, true, 4, forbidden=rule).passed
    assert quality.links(true | {(3, 4)}, true, 4, forbidden=rule).points < 4


# -- summaries --------------------------------------------------------------------------------------

DATASETS = {
    "small numbers": [float(n % 7) for n in range(300)],
    "values around a billion": [1e9 + math.sin(n) for n in range(300)],
    "no rows": [],
    "one row": [5.0],
}


def moments(rows):
    n, mean, squares = 0, 0.0, 0.0
    for x in rows:
        n += 1
        step = x - mean
        mean += step / n
        squares += step * (x - mean)
    return (n, mean, squares)


def merged(a, b):
    n = a[0] + b[0]
    if not n:
        return a
    step = b[1] - a[1]
    return (n, a[1] + step * b[0] / n, a[2] + b[2] + step**2 * a[0] * b[0] / n)


def finished(s):
    return {
        "count": s[0],
        "mean": s[1] if s[0] else None,
        "variance": s[2] / s[0] if s[0] else None,
    }


def central(rows):
    return {
        "count": len(rows),
        "mean": float(np.mean(rows)) if rows else None,
        "variance": float(np.var(rows)) if rows else None,
    }


def check(summarise=moments, merge=merged, finish=finished, seed=1):
    return summaries.mergeable(summarise, merge, finish, DATASETS, central, seed, 6, tolerance=1e-7)


def test_mergeable_moments_pass_on_many_splits():
    for seed in range(100):
        assert check(seed=seed).passed


def mean_of_means(a, b):
    return (a[0] + b[0], (a[1] + b[1]) / 2, a[2] + b[2])


def cancelling(rows):
    rows = list(rows)
    n = len(rows)
    mean = sum(rows) / n if n else 0.0
    return (n, mean, sum(x * x for x in rows) - n * mean * mean)


def keeps(rows):
    return list(rows)


def twice(rows):
    n = sum(1 for _ in rows)
    return (n, sum(rows) / n if n else 0.0, 0.0)


def changing(a, b):
    a.extend(b)
    return a


WRONG_SUMMARIES = {
    "any split": {"merge": mean_of_means},
    "one part": {"summarise": cancelling},
    "small": {"summarise": keeps, "merge": lambda a, b: a + b, "finish": lambda s: finished(moments(s))},
    "unchanged": {"summarise": keeps, "merge": changing, "finish": lambda s: finished(moments(s))},
    "an empty part": {"merge": lambda a, b: merged(a, b) if b[0] else (a[0] + 1, *a[1:])},
    "commutative": {"merge": lambda a, b: a if a[0] else b},
    "fails when called": {"summarise": twice},
}  # fmt: skip


@pytest.mark.parametrize("law", WRONG_SUMMARIES)
def test_each_broken_law_is_named(law):
    result = check(**WRONG_SUMMARIES[law])
    assert f"summaries.{law}" in {problem.code for problem in result.problems}
    assert result.points < 6


def test_memory_is_measured_during_the_call():
    def much(megabytes):
        return int(np.ones(megabytes << 20, dtype=np.uint8).sum())

    assert summaries.within_memory(much, [1], 100, 3).passed
    result = summaries.within_memory(much, [300], 100, 3)
    assert result.points == 0
    assert "part by part" in str(result)
    assert measured(much, 1)[0] == 1 << 20


def test_many_calls_are_asked_for_at_once_and_their_errors_are_messages():
    assert repeated(lambda x: x + 1, 3, 1) == [2, 2, 2]

    def inverse(x):
        return 1 / x

    with pytest.raises(CallFailed, match=r"inverse\(...\) raised ZeroDivisionError$"):
        repeated(inverse, 3, 0)
