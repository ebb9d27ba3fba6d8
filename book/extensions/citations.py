"""Sources: a title in italics that stands in the bibliography leads there, and titles are shown as they are written.

Lessons name their sources as sentences do, not by keys.
"""

from __future__ import annotations

import re
from typing import Any

from docutils import nodes
from pybtex.plugin import register_plugin
from pybtex.style.formatting.plain import Style
from pybtex.style.template import field, sentence
from sphinx.application import Sphinx


class AsWritten(Style):
    """The plain style, which would write HyperLogLog and NIST in small letters."""

    def format_title(self, entry: Any, which_field: str, as_sentence: bool = True) -> Any:
        title = field(which_field)
        return sentence[title] if as_sentence else title


def plain(text: str) -> str:
    return re.sub(r"[\W_]+", " ", text).casefold().strip()


def anchors(app: Sphinx) -> dict[str, str]:
    """Where each title stands on the page of the bibliography."""
    cited = app.env.get_domain("cite")
    entries = cited.bibdata.data.entries  # type: ignore[attr-defined]
    return {
        plain(entries[citation.key].fields["title"]): citation.citation_id
        for citation in cited.citations  # type: ignore[attr-defined]
    }


def link(app: Sphinx, document: nodes.document, page: str) -> None:
    if app.builder.name != "html" or page == "bibliography":
        return
    known = anchors(app)
    target = app.builder.get_relative_uri(page, "bibliography")
    for title in list(document.findall(nodes.emphasis)):
        anchor = known.get(plain(title.astext()))
        if anchor and not isinstance(title.parent, nodes.reference):
            reference = nodes.reference(
                "", "", internal=True, refuri=f"{target}#{anchor}", classes=["source"]
            )
            title.replace_self(reference)
            reference += title


def name_roles(
    app: Sphinx, page: str, template: str, context: dict[str, Any], document: nodes.document | None
) -> None:
    """An entry of the list is one to screen readers, too: docutils gives it a role that WAI-ARIA has withdrawn."""
    if page == "bibliography":
        context["body"] = context["body"].replace('role="doc-biblioentry"', 'role="listitem"')


def setup(app: Sphinx) -> dict[str, bool]:
    register_plugin("pybtex.style.formatting", "as_written", AsWritten)
    app.connect("doctree-resolved", link)
    app.connect("html-page-context", name_roles)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
