"""What student code can see and reach: its own folder, a read-only system, and nothing else."""

import json
import socket
import sys
import threading
from pathlib import Path

import gradewell
import pytest
from gradewell.runner import forkserver
from gradewell.runner.job import Cell, Job

pytestmark = pytest.mark.xdist_group("sandbox")

PROBE = """
import ctypes, json, os, resource, socket, subprocess, sys
from pathlib import Path

def attempt(what):
    try:
        return what()
    except BaseException as error:
        return f"refused: {type(error).__name__}"

def connect(family, address):
    with socket.socket(family) as sock:
        sock.settimeout(2)
        sock.connect(address)
        return "connected"

def peers():
    "The processes on the other ends of inherited sockets: 0 is one outside."
    found = set()
    for name in os.listdir("/proc/self/fd"):
        try:
            sock = socket.socket(fileno=os.dup(int(name)))
            if sock.family == socket.AF_UNIX:
                found.add(int.from_bytes(sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)[:4], "little"))
        except OSError:
            continue
    return sorted(found - {os.getpid()})

def write(path):
    with open(path, "w") as file:
        file.write("x")
    return "written"

libc = ctypes.CDLL(None, use_errno=True)
COURSE = Path(%(course)r)
found = {
    "network": attempt(lambda: connect(socket.AF_INET, ("127.0.0.1", %(port)d))),
    "abstract socket": attempt(lambda: connect(socket.AF_UNIX, "\\0gradewell-test-%(port)d")),
    "interfaces": [name for _, name in socket.if_nameindex()],
    "gradebook": attempt(lambda: (COURSE / "gradebook.db").read_bytes()[:10].decode()),
    "secret": attempt(lambda: (COURSE / "secret.txt").read_text()),
    "source": attempt(lambda: sorted(os.listdir(COURSE / "source"))),
    "submitted": attempt(lambda: sorted(os.listdir(COURSE / "submitted"))),
    "course": attempt(lambda: sorted(os.listdir(COURSE))),
    "other notebooks": sorted(str(p) for p in COURSE.rglob("*.ipynb")),
    "home": attempt(lambda: sorted(os.listdir(os.path.expanduser("~")))),
    "root files": sorted(set(os.listdir("/")) & {"etc", "home", "srv", "var", "boot", "mnt", "media"}),
    "shadow": attempt(lambda: Path("/etc/shadow").read_text()),
    "environment": sorted(os.environ),
    "environment of all": "hunter2" in "".join(
        attempt(lambda p=p: Path(p).read_bytes().decode("latin")) for p in Path("/proc").glob("[0-9]*/environ")),
    "tmp": sorted(name for name in os.listdir("/tmp") if not name.startswith(".")),
    "write tmp": attempt(lambda: write("/tmp/left-by-a-student")),
    "write here": attempt(lambda: write("mine.txt")),
    "write usr": attempt(lambda: write("/usr/x")),
    "write etc": attempt(lambda: write("/etc/x")),
    "write root": attempt(lambda: write("/x")),
    "write python": attempt(lambda: write(json.__file__)),
    "write course": attempt(lambda: write(COURSE / "x")),
    "write home": attempt(lambda: write(os.path.expanduser("~/x"))),
    "memory of 1": attempt(lambda: open("/proc/1/mem", "rb").read(1)),
    "descriptors of 1": [attempt(lambda n=n: open(f"/proc/1/fd/{n}", "rb").read(1)) for n in range(12)],
    "trace 1": libc.ptrace(16, 1, 0, 0),
    "processes": len([n for n in os.listdir("/proc") if n.isdigit()]),
    "sees names": sorted({Path(f"/proc/{n}/cmdline").read_bytes().decode()[-40:] for n in os.listdir("/proc") if n.isdigit()}),
    "whole proc": attempt(lambda: os.listdir("/run/proc")),
    "peers": peers(),
    "mount": libc.mount(b"none", b"/mnt", b"tmpfs", 0, None),
    "unmount": libc.umount2(str(COURSE).encode(), 2),
    "user namespace": libc.unshare(0x10000000),
    "shared memory": libc.shmget(0, 1 << 20, 0o1600),
    "become root": attempt(lambda: subprocess.run(["su", "-c", "true"], capture_output=True, stdin=subprocess.DEVNULL).returncode),
    "set uid": attempt(lambda: os.setuid(12345)),
    "core pattern": attempt(lambda: write("/proc/sys/kernel/core_pattern")),
    "namespaces allowed": attempt(lambda: write("/proc/sys/user/max_user_namespaces")),
    "limits": {name: resource.getrlimit(getattr(resource, f"RLIMIT_{name}"))[1] for name in
               ("CORE", "CPU", "NOFILE", "FSIZE", "AS", "NPROC")},
    "raw disk": sorted(n for n in os.listdir("/dev") if n.startswith(("sd", "vd", "nvme", "mem", "kmsg", "loop"))),
}
print("PROBE" + json.dumps(found, default=str))
"""


