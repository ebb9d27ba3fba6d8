"""What a notebook has used so far, all its processes together.

Where there are control groups, the system counts. Elsewhere it is added up from ``/proc``, at each look: what a process used between the last
look and its end is missing then. proc(5), cgroups(7).
"""

from __future__ import annotations

import contextlib
import mmap
import os
import resource
import struct
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
CLOCK = 2
"""Limits of time are about processor time. By the clock, without what the notebook waited for a processor, they are so many times as long ..."""
AT_MOST = 10
"""... and, waiting and all, so many times."""


@dataclass(frozen=True)
class Time:
    """Seconds: by the clock, of processors, and those for which the notebook was ready to run and had to wait for a processor."""

    clock: float
    processor: float
    waited: float

    def since(self, begun: Time) -> Time:
        """What has passed since then."""
        return Time(
            self.clock - begun.clock, self.processor - begun.processor, self.waited - begun.waited
        )

    def over(self, seconds: float) -> bool:
        """Whether this is more than a limit allows.

        A busy machine costs nobody a limit: time counts that a processor worked for the notebook, or that nobody worked for it although
        it did not wait for a processor.
        """
        if self.clock <= seconds:
            return False
        return (
            self.processor > seconds
            or self.clock - self.waited > CLOCK * seconds
            or self.clock > AT_MOST * seconds
        )


class Meter:
    """What the student's notebook has used, for its warden to write and its judge to read: a page of memory that both hold.

    Parameters
    ----------
    descriptor : int
        Of a memory file, which is closed.
    """

    _content = struct.Struct("dd")

    def __init__(self, descriptor: int) -> None:
        self._page = mmap.mmap(descriptor, mmap.PAGESIZE)
        os.close(descriptor)

    def write(self, now: Time) -> None:
        """Say how much processor time it has used, and waited for."""
        self._content.pack_into(self._page, 0, now.processor, now.waited)

    def read(self) -> Time:
        """What it has used, by the clock of the reader."""
        return Time(time.monotonic(), *self._content.unpack_from(self._page))

    def close(self) -> None:
        """Take it out of this process's memory."""
        self._page.close()


class Budget:
    """The processes of one notebook: how much they use, and halting them.

    Parameters
    ----------
    alone : bool
        Whether this process is the first of its own process namespace, in which there is nothing else.
    group : sequence of (str, int)
        Open files of the notebook's control group by their purpose (``groups.Group``), as many as there are.
    """

    def __init__(self, alone: bool, group: Sequence[tuple[str, int]]) -> None:
        self.alone, self.group = alone, list(group)
        self._files: Mapping[str, int] = dict(self.group)
        self.pid = 0
        self._seen: dict[tuple[int, int], float] = {}
        self._ended = 0.0
        self._before = 0

    def begin(self, pid: int, memory: int, disk: int) -> None:
        """From now on the process and its children are the notebook. Bytes of memory and of files."""
        self.pid, self._before = pid, _anonymous(pid)
        self.memory, self.files = memory, disk
        if "most" in self._files:
            with contextlib.suppress(OSError):  # then it is watched only
                os.write(self._files["most"], str(memory + disk + self._before).encode())

    @property
    def counts(self) -> set[str]:
        """What the control group bounds: ``memory``, and the ``weight`` of its processor time."""
        return {purpose for purpose, _ in self.group}

    def join(self) -> None:
        """Move this process, and what it starts, into the group."""
        for purpose, number in self.group:
            if purpose == "join":
                os.write(number, b"0")

    def close(self) -> None:
        """Let go of the group's files."""
        for _, number in self.group:
            os.close(number)

    def time(self) -> Time:
        """What has been used since the notebook began."""
        now = time.monotonic()
        if "processor" in self._files:
            text = _read(self._files["processor"])
            used = int(text.split()[1]) / 1e6 if text.startswith("usage_usec") else int(text) / 1e9
        else:
            used = self._added_up()
        return Time(now, used, _waited(self.pid))

    def processes(self) -> list[int]:
        """The notebook's processes."""
        if not self.alone:
            return [self.pid]
        mine = os.stat("/proc/self/ns/pid").st_ino
        found = []
        for name in os.listdir("/proc"):
            if name.isdigit() and name != "1":
                with contextlib.suppress(OSError):  # it has ended, or belongs to others
                    if os.stat(f"/proc/{name}/ns/pid").st_ino == mine:
                        found.append(int(name))
        own = os.getpid()
        return [pid for pid in found if pid != own]

    def too_much_memory(self) -> bool:
        """Whether they hold more than they may."""
        if "memory" in self._files:
            if ended_for_memory(_read(self._files["refused"])):
                return True
            if int(_read(self._files["memory"])) <= self.memory:
                return False
            own, files = _held(_read(self._files["of"]))
            most = self.memory + self._before
            return own > most or own + files > most + self.files
        processes = self.processes()
        held = sum(_resident(pid) + _memory_files(pid) for pid in processes)
        return held - self._before * len(processes) > self.memory

    def _added_up(self) -> float:
        """Seconds of processor time: of those that are there, and of those that were there at an earlier look."""
        seen: dict[tuple[int, int], float] = {}
        waited_for = resource.getrusage(resource.RUSAGE_CHILDREN)
        among = waited_for.ru_utime + waited_for.ru_stime
        for pid in self.processes():
            if (found := _times(pid)) is not None:
                begun, own, of_children = found
                seen[pid, begun] = own
                among += own + of_children
        for one, own in self._seen.items():
            if one not in seen:
                self._ended += own
        self._seen = seen
        return max(self._ended + sum(seen.values()), among)

    def halt(self, seconds: float) -> bool:
        """Halt all processes. Returns whether they all are, within so many seconds."""
        end = time.monotonic() + seconds
        if "halt" in self._files:
            version_1 = _read(self._files["halted"]).strip() in ("THAWED", "FREEZING", "FROZEN")
            os.write(self._files["halt"], b"FROZEN" if version_1 else b"1")
            while time.monotonic() < end:
                told = _read(self._files["halted"])
                if told.strip() == "FROZEN" or "frozen 1" in told:
                    return True
                time.sleep(0.001)
            return False
        if not self.alone:
            return True
        while time.monotonic() < end:
            with contextlib.suppress(ProcessLookupError):
                os.kill(-1, 19)  # SIGSTOP, which nobody can refuse
            if all(_is_stopped(pid) for pid in self.processes()):
                return True
            time.sleep(0.001)
        return False

    def resume(self) -> None:
        """Let them go on."""
        if "halt" in self._files:
            version_1 = _read(self._files["halted"]).strip() in ("THAWED", "FREEZING", "FROZEN")
            os.write(self._files["halt"], b"THAWED" if version_1 else b"0")
        elif self.alone:
            with contextlib.suppress(ProcessLookupError):
                os.kill(-1, 18)  # SIGCONT


