"""What became of a submission, and why something could not be graded, in words for student and instructor."""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
import sqlalchemy.exc
from nbgrader.api import InvalidEntry
from nbgrader.converters.base import NbGraderException

NOT_GRADED = "not_graded.txt"
"""Stands in ``autograded/`` beside a notebook that could not be graded, and says why."""
HANDED_IN = "handed-in"
"""The folder in ``autograded/`` that keeps the notebooks as they were handed in."""
_OURS = {NOT_GRADED, HANDED_IN, "timestamp.txt", "index.html"}


def is_ours(name: str) -> bool:
    """Whether what has this name in ``autograded/STUDENT/LAB`` is the grader's: notebooks, what nbgrader and we write, a folder's own page."""
    return name.casefold().endswith(".ipynb") or name.casefold() in _OURS


@dataclass(frozen=True)
class HandedIn:
    """What was found in the folder of a submission."""

    notebooks: dict[str, Path]
    """The files of the assignment's notebooks, by their names in the assignment."""
    notes: list[str]
    """What is to be said of how they were found, each as a sentence."""


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


def fatal(error: BaseException) -> bool:
    """Whether no other submission can be graded either."""
    error = underlying(error)
    if isinstance(error, sqlalchemy.exc.DatabaseError):
        return not isinstance(error, sqlalchemy.exc.IntegrityError)
    full = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EMFILE, errno.ENFILE)
    return isinstance(error, OSError) and error.errno in full


def underlying(error: BaseException) -> BaseException:
    """The error itself, or that of the database of which nbgrader made it: a full disk is no invalid entry."""
    inner = error.__context__
    database = isinstance(error, InvalidEntry) and isinstance(inner, sqlalchemy.exc.DatabaseError)
    return inner if inner is not None and database else error


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


def refuse_foreign_files(folder: Path, most: int, files: int) -> None:
    """What nbgrader would copy must be the student's own, and not too much: no links out of the submission, no devices.

    Parameters
    ----------
    most, files : int
        Bytes and files beside the notebooks.
    """
    own = folder.resolve()
    left = files
    for here, _, names in os.walk(folder):
        for name in names:
            path = Path(here, name)
            if not path.resolve().is_relative_to(own) or not path.is_file():
                kind = "a link out of the submission" if path.is_symlink() else "no ordinary file"
                raise Refused(
                    f"{path.relative_to(folder)} is {kind}: ask for it to be handed in again without"
                )
            left -= 1
            most -= 0 if name.casefold().endswith(".ipynb") else path.stat().st_size
            if most < 0 or left < 0:
                raise Refused(
                    "more was handed in than a notebook may have (c.Runner.disk, c.Runner.inodes): ask for it without the large files"
                )
