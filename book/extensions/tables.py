"""A table whose first column has no name has its rows' names there: they become headers, to screen readers too."""

from __future__ import annotations

from docutils import nodes
from sphinx.application import Sphinx


def name_rows(app: Sphinx, document: nodes.document) -> None:
    for group in document.findall(nodes.tgroup):
        head = next(group.findall(nodes.thead), None)
        first = next(head.findall(nodes.entry), None) if head is not None else None
        if first is not None and not first.astext().strip():
            next(group.findall(nodes.colspec))["stub"] = 1


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("doctree-read", name_rows)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
