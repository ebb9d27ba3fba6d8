"""A page for each table of Datapolis, made of its schema file: the data card, and its first rows."""

from __future__ import annotations

from pathlib import Path

import datapolis
from datapolis import cards
from sphinx.application import Sphinx

_PREVIEW = 5  # rows


def schemas() -> dict[str, Path]:
    """The schema file of each table by the name of its page."""
    folder = Path(datapolis.__file__).parent / "schemas"
    return {f"data/{path.stem}": path for path in sorted(folder.glob("*.json"))}


def page(name: str) -> str:
    """The page of one table as MyST Markdown."""
    heading, _, card = cards.card(name).partition("\n")
    rows = datapolis.load(name, rows=_PREVIEW)
    preview = rows.to_html(index=False, border=0, classes="preview", na_rep="")
    return "\n".join(
        [
            heading.removeprefix("#").replace(name, f"`{name}`"),
            card,
            "## The first rows",
            "",
            "```python",
            f'datapolis.load("{name}").head({_PREVIEW})',
            "```",
            "",
            "```{raw} html",
            f'<div class="pst-scrollable-table-container" tabindex="0" role="region" aria-label="{name}">',
            preview.replace("<th>", '<th scope="col">'),
            "</div>",
            "```",
            "",
        ]
    )


def read_schema(app: Sphinx, name: str, source: list[str]) -> None:
    if name.startswith("data/"):
        source[0] = page(name.removeprefix("data/"))


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("source-read", read_schema)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
