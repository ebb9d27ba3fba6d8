"""Every table: made, described and told the truth about."""

import datapolis
import pandas as pd
import pytest
from datapolis.country import Country
from datapolis.registry import TABLES
from sharewell.classify import Item, classify

TYPES = {
    "string": pd.api.types.is_string_dtype,
    "integer": lambda column: (
        pd.api.types.is_numeric_dtype(column) and (column.dropna() % 1 == 0).all()
    ),
    "number": pd.api.types.is_numeric_dtype,
    "boolean": pd.api.types.is_bool_dtype,
    "date": lambda column: (
        pd.api.types.is_datetime64_dtype(column) or column.str.match(r"\d{4}-").all()
    ),
    "datetime": pd.api.types.is_datetime64_dtype,
}
DESCRIBED = [name for name in datapolis.tables() if name != "unlabelled"]


@pytest.mark.parametrize("name", DESCRIBED)
def test_values_fit_the_schema(name):
    table = datapolis.load(name, scale=0.03, seed=11)
    described = datapolis.schema(name)
    fields = {field["name"]: field for field in described["fields"]}
    assert list(fields) == list(table.columns)
    for column, field in fields.items():
        rules, values = field.get("constraints", {}), table[column].dropna()
        assert field["description"] and TYPES[field["type"]](table[column]), column
        if rules.get("required"):
            assert len(values) == len(table), column
        if rules.get("unique"):
            assert values.is_unique, column
        if "enum" in rules:
            assert set(values) <= set(rules["enum"]), column
        if "pattern" in rules:
            assert values.str.fullmatch(rules["pattern"]).all(), column
        for bound, keeps in (("minimum", values.ge), ("maximum", values.le)):
            if bound in rules:
                limit = pd.Timestamp(rules[bound]) if field["type"] == "date" else rules[bound]
                assert keeps(limit).all(), (column, bound)
    if "primaryKey" in described and not name.startswith(
        "province"
    ):  # there, duplicates are planted
        assert not table.duplicated(described["primaryKey"]).any()


@pytest.mark.parametrize("name", [n for n in DESCRIBED if "foreignKeys" in datapolis.schema(n)])
def test_foreign_keys_lead_to_a_row(name):
    table = datapolis.load(name, scale=0.05, seed=2)
    for key in datapolis.schema(name)["foreignKeys"]:
        (column,), reference = key["fields"], key["reference"]
        other = datapolis.load(reference["resource"], scale=0.05, seed=2)
        assert set(table[column].dropna()) <= set(other[reference["fields"][0]]), column


@pytest.mark.parametrize("name", DESCRIBED)
def test_the_truth_about_columns_agrees_with_the_decision_rules(name):
    roles = {
        "identifier": {"personal": "identified"},
        "quasi-identifier": {"personal": "deidentified"},
        "sensitive": {"personal": "deidentified", "sensitive": True},
        "statistic": {"unit": "object"},
        "published": {"personal": "identified", "basis": "by_law"},
        "trade secret": {"trade_secret": True},
    }
    truth = datapolis.truth(name)
    assert list(truth.index) == [field["name"] for field in datapolis.schema(name)["fields"]]
    for column, row in truth.iterrows():
        facts = roles[row["role"]]
        shared = classify(Item(**{"basis": "duty", **facts})).label
        opened = classify(Item(audience="society", **facts)).label
        assert (row["sharing"], row["opening"]) == (shared, opened), column
        assert row["reason"]


@pytest.mark.parametrize("name", datapolis.tables())
def test_a_country_of_any_size_has_every_table(name):
    for scale in (1e-9, 0.0003):
        for locale in ("en_US", "zh_CN"):
            table = datapolis.load(name, scale=scale, locale=locale)
            whole = datapolis.load(name, scale=0.01, locale=locale)
            if name != "unlabelled":  # whose columns vary
                assert list(table.columns) == list(whole.columns)
                assert len(table) <= len(whole)


@pytest.mark.parametrize("name", [n for n in datapolis.tables() if n != "unlabelled"])
def test_the_catalogue_promises_no_more_rows_than_there_are(name):
    table, country = TABLES[name], Country(5, 0.5)
    made = sum(table.make(country, n).num_rows for n in range(table.part_count(country)))
    promised = table.rows * (country.scale if table.grows else 1)
    assert 0.85 * promised <= made <= 1.35 * promised + 3


