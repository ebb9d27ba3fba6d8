"""Sample submissions: what students might hand in, with the points that each must get.

A sample is a small YAML file in ``tests/submissions/LAB/right``, ``wrong`` or ``hostile``. It says how
the submission differs from the model solution:

.. code-block:: yaml

    mistake: publishes records from k = 21 on only
    edits:
      - cell: classify-answer
        find: item.k >= 20
        put: item.k > 20
    points: {classify-cards: 13}
    problems: [cards.de-identified records]

``edits`` change text that occurs once in a solution cell, or give a whole cell (``source``). ``blank: true``
starts from the student version with nothing written. Tasks that ``points`` does not name get full points.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat
import yaml

_MARKERS = re.compile(r"^[ \t]*### (BEGIN|END) SOLUTION\n?", re.MULTILINE)


class SampleError(ValueError):
    """A sample that does not fit its lab; the message names the file and the cell."""


@dataclass(frozen=True)
class Sample:
    """One sample submission.

    ``points`` are those of the test cells that get less than full points; ``problems`` the codes that
    its checks must report.
    """

    path: Path
    mistake: str
    edits: tuple[dict[str, str], ...] = ()
    blank: bool = False
    points: dict[str, float] = field(default_factory=dict)
    problems: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return f"{self.path.parent.name}/{self.path.stem}"

    def notebook(self, source: Path, release: Path) -> nbformat.NotebookNode:
        """The submission: the student version (``release``) with the cells of this sample filled in.

        Parameters
        ----------
        source, release : path
            The lab's instructor version and the student version that nbgrader made of it.

        Raises
        ------
        SampleError
            An edit that names no solution cell, or text that does not occur exactly once.
        """
        submitted = nbformat.read(release, as_version=4)
        answers = {
            cell.metadata.nbgrader.grade_id: _MARKERS.sub("", cell.source)
            for cell in nbformat.read(source, as_version=4).cells
            if cell.metadata.get("nbgrader", {}).get("solution")
        }
        changed = {} if self.blank else dict(answers)
        for edit in self.edits:
            changed[edit["cell"]] = self._edited(changed, edit)
        for cell in submitted.cells:
            identity = cell.metadata.get("nbgrader", {}).get("grade_id")
            if identity in changed:
                cell.source = changed.pop(identity)
        if changed:
            raise SampleError(f"{self.path}: the lab has no solution cell {sorted(changed)[0]!r}")
        return submitted

    def names(self, source: Path) -> dict[str, Any]:
        """What the submission defines, as a kernel would, but in this process: a cell that fails is left behind.

        For trying checks on many populations. Errors as for ``notebook``.
        """
        found: dict[str, Any] = {"__name__": "__main__", "print": lambda *words: None}
        for cell in self.notebook(source, source).cells:
            if cell.cell_type == "code" and not cell.metadata.get("nbgrader", {}).get("grade"):
                try:
                    exec(cell.source, found)
                except Exception as error:
                    found["failed"] = error
        return found

    def _edited(self, answers: dict[str, str], edit: dict[str, str]) -> str:
        if "source" in edit:
            return edit["source"]
        text = answers.get(edit["cell"], "")
        if text.count(edit["find"]) != 1:
            raise SampleError(
                f"{self.path}: {edit['find']!r} occurs {text.count(edit['find'])} times in cell "
                f"{edit['cell']!r}, not once"
            )
        return text.replace(edit["find"], edit["put"])


def load(folder: Path) -> list[Sample]:
    """All samples below ``folder`` (a lab's, or one of its ``right``, ``wrong``, ``hostile``), sorted.

    Raises
    ------
    SampleError
        When a file is no sample.
    """
    return [_read(path) for path in sorted(folder.rglob("*.yml"))]


def _read(path: Path) -> Sample:
    parsed: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
    try:
        return Sample(
            path=path,
            mistake=parsed["mistake"],
            edits=tuple(parsed.get("edits", ())),
            blank=parsed.get("blank", False),
            points={cell: float(points) for cell, points in parsed.get("points", {}).items()},
            problems=tuple(parsed.get("problems", ())),
        )
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise SampleError(f"{path}: no sample submission ({error!r})") from error
