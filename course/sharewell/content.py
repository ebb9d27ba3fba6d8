"""Where the course itself lies: lessons, labs, syllabus, and the sample submissions."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from sharewell.errors import SharewellError

_PACKAGE = Path(__file__).parent


def root() -> Path:
    """The course's folder: inside an installed package, or ``course/`` of a checkout."""
    installed = _PACKAGE / "content"
    return installed if installed.is_dir() else _PACKAGE.parent


def submissions() -> Path:
    """The sample submissions of all labs, right and wrong."""
    installed = root() / "submissions"
    return installed if installed.is_dir() else _PACKAGE.parents[1] / "tests" / "submissions"


@cache
def syllabus() -> dict[str, Any]:
    """``syllabus.yml``: modules, lessons, labs, outcomes, datasets, hours."""
    text = (root() / "syllabus.yml").read_text(encoding="utf-8")
    parsed: dict[str, Any] = yaml.safe_load(text)
    return parsed


def labs() -> dict[str, dict[str, Any]]:
    """Every lab of the syllabus by its name."""
    return {lab["name"]: lab for module in syllabus()["modules"] for lab in module["labs"]}


def copy_lessons(folder: Path) -> None:
    """Put the lesson notebooks into ``folder``; what is there already stays as it is."""
    _copy_missing(root() / "lessons", folder)


def copy_labs(folder: Path) -> None:
    """Put the instructor versions of the labs into ``folder``."""
    _copy_missing(root() / "source", folder)


def _copy_missing(source: Path, target: Path) -> None:
    for path in sorted(source.rglob("*")):
        if ".ipynb_checkpoints" in path.parts or path.is_dir():
            continue
        copy = target / path.relative_to(source)
        if not copy.exists():
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copy)


@contextmanager
def new_folder(folder: Path) -> Iterator[Path]:
    """A folder to fill, which becomes ``folder`` when all went well and vanishes otherwise.

    Raises
    ------
    SharewellError
        When ``folder`` exists and is not an empty folder, or cannot be made.
    """
    if folder.is_file() or (folder.is_dir() and any(folder.iterdir())):
        what = "is a file" if folder.is_file() else "exists and is not empty"
        raise SharewellError(f"{folder} {what}. Choose another folder; nothing was changed.")
    with _explained(folder):
        folder.absolute().parent.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.absolute().parent))
        try:
            yield made
            made.chmod(0o755)
            if folder.is_dir():  # keep the folder itself: somebody may be standing in it
                for path in made.iterdir():
                    shutil.move(path, folder / path.name)
            else:
                made.replace(folder)
        finally:
            shutil.rmtree(made, ignore_errors=True)


@contextmanager
def _explained(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise SharewellError(
            f"cannot make {folder}: {reason}. Choose a folder that you may write to."
        ) from error
