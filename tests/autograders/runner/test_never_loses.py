"""Whatever ends a run, the gradebook is whole, and the next run does what is left and nothing twice."""

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

pytestmark = pytest.mark.xdist_group("never-loses")

GRADEWELL = str(Path(sys.executable).parent / "gradewell")
GOOD = {"answer": "import time\ntime.sleep(0.2)\ndef double(x):\n    return 2 * x", "more": "y = 1"}
STUDENTS = [f"s{number:02}" for number in range(16)]
KILLS = 7


@pytest.fixture
def course(fresh):
    for number, student in enumerate(STUDENTS):
        more = "y = 1" if number % 3 else "y = 2"
        fresh.hand_in(student, "lab", answers={**GOOD, "more": more})
    return fresh


def right(course):
    """Everybody has the right points, and a notebook, and nothing is left lying about."""
    scores = {s: 7 if n % 3 else 5 for n, s in enumerate(STUDENTS)}
    assert course.scores("lab") == scores
    assert sorted(p.name for p in (course.path / "autograded").iterdir()) == STUDENTS
    assert not (course.path / ".autograding").exists()


def finished(course):
    """Student to the moment at which the graded notebook was written."""
    return {
        path.parent.parent.name: path.stat().st_mtime_ns
        for path in course.path.glob("autograded/*/lab/lab.ipynb")
    }


def whole(course):
    with sqlite3.connect(course.path / "gradebook.db") as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert database.execute("PRAGMA foreign_key_check").fetchall() == []
    # who has a notebook has all grades
    for student in finished(course):
        assert None not in course.points(student, "lab").values()


def start(course, *words):
    return subprocess.Popen(
        [GRADEWELL, "autograde", "lab", *words],
        cwd=course.path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def offspring(pid):
    return psutil.Process(pid).children(recursive=True)


def test_kills_at_random_moments_lose_nothing(course):
    """Moments are drawn by what is done, not by time: slow machines are killed as often in a run as fast ones."""
    rng = random.Random(4)
    template = course.copy(course.path.parent / "template")
    course.gradewell("lab")
    right(course)
    kills, runs = 0, 0
    while kills < KILLS:
        run = template.copy(course.path.parent / f"run{runs}")
        runs += 1
        done = {}
        while kills < KILLS:
            process = start(run)
            more = rng.randrange(5)
            while process.poll() is None and len(finished(run)) < len(done) + more:
                time.sleep(0.02)
            try:
                process.wait(rng.uniform(0, 1))
            except subprocess.TimeoutExpired:
                kills += 1
                children = offspring(process.pid)
                process.kill()
                process.communicate()
                _, alive = psutil.wait_procs(children, timeout=10)
                assert alive == []  # nothing goes on without its grader
            else:
                assert process.returncode == 0, process.communicate()
            whole(run)
            now = finished(run)
            assert now.items() >= done.items()  # what was finished is not done again
            done = now
            if process.returncode == 0:
                break
        run.gradewell("lab")
        assert finished(run).items() >= done.items()
        right(run)
    assert runs < KILLS


def test_an_interrupted_run_says_so_and_goes_on(course):
    process = start(course)
    while len(finished(course)) < 3:
        assert process.poll() is None
        time.sleep(0.02)
    children = offspring(process.pid)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "the same command goes on" in err
    assert "Traceback" not in out + err
    assert psutil.wait_procs(children, timeout=10)[1] == []
    whole(course)
    done = finished(course)
    assert 3 <= len(done) < len(STUDENTS)
    ran = course.gradewell("lab")
    assert f"Graded {len(STUDENTS) - len(done)}, {len(done)} had been graded before" in ran.stdout
    assert finished(course).items() >= done.items()
    right(course)


def test_a_second_run_at_the_same_time_is_told(course):
    process = start(course)
    while not (course.path / ".autograding.lock").exists() or not finished(course):
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(signal.SIGSTOP)  # however slow the second one is to begin
    ran = course.gradewell("lab", code=2)
    process.send_signal(signal.SIGCONT)
    assert f"process {process.pid} is grading this course" in ran.stderr
    assert process.wait(60) == 0
    process.communicate()
    right(course)
    course.gradewell("lab")  # and afterwards there is nothing in the way


@pytest.mark.parametrize("room", [40_000, 120_000], ids="{} bytes left".format)
def test_a_full_disk_is_named_and_corrupts_nothing(room, course, tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    tried = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(disk)]
    if subprocess.run(tried, capture_output=True, check=False).returncode:
        pytest.skip("this user may not mount a small disk to fill")
    try:
        small = course.copy(disk / "course")
        free = os.statvfs(disk)
        filler = disk / "filler"
        filler.write_bytes(b"x" * (free.f_bavail * free.f_frsize - room))
        ran = small.gradewell("lab", code=2)
        assert "disk is full" in ran.stderr.lower() or "No space left" in ran.stderr
        assert "the same command goes on" in ran.stderr
        whole(small)
        done = finished(small)
        assert len(done) < len(STUDENTS)
        filler.unlink()
        small.gradewell("lab")
        assert finished(small).items() >= done.items()
        right(small)
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


def test_a_gradebook_in_use_is_waited_for(course):
    course.gradewell("lab", "--student", "s00")
    with sqlite3.connect(course.path / "gradebook.db", isolation_level=None) as other:
        other.execute("BEGIN EXCLUSIVE")
        process = start(course)
        time.sleep(4)
        other.execute("COMMIT")
    out, err = process.communicate(timeout=180)
    assert process.returncode == 0, out + err
    right(course)


def test_a_gradebook_that_stays_locked_or_is_damaged_is_named(course):
    course.gradewell("lab", "--student", "s00")
    with sqlite3.connect(course.path / "gradebook.db", isolation_level=None) as other:
        other.execute("BEGIN EXCLUSIVE")
        ran = course.gradewell("lab", code=2)
        other.execute("COMMIT")
    assert "database is locked" in ran.stderr
    whole(course)
    saved = (course.path / "gradebook.db").read_bytes()
    (course.path / "gradebook.db").write_bytes(b"no database at all " * 1000)
    ran = course.gradewell("lab", code=2)
    assert "the gradebook cannot be used" in ran.stderr
    (course.path / "gradebook.db").write_bytes(saved)
    course.gradewell("lab")
    right(course)