def test_scale_one_is_about_five_million_facts():
    assert 4_500_000 < sum(table.rows for table in TABLES.values()) < 6_000_000


@pytest.mark.parametrize("name", datapolis.tables())
def test_hidden_columns_stay_hidden(name):
    for kind in ("pandas", "arrow"):
        table = datapolis.load(name, scale=0.005, as_=kind)
        names = table.columns if kind == "pandas" else table.column_names
        assert not [column for column in names if str(column).startswith("_")]


def test_chinese_tables_have_chinese_words():
    residents = datapolis.load("residents", rows=200, locale="zh_CN")
    for column in (
        "given_name",
        "family_name",
        "sex",
        "district",
        "address",
        "education",
        "occupation",
    ):
        assert not residents[column].str.isascii().any(), column
    english = datapolis.load("residents", rows=200)
    assert (english["id_number"] == residents["id_number"]).all()
    assert (english["birth_date"] == residents["birth_date"]).all()


def test_identities_lead_from_pseudonyms_to_residents():
    cards = datapolis.load("loyalty", scale=0.05, seed=4)
    who = datapolis.truth("loyalty", "identities", scale=0.05, seed=4)
    residents = datapolis.load("residents", scale=0.05, seed=4).set_index("person_id")
    holders = residents.loc[who["person_id"]].reset_index()
    assert (holders["sex"] == cards["sex"]).all() and (
        holders["district"] == cards["district"]
    ).all()
    told = cards["birth_month"].notna()
    assert (holders["birth_date"].dt.strftime("%Y-%m")[told] == cards["birth_month"][told]).all()
    assert (holders["birth_date"] <= pd.Timestamp("2008-01-01")).all()


def test_the_outside_list_and_the_hospital_meet_in_the_same_people():
    club, stays = (datapolis.load(n, scale=0.3, seed=4) for n in ("sports_club", "hospital_stays"))
    club["person"], stays["person"] = (
        datapolis.truth(n, "identities", scale=0.3, seed=4)["person_id"]
        for n in ("sports_club", "hospital_stays")
    )
    linked = club.merge(stays, on=["sex", "birth_date", "district"])
    assert len(linked) > 20
    assert (linked["person_x"] == linked["person_y"]).mean() > 0.8
    assert stays.groupby("patient")["person"].nunique().max() == 1


def test_planted_faults_are_where_the_truth_says():
    raw = datapolis.load("province_delta", scale=0.2, seed=6)
    faults = datapolis.truth("province_delta", "faults", scale=0.2, seed=6)
    who = datapolis.truth("province_delta", "identities", scale=0.2, seed=6)["person_id"]
    residents = (
        datapolis.load("residents", scale=0.2, seed=6).set_index("person_id").loc[who].reset_index()
    )
    wrong = raw.index[raw["IDNO"].str.normalize("NFKC") != residents["id_number"]]
    identity = faults[faults["column"] == "IDNO"]
    spoiled = identity[identity["kind"] != "identity number in full-width digits"]
    assert set(wrong) == set(spoiled["row"])
    right = residents.loc[identity["row"], "id_number"].to_numpy()
    first = identity.drop_duplicates("row")
    assert (
        first["should_be"].to_numpy() == residents.loc[first["row"], "id_number"].to_numpy()
    ).all()
    assert len(right) > 50
    assert set(faults["kind"]) == {
        "duplicate", "typing error in the family name", "identity number in full-width digits",
        "identity number missing", "identity number mistyped",
        "birth date contradicts the identity number", "phone missing", "address is an old one",
    }  # fmt: skip
    copies = faults.loc[faults["kind"] == "duplicate", "row"]
    assert who[copies].isin(who.drop(copies)).all()
    born = residents["birth_date"].dt.strftime("%d/%m/%Y")
    contradicted = faults.loc[faults["column"] == "DOB", "row"]
    assert set(raw.index[raw["DOB"] != born]) == set(contradicted)


