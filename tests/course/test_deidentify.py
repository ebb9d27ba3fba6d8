"""Steps of de-identification, and recipes of them."""

import doctest
import itertools
from datetime import date

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sharewell import SharewellError, deidentify, risk
from sharewell.deidentify import Recipe, microaggregated, pseudonym

KEY = "a key of sixteen characters or more"
PEOPLE = pl.DataFrame(
    {
        "name": ["Li", "Wu", "Ma", None],
        "id": ["a", "b", None, "a"],
        "age": [34, 40, 109, None],
        "district": ["Harbour", "Mill", "Mill", None],
        "born": [date(1990, 5, 31), date(1984, 1, 1), None, date(1915, 12, 31)],
        "income": [51_499, 20_500, 19_500, None],
    }
)


def applied(step, table=PEOPLE, **keys):
    return Recipe.of([step]).apply(table, keys)


def test_the_example_in_the_docstring_is_right():
    assert doctest.testmod(deidentify).failed == 0


def test_columns_are_left_out():
    assert applied({"drop": ["name", "id"]}).columns == ["age", "district", "born", "income"]


def test_a_pseudonym_is_stable_for_a_key_and_another_for_another():
    step = {"pseudonymise": {"column": "id", "key": "k"}}
    first, again = applied(step, k=KEY)["id"], applied(step, k=KEY)["id"]
    assert first.equals(again)
    assert first[0] == first[3] != first[1]
    assert first[2] is None
    other = applied(step, k="another key of sixteen characters")["id"]
    assert not set(first.drop_nulls()) & set(other.drop_nulls())
    assert pseudonym("a", KEY) == first[0]
    assert pseudonym(7, KEY) == pseudonym("7", KEY)
    assert len(first[0]) == 26


def test_a_pseudonym_is_not_found_by_trying_all_values_without_the_key():
    import hashlib

    hashes = {hashlib.sha256(str(n).encode()).hexdigest()[:26] for n in range(1000)}
    assert pseudonym(7, KEY) not in hashes


def test_bands_dates_rounding_and_caps():
    assert applied({"band": {"column": "age", "width": 10}})["age"].to_list() == ["30-39", "40-49", "100-109", None]  # fmt: skip
    assert applied({"band": {"column": "age", "width": 1}})["age"][0] == "34"
    negative = pl.DataFrame({"t": [-1, -10, 0, 9]})
    assert applied({"band": {"column": "t", "width": 10}}, negative)["t"].to_list() == ["-10--1", "-10--1", "0-9", "0-9"]  # fmt: skip
    assert applied({"truncate": {"column": "born", "to": "month"}})["born"].to_list() == ["1990-05", "1984-01", None, "1915-12"]  # fmt: skip
    rounded = applied({"round": {"column": "income", "to": 1000}})["income"]
    assert rounded.to_list() == [51_000, 20_000, 20_000, None]
    assert rounded.dtype == pl.Int64
    assert applied({"cap": {"column": "age", "at": 90}})["age"].to_list() == [34, 40, 90, None]


def test_values_are_replaced_by_what_they_belong_to():
    along = {"Harbour": ["South", "Coast"], "Mill": ["North", "Inland"]}

    def at(level):
        step = {"generalise": {"column": "district", "along": along, "level": level}}
        return applied(step)["district"].to_list()

    assert at(0) == ["Harbour", "Mill", "Mill", None]
    assert at(1) == ["South", "North", "North", None]
    assert at(2) == ["Coast", "Inland", "Inland", None]
    with pytest.raises(
        SharewellError, match=r"generalise: above '.*' the hierarchy has 2 levels, not 3"
    ):
        at(3)
    del along["Mill"]
    with pytest.raises(SharewellError, match="the hierarchy does not have 'Mill'"):
        at(1)


def test_tokens_are_random_and_kept_in_a_vault():
    step, vault = {"tokenise": {"column": "id", "vault": "v"}}, {}
    first = Recipe.of([step]).apply(PEOPLE, vaults={"v": vault})["id"]
    again = Recipe.of([step]).apply(PEOPLE[:1], vaults={"v": vault})["id"]
    assert first[0] == first[3] == again[0] == vault["a"] != vault["b"]
    assert first[2] is None
    assert set(vault) == {"a", "b"}
    other = Recipe.of([step]).apply(PEOPLE, vaults={"v": {}})["id"]
    assert not set(other.drop_nulls()) & set(vault.values())
    with pytest.raises(SharewellError, match="the vault 'v' was not given"):
        applied(step)


def test_rows_of_small_classes_are_left_out():
    rng = np.random.default_rng(3)
    table = pl.DataFrame({"a": rng.integers(0, 20, 200), "b": rng.integers(0, 3, 200)})
    kept = applied({"suppress": {"quasi_identifiers": ["a", "b"], "k": 4}}, table)
    assert 0 < len(kept) < 200
    assert risk.k_anonymity(kept, ["a", "b"]) >= 4
    lost = table.join(kept, on=["a", "b"], how="anti")
    assert lost.group_by("a", "b").len()["len"].max() < 4


def test_a_shuffle_keeps_the_rows_and_not_their_order():
    table = pl.DataFrame({"a": range(1000)})
    orders = {tuple(applied("shuffle", table)["a"]) for _ in range(3)}
    assert len(orders) == 3
    assert all(sorted(order) == list(range(1000)) for order in orders)


