"""What a page offers beside its text: its notebook, how long it takes, and whether it was read."""

from __future__ import annotations

import os
import re
import shutil
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

_WORDS_A_MINUTE = 200
_CHARACTERS_A_MINUTE = 350


def reading_minutes(text: str) -> int:
    """How long a text takes to read, at 200 words or 350 Chinese characters a minute."""
    words = len(re.findall(r"[A-Za-z][A-Za-z0-9'’-]*", text))
    characters = len(re.findall(r"[\u3400-\u9fff]", text))
    return max(1, round(words / _WORDS_A_MINUTE + characters / _CHARACTERS_A_MINUTE))


def prose(document: nodes.document) -> str:
    """The text of a page that is read as sentences: no code, no output."""
    return " ".join(
        node.astext()
        for node in document.findall(nodes.TextElement)
        if isinstance(node, nodes.paragraph | nodes.title)
    )


def offer(
    app: Sphinx, page: str, template: str, context: dict[str, Any], document: nodes.document | None
) -> None:
    context["named_toggles"] = named_toggles
    if document is not None:
        context["reading_minutes"] = reading_minutes(prose(document))
    if page in app.project.notebooks:
        context["notebook"] = f"{'../' * page.count('/')}notebooks/{page}.ipynb"
        context["jupyter"] = (
            f"{app.config.jupyter_url.rstrip('/')}/lab/tree/{_in_students_folder(page)}"
        )


def named_toggles(sidebar: Any) -> str:
    """The sidebar, in which the arrows that open a part say which part, to those who cannot see them."""
    return re.sub(
        r"<a [^>]*>((?:(?!</a>).)*)</a>\s*<details[^>]*>\s*<summary(?=>)",
        lambda found: f'{found[0]} aria-label="{re.sub("<[^>]*>", "", found[1]).strip()}"',
        str(sidebar),
        flags=re.DOTALL,
    )


def _in_students_folder(page: str) -> str:
    return (
        f"{page}/{page.rpartition('/')[2]}.ipynb" if page.startswith("labs/") else f"{page}.ipynb"
    )


def copy_notebooks(app: Sphinx, failure: Exception | None) -> None:
    """The notebooks to download, lessons with their questions."""
    if failure or app.builder.format != "html":
        return
    for page, path in app.project.notebooks.items():
        target = app.outdir / "notebooks" / f"{page}.ipynb"
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
        quiz = path.with_suffix(".quiz.json")
        if quiz.is_file():
            shutil.copyfile(quiz, target.with_suffix(".quiz.json"))


def setup(app: Sphinx) -> dict[str, bool]:
    # where a reader's own JupyterLab listens after `sharewell start`; a campus names its JupyterHub
    app.add_config_value(
        "jupyter_url", os.environ.get("SHAREWELL_JUPYTER", "http://127.0.0.1:8888"), "html", str
    )
    app.connect("html-page-context", offer, priority=400)  # before the theme draws its parts
    app.connect("build-finished", copy_notebooks)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
