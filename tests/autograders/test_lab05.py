"""Lab 5's forecasts are judged by what they can know, its plans by a bound, and its checks tell students what to mend. The samples: test_labs.py."""

import numpy as np
import pandas as pd
import pytest
from gradewell.checks import allocation, forecasting
from gradewell.checks.forecasting import WARM_UP
from scipy.optimize import linear_sum_assignment


def smooth(weeks):
    """Written for these tests: the mean of the last five weeks with a full shelf."""
    known = weeks["sold"].where(weeks["stock"] > 0)
    return known.rolling(5, min_periods=1).mean().shift(1).ffill().tolist()


@pytest.mark.parametrize("seed", range(30))
def test_a_plain_moving_mean_earns_all_points(seed):
    assert forecasting.forecasts(smooth, seed, 20).passed


@pytest.mark.parametrize("seed", range(10))
def test_no_shelf_is_empty_three_times_in_a_row_and_many_are_in_all(seed):
    random = np.random.default_rng(seed)
    table = forecasting.shop(random, forecasting.demand(random), often_empty=True)
    empty = table["stock"] == 0
    assert not empty.rolling(3).sum().eq(3).any()
    assert 0.15 < empty.mean() < 0.6
    assert (table["sold"] >= 0).all()


def codes(result):
    return {problem.code.partition(".")[2] for problem in result.problems}


@pytest.mark.parametrize("ahead", range(3))
def test_any_look_at_the_week_or_a_later_one_is_found(ahead):
    """Even a hundredth of it, mixed into a forecast that is good without it."""

    def peeps(weeks):
        later = weeks["sold"].shift(-ahead).ffill()
        return (0.99 * pd.Series(smooth(weeks)) + 0.01 * later).tolist()

    result = forecasting.forecasts(peeps, 3, 20)
    assert codes(result) == {"looks back only"}
    assert result.points <= 20 / 5


def test_a_forecast_may_change_after_the_week_that_changes():
    assert "looks back only" not in codes(forecasting.forecasts(smooth, 11, 20))


@pytest.mark.parametrize(
    "wrong",
    [
        lambda weeks: None,
        lambda weeks: "many",
        lambda weeks: [1.0] * (len(weeks) - 1),
        lambda weeks: [[1.0]] * len(weeks),
        lambda weeks: [float("nan")] * len(weeks),
        lambda weeks: [-1.0] * len(weeks),
        lambda weeks: [float("inf")] * len(weeks),
        lambda weeks: pd.Series(smooth(weeks)).where(weeks.index != WARM_UP).tolist(),
    ],
)
def test_what_is_no_forecast_for_each_week_is_told_so(wrong):
    result = forecasting.forecasts(wrong, 3, 20)
    assert (result.points, codes(result)) == (0, {"form"})


def test_the_visible_check_shows_the_week_that_moved():
    result = forecasting.forecasts(lambda weeks: weeks["sold"].tolist(), 1, 4, shown=True)
    assert "forecast when this week is another" in str(result)
    assert forecasting.forecasts(lambda weeks: weeks["sold"].tolist(), 1, 4).table is None


def test_the_whip_is_that_of_the_formula():
    """A mean of p weeks and a lead of L: the variance of one level's orders is 1 + 2(L + 1.5)/p + 2((L + 1.5)/p)^2 of sales
    without autocorrelation (Chen and others 2000)."""
    sales = np.random.default_rng(5).normal(1_000, 30, 20_000)
    made = pd.Series(sales).rolling(4).mean().shift(1).fillna(1_000).to_numpy()
    share = (1 + 1 + forecasting.SAFETY) / 4
    found = forecasting.orders(sales, made, lead=1)[20:].var() / sales.var()
    assert found == pytest.approx(1 + 2 * share + 2 * share**2, rel=0.03)


