"""The decision rules: worked examples, and the properties P1 to P12 of the curriculum."""

from dataclasses import FrozenInstanceError, fields, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sharewell import SharewellError
from sharewell.classify import (
    LABELS,
    Decision,
    Item,
    classify,
    classify_table,
    is_citation,
    strictness,
)
from sharewell.examples import EXAMPLES

VALUES = {
    "audience": ["gov", "partner", "society"],
    "secret": ["none", "work", "state"],
    "grade": ["general", "important", "core"],
    "prohibited_by": ["", "Statistics Law art. 28", "internal policy"],
    "unit": ["record", "aggregate", "object"],
    "personal": ["none", "anonymous", "deidentified", "identified"],
    "sensitive": [False, True],
    "basis": ["none", "consent", "duty", "emergency", "by_law"],
    "trade_secret": [False, True],
    "owner_consent": [False, True],
    "k": [None, 0, 1, 2, 3, 4, 5, 9, 10, 19, 20, 21, 10_000],
    "l": [None, 0, 1, 2, 5],
    "dominance_ok": [None, False, True],
    "demanding": [False, True],
    "enclave": [False, True],
}
items = st.builds(Item, **{name: st.sampled_from(values) for name, values in VALUES.items()})
many = settings(max_examples=400, deadline=None)


def level(item):
    return strictness(classify(item).label)


def test_item_has_exactly_the_fields_of_the_curriculum_with_harmless_defaults():
    assert {field.name: field.default for field in fields(Item)} == {
        "audience": "gov",
        "secret": "none",
        "grade": "general",
        "prohibited_by": "",
        "unit": "record",
        "personal": "none",
        "sensitive": False,
        "basis": "none",
        "trade_secret": False,
        "owner_consent": False,
        "k": None,
        "l": None,
        "dominance_ok": None,
        "demanding": False,
        "enclave": False,
    }
    assert [field.name for field in fields(Decision)] == [
        "label",
        "conditions",
        "reasons",
        "basis",
        "hold",
        "remedy",
    ]


def test_items_are_frozen():
    with pytest.raises(FrozenInstanceError):
        Item().secret = "state"


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.code)
def test_worked_example(example):
    decision = classify(example.item)
    assert (decision.label, decision.hold) == (example.label, example.hold)


def test_the_emergency_example_asks_for_an_impact_assessment():
    (e08,) = (e for e in EXAMPLES if e.code == "E08")
    assert "impact assessment" in classify(e08.item).conditions


@many
@given(items)
def test_p1_total_and_deterministic(item):
    decision = classify(item)
    assert decision.label in LABELS
    assert decision.reasons
    assert decision == classify(item)


@many
@given(items, st.sampled_from(["secret", "grade", "sensitive", "trade_secret"]))
def test_p2_raising_never_loosens(item, name):
    values = VALUES[name]
    for higher in values[values.index(getattr(item, name)) :]:
        assert level(replace(item, **{name: higher})) >= level(item)


@many
@given(items)
def test_p3_a_wider_audience_is_never_looser(item):
    levels = [level(replace(item, audience=audience)) for audience in VALUES["audience"]]
    assert levels == sorted(levels)


@many
@given(items)
def test_p4_every_label_carries_what_it_needs(item):
    decision = classify(item)
    if decision.label == "public":
        assert not decision.conditions
        assert not decision.hold
    elif decision.label == "restricted":
        assert decision.conditions
    else:
        assert is_citation(decision.basis)


@many
@given(st.lists(items, max_size=4), items, items)
def test_p5_a_table_is_as_strict_as_its_parts_and_no_stricter(columns, joint, further):
    table = strictness(classify_table(columns, joint).label)
    assert table == max(map(level, [*columns, joint]))
    assert strictness(classify_table([*columns, further], joint).label) >= table


@many
@given(st.lists(items, min_size=1, max_size=4), items, st.randoms())
def test_p6_the_order_of_columns_does_not_matter(columns, joint, random):
    shuffled = random.sample(columns, len(columns))
    assert classify_table(columns, joint) == classify_table(shuffled, joint)


@many
@given(items)
def test_p7_what_does_not_matter_changes_nothing(item):
    expected = classify(item)
    if not item.trade_secret:
        assert classify(replace(item, owner_consent=not item.owner_consent)) == expected
    if item.personal != "identified":
        assert {classify(replace(item, basis=basis)) for basis in VALUES["basis"]} == {expected}
    if not item.sensitive:
        assert {classify(replace(item, l=value)) for value in VALUES["l"]} == {expected}
    if item.personal != "deidentified":
        assert classify(replace(item, enclave=not item.enclave)) == expected


@many
@given(items)
def test_p8_a_larger_k_is_never_stricter(item):
    levels = [level(replace(item, k=k)) for k in VALUES["k"]]
    assert levels == sorted(levels, reverse=True)


@many
@given(items, st.sampled_from([None, 0, 1, 19]))
def test_p9_small_or_unknown_k_is_never_public_to_society(item, k):
    record = replace(item, audience="society", personal="deidentified", unit="record", k=k)
    assert classify(record).label != "public"


