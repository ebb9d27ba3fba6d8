"""How fast the book builds and how heavy it is: python benchmarks/book.py [REPETITIONS]

Builds the book in both languages as ``make book`` does, in copies of its folders: with nothing there, with nothing changed, and
with one lesson changed (the first once, the others REPETITIONS times: medians). Then weighs its pages with all that they load,
and searches in a real browser. The limits are those of the design.
"""

from __future__ import annotations

import gzip
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import sync_playwright
from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).parents[1]
WORDS = ["differential privacy", "reservoir sampling", "差分隐私", "准标识符"]
CHANGED = "course/lessons/4-protection/4.2-de-identification.ipynb"


def main() -> None:
    repetitions = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copytree(ROOT / "book", folder / "book", ignore=shutil.ignore_patterns("_build"))
        shutil.copytree(ROOT / "course", folder / "course")
        lesson = folder / CHANGED
        cold = seconds(lambda: build(folder))
        warm = [seconds(lambda: build(folder)) for _ in range(repetitions)]
        changed = []
        for n in range(repetitions):
            text = lesson.read_text(encoding="utf-8")
            lesson.write_text(text.replace("plots.use_style()", f"plots.use_style()  # {n}", 1))
            changed.append(seconds(lambda: build(folder)))
        site = folder / "site"
        lessons = [weight(path) for path in (site / "lessons").rglob("*.html")]
        start = weight(site / "index.html")
        table = Table("both languages", "here", "limit")
        table.add_row("build, nothing there", f"{cold:.0f} s", "600 s")
        table.add_row("build, nothing changed", f"{statistics.median(warm):.1f} s", "60 s")
        table.add_row("build, one lesson changed", f"{statistics.median(changed):.1f} s", "90 s")
        for what, (plain, packed), limit in (
            ("start page", start, "500 kB"),
            (
                "lesson page, median",
                tuple(map(statistics.median, zip(*lessons, strict=True))),
                "1,000 kB",
            ),
            ("lesson page, heaviest", max(lessons), ""),
        ):
            table.add_row(what, f"{plain / 1e3:,.0f} kB, gzip {packed / 1e3:,.0f} kB", limit)
        whole = sum(path.stat().st_size for path in site.rglob("*") if path.is_file())
        table.add_row("the whole site", f"{whole / 1e6:.0f} MB", "")
        for words, took in searches(site, repetitions):
            table.add_row(f"search for {words}", f"{took:.0f} ms", "100 ms")
    cores = len(os.sched_getaffinity(0))
    print(f"{platform.platform()}, {cores} cores, Python {platform.python_version()}")
    Console().print(table)


def build(folder: Path) -> None:
    for language, target in (("en", "site"), ("zh_CN", "zh")):
        command = [sys.executable, "-m", "sphinx", "--quiet", "--fail-on-warning", "--jobs", "2"]
        options = ["-d", str(folder / "doctrees" / language), "-D", f"language={language}"]
        subprocess.run(
            [*command, *options, str(folder / "book"), str(folder / target)],
            env={**os.environ, "PYTHONPATH": str(folder / "course")},
            check=True,
            stderr=subprocess.DEVNULL,
        )
    shutil.rmtree(folder / "site" / "zh", ignore_errors=True)
    shutil.copytree(folder / "zh", folder / "site" / "zh")


def seconds(work: Callable[[], None]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def weight(page: Path) -> tuple[int, int]:
    """Bytes of a page and of everything that it loads, as files and as a web server sends them."""
    text = page.read_text(encoding="utf-8")
    loaded = {
        (page.parent / link.split("?")[0]).resolve()
        for tag in re.findall(r"<(?:script|img|link)\b[^>]*>", text)
        for link in re.findall(r'(?:src|href)="([^"#]+)"', tag)
        if "rel=" not in tag or re.search(r'rel="(?:stylesheet|preload|icon)"', tag)
    }
    contents = [path.read_bytes() for path in {page.resolve(), *loaded} if path.is_file()]
    return sum(map(len, contents)), sum(len(gzip.compress(content)) for content in contents)


def searches(site: Path, repetitions: int) -> list[tuple[str, float]]:
    """Milliseconds from the words to the pages that have them, in a browser that has loaded the index."""
    browsers = filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome")))
    found = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=next(browsers), args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page()
        for words in WORDS:
            folder = site if words.isascii() else site / "zh"
            page.goto(f"{(folder / 'search.html').as_uri()}?q={words}")
            page.wait_for_selector("ul.search li a")
            took = [
                page.evaluate(
                    """(words) => {
                      const begun = performance.now();
                      const results = Search._performSearch(...Search._parseQuery(words));
                      if (!results.length) throw new Error("nothing found");
                      return performance.now() - begun;
                    }""",
                    words,
                )
                for _ in range(repetitions)
            ]
            found.append((words, statistics.median(took)))
        browser.close()
    return found


if __name__ == "__main__":
    main()
