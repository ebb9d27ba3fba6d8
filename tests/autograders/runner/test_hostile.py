"""A bad submission costs itself only: the others' grades are there and right, and everybody reads why."""

import json
import re
import shutil
import subprocess
import sys

import psutil
import pytest
from gradewell.runner import groups

pytestmark = pytest.mark.xdist_group("hostile")  # graded in one run

MIB = 2**20
AMOUNTS = ("--memory", "300", "--Runner.output=2", "--Runner.disk=64", "--Runner.processes=40",
           "--Runner.notebook_size=100")  # fmt: skip
SETTINGS = (*AMOUNTS, "--timeout", "2", "--Runner.notebook_timeout=25")
PATIENCE = (*AMOUNTS, "--timeout", "60", "--Runner.notebook_timeout=200")

BEFORE = "def double(x):\n    return 2 * x"
ALL = {"first": 1, "second": 2, "third": 4}
NONE = {"first": 0, "second": 0, "third": 0}
ONE = {"first": 1, "second": 0, "third": 0}

ENDED = {
    # what is done in the cell after the first test: (code, points, words of the reason)
    "endless-loop": (
        "while True:\n    pass",
        {"first": 1, "second": 0, "third": 4},
        "ran out of time",
    ),
    "deaf-loop": (
        "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True:\n    pass",
        ONE,
        "did not react",
    ),
    "stubborn-loop": (
        "import time\nwhile True:\n    try:\n        time.sleep(60)\n    except BaseException:\n        pass",
        ONE,
        "did not react",
    ),
    "sleeps-in-c": (
        "import ctypes\nwhile True:\n    ctypes.CDLL(None).pause()",
        {"first": 1, "second": 0, "third": 4},
        "ran out of time",
    ),
    "memory-at-once": ("x = bytearray(10**12)\ny = 1", {"first": 1, "second": 0, "third": 4}, ""),
    "memory-step-by-step": (
        "x = []\nwhile True:\n    x.append(bytearray(b'x' * 10**6))",
        ONE,
        "300 MiB of memory",
    ),
    "memory-of-many": (
        "import os, time\nfor _ in range(20):\n    if os.fork() == 0:\n        x = bytearray(b'x' * (60 << 20))\n"
        "        time.sleep(60)\ntime.sleep(60)",
        ONE,
        "300 MiB of memory",
    ),
    "memory-without-a-process": (
        "import os\nkept = []\nwhile True:\n    kept.append(os.memfd_create('x'))\n"
        "    os.write(kept[-1], b'x' * (32 << 20))",
        *(
            (ONE, "300 MiB of memory")
            if "memory" in groups.purposes()
            else ({"first": 1, "second": 0, "third": 4}, "")  # there are no such files then
        ),
    ),
    "fork-bomb": ("import os\nwhile True:\n    os.fork()", ONE, "more than 40 processes"),
    "thread-bomb": (
        "import threading, time\ny = 1\ntry:\n    while True:\n        threading.Thread(target=time.sleep, args=(60,)).start()\n"
        "except RuntimeError:\n    pass",
        None,
        None,
    ),
    "output-flood": (
        "while True:\n    print('x' * 10**5)",
        ONE,
        "put out more than 10 MiB|of memory",
    ),
    "output-in-one-line": ("print('x' * (6 << 20))\ny = 1", ALL, "put out more than can be kept"),
    "output-past-python": (
        "import os\nwhile True:\n    os.write(1, b'x' * 10**5)",
        None,
        None,
    ),
    "output-of-a-child": (
        "import subprocess\nsubprocess.run(['yes'])",
        None,
        None,
    ),
    "quits": (
        "y = 1\nquit()",
        ALL,
        "",
    ),  # nbgrader's own kernel sometimes dies of it: not in test_same_result.py
    "exit": ("import os\nos._exit(0)", ONE, "ended itself with exit status 0"),
    "segfault": ("import ctypes\nctypes.string_at(0)", ONE, "SIGSEGV"),
    "abort": ("import os\nos.abort()", ONE, "SIGABRT"),
    "kills-itself": ("import os\nos.kill(os.getpid(), 9)", ONE, "SIGKILL"),
    "kills-its-parent": (
        "import os, signal\nfor s in signal.valid_signals() - {signal.SIGCHLD}:\n    for pid in (1, os.getppid()):\n"
        "        try:\n            os.kill(pid, s)\n        except OSError:\n            pass\ny = 1",
        ALL,
        "",
    ),
    "kills-everybody": (
        "import os\ntry:\n    os.kill(-1, 9)\nexcept ProcessLookupError:\n    pass  # there is nobody\ny = 1",
        ALL,
        "",
    ),
    "stops-itself": (
        "import os, signal\nos.kill(os.getpid(), signal.SIGSTOP)",
        ONE,
        "did not react",
    ),
    "closes-sockets": ("import os\nos.closerange(0, 4096)", ONE, "closed its connection|SIGABRT"),
    "writes-into-sockets": (
        "import os, stat\nfor fd in range(3, 100):\n    try:\n        if stat.S_ISSOCK(os.fstat(fd).st_mode):\n"
        "            os.write(fd, b'\\xff' * 1000)\n    except OSError:\n        pass\ny = 1",
        ONE,
        "interfered with its connection",
    ),
    "forges-json": (
        "import os, stat, struct\nfor fd in range(3, 100):\n    try:\n        if stat.S_ISSOCK(os.fstat(fd).st_mode):\n"
        "            for body in (b'[' * 100000, b'[]', b'{\"content\": 3}', b'null', b'\\xff'):\n"
        "                os.write(fd, struct.pack('>cI', b'm', len(body)) + body)\n    except OSError:\n        pass\ny = 1",
        ALL,
        "",
    ),
    "deletes-files": (
        # one try in each folder that cannot be written to; below home, where there may be caches of 200,000 files, not in all of them
        "import itertools, os\nhome = os.path.expanduser('~')\nfor path in ('.', '..', home, '/tmp', '/etc', '/home'):\n"
        "    most = 2_000 if path == home else None\n"
        "    for folder, _, files in itertools.islice(os.walk(path), most):\n        for name in files:\n            try:\n"
        "                os.unlink(os.path.join(folder, name))\n            except OSError:\n                break\ny = 1",
        ALL,
        "",
    ),
    "fills-the-disk": (
        "with open('big', 'wb') as file:\n    while True:\n        file.write(b'x' * 10**6)",
        {"first": 1, "second": 0, "third": 4},
        "",
    ),
    "fills-the-disk-by-many": (
        "for n in range(20):\n    with open(f'big{n}', 'wb') as file:\n        file.write(b'x' * (30 << 20))",
        {"first": 1, "second": 0, "third": 4},
        "",
    ),
    "opens-everything": (
        "kept = []\nwhile True:\n    kept.append(open('/dev/null'))",
        {"first": 1, "second": 0, "third": 4},
        "",
    ),
    "leaves-a-process": (
        "import os, time\nif os.fork() == 0:\n    os.setsid()\n    if os.fork():\n        os._exit(0)\n"
        "    open('left-behind-marker', 'w')\n    time.sleep(300)\n    os._exit(0)\ny = 1",
        ALL,
        "",
    ),
    "edits-the-gradebook": (
        "import os, sqlite3\ny = 1\ntry:\n    with sqlite3.connect('COURSE/gradebook.db') as database:\n"
        "        database.execute('UPDATE grade SET auto_score = 99')\nexcept sqlite3.Error as error:\n    print(error)",
        ALL,
        "",
    ),
    "deletes-the-others": (
        "import shutil\ny = 1\nshutil.rmtree('COURSE', ignore_errors=True)\n"
        "shutil.rmtree('COURSE/submitted/zz-honest', ignore_errors=True)\n"
        "shutil.rmtree('COURSE/autograded/endless-loop-honest', ignore_errors=True)",
        ALL,
        "",
    ),
    "reads-the-solutions": (
        "from pathlib import Path\ny = 1\n"
        "assert not [p for f in ('source', 'release', 'submitted') for p in Path('COURSE', f).rglob('*')]",
        ALL,
        "",
    ),
    "breaks-the-shell": (
        "ip = get_ipython()\nip.run_cell = ip.run_cell_async = None\nip.kernel = None\ny = 1",
        None,
        None,
    ),
    "breaks-json": ("import json\njson.dumps = json.loads = None\ny = 1", None, None),
    "links-out": (
        "import os\nos.symlink('/etc/passwd', 'data.txt')\nos.mkfifo('pipe')\ny = 1",
        ALL,
        "",
    ),
    "score-too-high": (
        "import builtins\ny = 1\nfrom IPython.core.formatters import PlainTextFormatter\n"
        "get_ipython().ast_node_interactivity = 'last_expr'\ndef hook(*_):\n    get_ipython().displayhook(891)\n"
        "get_ipython().events.register('post_run_cell', hook)",
        None,
        None,
    ),
}


