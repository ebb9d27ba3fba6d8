"""Control groups: the system itself counts what all processes of a notebook use together, bounds it, and halts them.

Version 2 as systemd delegates it (``Delegate=yes``), or version 1 for root. What a machine lacks, the warden does by adding up.
cgroups(7); the kernel's Documentation/admin-guide/cgroup-v2.rst and cgroup-v1.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import subprocess
import threading
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from .inside.budget import ended_for_memory
from .job import Limits

_V1 = {
    "cpu": "weight",
    "cpuacct": "count",
    "memory": "memory",
    "pids": "processes",
    "freezer": "halt",
}
"""Controllers of version 1, and what each is for."""
_V2 = {"cpu": "weight", "memory": "memory", "pids": "processes"}
"""Controllers of version 2, which counts processor time and halts without any."""
TASKS = 2048
"""Processes and threads that a notebook may have, where the system counts them."""
_looking = threading.Lock()
"""Held while it is found out what can be done here: a second look meanwhile would find the first one's probe."""


@dataclass(frozen=True)
class Hierarchy:
    """A folder below which groups can be made, and what they bound there."""

    folder: Path
    version: int
    purposes: frozenset[str]


def hierarchies() -> tuple[Hierarchy, ...]:
    """Where this process can make control groups; empty where it cannot. Several threads may ask at once."""
    with _looking:
        return _hierarchies()


@cache
def _hierarchies() -> tuple[Hierarchy, ...]:
    found = []
    covered: set[str] = set()
    for one in sorted(_mounted(), key=lambda one: -one.version):
        if (purposes := one.purposes - covered) and _usable(one):
            found.append(Hierarchy(one.folder, one.version, frozenset(purposes)))
            covered |= purposes
            _sweep(one.folder)
    return tuple(found)


def purposes() -> frozenset[str]:
    """What control groups do here: ``weight`` and ``count`` processor time, bound ``memory`` and ``processes``, ``halt`` them."""
    return frozenset().union(*(one.purposes for one in hierarchies()))


class Group:
    """A control group for one notebook, in every hierarchy that there is.

    ``files`` are open descriptors, by what they are for, to be handed to the warden; the notebook sees none of them.
    """

    _numbers = itertools.count()

    def __init__(self, limits: Limits) -> None:
        name = f"gradewell-{os.getpid()}-{next(self._numbers)}"
        self.folders: list[Path] = []
        self.files: list[tuple[str, int]] = []
        try:
            for one in hierarchies():
                folder = one.folder / name
                folder.mkdir()
                self.folders.append(folder)
                self._furnish(folder, one, limits)
        except OSError:  # bounds by halves would be mistaken for whole ones
            self.close()
            raise

    def _furnish(self, folder: Path, one: Hierarchy, limits: Limits) -> None:
        second = one.version == 2
        if "weight" in one.purposes:
            name, share = ("cpu.weight", "100") if second else ("cpu.shares", "1024")
            (folder / name).write_text(share)
            self._open("weight", folder / name)
        if "count" in one.purposes:
            self._open("processor", folder / ("cpu.stat" if second else "cpuacct.usage"))
        if "memory" in one.purposes:
            swap = folder / ("memory.swap.max" if second else "memory.swappiness")
            with contextlib.suppress(OSError):  # where there is no swap
                swap.write_text("0")
            self._open("memory", folder / ("memory.current" if second else "memory.usage_in_bytes"))
            self._open("of", folder / "memory.stat")
            limit = folder / ("memory.max" if second else "memory.limit_in_bytes")
            self._open("most", limit, os.O_WRONLY)
            self._open("refused", folder / ("memory.events" if second else "memory.oom_control"))
        if "processes" in one.purposes:
            (folder / "pids.max").write_text(str(TASKS))
        if "halt" in one.purposes:
            self._open("halt", folder / ("cgroup.freeze" if second else "freezer.state"), os.O_RDWR)
            self._open("halted", folder / ("cgroup.events" if second else "freezer.state"))
        self._open("join", folder / "cgroup.procs", os.O_WRONLY)

    def _open(self, purpose: str, path: Path, how: int = os.O_RDONLY) -> None:
        self.files.append((purpose, os.open(path, how | os.O_CLOEXEC)))

    def places(self) -> list[str]:
        """The files into which a process writes 0 to be in the group."""
        return [str(folder / "cgroup.procs") for folder in self.folders]

    def bound(self, limits: Limits) -> None:
        """Bound the memory of the group, files in memory included, by what a notebook may have."""
        for purpose, number in self.files:
            if purpose == "most":
                with contextlib.suppress(OSError):  # then it is watched only
                    os.write(number, str(limits.memory + limits.disk).encode())

    def refused(self) -> bool:
        """Whether the system has ended a process of the group for its memory."""
        return any(
            ended_for_memory(os.pread(number, 4096, 0).decode())
            for purpose, number in self.files
            if purpose == "refused"
        )

    def close(self) -> None:
        """Let go of the descriptors, and remove the group, whose processes have ended or are about to."""
        for _, number in self.files:
            os.close(number)
        self.files.clear()
        for folder in self.folders:
            _remove(folder)
        self.folders.clear()


