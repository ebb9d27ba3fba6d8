"""A fork server as its user sees it: give it a job, get a transcript. Several threads may use it at once."""

from __future__ import annotations

import json
import mmap
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass, field
from itertools import groupby
from pathlib import Path
from types import TracebackType

import gradewell

from . import groups, sandbox
from .conversation import Conversation
from .errors import RunnerError
from .inside import seccomp, wire
from .job import Job, Transcript


@dataclass(frozen=True)
class Setting:
    """What the notebooks of an assignment have in common."""

    root: str
    """The course's folder, which notebooks do not see."""
    writable: str
    """The folder, below the course's, in which each notebook finds a folder of its own."""
    python: str = ""
    """Of the kernel; empty for the Python that runs the server's owner, on whatever machine that is."""
    preload: tuple[str, ...] = ()
    """Modules to import before the first fork."""
    sandboxed: bool = True
    grouped: bool = True
    """Whether notebooks are in control groups where the system has them."""
    filtered: bool = True
    """Whether their system calls are filtered where the system can do that."""
    readable: tuple[str, ...] = ()
    """More files and folders that notebooks may read."""
    hidden: tuple[str, ...] = ()
    """More folders that they may not see."""
    variables: dict[str, str] = field(default_factory=dict)
    """More environment variables."""


class ServerLost(RunnerError):
    """The fork server itself has ended."""


