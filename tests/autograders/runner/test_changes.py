"""What has changed is graded again, whatever its time says; points of an earlier hand-in do not stay."""

import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.xdist_group("changes")

RIGHT = {"answer": "def double(x):\n    return 2 * x", "more": "y = 1"}
WRONG = {"answer": "def double(x):\n    return 3 * x", "more": "y = 1"}


def statuses(report):
    return {student: one["status"] for student, one in report.items()}


def test_a_notebook_that_was_replaced_is_graded_again(fresh):
    for student in ("ada", "bob"):
        fresh.hand_in(student, "lab", answers=RIGHT)
    path = fresh.hand_in("cyd", "lab", answers=RIGHT)
    before = path.stat()
    assert set(statuses(fresh.report("lab")).values()) == {"graded"}
    assert set(statuses(fresh.report("lab")).values()) == {"unchanged"}
    fresh.hand_in("cyd", "lab", answers=WRONG)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))  # as a backup that was put back
    assert statuses(fresh.report("lab")) == {
        "ada": "unchanged",
        "bob": "unchanged",
        "cyd": "graded",
    }
    assert fresh.scores("lab") == {"ada": 7, "bob": 7, "cyd": 2}
    path.touch()
    assert set(statuses(fresh.report("lab")).values()) == {"unchanged"}


def test_a_second_hand_in_without_the_tests_keeps_no_points_of_the_first(fresh):
    fresh.hand_in("ada", "lab", answers=RIGHT)
    fresh.gradewell("lab")
    fresh.hand_in("ada", "lab", change=lambda nb: nb.cells.__delitem__(slice(1, None)))
    fresh.gradewell("lab")
    assert fresh.scores("lab") == {"ada": 0}
    fresh.hand_in("ada", "lab", answers=RIGHT)
    fresh.gradewell("lab")
    assert fresh.scores("lab") == {"ada": 7}
    (fresh.path / "submitted/ada/lab/lab.ipynb").write_text("not a notebook")
    fresh.gradewell("lab", code=1)
    assert fresh.scores("lab") == {"ada": 0}


def test_a_file_beside_the_notebook_counts_as_well(fresh):
    fresh.hand_in("ada", "lab", answers=RIGHT, files={"data.csv": "1"})
    fresh.gradewell("lab")
    fresh.hand_in("ada", "lab", answers=RIGHT, files={"data.csv": "2"})
    assert statuses(fresh.report("lab")) == {"ada": "graded"}
    assert (fresh.path / "autograded/ada/lab/data.csv").read_text() == "2"
    fresh.hand_in("ada", "lab", answers=RIGHT, late="2026-10-01 12:00:00 UTC")
    assert statuses(fresh.report("lab")) == {"ada": "graded"}


@pytest.mark.parametrize("change", ["tests", "data", "settings", "secret", "gradebook"])
def test_what_it_is_graded_with_counts_as_well(change, new_course, cells, tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_SECRET", "one")
    course = new_course(tmp_path / "course", "c.Runner.environment = ['COURSE_SECRET']\n")
    course.lab(
        "lab",
        files={"data.csv": "1"},
        lab=[cells.answer("answer", "x = 1"), cells.test("check", "assert x == 1")],
    )
    for student in ("ada", "bob"):
        course.hand_in(student, "lab", answers={"answer": "x = 1"})
    course.gradewell("lab")
    assert set(statuses(course.report("lab")).values()) == {"unchanged"}
    if change == "tests":
        path = course.path / "source/lab/lab.ipynb"
        path.write_text(path.read_text().replace("assert x == 1", "assert x == 2"))
        course.nbgrader("generate_assignment", "lab", "--force")
    elif change == "data":
        (course.path / "source/lab/data.csv").write_text("2")
    elif change == "settings":
        with (course.path / "nbgrader_config.py").open("a") as config:
            config.write("c.Execute.timeout = 17\n")
    elif change == "secret":
        monkeypatch.setenv("COURSE_SECRET", "two")
    else:
        course.nbgrader("db", "student", "remove", "ada", "--force")
    expected = "graded" if change != "gradebook" else "unchanged"
    assert statuses(course.report("lab")) == {"ada": "graded", "bob": expected}
    assert course.scores("lab")["ada"] == (0 if change == "tests" else 1)


BY_HAND = """
from nbgrader.apps import NbGrader
from nbgrader.api import Gradebook
app = NbGrader(); app.initialize([])
with Gradebook(app.coursedir.db_url, "course") as gradebook:
    for cell, score in (("words", 2), ("check", 0.5), ("other", 3)):
        grade = gradebook.find_grade(cell, "lab", "lab", "ada")
        grade.manual_score, grade.needs_manual_grade = score, False
    gradebook.db.commit()
"""


@pytest.fixture
def by_hand(new_course, cells, tmp_path):
    """A course in which a person has graded two essays, and given other points for a test."""
    course = new_course(tmp_path / "course").lab(
        "lab",
        lab=[
            cells.answer("answer", "x = 1"),
            cells.test("check", "assert x == 1"),
            cells.essay("words"),
            cells.essay("other"),
        ],
    )
    course.hand_in("ada", "lab", answers={"answer": "x = 2", "words": "One.", "other": "Two."})
    course.gradewell("lab")
    subprocess.run([sys.executable, "-c", BY_HAND], cwd=course.path, check=True)
    assert course.scores("lab") == {"ada": 5.5}
    return course


def test_points_given_by_hand_stay_when_the_same_is_graded_again(by_hand):
    by_hand.gradewell("lab", "--force")
    assert by_hand.scores("lab") == {"ada": 5.5}


def test_points_given_by_hand_stay_with_the_answer_that_they_were_given_for(by_hand):
    by_hand.hand_in("ada", "lab", answers={"answer": "x = 3", "words": "One!", "other": "Two."})
    report = by_hand.report("lab")
    assert by_hand.scores("lab") == {"ada": 3}
    assert "given for the earlier hand-in were taken back: check, words" in report["ada"]["reason"]
