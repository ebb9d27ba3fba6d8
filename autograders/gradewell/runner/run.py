"""One run over the submissions of an assignment: several threads at work, and only one of them at the gradebook."""

from __future__ import annotations

import contextlib
import glob
import logging
import os
import re
import threading
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import locket
import sqlalchemy.exc
from nbgrader.api import Assignment, MissingEntry, SubmittedAssignment
from nbgrader.utils import setenv
from tornado.log import app_log

from .autograde import STAGING, Autograde
from .errors import RunnerError
from .gradebook import OneGradebook
from .runner import Runner
from .submission import Submission, fatal, reason, underlying


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
        app_log.addFilter(_not_of_the_database)
        try:
            self.runner.start()
            running = setenv(NBGRADER_EXECUTION="autograde")
            with self._alone(), self.gradebook, running, contextlib.chdir(self.coursedir.root):
                done += self._all(found, total)
                self.scores = self._scores()
        finally:
            self.app.log.removeHandler(handler)
            app_log.removeFilter(_not_of_the_database)
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
                    raise underlying(error) from None
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


def _not_of_the_database(record: logging.LogRecord) -> bool:
    """nbgrader's gradebook logs the traceback of each error that it then raises."""
    return not str(record.msg).startswith("Rolling back session due to database error")


def _tidy(folder: Path, name: str) -> None:
    """Remove empty folders below the staging folders."""
    for found in folder.rglob(name) if folder.name != name else [folder]:
        for path, _, _ in os.walk(found, topdown=False):
            with contextlib.suppress(OSError):
                Path(path).rmdir()
