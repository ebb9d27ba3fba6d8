"""What a page offers beside its text: its notebook, the other language, how long it takes, and whether it was read."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from typing import Any

from course_pages import notebooks
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.display import status_iterator

_WORDS_A_MINUTE, _CHARACTERS_A_MINUTE = 200, 300
LANGUAGES = {"en": ("", "English")}
"""The folder of each language below the site's root, and its own name. Chinese joins when its catalogues in ``locale`` are complete."""


def reading_minutes(text: str) -> int:
    """How long a text takes to read, at 200 English words or 300 Chinese characters a minute."""
    chinese = len(re.findall(r"[\u4e00-\u9fff]", text))
    words = len(re.findall(r"[A-Za-z][\w'’-]*", text))
    return max(1, round(chinese / _CHARACTERS_A_MINUTE + words / _WORDS_A_MINUTE))


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
    here = LANGUAGES[app.config.language][0]
    root = "../" * (page.count("/") + here.count("/"))
    context["languages"] = [
        {"code": language.replace("_", "-"), "name": name, "url": f"{root}{folder}{page}.html"}
        for language, (folder, name) in LANGUAGES.items()
        if language != app.config.language
    ]
    if document is not None:
        context["reading_minutes"] = reading_minutes(prose(document))
    if page in notebooks(app):
        context["notebook"] = f"{root}notebooks/{page}.ipynb"
        context["jupyter"] = (
            f"{app.config.jupyter_url.rstrip('/')}/lab/tree/{_in_students_folder(page)}"
        )


def _in_students_folder(page: str) -> str:
    return (
        f"{page}/{page.rpartition('/')[2]}.ipynb" if page.startswith("labs/") else f"{page}.ipynb"
    )


def copy_notebooks(app: Sphinx, failure: Exception | None) -> None:
    """The notebooks to download, the same for all languages."""
    if failure or app.builder.format != "html":
        return
    folder = Path(app.outdir)
    for _ in range(LANGUAGES[app.config.language][0].count("/")):
        folder = folder.parent
    pages = notebooks(app)
    for page in status_iterator(
        sorted(pages), "copying notebooks... ", "brown", len(pages), app.verbosity
    ):
        target = folder / "notebooks" / f"{page}.ipynb"
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(pages[page], target)
        quiz = pages[page].with_suffix(".quiz.json")
        if quiz.is_file():
            shutil.copyfile(quiz, target.with_suffix(".quiz.json"))


def setup(app: Sphinx) -> dict[str, bool]:
    # where a reader's own JupyterLab listens after `sharewell start`; a campus names its JupyterHub
    app.add_config_value(
        "jupyter_url", os.environ.get("SHAREWELL_JUPYTER", "http://localhost:8888"), "html", str
    )
    app.connect("html-page-context", offer, priority=400)  # before the theme draws its parts
    app.connect("build-finished", copy_notebooks)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
