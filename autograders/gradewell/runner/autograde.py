"""Autograde the submissions of an assignment, several at once, each wholly or not at all.

Everything but the execution of notebooks is nbgrader's own converter, which works on one submission at a time while
the others execute. A submission is put together in a folder of its own; when it is in the gradebook, that folder
takes the place of the old one in ``autograded/``. So whenever a run is ended, the next one finds what is left to do.
"""

from __future__ import annotations

import contextlib
import errno
import glob
import logging
import os
import re
import shutil
import threading
import time
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import locket
import nbformat
import sqlalchemy.exc
from nbclient import NotebookClient
from nbconvert.writers.files import FilesWriter
from nbgrader.api import Assignment, MissingEntry, SubmittedAssignment
from nbgrader.converters import Autograde as NbgraderAutograde
from nbgrader.converters.base import BaseConverter, NbGraderException
from nbgrader.preprocessors import DeduplicateIds as NbgraderDeduplicateIds
from nbgrader.preprocessors import Execute as NbgraderExecute
from nbgrader.preprocessors import NbGraderPreprocessor
from nbgrader.utils import rmtree, setenv
from traitlets.utils.importstring import import_item

from .errors import RunnerError
from .execute import Execute
from .gradebook import OneGradebook
from .job import Transcript
from .runner import Runner

STAGING = ".autograding"
NOT_GRADED = "not_graded.txt"
"""Stands in ``autograded/`` beside a notebook that could not be graded, and says why."""


@dataclass
class NotebookRun:
    """How one notebook went."""

    name: str
    seconds: float = 0.0
    slowest_cell: str = ""
    """The first line of the cell that took longest."""
    slowest_seconds: float = 0.0
    timed_out: int = 0
    """How many cells were interrupted."""
    stopped: str = ""
    """Why it was stopped before its end, as a sentence."""


@dataclass
class Submission:
    """What became of one submission."""

    student: str
    status: str = "graded"
    """graded; unchanged (it was graded before); stopped (parts of it); failed (nothing of it)."""
    reason: str = ""
    seconds: float = 0.0
    notebooks: list[NotebookRun] = field(default_factory=list)
    not_graded: list[str] = field(default_factory=list)
    """Notebooks of which nothing was graded, each with the reason, as a sentence."""


class Refused(Exception):
    """Something that is not even looked at; the text says why."""


class Deduplicate(NbgraderDeduplicateIds):  # type: ignore[misc]
    """Copies of a test cell become ordinary cells. nbgrader's leaves them with half of their metadata, and stops."""

    def preprocess_cell(self, cell: Any, resources: Any, cell_index: int) -> tuple[Any, Any]:
        """See nbgrader."""
        cell, resources = super().preprocess_cell(cell, resources, cell_index)
        if cell.metadata.get("nbgrader") == {}:
            del cell.metadata["nbgrader"]
        return cell, resources


class MissingCells(NbGraderPreprocessor):  # type: ignore[misc]
    """Says which graded cells a notebook lacks. nbgrader leaves them without a score, and a person has to look."""

    def preprocess(self, nb: Any, resources: Any) -> tuple[Any, Any]:
        """See nbgrader."""
        converter = self.parent.parent
        name = resources["nbgrader"]["notebook"]
        wanted = converter.run.cells(name)
        found = {cell.metadata.get("nbgrader", {}).get("grade_id") for cell in nb.cells}
        if missing := sorted(wanted - found):
            text = f"This notebook lacks the cells {', '.join(missing)}; they could not be graded."
            nb.cells.insert(0, nbformat.v4.new_markdown_cell(f"**{text}**"))
            converter.note(f"{name}: {text[0].lower()}{text[1:-1]}")
        return nb, resources


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
        _refuse_foreign_files(Path(self.coursedir.root, self._format_source(assignment, student)))
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
        for cell, ran in zip(cells, transcript.cells, strict=False):
            went.timed_out += ran.timed_out
            if ran.seconds > went.slowest_seconds:
                went.slowest_seconds = ran.seconds
                went.slowest_cell = cell.source.strip().splitlines()[0][:60]
        self.submission.notebooks.append(went)
        if went.stopped:
            self.submission.status = "stopped"
            self.submission.reason = f"{notebook}: {went.stopped}"
        cut = sum(ran.output_cut for ran in transcript.cells)
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


