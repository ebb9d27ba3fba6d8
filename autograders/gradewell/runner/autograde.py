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
from nbgrader.converters import Autograde as NbgraderAutograde
from nbgrader.converters.base import BaseConverter
from nbgrader.preprocessors import DeduplicateIds as NbgraderDeduplicateIds
from nbgrader.preprocessors import Execute as NbgraderExecute
from nbgrader.utils import rmtree
from traitlets.utils.importstring import import_item

from .errors import RunnerError
from .execute import Execute
from .job import Transcript
from .sanitize import Deduplicate, MissingCells
from .submission import NotebookRun, Refused, Submission, fatal, reason, refuse_foreign_files

if TYPE_CHECKING:
    from .run import Run

STAGING = ".autograding"
NOT_GRADED = "not_graded.txt"
"""Stands in ``autograded/`` beside a notebook that could not be graded, and says why."""


class Autograde(NbgraderAutograde):  # type: ignore[misc]
    """nbgrader's converter for one submission after the other; several of them share a ``Run``."""

    def __init__(self, run: Run, **traits: Any) -> None:
        super().__init__(**traits)
        self.run, self.runner = run, run.runner
        self._staged = False
        ours = {NbgraderExecute: Execute, NbgraderDeduplicateIds: Deduplicate}
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
        self.sanitize_preprocessors.append(MissingCells)
        self.writer = FilesWriter(parent=self, config=self.config)
        self.exporter = self.exporter_class(parent=self, config=self.config)

    @property
    def _output_directory(self) -> str:
        return STAGING if self._staged else str(self.coursedir.autograded_directory)

    @property
    def _input_directory(self) -> str:
        return str(self.coursedir.submitted_directory) if self._sanitizing else STAGING

    def grade(self, assignment: str, student: str, notebooks: list[str]) -> Submission:
        """Autograde one submission. Called with the run's lock held, which ``waiting`` opens."""
        self.submission = Submission(student)
        self.notebooks = sorted(notebooks)
        self._staged, self._sanitizing = False, True
        begun = time.monotonic()
        dest = Path(self._format_dest(assignment, student))
        staging = Path(self.coursedir.format_path(STAGING, student, assignment))
        self._staging = staging
        if (dest / NOT_GRADED).exists():
            rmtree(str(dest))
        if not self.init_destination(assignment, student):
            self.submission.status = "unchanged"
            return self.submission
        refuse_foreign_files(Path(self.coursedir.root, self._format_source(assignment, student)))
        self._staged = True
        try:
            if staging.exists():
                rmtree(str(staging))
            if dest.exists():  # only some of its notebooks are graded again
                shutil.copytree(dest, staging)
            with self.run.gradebook.transaction():
                self.run_pre_convert_hook()
                self.init_assignment(assignment, student)
                problems = self._convert_all(assignment, student, staging)
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
            self.note(f"{notebook}: {went.timed_out} cells ran out of time")
        if invalid:
            self.note(f"{notebook}: no valid score from {', '.join(invalid)}")
        if cut:
            self.note(f"{notebook}: {cut} cells put out more than can be kept")

    def note(self, reason: str) -> None:
        """Say something about a submission, unless there is more important news."""
        self.submission.reason = self.submission.reason or reason

    def convert_single_notebook(self, notebook_filename: str) -> None:
        """See nbgrader; NBGRADER_EXECUTION is set for the whole run, since several of these are under way."""
        staged = str(self._staging / Path(notebook_filename).name)
        for sanitizing, path in ((True, notebook_filename), (False, staged)):
            self._sanitizing = sanitizing
            self._init_preprocessors()
            BaseConverter.convert_single_notebook(self, path)
        self._sanitizing = True

    def _convert_all(self, assignment: str, student: str, staging: Path) -> list[str]:
        """Sanitise and grade each notebook. Returns why some could not be graded, each as a sentence."""
        problems = []
        for path in self.notebooks:
            self.run.gradebook.commit()  # what an error does not undo
            try:
                self._refuse_large(Path(path))
                self.convert_single_notebook(path)
            except Exception as error:
                if fatal(error) or self.run.interrupted or isinstance(error, RunnerError):
                    raise
                self._sanitizing = True
                self.run.gradebook.rollback()
                name = Path(path).stem
                why = reason(Path(path), error, self.run.last_error())
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
