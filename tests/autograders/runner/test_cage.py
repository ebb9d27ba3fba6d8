"""A hostile notebook costs itself only: its processor time, memory, files, keys, and the time in which it is looked at.

Each way is tried twice: with control groups and without the filter of system calls, and the other way round.
"""

import re
import subprocess
import sys

import pytest
from gradewell.runner import groups
from gradewell.runner.inside import seccomp
from gradewell.runner.inside.budget import Time

SETTINGS = ("--timeout", "4", "--memory", "300", "--Runner.notebook_timeout=25", "--Runner.output=2", "--Runner.disk=64",
            "--Runner.processes=200", "--Runner.inodes=2000", "--Runner.call_timeout=4", "--Runner.jobs=2")  # fmt: skip
WAYS = {
    "control groups": "--Runner.filter_calls=False",
    "adding up and a filter": "--Runner.control_groups=False",
}
HONEST = (
    "get_ipython().system('exit 0')\nimport socket\nserver = socket.create_server(('127.0.0.1', 0))\n"
    "socket.create_connection(server.getsockname()).close()\ndef work():\n    end = __import__('time').process_time() + 0.5\n    while __import__('time').process_time() < end:\n        pass\n    return 42\n"
)
QUIET = "y = 1"

HOSTILE = {
    # what is done, and what is said of it ("" where it harms nobody and goes on)
    "sessions-of-their-own": (
        "import os\nfor _ in range(110):\n    if os.fork() == 0:\n        os.setsid()\n        while True:\n            pass\n"
        "while True:\n    pass",
        "took more than 4 s|ran out of time|processor time|altogether",
    ),
    "memory-in-flight": (
        "import array, os, socket\nkept = []\nblock = b'x' * (1 << 20)\nfor _ in range(15):\n    here, there = socket.socketpair()\n"
        "    number = os.memfd_create('x')\n    for _ in range(64):\n        os.write(number, block)\n"
        "    here.sendmsg([b'x'], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array('i', [number]))])\n    os.close(number)\n    kept.append(there)",
        "MiB of memory|not implemented|SIGKILL|",
    ),
    "leases": (
        "import fcntl\nkept = []\nfor n in range(20):\n    kept.append(open(f'leased{n}', 'w+'))\n    try:\n"
        "        fcntl.fcntl(kept[-1], fcntl.F_SETLEASE, fcntl.F_WRLCK)\n    except OSError:\n        pass\ny = 1",
        "",
    ),
    "changes-files-for-fifos": (
        "import os, subprocess, sys\nsubprocess.Popen([sys.executable, '-c', '''\nimport os\nwhile True:\n    for make in (lambda: open('thing', 'w').close(), "
        "lambda: os.mkfifo('thing')):\n        try:\n            os.unlink('thing')\n        except OSError:\n            pass\n        make()\n'''])\ny = 1",
        "",
    ),
    "sparse-files": (
        "import os\nfor n in range(8):\n    with open(f'sparse{n}', 'wb') as file:\n        os.truncate(file.fileno(), 60 << 20)\ny = 1",
        "holds more than 64 MiB",
    ),
    "empty-files": ("for n in range(60_000):\n    open(f'e{n}', 'w').close()", ""),
    "deep-folders": (
        "import os\nfor _ in range(1_000):\n    os.mkdir('d')\n    os.chdir('d')\ny = 1",
        "",
    ),
    "keys": (
        "import ctypes\nlibc = ctypes.CDLL(None, use_errno=True)\nfound = libc.syscall(250, 10, -3, b'user', b'gradewell-test', 0)\n"
        "print('the key:', found)\nlibc.syscall(248, b'user', b'planted-by-a-student', b'x', 1, -3)\ny = 1",
        "",
    ),
    "long-replies": (
        'import os, stat, struct\nbody = b\'{"content": {"status": "ok", "x": "\' + b\'x\' * (16 << 20) + b\'"}}\'\n'
        "for fd in range(3, 100):\n    try:\n        if stat.S_ISSOCK(os.fstat(fd).st_mode):\n"
        "            os.write(fd, struct.pack('>cI', b'r', len(body)) + body)\n    except OSError:\n        pass\ny = 1",
        "interfered with its connection",
    ),
    "many-values-in-a-message": (
        "from IPython.display import display\ndisplay({'application/json': [[]] * 400_000, 'text/plain': 'x'}, raw=True)\ny = 1",
        "put out more than can be kept",
    ),
    "new-namespaces": (
        "import ctypes\nassert ctypes.CDLL(None).unshare(0x10000000 | 0x00020000) != 0\ny = 1",
        "",
    ),
    "values-on-lines-of-their-own": (
        "from IPython.display import display\nx = [1] * 60_000\nfor _ in range(200):\n    x = [x]\n"
        "display({'application/json': x, 'text/plain': 'x'}, raw=True)\ny = 1",
        "put out more than can be kept",
    ),
    "interruptions-of-hundreds-of-mebibytes": (
        "import os, stat, struct\nblock = bytes(1 << 20)\nfor fd in range(3, 100):\n    try:\n        if stat.S_ISSOCK(os.fstat(fd).st_mode):\n"
        "            os.write(fd, struct.pack('>cI', b'i', 400 << 20))\n            for _ in range(400):\n                os.write(fd, block)\n"
        "    except OSError:\n        pass\ny = 1",
        "interfered with its connection",
    ),
    "one-display-thousands-of-times": (
        "from IPython.display import display\nfor _ in range(4_000):\n    display(1, display_id='x')\n"
        "for n in range(4_000):\n    display(n, display_id='x', update=True)\ny = 1",
        "3999|put out more",
    ),
    "devices-of-its-own": (
        "import os\nfor act in (lambda: os.symlink('/dev/null', '/dev/p'), lambda: open('/dev/planted', 'w'),\n"
        "            lambda: os.rename('/dev/ptmx', '/dev/x')):\n    try:\n        act()\n        print('done')\n"
        "    except OSError:\n        print('refused')\nprint('terminals:', sorted(os.listdir('/dev/pts')))\ny = 1",
        r"(refused.{1,3}){3}terminals: \['ptmx'\]",
    ),
    "semaphores": (
        "import ctypes\nlibc = ctypes.CDLL(None)\nprint('sets:', sum(libc.semget(0, 32000, 0o1600) >= 0 for _ in range(50)))\ny = 1",
        "sets: 0",
    ),
    "plants-what-is-the-graders": (
        "from pathlib import Path\nfor name in ('other.ipynb', 'not_graded.txt', 'timestamp.txt', 'index.html', 'own.csv'):\n"
        "    Path(name).write_text('planted')\n"
        "for name in (b'\\x1b]0;title\\x07.txt', b'in\\x1bdex.html', b'two\\nlines.txt', b'\\xff\\xfe.txt', b'\\x07'):\n"
        "    open(name, 'w').write('planted')\ny = 1",
        "",
    ),
}


