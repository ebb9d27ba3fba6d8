"""datapolis.residents: the same everywhere, of any length, and consistent in itself."""

import subprocess
import sys

import datapolis
import numpy as np
import pandas as pd
import pytest
from datapolis.blocks import BLOCK
from hypothesis import given, settings
from hypothesis import strategies as st
from sharewell.classify import Item, classify


@pytest.fixture(scope="module")
def residents():
    return datapolis.load("residents", rows=BLOCK + 5_000, seed=11)


@settings(max_examples=15, deadline=None)
@given(rows=st.integers(0, 3_000), seed=st.integers(0, 2**63 - 1))
def test_a_longer_table_begins_with_the_shorter_one(rows, seed):
    longer = datapolis.load("residents", rows=3_000, seed=seed)
    shorter = datapolis.load("residents", rows=rows, seed=seed)
    pd.testing.assert_frame_equal(longer.head(rows), shorter, check_dtype=rows > 0)


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
    codes = {d.name: d.code for d in datapolis.reference.DISTRICTS}
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


def test_values_fit_the_schema(residents):
    fields = {field["name"]: field for field in datapolis.schema("residents")["fields"]}
    assert list(fields) == list(residents.columns)
    for name, field in fields.items():
        column, rules = residents[name], field.get("constraints", {})
        assert field["description"]
        if rules.get("required"):
            assert column.notna().all(), name
        if rules.get("unique"):
            assert column.dropna().is_unique, name
        if "enum" in rules:
            assert set(column.dropna()) <= set(rules["enum"]), name
        if "pattern" in rules:
            assert column.dropna().str.fullmatch(rules["pattern"]).all(), name
        if "minimum" in rules:
            lowest = pd.Timestamp(rules["minimum"]) if field["type"] == "date" else rules["minimum"]
            assert column.dropna().min() >= lowest, name
        if "maximum" in rules:
            assert column.max() <= pd.Timestamp(rules["maximum"]), name


def test_the_truth_covers_every_column_and_agrees_with_the_rules(residents):
    truth = datapolis.truth("residents")
    assert list(truth.index) == list(residents.columns)
    kinds = {
        "identifier": {"personal": "identified"},
        "quasi-identifier": {"personal": "deidentified"},
        "sensitive": {"personal": "deidentified", "sensitive": True},
    }
    for column, row in truth.iterrows():
        shared = classify(Item(**kinds[row["role"]], basis="duty")).label
        opened = classify(Item(audience="society", **kinds[row["role"]])).label
        assert (row["sharing"], row["opening"]) == (shared, opened), column


def test_large_tables_are_kept_on_disk_and_made_again_when_damaged(tmp_path, monkeypatch):
    monkeypatch.setenv("DATAPOLIS_CACHE", str(tmp_path / "cache"))
    first = datapolis.load("residents", rows=100_000, seed=2)
    (kept,) = (tmp_path / "cache").iterdir()
    written = kept.stat().st_mtime_ns
    pd.testing.assert_frame_equal(datapolis.load("residents", rows=100_000, seed=2), first)
    assert kept.stat().st_mtime_ns == written
    kept.write_bytes(b"PAR1 but not really")
    pd.testing.assert_frame_equal(datapolis.load("residents", rows=100_000, seed=2), first)


def test_write_makes_the_parquet_that_load_gives(tmp_path):
    path = datapolis.write("residents", tmp_path / "r.parquet", rows=1_500, seed=9)
    expected = datapolis.load("residents", rows=1_500, seed=9)
    read = pd.read_parquet(path).astype({"birth_date": expected["birth_date"].dtype})
    pd.testing.assert_frame_equal(read, expected)


def test_write_interrupted_leaves_nothing_behind(tmp_path, monkeypatch):
    def stop(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(datapolis.residents, "block", stop)
    with pytest.raises(KeyboardInterrupt):
        datapolis.write("residents", tmp_path / "r.parquet", rows=10)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": "nobody"}, "no table 'nobody'; there are: residents"),
        ({"name": "residents", "rows": -1}, "rows must be a whole number"),
        ({"name": "residents", "rows": 1.5}, "rows must be a whole number"),
        ({"name": "residents", "seed": "x"}, "seed must be a whole number"),
        ({"name": "unlabelled", "rows": 10**6}, "at most"),
    ],
)
def test_impossible_requests_say_what_is_possible(arguments, message):
    with pytest.raises(datapolis.DatapolisError, match=message):
        datapolis.load(**arguments)


def test_an_empty_table_has_its_columns():
    empty = datapolis.load("residents", rows=0)
    assert len(empty) == 0
    assert list(empty.columns) == list(datapolis.load("residents", rows=1).columns)


def test_no_random_stream_is_shared_between_columns():
    draws = {
        name: tuple(datapolis.blocks.stream(1, "residents", name, 0).integers(0, 2**60, 4))
        for name in ("sex", "age of head", "income", "phone", "email")
    }
    draws["next block"] = tuple(
        datapolis.blocks.stream(1, "residents", "sex", 1).integers(0, 2**60, 4)
    )
    assert len(set(draws.values())) == len(draws)
    assert np.unique([value for values in draws.values() for value in values]).size == 4 * len(
        draws
    )
