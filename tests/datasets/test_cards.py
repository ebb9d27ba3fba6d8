"""Data cards and the catalogue: one source, and readable by people, notebooks and machines."""

import json
import os
import subprocess
import sys
from pathlib import Path

import datapolis
import pytest
from datapolis import cards
from rdflib import DCAT, DCTERMS, RDF, Graph, URIRef

ROOT = Path(__file__).parents[2]


def test_the_committed_catalogue_is_the_one_that_the_schemas_make():
    """To mend: python -m datapolis.cards > datasets/README.md"""
    assert (ROOT / "datasets" / "README.md").read_text(encoding="utf-8") == cards.readme()


def test_the_catalogue_is_written_as_utf_8_whatever_the_terminal_has():
    command = [sys.executable, "-m", "datapolis.cards"]
    outside = {**os.environ, "PYTHONIOENCODING": "ascii"}
    ran = subprocess.run(command, env=outside, capture_output=True, check=True)
    assert ran.stdout.decode() == cards.readme()


@pytest.mark.parametrize("name", datapolis.tables())
def test_a_card_says_everything(name):
    described = datapolis.schema(name)
    assert described["title"] and described["description"].endswith(".")
    for aspect in ("purpose", "rows", "made", "realistic", "not_realistic", "sharing", "opening"):
        assert described["card"][aspect], aspect
    text = cards.card(name)
    for field in described["fields"]:
        assert f"| `{field['name']}` | {field['type']} |" in text


def test_descriptions_show_themselves():
    everything = datapolis.describe()
    for name in datapolis.tables():
        assert name in repr(everything) and f">{name}<" in everything._repr_html_()
    cases = datapolis.describe("cases")
    assert "reported_on" in repr(cases) and "<th scope='col'>column</th>" in cases._repr_html_()
    with pytest.raises(datapolis.DatapolisError, match="no table 'nobody'"):
        datapolis.describe("nobody")


def test_the_catalogue_is_a_dcat_graph():
    graph = Graph().parse(data=json.dumps(datapolis.catalogue()), format="json-ld")
    (catalogue,) = graph.subjects(RDF.type, DCAT.Catalog)
    sets = set(graph.objects(catalogue, DCAT.dataset))
    assert len(sets) == len(datapolis.tables())
    for dataset in sets:
        assert (dataset, RDF.type, DCAT.Dataset) in graph
        for needed in (DCTERMS.title, DCTERMS.description, DCTERMS.license, DCTERMS.accessRights):
            assert graph.value(dataset, needed) is not None
        distribution = graph.value(dataset, DCAT.distribution)
        assert (distribution, RDF.type, DCAT.Distribution) in graph
    rights = {
        str(graph.value(s, DCTERMS.identifier)): str(graph.value(s, DCTERMS.accessRights)).rsplit(
            "/"
        )[-1]
        for s in sets
    }
    assert rights["air_quality"] == "PUBLIC" and rights["residents"] == "NON_PUBLIC"
    assert URIRef("https://creativecommons.org/licenses/by/4.0/") in set(
        graph.objects(None, DCTERMS.license)
    )


def test_a_catalogue_of_nobody_is_refused():
    with pytest.raises(datapolis.DatapolisError, match="no table 'nobody'"):
        datapolis.catalogue(["nobody"])
