"""The search for what to recode: global levels against all others, local ranges against what they must keep to."""

import itertools
from datetime import date

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sharewell import SharewellError, risk
from sharewell.deidentify import Recipe, partitioned, recoded, recoding

TOWNS = {t: [f"county {t // 2}", f"province {t // 4}"] for t in range(8)}
HIERARCHIES = {"age": [5, 20], "town": TOWNS, "sex": {}}
QUASI = list(HIERARCHIES)


def people(n, seed=0, ages=100):
    random = np.random.default_rng(seed)
    return pl.DataFrame(
        {
            "age": random.integers(0, ages, n),
            "town": np.minimum(random.geometric(0.4, n) - 1, 7),
            "sex": random.choice(["f", "m"], n),
            "illness": random.choice(["a", "b", "c", "d"], n, p=[0.7, 0.2, 0.07, 0.03]),
        }
    )


def by_hand(table, levels, k):
    """The loss and the share left out of one choice of levels, computed row by row."""
    span = table["age"].max() - table["age"].min()
    towns = set(table["town"])

    def value(column, number, level):
        if level == 0:
            return number, 0.0
        if column == "age" and level < 3:
            width = HIERARCHIES["age"][level - 1]
            return number // width, min(1, (width - 1) / span) if span else 0
        if column == "town" and level < 3:
            group = TOWNS[number][level - 1]
            same = sum(TOWNS[town][level - 1] == group for town in towns)
            return group, (same - 1) / max(len(towns) - 1, 1)
        return "*", 1.0

    rows = [
        [value(c, n, level) for c, n, level in zip(QUASI, row, levels, strict=True)]
        for row in table.select(QUASI).rows()
    ]
    keys = [tuple(v for v, _ in row) for row in rows]
    small = [keys.count(key) < k for key in keys]
    lost = [1.0 if s else sum(p for _, p in row) / 3 for row, s in zip(rows, small, strict=True)]
    return sum(lost) / len(lost), sum(small) / len(small)


@given(st.integers(0, 10_000), st.integers(5, 60), st.integers(1, 6), st.sampled_from([0, 0.1, 0.4]), st.sampled_from([3, 30, 100]))  # fmt: skip
@settings(max_examples=25, deadline=None)
def test_no_other_levels_lose_less(seed, rows, k, suppress, ages):
    table = people(max(rows, k), seed, ages)
    found = recoded(table, HIERARCHIES, k, suppress)
    nodes = itertools.product(range(4), range(4), range(2))
    losses = [
        loss for loss, small in (by_hand(table, node, k) for node in nodes) if small <= suppress
    ]
    assert found.optimal
    assert found.loss == pytest.approx(min(losses))
    assert found.suppressed <= suppress


def test_its_recipe_does_it(tmp_path):
    table = people(3_000)
    found = recoded(table, HIERARCHIES, 10)
    done = found.recipe.apply(table)
    kept = [name for name in QUASI if name in done.columns]
    assert risk.k_anonymity(done, kept) >= 10
    assert len(done) == round(len(table) * (1 - found.suppressed))
    assert 0 < found.suppressed <= 0.05
    assert 0 < found.loss < 1
    assert "Leave out the rows" in str(found.recipe)
    again = found.recipe.apply(table.to_pandas())
    assert isinstance(again, pd.DataFrame)
    assert recoded(table.to_pandas(), HIERARCHIES, 10).recipe == found.recipe


def test_what_agrees_already_is_left_as_it_is():
    table = pl.DataFrame({"age": [30] * 4, "town": [1] * 4, "sex": ["f"] * 4})
    found = recoded(table, HIERARCHIES, 4)
    assert (found.recipe, found.loss, found.suppressed) == (Recipe(()), 0, 0)


def test_what_never_agrees_is_left_out():
    table = pl.DataFrame({"name": [f"{n}" for n in range(9)], "sex": ["f"] * 9})
    found = recoded(table, {"name": {}, "sex": {}}, 5, suppress=0)
    assert str(found.recipe) == "1. Leave out name."
    assert found.loss == 0.5


def test_missing_values_are_a_group_of_their_own():
    table = pl.DataFrame({"age": [31, 32, 33, None, None], "sex": ["f", "f", "f", "m", "m"]})
    found = recoded(table, {"age": [10], "sex": {}}, 2, suppress=0)
    done = found.recipe.apply(table)
    assert done["age"].to_list() == ["30-39"] * 3 + [None] * 2


def test_where_there_are_too_many_levels_a_heuristic_keeps_to_k(monkeypatch):
    table = people(2_000)
    best = recoded(table, HIERARCHIES, 10)
    monkeypatch.setattr(recoding, "CHEAP", 3)
    found = recoded(table, HIERARCHIES, 10)
    assert not found.optimal
    assert found.suppressed <= 0.05
    assert best.loss - 1e-12 <= found.loss < 1
    done = found.recipe.apply(table)
    assert risk.k_anonymity(done, [name for name in QUASI if name in done.columns]) >= 10


