"""A title in italics that stands in the bibliography leads there: lessons name their sources as sentences do, not by keys."""

from __future__ import annotations

import re

from docutils import nodes
from sphinx.application import Sphinx


def plain(text: str) -> str:
    return re.sub(r"[\W_]+", " ", text).casefold().strip()


def places(app: Sphinx) -> dict[str, str]:
    """Where each title of the bibliography stands: page#anchor."""
    cited = app.env.get_domain("cite")
    entries = cited.bibdata.data.entries  # type: ignore[attr-defined]
    return {
        plain(entries[citation.key].fields["title"]): f"bibliography#{citation.citation_id}"
        for citation in cited.citations  # type: ignore[attr-defined]
        if "title" in entries[citation.key].fields
    }


def link(app: Sphinx, document: nodes.document, page: str) -> None:
    if app.builder.name != "html" or page == "bibliography":
        return
    known = places(app)
    for title in list(document.findall(nodes.emphasis)):
        place = known.get(plain(title.astext()))
        if place and not isinstance(title.parent, nodes.reference):
            target, _, anchor = place.partition("#")
            uri = f"{app.builder.get_relative_uri(page, target)}#{anchor}"
            reference = nodes.reference("", "", internal=True, refuri=uri, classes=["source"])
            title.replace_self(reference)
            reference += title


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("doctree-resolved", link)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