class ForkServer:
    """A Python process that has imported what notebooks need, and forks for each of them.

    Parameters
    ----------
    setting : Setting
        What it imports and shows.

    Raises
    ------
    RunnerError
        It cannot be started; the text says why.
    """

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self._scratch = tempfile.mkdtemp(prefix="gradewell-")
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._control = ours
        self._errors = open(Path(self._scratch) / "errors", "w+b")  # noqa: SIM115
        source = str(Path(gradewell.__file__).parents[1])
        code = (
            f"import sys; sys.path.append({source!r}); from gradewell.runner.inside import server; "
            "sys.path.pop(); server.main()"
        )
        self._python = setting.python or sys.executable
        command = [self._python, "-c", code]
        environment = self._environment()
        if setting.sandboxed:
            command = sandbox.command(self._view(environment, source), command)
        with theirs:
            self._process = subprocess.Popen(
                command,
                stdin=theirs.fileno(),
                stdout=self._errors,
                stderr=self._errors,
                env=environment,
                cwd=self._scratch,
                start_new_session=True,
            )
        writable = [setting.writable, "/tmp", "/dev/shm"]
        settings = {
            "preload": setting.preload,
            "sandboxed": setting.sandboxed,
            "filtered": setting.filtered and setting.sandboxed and not seccomp.unavailable(),
            "writable": writable,
            "kept": sorted(self._readable(environment, source)),
            "whole_proc": sandbox.WHOLE_PROC,
        }
        self._control.send(json.dumps(settings).encode())
        self._preloaded: dict[str, str] | None = None

    def ready(self) -> dict[str, str]:
        """Wait until it can take jobs. Returns module to error, empty where it was imported."""
        with self._lock:
            if self._preloaded is None:
                try:
                    answer = self._control.recv(1 << 16)
                except ConnectionError:
                    answer = b""
                if not answer:
                    raise RunnerError(f"the fork server did not start:\n{self.errors()}")
                self._preloaded = json.loads(answer)
            return self._preloaded

    def execute(self, job: Job) -> Transcript:
        """Run one notebook and wait for it.

        Raises
        ------
        ServerLost
            The fork server itself has ended.
        """
        self.ready()
        begun = time.monotonic()
        transcript = Transcript(cells=[None] * len(job.cells))
        with ExitStack() as stack:
            try:
                student, judge = self._conversations(job, stack)
                try:
                    _converse(job, student, judge, transcript)
                except (wire.Closed, ConnectionError):
                    if self._process.poll() is not None:
                        raise ServerLost(f"the fork server ended:\n{self.errors()}") from None
                    said = [transcript.stopped, student.stopped, judge.stopped if judge else ""]
                    transcript.stopped = next(filter(None, said), "its sandbox was destroyed")
            except OSError as error:
                raise ServerLost(
                    f"the fork server cannot be reached ({error}):\n{self.errors()}"
                ) from error
        transcript.seconds = time.monotonic() - begun
        return transcript

    def _conversations(
        self, job: Job, stack: ExitStack
    ) -> tuple[Conversation, Conversation | None]:
        """Fork for the student's process, and for the judge if there is one."""
        request = {
            "folder": job.folder if self.setting.sandboxed else tempfile.mkdtemp(dir=self._scratch),
            "keep_out": sorted(job.keep_out),
            "limits": asdict(job.limits),
            "variables": job.variables,
            "judge": None,
        }
        group: list[tuple[str, int]] = []
        if self.setting.grouped:
            with suppress(OSError):  # then the warden adds up, as where there are none
                made = groups.Group(job.limits)
                stack.callback(made.close)
                group = made.files
        if job.judge is None:
            student = Conversation(self._fork(stack, group))
            student.begin(request, job.files)
            return student, None
        links = [stack.enter_context(end) for end in socket.socketpair()]
        meter = os.memfd_create("meter")
        stack.callback(os.close, meter)
        os.truncate(meter, mmap.PAGESIZE)
        both = [("link", end.fileno()) for end in links]
        student = Conversation(self._fork(stack, [both[0], ("meter", meter), *group]))
        judge = Conversation(
            self._fork(stack, [both[1], ("meter", meter)]), student.interrupt_kernel
        )
        for end in links:
            end.close()
        student.begin(request, job.files)
        more = {**job.judge.variables, **job.variables}
        judge.begin({**request, "variables": more, "judge": asdict(job.judge)}, job.files)
        return student, judge

    def _fork(self, stack: ExitStack, given: list[tuple[str, int]]) -> socket.socket:
        """A connection to a new warden, which gets these open files, by their purposes, too."""
        ours, theirs = socket.socketpair()
        stack.enter_context(ours)
        self._open.add(ours)
        stack.callback(self._open.discard, ours)
        with theirs, self._lock:
            given = [("grader", theirs.fileno()), *given]
            purposes = json.dumps([purpose for purpose, _ in given]).encode()
            socket.send_fds(self._control, [purposes], [number for _, number in given])
        return ours

    def errors(self) -> str:
        """The last lines that the server itself wrote; empty when another has closed it meanwhile."""
        try:
            self._errors.flush()
            self._errors.seek(0)
            return self._errors.read().decode(errors="replace")[-2000:]
        except ValueError:
            return ""

    def close(self) -> None:
        """End the server and every notebook in it."""
        for sock in list(self._open):
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue
        self._control.close()
        if self._preloaded is None:  # it is still importing, and would not notice
            self._process.kill()
        try:
            self._process.wait(timeout=1)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._errors.close()
        shutil.rmtree(self._scratch, ignore_errors=True)

    def __enter__(self) -> ForkServer:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _environment(self) -> dict[str, str]:
        variables = {
            **sandbox.environment(),
            "NBGRADER_EXECUTION": "autograde",
            "IPYTHONDIR": "/tmp/.ipython" if self.setting.sandboxed else f"{self._scratch}/ipython",
            "PYTHONDONTWRITEBYTECODE": "1",
            **self.setting.variables,
        }
        cached = _matplotlib_cache()
        if cached and self.setting.sandboxed:
            variables["MPLCONFIGDIR"] = cached
        return variables

    def _readable(self, environment: dict[str, str], source: str) -> set[str]:
        readable = {source, *sandbox.python_paths(self._python), *self.setting.readable}
        if "MPLCONFIGDIR" in environment:
            readable.add(environment["MPLCONFIGDIR"])
        return {path for path in readable if path != "/" and os.path.exists(path)}

    def _view(self, environment: dict[str, str], source: str) -> sandbox.View:
        return sandbox.View(
            readable=tuple(self._readable(environment, source)),
            hidden=(self.setting.root, *self.setting.hidden),
            writable=(self.setting.writable,),
            environment=environment,
        )