def damaged(kind):
    """Change a handed-in file so that it is no longer what nbgrader expects."""

    def text(path, content):
        path.write_text(content, encoding="utf-8")

    def metadata(path, change):
        nb = json.loads(path.read_text())
        change(nb)
        path.write_text(json.dumps(nb))

    def of(nb, name):
        return next(
            c for c in nb["cells"] if c["metadata"].get("nbgrader", {}).get("grade_id") == name
        )

    def folder(path):
        path.unlink()
        path.mkdir()

    return {
        "not-json": (lambda p: text(p, '{"cells": [{"cell_type'), NONE, "damaged or no notebook"),
        "empty-file": (lambda p: text(p, ""), NONE, "damaged or no notebook"),
        "binary": (lambda p: p.write_bytes(bytes(range(256)) * 100), NONE, "not a text file"),
        "a-list": (lambda p: text(p, "[1, 2]"), NONE, "notebook"),
        "nested": (lambda p: text(p, "[" * 10**6), NONE, "damaged or no notebook"),
        "a-folder": (folder, {}, "lab.ipynb"),
        "no-cells": (lambda p: metadata(p, lambda nb: nb.pop("cells")), NONE, "notebook"),
        "not-there": (lambda p: p.unlink(), {}, "there is no lab.ipynb"),
        "other-name": (
            lambda p: p.rename(p.with_name("my lab.ipynb")),
            ALL,
            "my lab.ipynb was taken for lab.ipynb",
        ),
        "200-MB": (
            lambda p: metadata(
                p,
                lambda nb: of(nb, "answer").update(
                    outputs=[{"output_type": "stream", "name": "stdout", "text": "x" * 200 * 10**6}]
                ),
            ),
            NONE,
            "200 MB large",
        ),
        "copied-test": (
            lambda p: metadata(p, lambda nb: nb["cells"].insert(1, of(nb, "first"))),
            ALL,
            "",
        ),
        "copied-twice-after": (
            lambda p: metadata(p, lambda nb: nb["cells"].extend([of(nb, "first")] * 2)),
            None,
            None,
        ),
        "same-cell-ids": (
            lambda p: metadata(p, lambda nb: [c.update(id="same") for c in nb["cells"]]),
            ALL,
            "",
        ),
        "no-cell-ids": (
            lambda p: metadata(p, lambda nb: [c.pop("id") for c in nb["cells"]]),
            ALL,
            "",
        ),
        "no-grade-ids": (
            lambda p: metadata(p, lambda nb: [c["metadata"].clear() for c in nb["cells"]]),
            ALL,
            "answer, first, more, second, third were without a name",
        ),
        "test-removed": (
            lambda p: metadata(p, lambda nb: nb["cells"].remove(of(nb, "second"))),
            ALL,
            "second was missing",
        ),
        "points-changed": (
            lambda p: metadata(
                p, lambda nb: of(nb, "second")["metadata"]["nbgrader"].update(points=1000)
            ),
            ALL,
            "",
        ),
        "test-turned-off": (
            lambda p: metadata(
                p,
                lambda nb: of(nb, "second")["metadata"]["nbgrader"].update(
                    grade=False, locked=False, solution=True
                ),
            ),
            ALL,
            "second was marked otherwise",
        ),
        "test-rewritten": (
            lambda p: metadata(p, lambda nb: of(nb, "third").update(source="pass")),
            ALL,
            "",
        ),
        "renamed-test": (
            lambda p: metadata(
                p, lambda nb: of(nb, "second")["metadata"]["nbgrader"].update(grade_id="x")
            ),
            ALL,
            "second was without a name",
        ),
        "schema-99": (
            lambda p: metadata(
                p,
                lambda nb: [
                    c["metadata"]["nbgrader"].update(schema_version=99) for c in nb["cells"]
                ],
            ),
            ALL,
            "",
        ),
        "metadata-of-other-types": (
            lambda p: metadata(p, lambda nb: nb["metadata"].update(kernelspec=7, language_info=[])),
            None,
            None,
        ),
        "nbformat-3": (lambda p: metadata(p, lambda nb: nb.update(nbformat=3)), None, None),
        "nbformat-99": (lambda p: metadata(p, lambda nb: nb.update(nbformat=99)), NONE, "notebook"),
    }[kind]


