"""An instructor's course folder: an ordinary nbgrader course root."""

from __future__ import annotations

import logging
import os
import secrets
import subprocess
import sys
import sysconfig
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sharewell import content, variant
from sharewell.errors import SharewellError

CONFIG = "nbgrader_config.py"

_README = """\
# A Sharewell course

An ordinary nbgrader course. The usual round, in this folder:

1. `nbgrader generate_assignment LAB` makes `release/LAB`, which students get.
2. `sharewell codes > codes.csv` gives each student a code for their own variant of the data (`sharewell me CODE`).
3. What students hand in goes to `submitted/STUDENT/LAB/LAB.ipynb`: by `nbgrader collect`, or by
   `nbgrader zip_collect LAB` from what a learning platform exports, or by hand.
4. `sharewell grade LAB` grades it, writes `feedback/` and prints the class.
5. `jupyter lab --LabApp.default_url=/formgrader` opens nbgrader's formgrader: memos are graded there.
6. `nbgrader export` writes `grades.csv`, which says how many points still wait for a person.

Keep `secret.txt` to yourself: hidden populations are drawn from it.
Do not give `source/` to students: it holds the solutions.
"""

_GITIGNORE = """\
secret.txt
gradebook.db
submitted/
autograded/
feedback/
downloaded/
grades.csv
.autograding*
"""


def make(folder: Path) -> None:
    """Make a new course in ``folder``, which must not exist or be empty.

    Raises
    ------
    SharewellError
        When the folder is in use or cannot be written; then nothing has changed.
    """
    with content.new_folder(folder) as new:
        for name in (CONFIG, "syllabus.yml"):
            (new / name).write_bytes((content.root() / name).read_bytes())
        content.copy_lessons(new / "lessons")
        content.copy_labs(new / "source")
        (new / "README.md").write_text(_README, encoding="utf-8")
        (new / ".gitignore").write_text(_GITIGNORE, encoding="utf-8")
        secret = new / "secret.txt"
        secret.touch(mode=0o600)
        secret.write_text(secrets.token_hex(32) + "\n", encoding="utf-8")


class Course:
    """An existing course folder, with nbgrader's view of it.

    Parameters
    ----------
    root : path
        The folder that holds ``nbgrader_config.py``.

    Raises
    ------
    SharewellError
        When it is no course.
    """

    def __init__(self, root: Path) -> None:
        if not root.is_dir():
            raise SharewellError(
                f"there is no folder {root}. Make a course with: sharewell init {root}"
            )
        if not (root / CONFIG).is_file():
            raise SharewellError(
                f"{root} is no course: it has no {CONFIG}. Go to a course folder, name one with --course, "
                "or make one with: sharewell init DIR"
            )
        self.root = root.resolve()
        _put_scripts_on_path()

    def nbgrader(self, **traits: str) -> tuple[Any, Any]:
        """nbgrader's configuration and course directory, with traits such as ``assignment_id`` set."""
        from nbgrader.coursedir import CourseDirectory
        from traitlets.config.loader import PyFileConfigLoader

        try:
            config = PyFileConfigLoader(CONFIG, path=str(self.root)).load_config()
        except Exception as error:
            raise SharewellError(f"{self.root / CONFIG} cannot be read: {error!r}") from error
        return config, CourseDirectory(config=config, **traits)

    def check_writable(self) -> None:
        """Raise SharewellError when the course folder cannot be written to."""
        try:
            tempfile.TemporaryFile(dir=self.root).close()
        except OSError as error:
            raise SharewellError(
                f"cannot write to {self.root}: {error.strerror}. Grading needs a course folder of your own"
            ) from error

    def labs(self) -> list[str]:
        """The labs in ``source/``."""
        return sorted(path.name for path in (self.root / "source").glob("*") if path.is_dir())

    def check_lab(self, lab: str) -> None:
        if lab not in self.labs():
            known = ", ".join(self.labs()) or "none"
            raise SharewellError(
                f"there is no lab {lab!r} in {self.root / 'source'}; there are: {known}"
            )

    def students(self) -> list[str]:
        """Whom the gradebook knows, sorted."""
        with self.gradebook() as gradebook:
            return sorted(student.id for student in gradebook.students)

    def code_of(self, student: str) -> str:
        """A student's code (``sharewell.variant``).

        Raises
        ------
        SharewellError
            The course has no secret.
        """
        secret = self.root / "secret.txt"
        if not secret.is_file():
            raise SharewellError(
                f"there is no {secret}: without a secret there are no codes. Put the course's own back, or a new one: "
                "then all codes change"
            )
        return variant.code_of(student, secret.read_text(encoding="utf-8").strip())

    def run(self, converter: type, lab: str, student: str = "*", force: bool = False) -> str:
        """Run one of nbgrader's converters. Returns its log.

        Raises
        ------
        ConverterFailed
            When nbgrader gave up; with its log.
        """
        from nbgrader.converters.base import NbGraderException

        config, directory = self.nbgrader(assignment_id=lab, student_id=student)
        with _captured_log() as lines, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of nbgrader and SQLAlchemy, not about this course
            try:
                job = converter(coursedir=directory, config=config)
                job.force = force
                job.start()
            except (NbGraderException, SystemExit) as error:
                raise ConverterFailed("\n".join([*lines, str(error)])) from error
        return "\n".join(lines)

    def command(self, *arguments: str) -> None:
        """Run a command of nbgrader in the course folder, as an instructor would type it.

        Raises
        ------
        ConverterFailed
            When it failed; with what it said.
        """
        ran = subprocess.run(
            [sys.executable, "-m", "nbgrader", *arguments],
            cwd=self.root,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
        if ran.returncode:
            raise ConverterFailed(f"nbgrader {' '.join(arguments)} failed:\n{ran.stderr.strip()}")

    @contextmanager
    def gradebook(self) -> Iterator[Any]:
        """nbgrader's gradebook, to be used in a ``with`` statement.

        Raises
        ------
        SharewellError
            When the database cannot be opened or read.
        """
        from nbgrader.api import Gradebook
        from sqlalchemy.exc import DatabaseError

        _, directory = self.nbgrader()
        try:
            with Gradebook(directory.db_url, directory.course_id) as gradebook:
                yield gradebook
        except DatabaseError as error:
            raise SharewellError(
                f"the gradebook {directory.db_url} cannot be used: {error.orig}. If it is damaged, put a copy "
                "in its place, or move it away and grade again"
            ) from error


def _put_scripts_on_path() -> None:
    """nbgrader calls ``alembic`` by name, which works in an activated environment only."""
    scripts = sysconfig.get_path("scripts")
    path = os.environ.get("PATH", "")
    if scripts not in path.split(os.pathsep):
        os.environ["PATH"] = scripts + os.pathsep + path


class ConverterFailed(SharewellError):
    """nbgrader gave up on a submission; the message is its log."""


@contextmanager
def _captured_log() -> Iterator[list[str]]:
    lines: list[str] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(record.getMessage())

    logger = logging.getLogger("traitlets")
    handler, before, passes_on = Keep(), logger.level, logger.propagate
    others = list(logger.handlers)
    logger.handlers, logger.propagate = [handler], False
    logger.setLevel(logging.INFO)
    try:
        yield lines
    finally:
        logger.handlers, logger.propagate = others, passes_on
        logger.setLevel(before)
