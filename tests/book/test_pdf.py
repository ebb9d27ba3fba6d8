"""The book as one file to print: a table of contents whose numbers are right, bookmarks, fonts, figures.

In Chinese, which needs more than English does: laying out 500 pages twice takes a minute for each language.
"""

import re
import subprocess
import sys
import unicodedata

import pytest
from pypdf import PdfReader

from .conftest import BOOK

pytestmark = pytest.mark.xdist_group("book")


@pytest.fixture(scope="module")
def book(build, with_outputs, doctrees, site, chromium, tmp_path_factory):
    folder = tmp_path_factory.mktemp("pdf")
    options = ["-b", "singlehtml", "-d", str(doctrees / "zh_CN"), "-D", "language=zh_CN"]
    built = build(folder / "page", *with_outputs, *options)
    assert built.returncode == 0, built.stderr
    laid_out = subprocess.run(
        [sys.executable, BOOK / "pdf.py", folder / "page" / "index.html", folder / "book.pdf"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert laid_out.returncode == 0, laid_out.stderr
    return PdfReader(folder / "book.pdf")


def squeezed(text):
    """Without blanks, and with the usual characters for those that a font shares with radicals."""
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", text))


def test_a_pdf_is_a_book(book):
    chapter = "4.2 去标识化"
    contents = "\n".join(page.extract_text() for page in book.pages[:3])
    entries = re.findall(r"^(.+?)\s*(\d+)$", contents, re.MULTILINE)
    assert len(entries) > 70
    numbers = [int(number) for _, number in entries if int(number) <= len(book.pages)]
    assert numbers == sorted(numbers)
    found = [number for title, number in entries if squeezed(title).startswith(squeezed(chapter))]
    (number,) = found
    assert squeezed(chapter) in squeezed(book.pages[int(number) - 1].extract_text())

    marks = []

    def collect(outline):
        for entry in outline:
            if isinstance(entry, list):
                collect(entry)
            else:
                marks.append(squeezed(entry.title))

    collect(book.outline)
    assert squeezed(chapter) in marks

    embedded, images = set(), 0
    for page in book.pages:
        resources = page["/Resources"]
        for font in resources.get("/Font", {}).values():
            inner = font.get_object()
            for part in inner.get("/DescendantFonts", [inner]):
                described = part.get_object().get("/FontDescriptor", {})
                files = any(f"/FontFile{kind}" in described for kind in ("", 2, 3))
                embedded.add(files or inner["/Subtype"] == "/Type3")  # its glyphs are drawings
        images += len(resources.get("/XObject", {}))
    assert embedded == {True}
    assert images > 30
    assert book.trailer["/Root"]["/Lang"] == "zh-CN"


def test_without_chromium_it_says_what_to_install(tmp_path):
    ran = subprocess.run(
        [sys.executable, BOOK / "pdf.py", "index.html", "book.pdf"],
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 1
    assert "apt install chromium" in ran.stderr
    assert "Traceback" not in ran.stderr
