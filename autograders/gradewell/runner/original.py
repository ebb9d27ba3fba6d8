"""The instructor's notebook: what is graded, with a student's answers in it.

It is what ``nbgrader generate_assignment`` makes of the source before hidden tests are taken out, and in every cell that the
gradebook knows, what the gradebook knows of it. Where there is no source any more, it is the student version or, without that,
what the gradebook keeps.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbgrader.api import Gradebook
from nbgrader.converters import GenerateAssignment
from nbgrader.preprocessors import (
    CheckCellMetadata,
    ClearHiddenTests,
    ClearMarkScheme,
    InstantiateTests,
    SaveCells,
)
from nbgrader.utils import compute_checksum, is_grade, is_locked, is_solution, is_task
from traitlets.utils.importstring import import_item

_NO_PART = (InstantiateTests, SaveCells, CheckCellMetadata)
"""Steps of ``generate_assignment`` that start kernels, write, or only complain."""
_AFTER_SAVING = (ClearHiddenTests, ClearMarkScheme)


@dataclass(frozen=True)
class Original:
    """An instructor's notebook of an assignment."""

    name: str
    nb: NotebookNode
    """What is graded, with answer cells as students got them."""
    released: dict[str, str]
    """Cell id to the text that students got."""
    solutions: dict[str, str]
    """Grade id to the instructor's text of an answer cell; the text that students got, without a source."""
    outdated: str = ""
    """That the source is not what the gradebook knows, as a sentence; empty when it is."""

    @property
    def digest(self) -> str:
        """Of everything that decides how an answer is graded."""
        text = json.dumps([self.nb, self.solutions], sort_keys=True, ensure_ascii=True)
        return hashlib.sha256(text.encode()).hexdigest()


def grade_id(cell: NotebookNode) -> str:
    """The name of a cell that nbgrader knows; empty for any other."""
    marked = is_grade(cell) or is_solution(cell) or is_locked(cell) or is_task(cell)
    return str(cell.metadata.nbgrader["grade_id"]) if marked else ""


def original(coursedir: Any, assignment: str, name: str, parent: Any) -> Original:
    """The instructor's version of a notebook.

    Parameters
    ----------
    coursedir : CourseDirectory
    parent : Configurable
        Whose configuration nbgrader's steps take.

    Raises
    ------
    nbgrader.api.MissingEntry
        The gradebook does not know the notebook.
    """
    with Gradebook(coursedir.db_url, coursedir.course_id) as gradebook:
        notebook = gradebook.find_notebook(name, assignment)
        known = [
            {
                "name": cell.name,
                "cell_type": cell.cell_type,
                "locked": cell.locked,
                "source": cell.source or "",
                "checksum": cell.checksum,
            }
            for cell in notebook.source_cells
        ]
        points = {
            cell.name: cell.max_score for cell in (*notebook.grade_cells, *notebook.task_cells)
        }
        kinds = {
            "grade": {cell.name for cell in notebook.grade_cells},
            "solution": {cell.name for cell in notebook.solution_cells},
            "task": {cell.name for cell in notebook.task_cells},
        }
        kernelspec = json.loads(notebook.kernelspec or "{}")
    made = _made(coursedir, assignment, name, parent)
    nb, released, solutions = made or (nbformat.v4.new_notebook(), {}, {})
    outdated = _agree(nb, known, points, kinds, released)
    if kernelspec:
        nb.metadata["kernelspec"] = kernelspec
    for cell in nb.cells:
        released.setdefault(cell.id, cell.source)
        if is_solution(cell):
            solutions.setdefault(cell.metadata.nbgrader.grade_id, cell.source)
    return Original(name, nb, released, solutions, outdated if made else "")


_Made = tuple[NotebookNode, dict[str, str], dict[str, str]]


def _made(coursedir: Any, assignment: str, name: str, parent: Any) -> _Made | None:
    """The notebook, what students get of each cell, and the solutions: from the source, or else from the student version."""

    def path(step: str) -> Path:
        return Path(coursedir.format_path(step, ".", assignment), f"{name}.ipynb")

    source, release = path(coursedir.source_directory), path(coursedir.release_directory)
    try:
        written = nbformat.read(source, as_version=4)
        solutions = {
            cell.metadata.nbgrader["grade_id"]: cell.source
            for cell in written.cells
            if is_solution(cell)
        }
        nb, students = _generated(written, coursedir, assignment, name, source, parent)
    except Exception:  # nbgrader says so when it is generated; what was generated before is graded
        try:
            nb, solutions = nbformat.read(release, as_version=4), {}
        except Exception:
            return None
        students = nb
    nb = _with_ids(nb)
    return (
        nb,
        {own.id: theirs.source for own, theirs in zip(nb.cells, students.cells, strict=True)},
        solutions,
    )