DAMAGED = [
    "not-json",
    "empty-file",
    "binary",
    "a-list",
    "nested",
    "a-folder",
    "no-cells",
    "not-there",
    "other-name",
    "200-MB",
    "copied-test",
    "copied-twice-after",
    "same-cell-ids",
    "no-cell-ids",
    "no-grade-ids",
    "test-removed",
    "points-changed",
    "test-turned-off",
    "test-rewritten",
    "renamed-test",
    "schema-99",
    "metadata-of-other-types",
    "nbformat-3",
    "nbformat-99",
]


TAKE_TOO_MUCH = [name for name in ENDED if name.startswith("memory-") or name.endswith("-bomb")]
"""What must end by the amounts that it takes, and never by the clock, however slow the machine is."""


@pytest.fixture(scope="module")
def takers(small, tmp_path_factory):
    """Those who take too much, and an honest student, graded in one run that has patience. Returns (course, report)."""
    course = small.copy(tmp_path_factory.mktemp("takers") / "course")
    good = {"answer": BEFORE, "more": "y = 1"}
    for name in TAKE_TOO_MUCH:
        course.hand_in(name, "lab", answers={**good, "more": ENDED[name][0]})
    course.hand_in("zz-honest", "lab", answers=good)
    return course, course.report("lab", *PATIENCE)


