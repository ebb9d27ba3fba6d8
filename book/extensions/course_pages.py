"""Lessons and labs as pages, from the files that students get: lessons where they lie, labs as nbgrader releases them."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import datapolis
import gradewell
import sharewell
from data_pages import schemas
from sharewell import content, student
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.project import Project


def lessons() -> dict[str, Path]:
    """The notebook of each lesson of the syllabus by the name of its page.

    Raises
    ------
    ExtensionError
        A notebook is not in the syllabus, or the syllabus names one that is not there; the message names it.
    """
    root = content.root()
    named = {
        lesson[kind]
        for module in content.syllabus()["modules"]
        for lesson in module["lessons"]
        for kind in ("notebook", "optional")
        if kind in lesson
    }
    there = {
        path.relative_to(root).as_posix()
        for path in (root / "lessons").rglob("*.ipynb")
        if ".ipynb_checkpoints" not in path.parts
    }
    _agree(there, named)
    return {name.removesuffix(".ipynb"): root / name for name in sorted(named)}


def labs(folder: Path) -> dict[str, Path]:
    """The student's version of each lab by the name of its page, made in ``folder`` where the instructor's has changed.

    Raises
    ------
    ExtensionError
        As for ``lessons``.
    """
    sources = content.root() / "source"
    _agree({path.parent.name for path in sources.glob("*/*.ipynb")}, set(content.labs()))
    digests = {
        lab: hashlib.sha256((sources / lab / f"{lab}.ipynb").read_bytes()).hexdigest()
        for lab in content.labs()
    }
    kept = folder / student.MARK / "digests.json"
    made_of = json.loads(kept.read_text()) if kept.is_file() else {}
    for lab, digest in digests.items():
        if made_of.get(lab) != digest:
            shutil.rmtree(folder / "labs" / lab, ignore_errors=True)
    student.prepare(folder)
    kept.write_text(json.dumps(digests))
    return {f"labs/{lab}": folder / "labs" / lab / f"{lab}.ipynb" for lab in content.labs()}


def _agree(there: set[str], named: set[str]) -> None:
    for name in sorted(there - named):
        raise ExtensionError(f"{name} is not in course/syllabus.yml")
    for name in sorted(named - there):
        raise ExtensionError(f"{name} stands in course/syllabus.yml and is not there")


class CourseProject(Project):
    """Sphinx's list of pages, with those that lie elsewhere than in the book's folder."""

    notebooks: dict[str, Path]
    """Lessons and labs by the names of their pages, as students get them."""
    tables: dict[str, Path]

    def discover(self, *args: Any, **kwargs: Any) -> set[str]:
        super().discover(*args, **kwargs)
        for page, path in {**self.notebooks, **self.tables}.items():
            relative = Path(os.path.relpath(path, self.srcdir))
            self.docnames.add(page)
            self._path_to_docname[relative] = page
            self._docname_to_path[page] = relative
        return self.docnames


def isolate_kernels(app: Sphinx) -> None:
    """Lessons run the same for everybody: without the start-up files of who builds the book, and without their kernels' greetings."""
    folder = Path(app.srcdir) / "_build" / "ipython" / app.config.language
    profile = folder / "profile_default"
    profile.mkdir(parents=True, exist_ok=True)
    (profile / "ipython_kernel_config.py").write_text("get_config().IPKernelApp.log_level = 40\n")
    os.environ["IPYTHONDIR"] = str(folder)


def add_pages(app: Sphinx) -> None:
    project = CourseProject(app.srcdir, app.config.source_suffix)
    project.notebooks = {**lessons(), **labs(Path(app.srcdir) / "_build" / "student")}
    project.tables = schemas()
    project.restore(app.project)
    app.project = app.env.project = project


def prepare(app: Sphinx, page: str, source: list[str]) -> None:
    """Labs are shown, not run: without answers most of their cells stop. What needs Spark runs where Spark is.

    Lessons run again when their questions change, or the code that they call. What answers a "Predict, then run" is
    hidden until the reader asks for it.
    """
    if page not in app.project.notebooks:
        return
    notebook = json.loads(source[0])
    if page.startswith("labs/") or (page.endswith("-spark") and not _spark()):
        notebook["metadata"]["mystnb"] = {"execution_mode": "off"}
    else:
        for path in (app.project.notebooks[page].with_suffix(".quiz.json"), *_code()):
            app.env.note_dependency(path)
    asked = False
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown":
            asked = "Predict, then run" in "".join(cell["source"])
        elif asked:
            cell["metadata"].setdefault("tags", []).append("hide-output")
    source[0] = json.dumps(notebook, ensure_ascii=False)


@cache
def _code() -> list[Path]:
    """The packages that lessons import."""
    roots = [Path(package.__file__).parent for package in (datapolis, gradewell, sharewell)]
    return sorted(path for root in roots for path in root.rglob("*.py"))


def _spark() -> bool:
    return find_spec("pyspark") is not None and shutil.which("java") is not None


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("builder-inited", isolate_kernels)
    app.connect("builder-inited", add_pages)
    app.connect("source-read", prepare)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
