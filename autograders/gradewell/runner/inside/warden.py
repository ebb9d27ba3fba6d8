"""The warden of one notebook: the first process of its namespace. It feeds the cells, watches, and ends everything.

The kernel below it belongs to the student. Whatever it does, the warden tells the grader how far it came, and why
it stopped. When the warden ends, the system ends all that is left in its namespace.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import resource
import select
import signal
import socket
import sys
import tarfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from . import archive, namespaces, wire

FAILED = 70
"""Exit status of a kernel that ended by an error of its own (sysexits.h: an internal error)."""
TICK = 0.03
"""Seconds between two looks at memory and processes."""
ADDRESSES = 8 << 30
"""Bytes of address space beyond the memory that is allowed: thread pools and allocators reserve many times what they use."""


_LONGEST_REPLY = 16 << 20


class Stop(Exception):
    """The notebook cannot go on; the text says why, for student and instructor."""


class Warden:
    """Runs one notebook.

    Parameters
    ----------
    grader : socket
        Where the request comes from and everything goes to.
    links : list of socket
        One between the student's process and the judge's, if there is a judge.
    run : callable
        Takes the kernel's end of a socket pair, the link and what the judge has to know, and runs cells: the student's
        process, or the judge's.
    sandboxed : bool
        Whether this process is the first of its own process namespace.
    writable, kept, whole_proc
        As for ``namespaces.furnish``.
    """

    def __init__(
        self,
        grader: socket.socket,
        links: list[socket.socket],
        run: Callable[[socket.socket, socket.socket | None, dict[str, Any] | None], None],
        sandboxed: bool,
        writable: list[str],
        kept: list[str],
        whole_proc: str,
    ) -> None:
        self.grader, self.run, self.sandboxed = grader, run, sandboxed
        self.link = links[0] if links else None
        self.writable, self.kept, self.whole_proc = writable, kept, whole_proc
        self.received = bytearray()
        self.sent = self.lost = self.skip = 0
        self.full = self.quiet = False
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the only one that Python would listen to

    def work(self) -> None:
        """Receive the request, run the notebook, send back what came of it."""
        request = json.loads(wire.receive(self.grader)[1])
        files = wire.receive(self.grader)[1]
        self.limits: dict[str, Any] = request["limits"]
        self.variables: dict[str, str] = request["variables"]
        self.judge: dict[str, Any] | None = request["judge"]
        self.folder = Path(request["folder"])
        self.keep_out = set(request["keep_out"])
        self.own_files = frozenset(self.judge["files"] if self.judge else ())
        if self.sandboxed:
            namespaces.furnish(self.writable, self.kept, self.limits["disk"], self.whole_proc)
        self.folder.mkdir(parents=True, exist_ok=True)
        try:
            self._unpack(files)
            os.chdir(self.folder)
            self._start()
            self.deadline = time.monotonic() + self.limits["seconds"]
            self._attend(None, until=wire.MESSAGE)  # the kernel's greeting
            while cells := self._next():
                self._cells(cells)
        except Stop as stop:
            wire.send_json(self.grader, wire.STOPPED, str(stop))
        self._end()
        wire.send(self.grader, wire.FILES, self._files())
        wire.send(self.grader, wire.DONE)

    def _unpack(self, files: bytes, leave_out: frozenset[str] = frozenset()) -> None:
        if not files:
            return
        try:
            archive.unpack(files, self.folder, leave_out)
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
                self.run(theirs, self.link, self.judge)
            finally:
                os._exit(FAILED)
        theirs.close()
        if self.link is not None:
            self.link.close()
        self.kernel.setblocking(False)
        self.before = self._memory()[0]

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
                    wire.send(self.grader, wire.FILES, self._files())
                elif kind == wire.FILES:
                    self._empty()
                    self._unpack(body, leave_out=self.own_files)
                else:
                    cells: list[dict[str, Any]] = json.loads(body)
                    return cells
            self._look()
            if time.monotonic() > self.deadline:
                raise Stop(f"it took more than {self.limits['seconds']:g} s altogether")

    def _cells(self, cells: list[dict[str, Any]]) -> None:
        for cell in cells:
            begun = time.monotonic()
            self.full = False
            self._tell(json.dumps(cell).encode())
            timed_out = self._attend(cell["timeout"])
            ended = {
                "timed_out": timed_out,
                "output_cut": self.full,
                "seconds": time.monotonic() - begun,
            }
            wire.send_json(self.grader, wire.ENDED, ended)

    def _tell(self, source: bytes) -> None:
        self.kernel.setblocking(True)
        self.kernel.settimeout(5)
        try:
            wire.send(self.kernel, wire.SOURCE, source)
        except OSError as error:
            raise Stop(self._death()) from error
        finally:
            self.kernel.setblocking(False)

    def _attend(self, timeout: float | None, until: bytes = wire.REPLY) -> bool:
        """Pass on what the kernel says until a frame of that kind. Returns whether the time ran out."""
        deadline = time.monotonic() + timeout if timeout else float("inf")
        interrupted = False
        while True:
            heard = [self.kernel] if until == wire.MESSAGE else [self.kernel, self.grader]
            readable, _, _ = select.select(heard, [], [], TICK)
            if self.grader in readable:  # it gave up, or an interruption comes too late
                wire.receive(self.grader)
            if self.kernel in readable and self._read(until):
                return interrupted
            self._look()
            now = time.monotonic()
            if now > self.deadline:
                raise Stop(f"it took more than {self.limits['seconds']:g} s altogether")
            if now > deadline:
                if interrupted:
                    raise Stop(
                        f"a cell took more than {timeout:g} s and did not react to being interrupted"
                    )
                os.kill(self.pid, signal.SIGINT)
                interrupted, deadline = True, now + self.limits["grace"]

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
            longest = _LONGEST_REPLY if kind == wire.REPLY else 1 << 32
            if kind not in (wire.MESSAGE, wire.REPLY, wire.INTERRUPT) or length > longest:
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
            if not self.quiet:
                wire.send(self.grader, kind, body)
            if kind == until:
                return True

    def _look(self) -> None:
        """Stop a notebook that takes too much memory or too many processes."""
        memory, processes = self._memory()
        if processes > self.limits["processes"]:
            raise Stop(f"it started more than {self.limits['processes']} processes")
        if memory - self.before * processes > self.limits["memory"]:
            raise Stop(f"it used more than {self.limits['memory'] / 2**20:,.0f} MiB of memory")

    def _memory(self) -> tuple[int, int]:
        """Bytes that the notebook's processes hold in memory, and how many processes there are."""
        if not self.sandboxed:
            return _resident(self.pid) + _unmapped(self.pid), 1
        mine, total, count = os.stat("/proc/self/ns/pid").st_ino, 0, 0
        for name in os.listdir("/proc"):
            if not name.isdigit():
                continue
            try:
                if os.stat(f"/proc/{name}/ns/pid").st_ino != mine:
                    continue
            except OSError:
                continue
            count += 1
            total += _resident(int(name)) + _unmapped(int(name))
        return total, count - 1

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
            os.kill(-1, signal.SIGKILL) if self.sandboxed else os.killpg(self.pid, signal.SIGKILL)
        try:
            while os.waitpid(-1, 0):
                pass
        except ChildProcessError:
            pass

    def _empty(self) -> None:
        """Remove everything but the judge's own files, and the folders that hold them."""
        kept = {self.folder / name for name in self.own_files}
        kept |= {folder for path in kept for folder in path.parents}
        for here, folders, files in os.walk(self.folder, topdown=False):
            for name in [*files, *folders]:
                path = Path(here, name)
                if path not in kept:
                    path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()

    def _files(self) -> bytes:
        """An archive of the notebook's folder as it is now: plain files and folders only."""
        packed = io.BytesIO()

        def plain(entry: tarfile.TarInfo) -> tarfile.TarInfo | None:
            wanted = entry.isfile() or entry.isdir()
            return entry if wanted and entry.name not in self.keep_out else None

        with tarfile.open(fileobj=packed, mode="w") as archive:
            for name in sorted(os.listdir(self.folder)):
                try:
                    archive.add(self.folder / name, name, filter=plain)
                except OSError:
                    continue  # what cannot be read is not handed on
        return packed.getvalue()


def _resident(pid: int) -> int:
    """Bytes of anonymous and shared memory of a process that are in memory."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    kilobytes = 0
    for line in status.splitlines():
        if line.startswith(("RssAnon:", "RssShmem:")):
            kilobytes += int(line.split()[1])
    return kilobytes << 10


def _unmapped(pid: int) -> int:
    """Bytes in memory files (memfd_create) that a process has open."""
    total = 0
    folder = f"/proc/{pid}/fd"
    with contextlib.suppress(OSError):  # it has ended, or just closed one
        for name in os.listdir(folder):
            if os.readlink(f"{folder}/{name}").startswith("/memfd:"):
                total += os.stat(f"{folder}/{name}").st_blocks * 512
    return total


def quietly() -> None:
    """Send the process's own words nowhere."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nowhere, descriptor)
    sys.stdin = open(os.devnull)  # noqa: SIM115
