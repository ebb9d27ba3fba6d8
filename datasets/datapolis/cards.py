"""What the tables are, for people and for machines: data cards, the catalogue, a DCAT record.

Everything here is read from the schema files; ``datasets/README.md`` is :func:`readme`, and a test compares them:
``python -m datapolis.cards > datasets/README.md`` writes it anew.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from html import escape
from typing import Any

from datapolis.registry import TABLES, find
from datapolis.store import schema, tables

_ASPECTS = {
    "purpose": "Purpose",
    "made": "How it is made",
    "realistic": "Realistic",
    "not_realistic": "Not realistic",
    "limits": "Known limits",
    "sharing": "Sharing (between public bodies)",
    "opening": "Opening (to society)",
}
_HEAD = """# The catalogue of Datapolis

Datapolis is a country that does not exist, and no person in it does: identity numbers and firm codes name a region that was
never assigned, phone numbers begin with a prefix and a country code that nobody has, e-mail ends in `example.org`
(reserved). `tests/datasets/test_identifiers.py` checks every such column.

```python
import datapolis

datapolis.describe()  # what there is
residents = datapolis.load("residents", rows=50_000, seed=1)  # pandas
datapolis.load("residents", scale=1, as_="polars")  # or "arrow", "duckdb", "dask"
sales = datapolis.load("sales", scale=0.01)  # a country a hundred times smaller
datapolis.scan("sales", scale=400)  # a billion rows, made as the query needs them
datapolis.write("sales", "sales", scale=40, workers=2)  # a Frictionless package of Parquet files
```

The same name, scale, seed and locale (`en_US`, `zh_CN`) give the same table on every machine, whatever the number of workers. Scale 1 has
100,000 residents and about 5 million facts. Large tables are kept as Parquet in the user's cache (`DATAPOLIS_CACHE`
names another folder). What a column really is, who stands behind a pseudonym, which faults were planted and which
parameters are true travels apart, in `datapolis.truth(...)`: graders read it, notebooks for students do not.

