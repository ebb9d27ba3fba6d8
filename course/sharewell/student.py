"""A student's folder: lessons and labs, without solutions."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from sharewell import content, course
from sharewell.errors import SharewellError

MARK = ".sharewell-student"

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

`sharewell start` in this folder's parent opens it again; it never touches what you wrote.
"""


def prepare(folder: Path) -> list[str]:
    """Make a student's folder, or add what is new to an existing one. Returns the labs that were added.

    Raises
    ------
    SharewellError
        When ``folder`` holds something else, or cannot be written.
    """
    if (folder / MARK).is_file():
        added = _missing_labs(folder)
        if added:
            with tempfile.TemporaryDirectory() as scratch:
                released = _release(Path(scratch), added)
                for lab in added:
                    shutil.copytree(released / lab, folder / "labs" / lab)
        content.copy_lessons(folder / "lessons")
        return added
    with content.new_folder(folder) as new, tempfile.TemporaryDirectory() as scratch:
        content.copy_lessons(new / "lessons")
        added = _missing_labs(new)
        released = _release(Path(scratch), added)
        for lab in added:
            shutil.copytree(released / lab, new / "labs" / lab)
        (new / "README.md").write_text(_README, encoding="utf-8")
        (new / MARK).write_text("made by sharewell start\n", encoding="utf-8")
    return added


def _missing_labs(folder: Path) -> list[str]:
    return [lab for lab in content.labs() if not (folder / "labs" / lab).is_dir()]


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

    Raises
    ------
    SharewellError
        When JupyterLab is not installed.
    """
    from importlib.util import find_spec

    if find_spec("jupyterlab") is None:
        raise SharewellError(
            "JupyterLab is not installed. Install it with: python -m pip install jupyterlab"
        )
    command = [sys.executable, "-m", "jupyterlab", f"--ServerApp.root_dir={folder.resolve()}"]
    with tempfile.TemporaryDirectory() as settings:
        page = Path(settings) / "labconfig" / "page_config.json"
        page.parent.mkdir()
        page.write_text(json.dumps({"disabledExtensions": dict.fromkeys(_NOT_FOR_STUDENTS, True)}))
        paths = [settings, *filter(None, [os.environ.get("JUPYTER_CONFIG_PATH")])]
        environment = {**os.environ, "JUPYTER_CONFIG_PATH": os.pathsep.join(paths)}
        process = subprocess.Popen(command + options, env=environment)
        try:
            return process.wait()
        except (
            KeyboardInterrupt
        ):  # Ctrl-C reaches JupyterLab too; wait until it has closed its kernels
            process.terminate()
            process.wait()
            return 0
