"""The command itself: what it says, what it takes, and nbgrader's own command and button with our execution."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pexpect
import pytest

GOOD = {"answer": "def double(x):\n    return 2 * x", "more": "y = 1"}
LINES = """
from gradewell.runner.execute import preprocessors
c.Autograde.autograde_preprocessors = preprocessors()
"""
LOOK = "import os\ny = 1\nprint('SEEN', os.path.exists(%r), os.getpid() < 20)"


@pytest.fixture
def course(fresh):
    for student in ("ada", "bob"):
        fresh.hand_in(student, "lab", answers=GOOD)
    return fresh


def test_help_is_there_at_once():
    code = (
        "import sys; from gradewell.cli import app\n"
        "try: app(['autograde', '--help'])\n"
        "except SystemExit: pass\n"
        "print([m for m in ('nbgrader', 'numpy', 'sqlalchemy', 'nbformat', 'dask') if m in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines()[-1] == "[]"
    for option in ("--student", "--notebook", "--force", "--create", "--jobs", "--timeout", "--memory",
                   "--scheduler", "--sandbox", "--json"):  # fmt: skip
        assert option in ran.stdout


def test_the_runner_imports_nothing_of_ours():
    code = (
        "import sys, pkgutil, importlib, gradewell.runner as r\n"
        "for m in pkgutil.walk_packages(r.__path__, 'gradewell.runner.'): importlib.import_module(m.name)\n"
        "print([m for m in sys.modules if m.partition('.')[0] in ('sharewell', 'datapolis') "
        "or m.startswith('gradewell.checks')])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


def test_a_run_says_what_became_of_everybody(course):
    course.hand_in("cyd", "lab", answers={**GOOD, "more": "import os\nos._exit(3)"})
    course.hand_in("dan", "lab").write_text("{")
    ran = course.gradewell("lab", code=1)
    lines = ran.stdout.splitlines()
    assert re.search(r"^ada +graded in \d+\.\d s$", ran.stdout, re.MULTILINE)
    assert re.search(
        r"^cyd +stopped in .*: lab: its process ended itself", ran.stdout, re.MULTILINE
    )
    assert re.search(r"^dan +failed", ran.stdout, re.MULTILINE)
    assert any(
        re.match(r"Graded 3, 1 of them stopped before their end, 1 could not be", x) for x in lines
    )
    assert "Slowest notebooks" in ran.stdout
    again = course.gradewell("lab", code=1)
    assert "3 had been graded before" in again.stdout
    assert "ada " not in again.stdout


def test_json_is_one_document_on_stdout(course):
    course.hand_in("cyd", "lab", answers={**GOOD, "more": "import os\nos._exit(3)"})
    course.hand_in("eve", "lab", answers={**GOOD, "more": "import os\nos.write(1, b'{')\ny = 1"})
    ran = course.gradewell("lab", "--json")
    document = json.loads(ran.stdout)
    assert document["assignment"] == "lab"
    by_student = {one["student"]: one for one in document["submissions"]}
    assert [by_student[s]["score"] for s in ("ada", "cyd", "eve")] == [7, 1, 7]
    assert {one["max_score"] for one in document["submissions"]} == {7}
    assert by_student["cyd"]["status"] == "stopped"
    (notebook,) = by_student["ada"]["notebooks"]
    assert notebook["name"] == "lab"
    assert 0 < notebook["slowest_seconds"] <= notebook["seconds"] < document["seconds"]
    assert "graded" in ran.stderr


def on_a_terminal(course, *words, path=None):
    """Start the command with a terminal before it."""
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "110"}
    if path:
        environment["PATH"] = str(path)
    return pexpect.spawn(
        str(Path(sys.executable).parent / "gradewell"),
        ["autograde", "lab", *words],
        cwd=course.path,
        env=environment,
        encoding="utf-8",
        dimensions=(40, 110),
        timeout=60,
    )


def test_a_terminal_shows_a_bar_with_rate_and_time_left(course):
    for number in range(12):
        more = "import time\ntime.sleep(0.3)\ny = 1"
        course.hand_in(f"s{number:02}", "lab", answers={**GOOD, "more": more})
    screen = on_a_terminal(course, "--jobs", "1")
    screen.expect(r"Grading.*?[1-9]\d*/14.*?\d+ a minute.*?0:00:\d\d")
    screen.expect("Graded 14")
    screen.expect(pexpect.EOF)


def test_without_a_sandbox_a_person_is_asked(course, tmp_path):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python3").symlink_to(sys.executable)
    for answer, code, said in (("n", 2, "cannot be sandboxed"), ("y", 0, "Graded 2")):
        screen = on_a_terminal(course, path=tmp_path / "bin")
        screen.expect("bubblewrap is not installed")
        screen.expect(r"Go on without a sandbox\?.*y/N")
        screen.sendline(answer)
        screen.expect(said)
        screen.expect(pexpect.EOF)
        screen.close()
        assert screen.exitstatus == code
    assert course.scores("lab") == {"ada": 7, "bob": 7}


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["lab", "--student", "nobody"], 2, "nothing to grade"),
        (["no-such-lab"], 2, "nothing to grade"),
        (["lab", "--jobs", "0"], 2, "jobs"),
        (["lab", "--sandbox", "cage"], 2, "sandbox"),
        (["lab", "--scheduler", "tcp://127.0.0.1:1"], 2, "no Dask scheduler answers"),
        ([], 2, "ASSIGNMENT"),
    ],
)
def test_what_cannot_be_done_is_said(words, code, said, course):
    ran = course.gradewell(*words, code=code)
    assert said in ran.stderr + ran.stdout
    assert not (course.path / "autograded").exists()


def test_outside_a_course_and_with_a_broken_configuration_it_says_so(course, at, tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    assert "nothing to grade" in at(empty).gradewell("lab", code=2).stderr
    (course.path / "nbgrader_config.py").write_text("c = get_config(\n")
    ran = course.gradewell("lab", code=2)
    assert "nbgrader_config.py" in ran.stderr


def test_what_is_declared_readable_is_seen_also_below_tmp(course, tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "shared.txt").write_text("for all")
    (tmp_path / "one.txt").write_text("one")
    (tmp_path / "secret.txt").write_text("no")
    with (course.path / "nbgrader_config.py").open("a") as config:
        config.write(
            f"c.Runner.readable = [{str(tmp_path / 'data')!r}, {str(tmp_path / 'one.txt')!r}]\n"
        )
    look = f"import os\nfrom pathlib import Path\nroot = Path({str(tmp_path)!r})\nfound = []\n"
    look += (
        "found.append((root / 'data/shared.txt').read_text() + (root / 'one.txt').read_text())\n"
    )
    look += "found.append((root / 'secret.txt').exists())\ntry:\n    (root / 'one.txt').write_text('x')\n"
    look += "except OSError:\n    found.append('read only')\nprint('SEEN', found)\ny = 1"
    course.hand_in("eve", "lab", answers={**GOOD, "more": look})
    course.gradewell("lab")
    assert "SEEN ['for allone', False, 'read only']" in course.outputs("eve", "lab")


def test_another_way_to_execute_notebooks_is_refused(course):
    with (course.path / "nbgrader_config.py").open("a") as config:
        config.write(
            "c.Autograde.autograde_preprocessors = ['nbconvert.preprocessors.ExecutePreprocessor', "
            "'nbgrader.preprocessors.SaveAutoGrades']\n"
        )
    ran = course.gradewell("lab", code=2)
    assert "executed by ExecutePreprocessor, outside of any sandbox" in ran.stderr
    assert not (course.path / "autograded").exists()


def test_a_kernel_that_is_not_installed_is_named(course):
    source = course.path / "source/lab/lab.ipynb"
    nb = nbformat.read(source, as_version=4)
    nb.metadata.kernelspec.name = "fortran77"
    nbformat.write(nb, source)
    course.nbgrader("generate_assignment", "lab", "--force")
    assert "no kernel named 'fortran77'" in course.gradewell("lab", code=2).stderr


def test_settings_come_from_the_configuration(course):
    with (course.path / "nbgrader_config.py").open("a") as config:
        config.write("c.Execute.timeout = 1\nc.Runner.jobs = 1\nc.Runner.sandbox = 'none'\n")
    course.hand_in("slow", "lab", answers={**GOOD, "more": "import time\ntime.sleep(30)"})
    ran = course.gradewell("lab")
    assert "Not sandboxed" in ran.stdout
    assert "1 with cells that ran out of time" in ran.stdout


def test_nbgraders_own_command_uses_the_sandbox_after_two_lines_of_configuration(course):
    with (course.path / "nbgrader_config.py").open("a") as config:
        config.write(LINES)
    secret = course.path / "nbgrader_config.py"
    course.hand_in("spy", "lab", answers={**GOOD, "more": LOOK % str(secret)})
    course.hand_in("bad", "lab", answers={**GOOD, "more": "import os\nos._exit(0)"})
    course.nbgrader("autograde", "lab")
    assert course.scores("lab") == {"ada": 7, "bob": 7, "spy": 7, "bad": 1}
    assert "SEEN False True" in course.outputs("spy", "lab")
    assert "ended itself" in course.outputs("bad", "lab")


def test_formgraders_button_uses_the_sandbox(course, jupyter, browser):
    with (course.path / "nbgrader_config.py").open("a") as config:
        config.write(LINES)
    course.hand_in("spy", "lab", answers={**GOOD, "more": LOOK % str(course.path / "source")})
    address = jupyter(course.path, f"{sys.executable} -m jupyter lab")
    page = browser.new_page()
    page.goto(f"{address}/formgrader/manage_submissions/lab")
    row = page.locator("tr", has_text="spy")
    row.locator(".autograde a").click(timeout=60_000)
    page.get_by_text("successfully autograded").wait_for(timeout=60_000)
    page.close()
    assert course.scores("lab") == {"spy": 7}
    assert "SEEN False True" in course.outputs("spy", "lab")


@pytest.mark.parametrize("encoding", ["utf-8", "gbk", "cp1252", "ascii"])
def test_names_that_the_output_cannot_show_end_nothing(encoding, fresh):
    no_text = os.fsdecode(b"caf\xe9")  # a folder's name may be any bytes
    for student in ("张伟", "Zoë", "\U0001f600", no_text):
        fresh.hand_in(student, "lab", answers=GOOD)
    outside = {**os.environ, "PYTHONIOENCODING": encoding}
    command = [sys.executable, "-c", "from gradewell.cli import main; main()", "autograde", "lab"]
    for words in ([], ["--json", "--force"]):
        ran = subprocess.run(
            [*command, *words], cwd=fresh.path, env=outside, capture_output=True, check=False
        )
        assert b"Traceback" not in ran.stderr
        assert fresh.scores("lab") == {"张伟": 7, "Zoë": 7, "\U0001f600": 7}
    report = json.loads(ran.stdout.decode(encoding))["submissions"]
    assert {one["student"]: one["status"] for one in report} == {
        "张伟": "graded", "Zoë": "graded", "\U0001f600": "graded", no_text: "failed"
    }  # fmt: skip