def _converse(
    job: Job, student: Conversation, judge: Conversation | None, transcript: Transcript
) -> None:
    """Have the cells run, each where it belongs, in the order of the notebook."""
    ran = transcript.cells
    there = job.files
    if judge is None:
        student.run(list(enumerate(job.cells)), ran)
    else:
        for judged, group in groupby(enumerate(job.cells), key=lambda pair: bool(pair[1].test)):
            cells = list(group)
            if judged:
                if (found := student.folder()) != there:  # what the student's code wrote
                    there = found
                    judge.put(there)
                if student.over:
                    break
                judge.run(cells, ran)
            else:
                student.run(cells, ran)
            if student.over or judge.over:
                break
        judge.finish()
    student.finish()
    transcript.language, transcript.files = student.language, student.files
    transcript.stopped, transcript.slow = student.stopped, student.slow
    if judge is not None:
        transcript.slow |= judge.slow
        if judge.stopped and not student.stopped:
            transcript.stopped = f"its tests were ended: {judge.stopped}"


class ForkServers:
    """A fork server for each setting, started when it is first needed and again when it is lost."""

    def __init__(self) -> None:
        self._servers: dict[str, ForkServer] = {}
        self._lock = threading.Lock()
        self._closed = False
        self._turns = Turns()

    def execute(self, setting: Setting, job: Job) -> Transcript:
        """Run one notebook and wait for it.

        A notebook that ran out of time by the clock alone is run again, by itself: the machine may have been busy. One whose server ends
        under it, perhaps by another's doing, gets a server of its own; when that ends too, it is the notebook.

        Raises
        ------
        RunnerError
            No server can be started, or they have been closed.
        """
        with self._turns.together():
            transcript = self._once(setting, job)
        if transcript.slow:
            with self._turns.alone():
                transcript = self._once(setting, job)
        return transcript

    def _once(self, setting: Setting, job: Job) -> Transcript:
        shared = self._server(setting)
        shared.ready()
        try:
            return shared.execute(job)
        except ServerLost:
            self._forget(shared)
        own = self._server(setting, f"of {id(job)}")
        try:
            own.ready()
            return own.execute(job)
        except ServerLost:
            return Transcript(stopped="it ended the process that runs notebooks, twice")
        finally:
            self._forget(own)

    def start(self, setting: Setting) -> None:
        """Start the server for a setting, to be ready when it is needed."""
        self._server(setting)

    def close(self) -> None:
        """End everything that runs."""
        with self._lock:
            self._closed = True
            for server in self._servers.values():
                server.close()
            self._servers.clear()

    def _server(self, setting: Setting, whose: str = "") -> ForkServer:
        key = json.dumps(asdict(setting), sort_keys=True) + whose
        with self._lock:
            if self._closed:
                raise RunnerError("the run was interrupted")
            if key not in self._servers:
                self._servers[key] = ForkServer(setting)
            return self._servers[key]

    def _forget(self, server: ForkServer) -> None:
        with self._lock:
            for key, other in list(self._servers.items()):
                if other is server:
                    del self._servers[key]
                    server.close()


class Turns:
    """Many at once, or one alone."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._running = self._waiting = 0

    @contextmanager
    def together(self) -> Iterator[None]:
        """While nobody is alone, or waits to be."""
        with self._counted(lambda: not self._waiting):
            yield

    @contextmanager
    def alone(self) -> Iterator[None]:
        """When all others have ended."""
        with self._changed:
            self._waiting += 1
        try:
            with self._counted(lambda: not self._running):
                yield
        finally:
            with self._changed:
                self._waiting -= 1
                self._changed.notify_all()

    @contextmanager
    def _counted(self, may: Callable[[], bool]) -> Iterator[None]:
        with self._changed:
            self._changed.wait_for(may)
            self._running += 1
        try:
            yield
        finally:
            with self._changed:
                self._running -= 1
                self._changed.notify_all()


def _matplotlib_cache() -> str:
    """Where matplotlib keeps its list of fonts, which takes seconds to make; empty when it has none yet."""
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    for folder in (os.environ.get("MPLCONFIGDIR", ""), os.path.join(base, "matplotlib")):
        if folder and list(Path(folder).glob("fontlist-*.json")):
            return os.path.abspath(folder)
    return ""
