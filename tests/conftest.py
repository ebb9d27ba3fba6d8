"""Shared by all tests: the folders of the project, and courses made as an instructor makes them."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import nbformat
import psutil
import pytest
from nbclient import NotebookClient
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook
from playwright.sync_api import sync_playwright
from sharewell import course


def pytest_configure(config):
    # a test run must not fill, nor read, the cache of the person who runs it
    os.environ.setdefault(
        "DATAPOLIS_CACHE", str(Path(config.rootpath) / ".pytest_cache" / "datapolis")
    )


@pytest.fixture(scope="session")
def sharewell():
    """Run the command line as a user does. Returns the finished process."""

    def run(*arguments, cwd=None, timeout=900, **options):
        return subprocess.run(
            [sys.executable, "-m", "sharewell", *map(str, arguments)],
            cwd=cwd,
            capture_output=True,
            text=True,
            timeout=timeout,
            stdin=subprocess.DEVNULL,
            check=False,
            **options,
        )

    return run


@pytest.fixture(scope="session")
def fails():
    """A run that went wrong in the right way: one clear message on stderr, no traceback, exit code 1."""

    def check(process, *said):
        assert process.returncode == 1, process.stdout + process.stderr
        assert process.stderr.startswith("Error: ")
        assert "Traceback" not in process.stderr + process.stdout
        for words in said:
            assert words in process.stderr

    return check


def graded_cell(name, source, **nbgrader):
    """A code cell with nbgrader's metadata."""
    cell = new_code_cell(source, id=name)
    cell.metadata["nbgrader"] = {
        "grade_id": name,
        "grade": False,
        "solution": False,
        "locked": False,
        "task": False,
        "schema_version": 3,
        **nbgrader,
    }
    return cell


def mini_lab():
    """The smallest lab: one answer, one visible and one hidden test."""
    return new_notebook(
        cells=[
            graded_cell("answer", "### BEGIN SOLUTION\nx = 42\n### END SOLUTION", solution=True),
            graded_cell("check-visible", "assert x", grade=True, locked=True, points=1),
            graded_cell(
                "check-hidden",
                "### BEGIN HIDDEN TESTS\nassert x == 42\n### END HIDDEN TESTS",
                grade=True,
                locked=True,
                points=2,
            ),
        ],
        metadata={
            "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}
        },
    )


@pytest.fixture
def mini_course(tmp_path):
    """A course with the lab ``mini`` besides the real ones. Returns its folder."""
    folder = tmp_path / "course"
    course.make(folder)
    path = folder / "source" / "mini" / "mini.ipynb"
    path.parent.mkdir()
    nbformat.write(mini_lab(), path)
    return folder


@pytest.fixture(scope="session")
def bubblewrap():
    """The sandbox, without which nothing is graded here, or a skip that says how to get it."""
    if shutil.which("bwrap") is None:
        pytest.skip("no bubblewrap on this machine; Debian and Ubuntu: apt install bubblewrap")


@pytest.fixture
def hand_in(mini_course, bubblewrap):
    """Hand in a value of x for a student of the mini course, or the bytes of any file."""

    def submit(student, answer, name="mini.ipynb"):
        path = mini_course / "submitted" / student / "mini" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(answer, bytes):
            path.write_bytes(answer)
        else:
            notebook = mini_lab()
            notebook.cells[0].source = f"x = {answer}"
            nbformat.write(notebook, path)
        return path

    return submit


@pytest.fixture(scope="session")
def chromium():
    """The system's Chromium, or a skip that says how to get it."""
    path = next(
        filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
    )
    if path is None:
        pytest.skip(
            "no Chromium on this machine; Debian and Ubuntu: apt install chromium fonts-noto-cjk libatomic1"
        )
    return path


def interruptible(command):
    """Start a command that can be interrupted, also where the tests run in the background.

    A shell starts background commands with SIGINT ignored, and their children inherit it.
    """
    return subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


@pytest.fixture(scope="session")
def start_interruptible():
    return interruptible


@pytest.fixture(scope="session")
def demo(tmp_path_factory, sharewell):
    """The demo, interrupted while it grades and run again: its folder and both runs."""
    folder = tmp_path_factory.mktemp("demo") / "class"
    command = [sys.executable, "-m", "sharewell", "demo", str(folder)]
    process = interruptible(command)
    end = time.monotonic() + 900  # a busy machine
    while len(list(folder.glob("feedback/*"))) < 3:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end, "the demo took too long"
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=180)
    interrupted = subprocess.CompletedProcess(command, process.returncode, out, err)
    return folder, interrupted, sharewell("demo", folder)


