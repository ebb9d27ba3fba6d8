"""What waits for a person: said on the feedback page and in exported grades, where nbgrader has a finished number.

For any nbgrader course, in its ``nbgrader_config.py``::

    c.GenerateFeedback.preprocessors = ["gradewell.waiting.Grades", "nbconvert.preprocessors.CSSHTMLHeaderPreprocessor"]
    c.GenerateFeedback.exporter_class = "gradewell.waiting.FeedbackExporter"
    c.ExportApp.plugin_class = "gradewell.waiting.CsvExport"
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

from nbconvert.exporters import HTMLExporter
from nbformat import NotebookNode
from nbgrader.api import MissingEntry
from nbgrader.converters import GenerateFeedback
from nbgrader.converters.base import NbGraderException
from nbgrader.plugins import CsvExportPlugin
from nbgrader.preprocessors import GetGrades
from traitlets import Unicode

from gradewell.pages import TEMPLATES
from gradewell.runner.submission import NOT_GRADED


class Grades(GetGrades):  # type: ignore[misc]
    """nbgrader's preprocessor that takes points into a feedback page, and with them whether they are final."""

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        """See nbgrader."""
        about = resources["nbgrader"]
        about["waiting"] = 0.0
        about["not_graded"] = about["notebook"] in _not_graded(Path(resources["metadata"]["path"]))
        return super().preprocess(nb, resources)

    def _get_score(self, cell: NotebookNode, resources: Any) -> None:
        super()._get_score(cell, resources)
        cell_name = cell.metadata.nbgrader.grade_id
        grade = self.gradebook.find_grade(
            cell_name, self.notebook_id, self.assignment_id, self.student_id
        )
        cell.metadata.nbgrader["waiting"] = grade.needs_manual_grade
        resources["nbgrader"]["waiting"] += _waiting(grade)


class Feedback(GenerateFeedback):  # type: ignore[misc]
    """nbgrader's converter, for one submission by its very names: nbgrader takes brackets in them for a pattern."""

    def init_notebooks(self) -> None:
        """See nbgrader."""
        lab, student = self.coursedir.assignment_id, self.coursedir.student_id
        folder = self.coursedir.format_path(self._input_directory, student, lab)
        self.notebooks: list[str] = []
        self.assignments = {folder: sorted(map(str, Path(folder).glob("*.ipynb")))}
        if not self.assignments[folder]:
            raise NbGraderException(f"there is no notebook in {folder}")


class FeedbackExporter(HTMLExporter):
    """Makes nbgrader's feedback page, with what waits for a person marked."""

    template_file = Unicode("waiting.html.j2").tag(config=True, affects_template=True)

    def __init__(self, **traits: Any) -> None:
        super().__init__(**traits)  # type: ignore[no-untyped-call]
        self.template_paths = [str(TEMPLATES), *self.template_paths]
        self.register_filter("waiting", _mark)  # type: ignore[no-untyped-call]


class CsvExport(CsvExportPlugin):  # type: ignore[misc]
    """nbgrader's table of grades with two columns more: the points that wait for a person, and how far grading has come."""

    def export(self, gradebook: Any) -> None:
        """See nbgrader."""
        path = Path(self.to or "grades.csv")
        self.log.info("Exporting grades to %s", path)
        rows = [
            self._row(gradebook, assignment, student)
            for assignment in gradebook.assignments
            if not self.assignment or assignment.name in map(str, self.assignment)
            for student in gradebook.students
            if not self.student or student.id in map(str, self.student)
        ]
        with path.open("w", encoding="utf-8", newline="") as file:
            table = csv.DictWriter(file, _COLUMNS, lineterminator="\n")
            table.writeheader()
            table.writerows(rows)

    def _row(self, gradebook: Any, assignment: Any, student: Any) -> dict[str, Any]:
        row = {
            "assignment": assignment.name,
            "duedate": assignment.duedate,
            "student_id": student.id,
            "last_name": student.last_name,
            "first_name": student.first_name,
            "email": student.email,
            "max_score": assignment.max_score,
            "raw_score": 0.0,
            "late_submission_penalty": 0.0,
            "score": 0.0,
            "waiting_score": 0.0,
            "state": "nothing handed in",
        }
        try:
            submission = gradebook.find_submission(assignment.name, student.id)
        except MissingEntry:
            return row
        score, penalty = submission.score, submission.late_submission_penalty
        grades = [grade for notebook in submission.notebooks for grade in notebook.grades]
        waiting = sum(map(_waiting, grades))
        directory = self.parent.coursedir
        step = directory.autograded_directory
        lost = _not_graded(Path(directory.format_path(step, student.id, assignment.name)))
        row.update(
            timestamp=submission.timestamp,
            raw_score=score,
            late_submission_penalty=penalty,
            score=max(0.0, score - penalty),
            waiting_score=waiting,
            state="could not be graded" if lost else "waits for a person" if waiting else "graded",
        )
        return row


_COLUMNS = [
    "assignment", "duedate", "timestamp", "student_id", "last_name", "first_name", "email", "raw_score",
    "late_submission_penalty", "score", "max_score", "waiting_score", "state",
]  # fmt: skip
"""nbgrader's, in its order, and ours after them."""


def _waiting(grade: Any) -> float:
    """The points of a cell that a person has to give, or to look at again."""
    return grade.max_score if grade.needs_manual_grade else 0.0


def _not_graded(folder: Path) -> set[str]:
    """The notebooks of a submission that could not be graded."""
    path = folder / NOT_GRADED
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return {name for line in lines if (name := line.partition(".ipynb ")[0])}


def _mark(html: str, cell: NotebookNode) -> str:
    """A cell's panel, which begins with its heading."""
    if not cell.metadata.get("nbgrader", {}).get("waiting"):
        return html
    return html.replace("Score: ", "Waits for a person; score so far: ", 1)