def _mounted() -> list[Hierarchy]:
    """The hierarchies that are mounted, each with the folder of this process's own group."""
    try:
        groups = Path("/proc/self/cgroup").read_text().splitlines()
        mounts = Path("/proc/self/mountinfo").read_text().splitlines()
    except OSError:
        return []
    own = {}
    for line in groups:
        _, controllers, path = line.split(":", 2)
        own[frozenset(controllers.split(",")) - {""}] = path
    found = []
    for line in mounts:
        before, _, after = line.partition(" - ")
        root, point = before.split()[3:5]
        kind, _, options = after.split(" ", 2)
        if kind == "cgroup2":
            version, path, names = 2, own.get(frozenset(), ""), _V2
        elif kind == "cgroup":
            version = 1
            here = next((c for c in own if c and c <= set(options.split(","))), frozenset())
            path, names = own.get(here, ""), {name: _V1[name] for name in here & set(_V1)}
        else:
            continue
        if not path.startswith(root) and root != "/":
            continue
        folder = Path(point, path.removeprefix("" if root == "/" else root).lstrip("/"))
        if version == 2:
            if not (delegated := _delegated(folder)):
                continue
            folder, given = delegated
            names = {name: _V2[name] for name in given}
            wanted = {*names.values(), "count", "halt"}
        else:
            wanted = set(names.values())
        if wanted:
            found.append(Hierarchy(folder, version, frozenset(wanted)))
    return found


def _delegated(folder: Path) -> tuple[Path, set[str]] | None:
    """The folder below which groups can be made in version 2, and their controllers: a group with children must hold no process itself."""
    try:
        offered = set((folder / "cgroup.controllers").read_text().split()) & set(_V2)
        if missing := offered - set((folder / "cgroup.subtree_control").read_text().split()):
            if os.geteuid() == 0 and not _is_delegated(folder):
                return None  # it is systemd's own, though root may write there
            leaf = folder / f"grader-{os.getpid()}"
            leaf.mkdir(exist_ok=True)
            for process in (folder / "cgroup.procs").read_text().split():
                with contextlib.suppress(OSError):  # it has ended
                    (leaf / "cgroup.procs").write_text(process)
            (folder / "cgroup.subtree_control").write_text(" ".join(f"+{one}" for one in missing))
        return folder, offered
    except OSError:
        return None


def _is_delegated(folder: Path) -> bool:
    """Whether systemd has left a group to whoever runs in it (https://systemd.io/CGROUP_DELEGATION)."""
    for name in ("trusted.delegate", "user.delegate"):
        with contextlib.suppress(OSError):
            if os.getxattr(folder, name) == b"1":
                return True
    return False


def _usable(one: Hierarchy) -> bool:
    """Whether a group can be made there, and a process moved into it."""
    probe = one.folder / f"gradewell-{os.getpid()}-probe"
    try:
        probe.mkdir()
    except OSError:
        return False
    moved = subprocess.run(
        ["/bin/sh", "-c", 'echo 0 > "$0"', probe / "cgroup.procs"], capture_output=True, check=False
    )
    _remove(probe)
    return moved.returncode == 0


def _sweep(folder: Path) -> None:
    """Remove the groups of graders that were killed."""
    for group in folder.glob("gradewell-*-*"):
        owner = group.name.split("-")[1]
        if owner.isdigit() and not Path("/proc", owner).exists():
            with contextlib.suppress(OSError):  # something in it goes on
                group.rmdir()


def _remove(folder: Path) -> None:
    """Remove a group whose last process is gone, or about to be."""
    end = time.monotonic() + 10
    while time.monotonic() < end:
        try:
            folder.rmdir()
            return
        except FileNotFoundError:
            return
        except OSError:
            time.sleep(0.01)
