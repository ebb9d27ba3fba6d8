"""What the notebooks claim of law, standards and history has a source in the bibliography, with a date; and nothing stands there that is not used."""

import re

import nbformat
import pytest
from sharewell import content

ROOT = content.root().parent
NOTEBOOKS = sorted(
    [*(content.root() / "lessons").rglob("*.ipynb"), *(content.root() / "source").rglob("*.ipynb")]
)
ENTRIES = {
    key: dict(re.findall(r"(\w+) = \{(.*?)\}(?:,|$)", body, re.MULTILINE))
    for key, body in re.findall(
        r"^@\w+\{(\w+),\n(.*?)^\}",
        (ROOT / "book" / "references.bib").read_text(encoding="utf-8"),
        re.MULTILINE | re.DOTALL,
    )
}
RULES = r"GB(?:/T)? ?\d+|Decree \d+|PIPL|Directive \d+/\d+/EC|Data Security Law|ISO(?:/IEC)? \d+|Data Regulation"


def plain(text):
    return re.sub(r"[^\w\d]+", " ", text).casefold()


def names(entry):
    """By what a notebook may call it."""
    return [plain(entry[field]) for field in ("title", "shorttitle") if field in entry]


def prose(path):
    return [c.source for c in nbformat.read(path, as_version=4).cells if c.cell_type == "markdown"]


def stem(path):
    return path.stem


def test_the_bibliography_is_read():
    assert len(ENTRIES) > 40
    assert ENTRIES["sweeney2002"]["title"] == "k-anonymity: a model for protecting privacy"


@pytest.mark.parametrize("key", ENTRIES)
def test_an_entry_has_an_author_a_title_and_a_date_and_is_used(key):
    entry = ENTRIES[key]
    assert {"title", "author", "year"} <= set(entry)
    assert re.fullmatch(r"\d{4}", entry["year"])
    assert entry.get("date", entry["year"]).startswith(entry["year"])
    every = plain("\n".join(text for path in NOTEBOOKS for text in prose(path)))
    assert any(name in every for name in names(entry)), key


@pytest.mark.parametrize("path", [p for p in NOTEBOOKS if "lessons" in p.parts], ids=stem)
def test_what_a_lesson_cites_is_in_the_bibliography(path):
    text = "\n".join(prose(path))
    cited = [plain(one) for one in re.findall(r"<span[^>]*>(.*?)</span>", text, re.DOTALL)]
    further = text[text.index("## To read next") :]
    cited += [plain(one) for one in re.split(r"^- ", further, flags=re.MULTILINE)[1:]]
    assert cited
    for one in cited:
        found = [key for key, entry in ENTRIES.items() if any(n in one for n in names(entry))]
        assert found, one


@pytest.mark.parametrize("path", NOTEBOOKS, ids=stem)
def test_laws_and_standards_that_are_named_are_in_the_bibliography(path):
    known = plain(" ".join(f"{e['title']} {e.get('shorttitle', '')}" for e in ENTRIES.values()))
    for rule in set(re.findall(RULES, "\n".join(prose(path)))):
        number = plain(rule).replace("iso 7064", "7064")
        assert number in known, rule
    for authors in re.findall(
        r"\(([A-Z][A-Za-z, ]+(?: and [A-Z]\w+| and others)? \d{4})\)", "\n".join(prose(path))
    ):
        first, year = re.match(r"([A-Z]\w+).*?(\d{4})", authors).groups()
        assert any(
            first in entry["author"] and entry["year"] == year for entry in ENTRIES.values()
        ), authors
