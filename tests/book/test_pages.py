"""Every page that the syllabus asks for is there, shows what a student may see, and leads nowhere that does not exist."""

import json
import re
import statistics
from html import unescape
from html.parser import HTMLParser
from urllib.parse import unquote, urlsplit

import datapolis
import nbformat
import pytest
import weight
from sharewell import content

pytestmark = pytest.mark.xdist_group("book")  # built once
LESSONS = sorted((content.root() / "lessons").rglob("*.ipynb"))
LABS = list(content.labs())


class Page(HTMLParser):
    """Links, things that are loaded, anchors and images of a page."""

    def __init__(self, path):
        super().__init__()
        self.links, self.loads, self.anchors, self.images = [], [], set(), []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        self.anchors |= {found[name] for name in ("id", "name") if found.get(name)}
        if tag == "a" and found.get("href"):
            self.links.append(found["href"])
        if tag in ("script", "img", "iframe") and found.get("src"):
            self.loads.append(found["src"])
        if tag == "link" and found.get("rel") in ("stylesheet", "icon", "preload"):
            self.loads.append(found["href"])
        if tag == "img":
            self.images.append(found)


@pytest.fixture(scope="module")
def pages(site):
    found = (path for path in sorted(site.rglob("*.html")) if "_static" not in path.parts)
    return {path: Page(path) for path in found}


def test_every_notebook_and_every_table_has_a_page(site):
    for path in LESSONS:
        assert (site / path.relative_to(content.root())).with_suffix(".html").is_file()
    for lab in LABS:
        assert (site / "labs" / f"{lab}.html").is_file()
    for name in datapolis.tables():
        text = (site / "data" / f"{name}.html").read_text(encoding="utf-8")
        assert datapolis.load(name, rows=1).columns[0] in text
        assert "The first rows" in text


REGIONS = r"### BEGIN (?:SOLUTION|HIDDEN TESTS)\n.*?### END|=== BEGIN MARK SCHEME ===.*?=== END"


def secrets(lab):
    """Lines of the instructor's version that no student gets: of solutions, hidden tests and rubrics, and nowhere else."""
    notebook = nbformat.read(content.root() / "source" / lab / f"{lab}.ipynb", as_version=4)
    text = "\n".join(cell.source for cell in notebook.cells)
    given = re.sub(REGIONS, "", text, flags=re.DOTALL)
    lines = "\n".join(re.findall(REGIONS, text, re.DOTALL)).splitlines()
    return {line.strip() for line in lines if len(line.strip()) > 30 and line.strip() not in given}


@pytest.mark.parametrize("lab", LABS)
def test_a_lab_shows_neither_solutions_nor_hidden_tests(lab, site):
    notebook = nbformat.read(site / "notebooks" / "labs" / f"{lab}.ipynb", as_version=4)
    page = re.sub(r"<[^>]+>", "", (site / "labs" / f"{lab}.html").read_text(encoding="utf-8"))
    shown = unescape(page) + "\n".join(cell.source for cell in notebook.cells)
    hidden = secrets(lab)
    assert len(hidden) > 5
    assert [line for line in hidden if line in shown] == []
    assert "YOUR CODE HERE" in page


def test_nothing_else_of_the_site_holds_a_solution(site):
    for path in site.rglob("*"):
        if path.suffix in (".txt", ".ipynb", ".json", ".js"):
            assert "BEGIN SOLUTION" not in path.read_text(encoding="utf-8"), path


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_the_notebook_to_download_is_the_lesson_itself(path, site):
    offered = site / "notebooks" / path.relative_to(content.root())
    assert offered.read_bytes() == path.read_bytes()
    page = (site / path.relative_to(content.root())).with_suffix(".html")
    (link,) = [one for one in Page(page).links if one.endswith(".ipynb") and "notebooks/" in one]
    assert (page.parent / link).resolve() == offered


def test_links_images_and_anchors_lead_somewhere(pages, site):
    broken = []
    for path, page in pages.items():
        for link in (*page.links, *page.loads):
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if not target.is_file() or (
                parts.fragment
                and target in pages
                and unquote(parts.fragment) not in pages[target].anchors
            ):
                broken.append(f"{path.relative_to(site)}: {link}")
    assert broken == []


def test_nothing_is_loaded_from_elsewhere(pages):
    assert {
        load for page in pages.values() for load in page.loads if urlsplit(load).netloc
    } == set()


def test_every_figure_says_what_it_shows(pages):
    for path, page in pages.items():
        assert [image for image in page.images if "alt" not in image] == [], path


def test_the_search_knows_words_of_lessons(site):
    index = (site / "searchindex.js").read_text(encoding="utf-8")
    titles = json.loads(re.search(r'"titles":(\[.*?\])', index)[1])
    assert "4.3 Differential privacy" in titles


def test_every_table_has_headers_and_rubrics_have_them_at_their_rows(pages, site):
    for path in pages:
        for table in re.findall(r"<table.*?</table>", path.read_text(encoding="utf-8"), re.DOTALL):
            assert (
                re.search(r"<th\b", table) or "indextable" in table or "genindextable" in table
            ), path
    lab = (site / "labs" / "lab-04-classification.html").read_text(encoding="utf-8")
    assert re.search(r'<th class="stub"><p>Decision \(4\)', lab)


def test_the_start_page_weighs_less_than_half_a_megabyte_and_a_lesson_less_than_one(pages, site):
    """With all that they load."""

    def bytes_of(path):
        loaded = {(path.parent / link.split("?")[0]).resolve() for link in pages[path].loads}
        return sum(one.stat().st_size for one in {path, *loaded})

    assert bytes_of(site / "index.html") < 500_000
    assert bytes_of(site / "zh" / "index.html") < 500_000
    lessons = [bytes_of(path) for path in pages if "lessons" in path.parts]
    assert statistics.median(lessons) < 1_000_000


def test_styles_are_cut_to_what_can_match():
    style = (
        "@media (min-width:9px){.a,.b:not(.c){x:y}.b .d{x:y}}"
        "h1,.b{x:y}.a:is(.c,.d),.b{x:y}.bs-a-auto .a{x:y}@font-face{x:url(a/b)}"
    )
    assert weight.rules(style, {"a", "d"}) == (
        "@media (min-width:9px){.a{x:y}}h1{x:y}.a:is(.c,.d){x:y}.bs-a-auto .a{x:y}@font-face{x:url(a/b)}"
    )
