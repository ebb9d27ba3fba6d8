"""The same submissions graded by nbgrader and by gradewell: gradebook, notebooks and formgrader's view, field by field."""

import json
import re
import sqlite3
import subprocess
import sys

import pytest

pytestmark = pytest.mark.xdist_group("same-result")  # both courses are graded once

CONFIG = """
c.IncludeHeaderFooter.header = "source/header.ipynb"
c.Execute.timeout = 15
c.Execute.shutdown_kernel = "immediate"
c.Autograde.exclude_overwriting = {"kinds": ["mine.py"]}
c.AssignLatePenalties.plugin_class = "penalties.OnePointADay"
c.LimitOutput.max_lines = 50
"""
PENALTIES = """
from nbgrader.plugins import BasePlugin

class OnePointADay(BasePlugin):
    def late_submission_penalty(self, student_id, score, total_seconds_late):
        return min(score, total_seconds_late // 86400)
"""
HONEST_SQUARES = "def squares(n):\n    if n < 1:\n        raise ValueError\n    return [i**2 for i in range(1, n + 1)]"
SUM = "def sum_of_squares(n):\n    return sum(squares(n))"

KINDS = {
    "prints": "print('one'); import sys; print('two', file=sys.stderr); x = 1",
    "shows-values": "import pandas as pd\nfrom IPython.display import HTML, display\n"
    "display(HTML('<b>bold</b>'), {'a': 1})\nx = 1\npd.DataFrame({'a': [1, 2]})",
    "draws": "%matplotlib inline\nimport matplotlib.pyplot as plt\nfor k in range(2):\n"
    "    plt.figure()\n    plt.plot([1, k])\nplt.show()\nx = 1",
    "updates-a-display": "from IPython.display import clear_output, display\n"
    "handle = display('first', display_id=True)\nhandle.update('second')\n"
    "display('gone')\nclear_output(wait=True)\nprint('stays')\nx = 1",
    "raises": "x = 1\ndef f():\n    raise KeyError('no')\nf()",
    "exits": "x = 1\nraise SystemExit(3)",
    "syntax-error": "x = = 1",
    "asks": "x = int(input('How many?'))",
    "magics": "%timeit -n 1 -r 1 1\n%env HONEST=yes\n!echo from a shell\nfiles = !echo a b\nx = len(files)",
    "other-cell-magics": "%%bash\necho in bash",
    "waits": "import asyncio\nawait asyncio.sleep(0.01)\nx = 1",
    "threads": "import threading\nthread = threading.Thread(target=lambda: print('from a thread'))\n"
    "thread.start()\nthread.join()\nx = 1",
    "processes": "from multiprocessing import get_context\nwith get_context('fork').Pool(2) as pool:\n"
    "    x = sum(pool.map(abs, [-1, 0]))",
    # nbgrader loses what a program said if the cell ends before the kernel's thread has read it
    "subprocess": "import subprocess, time\nsubprocess.run(['echo', 'hello'], check=True)\ntime.sleep(1)\nx = 1",
    "warns": "import warnings\nwarnings.warn('careful')\nx = 1",
    "logs": "import logging\nlogging.warning('careful')\nx = 1",
    "many-lines": "for line in range(500):\n    print(line)\nx = 1",
    "carriage-returns": "print('10 %\\r20 %\\r100 %')\nx = 1",
    "unicode": "x = 1\nprint('数据 \\U0001f600 \\x00 \\x1b[31mred\\x1b[0m')",
    "reads-a-file": "x = int(open('data.txt').read())\nfrom helper import y\nfrom mine import z",
    "writes-files": "from pathlib import Path\nPath('new').mkdir()\nPath('new/file.txt').write_text('n')\n"
    "Path('data.txt').write_text('2')\nx = 1",
    "deletes-names": "x = 1\ndel x",
    "half": "x = 1\npart = 1.5",
    "slow": "import time\ntry:\n    time.sleep(60)\nfinally:\n    x = 1",
    "closes-figures": "import matplotlib\nmatplotlib.rcParams['figure.dpi'] = 50\nfrom matplotlib import pyplot\n"
    "pyplot.plot([1, 2]);\nx = 1",
    "numpy-seeds": "import numpy as np\nnp.random.seed(1)\nx = int(np.random.rand() < 1)\nx",
    "who-am-i": "import os, sys\nx = 1\nprint(__name__, '__file__' in globals(), os.environ['NBGRADER_EXECUTION'])\n"
    "print(os.getcwd().rsplit('/', 3)[1:], sorted(set(os.listdir()) - {'kinds.ipynb'}), sys.path, type(get_ipython()).__mro__[1].__name__)",
    "widgets-data": "from IPython.display import publish_display_data\n"
    "publish_display_data({'text/plain': 'plain', 'application/json': {'a': [1]}}, {'isolated': True})\nx = 1",
    "history": "x = 1\n1 + 1\n_ + 1\nprint(In[-1], Out, _i)",
    "pages-help": "x = 1\nlen?",
    "empty": "",
}