def _generated(
    nb: NotebookNode, coursedir: Any, assignment: str, name: str, path: Path, parent: Any
) -> tuple[NotebookNode, NotebookNode]:
    """What ``generate_assignment`` makes of a source: before hidden tests are taken out, and after."""
    converter = GenerateAssignment(coursedir=coursedir, parent=parent)
    about = {"student": ".", "assignment": assignment, "notebook": name, "db_url": coursedir.db_url}
    resources = {"nbgrader": about, "metadata": {"name": name, "path": str(path.parent)}}
    before: list[type] = []
    after: list[type] = []
    for one in converter.preprocessors:
        kind = import_item(one) if isinstance(one, str) else one
        if not issubclass(kind, _NO_PART):
            (after if after or issubclass(kind, _AFTER_SAVING) else before).append(kind)
    found = []
    for steps in (before, after):
        for kind in steps:
            nb, resources = kind(parent=converter).preprocess(nb, resources)
        found.append(nbformat.from_dict(json.loads(json.dumps(nb))))
    return found[0], found[1]


def _with_ids(nb: NotebookNode) -> NotebookNode:
    """The notebook in the newest form, each cell with an id of its own."""
    seen: set[str] = set()
    for number, cell in enumerate(nb.cells):
        if not cell.get("id") or cell.id in seen:
            cell["id"] = f"cell-{number}"
        seen.add(cell.id)
    nb.nbformat, nb.nbformat_minor = 4, 5
    return nb


def _agree(
    nb: NotebookNode,
    known: list[dict[str, Any]],
    points: dict[str, float],
    kinds: dict[str, set[str]],
    released: dict[str, str],
) -> str:
    """Let a notebook have the cells that the gradebook knows, each as it knows it. Returns what had been otherwise."""
    by_name = {cell["name"]: cell for cell in known}
    changed, gone = [], []
    for cell in nb.cells:
        name = grade_id(cell)
        if not name:
            cell.metadata.pop("nbgrader", None)
        elif name in by_name:
            if _differs(cell, by_name[name], points.get(name)):
                changed.append(name)
                _overwrite(cell, by_name[name], points, kinds)
                released.pop(cell.id, None)
        else:
            gone.append(name)
            del cell.metadata["nbgrader"]
    here = {grade_id(cell): place for place, cell in enumerate(nb.cells)}
    missing = [cell for cell in known if cell["name"] not in here]
    for cell in missing:
        nb.cells.insert(_place(nb, known, cell), _from(cell, points, kinds))
    if not changed and not gone and not missing:
        return ""
    names = [*changed, *gone, *(cell["name"] for cell in missing)]
    return (
        f"the source of {', '.join(names[:5])} has changed since nbgrader generate_assignment; what the gradebook knows is "
        "graded. To grade with the new version, run nbgrader generate_assignment again"
    )


def _differs(cell: NotebookNode, known: dict[str, Any], points: float | None) -> bool:
    """Whether nbgrader would restore something of a cell."""
    if cell.cell_type != known["cell_type"] or bool(is_locked(cell)) != bool(known["locked"]):
        return True
    if points is not None and float(cell.metadata.nbgrader.get("points", -1)) != points:
        return True
    return bool(known["checksum"]) and compute_checksum(cell) != known["checksum"]


def _overwrite(
    cell: NotebookNode, known: dict[str, Any], points: dict[str, float], kinds: dict[str, set[str]]
) -> None:
    if cell.cell_type != known["cell_type"]:
        kept = cell.metadata
        cell.clear()
        cell.update(_from(known, points, kinds))
        cell.metadata = kept
    cell.source = known["source"]
    cell.metadata["nbgrader"] = _about(known, points, kinds)


def _from(
    known: dict[str, Any], points: dict[str, float], kinds: dict[str, set[str]]
) -> NotebookNode:
    make: Any = {
        "code": nbformat.v4.new_code_cell,
        "markdown": nbformat.v4.new_markdown_cell,
        "raw": nbformat.v4.new_raw_cell,
    }[known["cell_type"]]
    number = hashlib.sha256(known["name"].encode()).hexdigest()[:16]
    cell: NotebookNode = make(known["source"], id=f"known-{number}")
    cell.metadata["nbgrader"] = _about(known, points, kinds)
    return cell


def _about(
    known: dict[str, Any], points: dict[str, float], kinds: dict[str, set[str]]
) -> NotebookNode:
    name = known["name"]
    about = {
        "grade_id": name,
        "cell_type": known["cell_type"],
        "checksum": known["checksum"],
        "locked": bool(known["locked"]),
        "grade": name in kinds["grade"],
        "solution": name in kinds["solution"],
        "task": name in kinds["task"],
        "schema_version": 3,
    }
    if name in points:
        about["points"] = points[name]
    return nbformat.from_dict(about)


def _place(nb: NotebookNode, known: list[dict[str, Any]], cell: dict[str, Any]) -> int:
    """Where a cell belongs that only the gradebook has: after the one that is before it there."""
    names = [one["name"] for one in known]
    before = set(names[: names.index(cell["name"])])
    places = [place for place, one in enumerate(nb.cells) if grade_id(one) in before]
    return places[-1] + 1 if places else 0
