"""The command line: what it says when all is well, and when something is not."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pytest
from gradewell.runner.runner import Runner
from sharewell import SharewellError, content, course

LAB = "lab-04-classification"


def snapshot(folder):
    """Every file below a folder with its bytes."""
    return {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def fails(process, *said):
    """One clear message on stderr, no traceback, a non-zero exit."""
    assert process.returncode == 1, process.stdout + process.stderr
    assert process.stderr.startswith("Error: ")
    assert "Traceback" not in process.stderr + process.stdout
    for words in said:
        assert words in process.stderr


@contextlib.contextmanager
def unwritable(folder):
    """A folder that nobody can write to, not even root."""
    if os.geteuid() == 0:
        if subprocess.run(["chattr", "+i", folder], capture_output=True, check=False).returncode:
            pytest.skip("this file system cannot make a folder that root may not write to")
        undo = ["chattr", "-i", folder]
    else:
        folder.chmod(0o555)
        undo = ["chmod", "755", folder]
    try:
        yield
    finally:
        subprocess.run(undo, check=True)


def test_help_imports_nothing_heavy():
    code = (
        "import sys; from sharewell import cli\n"
        "try: cli.app(['--help'])\n"
        "except SystemExit: pass\n"
        "print([m for m in ('numpy', 'pandas', 'nbgrader', 'faker', 'nbformat') if m in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines()[-1] == "[]"
    for command in ("start", "init", "grade", "demo", "doctor", "data"):
        assert command in ran.stdout


@pytest.mark.parametrize("command", ["start", "init", "grade", "demo", "doctor", "data"])
def test_every_command_explains_itself(command, sharewell):
    ran = sharewell(command, "--help")
    assert ran.returncode == 0
    assert len(ran.stdout) > 200


def test_an_unknown_command_is_a_usage_error(sharewell):
    ran = sharewell("gradee")
    assert ran.returncode == 2
    assert "gradee" in ran.stderr


# -- init -------------------------------------------------------------------------------------------


def test_init_makes_a_course_that_nbgrader_accepts(tmp_path, sharewell):
    ran = sharewell("init", "my course", cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr
    folder = tmp_path / "my course"
    assert (folder / "secret.txt").stat().st_mode & 0o077 == 0
    environment = {
        **os.environ,
        "PATH": str(Path(sys.executable).parent) + os.pathsep + os.environ["PATH"],
    }

    def nbgrader(*arguments):
        return subprocess.run(
            [sys.executable, "-m", "nbgrader", *arguments],
            cwd=folder,
            capture_output=True,
            text=True,
            env=environment,
            check=False,
        )

    made = nbgrader("generate_assignment", LAB)
    assert made.returncode == 0, made.stderr
    assert not re.search(
        "WARNING|ERROR", made.stderr.replace("[GenerateAssignmentApp | WARNING] No", "")
    )
    valid = nbgrader("validate", f"source/{LAB}/{LAB}.ipynb")
    assert "Success! Your notebook passes all the tests." in valid.stdout, (
        valid.stdout + valid.stderr
    )
    starter = nbgrader("validate", f"release/{LAB}/{LAB}.ipynb")
    assert "VALIDATION FAILED" in starter.stdout
    assert "Your order is empty" in starter.stdout  # the check's own words, for the Validate button


def test_the_student_version_holds_no_solution_and_no_hidden_test(tmp_path):
    from sharewell import grading

    course.make(tmp_path / "c")
    made = course.Course(tmp_path / "c")
    grading.prepare(made, LAB)
    source = nbformat.read(made.root / "source" / LAB / f"{LAB}.ipynb", as_version=4)
    release = (made.root / "release" / LAB / f"{LAB}.ipynb").read_text(encoding="utf-8")
    for pattern in ("BEGIN SOLUTION", "HIDDEN TESTS", "population_seed", "profiling.hidden"):
        assert pattern not in release
    for cell in source.cells:
        for hidden in re.findall(
            r"### BEGIN (?:SOLUTION|HIDDEN TESTS)\n(.*?)### END", cell.source, re.S
        ):
            for line in hidden.splitlines():
                if len(line.strip()) > 25:
                    assert line.strip() not in release, line


@pytest.mark.parametrize("command", ["init", "demo", "start"])
def test_a_folder_in_use_is_left_untouched(command, tmp_path, sharewell):
    folder = tmp_path / "thesis"
    folder.mkdir()
    (folder / "thesis.tex").write_text("years of work")
    before = snapshot(tmp_path)
    fails(sharewell(command, folder), "thesis", "nothing was changed")
    fails(sharewell(command, folder / "thesis.tex"), "thesis.tex")
    assert snapshot(tmp_path) == before


@pytest.mark.parametrize("command", ["init", "demo", "start"])
def test_no_permission_to_write_is_one_message(command, tmp_path, sharewell):
    folder = tmp_path / "locked"
    folder.mkdir()
    with unwritable(folder):
        fails(sharewell(command, folder / "new"), "cannot make", "may write to")
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("stop", [KeyboardInterrupt, OSError(28, "No space left on device")])
def test_an_interrupted_init_leaves_nothing_behind(stop, tmp_path, monkeypatch):
    def interrupted(folder):
        (folder / "half").mkdir(parents=True)
        raise stop

    monkeypatch.setattr(content, "copy_labs", interrupted)
    with pytest.raises(SharewellError if isinstance(stop, OSError) else stop):
        course.make(tmp_path / "c")
    assert list(tmp_path.iterdir()) == []


def test_init_fills_an_empty_folder_that_one_stands_in(tmp_path, sharewell):
    ran = sharewell("init", ".", cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr
    assert (tmp_path / "nbgrader_config.py").is_file()
    assert not list(tmp_path.glob(".*-*"))


# -- grade ------------------------------------------------------------------------------------------


def test_grade_shows_the_class_and_a_second_run_changes_nothing(mini_course, hand_in, sharewell):
    hand_in("ada", 42)
    hand_in("bob", 7)
    first = sharewell("grade", "mini", "--course", mini_course)
    assert first.returncode == 0, first.stderr
    assert re.search(r"ada +3 +3", first.stdout)
    assert re.search(r"bob +1 +1", first.stdout)
    assert "Graded 2, unchanged 0" in first.stdout
    before = snapshot(mini_course / "autograded")
    second = sharewell("grade", "mini", "--course", mini_course)
    assert "Graded 0, unchanged 2" in second.stdout
    assert snapshot(mini_course / "autograded") == before
    forced = sharewell("grade", "mini", "--course", mini_course, "--force", "--student", "bob")
    assert "Graded 1, unchanged 0" in forced.stdout


def test_what_cannot_be_graded_costs_itself_only(mini_course, hand_in, sharewell):
    hand_in("good", 42)
    hand_in("broken", b'{"cells": [')
    hand_in("binary", b"\xff\xfe\x00\x01")
    hand_in("other", 42, name="homework (2).ipynb")
    hand_in("star*", 42)
    (mini_course / "submitted" / "empty" / "mini").mkdir(parents=True)
    submitted = snapshot(mini_course / "submitted")
    ran = sharewell("grade", "mini", "--course", mini_course)
    fails(
        ran,
        "broken: mini.ipynb is damaged or no notebook at all (its JSON is wrong in line 1): ask for it",
        "binary: mini.ipynb is damaged or no notebook at all",
        "empty: there is no mini.ipynb",
    )
    assert "homework (2).ipynb" in ran.stdout
    assert re.search(r"other +3 +3", ran.stdout)
    assert re.search(r"good +3 +3", ran.stdout)
    assert re.search(r"star\* +3 +3", ran.stdout)
    assert snapshot(mini_course / "submitted") == submitted


def test_what_is_too_much_costs_itself_and_a_name_acts_on_no_terminal(
    mini_course, hand_in, sharewell
):
    name = "eve\x1b]0;owned\x07"
    hand_in(name, 42)
    hand_in("good", 42)
    large = hand_in("large", 42).with_name("large.bin")
    with large.open("wb") as file:
        file.truncate(600 << 20)
    ran = sharewell("grade", "mini", "--course", mini_course)
    fails(ran, "large: more was handed in than a notebook may have")
    assert "\x1b]0;" not in ran.stdout + ran.stderr
    assert "eve\\x1b]0;owned" in ran.stdout
    assert re.search(r"good +3 +3", ran.stdout)


def test_students_may_have_names(mini_course, hand_in, sharewell):
    students = ("zoë-o'brien", "王小明", "a.b@example.org", "two words")
    for student in students:
        hand_in(student, 42)
    ran = sharewell("grade", "mini", "--course", mini_course, env={**os.environ, "PYTHONUTF8": "1"})
    assert ran.returncode == 0, ran.stderr
    with course.Course(mini_course).gradebook() as gradebook:
        assert all(gradebook.find_submission("mini", one).score == 3 for one in students)


def test_grade_says_what_is_missing(mini_course, hand_in, sharewell, tmp_path):
    fails(
        sharewell("grade", "mini", "--course", tmp_path / "nowhere"),
        "there is no folder",
        "sharewell init",
    )
    fails(sharewell("grade", "mini", "--course", tmp_path), "is no course", "nbgrader_config.py")
    fails(sharewell("grade", "lab-99", "--course", mini_course), "no lab 'lab-99'", "mini")
    fails(sharewell("grade", "mini", "--course", mini_course), "nobody has handed in mini")
    hand_in("ada", 42)
    fails(
        sharewell("grade", "mini", "--course", mini_course, "--student", "bob"),
        "bob handed in nothing",
    )
    assert not (mini_course / "gradebook.db").exists()


def test_grade_without_permission_changes_nothing(mini_course, hand_in, sharewell):
    hand_in("ada", 42)
    before = snapshot(mini_course)
    with unwritable(mini_course):
        fails(sharewell("grade", "mini", "--course", mini_course), "cannot write to", "of your own")
    assert snapshot(mini_course) == before


def test_a_broken_configuration_or_gradebook_is_named(mini_course, hand_in, sharewell):
    hand_in("ada", 42)
    config = mini_course / "nbgrader_config.py"
    good = config.read_text()
    config.write_text("c = get_config(\n")
    fails(sharewell("grade", "mini", "--course", mini_course), "nbgrader_config.py cannot be read")
    config.write_text(good)
    (mini_course / "gradebook.db").write_bytes(b"this is no database" * 100)
    fails(sharewell("grade", "mini", "--course", mini_course), "gradebook", "cannot be used")


def test_a_lab_that_is_no_notebook_is_named(mini_course, hand_in, sharewell):
    hand_in("ada", 42)
    (mini_course / "source" / "mini" / "mini.ipynb").write_text("{")
    fails(
        sharewell("grade", "mini", "--course", mini_course),
        "the lab cannot be prepared",
        "mini.ipynb is damaged",
    )


def test_an_interrupted_grading_goes_on_where_it_stopped(
    mini_course, hand_in, sharewell, start_interruptible
):
    for number in range(30):
        hand_in(f"s{number:02}", 42)
    command = [sys.executable, "-m", "sharewell", "grade", "mini", "--course", str(mini_course)]
    process = start_interruptible(command)
    wait_until(lambda: (mini_course / "feedback" / "s01").is_dir(), process)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=180)
    assert process.returncode == 130, err
    assert "the same command goes on from here" in out
    assert "Traceback" not in err
    done = len(list((mini_course / "feedback").iterdir()))
    assert 2 <= done < 30
    ran = sharewell("grade", "mini", "--course", mini_course)
    assert ran.returncode == 0, ran.stderr
    said = re.search(r"Graded (\d+), unchanged (\d+)", ran.stdout)
    graded, unchanged = map(int, said.groups())
    assert (graded + unchanged, len(re.findall(r"s\d\d +3 +3", ran.stdout))) == (30, 30)
    assert len(list((mini_course / "feedback").iterdir())) == 30
    assert unchanged >= done - 1


def wait_until(reached, process, seconds=300):
    end = time.monotonic() + seconds
    while not reached():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end, "took too long"
        time.sleep(0.05)


# -- start ------------------------------------------------------------------------------------------


def test_start_makes_a_folder_once_and_keeps_what_a_student_wrote(tmp_path, sharewell):
    folder = tmp_path / "me"
    first = sharewell("start", folder, "--no-open")
    assert first.returncode == 0, first.stderr
    lab = folder / "labs" / LAB / f"{LAB}.ipynb"
    assert "YOUR CODE HERE" in lab.read_text(encoding="utf-8")
    assert (folder / "lessons" / "2-management" / "2.4-classification.ipynb").is_file()
    assert not list(folder.rglob("secret.txt"))
    lab.write_text("my own work")
    (folder / "lessons" / "2-management" / "2.4-classification.ipynb").unlink()
    second = sharewell("start", folder, "--no-open")
    assert second.returncode == 0, second.stderr
    assert lab.read_text() == "my own work"
    assert (folder / "lessons" / "2-management" / "2.4-classification.ipynb").is_file()


# -- doctor --------------------------------------------------------------------------------


def test_doctor_finds_this_environment_ready(sharewell):
    ran = sharewell("doctor")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "Ready." in ran.stdout
    assert "nbgrader" in ran.stdout


def test_doctor_says_what_to_do_about_what_is_missing(sharewell, tmp_path):
    with_nothing = {
        **os.environ,
        "PATH": "",
        "DATAPOLIS_CACHE": str(tmp_path / "missing" / "cache"),
    }
    ran = sharewell("doctor", env=with_nothing)
    assert ran.returncode == 0
    assert "apt install chromium" in ran.stdout
    assert "apt install bubblewrap" in ran.stdout


def test_an_instructor_prints_codes_and_a_student_keeps_theirs(sharewell, tmp_path):
    from sharewell import variant

    folder = tmp_path / "c"
    course.make(folder)
    fails(sharewell("codes", cwd=folder), "the gradebook knows no students", "--student ID")
    with course.Course(folder).gradebook() as gradebook:
        gradebook.add_student("ada")
        gradebook.add_student('o"brien, bob')
    printed = sharewell("codes", cwd=folder)
    lines = printed.stdout.splitlines()
    assert printed.returncode == 0
    secret = (folder / "secret.txt").read_text().strip()
    code = variant.code_of("ada", secret)
    assert lines[:2] == ["student,code", f"ada,{code}"]
    assert lines[2].startswith('"o""brien, bob",')
    assert sharewell("codes", "--student", "cy", cwd=folder).stdout.count("cy,") == 1
    (folder / "secret.txt").unlink()
    fails(sharewell("codes", cwd=folder), "without a secret there are no codes")

    student = tmp_path / "student"
    student.mkdir()
    kept = sharewell("me", code.lower(), "student", cwd=tmp_path)
    assert kept.returncode == 0
    assert "Restart the kernels" in kept.stdout
    assert (student / variant.FILE).read_text().strip() == code
    assert (student / variant.FILE).stat().st_mode & 0o077 == 0
    assert sharewell("me", code, cwd=student).returncode == 0  # in the folder itself
    fails(sharewell("me", code[:-1], cwd=student), "is no code", "five groups of four")
    fails(sharewell("me", code, "nowhere", cwd=tmp_path), "there is no folder nowhere")


ENCODINGS = ("gbk", "cp1252", "ascii")


@pytest.fixture
def sharewell_in(sharewell):
    """Run the command line with output in an encoding, as redirected output has it on Windows. Returns what it said."""

    def run(encoding, *words, cwd):
        outside = {**os.environ, "PYTHONIOENCODING": encoding}
        ran = sharewell(*words, cwd=cwd, env=outside, encoding=encoding, errors="replace")
        assert ran.returncode == 0, ran.stdout + ran.stderr
        assert "Traceback" not in ran.stderr
        return ran.stdout

    return run


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_character_that_the_encoding_lacks_is_escaped(encoding, sharewell_in, tmp_path):
    course.make(tmp_path / "c")
    assert "Ready." in sharewell_in(encoding, "doctor", cwd=tmp_path)
    assert "residents" in sharewell_in(encoding, "data", "show", "residents", cwd=tmp_path)
    assert "grade" in sharewell_in(encoding, "--help", cwd=tmp_path)
    for name in ("张伟", "Zoë", "\U0001f600", os.fsdecode(b"caf\xe9")):
        shown = name.encode(encoding, "backslashreplace").decode(encoding)
        said = sharewell_in(encoding, "codes", "--course", "c", "--student", name, cwd=tmp_path)
        assert re.search(f"^{re.escape(shown)},[A-Z2-7]{{4}}-", said, re.MULTILINE)
    sharewell_in(encoding, "init", "课程", cwd=tmp_path)
    assert (tmp_path / "课程" / "nbgrader_config.py").is_file()


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_an_error_with_a_foreign_character_is_one_message(encoding, sharewell, tmp_path):
    outside = {**os.environ, "PYTHONIOENCODING": encoding}
    words = ("grade", "作业", "--course", os.fsdecode(b"\xe9"))
    fails(
        sharewell(*words, cwd=tmp_path, env=outside, encoding=encoding, errors="replace"), "Error: "
    )


def test_the_guide_names_every_limit_as_it_comes(tmp_path):
    """The table in the instructors' guide, against what a new course has."""
    course.make(tmp_path / "course")
    made = course.Course(tmp_path / "course")
    config = made.nbgrader()[0]
    guide = (content.root().parent / "book" / "teach" / "grading.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `c\.(\w+)\.(\w+)` \| ([\d,]+)", guide, re.MULTILINE)
    told = {(owner, name): int(number.replace(",", "")) for owner, name, number in rows}
    limits = {"call_timeout", "notebook_timeout", "memory", "processes", "open_files", "disk", "inodes", "output",
              "notebook_size", "answer_size"}  # fmt: skip
    assert set(told) == {("Execute", "timeout"), *(("Runner", name) for name in limits)}
    for (owner, name), number in told.items():
        default = Runner.class_traits()[name].default_value if owner == "Runner" else None
        assert config[owner].get(name, default) == number, name


def test_feedback_is_written_whatever_a_student_is_called(mini_course, sharewell, bubblewrap):
    names = ("a=b [x]", "[all]", "x*y?", "{a}")
    for student in names:
        to = mini_course / "submitted" / student / "mini" / "mini.ipynb"
        to.parent.mkdir(parents=True)
        to.write_bytes((mini_course / "source" / "mini" / "mini.ipynb").read_bytes())
    ran = sharewell("grade", "mini", "--course", mini_course)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    for student in names:
        assert (mini_course / "feedback" / student / "mini" / "mini.html").is_file()