def test_a_step_on_pandas_gives_pandas():
    made = applied({"band": {"column": "age", "width": 10}}, PEOPLE.to_pandas())
    assert isinstance(made, pd.DataFrame)
    assert made["age"].tolist()[:2] == ["30-39", "40-49"]
    assert PEOPLE["age"][0] == 34  # the table itself is as it was


def cheapest(values, k):
    """The least loss of all groupings of sorted values into runs of at least k, by trying them all."""
    ordered, n = sorted(values), len(values)
    best = np.inf
    for cuts in itertools.product([False, True], repeat=n - 1):
        ends = [i + 1 for i, cut in enumerate(cuts) if cut] + [n]
        runs = [ordered[a:b] for a, b in itertools.pairwise([0, *ends])]
        if all(len(run) >= k for run in runs):
            best = min(best, sum(float(np.var(run)) * len(run) for run in runs))
    return best


@settings(max_examples=150, deadline=None)
@given(st.lists(st.integers(-1000, 1000), min_size=1, max_size=9), st.integers(1, 4))
def test_microaggregation_loses_the_least_that_is_possible(values, k):
    if k > len(values):
        with pytest.raises(SharewellError, match="cannot be made"):
            microaggregated(np.array(values), k)
        return
    made = microaggregated(np.array(values), k)
    assert np.sum((made - values) ** 2) == pytest.approx(cheapest(values, k), abs=1e-6)
    assert min(np.unique(made.round(9), return_counts=True)[1]) >= k
    assert made.mean() == pytest.approx(np.mean(values))


def test_microaggregation_in_a_recipe_leaves_what_is_missing_missing():
    table = pl.DataFrame({"x": [1.0, None, 3.0, float("nan"), 100.0, 102.0]})
    made = applied({"microaggregate": {"column": "x", "k": 2}}, table)["x"]
    assert made.to_list() == [2.0, None, 2.0, None, 101.0, 101.0]


def test_large_values_keep_their_digits():
    values = 1e9 + np.array([0.0, 1.0, 10.0, 11.0])
    assert microaggregated(values, 2).tolist() == [1e9 + 0.5, 1e9 + 0.5, 1e9 + 10.5, 1e9 + 10.5]


TEXT = """
- drop: [name]
- pseudonymise: {column: id, key: hospital}
- band: {column: age, width: 10}
- generalise: {column: district, along: {Harbour: [South], Mill: [North]}, level: 1}
- truncate: {column: born, to: year}
- round: {column: income, to: 1000}
- cap: {column: income, at: 50000}
- suppress: {quasi_identifiers: [age, district], k: 1}
- shuffle
"""


def test_a_recipe_reads_well_and_can_be_applied_again():
    recipe = Recipe.parse(TEXT)
    assert str(recipe).splitlines() == [
        "1. Leave out name.",
        "2. Replace id by a pseudonym made with the key 'hospital'.",
        "3. Give age in bands of 10.",
        "4. Replace district by what it belongs to, level 1 of its hierarchy.",
        "5. Give born to its year.",
        "6. Round income to 1000.",
        "7. Give income above 50000 as 50000.",
        "8. Leave out the rows of which fewer than 1 agree in age, district.",
        "9. Shuffle the rows.",
    ]
    once, twice = (recipe.apply(PEOPLE, {"hospital": KEY}).sort("born") for _ in range(2))
    assert once.equals(twice)
    assert once.columns == ["id", "age", "district", "born", "income"]


WRONG = {
    "- drop: name": "step 1, drop: its settings are: columns",
    "- forget: [name]": "step 1: there is no 'forget'; there are: drop, pseudonymise",
    "- band: {column: age}": "step 1, band: its settings are: column, width",
    "- shuffle: {seed: 1}": "step 1, shuffle: its settings are: none",
    "drop": "a recipe is a list of steps",
    "- {drop: [a], round: [b]}": "step 1 is no step",
    "- [": "the recipe is no YAML",
}


@pytest.mark.parametrize("text", WRONG)
def test_a_recipe_that_is_none_is_explained(text):
    with pytest.raises(SharewellError) as found:
        Recipe.parse(text)
    assert WRONG[text] in str(found.value)


CANNOT = {
    "- drop: [age, nme]": "step 1, drop: there is no column 'nme'; there are: name, id",
    "- shuffle\n- band: {column: name, width: 5}": "step 2, band: ",
    "- band: {column: age, width: 0}": "a band is a whole number of units wide, not 0",
    "- round: {column: income, to: -1}": "rounded to a positive number",
    "- truncate: {column: born, to: century}": "given to its year, month, day, not to its 'century'",
    "- truncate: {column: age, to: year}": "step 1, truncate: ",
    "- pseudonymise: {column: id, key: clinic}": "the key 'clinic' was not given",
    "- pseudonymise: {column: id, key: short}": "16 bytes or more, not 5",
    "- microaggregate: {column: age, k: 9}": "groups of 9 cannot be made of 3 values",
}


@pytest.mark.parametrize("text", CANNOT)
def test_what_a_step_cannot_do_is_explained(text):
    with pytest.raises(SharewellError) as found:
        Recipe.parse(text).apply(PEOPLE, {"hospital": KEY, "short": "12345"})
    assert CANNOT[text] in str(found.value)