@pytest.fixture(scope="module")
def course(small, tmp_path_factory):
    """Honest students before, between and after the hostile ones, all graded in one run. Returns (course, report)."""
    course = small.copy(tmp_path_factory.mktemp("hostile") / "course")
    good = {"answer": BEFORE, "more": "y = 1"}
    names = [name for name in (*ENDED, *DAMAGED) if name not in TAKE_TOO_MUCH]
    for number, name in enumerate(names):
        if number % 9 == 0:
            course.hand_in(f"{name}-honest", "lab", answers=good)
        code = ENDED[name][0].replace("COURSE", str(course.path)) if name in ENDED else "y = 1"
        path = course.hand_in(name, "lab", answers={**good, "more": code})
        if name in DAMAGED:
            damaged(name)[0](path)
    folder = course.hand_in("links-to-another", "lab", answers=good).parent
    (folder / "stolen.txt").symlink_to(course.path / "nbgrader_config.py")
    course.hand_in("zz-honest", "lab", answers=good)
    return course, course.report("lab", *SETTINGS, code=1)


@pytest.mark.parametrize("name", ENDED)
def test_hostile_code_costs_itself_only(name, request):
    folder, report = request.getfixturevalue("takers" if name in TAKE_TOO_MUCH else "course")
    _, points, words = ENDED[name]
    assert report[name]["status"] in ("graded", "stopped")
    if points is None:
        assert folder.points(name, "lab")["first"] == 1
    else:
        assert folder.points(name, "lab") == points
    if words:
        assert re.search(words, report[name]["reason"])
        if report[name]["status"] == "stopped":  # the student reads it too, in the cell
            assert re.search(words, folder.outputs(name, "lab"))


