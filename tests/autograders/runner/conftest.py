"""Courses for the runner's tests: made, handed in to and graded with the commands that an instructor types."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

BIN = Path(sys.executable).parent
PYTHON = {"name": "python3", "display_name": "Python 3", "language": "python"}


@pytest.fixture(scope="session", autouse=True)
def scripts_on_path():
    """nbgrader calls ``alembic`` by name."""
    os.environ["PATH"] = str(BIN) + os.pathsep + os.environ["PATH"]


@pytest.fixture(scope="session", autouse=True)
def sandbox(bubblewrap):
    """These tests are about what the sandbox keeps in."""


def run(command, cwd, timeout=900, path=None, **options):
    # a kernel that sees pytest's variable does not capture what subprocesses print
    outside = {k: v for k, v in os.environ.items() if k != "PYTEST_CURRENT_TEST"}
    if path:
        outside["PATH"] = path
    return subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env=outside,
        capture_output=True,
        text=True,
        timeout=timeout,
        stdin=subprocess.DEVNULL,
        check=False,
        **options,
    )


class Cells:
    """Cells of a lab, as an instructor would make them in JupyterLab."""

    @staticmethod
    def plain(source):
        return new_code_cell(source)

    @staticmethod
    def answer(name, solution):
        cell = Cells._cell(name, f"### BEGIN SOLUTION\n{solution}\n### END SOLUTION")
        cell.metadata["nbgrader"]["solution"] = True
        return cell

    @staticmethod
    def test(name, source, points=1):
        cell = Cells._cell(name, source)
        cell.metadata["nbgrader"].update(grade=True, locked=True, points=points)
        return cell

    @staticmethod
    def hidden(name, source, points=1):
        return Cells.test(name, f"### BEGIN HIDDEN TESTS\n{source}\n### END HIDDEN TESTS", points)

    @staticmethod
    def essay(name, points=3):
        cell = Cells._cell(name, "YOUR ANSWER HERE", new_markdown_cell)
        cell.metadata["nbgrader"].update(grade=True, solution=True, points=points)
        return cell

    @staticmethod
    def task(name, points=2):
        cell = Cells._cell(name, "Draw it.", new_markdown_cell)
        cell.metadata["nbgrader"].update(task=True, locked=True, points=points)
        return cell

    @staticmethod
    def locked(name, source):
        cell = Cells._cell(name, source)
        cell.metadata["nbgrader"].update(locked=True)
        return cell

    @staticmethod
    def _cell(name, source, make=new_code_cell):
        cell = make(source, id=name)
        cell.metadata["nbgrader"] = {
            "grade_id": name, "grade": False, "solution": False, "locked": False, "task": False,
            "schema_version": 3,
        }  # fmt: skip
        return cell


ANOTHER = {"name": "another", "display_name": "Another", "language": "python"}


@pytest.fixture(scope="session")
def another(tmp_path_factory):
    """A Python kernel that the runner does not take for one: an ordinary kernel runs it, as those of other languages."""
    root = tmp_path_factory.mktemp("jupyter")
    spec = root / "kernels" / "another"
    spec.mkdir(parents=True)
    argv = [sys.executable, "-m", "ipykernel", "-f", "{connection_file}"]
    (spec / "kernel.json").write_text(json.dumps({**ANOTHER, "argv": argv}))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JUPYTER_PATH", str(root))
        yield ANOTHER


class Folder:
    """A course folder, and what is done in it."""

    def __init__(self, path):
        self.path = path

    @classmethod
    def new(cls, path, config=""):
        path.mkdir(parents=True)
        header = "c = get_config()\nc.CourseDirectory.course_id = 'course'\n"
        (path / "nbgrader_config.py").write_text(header + config, encoding="utf-8")
        return cls(path)

    def copy(self, path):
        return Folder(shutil.copytree(self.path, path, symlinks=True))

    def lab(self, name, files=None, kernel=PYTHON, **notebooks):
        """Make a lab from its notebooks' cells and other files, and its student version."""
        folder = self.path / "source" / name
        folder.mkdir(parents=True)
        for notebook, cells in notebooks.items():
            nb = new_notebook(cells=cells, metadata={"kernelspec": kernel})
            nbformat.write(nb, folder / f"{notebook}.ipynb")
        for file, text in (files or {}).items():
            (folder / file).write_text(text, encoding="utf-8")
        self.nbgrader("generate_assignment", name)
        return self

    def released(self, lab, notebook):
        return nbformat.read(self.path / "release" / lab / f"{notebook}.ipynb", as_version=4)

    def hand_in(self, student, lab, notebook=None, answers=(), change=None, files=None, late=None):
        """Hand in a notebook: ``answers`` maps a cell's name to what is written there."""
        folder = self.path / "submitted" / student / lab
        folder.mkdir(parents=True, exist_ok=True)
        notebook = notebook or lab
        nb = self.released(lab, notebook)
        answers = dict(answers)
        for cell in nb.cells:
            name = cell.metadata.get("nbgrader", {}).get("grade_id")
            cell.source = answers.pop(name, cell.source)
        assert not answers, f"no such cells: {answers}"
        if change:
            change(nb)
        with (folder / f"{notebook}.ipynb").open("w", encoding="utf-8") as file:
            json.dump(nb, file)
        for name, text in (files or {}).items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text, encoding="utf-8")
        if late:
            (folder / "timestamp.txt").write_text(late, encoding="utf-8")
        return folder / f"{notebook}.ipynb"

    def nbgrader(self, *words, code=0):
        ran = run([BIN / "nbgrader", *words], self.path)
        assert ran.returncode == code, ran.stdout + ran.stderr
        return ran

    def gradewell(self, *words, code=0, **options):
        """``gradewell autograde``. ``code=None``: whatever."""
        ran = run([BIN / "gradewell", "autograde", *words], self.path, **options)
        assert "Traceback" not in ran.stdout + ran.stderr, ran.stdout + ran.stderr
        assert code is None or ran.returncode == code, ran.stdout + ran.stderr
        return ran

    def report(self, *words, code=0, **options):
        """What ``gradewell autograde --json`` says, by student."""
        ran = self.gradewell(*words, "--json", code=code, **options)
        return {one["student"]: one for one in json.loads(ran.stdout)["submissions"]}

    def scores(self, lab):
        """Student to points of the lab in the gradebook, as formgrader adds them up."""
        query = """
            SELECT student.id, SUM(COALESCE(grade.manual_score, grade.auto_score, 0) + COALESCE(grade.extra_credit, 0))
            FROM submitted_assignment JOIN assignment ON assignment.id = submitted_assignment.assignment_id
            JOIN student ON student.id = submitted_assignment.student_id
            JOIN submitted_notebook ON submitted_notebook.assignment_id = submitted_assignment.id
            JOIN grade ON grade.notebook_id = submitted_notebook.id
            WHERE assignment.name = ? GROUP BY student.id"""
        with sqlite3.connect(self.path / "gradebook.db") as database:
            return dict(database.execute(query, (lab,)).fetchall())

    def points(self, student, lab):
        """Cell to points that a submission got without a person."""
        query = """
            SELECT base_cell.name, grade.auto_score FROM grade
            JOIN base_cell ON base_cell.id = grade.cell_id
            JOIN submitted_notebook ON submitted_notebook.id = grade.notebook_id
            JOIN submitted_assignment ON submitted_assignment.id = submitted_notebook.assignment_id
            JOIN assignment ON assignment.id = submitted_assignment.assignment_id
            WHERE submitted_assignment.student_id = ? AND assignment.name = ?"""
        with sqlite3.connect(self.path / "gradebook.db") as database:
            return dict(database.execute(query, (student, lab)).fetchall())

    def graded(self, student, lab, notebook=None):
        path = self.path / "autograded" / student / lab / f"{notebook or lab}.ipynb"
        return nbformat.read(path, as_version=4)

    def outputs(self, student, lab, notebook=None):
        """All that the notebook put out, as one text."""
        return json.dumps(
            [cell.get("outputs", []) for cell in self.graded(student, lab, notebook).cells]
        )


@pytest.fixture(scope="session")
def cells():
    return Cells


@pytest.fixture(scope="session")
def new_course():
    return Folder.new


@pytest.fixture(scope="session")
def at():
    """An existing folder as a course."""
    return Folder


@pytest.fixture(scope="session")
def program():
    """Run a program that is installed beside this Python."""

    def start(name, *words, cwd, **options):
        return run([BIN / name, *words], cwd, **options)

    return start


@pytest.fixture(scope="session")
def small(tmp_path_factory):
    """A course with the lab ``lab``: an answer and three tests; the second one uses what the answer wrote."""
    course = Folder.new(tmp_path_factory.mktemp("small") / "course")
    return course.lab(
        "lab",
        lab=[
            Cells.answer("answer", "def double(x):\n    return 2 * x"),
            Cells.test("first", "assert double(2) == 4"),
            Cells.answer("more", "y = 1"),
            Cells.test("second", "assert y == 1", points=2),
            Cells.hidden("third", "assert double(21) == 42", points=4),
        ],
    )


@pytest.fixture
def fresh(small, tmp_path):
    """A copy of the small course to grade in."""
    return small.copy(tmp_path / "course")