@pytest.fixture(scope="module")
def template(tmp_path_factory, cells, program, at):
    """nbgrader's own example course, a second assignment of ours, and students who hand in many kinds of things."""
    root = tmp_path_factory.mktemp("same")
    assert program("nbgrader", "quickstart", "course", cwd=root).returncode == 0
    course = at(root / "course")
    config = course.path / "nbgrader_config.py"
    config.write_text(config.read_text() + CONFIG, encoding="utf-8")
    (course.path / "penalties.py").write_text(PENALTIES, encoding="utf-8")
    course.nbgrader("db", "assignment", "add", "ps1", "--duedate", "2026-10-01 12:00:00")
    course.nbgrader("generate_assignment", "ps1")
    right = {"squares": HONEST_SQUARES, "sum_of_squares": SUM}
    for student, answers, late in (
        ("ada", right, ""),
        ("bob", {**right, "squares": "def squares(n):\n    return [1]"}, ""),
        ("cyd", right, "2026-10-01 11:59:59 UTC"),
        ("dan", right, "2026-10-03 12:00:01 UTC"),
        ("eve", {}, "2027-10-03 12:00:01 UTC"),
        ("mei mei", {**right, "sum_of_squares_equation": r"$\sum i^2$, 平方和"}, ""),
    ):
        course.hand_in(student, "ps1", "problem1", answers, late=late)
        course.hand_in(student, "ps1", "problem2", {"part-a": "Fibonacci"} if answers else {})
    course.hand_in("fay", "ps1", "problem1", right)  # one notebook is missing
    course.hand_in("gus", "ps1", "problem1", right, _meddle)
    course.hand_in(
        "gus", "ps1", "problem2", {}, files={"notes/a.txt": "mine", "jupyter.png": "mine"}
    )
    course.hand_in("gus", "ps1", "problem1", right, lambda nb: nb.cells.pop(1))
    (course.path / "submitted/gus/ps1/extra.ipynb").write_text(
        (course.path / "submitted/gus/ps1/problem2.ipynb").read_text()
    )
    course.lab(
        "kinds",
        files={"data.txt": "1", "helper.py": "y = 2", "mine.py": "z = 0"},
        kinds=[
            cells.plain("import pandas as pd\nimport matplotlib.pyplot as plt\npart = 2"),
            cells.answer("answer", "x = 1"),
            cells.locked("look", "x if 'x' in globals() else 'no x'"),
            cells.test("x-is-one", "assert x == 1, x"),
            cells.hidden("partly", "part", points=2),
            cells.test("speaks", "import sys\nprint('a word', file=sys.stderr)", points=1),
            cells.essay("words"),
            cells.task("drawing"),
        ],
    )
    for kind, source in KINDS.items():
        files = {"mine.py": "z = 3", "data.txt": "100"}
        course.hand_in(kind, "kinds", answers={"answer": source}, files=files)
    return course


def _meddle(nb):
    """Change what students should not: text and points of tests, locked cells, the kernel."""
    for cell in nb.cells:
        if cell.metadata.get("nbgrader", {}).get("grade_id") == "correct_squares":
            cell.source = "pass"
            cell.metadata.nbgrader.points = 100
    nb.metadata["kernelspec"] = {"name": "other", "display_name": "Other", "language": "other"}
    nb.cells[0].source = "Not what was written here"


@pytest.fixture(scope="module")
def both(template, tmp_path_factory):
    """The course graded by nbgrader, and by gradewell."""
    root = tmp_path_factory.mktemp("both")
    nbgrader, gradewell = (
        template.copy(root / "nbgrader/course"),
        template.copy(root / "gradewell/course"),
    )
    for lab in ("ps1", "kinds"):
        nbgrader.nbgrader("autograde", lab)
        gradewell.gradewell(lab)
    return nbgrader, gradewell


# -- comparing --------------------------------------------------------------------------------------


def gradebook(course):
    """Every row of every table, ids replaced by the rows that they name."""
    with sqlite3.connect(course.path / "gradebook.db") as database:
        database.row_factory = sqlite3.Row
        names = [
            r[0] for r in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        ]
        rows = {
            name: [dict(r) for r in database.execute(f"SELECT * FROM {name}")] for name in names
        }
    by_id = {
        row["id"]: row for table in rows.values() for row in table if len(str(row.get("id"))) == 32
    }

    def plain(row):
        return {
            column: plain(by_id[value]) if value in by_id else value
            for column, value in row.items()
            if column != "id" or len(str(value)) != 32
        }

    return {name: sorted((plain(row) for row in table), key=repr) for name, table in rows.items()}


