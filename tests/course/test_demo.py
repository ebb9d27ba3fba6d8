"""``sharewell demo``: a whole class, interrupted, gone on with, and graded."""

import csv
import os
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console
from sharewell import SharewellError, course, report
from sharewell import demo as demonstration
from sharewell.demo import HANDED_IN, LAB, UNREADABLE

pytestmark = pytest.mark.xdist_group("demo")


def test_an_interruption_is_one_sentence_and_exit_130(demo):
    _, interrupted, _ = demo
    assert interrupted.returncode == 130
    assert "the same command goes on from here" in interrupted.stdout
    assert "Traceback" not in interrupted.stderr


def test_the_second_run_goes_on_and_grades_the_whole_class(demo):
    folder, _, finished = demo
    assert finished.returncode == 0, finished.stderr
    assert "Going on with the demo" in finished.stdout
    assert "Making an nbgrader course" not in finished.stdout
    submitted = list((folder / "submitted").glob(f"*/{LAB}/{LAB}.ipynb"))
    assert len(submitted) == len(HANDED_IN) == 24
    assert len(list((folder / "autograded").glob(f"*/{LAB}"))) == 24
    assert len(list((folder / "autograded").glob(f"*/{LAB}/not_graded.txt"))) == 1
    assert len(list((folder / "feedback").glob(f"*/{LAB}/{LAB}.html"))) == 24


def test_the_class_is_shown_with_what_went_wrong_and_what_to_do_next(demo):
    _, _, finished = demo
    assert "Points of 24 students" in finished.stdout
    assert "What went wrong most often" in finished.stdout
    assert "90 to 100 %" in finished.stdout
    assert "damaged or no notebook at all" in finished.stdout
    assert finished.stdout.rstrip().endswith("jupyter lab --LabApp.default_url=/formgrader")


def test_nbgrader_itself_exports_the_same_grades(demo):
    folder, _, _ = demo
    environment = {
        **os.environ,
        "PATH": str(Path(sys.executable).parent) + os.pathsep + os.environ["PATH"],
    }
    subprocess.run(
        [sys.executable, "-m", "nbgrader", "export", "--CsvExportPlugin.to=again.csv"],
        cwd=folder,
        env=environment,
        capture_output=True,
        check=True,
    )
    exported = list(csv.DictReader((folder / "again.csv").open(encoding="utf-8")))
    assert exported == list(csv.DictReader((folder / "grades.csv").open(encoding="utf-8")))
    scores = sorted(float(row["score"]) for row in exported)
    assert len(scores) == 24
    assert {row["max_score"] for row in exported} == {"100.0"}
    assert scores.count(80.0) == sum(name.startswith("right/") for name in HANDED_IN)
    assert scores[:2] == [0.0, 0.0]  # nothing written, and unreadable
    assert all(row["first_name"] and row["email"].endswith("example.org") for row in exported)


def test_only_right_submissions_have_all_points_that_a_machine_gives(demo):
    folder, _, _ = demo
    with course.Course(folder).gradebook() as gradebook:
        full = [s for s in gradebook.find_assignment(LAB).submissions if s.score == 80]
    assert len(full) == len(HANDED_IN) - len([n for n in HANDED_IN if not n.startswith("right/")])
    assert HANDED_IN.count(UNREADABLE) == 1


def test_restart_throws_away_a_demo_and_nothing_else(demo, tmp_path, sharewell):
    (tmp_path / "thesis.tex").write_text("years of work")
    ran = sharewell("demo", tmp_path, "--restart")
    assert ran.returncode == 1
    assert "is no demo, so it is not thrown away" in ran.stderr
    assert (tmp_path / "thesis.tex").read_text() == "years of work"


def test_if_nobody_has_a_point_it_says_that_grading_does_not_work_here(tmp_path, monkeypatch):
    possible = {"parsons": 4.0, "memo": 20.0}
    row = report.Row("s01", True, dict.fromkeys(possible, 0.0), possible, {"memo": 20.0})
    monkeypatch.setattr(report, "rows", lambda *of: [row])
    course.make(tmp_path / "course")
    with pytest.raises(SharewellError, match="grading does not work on this machine"):
        demonstration._report(course.Course(tmp_path / "course"), Console(quiet=True), {})
