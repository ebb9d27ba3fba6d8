"""The exchange by hand: what its methods say, and what its log withstands. The loop's rules are in tests/autograders/test_loop.py."""

import doctest
import json
import math
from datetime import date, datetime

import pytest
from rdflib import DCAT, DCTERMS, FOAF, ODRL2, RDF, Graph
from sharewell import SharewellError
from sharewell import exchange as exchange_module
from sharewell.exchange import Exchange, Refused, Tampered, dcat, verify
from sharewell.exchange.records import START

PEOPLE = {
    "Ana": ["owner"],
    "Sten": ["steward"],
    "Kim": ["committee"],
    "Mara": ["consumer"],
    "Otto": ["auditor"],
}


@pytest.fixture
def exchange():
    made = Exchange(PEOPLE, date(2026, 3, 2))
    made.catalogue("Sten", "beds", ["ward", "free"], owner="Ana")
    made.classify("Sten", "beds", "restricted")
    made.confirm("Kim", "beds")
    return made


@pytest.fixture
def grant(exchange):
    return exchange.request("Mara", "beds", "planning", ["ward"], date(2026, 3, 31))


def test_a_grant_goes_all_the_way(exchange, grant):
    exchange.approve("Ana", grant)
    exchange.release("Sten", grant)
    exchange.use("Mara", grant, "planning", ["ward"])
    exchange.clock(date(2026, 4, 1))
    assert exchange.grants[grant].state == "expired"
    exchange.dispose("Mara", grant, "deleted, 1 copy")
    exchange.audit("Otto", grant, "nothing was kept")
    exchange.feedback("Mara", grant, "beds by ward would do")
    assert exchange.grants[grant].state == "closed"
    verify(list(exchange.log))


def test_a_refusal_says_why_and_changes_nothing_but_the_log(exchange, grant):
    before = dict(exchange.grants), dict(exchange.resources), len(exchange.log)
    with pytest.raises(Refused, match="only its owner may decide on it"):
        exchange.approve("Sten", grant)
    assert (exchange.grants, exchange.resources, len(exchange.log)) == (*before[:2], before[2] + 1)
    assert (
        list(exchange.log)[-1]["reason"]
        == "only its owner may decide on it, and only the committee once it is escalated"
    )


ODD = {
    "names that are numbers": {"fields": ["ward", 1]},
    "one name": {"fields": "ward"},
    "no names": {"fields": None},
    "a purpose that is a number": {"purpose": 3},
    "half a character": {"purpose": "\ud800"},
    "a day as text": {"until": "2026-12-31"},
    "a moment": {"until": datetime(2026, 12, 31, 12)},
    "an epsilon below nothing": {"epsilon": -1.0},
    "an endless epsilon": {"epsilon": math.inf},
    "an epsilon that is no number": {"epsilon": math.nan},
    "an epsilon as text": {"epsilon": "1"},
    "a resource that is none": {"resource": None},
}


@pytest.mark.parametrize("odd", ODD)
def test_odd_arguments_are_told_by_name_and_change_nothing(exchange, odd):
    given = {
        "resource": "beds",
        "purpose": "planning",
        "fields": ["ward"],
        "until": date(2026, 3, 31),
    }
    before = len(exchange.log)
    (name,) = ODD[odd]
    with pytest.raises(SharewellError, match=f"^{name} is ") as caught:
        exchange.request("Mara", **{**given, **ODD[odd]})
    assert not isinstance(caught.value, Refused)
    assert len(exchange.log) == before
    assert not exchange.grants


def test_the_tenth_working_day_is_in_time(exchange, grant):
    exchange.clock(date(2026, 3, 16))  # a Monday, two weeks later
    assert exchange.grants[grant].state == "requested"
    exchange.clock(date(2026, 3, 17))
    assert exchange.grants[grant].state == "escalated"


def test_public_data_wait_for_nobody(exchange):
    exchange.classify("Sten", "beds", "public")
    exchange.confirm("Kim", "beds")
    grant = exchange.request("Mara", "beds", "planning", ["ward"], date(2026, 3, 31))
    assert exchange.grants[grant].state == "approved"


def test_records_that_are_read_cannot_change_the_log(exchange):
    for record in exchange.log:
        record["actor"] = "nobody"
    verify(list(exchange.log))


TAMPERED = {
    "changed": (lambda log: [*log[:2], {**log[2], "actor": "Mara"}, *log[3:]], 3),
    "deleted": (lambda log: log[:2] + log[3:], 3),
    "first deleted": (lambda log: log[1:], 1),
    "swapped": (lambda log: [*log[:1], log[2], log[1], *log[3:]], 2),
    "inserted": (lambda log: [*log[:2], log[1], *log[2:]], 3),
    "number changed": (lambda log: [*log[:3], {**log[3], "number": 9}], 4),
    "seal removed": (lambda log: [*log[:3], {k: v for k, v in log[3].items() if k != "hash"}], 4),
}


@pytest.mark.parametrize(("change", "number"), TAMPERED.values(), ids=TAMPERED)
def test_tampering_is_found_and_located(exchange, change, number):
    log = list(exchange.log)
    assert len(log) == 4
    with pytest.raises(Tampered) as found:
        verify(change(log))
    assert found.value.number == number


def test_a_log_that_was_cut_off_is_found_with_an_anchor_only(exchange):
    log = list(exchange.log)
    verify(log[:3])
    verify(log, anchor=log[1]["hash"])  # it may have grown since
    verify([], anchor=START)
    with pytest.raises(Tampered, match="ends before") as found:
        verify(log[:3], anchor=exchange.log.head)
    assert found.value.number == 4


def test_the_example_in_the_docstring_is_right():
    assert doctest.testmod(exchange_module).failed == 0


def test_the_catalogue_is_dcat(exchange):
    exchange.catalogue("Sten", "genomes 基因", ["sequence"], owner="Ana")
    exchange.classify("Sten", "genomes 基因", "non-sharing", "Biosecurity Law, art. 56")
    exchange.catalogue("Sten", "buses", ["line"], owner="Ana")
    exchange.classify("Sten", "buses", "public")
    exchange.confirm("Kim", "buses")
    assert len(described(exchange)) == 2  # what is not confirmed is not listed
    exchange.confirm("Kim", "genomes 基因")
    found = described(exchange)
    rights = {name: str(right).rpartition("/")[2] for name, (right, _) in found.items()}
    assert rights == {"beds": "RESTRICTED", "genomes 基因": "NON_PUBLIC", "buses": "PUBLIC"}
    assert [name for name, (_, offers) in found.items() if offers] == ["beds"]
    text = json.dumps(dcat.catalogue(exchange), ensure_ascii=False)
    assert "Not shared: Biosecurity Law, art. 56." in text
    exchange.withdraw("Ana", "buses")
    assert "buses" not in described(exchange)


def described(exchange):
    """Identifier to access right and number of offers, as a reader of RDF finds them."""
    graph = Graph().parse(data=json.dumps(dcat.catalogue(exchange)), format="json-ld")
    found = {}
    for dataset in graph.subjects(RDF.type, DCAT.Dataset):
        assert (None, DCAT.dataset, dataset) in graph
        publisher = graph.value(dataset, DCTERMS.publisher)
        assert graph.value(publisher, FOAF.name).toPython() == "Ana"
        offers = list(graph.objects(dataset, ODRL2.hasPolicy))
        name = graph.value(dataset, DCTERMS.identifier).toPython()
        found[name] = graph.value(dataset, DCTERMS.accessRights), len(offers)
    return found