def notebooks(course):
    """Every file below ``autograded``, notebooks with addresses and times made the same."""
    found = {}
    for path in sorted((course.path / "autograded").rglob("*")):
        if path.name == "extra.ipynb":  # none of the lab's, which only nbgrader keeps
            continue
        if path.is_file() and path.parent.name != "handed-in":  # which only ours keeps
            name = str(path.relative_to(course.path))
            found[name] = (
                settled(path.read_text()) if path.suffix == ".ipynb" else path.read_bytes()
            )
            found[f"{name}, permissions"] = path.stat().st_mode
    return found


def compare_files(theirs, ours):
    """What gus did to the instructor's cells is undone by ours only: see test_restored.py."""
    assert ours.keys() == theirs.keys()
    for name in theirs:
        assert ours[name] == theirs[name] or "/gus/" in name, name


def settled(text):
    text = text.replace("\\u001b", "")
    for pattern, put in (
        (r"0x[0-9a-f]{6,}", "0xADDRESS"),
        (r"ipykernel_\d+/\d+\.py", "ipykernel/0.py"),
        (r"\d{4}-\d\d-\d\dT[\d:.]+(Z|\+00:00)", "TIME"),
        (r"[\d.]+ (ns|μs|us|ms|s) ± [^\"\\]*", "TIME"),
    ):
        text = re.sub(pattern, put, text)
    found = json.loads(text)
    found["metadata"].pop("gradewell", None)  # by which ours knows what has changed
    del found["nbformat_minor"]  # ours are of the newest format, in which cells have ids
    for cell in found["cells"]:
        cell.pop("id", None)
    return found


API = """
import json, sys
from nbgrader.apps import NbGrader
from nbgrader.apps.api import NbGraderAPI
app = NbGrader(); app.initialize([])
api = NbGraderAPI(app.coursedir, parent=app)
labs = ("ps1", "kinds")
shown = {
    "assignments": api.get_assignments(), "students": api.get_students(),
    "submissions": {lab: api.get_submissions(lab) for lab in labs},
    "notebooks": {lab: api.get_notebooks(lab) for lab in labs},
    "submitted": [api.get_notebook_submissions(lab, n["name"]) for lab in labs for n in api.get_notebooks(lab)],
}
print(json.dumps(shown, default=str))
"""


def formgrader(course):
    """What formgrader's pages ask for, without ids."""
    ran = subprocess.run(
        [sys.executable, "-c", API], cwd=course.path, capture_output=True, text=True, check=True
    )

    def plain(value):
        if isinstance(value, dict):
            return {k: plain(v) for k, v in value.items() if k not in ("id", "index")}
        if isinstance(value, list):
            return sorted(map(plain, value), key=repr)
        return value

    return plain(json.loads(ran.stdout.splitlines()[-1]))


# -- the tests --------------------------------------------------------------------------------------


def test_every_row_of_the_gradebook_is_the_same(both):
    theirs, ours = map(gradebook, both)
    assert ours.keys() == theirs.keys()
    for table in theirs:
        assert ours[table] == theirs[table], table
    assert len(theirs["grade"]) > 100
    assert any(row["late_submission_penalty"] for row in theirs["submitted_notebook"])


def test_every_file_and_every_output_is_the_same(both):
    theirs, ours = map(notebooks, both)
    compare_files(theirs, ours)
    assert len(theirs) > 80


def test_formgrader_shows_the_same(both):
    theirs, ours = map(formgrader, both)
    assert ours == theirs
    assert len(ours["submissions"]["kinds"]) == len(KINDS)


def test_the_kinds_differ_in_what_they_get(both):
    scores = both[1].scores("kinds")
    assert scores["prints"] == 3
    assert scores["half"] == 2.5
    assert scores["syntax-error"] == 2
    assert scores["slow"] == 3


