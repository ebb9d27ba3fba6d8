"""What was handed in, as the instructor's notebook with the student's answers in it.

``Autograde`` uses it for itself. In plain nbgrader, and behind formgrader's button, a line of configuration does the same::

    c.Autograde.exporter_class = "gradewell.runner.exporter.Restored"
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nbconvert.exporters import NotebookExporter
from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell

from .errors import RunnerError
from .handed_in import read
from .restore import restore
from .runner import runner_of


class Restored(NotebookExporter):
    """Reads a submission for nbgrader's converter: any file that a person could read, and of it what is the student's to write."""

    def __init__(self, **traits: Any) -> None:
        super().__init__(**traits)  # type: ignore[no-untyped-call]
        if not self.config.get("Execute", {}).get("enabled", True):
            raise RunnerError(
                "notebooks are graded by running them, so --no-execute (c.Execute.enabled = False) gives nobody points: leave it out"
            )

    def from_filename(
        self, filename: str, resources: Any = None, **kw: Any
    ) -> tuple[NotebookNode, Any]:
        """See nbconvert. A notebook that was sanitised already is read as it is."""
        converter: Any = self.parent
        if not converter._sanitizing:
            return super().from_filename(filename, resources, **kw)
        path, name = Path(filename), resources["nbgrader"]["notebook"]
        handed_in, notes = read(path)
        nb, restored = restore(handed_in, runner_of(converter).original(name))
        notes += [restored] if restored else []
        if notes:
            said = " ".join(f"{note[0].upper()}{note[1:].rstrip('.')}." for note in notes)
            nb.cells.insert(0, new_markdown_cell(f"**Before grading.** {said}", id=_unused(nb)))
        if hasattr(converter, "note"):
            for note in notes:
                converter.note(f"{name}: {note}")
        resources["metadata"] = {"name": name, "path": str(path.parent)}
        made: tuple[NotebookNode, Any] = self.from_notebook_node(nb, resources, **kw)  # type: ignore[no-untyped-call]
        return made


def _unused(nb: NotebookNode) -> str:
    ids = {cell.id for cell in nb.cells}
    return next(name for n in range(len(ids) + 1) if (name := f"before-grading-{n}") not in ids)