@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_notebook_costs_itself_only(name, course):
    folder, report = course
    _, points, words = damaged(name)
    if points is not None:
        assert folder.points(name, "lab") == points
    if words:
        assert words in report[name]["reason"]
    if points == NONE:  # the student reads it too
        assert report[name]["status"] == "failed"
        assert words in folder.graded(name, "lab").cells[0].source


def test_the_others_are_graded_and_right(course, takers):
    folder, report = course
    honest = [name for name in report if name.endswith("-honest")]
    assert len(honest) >= 6
    assert takers[0].scores("lab")["zz-honest"] == 7
    assert {folder.scores("lab")[name] for name in honest} == {7}
    assert {report[name]["status"] for name in honest} == {"graded"}


def test_nobody_gets_more_points_than_there_are(course):
    assert max(course[0].scores("lab").values()) == 7
    assert (course[0].path / "submitted/zz-honest/lab/lab.ipynb").is_file()


def test_notebooks_that_were_flooded_stay_small(course):
    folder, _ = course
    sizes = [path.stat().st_size for path in (folder.path / "autograded").rglob("*.ipynb")]
    assert max(sizes) < 8 * MIB


def test_nothing_that_hostile_code_left_behind_is_a_link(course):
    folder, _ = course
    kept = folder.path / "autograded" / "links-out" / "lab"
    found = [path for path in kept.rglob("*") if path.name != "handed-in"]
    assert not [path for path in found if path.is_symlink() or not path.is_file()]


def test_a_link_out_of_the_submission_is_refused(course):
    folder, report = course
    assert "stolen.txt" in report["links-to-another"]["reason"]
    assert "get_config" not in "".join(
        path.read_text() for path in (folder.path / "autograded/links-to-another").rglob("*.*")
    )


def test_no_process_outlives_the_run(course):
    commands = (" ".join(p.info["cmdline"] or ()) for p in psutil.process_iter(["cmdline"]))
    assert [command for command in commands if str(course[0].path) in command] == []


def test_feedback_can_be_written_for_everybody_who_has_a_notebook(course, program):
    folder, _ = course
    ran = program("nbgrader", "generate_feedback", "lab", cwd=folder.path)
    assert ran.returncode == 0, ran.stderr[-3000:]
    page = (folder.path / "feedback/exit/lab/lab.html").read_text()
    assert "ended itself with exit status 0" in page
    page = (folder.path / "feedback/not-json/lab/lab.html").read_text()
    assert "was not graded" in page


@pytest.mark.parametrize(
    "name", ["exit", "endless-loop", "kills-itself", "memory-step-by-step", "output-flood"]
)
def test_without_a_sandbox_the_same_holds_for_what_limits_can_stop(name, fresh):
    good = {"answer": BEFORE, "more": "y = 1"}
    fresh.hand_in("bad", "lab", answers={**good, "more": ENDED[name][0]})
    fresh.hand_in("good", "lab", answers=good)
    settings = PATIENCE if name in TAKE_TOO_MUCH else SETTINGS
    report = fresh.report("lab", "--sandbox", "none", *settings)
    assert fresh.scores("lab")["good"] == 7
    assert fresh.points("bad", "lab") == ENDED[name][1]
    assert re.search(ENDED[name][2], report["bad"]["reason"])


IN_ORDINARY_KERNELS = {
    "endless-loop": ({"first": 1, "second": 0, "third": 4}, "ran out of time"),
    "stubborn-loop": (ONE, "did not react"),
    "exit": (ONE, "kernel died"),
    "memory-step-by-step": (ONE, "300 MiB of memory"),
    "memory-of-many": (ONE, "300 MiB of memory"),
    "fork-bomb": (ONE, "more than 40 processes|of memory"),
    "output-flood": (ONE, "put out more than 10 MiB|of memory"),
}


