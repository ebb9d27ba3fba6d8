"""Lab 3: a catalogue entry as others read it: a DCAT 3 record (https://www.w3.org/TR/vocab-dcat-3/) in JSON-LD."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np

from gradewell.checks import catalogue, compare
from gradewell.checks.calls import CallFailed, Function, call
from gradewell.checks.catalogue import Entry
from gradewell.checks.result import Problem, Result

CONTEXT = {
    "dcat": "http://www.w3.org/ns/dcat#",
    "dct": "http://purl.org/dc/terms/",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
    "polis": "https://data.example.org/terms#",
}
"""The prefixes of a record, which is DCAT 3 in JSON-LD."""
BASE = "https://data.example.org/"
_EU = "http://publications.europa.eu/resource/authority/"
ACCESS = {
    "public": f"{_EU}access-right/PUBLIC",
    "restricted": f"{_EU}access-right/RESTRICTED",
    "non-sharing": f"{_EU}access-right/NON_PUBLIC",
}
FREQUENCY = {
    "daily": f"{_EU}frequency/DAILY",
    "weekly": f"{_EU}frequency/WEEKLY",
    "monthly": f"{_EU}frequency/MONTHLY",
    "quarterly": f"{_EU}frequency/QUARTERLY",
    "yearly": f"{_EU}frequency/ANNUAL",
}
LICENCE = {"CC BY 4.0": f"{_EU}licence/CC_BY_4_0"}
_TERMS = {
    "entry_id": "dct:identifier",
    "title": "dct:title",
    "agency_id": "dct:publisher",
    "fields": "polis:fields",
    "update_cycle": "dct:accrualPeriodicity",
    "last_updated": "dct:modified",
    "sharing": "polis:sharing",
    "sharing_condition": "polis:sharingCondition",
    "legal_basis": "polis:legalBasis",
    "opening": "dct:accessRights",
    "opening_condition": "polis:openingCondition",
    "licence": "dct:license",
    "format": "dct:format",
    "access_url": "dcat:accessURL",
}
_OF_DISTRIBUTION = ("format", "access_url")


def records(
    to_dcat: Function, from_dcat: Function, seed: int = 1, points: float = 4, shown: bool = False
) -> Result:
    """Points for a DCAT record of an entry, read as the graph that it stands for, and for the way back.

    Parameters
    ----------
    to_dcat : callable
        From an entry to JSON-LD: a dict whose ``@context`` is ``CONTEXT``.
    from_dcat : callable
        From such a record, its members in any order, to the entry.
    shown : bool
        Whether messages may show an entry's values.
    """
    random = np.random.default_rng(seed)
    entries = [planted.entry for planted in catalogue.entries(seed) if not planted.defects]
    for entry in entries:
        entry.pop("note", None)
    wrong: dict[str, str] = {}
    judged: dict[str, list[bool]] = {name: [] for name in (*_TERMS, "type", "and back")}
    for entry in entries:
        example = f" For example for {entry}." if shown else ""
        try:
            record = call(to_dcat, dict(entry), shown="entry" if shown else "")
            back = call(from_dcat, _shuffled(record, random), shown="record" if shown else "")
        except CallFailed as failure:
            return Result.failed("DCAT", points, "dcat.fails when called", f"{failure}.{example}")
        said = _unreadable(record)
        if said:
            return Result.failed("DCAT", points, "dcat.form", f"{said}{example}")
        stated = _statements(record, str(entry["entry_id"]))
        for name, expected in _expected(entry).items():
            right = stated.get(name, set()) == expected
            if expected or not right:  # to state nothing where there is nothing earns nothing
                judged[name].append(right)
            if not right:
                found = f" It says {sorted(stated.get(name, ()))}." if shown else ""
                want = f" It should say {sorted(expected)}." if shown else ""
                term = _TERMS.get(name, "@type")
                wrong.setdefault(
                    name, f"{name}, as {term}, is not what the entry says.{found}{want}"
                )
        is_back = compare.same(back, entry)
        judged["and back"].append(is_back)
        if not is_back:
            differ = [name for name in _TERMS if not _said(back, entry, name)]
            lost = f" Not the same: {', '.join(differ)}." if differ else ""
            wrong.setdefault(
                "and back",
                f"from_dcat(to_dcat(entry)) is not the entry, when the record has travelled as JSON.{lost}",
            )
    problems = [Problem(f"dcat.{name}", message) for name, message in wrong.items()]
    shares = {name: sum(right) / len(right) for name, right in judged.items()}
    return Result.from_parts("DCAT", points, shares, problems)


def _said(back: Any, entry: Entry, name: str) -> bool:
    return (
        isinstance(back, dict)
        and compare.among(name, back)
        and compare.same(back[name], entry[name])
    )


def _shuffled(value: Any, random: np.random.Generator) -> Any:
    """The same JSON with the members of each object in another order: an object has none."""
    if isinstance(value, dict):
        names = list(value)
        return {
            names[n]: _shuffled(value[names[n]], random) for n in random.permutation(len(names))
        }
    if isinstance(value, list):
        return [_shuffled(one, random) for one in value]
    return value


_LONGEST = 20_000


def _unreadable(record: Any) -> str:
    """Why a record is not read: it is no JSON, or it names a context that would have to be fetched. Empty when it can be read."""
    if not isinstance(record, dict):
        return f"to_dcat returns a dict, not {compare.kind_of(record)}."
    try:
        text = json.dumps({name: value for name, value in record.items() if name != "@context"})
    except (TypeError, ValueError, RecursionError):
        return "The record is no JSON: only dicts, lists, text, numbers, true, false and null are."
    if not compare.same(record.get("@context"), CONTEXT):
        return 'The record\'s "@context" is not CONTEXT.'
    if "@context" in text or "@import" in text or len(text) > _LONGEST:
        return "The record has a second context, or is far too long."
    return ""


def _statements(record: dict[str, Any], entry_id: str) -> dict[str, set[str]]:
    """What a record says about an entry: for each field the objects, in the notation of N-Triples, lists as one line."""
    from rdflib import RDF, Graph, Namespace, URIRef
    from rdflib.collection import Collection

    graph = Graph()
    try:
        graph.parse(data=json.dumps(record), format="json-ld")
    except Exception:  # whatever a parser thinks of it: nothing is said
        return {}
    spaces = {prefix: Namespace(address) for prefix, address in CONTEXT.items()}
    dataset = URIRef(f"{BASE}dataset/{entry_id}")
    distributions = list(graph.objects(dataset, spaces["dcat"]["distribution"]))

    def written(node: Any) -> str:
        if (node, RDF.first, None) in graph:  # own: nodes of the graph that the parser made
            return " ".join(item.n3() for item in Collection(graph, node))
        return str(node.n3())

    stated: dict[str, set[str]] = {}
    for name, term in _TERMS.items():
        prefix, _, local = term.partition(":")
        subjects = distributions if name in _OF_DISTRIBUTION else [dataset]
        predicate = spaces[prefix][local]
        stated[name] = {
            written(node) for subject in subjects for node in graph.objects(subject, predicate)
        }
    types = [graph.objects(subject, RDF.type) for subject in (dataset, *distributions)]
    stated["type"] = {written(node) for found in types for node in found}
    return stated


def _expected(entry: Entry) -> dict[str, set[str]]:
    def plain(text: str) -> str:
        return json.dumps(text, ensure_ascii=False)

    def address(text: str) -> str:
        return f"<{text}>"

    written: dict[str, Callable[[str], str]] = {
        "agency_id": lambda text: address(f"{BASE}agency/{text}"),
        "fields": lambda text: " ".join(plain(one) for one in text.split(";")),
        "update_cycle": lambda text: address(FREQUENCY[text]),
        "last_updated": lambda text: f"{plain(text)}^^<{CONTEXT['xsd']}date>",
        "sharing": lambda text: address(ACCESS[text]),
        "opening": lambda text: address(ACCESS[text]),
        "licence": lambda text: address(LICENCE[text]),
        "access_url": address,
    }
    expected = {}
    for name in _TERMS:
        text = entry[name]
        expected[name] = set() if text is None else {written.get(name, plain)(text)}
    dcat = CONTEXT["dcat"]
    expected["type"] = {address(f"{dcat}Dataset"), address(f"{dcat}Distribution")}
    return expected