@many
@given(items)
def test_p10_identified_people_without_a_basis_are_never_shared(item):
    assert classify(replace(item, personal="identified", basis="none")).label == "non-sharing"


@many
@given(items, st.sampled_from(["work", "state"]))
def test_p11_a_secret_dominates(item, secret):
    assert classify(replace(item, secret=secret)).label == "non-sharing"


@many
@given(items, st.sampled_from([None, 0, 9]))
def test_p12_small_cells_are_never_public(item, k):
    assert classify(replace(item, unit="aggregate", k=k)).label != "public"


@pytest.mark.parametrize(
    ("model", "enough"),
    [({"audience": "society"}, 20), ({"audience": "partner"}, 5), ({}, 5), ({"enclave": True}, 3)],
)
def test_the_thresholds_of_gb_t_42460(model, enough):
    item = Item(personal="deidentified", **model)
    assert classify(replace(item, k=enough - 1)).hold
    assert not classify(replace(item, k=enough)).hold


@pytest.mark.parametrize(
    ("audience", "sensitive", "fitting"),
    [
        ("gov", False, {"duty", "emergency", "consent", "by_law"}),
        ("gov", True, {"duty", "emergency", "consent", "by_law"}),
        ("partner", False, {"consent", "emergency", "by_law"}),
        ("partner", True, {"consent", "emergency", "by_law"}),
        ("society", False, {"consent", "by_law"}),
        ("society", True, {"by_law"}),
    ],
)
def test_the_grounds_that_fit_each_audience(audience, sensitive, fitting):
    people = Item(audience=audience, personal="identified", sensitive=sensitive)
    shared = {
        b for b in VALUES["basis"] if classify(replace(people, basis=b)).label != "non-sharing"
    }
    assert shared == fitting


def test_identified_people_for_a_partner_carry_all_conditions():
    decision = classify(
        Item(audience="partner", personal="identified", sensitive=True, basis="consent")
    )
    assert decision.conditions == {
        *("purpose", "minimum fields", "no onward", "retention", "log"),
        *("impact assessment", "enhanced protection", "contract"),
    }


def test_a_cited_prohibition_is_the_basis():
    decision = classify(Item(prohibited_by="Statistics Law art. 28"))
    assert (decision.label, decision.basis) == ("non-sharing", "Statistics Law art. 28")


@pytest.mark.parametrize("claim", ["internal policy", "because", "for internal use", "内部规定"])
def test_an_uncited_reason_never_gives_non_sharing_but_a_hold(claim):
    decision = classify(Item(prohibited_by=claim))
    assert (decision.label, decision.hold) == ("restricted", True)


@pytest.mark.parametrize("blank", ["", "  ", "\n"])
def test_a_blank_prohibition_is_none(blank):
    assert classify(Item(prohibited_by=blank)).label == "public"


@pytest.mark.parametrize(
    "citation",
    [
        "统计法第28条",
        "PIPL 28",
        "Decree 809",
        "State Council decision",
        "Data Security Law",
        "政务数据共享条例",
    ],
)
def test_citations_are_recognised(citation):
    assert is_citation(citation)


def test_firms_need_dominance_and_people_do_not():
    cell = Item(audience="society", unit="aggregate", k=12)
    assert classify(cell).label == "restricted"
    assert classify(replace(cell, personal="anonymous")).label == "public"
    assert classify(replace(cell, dominance_ok=True)).label == "public"


def test_public_interest_in_a_trade_secret_goes_to_the_committee():
    decision = classify(Item(audience="society", trade_secret=True))
    assert "committee" in decision.remedy


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            {"audience": "public"},
            "Item.audience must be one of gov, partner, society; got 'public'",
        ),
        ({"secret": True}, "Item.secret must be one of"),
        ({"k": -1}, "Item.k must be a whole number"),
        ({"k": 2.5}, "Item.k must be a whole number"),
        ({"l": "2"}, "Item.l must be a whole number"),
        ({"k": True}, "Item.k must be a whole number"),
        ({"sensitive": "no"}, "Item.sensitive must be True or False"),
        ({"dominance_ok": "unknown"}, "Item.dominance_ok must be True, False, or None"),
        ({"prohibited_by": None}, "Item.prohibited_by must be a citation or an empty text"),
    ],
)
def test_impossible_values_name_the_field_and_what_it_takes(values, message):
    with pytest.raises(SharewellError, match=message.replace("(", r"\(")):
        Item(**values)


def test_a_table_of_something_else_says_so():
    with pytest.raises(SharewellError, match="takes Items"):
        classify_table(["district", "sex"], Item())


def test_a_table_without_columns_is_its_joint_row():
    assert classify_table([], Item(secret="state")) == classify(Item(secret="state"))


def test_an_item_is_shown_by_what_is_not_default():
    assert repr(Item(audience="society", k=19)) == "Item(audience='society', k=19)"


def test_decisions_are_shown_without_markup_from_outside():
    html = classify(Item(prohibited_by="law <script>alert(1)</script>"))._repr_html_()
    assert "<script>" not in html