@pytest.fixture(scope="module", params=WAYS)
def caged(request, small, tmp_path_factory):
    """The hostile submissions between honest ones, all graded in one run. Returns (course, report, way)."""
    if request.param == "control groups" and not {"weight", "memory", "halt"} <= groups.purposes():
        pytest.skip(
            "this process cannot make control groups for processor time, memory and halting"
        )
    course = small.copy(tmp_path_factory.mktemp("cage") / "course")
    good = {"answer": "def double(x):\n    return 2 * x", "more": QUIET}
    for number, (name, (code, _)) in enumerate(HOSTILE.items()):
        if number % 3 == 0:
            course.hand_in(
                f"{name}-honest", "lab", answers={**good, "more": f"{HONEST}work()\n{QUIET}"}
            )
        path = course.hand_in(name, "lab", answers={**good, "more": code})
        if name == "plants-what-is-the-graders":
            (path.parent / "index.html").write_text("planted")
            (path.parent / "handed\x1b[31m in.txt").write_text("planted")
    course.hand_in("zz-honest", "lab", answers={**good, "more": f"{HONEST}work()\n{QUIET}"})
    with (course.path / "nbgrader_config.py").open("a") as config:
        config.write("import os\nopen('graders', 'a').write(f'{os.getpid()}\\n')\n")
    report = course.report("lab", *SETTINGS, WAYS[request.param])
    return course, report, request.param


