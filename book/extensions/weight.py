"""What a page loads, cut to what the book uses.

The themes bring 1.5 MB of icons, of which a dozen are shown, the styles of all that Bootstrap can do, and the index of the
search on every page.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

ICONS = "scripts/fontawesome.js"
STYLES = (
    "styles/pydata-sphinx-theme.css",
    "styles/sphinx-book-theme.css",
    "sphinx-design.min.css",
)
_ICON = re.compile(
    r'(?:"([a-z0-9-]+)"|\b([a-z0-9]+)):\[\d+,\d+,\[[^\]]*\],"[0-9a-f]+",(?:"[^"]*"|\[[^\]]*\])\],?'
)
# the innermost braces: media queries stay around them
_RULE = re.compile(r"([^{}@;/]+)\{([^{}@]*)\}")
_OUTSIDE_PARENTHESES = re.compile(r",(?![^(]*\))")


def cut(app: Sphinx, failure: Exception | None) -> None:
    static = app.outdir / "_static"
    if failure or app.builder.name != "html":
        return
    scripts = [path for path in static.rglob("*.js") if path != static / ICONS]
    used = words([*app.outdir.rglob("*.html"), *scripts])
    rewrite(static / ICONS, lambda text: icons(text, used))
    for style in STYLES:
        rewrite(static / style, lambda text: rules(text, used))


def words(paths: list[Path]) -> set[str]:
    """All that could be the name of a class."""
    return {word for path in paths for word in re.findall(r"[\w-]+", path.read_text("utf-8"))}


def rewrite(path: Path, change: Any) -> None:
    path.write_text(change(path.read_text("utf-8")), encoding="utf-8")


def icons(script: str, used: set[str]) -> str:
    """Font Awesome's script with the drawings of the icons in ``used`` only."""
    return _ICON.sub(lambda icon: icon[0] if f"fa-{icon[1] or icon[2]}" in used else "", script)


def rules(style: str, used: set[str]) -> str:
    """A style sheet without the selectors that can match nothing: a class in them is not in the book.

    What stands in parentheses, as in ``:not(.shown)``, is no reason to leave a selector out, nor are Bootstrap's names
    that its script puts together (``bs-tooltip-auto``).
    """

    def needed(selector: str) -> bool:
        outside = re.sub(r"\([^()]*\)|\\.", "", selector)
        names = re.findall(r"\.(-?[a-zA-Z_][\w-]*)", outside)
        return all(name in used or name.startswith("bs-") for name in names)

    def kept(rule: re.Match[str]) -> str:
        selectors = ",".join(filter(needed, _OUTSIDE_PARENTHESES.split(rule[1])))
        return f"{selectors}{{{rule[2]}}}" if selectors else ""

    return _RULE.sub(kept, style)


def without_search(head: str) -> str:
    """The head of a page without the index of the search, which only the page of results needs."""
    return re.sub(
        r'<script src="[^"]*(?:searchtools|language_data|searchindex)\.js"></script>\s*', "", head
    )


def offer(
    app: Sphinx, page: str, template: str, context: dict[str, Any], document: nodes.document | None
) -> None:
    context["without_search"] = without_search


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("html-page-context", offer, priority=400)  # before the theme draws
    app.connect("build-finished", cut, priority=900)  # when all is copied
    return {"parallel_read_safe": True, "parallel_write_safe": True}