def test_regrading_is_the_same(both, tmp_path):
    """After a person graded, after a later submission, of one notebook, of one student, and when nothing is new."""
    courses = [
        course.copy(tmp_path / name / "course") for course, name in zip(both, "ab", strict=True)
    ]
    for course, grade in zip(courses, ("nbgrader", "gradewell"), strict=True):

        def again(*words, code=0, course=course, grade=grade):
            if grade == "nbgrader":
                return course.nbgrader("autograde", "ps1", *words, code=code)
            return course.gradewell("ps1", *words, code=code)

        subprocess.run([sys.executable, "-c", BY_HAND], cwd=course.path, check=True)
        again()
        course.hand_in("ada", "ps1", "problem1", {"squares": "def squares(n):\n    return []"})
        again("--student", "ada", "--force")
        course.hand_in(
            "cyd", "ps1", "problem1", {"squares": HONEST_SQUARES}, late="2026-10-04 12:00:00 UTC"
        )
        again("--student=[a-d]*")
        course.hand_in("bob", "ps1", "problem1", {"squares": HONEST_SQUARES})
        course.hand_in("bob", "ps1", "problem2", {"part-b": "Not looked at."})
        again("--student", "bob", "--notebook", "problem1", "--force")
        again("--student", "dan", "--force")
        course.hand_in("new", "ps1", "problem2", {"part-a": "Late to the course."})
        if grade == "nbgrader":
            again("--student", "new", "--Autograde.create_student=False", code=1)
        else:
            refused = again("--student", "new", "--Autograde.create_student=False", code=1)
            assert "No student with ID 'new'" in refused.stdout
        if grade == "nbgrader":  # which does not see that a notebook was replaced
            again("--student", "bob", "--force")
        again("--create")
    theirs, ours = map(gradebook, courses)
    for table in theirs:
        assert ours[table] == theirs[table], table
    compare_files(*map(notebooks, courses))
    assert formgrader(courses[1]) == formgrader(courses[0])
    assert any(row["manual_score"] == 0.25 and row["needs_manual_grade"] for row in ours["grade"])
    assert any(row["manual_comment"] == "Nearly." for row in ours["comment"])


BY_HAND = """
from nbgrader.apps import NbGrader
from nbgrader.api import Gradebook
app = NbGrader(); app.initialize([])
with Gradebook(app.coursedir.db_url, "course") as gradebook:
    for student, cell, score in (("dan", "correct_squares", 0.25), ("bob", "sum_of_squares_equation", 1)):
        grade = gradebook.find_grade(cell, "problem1", "ps1", student)
        grade.manual_score, grade.needs_manual_grade, grade.extra_credit = score, False, 0.5
    gradebook.find_comment("squares", "problem1", "ps1", "ada").manual_comment = "Nearly."
    gradebook.db.commit()
"""

ECHO = """
import sys
from ipykernel.kernelapp import IPKernelApp
from ipykernel.kernelbase import Kernel

class Echo(Kernel):
    implementation = implementation_version = language = banner = "echo"
    language_info = {"name": "echo", "mimetype": "text/plain", "file_extension": ".txt"}

    def do_execute(self, code, silent, store_history=True, user_expressions=None, allow_stdin=False, **_):
        if code == "where":
            import os
            code = " ".join(sorted(os.listdir()))
        self.send_response(self.iopub_socket, "stream", {"name": "stdout", "text": code})
        if "wrong" in code:
            failed = {"ename": "Wrong", "evalue": code, "traceback": [code]}
            self.send_response(self.iopub_socket, "error", failed)
            return {"status": "error", "execution_count": self.execution_count, **failed}
        return {"status": "ok", "execution_count": self.execution_count, "payload": [], "user_expressions": {}}

IPKernelApp.launch_instance(kernel_class=Echo)
"""


def test_a_kernel_of_another_language_is_the_same(tmp_path, new_course, cells, monkeypatch):
    spec = tmp_path / "share" / "kernels" / "echo"
    spec.mkdir(parents=True)
    (spec / "echo.py").write_text(ECHO)
    argv = [sys.executable, str(spec / "echo.py"), "-f", "{connection_file}"]
    (spec / "kernel.json").write_text(
        json.dumps({"argv": argv, "display_name": "Echo", "language": "echo"})
    )
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "share"))
    stub = "c.ClearSolutions.code_stub = {'echo': 'YOUR CODE HERE'}\n"
    nbgrader = new_course(tmp_path / "nbgrader" / "course", stub)
    nbgrader.lab(
        "lab",
        kernel={"name": "echo", "display_name": "Echo", "language": "echo"},
        lab=[
            cells.plain("where"),
            cells.answer("answer", "right"),
            cells.test("check", "fine"),
            cells.test("fails", "wrong"),
        ],
    )
    for student in ("ada", "bob"):
        nbgrader.hand_in(student, "lab", answers={"answer": f"an answer of {student}"})
    gradewell = nbgrader.copy(tmp_path / "gradewell" / "course")
    nbgrader.nbgrader("autograde", "lab")
    gradewell.gradewell("lab")
    assert gradebook(gradewell) == gradebook(nbgrader)
    assert notebooks(gradewell) == notebooks(nbgrader)
    assert gradewell.points("bob", "lab") == {"check": 1, "fails": 0}
