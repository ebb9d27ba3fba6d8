"""The warden of one notebook: the first process of its namespace. It feeds the cells, watches, and ends everything.

The kernel below it belongs to the student. Whatever it does, the warden tells the grader how far it came, and why
it stopped. When the warden ends, the system ends all that is left in its namespace.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import select
import signal
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from . import archive, messages, namespaces, seccomp, wire
from .budget import Budget, Meter, Time

FAILED = 70
"""Exit status of a kernel that ended by an error of its own (sysexits.h: an internal error)."""
TICK = 0.03
"""Seconds between two looks at what is used."""
ADDRESSES = 8 << 30
"""Bytes of address space beyond the memory that is allowed: thread pools and allocators reserve many times what they use."""
HALTING, READING = 20.0, 60.0
"""Seconds within which all processes have to be halted, and the folder has to be read."""


class Stop(Exception):
    """The notebook cannot go on; the text says why, for student and instructor.

    ``slow`` tells that the clock alone said so, and nothing that the notebook used.
    """

    def __init__(self, why: str, slow: bool = False) -> None:
        super().__init__(why)
        self.slow = slow


class Warden:
    """Runs one notebook.

    Parameters
    ----------
    grader : socket
        Where the request comes from and everything goes to.
    link : socket
        Between the student's process and the judge's, if there is a judge.
    meter : Meter
        Shared by both wardens, if there is a judge.
    budget : Budget
        Of the notebook's processes.
    run : callable
        Takes the kernel's end of a socket pair, the link, what the judge has to know, and the meter if this is the judge; runs cells: the
        student's process, or the judge's.
    settings : dict
        Of the fork server: ``sandboxed``, whether this process is the first of its own process namespace; ``filtered``, whether system calls
        are; and ``writable``, ``kept``, ``whole_proc`` as for ``namespaces.furnish``.
    """

    def __init__(
        self,
        grader: socket.socket,
        link: socket.socket | None,
        meter: Meter | None,
        budget: Budget,
        run: Callable[
            [socket.socket, socket.socket | None, dict[str, Any] | None, Meter | None], None
        ],
        settings: dict[str, Any],
    ) -> None:
        self.grader, self.link, self.meter, self.budget, self.run = grader, link, meter, budget, run
        self.settings = settings
        self.sandboxed: bool = settings["sandboxed"]
        self.pid = 0
        self.received = bytearray()
        self.sent = self.lost = self.skip = 0
        self.weight = 0.0
        self.full = self.quiet = False
        self.looked: list[tuple[object, ...]] | None = None
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the only one that Python would listen to

    def work(self) -> None:
        """Receive the request, run the notebook, send back what came of it."""
        request = json.loads(wire.receive(self.grader)[1])
        files = wire.receive(self.grader)[1]
        self.limits: dict[str, Any] = request["limits"]
        self.variables: dict[str, str] = request["variables"]
        self.judge: dict[str, Any] | None = request["judge"]
        self.longest = {wire.MESSAGE: 1 << 32, wire.REPLY: messages.LONGEST_REPLY}
        if self.judge:
            self.longest[wire.INTERRUPT] = 0
        self.folder = Path(request["folder"])
        self.keep_out = set(request["keep_out"])
        self.own_files = frozenset(self.judge["files"] if self.judge else ())
        if self.sandboxed:
            namespaces.furnish(
                self.settings["writable"],
                self.settings["kept"],
                self.limits["disk"],
                self.limits["inodes"],
                self.settings["whole_proc"],
            )
        self.folder.mkdir(parents=True, exist_ok=True)
        packed = False
        try:
            self._unpack(files)
            os.chdir(self.folder)
            self._start()
            self.begun = self.now = self._used()
            self._attend(None, until=wire.MESSAGE)  # the kernel's greeting
            while cells := self._next():
                self._cells(cells)
            self._end()
            self._files()
            packed = True
        except Stop as stop:
            wire.send_json(self.grader, wire.STOPPED, {"why": str(stop), "slow": stop.slow})
        self._end()
        if not packed:
            with contextlib.suppress(Stop):  # it has been told of another
                self._files()
        wire.send(self.grader, wire.DONE)

    def _unpack(self, files: bytes, leave_out: frozenset[str] = frozenset()) -> None:
        if not files:
            return
        try:
            archive.unpack(files, self.folder, leave_out=leave_out)
        except OSError as error:
            raise Stop(f"its files do not fit into its folder ({error.strerror})") from error

    def _start(self) -> None:
        self.kernel, theirs = socket.socketpair()
        self.pid = os.fork()
        if self.pid == 0:
            try:
                self.grader.close()
                self.kernel.close()
                os.setsid()
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                os.nice(5)
                self.budget.join()
                counted = self.budget.counts
                self.budget.close()
                meter = self.meter if self.judge else None
                if self.meter and not self.judge:  # it is what its own time is measured by
                    self.meter.close()
                namespaces.leave_keyring()
                if self.sandboxed:
                    namespaces.renounce()
                namespaces.limit(
                    memory=self.limits["memory"] + ADDRESSES,
                    seconds=self.limits["seconds"],
                    files=self.limits["files"],
                    processes=4096,
                    file_size=self.limits["disk"],
                )
                os.environ.update(self.variables)
                if self.settings["filtered"]:
                    seccomp.restrict(
                        seccomp.program("memory" in counted, sessions="weight" in counted)
                    )
                self.run(theirs, self.link, self.judge, meter)
            finally:
                os._exit(FAILED)
        theirs.close()
        if self.link is not None:
            self.link.close()
        self.kernel.setblocking(False)
        self.budget.begin(self.pid, self.limits["memory"], self.limits["disk"])

    def _used(self) -> Time:
        """The time that the notebook has used; with a judge, the student's and the judge's are one to the judge."""
        now = self.budget.time()
        if self.meter is None:
            return now
        if self.judge is None:
            self.meter.write(now)
            return now
        there = self.meter.read()
        return Time(now.clock, now.processor + there.processor, now.waited + there.waited)

    def _next(self) -> list[dict[str, Any]]:
        """The next cells, none when there are no more. Meanwhile the kernel may be asked by the judge."""
        while True:
            readable, _, _ = select.select([self.kernel, self.grader], [], [], TICK)
            if self.kernel in readable:
                self.quiet = True  # what it says now belongs to no cell
                self._read(wire.REPLY)
                self.quiet = False
            if self.grader in readable:
                kind, body = wire.receive(self.grader)
                if kind == wire.INTERRUPT:
                    os.kill(self.pid, signal.SIGINT)
                elif kind == wire.FINISH:
                    return []
                elif kind == wire.FOLDER:
                    self._folder()
                elif kind == wire.FILES:
                    self._empty()
                    self._unpack(body, leave_out=self.own_files)
                else:
                    cells: list[dict[str, Any]] = json.loads(body)
                    return cells
            self._look()

    def _cells(self, cells: list[dict[str, Any]]) -> None:
        for cell in cells:
            begun = self._used()
            self.full = self.slow = False
            self._tell(json.dumps(cell).encode())
            timed_out = self._attend(cell["timeout"])
            ended = {
                "timed_out": timed_out,
                "slow": self.slow,
                "output_cut": self.full,
                "seconds": self._used().since(begun).clock,
            }
            wire.send_json(self.grader, wire.ENDED, ended)

    def _tell(self, source: bytes) -> None:
        self.kernel.setblocking(True)
        self.kernel.settimeout(60)
        try:
            wire.send(self.kernel, wire.SOURCE, source)
        except OSError as error:
            raise Stop(self._death()) from error
        finally:
            self.kernel.setblocking(False)

    def _attend(self, timeout: float | None, until: bytes = wire.REPLY) -> bool:
        """Pass on what the kernel says until a frame of that kind. Returns whether the time ran out."""
        begun = self._used()
        interrupted: Time | None = None
        while True:
            heard = [self.kernel] if until == wire.MESSAGE else [self.kernel, self.grader]
            readable, _, _ = select.select(heard, [], [], TICK)
            if self.grader in readable:  # it gave up, or an interruption comes too late
                wire.receive(self.grader)
            if self.kernel in readable and self._read(until):
                return interrupted is not None
            now = self._look()
            if interrupted:
                if now.since(interrupted).over(self.limits["grace"]):
                    raise Stop(
                        f"a cell took more than {timeout:g} s and did not react to being interrupted",
                        self.slow,
                    )
            elif timeout and now.since(begun).over(timeout):
                self.slow = now.since(begun).processor <= timeout
                os.kill(self.pid, signal.SIGINT)
                interrupted = now

    def _read(self, until: bytes) -> bool:
        """Pass on all whole frames that have arrived. Returns whether the awaited kind was among them."""
        try:
            piece = self.kernel.recv(1 << 18)
        except BlockingIOError:
            return False
        except ConnectionError:
            piece = b""
        if not piece:
            raise Stop(self._death())
        self.received += piece
        while True:
            if self.skip:
                gone = min(self.skip, len(self.received))
                del self.received[:gone]
                self.skip -= gone
            if len(self.received) < wire.HEAD.size:
                return False
            kind, length = wire.HEAD.unpack(self.received[: wire.HEAD.size])
            if length > self.longest.get(kind, -1):
                raise Stop("it interfered with its connection to the grader")
            if kind == wire.MESSAGE and self.sent + length > self.limits["output"]:
                self.full, self.skip = True, wire.HEAD.size + length
                self.lost += length
                if self.lost > 4 * self.limits["output"]:
                    raise Stop(f"it put out more than {5 * self.limits['output'] / 2**20:,.0f} MiB")
                continue
            if len(self.received) < wire.HEAD.size + length:
                return False
            body = bytes(self.received[wire.HEAD.size : wire.HEAD.size + length])
            del self.received[: wire.HEAD.size + length]
            if kind == wire.MESSAGE:
                self.sent += length
                weight = messages.weight(body)
                if self.weight + weight > messages.HEAVIEST * self.limits["output"]:
                    self.full = True
                    continue
                self.weight += weight
            if not self.quiet:
                wire.send(self.grader, kind, body)
            if kind == until:
                return True

    def _look(self) -> Time:
        """Stop a notebook that takes too much memory, too many processes, or too long. Returns the time that it has used.

        It looks once in a TICK, however often it is asked.
        """
        if time.monotonic() < self.now.clock + TICK:
            return self.now
        if len(self.budget.processes()) > self.limits["processes"]:
            raise Stop(f"it started more than {self.limits['processes']} processes")
        if self.budget.too_much_memory():
            raise Stop(self._memory())
        now = self.now = self._used()
        passed, most = now.since(self.begun), self.limits["seconds"]
        if passed.over(most):
            raise Stop(f"it took more than {most:g} s altogether", passed.processor <= most)
        return now

    def _memory(self) -> str:
        return f"it used more than {self.limits['memory'] / 2**20:,.0f} MiB of memory"

    def _death(self) -> str:
        """Why the kernel is gone, as a sentence."""
        for _ in range(50):
            ended, status = os.waitpid(self.pid, os.WNOHANG)
            if ended:
                break
            time.sleep(0.01)
        else:
            return "it closed its connection to the grader"
        if os.WIFSIGNALED(status):
            number = os.WTERMSIG(status)
            if number == signal.SIGKILL and self.budget.too_much_memory():
                return self._memory()
            if number == signal.SIGXCPU or (number == signal.SIGKILL and self._used_up()):
                return f"it used more than {self.limits['seconds']:g} s of processor time"
            return f"its process was ended by {signal.Signals(number).name}"
        if os.WEXITSTATUS(status) == FAILED:
            return "its kernel failed, outside of any cell"
        return f"its process ended itself with exit status {os.WEXITSTATUS(status)}"

    def _used_up(self) -> bool:
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        return used.ru_utime + used.ru_stime >= self.limits["seconds"] - 1

    def _end(self) -> None:
        """End every process of the notebook."""
        with contextlib.suppress(ProcessLookupError):
            if self.sandboxed:
                os.kill(-1, signal.SIGKILL)
            elif self.pid:
                os.killpg(self.pid, signal.SIGKILL)
        self.budget.resume()  # what is halted does not end everywhere
        try:
            while os.waitpid(-1, 0):
                pass
        except ChildProcessError:
            self.pid = 0

    def _empty(self) -> None:
        """Remove everything but the judge's own files, and the folders that hold them."""
        kept = {self.folder / name for name in self.own_files}
        kept |= {folder for path in kept for folder in path.parents}
        for here, folders, files in os.walk(self.folder, topdown=False):
            for name in [*files, *folders]:
                path = Path(here, name)
                if path not in kept:
                    path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()

    def _folder(self) -> None:
        """Send what is in the folder, or that it is what was sent last. The notebook's processes are halted meanwhile."""
        if not self.budget.halt(HALTING):
            raise Stop(f"its processes could not be halted within {HALTING:g} s")
        try:
            now = archive.look_of(self.folder, self.keep_out)
            if now == self.looked:
                wire.send(self.grader, wire.SAME)
            else:
                self._files()
                self.looked = now
        finally:
            self.budget.resume()

    def _files(self) -> None:
        """Send an archive of the notebook's folder as it is now: plain files and folders only. Nothing of the notebook may run."""
        most = self.limits["disk"]
        self._send_piece(b"")  # a new one begins, whatever became of the last
        try:
            archive.pack(self.folder, self.keep_out, most, READING, self._send_piece)
        except archive.TooMuch as error:
            raise Stop(str(error)) from error
        wire.send(self.grader, wire.FILES)

    def _send_piece(self, piece: bytes) -> None:
        wire.send(self.grader, wire.PIECE, piece)


def quietly() -> None:
    """Send the process's own words nowhere."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nowhere, descriptor)
    sys.stdin = open(os.devnull)  # noqa: SIM115
