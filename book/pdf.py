"""``python book/pdf.py PAGE PDF``: the book as one file to print, from the one long page that Sphinx's ``singlehtml`` makes.

Chromium lays it out and writes the bookmarks; the table of contents needs page numbers, which are known only when all is
laid out. So it is printed twice.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from playwright.sync_api import Page, sync_playwright
from pypdf import PdfReader

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
CONTENTS = """
() => {
  for (const details of document.querySelectorAll("details")) details.open = true;
  const list = document.createElement("ol");
  list.className = "contents";
  const depth = (element) => {
    const around = element.parentElement.closest("span[id^='document-'] + section");
    return around ? 1 + depth(around) : 0;
  };
  for (const section of document.querySelectorAll("span[id^='document-'] + section")) {
    const entry = list.appendChild(document.createElement("li"));
    entry.className = "depth-" + depth(section);
    const link = entry.appendChild(document.createElement("a"));
    link.href = "#" + section.id;
    const title = section.querySelector(":scope > h2, :scope > h3, :scope > h4, :scope > h5, :scope > h6");
    link.append(title.firstChild.textContent, document.createElement("span"));
  }
  document.querySelector("article.bd-article h1").after(list);
}
"""
NUMBERS = """
(pages) => {
  for (const link of document.querySelectorAll(".contents a")) {
    link.lastChild.textContent = pages[decodeURIComponent(link.hash.slice(1))];
  }
}
"""
FOOTER = (
    '<div style="width:100%;font-size:8px;text-align:center"><span class="pageNumber"></span></div>'
)


def chromium() -> str:
    """The path of the system's Chromium; raises SystemExit with what to do where there is none."""
    for name in BROWSERS:
        if found := shutil.which(name):
            return found
    raise SystemExit(
        "The PDF is laid out by Chromium, which is not here. On Debian and Ubuntu: apt install chromium fonts-noto-cjk libatomic1"
    )


def printed(page: Page, target: Path) -> dict[str, int]:
    """Print the page into a file; the number of the page on which each place begins that a link leads to."""
    page.pdf(
        path=target,
        format="A4",
        margin={"top": "18mm", "bottom": "18mm", "left": "16mm", "right": "16mm"},
        print_background=True,
        outline=True,
        tagged=True,
        display_header_footer=True,
        header_template="<span></span>",
        footer_template=FOOTER,
    )
    reader = PdfReader(target)
    return {
        name.lstrip("/"): (reader.get_destination_page_number(place) or 0) + 1
        for name, place in reader.named_destinations.items()
    }


def make(source: Path, target: Path) -> None:
    path = chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        page = browser.new_page()
        page.goto(source.resolve().as_uri())
        page.emulate_media(media="print", color_scheme="light")
        page.add_style_tag(path=Path(__file__).with_name("pdf.css"))
        page.evaluate(CONTENTS)
        page.evaluate(NUMBERS, printed(page, target))
        printed(page, target)
        browser.close()


if __name__ == "__main__":
    make(Path(sys.argv[1]), Path(sys.argv[2]))