def test_without_a_forecast_that_moves_nothing_swings():
    sales = np.random.default_rng(5).poisson(100, 60)
    alone, shared = forecasting.bullwhip(lambda weeks: [100.0] * len(weeks), sales)
    assert alone == pytest.approx(1, rel=0.1)
    assert shared == pytest.approx(1, rel=0.1)


# -- what sharing is worth --------------------------------------------------------------------------


def test_empty_lorries_take_the_shortest_ways_in_all():
    """Against an assignment of every single lorry."""
    for seed in range(20):
        random = np.random.default_rng(seed)
        kilometres = random.integers(1, 90, (3, 5)).astype(float)
        plan = random.integers(0, 900, (3, 5)).astype(float)
        lorries = np.ceil(plan / 300).astype(int)
        to = np.repeat(np.arange(3), lorries.sum(axis=1))
        at = np.repeat(np.arange(5), lorries.sum(axis=0))
        each = kilometres[to][:, at]
        expected = each[linear_sum_assignment(each)].sum()
        pooled = allocation.empty_kilometres(plan, kilometres, 300, pooled=True)
        assert pooled == pytest.approx(expected)
        assert pooled <= allocation.empty_kilometres(plan, kilometres, 300, pooled=False) + 1e-6


def test_alone_nobody_sends_more_than_there_is_and_all_get_the_same_share():
    case = allocation.Transport(
        supply=np.array([100.0, 10.0]),
        demand=np.array([90.0, 110.0, 7.0]),
        cost=np.zeros((2, 3)),
        capacity=np.array([[1000.0, 60.0, 9.0], [9.0, 9.0, 9.0]]),
        penalty=1.0,
    )
    kilometres = np.array([[1.0, 2.0, 5.0], [1.0, 3.0, 4.0]])  # equally near: the first
    assert allocation.nearest(case, kilometres).tolist() == [[60, 40, 0], [0, 0, 7]]


def test_a_right_sum_of_a_plan_that_nobody_can_carry_out_earns_less():
    def dreams(supply, demand, kilometres, capacity, price, penalty, lorry):
        plan = np.zeros_like(kilometres)
        plan[kilometres.argmin(axis=0), np.arange(len(demand))] = demand
        money = float((plan * kilometres).sum() * price)
        one = {"plan": plan, "money": money, "unmet": 0.0, "empty_km": 0.0}
        return {"alone": one, "shared": one}

    result = allocation.sharing(dreams, 3, 20)
    assert result.points == 0
    assert {"alone", "shared"} <= codes(result)


@pytest.mark.parametrize("value", [-5.0, 0.5, 1e300, -1e300])
def test_a_plan_that_cannot_be_is_told_so_whatever_it_holds(value):
    def strange(supply, demand, kilometres, capacity, price, penalty, lorry):
        one = {"plan": np.full(kilometres.shape, value), "money": 1, "unmet": 1, "empty_km": 1}
        return {"alone": one, "shared": one}

    result = allocation.sharing(strange, 3, 20)
    assert result.points == 0
    assert {"alone", "shared", "empty_km"} <= codes(result)


@pytest.mark.parametrize("wrong", [None, {}, {"alone": 3, "shared": 4}, [1, 2], {"alone": {"plan": [[1]]}}])  # fmt: skip
def test_what_is_no_pair_of_dicts_is_told_so(wrong):
    result = allocation.sharing(lambda *problem: wrong, 3, 20)
    assert (result.points, codes(result)) == (0, {"form"})


@pytest.mark.parametrize("seed", range(10))
def test_offers_have_what_the_task_speaks_of(seed):
    made = [allocation._offer(np.random.default_rng([seed, n])) for n in range(8)]
    short = [case.supply.sum() < case.demand.sum() for case, *_ in made]
    far = [(case.cost > case.penalty).any() for case, *_ in made]
    tight = [
        (allocation.nearest(case, km) < case.demand * (km == km.min(axis=0))).any()
        for case, km, *_ in made
    ]
    assert sum(tight) >= 4
    assert not all(short)
    assert any(far)
