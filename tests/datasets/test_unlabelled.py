"""Tables without labels hold what their truth says."""

import datapolis
import pandas as pd
import pytest
from datapolis.unlabelled import choose
from stdnum import luhn
from stdnum.iso7064 import mod_11_2

SEEDS = range(12)


def load(seed):
    table = datapolis.load("unlabelled", rows=1_200, seed=seed)
    return table, datapolis.truth("unlabelled", rows=1_200, seed=seed)


@pytest.mark.parametrize("seed", SEEDS)
def test_truth_describes_every_column(seed):
    table, truth = load(seed)
    assert list(truth.index) == list(table.columns)
    assert sorted(zip(truth["role"], truth["kind"], strict=True))[: len(choose(seed))]
    assert {
        pair
        for pair in zip(truth["role"], truth["kind"], strict=True)
        if "notes with" not in pair[1]
    } == set(choose(seed))


@pytest.mark.parametrize("seed", SEEDS)
def test_identifiers_are_valid_and_decoys_are_not(seed):
    table, truth = load(seed)
    tests = {
        "identity number": mod_11_2,
        "serial number": mod_11_2,
        "payment card": luhn,
        "order number": luhn,
    }
    for column, (_, kind, _) in truth.iterrows():
        if kind in tests:
            texts = table[column].dropna().astype(str)
            plain = texts[texts.str.fullmatch("[0-9X ]+", na=False)].str.replace(" ", "")
            expected = kind in ("identity number", "payment card")
            assert {tests[kind].is_valid(text) for text in plain} == {expected}, kind


@pytest.mark.parametrize("seed", SEEDS)
def test_the_identifier_in_the_notes_stands_late(seed):
    table, truth = load(seed)
    (column,) = truth.index[truth["kind"].str.startswith("notes with")]
    rows = table.index[table[column].str.contains("reach at")]
    assert len(rows) == truth.loc[column, "rows"] > 0
    assert rows.min() >= 1_000


def test_same_seed_same_table():
    pd.testing.assert_frame_equal(load(4)[0], load(4)[0])


def test_names_of_columns_do_not_tell_their_role():
    roles_by_name = {}
    for seed in range(60):
        _, truth = (
            load(seed)
            if seed in SEEDS
            else (None, datapolis.truth("unlabelled", rows=30, seed=seed))
        )
        for column, row in truth.iterrows():
            roles_by_name.setdefault(column.rsplit("_", 1)[0], set()).add(row["role"])
    assert all(
        len(roles) > 1 for name, roles in roles_by_name.items() if name in ("phone", "name", "id")
    )