pytestmark = pytest.mark.xdist_group("cage")


@pytest.mark.parametrize("name", HOSTILE)
def test_it_costs_itself_only_and_it_is_said_why(name, caged):
    course, report, way = caged
    assert report[name]["status"] in ("graded", "stopped"), report[name]
    assert course.points(name, "lab")["first"] == 1
    said = f"{report[name]['reason']} {course.outputs(name, 'lab')}"
    assert re.search(HOSTILE[name][1], said), (way, said[-2000:])


def test_the_honest_lose_nothing(caged):
    course, report, _ = caged
    honest = [name for name in report if name.endswith("-honest")]
    assert len(honest) >= 5
    assert {course.scores("lab")[name] for name in honest} == {7}, report


def test_what_is_kept_is_bounded(caged):
    course, _, _ = caged
    for name in HOSTILE:
        folder = course.path / "autograded" / name / "lab"
        files = [path for path in folder.rglob("*") if path.is_file()]
        assert sum(path.stat().st_size for path in files) <= 70 << 20, name
        assert len(files) <= 2_010, name


def test_nothing_planted_stays(caged):
    course, _, _ = caged
    folder = course.path / "autograded" / "plants-what-is-the-graders" / "lab"
    kept = {path.name for path in folder.iterdir()}
    assert "own.csv" in kept
    assert not {"other.ipynb", "not_graded.txt", "index.html"} & kept
    assert {"]0;title.txt", "twolines.txt", ".txt", "_", "handed[31m in.txt"} <= kept
    below = (course.path / "autograded").rglob("*")
    assert not [path for path in below if not path.name.isprintable()]
    assert (
        not (folder / "timestamp.txt").exists()
        or "planted" not in (folder / "timestamp.txt").read_text()
    )


def test_no_key_of_the_graders_is_seen(caged):
    course, _, _ = caged
    assert "the key: -1" in course.outputs("keys", "lab")


# -- by the clock and by the processor ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("clock", "processor", "waited", "over"),
    [
        (3, 3, 0, False),
        (5, 5, 0, True),  # it computes
        (7, 1, 0, False),  # it may have waited for a disk
        (9, 1, 0, True),  # it sleeps
        (30, 2, 25, False),  # it waits for a processor
        (41, 2, 39, True),  # without end
        (2, 9, 0, False),  # many threads
        (5, 9, 0, True),
    ],
)
def test_a_limit_of_four_seconds(clock, processor, waited, over):
    assert Time(clock, processor, waited).over(4) is over


def test_what_holds_here_is_found():
    assert seccomp.unavailable() == ""
    found = groups.purposes()
    if not found:
        pytest.skip("no control groups can be made on this machine")
    assert found <= {"weight", "count", "memory", "processes", "halt"}


def test_groups_are_gone_when_the_run_is_over(caged):
    graders = set((caged[0].path / "graders").read_text().split())
    for one in groups.hierarchies():
        left = [path.name for path in one.folder.glob("gradewell-*")]
        assert graders and not [name for name in left if name.split("-")[1] in graders]


def test_threads_that_look_at_once_find_the_same():
    look = (
        "import threading\nfrom gradewell.runner import groups\nfound, start = [], threading.Barrier(8)\n"
        "def one():\n    start.wait()\n    found.append(groups.hierarchies())\n"
        "threads = [threading.Thread(target=one) for _ in range(8)]\n"
        "[thread.start() for thread in threads]\n[thread.join() for thread in threads]\n"
        "assert len(found) == 8 and len(set(found)) == 1, found\nprint(len(found[0]))"
    )
    for _ in range(3):
        ran = subprocess.run(
            [sys.executable, "-c", look], capture_output=True, text=True, check=False
        )
        assert ran.returncode == 0, ran.stderr
        assert int(ran.stdout) == len(groups.hierarchies())
