"""datapolis.residents: the same everywhere, of any length, and consistent in itself."""

import subprocess
import sys

import datapolis
import numpy as np
import pandas as pd
import pytest
from datapolis.blocks import BLOCK, stream
from datapolis.reference import DISTRICTS
from hypothesis import given, settings
from hypothesis import strategies as st


@pytest.fixture(scope="module")
def residents():
    return datapolis.load("residents", rows=BLOCK + 5_000, seed=11)


@settings(max_examples=15, deadline=None)
@given(rows=st.integers(0, 3_000), seed=st.integers(0, 2**63 - 1))
def test_a_longer_table_begins_with_the_shorter_one(rows, seed):
    longer = datapolis.load("residents", rows=3_000, seed=seed)
    shorter = datapolis.load("residents", rows=rows, seed=seed)
    # whole numbers with gaps are floats in pandas, and a short table may have no gap
    pd.testing.assert_frame_equal(longer.head(rows), shorter, check_dtype=False)


def test_a_row_is_the_same_beside_other_blocks(residents):
    again = datapolis.load("residents", rows=BLOCK, seed=11)
    pd.testing.assert_frame_equal(residents.head(BLOCK), again)


def test_another_process_makes_the_same_table():
    code = (
        "import datapolis, pandas as pd; t = datapolis.load('residents', rows=2000, seed=5);"
        "print(pd.util.hash_pandas_object(t).sum())"
    )
    there = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    here = datapolis.load("residents", rows=2_000, seed=5)
    assert int(there.stdout) == pd.util.hash_pandas_object(here).sum()


def test_another_seed_is_another_population(residents):
    other = datapolis.load("residents", rows=1_000, seed=12)
    assert (other["address"] == residents["address"].head(1_000)).mean() < 0.01


def test_identifiers_are_unique(residents):
    for column in ("person_id", "id_number", "phone", "email"):
        assert residents[column].dropna().is_unique, column


def test_identity_numbers_tell_birth_date_district_and_sex(residents):
    codes = {d.name: d.code for d in DISTRICTS}
    numbers = residents["id_number"]
    assert (numbers.str[6:14] == residents["birth_date"].dt.strftime("%Y%m%d")).all()
    assert (numbers.str[2:4] == residents["district"].map(codes)).all()
    odd = numbers.str[16].astype(int) % 2 == 1
    assert (odd == (residents["sex"] == "male")).all()


def test_people_of_a_household_share_address_and_district(residents):
    per_household = residents.groupby("household_id")[["address", "district"]].nunique()
    assert (per_household == 1).all().all()
    assert residents.groupby("household_id").size().max() <= 6


def test_every_household_has_an_adult(residents):
    oldest = residents.groupby("household_id")["birth_date"].min()
    assert (oldest <= pd.Timestamp("2008-01-01")).all()


def test_income_follows_schooling_and_age(residents):
    working = residents[residents["birth_date"].dt.year.between(1970, 1990)]
    medians = working.groupby("education")["income"].median()
    assert medians["secondary"] < medians["bachelor"] < medians["doctorate"]
    children = residents[residents["birth_date"] > pd.Timestamp("2012-01-01")]
    assert children["income"].isna().all()


def test_an_empty_table_has_its_columns():
    empty = datapolis.load("residents", rows=0)
    assert len(empty) == 0
    assert list(empty.columns) == list(datapolis.load("residents", rows=1).columns)


def test_no_random_stream_is_shared_between_columns():
    draws = {
        name: tuple(stream(1, "residents", name, 0).integers(0, 2**60, 4))
        for name in ("sex", "age of head", "income", "phone", "email")
    }
    draws["next block"] = tuple(stream(1, "residents", "sex", 1).integers(0, 2**60, 4))
    assert len(set(draws.values())) == len(draws)
    assert np.unique([value for values in draws.values() for value in values]).size == 4 * len(
        draws
    )
