"""A student's folder: lessons and labs, without solutions."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from sharewell import content, course

MARK = ".sharewell-student"
"""What tells a student's folder from others; it holds JupyterLab's settings."""

_NOT_FOR_STUDENTS = (
    "@jupyterlab/apputils-extension:announcements",  # asks for news from the network
    "@jupyter/nbgrader:assignment-list",
    "@jupyter/nbgrader:course-list",
    "@jupyter/nbgrader:create-assignment",
    "@jupyter/nbgrader:formgrader",
)
"""What JupyterLab leaves out in a student's folder; nbgrader's Validate button stays."""

_README = """\
# Sharewell

Open `lessons/` to read and try, `labs/` to work and hand in. Write in the cells that say YOUR CODE HERE, run the
check below, and read what it says. The *Validate* button of JupyterLab runs all checks of a lab at once.

Your instructor may give you a code: `sharewell me CODE`, in this folder's parent, gives you data of your own.

`sharewell start` in this folder's parent opens it again; it never touches what you wrote.
"""


def prepare(folder: Path) -> list[str]:
    """Make a student's folder, or add what is new to an existing one. Returns the labs that were added.

    Raises
    ------
    SharewellError
        When ``folder`` holds something else, or cannot be written.
    """
    if (folder / MARK).is_dir():
        return _fill(folder)
    with content.new_folder(folder) as new:
        added = _fill(new)
        (new / "README.md").write_text(_README, encoding="utf-8")
        page = new / MARK / "labconfig" / "page_config.json"
        page.parent.mkdir(parents=True)
        disabled = {"disabledExtensions": dict.fromkeys(_NOT_FOR_STUDENTS, True)}
        page.write_text(json.dumps(disabled, indent=2), encoding="utf-8")
    return added


def _fill(folder: Path) -> list[str]:
    """Add the lessons and labs that are not there yet. Returns the names of the labs."""
    content.copy_lessons(folder / "lessons")
    (folder / "labs").mkdir(exist_ok=True)
    missing = [lab for lab in content.labs() if not (folder / "labs" / lab).is_dir()]
    if missing:
        with tempfile.TemporaryDirectory(dir=folder) as scratch:
            released = _release(Path(scratch), missing)
            for lab in missing:
                (released / lab).replace(folder / "labs" / lab)
    return missing


def _release(scratch: Path, labs: list[str]) -> Path:
    """The student versions, as nbgrader makes them for an instructor. Returns the folder with all of them."""
    from sharewell.grading import prepare

    course.make(scratch / "course")
    made = course.Course(scratch / "course")
    for lab in labs:
        prepare(made, lab)
    return made.root / "release"


def open_jupyter(folder: Path, options: list[str]) -> int:
    """Run JupyterLab on ``folder`` until it is closed. Returns its exit code.

    Where the system can, JupyterLab takes this process's place, so that Ctrl-C and signals reach it.
    """
    command = [sys.executable, "-m", "jupyterlab", f"--ServerApp.root_dir={folder.resolve()}"]
    command += ["--ServerApp.answer_yes=True", *options]
    paths = [str(folder.resolve() / MARK), *filter(None, [os.environ.get("JUPYTER_CONFIG_PATH")])]
    environment = {**os.environ, "JUPYTER_CONFIG_PATH": os.pathsep.join(paths)}
    if os.name == "posix":
        os.execve(sys.executable, command, environment)
    return subprocess.call(command, env=environment)
