"""``{outcomes} 1-fundamentals`` and ``{way} 1-fundamentals``: what a module teaches, and the way through it, out of the syllabus."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any

from docutils import nodes
from sharewell import content
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective


class FromModule(SphinxDirective):
    """Text that is made of one module of the syllabus."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        modules = {f"{m['number']}-{m['slug']}": m for m in content.syllabus()["modules"]}
        if self.arguments[0] not in modules:
            raise self.error(
                f"course/syllabus.yml has no module {self.arguments[0]!r}; it has {', '.join(modules)}"
            )
        self.env.note_dependency(str(content.root() / "syllabus.yml"))
        return self.parse_text_to_nodes(self.text(modules[self.arguments[0]]))

    def text(self, module: dict[str, Any]) -> str:
        raise NotImplementedError


class Outcomes(FromModule):
    """What a student can do after a module."""

    def text(self, module: dict[str, Any]) -> str:
        reached = {
            number for part in (*module["lessons"], *module["labs"]) for number in part["outcomes"]
        }
        outcomes = content.syllabus()["outcomes"]
        return "\n".join(f"- {outcomes[number]['can']}" for number in outcomes if number in reached)


class Way(FromModule):
    """Its lessons in their order, each with the labs that follow it; and the same as the book's table of contents."""

    def text(self, module: dict[str, Any]) -> str:
        way, pages = ["{.way}"], []
        for lesson in module["lessons"]:
            pages.append(_page(lesson["notebook"]))
            needs = f" Needs {' and '.join(lesson['needs'])}." if lesson["needs"] else ""
            way.append(
                f"1. {{doc}}`{lesson['number']} {lesson['title']} <{pages[-1]}>`\n\n   {lesson['minutes']} minutes.{needs}\n"
            )
            if "optional" in lesson:
                pages.append(_page(lesson["optional"]))
            for lab in module["labs"]:
                if lab["follows"] == lesson["number"]:
                    pages.append(f"/labs/{lab['name']}")
                    way.append(
                        f"   - {{doc}}`{_name(lab)} <{pages[-1]}>`\n\n     {lab['hours']} hours, {lab['points']} points.\n"
                    )
        return "\n".join([*way, "```{toctree}", ":hidden:", *pages, "```"])


def _page(notebook: str) -> str:
    return "/" + str(PurePosixPath(notebook).with_suffix(""))


def _name(lab: dict[str, Any]) -> str:
    kind, _, rest = lab["name"].partition("-")
    return f"Lab {int(rest[:2])}. {lab['title']}" if kind == "lab" else f"Capstone. {lab['title']}"


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_directive("outcomes", Outcomes)
    app.add_directive("way", Way)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
