"""One run over the submissions of an assignment: several threads at work, and only one of them at the gradebook."""

from __future__ import annotations

import contextlib
import fnmatch
import glob
import logging
import os
import re
import threading
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
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
from .handed_in import find, time
from .runner import Runner
from .submission import HandedIn, Submission, fatal, reason, underlying


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
        self.notes: list[str] = []
        """What is to be said of the run as a whole, each as a sentence."""
        self._errors = threading.local()
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
        folders = self._folders()
        if students:
            folders = {
                student: folder for student, folder in folders.items() if student in students
            }
        done: list[Submission] = []
        handler = _LastError(self._errors)
        self.app.log.addHandler(handler)
        app_log.addFilter(_not_of_the_database)
        try:
            self.runner.start()
            running = setenv(NBGRADER_EXECUTION="autograde")
            here = contextlib.chdir(self.coursedir.root)
            with self._alone(), _explained(), self.gradebook, running, here:
                found = {one: self._handed_in(folder) for one, folder in folders.items()}
                originals = map(self.runner.original, self._wanted())
                self.notes = [one.outdated for one in originals if one.outdated]
                for student, handed_in in list(found.items()):
                    if not handed_in.notebooks:
                        why = "; ".join(handed_in.notes) or "nothing of it is to be graded"
                        done.append(Submission(student, "failed", why))
                        self.report(done[-1], len(folders))
                        del found[student]
                done += self._all(found, len(folders))
                self.scores = self._scores()
        finally:
            self.app.log.removeHandler(handler)
            app_log.removeFilter(_not_of_the_database)
        return done

    def last_error(self) -> str:
        """What nbgrader last logged as an error about the submission of this thread."""
        return getattr(self._errors, "last", "")

    def _folders(self) -> dict[str, Path]:
        """Each student with the folder of their submission."""
        directory, lab = self.coursedir, self.coursedir.assignment_id
        structure = directory.directory_structure.format(
            nbgrader_step=glob.escape(directory.submitted_directory),
            student_id=directory.student_id,
            assignment_id=glob.escape(lab),
        )
        pattern = os.path.join(glob.escape(directory.root), structure)
        here = directory.format_path(
            re.escape(directory.submitted_directory),
            "(?P<student>.*)",
            re.escape(lab),
            escape=True,
        )
        excluded = (
            set(directory.student_id_exclude.split(",")) if directory.student_id_exclude else set()
        )
        found = {}
        for folder in sorted(glob.glob(pattern)):
            matched = re.fullmatch(here, folder, re.DOTALL)
            student = matched["student"] if matched else ""
            if student and student not in excluded and Path(folder).is_dir():
                found[student] = Path(folder)
        if not found:
            wanted = Path(directory.submitted_directory, directory.student_id, lab)
            raise RunnerError(f"there is nothing to grade: no folder matches {wanted}")
        return found

    def _handed_in(self, folder: Path) -> HandedIn:
        """The notebooks of the assignment in a submission, and what is to be said of how they were found."""
        found, notes = find(folder, self._wanted())
        chosen = fnmatch.filter(found, self.coursedir.notebook_id)
        _, unreadable = time(folder)
        return HandedIn(
            {name: found[name] for name in chosen}, [*notes, *filter(None, [unreadable])]
        )

    def _wanted(self) -> list[str]:
        """The names of the assignment's notebooks, as the gradebook knows them.

        Raises
        ------
        RunnerError
            It does not know the assignment.
        """
        directory = self.coursedir
        with self.gradebook(directory.db_url, directory.course_id) as gradebook:
            try:
                known = gradebook.find_assignment(directory.assignment_id).notebooks
            except MissingEntry:
                known = []
            names = [notebook.name for notebook in known]
        if not names:
            raise RunnerError(
                f"the gradebook does not know {directory.assignment_id}: run nbgrader generate_assignment "
                f"{directory.assignment_id} first"
            )
        return names

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

    def _all(self, found: dict[str, HandedIn], total: int) -> list[Submission]:
        done: list[Submission] = []
        with ThreadPoolExecutor(self.runner.jobs + 1, "grading") as threads:
            left = {threads.submit(self._one, *one) for one in found.items()}
            try:
                while left:
                    ended, left = wait(left, timeout=0.2, return_when=FIRST_COMPLETED)
                    for future in ended:
                        submission = future.result()
                        done.append(submission)
                        self.report(submission, total)
            except BaseException:
                self.interrupted = True
                for future in left:
                    future.cancel()
                self.runner.close()
                raise
        return done

    def _one(self, student: str, handed_in: HandedIn) -> Submission:
        with self.lock:
            if self.interrupted:
                raise RunnerError("the run was interrupted")
            self._errors.last = ""
            converter = self._free.pop() if self._free else self._converter()
            try:
                return converter.grade(self.coursedir.assignment_id, student, handed_in)
            except (Exception, SystemExit) as error:
                if fatal(error) or isinstance(error, RunnerError):
                    raise underlying(error) from None
                path = next(iter(handed_in.notebooks.values()))
                return Submission(student, "failed", reason(path, error, self.last_error()))
            finally:
                self._free.append(converter)

    def _converter(self) -> Autograde:
        return Autograde(self, coursedir=self.coursedir, parent=self.app)

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


@contextmanager
def _explained() -> Iterator[None]:
    """What the database or the system refuses ends the run, in a sentence."""
    ahead = "Nothing that was graded before is lost; when this is mended, the same command goes on"
    try:
        yield
    except sqlalchemy.exc.DatabaseError as error:
        raise RunnerError(f"the gradebook cannot be used: {error.orig}. {ahead}") from error
    except OSError as error:
        raise RunnerError(f"the system refused: {error}. {ahead}") from error


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
