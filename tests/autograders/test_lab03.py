"""Lab 3's catalogues have every defect, its records are read without a network, and its checks tell students what to mend. The samples: test_labs.py."""

import socket

import pytest
from gradewell.checks import catalogue, dcat, responsibility
from gradewell.checks.dcat import ACCESS, BASE, CONTEXT, FREQUENCY, LICENCE

SORTS = {
    *((field, "missing") for field in ("title", "agency_id", "fields", "format", "sharing_condition", "opening_condition", "legal_basis", "licence", "access_url")),
    *((field, "unknown") for field in ("sharing", "opening", "update_cycle")),
    *((field, "unwanted") for field in ("sharing_condition", "opening_condition")),
    *(("last_updated", code) for code in ("overdue", "in the future", "no date")),
    ("legal_basis", "no citation"), ("opening", "looser than sharing"), ("access_url", "not shared"),
}  # fmt: skip


@pytest.mark.parametrize("seed", range(30))
def test_every_catalogue_has_every_sort_of_defect_alone_and_entries_without_any(seed):
    made = catalogue.entries(seed)
    alone = {defect for one in made if len(one.defects) == 1 for defect in one.defects}
    assert alone == SORTS
    assert sum(not one.defects for one in made) >= 20
    assert sum(len(one.defects) > 1 for one in made) >= 10


def test_nothing_reported_and_everything_reported_earn_nothing():
    every = sorted(SORTS)
    for answer in (lambda entry, today: [], lambda entry, today: every):
        assert catalogue.validate(answer, 3, 26).points == 0


@pytest.mark.parametrize("wrong", [None, "title", [("title",)], [("title", 3)], {"title": "missing"}, 5])  # fmt: skip
def test_what_is_no_list_of_pairs_is_told_so(wrong):
    result = catalogue.validate(lambda entry, today: wrong, 3, 26)
    assert (result.points, result.problems[0].code) == (0, "entries.form")


def test_the_visible_check_shows_an_entry_and_the_hidden_one_does_not():
    shown = str(catalogue.validate(lambda entry, today: [("title", "missing")], 1, 4, shown=True))
    assert "For example in the entry with" in shown
    assert "not so" not in shown
    hidden = str(catalogue.validate(lambda entry, today: [("title", "missing")], 1, 4))
    assert "For example" not in hidden
    assert "data.example.org" not in hidden


def record(entry):
    """The smallest record that says what it should; written for these tests."""
    texts = {"sharing_condition": "polis:sharingCondition", "opening_condition": "polis:openingCondition", "legal_basis": "polis:legalBasis"}  # fmt: skip
    url = entry["access_url"]
    return {
        "@context": dict(CONTEXT),
        "@id": f"{BASE}dataset/{entry['entry_id']}",
        "@type": "dcat:Dataset",
        "dct:identifier": entry["entry_id"],
        "dct:title": entry["title"],
        "dct:publisher": {"@id": f"{BASE}agency/{entry['agency_id']}"},
        "polis:fields": {"@list": entry["fields"].split(";")},
        "dct:accrualPeriodicity": {"@id": FREQUENCY[entry["update_cycle"]]},
        "dct:modified": {"@value": entry["last_updated"], "@type": "xsd:date"},
        "polis:sharing": {"@id": ACCESS[entry["sharing"]]},
        "dct:accessRights": {"@id": ACCESS[entry["opening"]]},
        "dct:license": {"@id": LICENCE[entry["licence"]]} if entry["licence"] else None,
        "dcat:distribution": {"@type": "dcat:Distribution", "dct:format": entry["format"], "dcat:accessURL": {"@id": url} if url else None},
        **{term: entry[field] for field, term in texts.items()},
    }  # fmt: skip


def test_a_right_record_earns_all_but_the_way_back():
    result = dcat.records(record, lambda made: None, 3, 20)
    assert [problem.code for problem in result.problems] == ["dcat.and back"]


ELSEWHERE = "http://127.0.0.1:9/context.jsonld"


@pytest.mark.parametrize(
    "spoil",
    [
        lambda made: {**made, "@context": ELSEWHERE},
        lambda made: {**made, "@context": [dict(CONTEXT), ELSEWHERE]},
        lambda made: {**made, "@context": {**CONTEXT, "@import": ELSEWHERE}},
        lambda made: {**made, "dcat:distribution": {"@context": ELSEWHERE, "dct:format": "CSV"}},
        lambda made: {**made, "x": [{"y": {"\u0040context": ELSEWHERE}}]},
        lambda made: {**made, "dct:title": "x" * 30_000},
        lambda made: {**made, "x": {1, 2}},
        lambda made: [made],
        lambda made: None,
    ],
)
def test_a_record_whose_meaning_lies_elsewhere_is_refused_and_nothing_is_fetched(
    spoil, monkeypatch
):
    def refuse(*arguments):
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "create_connection", refuse)
    result = dcat.records(lambda entry: spoil(record(entry)), lambda made: None, 3, 20)
    assert (result.points, result.problems[0].code) == (0, "dcat.form")


def test_a_record_that_no_parser_reads_says_nothing_and_fails_nobody():
    result = dcat.records(lambda e: {**record(e), "@id": {"x": 1}}, lambda made: None, 3, 20)
    assert result.points == 0


def test_lists_that_are_none_earn_nothing():
    for wrong in (None, [], "nobody"):
        assert responsibility.signed(lambda entries, duties, w=wrong: w, 3, 16).points == 0
    empty = {name: [] for name in ("nobody", "several", "another", "unknown")}
    assert responsibility.signed(lambda entries, duties: empty, 3, 16).points < 16 / 2