@pytest.fixture(scope="module")
def ordinary(tmp_path_factory, new_course, cells, another):
    """The same in an ordinary kernel, as those of other languages are."""
    course = new_course(tmp_path_factory.mktemp("ordinary") / "course").lab(
        "lab",
        kernel=another,
        lab=[
            cells.answer("answer", BEFORE),
            cells.test("first", "assert double(2) == 4"),
            cells.answer("more", "y = 1"),
            cells.test("second", "assert y == 1", points=2),
            cells.hidden("third", "assert double(21) == 42", points=4),
        ],
    )
    good = {"answer": BEFORE, "more": "y = 1"}
    for name in IN_ORDINARY_KERNELS:
        course.hand_in(name, "lab", answers={**good, "more": ENDED[name][0]})
    course.hand_in("honest", "lab", answers=good)
    return course, course.report("lab", *SETTINGS)


@pytest.mark.parametrize("name", IN_ORDINARY_KERNELS)
def test_in_an_ordinary_kernel_too_it_costs_itself_only(name, ordinary):
    course, report = ordinary
    points, words = IN_ORDINARY_KERNELS[name]
    assert course.points(name, "lab") == points
    assert re.search(words, report[name]["reason"])
    assert course.scores("lab")["honest"] == 7


def test_where_python_cannot_be_forked_ordinary_kernels_run(fresh):
    good = {"answer": BEFORE, "more": "import os\ny = 1\nprint('PARENT', os.getppid() > 1)"}
    fresh.hand_in("ada", "lab", answers=good)
    fresh.hand_in("bob", "lab", answers={**good, "more": "import os\nos._exit(0)"})
    elsewhere = (
        "import sys\nfrom gradewell.cli import main\nfrom gradewell.runner import command, kernels\n"
        "sys.platform = 'darwin'\nsys.argv[1:] = ['autograde', 'lab', *sys.argv[1:]]\nmain()"
    )
    command = [sys.executable, "-c", elsewhere]
    ran = subprocess.run(command, cwd=fresh.path, capture_output=True, text=True, check=False)
    assert ran.returncode == 2
    assert "Linux only" in ran.stderr
    command += ["--sandbox", "none"]
    ran = subprocess.run(command, cwd=fresh.path, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert fresh.scores("lab") == {"ada": 7, "bob": 1}


def test_killing_the_fork_server_costs_the_killer_only(fresh):
    good = {"answer": BEFORE, "more": "y = 1"}
    fresh.hand_in("a", "lab", answers=good)
    killer = "import os\nimport psutil\nfor one in psutil.Process().parents()[:2]:\n    one.kill()"
    fresh.hand_in("bad", "lab", answers={**good, "more": killer})
    fresh.hand_in("z", "lab", answers=good)
    report = fresh.report("lab", "--sandbox", "none", "--jobs", "1")
    scores = fresh.scores("lab")
    assert scores["bad"] <= 1
    assert (scores["a"], scores["z"]) == (7, 7)
    assert report["bad"]["status"] == "stopped"
    assert re.search("destroyed|twice", report["bad"]["reason"])


def test_grading_without_bubblewrap_is_refused_and_explained(fresh, tmp_path):
    fresh.hand_in("ada", "lab", answers={"answer": BEFORE})
    for program in ("python3", "alembic"):
        found = shutil.which(program)
        (tmp_path / "bin").mkdir(exist_ok=True)
        (tmp_path / "bin" / program).symlink_to(found)
    ran = fresh.gradewell("lab", code=2, path=str(tmp_path / "bin"))
    assert "bubblewrap is not installed" in ran.stderr
    assert "--sandbox none" in ran.stderr
    assert not (fresh.path / "autograded").exists()
    ran = fresh.gradewell("lab", "--sandbox", "none", path=str(tmp_path / "bin"))
    assert "Not sandboxed" in ran.stdout
    assert fresh.scores("lab") == {"ada": 5}