WRONG = {
    "too few rows": (({"age": [5]}, 11), "no 11 rows can agree in a table of 10"),
    "no column": (({"name": {}}, 2), "there is no column 'name'"),
    "no quasi-identifiers": (({}, 2), "quasi-identifiers are named"),
    "everything left out": (({"age": [5]}, 2, 1.0), "a share is left out from 0 to 1"),
    "a value that the hierarchy lacks": (({"town": {0: ["a"]}}, 2), "does not have"),
    "a band that is none": (({"age": [0]}, 2), "whole number of units wide"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_cannot_be_searched_is_told(name):
    how, said = WRONG[name]
    with pytest.raises(SharewellError, match=said):
        recoded(people(10), *how)


def within(label, value):
    """Whether a label is true of a value."""
    low, _, high = str(label).partition(" to ")
    kind = type(value)
    read = date.fromisoformat if kind is date else kind
    return read(low) <= value <= read(high or low)


@given(st.integers(0, 10_000), st.integers(1, 300), st.integers(1, 8), st.sampled_from([1, 2, 3]))
@settings(max_examples=60, deadline=None)
def test_ranges_are_true_and_shared_by_k(seed, rows, k, l):
    table = people(max(rows, k), seed, 60)
    if table["illness"].n_unique() < l:
        with pytest.raises(SharewellError, match="fewer than"):
            partitioned(table, QUASI, k, "illness", l)
        return
    done, loss = partitioned(table, QUASI, k, "illness", l)
    assert risk.k_anonymity(done, QUASI) >= k
    assert risk.l_diversity(done, QUASI, "illness") >= l
    assert 0 <= loss <= 1
    assert done["illness"].equals(table["illness"])  # every row is where it was
    for name in QUASI:
        assert all(within(*pair) for pair in zip(done[name], table[name], strict=True))


def test_the_loss_is_that_of_the_ranges():
    table = people(500)
    done, loss = partitioned(table, ["age"], 5)
    ends = [tuple(map(int, label.split(" to "))) for label in done["age"]]
    span = table["age"].max() - table["age"].min()
    assert loss == pytest.approx(np.mean([(one[-1] - one[0]) / span for one in ends]))


def test_no_part_can_be_cut_again():
    table = people(1_000)
    done, _ = partitioned(table, QUASI, 10)
    for _, part in done.with_columns(table.select(pl.all().name.prefix("true "))).group_by(QUASI):
        for name in QUASI:
            for cut in part[f"true {name}"].unique():
                below = (part[f"true {name}"] <= cut).sum()
                assert below < 10 or len(part) - below < 10


def test_it_loses_less_than_any_levels():
    table = people(5_000)
    _, local = partitioned(table, QUASI, 5)
    assert local < recoded(table, HIERARCHIES, 5).loss


def test_with_one_row_a_person_each_is_alone_and_with_all_nobody_is():
    table = people(50)
    same, loss = partitioned(table, QUASI, 1)
    assert loss == 0
    assert same["age"].to_list() == [str(age) for age in table["age"]]
    done, loss = partitioned(table, QUASI, 50)
    assert loss == 1
    assert risk.k_anonymity(done, QUASI) == 50


def test_days_texts_and_what_is_missing():
    table = pl.DataFrame(
        {
            "day": [date(2026, 1, 1), date(2026, 1, 2), None, None, date(2026, 3, 1), date(2026, 3, 2)],
            "town": ["Elm", "Ash", None, "Oak", "Oak", None],
            "flag": [True, True, True, False, False, False],
        }
    )  # fmt: skip
    done, loss = partitioned(table, ["day"], 2)
    assert done["day"].to_list() == ["2026-01-01 to 2026-01-02"] * 2 + ["missing"] * 2 + ["2026-03-01 to 2026-03-02"] * 2  # fmt: skip
    assert 0 < loss < 0.1
    done, _ = partitioned(table, ["town"], 2)
    assert done["town"].to_list() == [
        "Ash to Elm",
        "Ash to Elm",
        "missing",
        "Oak",
        "Oak",
        "missing",
    ]
    done, _ = partitioned(table, ["flag"], 3)
    assert done["flag"].to_list() == ["true"] * 3 + ["false"] * 3
    done, loss = partitioned(pl.DataFrame({"x": pl.Series([None] * 4, dtype=pl.Int64)}), ["x"], 2)
    assert (done["x"].to_list(), loss) == (["missing"] * 4, 0)


def test_a_pandas_table_comes_back_as_one():
    done, _ = partitioned(people(100).to_pandas(), ["age", "town"], 5)
    assert isinstance(done, pd.DataFrame)
    assert list(done.columns) == ["age", "town", "sex", "illness"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((QUASI, 11), "no 11 of 10 rows can agree"),
        (([], 2), "can agree"),
        ((["name"], 2), "there is no column 'name'"),
        ((["age"], 2, "name", 2), "there is no column 'name'"),
        ((["age"], 2, "illness", 9), "fewer than 9 different values"),
    ],
)
def test_what_cannot_be_partitioned_is_told(arguments, said):
    with pytest.raises(SharewellError, match=said):
        partitioned(people(10), *arguments)