@pytest.fixture(scope="module", params=["python3", "another"])
def seen(request, tmp_path_factory, new_course, cells, another):
    """What two students' code found: one notebook each, in the fork server or in an ordinary kernel. A listener waits."""
    root = tmp_path_factory.mktemp("sandbox")
    kernel = {**another, "name": request.param}
    course = new_course(root / "course", "import os\nos.environ['GRADING_PASSWORD'] = 'hunter2'\n")
    course.lab("lab", kernel=kernel, lab=[cells.answer("answer", "pass"), cells.test("check", "1")])
    (course.path / "secret.txt").write_text("hunter2")
    connected = []
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.socket(socket.AF_UNIX) as abstract,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setenv("SECRET_TOKEN", "hunter2")
        port = server.getsockname()[1]
        abstract.bind(f"\0gradewell-test-{port}")
        abstract.listen()
        threading.Thread(target=_accept, args=(server, connected), daemon=True).start()
        probe = PROBE % {"course": str(course.path), "port": port}
        for student in ("ada", "bob"):
            course.hand_in(student, "lab", answers={"answer": probe})
        course.gradewell("lab", "--jobs", "1")
    assert connected == []
    texts = [course.outputs(student, "lab") for student in ("ada", "bob")]
    for text in texts:
        assert "PROBE" in text, text
    found = [
        json.loads(out["text"].split("PROBE")[1].splitlines()[0])
        for student in ("ada", "bob")
        for cell in course.graded(student, "lab").cells
        for out in cell.get("outputs", [])
        if "PROBE" in out.get("text", "")
    ]
    return course, found, request.param


def _accept(server, connected):
    try:
        while True:
            connected.append(server.accept())
    except OSError:
        return


def test_there_is_no_network(seen):
    for found in seen[1]:
        assert found["network"].startswith("refused")
        assert found["abstract socket"].startswith("refused")
        assert found["interfaces"] in ([], ["lo"])


def test_nothing_of_the_course_can_be_seen(seen):
    _, both, kind = seen
    for found in both:
        for what in ("gradebook", "secret", "source", "submitted"):
            assert found[what].startswith("refused"), what
        assert len(found["other notebooks"]) == (kind == "another")  # which runs beside its own
        assert set(found["course"]) <= {"autograded", ".autograding"}


def test_neither_home_nor_secrets_of_the_environment_can_be_seen(seen):
    home = Path.home()
    needed = (sys.prefix, sys.base_prefix, gradewell.__file__)  # they may be in somebody's home
    ways = {Path(p).relative_to(home).parts[0] for p in needed if Path(p).is_relative_to(home)}
    for found in seen[1]:
        assert set(found["home"]) <= {".cache", *ways}, found["home"]
        assert not {"SECRET_TOKEN", "GRADING_PASSWORD"} & set(found["environment"])
        assert not found["environment of all"]
        assert found["shadow"].startswith("refused")
        assert not set(found["root files"]) & {"boot", "media", "mnt"}


def test_the_system_is_read_only_and_tmp_is_its_own(seen):
    course, both, _ = seen
    for found in both:
        for what in ("usr", "etc", "root", "python"):
            assert found[f"write {what}"].startswith("refused"), what
        if not Path.home().is_relative_to("/tmp"):  # then it would be in a /tmp of its own
            assert found["write home"].startswith("refused")
        assert found["write tmp"] == "written"
        assert found["write here"] == "written"
        assert "left-by-a-student" not in found["tmp"]
    assert not (course.path / "x").exists()
    assert not (Path.home() / "x").exists()
    assert (course.path / "autograded/ada/lab/mine.txt").read_text() == "x"


def test_other_processes_cannot_be_seen_or_touched(seen):
    _, both, kind = seen
    for found in both:
        assert found["processes"] <= 4, found["sees names"]
        assert found["memory of 1"].startswith("refused")
        if kind == "python3":  # elsewhere it is bubblewrap, which knows nothing
            assert found["trace 1"] == -1
            assert {answer.split(":")[0] for answer in found["descriptors of 1"]} == {"refused"}
        assert found["raw disk"] == []


def test_privileges_cannot_be_had(seen):
    for found in seen[1]:
        assert found["mount"] == -1
        assert found["unmount"] == -1
        assert found["become root"] != 0
        assert found["set uid"].startswith("refused")
        assert found["core pattern"].startswith("refused")


def test_what_it_may_use_is_limited(seen):
    _, both, kind = seen
    for found in both:
        limits = found["limits"]
        assert (limits["CORE"], limits["CPU"], limits["NOFILE"]) == (0, 600, 1024)
        assert limits["FSIZE"] == 512 << 20
        if kind == "python3":
            assert 0 < limits["AS"] < 16 << 30
            assert 0 < limits["NPROC"] <= 4096


def test_a_fork_reaches_nothing_of_its_server(seen):
    _, both, kind = seen
    for found in both:
        if kind == "python3":
            assert found["whole proc"] in (
                [],
                "refused: PermissionError",
                "refused: FileNotFoundError",
            )
            assert found["peers"] == [1]  # who asks; nobody outside is at the end of a socket
            assert found["user namespace"] == -1
            assert found["shared memory"] == -1
            assert found["namespaces allowed"].startswith("refused")


def test_a_sandbox_that_fails_before_the_first_cell_says_why(tmp_path, bubblewrap):
    """Its files are no archive; it says so before it is told what to run."""
    writable = tmp_path / "autograded"
    writable.mkdir()
    setting = forkserver.Setting(root=str(tmp_path), writable=str(writable))
    with forkserver.ForkServer(setting) as server:
        job = Job((Cell("1 + 1"),), folder=str(writable / "lab"), files=b"no archive")
        assert server.execute(job).stopped.startswith("the sandbox failed: ReadError")
        fine = Job((Cell("1 + 1"),), folder=str(writable / "lab"))
        assert server.execute(fine).stopped == ""