This page is written by `python -m datapolis.cards` from `datasets/datapolis/schemas/`.
"""


def _size(name: str) -> str:
    table = TABLES[name]
    return f"{table.rows:,} at scale 1" if table.grows else f"{table.rows:,} at any scale"


def card(name: str) -> str:
    """The data card of one table, in Markdown.

    Raises
    ------
    DatapolisError
        No such table.
    """
    find(name)
    described = schema(name)
    lines = [f"## {name}", "", described["description"], "", "| | |", "|---|---|"]
    lines.append(f"| Rows | {described['card']['rows']}; about {_size(name)} |")
    lines += [
        f"| {heading} | {described['card'][aspect]} |"
        for aspect, heading in _ASPECTS.items()
        if aspect in described["card"]
    ]
    if described.get("encoding"):
        lines.append(f"| Encoding as CSV | {described['encoding']} |")
    lines += ["", "| column | type | meaning |", "|---|---|---|"]
    lines += [
        f"| `{field['name']}` | {field['type']} | {_meaning(field)} |"
        for field in described["fields"]
    ]
    return "\n".join(lines) + "\n"


def _meaning(field: dict[str, Any]) -> str:
    unit = f", {field['unit']}" if "unit" in field else ""
    return f"{field['description']}{unit}".replace("|", "\\|")


def readme() -> str:
    """The whole catalogue in Markdown: an index by area, then the cards."""
    lines = [_HEAD, "| area | tables |", "|---|---|"]
    for area in dict.fromkeys(table.area for table in TABLES.values()):
        names = [f"[{name}](#{name})" for name, table in TABLES.items() if table.area == area]
        lines.append(f"| {area} | {', '.join(names)} |")
    return "\n".join(lines) + "\n\n" + "\n".join(card(name) for name in tables())


class Description:
    """What :func:`describe` answers; shows itself as text, and as a table in a notebook."""

    def __init__(
        self, title: str, text: str, headings: tuple[str, ...], rows: Sequence[tuple[str, ...]]
    ) -> None:
        self._title, self._text, self._headings, self._rows = title, text, headings, rows

    def __repr__(self) -> str:
        widths = [max(len(row[n]) for row in [self._headings, *self._rows]) for n in range(2)]
        lines = [
            f"{a:<{widths[0]}}  {b:<{widths[1]}}  {c}" for a, b, c in [self._headings, *self._rows]
        ]
        return "\n".join([self._title, self._text, "", *lines])

    def _repr_html_(self) -> str:
        head = "".join(f"<th scope='col'>{escape(heading)}</th>" for heading in self._headings)
        body = "".join(
            "<tr>"
            + "".join(f"<td style='text-align:left'>{escape(cell)}</td>" for cell in row)
            + "</tr>"
            for row in self._rows
        )
        return (
            f"<p><strong>{escape(self._title)}</strong><br>{escape(self._text)}</p>"
            f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        )


def describe(name: str | None = None) -> Description:
    """What there is, or what one table holds.

    Raises
    ------
    DatapolisError
        No such table.

    Examples
    --------
    >>> import datapolis
    >>> datapolis.describe("districts")  # doctest: +ELLIPSIS
    districts: The twelve districts
    ...
    """
    if name is None:
        rows = [(table, _size(table), schema(table)["title"]) for table in tables()]
        text = "Every table: datapolis.describe(NAME). To load one: datapolis.load(NAME, scale=1)."
        return Description("Datapolis, a synthetic country", text, ("table", "rows", "what"), rows)
    find(name)
    described = schema(name)
    fields = [(field["name"], field["type"], _meaning(field)) for field in described["fields"]]
    text = f"{described['description']} {described['card']['purpose']}"
    return Description(f"{name}: {described['title']}", text, ("column", "type", "meaning"), fields)


_CONTEXT = {
    "dcat": "http://www.w3.org/ns/dcat#",
    "dct": "http://purl.org/dc/terms/",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}
_RIGHTS = "http://publications.europa.eu/resource/authority/access-right/"


def catalogue(names: list[str] | None = None) -> dict[str, Any]:
    """A DCAT 3 record (W3C Recommendation) in JSON-LD of all tables, or of some.

    The rights are those of the imagined data, as the course classifies them: the synthetic tables themselves are
    CC BY 4.0.

    Raises
    ------
    DatapolisError
        No such table.
    """
    base = "https://datapolis.example.org/"
    for name in names or []:
        find(name)
    return {
        "@context": _CONTEXT,
        "@id": f"{base}catalogue",
        "@type": "dcat:Catalog",
        "dct:title": {"@value": "The catalogue of Datapolis", "@language": "en"},
        "dct:description": {"@value": "Tables of a synthetic country. No person in it exists.", "@language": "en"},
        "dct:publisher": {"@id": f"{base}statistics-office", "@type": "foaf:Agent", "foaf:name": "Statistics Office of Datapolis"},
        "dct:license": {"@id": "https://creativecommons.org/licenses/by/4.0/"},
        "dcat:dataset": [_dataset(name, base) for name in names or tables()],
    }  # fmt: skip


def _dataset(name: str, base: str) -> dict[str, Any]:
    described = schema(name)
    opening = described["card"]["opening"].split(":")[0].split(",")[0].strip()
    right = {"public": "PUBLIC", "restricted": "RESTRICTED"}.get(opening, "NON_PUBLIC")
    return {
        "@id": f"{base}{name}",
        "@type": "dcat:Dataset",
        "dct:identifier": name,
        "dct:title": {"@value": described["title"], "@language": "en"},
        "dct:description": {"@value": described["description"], "@language": "en"},
        "dcat:keyword": [TABLES[name].area, "synthetic"],
        "dct:accessRights": {"@id": _RIGHTS + right},
        "dct:license": {"@id": "https://creativecommons.org/licenses/by/4.0/"},
        "dcat:distribution": {
            "@id": f"{base}{name}/parquet",
            "@type": "dcat:Distribution",
            "dct:title": {"@value": f"{name} as Parquet", "@language": "en"},
            "dcat:mediaType": {
                "@id": "https://www.iana.org/assignments/media-types/application/vnd.apache.parquet"
            },
            "dct:conformsTo": {"@id": "https://datapackage.org/standard/table-schema/"},
        },
    }


if __name__ == "__main__":
    sys.stdout.buffer.write(readme().encode())  # a file in UTF-8, whatever the terminal has