@pytest.fixture(scope="session")
def jupyter():
    """Start JupyterLab on a folder, on a free port of 127.0.0.1; ended with the test session.

    By the shell command given, with the port added.
    """
    started = []

    def start(folder, command):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        home = folder.parent / "jupyter-home"
        home.mkdir(exist_ok=True)
        # no token: this server lives for a test, on the loopback address
        settings = {"ServerApp": {"allow_root": True}, "IdentityProvider": {"token": ""}}
        (home / "jupyter_server_config.json").write_text(json.dumps(settings))
        environment = {
            **os.environ,
            "JUPYTER_CONFIG_DIR": str(home),
            "JUPYTER_DATA_DIR": str(home / "data"),
        }
        log = (folder.parent / f"jupyter-{port}.log").open("w")
        process = subprocess.Popen(
            [*shlex.split(command), "--no-browser", "--port", str(port)],
            env=environment,
            cwd=folder,
            stdout=log,
            stderr=log,
        )
        started.append((process, log))
        address = f"http://127.0.0.1:{port}"
        end = time.monotonic() + 180
        while True:
            with contextlib.suppress(OSError), urllib.request.urlopen(f"{address}/api", timeout=5):
                return address
            assert process.poll() is None, Path(log.name).read_text()
            assert time.monotonic() < end, Path(log.name).read_text()
            time.sleep(0.2)

    yield start
    for process, log in started:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
        log.close()


class Memory(threading.Thread):
    """The most bytes that the processes which were begun below this one held together, looked at five times a second."""

    def __init__(self):
        super().__init__(daemon=True)
        self.most, self.over = 0, threading.Event()
        self.before = set(psutil.Process().children(recursive=True))  # browsers of other tests

    def run(self):
        while not self.over.wait(0.2):
            held = 0
            for process in set(psutil.Process().children(recursive=True)) - self.before:
                with contextlib.suppress(psutil.Error):
                    held += process.memory_full_info().uss
            self.most = max(self.most, held)


@dataclass
class Run:
    """A notebook after it ran, what that took, and the texts in its figures."""

    notebook: NotebookNode
    seconds: float
    memory: int
    texts: set[str]


RECORDER = """
def _record():
    import json, os
    from matplotlib.text import Text
    draw = Text.draw
    def recorded(self, *arguments, **options):
        with open(os.environ["TEXTS"], "a", encoding="utf-8") as file:
            file.write(json.dumps(self.get_text()) + "\\n")
        return draw(self, *arguments, **options)
    Text.draw = recorded
_record()
"""


@pytest.fixture(scope="session")
def executed(tmp_path_factory):
    """Run a notebook of the course from top to bottom in a real kernel, once for all tests of this process."""
    home, done = tmp_path_factory.mktemp("ipython"), {}
    startup = home / "profile_default" / "startup"
    startup.mkdir(parents=True)
    (startup / "00-record.py").write_text(RECORDER)
    quiet = startup.parent / "ipython_kernel_config.py"
    quiet.write_text("get_config().IPKernelApp.log_level = 40\n")

    def run(path, timeout=180):
        if path in done:
            return done[path]
        notebook, texts = nbformat.read(path, as_version=4), home / f"{path.stem}.texts"
        client = NotebookClient(
            notebook,
            timeout=timeout,
            startup_timeout=180,  # a busy machine
            resources={"metadata": {"path": str(path.parent)}},
        )
        memory, begun = Memory(), time.monotonic()
        memory.start()
        try:
            environment = {**os.environ, "IPYTHONDIR": str(home), "TEXTS": str(texts)}
            with ThreadPoolExecutor(1) as thread:  # Playwright's loop runs in this one
                thread.submit(client.execute, env=environment).result()
        finally:
            memory.over.set()
            memory.join()
        lines = texts.read_text(encoding="utf-8").splitlines() if texts.is_file() else []
        done[path] = Run(
            notebook, time.monotonic() - begun, memory.most, set(map(json.loads, lines))
        )
        return done[path]

    return run


@pytest.fixture(scope="session")
def browser(chromium):
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(
            executable_path=chromium,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        yield launched
        launched.close()


def pytest_terminal_summary(terminalreporter):
    """What each notebook took, from test_notebooks.py."""
    properties = [
        dict(getattr(report, "user_properties", ()))
        for reports in terminalreporter.stats.values()
        for report in reports
    ]
    rows = sorted({tuple(found["notebook"]) for found in properties if "notebook" in found})
    if rows:
        terminalreporter.section("notebooks, from top to bottom")
        terminalreporter.write_line(f"{'':<28} seconds  (limit)  MiB at most  (limit)")
        for stem, seconds, limit, memory in rows:
            terminalreporter.write_line(
                f"{stem:<28} {seconds:>7} {limit:>8} {memory:>12,} {2048:>8,}"
            )
