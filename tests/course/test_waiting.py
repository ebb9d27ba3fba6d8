"""Where a person has to grade, no page and no table shows a finished number."""

import csv
import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from sharewell import course

LAB = "essays"
PYTHON = {"name": "python3", "display_name": "Python 3", "language": "python"}


def cell(make, name, source, **about):
    made = make(source, id=name)
    flags = {"grade": False, "solution": False, "locked": False, "task": False}
    made.metadata["nbgrader"] = {"grade_id": name, "schema_version": 3, **flags, **about}
    return made


def lab():
    """A tested answer, and three tasks for a person: one of them beside a test of the same task."""
    written = {"grade": True, "solution": True}
    return new_notebook(
        cells=[
            cell(new_code_cell, "sum-answer", "### BEGIN SOLUTION\nx = 42\n### END SOLUTION", solution=True),
            cell(new_code_cell, "sum-check", "assert x == 42", grade=True, locked=True, points=2),
            cell(new_code_cell, "sum-plot", "### BEGIN SOLUTION\n1\n### END SOLUTION", points=3, **written),
            cell(new_markdown_cell, "memo-answer", "Write.", points=20, **written),
            cell(new_markdown_cell, "draw-task", "Draw.", task=True, locked=True, points=4),
        ],
        metadata={"kernelspec": PYTHON},
    )  # fmt: skip


@pytest.fixture(scope="module")
def graded(tmp_path_factory, sharewell, bubblewrap):
    """A class of four, graded but by no person yet: Ada did all, Bob left the memo, Cyd's notebook is damaged, Dan handed in nothing."""
    folder = tmp_path_factory.mktemp("waiting") / "course"
    course.make(folder)
    path = folder / "source" / LAB / f"{LAB}.ipynb"
    path.parent.mkdir()
    nbformat.write(lab(), path)
    nbgrader(folder, "generate_assignment", LAB)
    for student, last, first in (
        ("ada", "Lovelace, Countess", "Ada"),
        ("bob", "Score: ", "Bob"),
        ("cyd", "C", "Cyd"),
        ("dan", "D", "Dan"),
    ):
        names = f"--last-name={last}", f"--first-name={first}"
        nbgrader(folder, "db", "student", "add", student, *names)
    released = folder / "release" / LAB / f"{LAB}.ipynb"
    for student in ("ada", "bob"):
        notebook = nbformat.read(released, as_version=4)
        written = {"sum-answer": "x = 42", "sum-plot": "2"}
        if student == "ada":
            written["memo-answer"] = "Score: 20 / 20"
        for one in notebook.cells:
            one.source = written.get(one.id, one.source)
        hand_in(folder, student, nbformat.writes(notebook))
    hand_in(folder, "cyd", '{"cells": [')
    return folder, sharewell("grade", LAB, "--course", folder)


def hand_in(folder, student, text):
    path = folder / "submitted" / student / LAB / f"{LAB}.ipynb"
    path.parent.mkdir(parents=True)
    path.write_text(text, encoding="utf-8")


def nbgrader(folder, *words):
    path = str(Path(sys.executable).parent) + os.pathsep + os.environ["PATH"]  # it calls alembic
    ran = subprocess.run(
        [sys.executable, "-m", "nbgrader", *words],
        cwd=folder, env={**os.environ, "PATH": path}, capture_output=True, text=True, check=False,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran


def page(folder, student):
    return (folder / "feedback" / student / LAB / f"{LAB}.html").read_text(encoding="utf-8")


def exported(folder, *words):
    nbgrader(folder, "export", *words)
    with (folder / "grades.csv").open(encoding="utf-8") as file:
        return {row["student_id"]: row for row in csv.DictReader(file) if row["assignment"] == LAB}


def test_the_class_table_marks_tasks_and_totals_that_wait(graded):
    _, ran = graded
    assert re.search(r"^ *ada +2 … +… +… +2 … *$", ran.stdout, re.MULTILINE), ran.stdout
    assert re.search(r"^ *bob +2 … +0 +… +2 … *$", ran.stdout, re.MULTILINE), ran.stdout
    assert re.search(r"^ *cyd +– +– +– +– *$", ran.stdout, re.MULTILINE), ran.stdout
    assert "Handed in nothing: dan" in ran.stdout
    assert "… waits for a person: grade it in formgrader." in " ".join(ran.stdout.split())


def test_the_feedback_page_marks_cells_and_the_total_that_wait(graded):
    folder, _ = graded
    ada, bob = page(folder, "ada"), page(folder, "bob")
    total = (
        r"essays \(waits for a person, who gives up to {} points more. Score so far: 2.0 / 29.0\)"
    )
    assert re.search(total.format("27.0"), ada)
    assert re.search(total.format("7.0"), bob)
    waits = "</a> (waits for a person; score so far: 0.0 / "
    assert f'<a href="#memo-answer">Written response{waits}20.0)' in ada
    assert f'<a href="#memo-answer">Written response{waits}' not in bob
    assert f'<a href="#sum-plot">Coding free-response{waits}3.0)' in ada
    assert f'<a href="#draw-task">Task{waits}4.0)' in ada
    assert '<a href="#sum-check">Test cell</a> (Score: 2.0 / 2.0)' in ada
    assert ada.count("Waits for a person; score so far: ") == 3
    assert bob.count("Waits for a person; score so far: ") == 2
    assert "Score: 20 / 20" in ada, "what a student wrote is not changed"


def test_the_feedback_page_of_a_notebook_that_could_not_be_graded_says_so(graded):
    folder, _ = graded
    assert "essays (could not be graded. Score: 0.0 / 29.0)" in page(folder, "cyd")


def test_the_export_says_how_many_points_wait_and_how_far_grading_has_come(graded):
    folder, _ = graded
    rows = exported(folder)
    said = {name: (row["score"], row["waiting_score"], row["state"]) for name, row in rows.items()}
    assert said == {
        "ada": ("2.0", "27.0", "waits for a person"),
        "bob": ("2.0", "7.0", "waits for a person"),
        "cyd": ("0.0", "0.0", "could not be graded"),
        "dan": ("0.0", "0.0", "nothing handed in"),
    }
    assert rows["ada"]["last_name"] == "Lovelace, Countess"


def test_the_export_holds_what_nbgraders_own_holds(graded):
    folder, _ = graded
    chosen = f"--assignment=['{LAB}']", "--student=['bob','dan']"
    ours = exported(folder, *chosen)
    theirs = exported(folder, *chosen, "--exporter=nbgrader.plugins.CsvExportPlugin")
    assert list(ours) == list(theirs)
    assert set(ours) == {"bob", "dan"}
    for student, row in theirs.items():
        assert row == {name: ours[student][name] for name in row}


def test_when_a_person_has_graded_nothing_waits(graded, sharewell):
    folder, _ = graded
    with course.Course(folder).gradebook() as gradebook:
        submission = gradebook.find_submission(LAB, "bob")
        for grade in (grade for notebook in submission.notebooks for grade in notebook.grades):
            if grade.needs_manual_grade:
                grade.manual_score, grade.needs_manual_grade = 1.5, False
        gradebook.db.commit()
    ran = sharewell("grade", LAB, "--course", folder)
    assert re.search(r"^ *bob +3\.5 +0 +1\.5 +5 *$", ran.stdout, re.MULTILINE), ran.stdout
    assert exported(folder)["bob"]["state"] == "graded"
    nbgrader(folder, "generate_feedback", LAB, "--student=bob", "--force")
    assert "essays (Score: 5.0 / 29.0)" in page(folder, "bob")
    assert "aits for a person" not in page(folder, "bob")