def ended_for_memory(told: str) -> bool:
    """Whether the system has ended a process of a group for its memory, by the group's ``memory.events`` or ``memory.oom_control``."""
    counted = dict(line.split() for line in told.splitlines())
    return counted.get("oom_kill", "0") != "0"


def _read(number: int) -> str:
    return os.pread(number, 1 << 16, 0).decode()


def _held(stat: str) -> tuple[int, int]:
    """Bytes that a group's processes hold: of their own, and in files that are in memory only."""
    values = {line.split()[0]: int(line.split()[1]) for line in stat.splitlines()}
    own = values["anon"] if "anon" in values else values["rss"]  # the names of versions 2 and 1
    return own, values.get("shmem", 0)


def _stat(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def _times(pid: int) -> tuple[int, float, float] | None:
    """When a process began, and the seconds of processor time of its own and of children that it waited for."""
    try:
        found = _stat(pid)
    except OSError:
        return None
    user, system, user_below, system_below = map(int, found[11:15])
    return int(found[19]), (user + system) / _TICKS, (user_below + system_below) / _TICKS


def _is_stopped(pid: int) -> bool:
    try:
        return _stat(pid)[0] in "TtZX"
    except OSError:
        return True


def _waited(pid: int) -> float:
    """Seconds for which a process was ready to run and another had the processor; 0 where the system does not tell."""
    try:
        return int(Path(f"/proc/{pid}/schedstat").read_text().split()[1]) / 1e9
    except (OSError, IndexError):
        return 0.0


def _status(pid: int, names: tuple[str, ...]) -> int:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    return sum(int(line.split()[1]) << 10 for line in status.splitlines() if line.startswith(names))


def _anonymous(pid: int) -> int:
    return _status(pid, ("RssAnon:",))


def _resident(pid: int) -> int:
    """Bytes of anonymous and shared memory of a process that are in memory."""
    return _status(pid, ("RssAnon:", "RssShmem:"))


def _memory_files(pid: int) -> int:
    """Bytes in memory files (memfd_create) that a process has open."""
    total = 0
    folder = f"/proc/{pid}/fd"
    with contextlib.suppress(OSError):  # it has ended, or just closed one
        for name in os.listdir(folder):
            if os.readlink(f"{folder}/{name}").startswith("/memfd:"):
                total += os.stat(f"{folder}/{name}").st_blocks * 512
    return total
