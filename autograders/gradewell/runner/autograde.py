"""nbgrader's converter for autograding, each submission wholly or not at all.

Everything but the execution of notebooks is nbgrader's own converter, which works on one submission at a time while
the others execute. A submission is put together in a folder of its own; when it is in the gradebook, that folder
takes the place of the old one in ``autograded/``. So whenever a run is ended, the next one finds what is left to do.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat
from nbclient import NotebookClient
from nbconvert.writers.files import FilesWriter
from nbgrader.api import MissingEntry
from nbgrader.converters import Autograde as NbgraderAutograde
from nbgrader.preprocessors import Execute as NbgraderExecute
from nbgrader.utils import is_solution, rmtree
from traitlets.utils.importstring import import_item

from .changes import kept
from .errors import RunnerError
from .execute import Execute
from .exporter import Restored
from .job import Transcript
from .original import grade_id
from .submission import (
    HANDED_IN,
    NOT_GRADED,
    HandedIn,
    NotebookRun,
    Refused,
    Submission,
    fatal,
    is_ours,
    reason,
    refuse_foreign_files,
)

if TYPE_CHECKING:
    from .run import Run

STAGING = ".autograding"


class Autograde(NbgraderAutograde):  # type: ignore[misc]
    """nbgrader's converter for one submission after the other; several of them share a ``Run``."""

    def __init__(self, run: Run, **traits: Any) -> None:
        super().__init__(**traits)
        self.run, self.runner = run, run.runner
        self._staged = False
        ours = {NbgraderExecute: Execute}
        for steps in ("sanitize_preprocessors", "autograde_preprocessors"):
            found = [
                import_item(one) if isinstance(one, str) else one for one in getattr(self, steps)
            ]
            setattr(self, steps, [ours.get(one, one) for one in found])
            for one in getattr(self, steps):
                executes = isinstance(one, type) and issubclass(one, NotebookClient)
                if executes and not issubclass(one, Execute):
                    raise RunnerError(
                        f"the configuration has notebooks executed by {one.__name__}, outside of any sandbox. Take it out of "
                        f"c.Autograde.{steps}, or put nbgrader's Execute in its place"
                    )
        self.writer = FilesWriter(parent=self, config=self.config)
        self.exporter = Restored(parent=self, config=self.config)

    @property
    def _output_directory(self) -> str:
        return STAGING if self._staged else str(self.coursedir.autograded_directory)

    @property
    def _input_directory(self) -> str:
        return str(self.coursedir.submitted_directory) if self._sanitizing else STAGING

    def grade(self, assignment: str, student: str, handed_in: HandedIn) -> Submission:
        """Autograde one submission. Called with the run's lock held, which ``waiting`` opens."""
        self.submission = Submission(student)
        self.paths = dict(sorted(handed_in.notebooks.items()))
        folder = Path(
            self.coursedir.format_path(self.coursedir.submitted_directory, student, assignment)
        )
        self.notebooks = [str(folder / f"{name}.ipynb") for name in self.paths]
        self._staged, self._sanitizing = False, True
        begun = time.monotonic()
        dest = Path(self._format_dest(assignment, student))
        staging = Path(self.coursedir.format_path(STAGING, student, assignment))
        self._staging = staging
        refuse_foreign_files(
            Path(self.coursedir.root, folder), self.runner.disk << 20, self.runner.inodes
        )
        self.marks = {name: self.runner.marks(student, name, self) for name in self.paths}
        before = {name: kept(dest / f"{name}.ipynb") for name in self.paths}
        if not self._to_be_graded(dest, before, assignment, student):
            self.submission.status = "unchanged"
            return self.submission
        for text in handed_in.notes:
            self.note(text)
        self._staged = True
        try:
            if staging.exists():
                rmtree(str(staging))
            if dest.exists() and self.coursedir.notebook_id != "*":  # some of its notebooks only
                shutil.copytree(dest, staging)
                for name in self.paths:
                    (staging / f"{name}.ipynb").unlink(missing_ok=True)
            with self.run.gradebook.transaction():
                self.run_pre_convert_hook()
                known = {path.name for path in staging.glob("*.ipynb")}
                self.init_assignment(assignment, student)
                _clear(staging, known)
                problems = self._convert_all(assignment, student, staging)
                self._take_back(assignment, student, dest, staging, before)
                self._keep_as_handed_in(staging)
                self.set_permissions(assignment, student)
                if problems:
                    (staging / NOT_GRADED).write_text("\n".join(problems) + "\n", encoding="utf-8")
            _put(staging, dest)
            self._staged = False
            self.run_post_convert_hook()
        finally:
            self._staged = False
            if staging.exists():
                rmtree(str(staging))
        if problems:
            self.submission.not_graded = problems
            self.submission.reason = problems[0]
            failed = len(problems) == len(self.notebooks)
            self.submission.status = "failed" if failed else "stopped"
        self.submission.seconds = time.monotonic() - begun
        return self.submission

    def _to_be_graded(
        self, dest: Path, before: dict[str, dict[str, str]], assignment: str, student: str
    ) -> bool:
        """Whether anything of a submission, or of how it is graded, is otherwise than when it was graded last."""
        if self.force or (dest / NOT_GRADED).exists():
            return True
        if any(before[name] != marks for name, marks in self.marks.items()):
            return True
        if self.coursedir.notebook_id == "*" and len(list(dest.glob("*.ipynb"))) != len(self.marks):
            return True
        with self.run.gradebook(self.coursedir.db_url, self.coursedir.course_id) as gradebook:
            try:
                gradebook.find_submission(assignment, student)
            except MissingEntry:
                return True
        return False

    def _take_back(
        self,
        assignment: str,
        student: str,
        dest: Path,
        staging: Path,
        before: dict[str, dict[str, str]],
    ) -> None:
        """Points that a person gave for an earlier hand-in do not count for another one.

        Those for an answer stay where the answer is the same; all others where all is the same.
        """
        taken: list[str] = []
        with self.run.gradebook(self.coursedir.db_url, self.coursedir.course_id) as gradebook:
            for name in self.marks:
                old, new = _texts(dest / f"{name}.ipynb"), _texts(staging / f"{name}.ipynb")
                if not old or before[name].get("handed_in") == self.marks[name]["handed_in"]:
                    continue
                for grade in gradebook.find_submission_notebook(name, assignment, student).grades:
                    by_hand = grade.manual_score is not None or grade.extra_credit
                    answer = old.get(grade.name), new.get(grade.name)
                    same = answer[0] == answer[1] if grade.name in new else old == new
                    if by_hand and not same:
                        grade.manual_score = grade.extra_credit = None
                        grade.needs_manual_grade = grade.auto_score is None
                        taken.append(grade.name)
            gradebook.db.commit()
        if taken:
            self.note(
                f"points that a person had given for the earlier hand-in were taken back: {', '.join(taken)}"
            )

    def _keep_as_handed_in(self, staging: Path) -> None:
        folder = staging / HANDED_IN
        if folder.exists():
            rmtree(str(folder))
        folder.mkdir(parents=True)
        for name, path in self.paths.items():
            if path.stat().st_size <= self.runner.notebook_size << 20:
                shutil.copyfile(path, folder / f"{name}.ipynb")

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Let others work while this context is open. What was written so far is committed."""
        self.run.gradebook.commit()
        self.run.lock.release()
        try:
            yield
        finally:
            self.run.lock.acquire()
            if self.run.interrupted:
                raise RunnerError("the run was interrupted")

    def finished(
        self, notebook: str, cells: list[Any], transcript: Transcript, invalid: list[str]
    ) -> None:
        """Remember how a notebook went, and which test cells gave no valid score."""
        went = NotebookRun(notebook, transcript.seconds, stopped=transcript.stopped)
        began = [(c, ran) for c, ran in zip(cells, transcript.cells, strict=False) if ran]
        for cell, ran in began:
            went.timed_out += ran.timed_out
            if ran.seconds > went.slowest_seconds:
                went.slowest_seconds = ran.seconds
                went.slowest_cell = cell.source.strip().splitlines()[0][:60]
        self.submission.notebooks.append(went)
        if went.stopped:
            self.submission.status = "stopped"
            self.submission.reason = f"{notebook}: {went.stopped}"
        cut = sum(ran.output_cut for _, ran in began)
        if went.timed_out:
            self.note(f"{notebook}: {_cells(went.timed_out)} ran out of time")
        if invalid:
            self.note(f"{notebook}: no valid score from {', '.join(invalid)}")
        if cut:
            self.note(f"{notebook}: {_cells(cut)} put out more than can be kept")

    def note(self, text: str) -> None:
        """Say something about a submission, after more important news."""
        self.submission.reason = "; ".join(filter(None, (self.submission.reason, text)))

    def convert_single_notebook(self, notebook_filename: str) -> None:
        """See nbgrader; NBGRADER_EXECUTION is set for the whole run, since several of these are under way."""
        name = Path(notebook_filename).stem
        for sanitizing, path in (
            (True, self.paths[name]),
            (False, self._staging / f"{name}.ipynb"),
        ):
            self._sanitizing = sanitizing
            self._init_preprocessors()
            resources = self.init_single_notebook_resources(str(self._staging / f"{name}.ipynb"))
            output, resources = self.exporter.from_filename(str(path), resources=resources)
            self.write_single_notebook(output, resources)
        self._sanitizing = True

    def init_single_notebook_resources(self, notebook_filename: str) -> dict[str, Any]:
        """See nbgrader, which reads off the path what is known here: names may hold any character."""
        name = Path(notebook_filename).stem
        return {
            "unique_key": name,
            "output_files_dir": f"{name}_files",
            "nbgrader": {
                "student": self.submission.student,
                "assignment": self.coursedir.assignment_id,
                "notebook": name,
                "db_url": self.coursedir.db_url,
            },
        }

    def init_assignment(self, assignment_id: str, student_id: str) -> None:
        """See nbgrader. Files that lie beside a notebook in a folder of the submission's are beside it when it runs, too."""
        super().init_assignment(assignment_id, student_id)
        folder = Path(self._format_source(assignment_id, student_id))
        for beside in {path.parent for path in self.paths.values()} - {folder}:
            for path in sorted(beside.iterdir()):
                to = self._staging / path.name
                if path.is_file() and path.suffix.lower() != ".ipynb" and not to.exists():
                    shutil.copyfile(path, to)

    def _convert_all(self, assignment: str, student: str, staging: Path) -> list[str]:
        """Sanitise and grade each notebook. Returns why some could not be graded, each as a sentence."""
        problems = []
        for filename in self.notebooks:
            self.run.gradebook.commit()  # what an error does not undo
            name = Path(filename).stem
            path = self.paths[name]
            try:
                self._refuse_large(path)
                self.convert_single_notebook(filename)
            except Exception as error:
                if fatal(error) or self.run.interrupted or isinstance(error, RunnerError):
                    raise
                self._sanitizing = True
                self.run.gradebook.rollback()
                why = reason(path, error, self.run.last_error())
                problems.append(f"{name}.ipynb {why}")
                self._zero(name, assignment, student)
                _write_not_graded(staging / f"{name}.ipynb", problems[-1])
        return problems

    def _refuse_large(self, path: Path) -> None:
        size, most = path.stat().st_size, self.runner.notebook_size << 20
        if size > most:
            raise Refused(
                f"is {size / 1e6:,.0f} MB large, and the limit is {most / 1e6:,.0f} MB (c.Runner.notebook_size): ask "
                "for it to be handed in again without its outputs"
            )

    def _zero(self, notebook: str, assignment: str, student: str) -> None:
        """As nbgrader does for a notebook that is missing."""
        with self.run.gradebook(self.coursedir.db_url, self.coursedir.course_id) as gradebook:
            submitted = gradebook.find_submission_notebook(notebook, assignment, student)
            for grade in submitted.grades:
                grade.auto_score, grade.needs_manual_grade = 0, False
            gradebook.db.commit()


