"""The catalogue of an exchange as others read it: DCAT 3 (https://www.w3.org/TR/vocab-dcat-3/) in JSON-LD, with ODRL for the conditions."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from sharewell.exchange.loop import Exchange
from sharewell.exchange.store import Resource

_RIGHTS = "http://publications.europa.eu/resource/authority/access-right/"
_RIGHT = {"public": "PUBLIC", "restricted": "RESTRICTED", "non-sharing": "NON_PUBLIC"}
_CONTEXT = {
    "dcat": "http://www.w3.org/ns/dcat#",
    "dct": "http://purl.org/dc/terms/",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "odrl": "http://www.w3.org/ns/odrl/2/",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}


def catalogue(exchange: Exchange, base: str = "https://exchange.example.org/") -> dict[str, Any]:
    """The resources whose label is confirmed, withdrawn ones left out.

    Parameters
    ----------
    base : str
        With which the addresses of the records begin.

    Returns
    -------
    dict
        JSON-LD: a ``dcat:Catalog`` with a ``dcat:Dataset`` for each resource: its fields as the description, its owner as publisher, its
        label as access right (the EU's vocabulary). What is restricted has an ODRL offer: use with the owner's consent, no passing
        on. What is not shared has the law or decision that says so.
    """
    listed = [(n, one) for n, one in exchange.resources.items() if one.state == "listed"]
    owners = sorted({one.owner for _, one in listed})
    return {
        "@context": _CONTEXT,
        "@id": f"{base}catalogue",
        "@type": "dcat:Catalog",
        "dct:title": {"@value": "Catalogue of the exchange", "@language": "en"},
        "dct:modified": {"@value": exchange.today.isoformat(), "@type": "xsd:date"},
        "dct:publisher": [
            {"@id": _address(base, "owner", name), "@type": "foaf:Agent", "foaf:name": name}
            for name in owners
        ],
        "dcat:dataset": [_dataset(name, one, base) for name, one in listed],
    }


def _dataset(name: str, one: Resource, base: str) -> dict[str, Any]:
    fields = ", ".join(sorted(one.fields))
    record: dict[str, Any] = {
        "@id": _address(base, "resource", name),
        "@type": "dcat:Dataset",
        "dct:identifier": name,
        "dct:title": name,
        "dct:description": {"@value": f"Fields: {fields}.", "@language": "en"},
        "dct:publisher": {"@id": _address(base, "owner", one.owner)},
        "dct:accessRights": {"@id": _RIGHTS + _RIGHT[one.label]},
        "dcat:version": str(one.version),
    }
    if one.label == "non-sharing":
        record["dct:rights"] = {
            "@type": "dct:RightsStatement",
            "dct:description": {"@value": f"Not shared: {one.citation}.", "@language": "en"},
        }
    elif one.label == "restricted":
        record["odrl:hasPolicy"] = {
            "@type": "odrl:Offer",
            "odrl:permission": {
                "odrl:target": {"@id": _address(base, "resource", name)},
                "odrl:action": {"@id": "odrl:use"},
                "odrl:assigner": {"@id": _address(base, "owner", one.owner)},
                "odrl:duty": {"odrl:action": {"@id": "odrl:obtainConsent"}},
            },
            "odrl:prohibition": {
                "odrl:target": {"@id": _address(base, "resource", name)},
                "odrl:action": {"@id": "odrl:distribute"},
            },
        }
    return record


def _address(base: str, kind: str, name: str) -> str:
    return f"{base}{kind}/{quote(name, safe='')}"