def test_people_who_moved_are_in_two_registers():
    people = [
        set(datapolis.truth(f"province_{name}", "identities", scale=0.3)["person_id"])
        for name in ("north", "delta", "highland")
    ]
    for n in range(3):
        shared = len(people[n] & people[(n + 1) % 3])
        assert 0.05 < shared / len(people[n]) < 0.2


def test_catalogue_defects_are_those_that_the_truth_names():
    for seed in range(5):
        entries = datapolis.load("catalogue_entries", seed=seed)
        faults = datapolis.truth("catalogue_entries", "faults", seed=seed)
        rank = {"public": 0, "restricted": 1, "non-sharing": 2}
        looser = entries["opening"].map(rank) < entries["sharing"].map(rank)
        told = faults[(faults["column"] == "opening")]["row"]
        assert set(entries.index[looser]) == set(told)
        unlicensed = entries.index[(entries["opening"] == "public") & entries["licence"].isna()]
        assert set(unlicensed) == set(faults[faults["column"] == "licence"]["row"])
        bare = entries["sharing_condition"].fillna("").str.strip() == ""
        pairs = set(entries.index[(entries["sharing"] == "restricted") & bare])
        pairs |= set(entries.index[(entries["sharing"] == "public") & ~bare])
        assert pairs == set(faults[faults["column"] == "sharing_condition"]["row"])
        assert 10 < faults["row"].nunique() < 40


def test_decisions_break_rules_where_the_truth_says():
    decisions = datapolis.load("sharing_decisions", seed=3).reset_index()
    requests = datapolis.load("sharing_requests", seed=3)
    faults = datapolis.truth("sharing_decisions", "faults", seed=3)
    both = decisions.merge(requests, on="request_id").sort_values("index")
    days = [
        len(pd.bdate_range(asked, answered)) - 1
        for asked, answered in zip(both["submitted_on"], both["decided_on"], strict=True)
    ]
    late = set(both["index"][[d > 10 for d in days]])
    assert set(faults[faults["kind"] == "late"]["row"]) == late
    mute = decisions.index[(decisions["decision"] == "refused") & decisions["reason"].isna()]
    assert set(faults[faults["column"] == "reason"]["row"]) == set(mute)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": "nobody"}, "no table 'nobody'; there are: districts"),
        ({"name": "residents", "rows": -1}, "rows must be a whole number"),
        ({"name": "residents", "rows": 1.5}, "rows must be a whole number"),
        ({"name": "residents", "seed": "x"}, "seed must be a whole number"),
        ({"name": "residents", "scale": -1}, "scale must be a number larger than 0"),
        ({"name": "residents", "scale": 0}, "scale must be a number larger than 0"),
        ({"name": "residents", "scale": float("nan")}, "scale must be a number"),
        ({"name": "residents", "scale": "1"}, "scale must be a number"),
        ({"name": "residents", "scale": True}, "scale must be a number"),
        ({"name": "residents", "scale": 1e9}, "the largest is 1,000,000"),
        ({"name": "residents", "locale": "xx"}, "there are: en_US, zh_CN"),
        ({"name": "residents", "as_": "excel"}, "as_ must be pandas, polars, arrow, duckdb or dask"),
        ({"name": "unlabelled", "rows": 10**6}, "at most"),
    ],
)  # fmt: skip
def test_impossible_requests_say_what_is_possible(arguments, message):
    with pytest.raises(datapolis.DatapolisError, match=message):
        datapolis.load(**arguments)


@pytest.mark.parametrize(
    ("name", "about", "message"),
    [
        ("districts", "identities", "districts has no hidden identities"),
        ("cases", "faults", "cases has no hidden faults"),
        ("districts", "parameters", "no hidden parameters"),
        ("cases", "gossip", "about must be columns, identities, faults or parameters"),
    ],
)
def test_truth_that_does_not_exist_is_said_so(name, about, message):
    with pytest.raises(datapolis.DatapolisError, match=message):
        datapolis.truth(name, about)


def test_true_parameters_are_told():
    assert datapolis.truth("cases", "parameters").loc["R0", "value"] == 2.6
    assert "lead time store, weeks" in datapolis.truth("inventory", "parameters").index