def _texts(notebook: Path) -> dict[str, str]:
    """The text of each answer cell of a graded notebook, by its name, and of all own cells of the student's."""
    try:
        cells = nbformat.read(notebook, as_version=4).cells
    except Exception:
        return {}
    found = {grade_id(cell): cell.source for cell in cells if is_solution(cell)}
    found[""] = "\n".join(
        cell.source for cell in cells if cell.cell_type == "code" and not grade_id(cell)
    )
    return found


def _clear(staging: Path, known: set[str]) -> None:
    """Remove what was handed in under a name that is the grader's, beside the notebooks themselves."""
    for path in staging.iterdir() if staging.is_dir() else ():
        if is_ours(path.name) and path.name not in {*known, HANDED_IN, "timestamp.txt"}:
            rmtree(str(path)) if path.is_dir() and not path.is_symlink() else path.unlink()


def _write_not_graded(path: Path, why: str) -> None:
    text = f"**This notebook was not graded.** {why}."
    nb = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(text)])
    if path.exists():
        path.unlink()
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(nb, path)


def _put(staging: Path, dest: Path) -> None:
    """Put a finished folder in the place of the old one."""
    if dest.exists():
        rmtree(str(dest))
    dest.parent.mkdir(parents=True, exist_ok=True)
    shutil.move(staging, dest)


def _cells(count: int) -> str:
    return "one cell" if count == 1 else f"{count} cells"
