"""Lab 6's tables can be protected, its attack is exact, its nowcasts are judged beyond chance. The samples: test_labs.py."""

from itertools import product

import numpy as np
import pandas as pd
import pytest
from gradewell.checks import emergency, suppression, tables
from gradewell.checks.suppression import DIMENSIONS, LEAST, TOTAL


def codes(result):
    return {problem.code.partition(".")[2] for problem in result.problems}


@pytest.mark.parametrize("seed", range(20))
def test_epidemics_have_small_counts_large_sums_and_a_rectangle_for_each_small_count(seed):
    table = suppression.epidemic(seed)
    sums = table[DIMENSIONS].isin([TOTAL]).any(axis=1)
    assert table["count"][sums].min() >= LEAST
    small = table[~sums]["count"].between(1, LEAST - 1).sum()
    assert 3 <= small <= 20
    inner = table[~sums]
    counts = inner.pivot(index="district", columns="age", values="count").to_numpy()
    for row, column in np.argwhere((counts > 0) & (counts < LEAST)):
        assert any(
            min(counts[row, c], counts[r, column]) + min(counts[row, column], counts[r, c]) >= LEAST
            for r, c in product(range(counts.shape[0]), range(counts.shape[1]))
            if r != row and c != column
        )
    assert suppression.rectangles(table) <= len(inner) / 1.5


@pytest.mark.parametrize("seed", range(5))
def test_the_office_hides_every_small_count_and_gives_some_away(seed):
    table = suppression.epidemic(seed)
    office = suppression.hidden_alone(table, seed)
    sums = table[DIMENSIONS].isin([TOTAL]).any(axis=1)
    assert office["count"][~sums & table["count"].between(1, LEAST - 1)].isna().all()
    assert office["count"][sums].notna().all()
    found = tables.intervals(office, DIMENSIONS)
    assert (found["high"] - found["low"] < LEAST).any()


def test_the_ends_are_those_of_trying_every_number():
    counts = np.array([[3, 12], [20, 4]])
    table = suppression.with_sums(counts, ["D", "E"], ["a", "b"])
    published = masked(table, ~table[DIMENSIONS].isin([TOTAL]).any(axis=1))
    tried = np.indices((25,) * 4).reshape(2, 2, -1)
    fits = (tried.sum(axis=1) == counts.sum(axis=1)[:, None]).all(axis=0)
    fits &= (tried.sum(axis=0) == counts.sum(axis=0)[:, None]).all(axis=0)
    found = tables.intervals(published, DIMENSIONS)
    for (row, district), (column, age) in product(enumerate("DE"), enumerate("ab")):
        values = tried[row, column][fits]
        assert found.loc[(district, age)].tolist() == [values.min(), values.max()]
    assert found.loc[("D", "a")].tolist() == [0, 15]


@pytest.mark.parametrize(
    "wrong",
    [
        lambda published: None,
        lambda published: published,
        lambda published: published.assign(low="few", high="many"),
        lambda published: {"low": 0, "high": 1},
    ],
)
def test_what_is_no_table_of_ends_is_told_so(wrong):
    result = suppression.attacks(wrong, 3, 16)
    assert (result.points, codes(result)) == (0, {"form"})


def test_a_cell_that_was_published_or_told_twice_is_no_hidden_one():
    def twice(published):
        found = honest(published)
        return pd.concat([found, found.iloc[:1]])

    def honest(published):
        grid = published.pivot(index="district", columns="age", values="count").isna()
        cells = [(d, a) for d in grid.index for a in grid.columns if grid.loc[d, a]]
        return pd.DataFrame(cells, columns=DIMENSIONS).assign(low=0, high=10**6)

    assert "cells" not in codes(suppression.attacks(honest, 3, 16))
    assert "cells" in codes(suppression.attacks(twice, 3, 16))
    assert suppression.attacks(honest, 3, 16).points < 16


def masked(table, hide):
    return table.assign(count=table["count"].astype(object).mask(hide, None))


def test_what_gives_people_away_earns_nothing_and_what_says_nothing_less_than_half():
    def as_it_is(table, least):
        return table

    def nothing(table, least):
        return masked(table, ~table[DIMENSIONS].isin([TOTAL]).any(axis=1))

    def nothing_at_all(table, least):
        return masked(table, table["count"] >= 0)

    assert suppression.publishes(as_it_is, 3, 26).points == 0
    assert suppression.publishes(nothing, 3, 26).points < 26 / 2
    assert suppression.publishes(nothing_at_all, 3, 26).points == 0
    assert "sums" in codes(suppression.publishes(nothing_at_all, 3, 26))


@pytest.mark.parametrize("wrong", [None, [1], {"count": 3}, pd.DataFrame({"x": [1]})])
def test_what_is_no_table_earns_nothing(wrong):
    assert suppression.publishes(lambda table, least: wrong, 3, 26).points == 0


# -- nowcasts ---------------------------------------------------------------------------------------


def nowcast(known, today):
    """Written for these tests: reverse hazards, from the longest delay down."""
    delay, share = known["reported"] - known["onset"], {21: 1.0}
    for days in range(21, 0, -1):
        seen = delay[(known["onset"] <= today - days) & (delay <= days)]
        share[days - 1] = share[days] * (1 - (seen == days).mean() if len(seen) else 1)
    counts = known["onset"].value_counts()
    return {
        day: float(counts.get(day, 0) / max(share[today - day], 0.05))
        for day in range(today - 20, today + 1)
    }


@pytest.mark.parametrize("seed", range(30))
def test_another_right_nowcast_earns_all_points(seed):
    assert emergency.nowcasts(nowcast, seed, 10).passed


def test_only_what_is_reported_is_shown_and_delays_end():
    for seed in range(10):
        known, today, truth = emergency.reports(seed)
        assert (known["reported"] <= today).all()
        assert (known["reported"] - known["onset"]).between(0, 21).all()
        assert known.groupby("onset").size().loc[: today - 21].equals(truth.loc[: today - 21])


def test_the_order_of_the_rows_is_noticed():
    def first_rows(known, today):
        return {day: value + known["onset"].iloc[0] % 7 for day, value in nowcast(known, today).items()}  # fmt: skip

    assert "any order" in codes(emergency.nowcasts(first_rows, 3, 10))


@pytest.mark.parametrize(
    "wrong",
    [
        lambda known, today: None,
        lambda known, today: {},
        lambda known, today: {today - age: float("nan") for age in range(22)},
        lambda known, today: {today - age: -1.0 for age in range(22)},
        lambda known, today: {today - age: "many" for age in range(22)},
        lambda known, today: {"today": 3},
        lambda known, today: {today - age: 10.0 for age in range(4, 20)},
    ],
)
def test_what_is_no_nowcast_is_told_so(wrong):
    result = emergency.nowcasts(wrong, 3, 10)
    assert (result.points, codes(result)) == (0, {"form"})


# -- access -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(5))
def test_requests_are_answered_both_ways_in_every_part(seed):
    cases = emergency._requests(seed)
    for part in ("the grant's terms", "the days", "the emergency"):
        assert {expected for *_, expected, name in cases if name == part} == {True, False}


@pytest.mark.parametrize("always", [True, False])
def test_the_same_answer_to_all_earns_nothing(always):
    assert emergency.may_read(lambda grant, request, over: always, 3, 8).points == 0


@pytest.mark.parametrize("wrong", [None, "yes", 1, [True]])
def test_what_is_neither_true_nor_false_is_told_so(wrong):
    result = emergency.may_read(lambda grant, request, over: wrong, 3, 8)
    assert (result.points, codes(result)) == (0, {"form"})