class Run:
    """One run over the submissions of an assignment.

    Parameters
    ----------
    app : nbgrader application
        With its configuration and course directory.
    runner : Runner
        Where notebooks run.
    report : callable
        Called with each Submission when it is finished, and how many there are.
    """

    def __init__(self, app: Any, runner: Runner, report: Callable[[Submission, int], None]) -> None:
        self.app, self.runner, self.report = app, runner, report
        self.coursedir = app.coursedir
        self.gradebook = OneGradebook()
        self.lock = threading.Lock()
        self.interrupted = False
        self.scores: dict[str, tuple[float, float]] = {}
        """Student to points and most points, when the run has ended."""
        self._errors = threading.local()
        self._cells: dict[str, set[str]] = {}
        self._free: list[Autograde] = []

    def start(self, students: Collection[str] = ()) -> list[Submission]:
        """Grade everything that has to be graded, or what has to be of these students.

        Raises
        ------
        RunnerError
            Nothing can be graded, or no more of it: another run, a full disk, a damaged gradebook.
        KeyboardInterrupt
            After everything that was under way has been ended.
        """
        found, empty = self._found()
        if students:
            found = [one for one in found if one[0] in students]
            empty = [one for one in empty if one[0] in students]
        done = [Submission(student, "failed", why) for student, why in empty]
        total = len(found) + len(empty)
        for submission in done:
            self.report(submission, total)
        handler = _LastError(self._errors)
        self.app.log.addHandler(handler)
        try:
            self.runner.start()
            running = setenv(NBGRADER_EXECUTION="autograde")
            with self._alone(), self.gradebook, running, contextlib.chdir(self.coursedir.root):
                done += self._all(found, total)
                self.scores = self._scores()
        finally:
            self.app.log.removeHandler(handler)
        return done

    def last_error(self) -> str:
        """What nbgrader last logged as an error about the submission of this thread."""
        return getattr(self._errors, "last", "")

    def _found(self) -> tuple[list[tuple[str, list[str]]], list[tuple[str, str]]]:
        """Each student with the paths of their notebooks, and those who handed in none."""
        directory, lab = self.coursedir, self.coursedir.assignment_id
        pattern = directory.format_path(directory.submitted_directory, directory.student_id, lab)
        here = directory.format_path(
            directory.submitted_directory, "(?P<student>.*)", lab, escape=True
        )
        excluded = (
            set(directory.student_id_exclude.split(",")) if directory.student_id_exclude else set()
        )
        found, empty = [], []
        for folder in sorted(glob.glob(pattern)):
            matched = re.fullmatch(here, folder)
            student = matched["student"] if matched else ""
            if not student or student in excluded or not Path(folder).is_dir():
                continue
            notebooks = sorted(glob.glob(f"{glob.escape(folder)}/{directory.notebook_id}.ipynb"))
            if notebooks:
                found.append((student, notebooks))
            else:
                empty.append((student, f"there is no notebook in {folder}"))
        if not found and not empty:
            wanted = Path(pattern).relative_to(directory.root)
            raise RunnerError(f"there is nothing to grade: no folder matches {wanted}")
        return found, empty

    def cells(self, notebook: str) -> set[str]:
        """The names of the cells that nbgrader knows in a notebook of the assignment."""
        if notebook not in self._cells:
            directory = self.coursedir
            with self.gradebook(directory.db_url, directory.course_id) as gradebook:
                known = gradebook.find_notebook(notebook, directory.assignment_id)
                kinds = known.grade_cells, known.task_cells, known.solution_cells
                self._cells[notebook] = {cell.name for kind in kinds for cell in kind}
        return self._cells[notebook]

    def _scores(self) -> dict[str, tuple[float, float]]:
        directory = self.coursedir
        with self.gradebook(directory.db_url, directory.course_id) as gradebook:
            scored = SubmittedAssignment.score, SubmittedAssignment.max_score
            rows = (
                gradebook.db.query(SubmittedAssignment.student_id, *scored)
                .join(Assignment)
                .filter(Assignment.name == directory.assignment_id)
            )
            return {student: (score, most) for student, score, most in rows}

    def _all(self, found: list[tuple[str, list[str]]], total: int) -> list[Submission]:
        done: list[Submission] = []
        with ThreadPoolExecutor(self.runner.jobs + 1, "grading") as threads:
            left = {threads.submit(self._one, student, paths) for student, paths in found}
            try:
                while left:
                    ended, left = wait(left, timeout=0.2, return_when=FIRST_COMPLETED)
                    for future in ended:
                        submission = self._result(future)
                        done.append(submission)
                        self.report(submission, total)
            except BaseException:
                self.interrupted = True
                for future in left:
                    future.cancel()
                self.runner.close()
                raise
        return done

    def _one(self, student: str, paths: list[str]) -> Submission:
        with self.lock:
            if self.interrupted:
                raise RunnerError("the run was interrupted")
            self._errors.last = ""
            converter = self._free.pop() if self._free else self._converter()
            try:
                return converter.grade(self.coursedir.assignment_id, student, paths)
            except (Exception, SystemExit) as error:
                if fatal(error) or isinstance(error, RunnerError):
                    raise
                why = self._misnamed(paths) or reason(Path(paths[0]), error, self.last_error())
                return Submission(student, "failed", why)
            finally:
                self._free.append(converter)

    def _misnamed(self, paths: list[str]) -> str:
        """Says so when no notebook has a name that the assignment knows; otherwise empty."""
        directory = self.coursedir
        with self.gradebook(directory.db_url, directory.course_id) as gradebook:
            try:
                known = gradebook.find_assignment(directory.assignment_id).notebooks
            except MissingEntry:
                return ""
            wanted = [notebook.name for notebook in known]
        names = [Path(path).name for path in paths]
        if set(wanted) & {Path(name).stem for name in names}:
            return ""
        return f"there is no {wanted[0]}.ipynb, only {', '.join(names)}: rename it"

    def _converter(self) -> Autograde:
        return Autograde(self, coursedir=self.coursedir, parent=self.app)

    @staticmethod
    def _result(future: Future[Submission]) -> Submission:
        try:
            return future.result()
        except sqlalchemy.exc.DatabaseError as error:
            raise RunnerError(
                f"the gradebook cannot be used: {error.orig}. Nothing that was graded before is lost; when "
                "this is mended, the same command goes on"
            ) from error
        except OSError as error:
            raise RunnerError(
                f"the system refused: {error}. Nothing that was graded before is lost; when this is "
                "mended, the same command goes on"
            ) from error

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Only one run at a time may write to a course."""
        root = Path(self.coursedir.root)
        number = root / f"{STAGING}.pid"
        lock = locket.lock_file(str(root / f"{STAGING}.lock"), timeout=0)
        try:
            lock.acquire()
            number.write_text(str(os.getpid()))
        except locket.LockError as error:
            who = number.read_text() if number.exists() else "?"
            raise RunnerError(
                f"process {who} is grading this course. Wait for it, or end it"
            ) from error
        except OSError as error:
            raise RunnerError(f"cannot write to {root}: {error.strerror}") from error
        try:
            yield
        finally:
            number.unlink(missing_ok=True)
            lock.release()
            _tidy(Path(self.coursedir.format_path(STAGING, "x", "x")).parents[1], STAGING)


class _LastError(logging.Handler):
    def __init__(self, kept: threading.local) -> None:
        super().__init__(logging.ERROR)
        self.kept = kept

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage().strip()
        if text and not text.startswith("Traceback"):
            self.kept.last = text


def fatal(error: BaseException) -> bool:
    """Whether no other submission can be graded either."""
    if isinstance(error, sqlalchemy.exc.DatabaseError):
        return not isinstance(error, sqlalchemy.exc.IntegrityError)
    full = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EMFILE, errno.ENFILE)
    return isinstance(error, OSError) and error.errno in full


def reason(notebook: Path, error: BaseException, logged: str) -> str:
    """Why a notebook could not be graded, in words that say what to do."""
    if isinstance(error, Refused):
        return str(error)
    if problem := unreadable(notebook):
        return f"{problem}: ask for it to be handed in again"
    if isinstance(error, NbGraderException | SystemExit):
        return f"cannot be graded: {logged or error}"
    if isinstance(error, MemoryError):
        return "is too large for the memory of this machine"
    return f"cannot be graded: {type(error).__name__}: {error}".splitlines()[0]


def unreadable(notebook: Path) -> str:
    """What keeps a file from being a notebook, or an empty text."""
    try:
        nbformat.validate(nbformat.read(notebook, as_version=4))
    except UnicodeDecodeError:
        return "is not a text file"
    except OSError as error:
        return f"cannot be read ({error.strerror})"
    except nbformat.ValidationError as error:
        return f"is no valid notebook ({str(error).splitlines()[0]})"
    except Exception:
        return "is damaged or no notebook at all"
    return ""


def _refuse_foreign_files(folder: Path) -> None:
    """What nbgrader would copy must be the student's own: no links out of the submission, no devices."""
    own = folder.resolve()
    for here, _, names in os.walk(folder):
        for name in names:
            path = Path(here, name)
            if not path.resolve().is_relative_to(own) or not path.is_file():
                kind = "a link out of the submission" if path.is_symlink() else "no ordinary file"
                raise Refused(
                    f"{path.relative_to(folder)} is {kind}: ask for it to be handed in again without"
                )


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


def _tidy(folder: Path, name: str) -> None:
    """Remove empty folders below the staging folders."""
    for found in folder.rglob(name) if folder.name != name else [folder]:
        for path, _, _ in os.walk(found, topdown=False):
            with contextlib.suppress(OSError):
                Path(path).rmdir()
