"""The sandbox: bubblewrap shows the fork server a read-only system with nothing of the course in it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from .errors import RunnerError

SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/opt", "/nix", "/gnu")
_CONFIGURATION = (
    "alternatives fonts group hosts ld.so.cache ld.so.conf ld.so.conf.d localtime mime.types nsswitch.conf "
    "passwd protocols services ssl/certs ssl/openssl.cnf timezone R java"
)
WHOLE_PROC = "/run/proc"
_NOBODY = 65534

KEPT_VARIABLES = ("LANG", "LANGUAGE", "LC_ALL", "LC_CTYPE", "TZ", "PATH", "HOME", "USER", "LOGNAME")


@dataclass(frozen=True)
class View:
    """What a notebook can see.

    Parameters
    ----------
    readable : tuple of str
        Files and folders beside the system's, to read only.
    hidden : tuple of str
        Folders below those that appear empty.
    writable : tuple of str
        Folders that exist in the sandbox for notebooks to write to.
    environment : mapping
        The only variables that are set.
    bound : bool
        Whether the writable folders are those outside. Otherwise they are empty, and the program makes sandboxes of
        its own, for which it sees the whole ``/proc`` in WHOLE_PROC.
    """

    readable: tuple[str, ...]
    hidden: tuple[str, ...]
    writable: tuple[str, ...]
    environment: Mapping[str, str]
    bound: bool = False


@cache
def unavailable() -> str:
    """Why notebooks cannot be sandboxed here, as a sentence; empty when they can."""
    if not sys.platform.startswith("linux"):
        return f"bubblewrap runs on Linux only, and this is {sys.platform}"
    if shutil.which("bwrap") is None:
        return "bubblewrap is not installed (on Debian and Ubuntu: apt install bubblewrap)"
    probe = [*_base(), "--ro-bind", "/", "/", "--proc", "/proc", "true"]
    tried = subprocess.run(probe, capture_output=True, text=True, errors="replace", check=False)
    if tried.returncode:
        return f"bubblewrap does not work here: {tried.stderr.strip()}"
    return ""


def command(view: View, program: list[str], folder: str = "/tmp", filtering: int = -1) -> list[str]:
    """The command that runs ``program`` in the sandbox, in a folder there; an open file may hold a filter of system calls."""
    words = [*_base(), "--clearenv"]
    if filtering >= 0:
        words += ["--seccomp", str(filtering)]
    for name, value in view.environment.items():
        words += ["--setenv", name, value]
    for path in (*SYSTEM, *(f"/etc/{name}" for name in _CONFIGURATION.split())):
        words += ["--ro-bind-try", path, path]
    words += ["--dev", "/dev", "--proc", "/proc", "--tmpfs", "/tmp", "--tmpfs", "/run"]
    if not view.bound:
        words += ["--dir", WHOLE_PROC, "--bind", "/proc", WHOLE_PROC]
    home = view.environment.get("HOME", "/")
    covered: list[str] = []
    if home != "/":
        words += ["--tmpfs", home]
        covered.append(home)
    paths = sorted({*view.readable}, key=lambda path: (path.count("/"), path))
    for path in paths:
        words += ["--ro-bind-try", path, path]
    for path in sorted(view.hidden, key=lambda path: (path.count("/"), path)):
        if any(_below(path, shown) for shown in (*paths, *SYSTEM)) and Path(path).is_dir():
            words += ["--tmpfs", path]
            covered.append(path)
            for shown in paths:  # for an environment inside a course
                if _below(shown, path) and shown != path:
                    words += ["--ro-bind-try", shown, shown]
    for path in view.writable:
        words += ["--bind", path, path] if view.bound else ["--dir", path]
    if view.bound:
        covered.append("/proc")  # what root may write to there, bubblewrap leaves as it is
    for path in [*covered, "/dev", "/run", "/"]:
        words += ["--remount-ro", path]
    return [*words, "--chdir", folder, "--", *program]


@cache
def python_paths(python: str) -> frozenset[str]:
    """The files and folders from which a Python imports, and those that it needs to start.

    What this process imports from, its own folder perhaps, does not count.
    """
    code = "import sys, json; print(json.dumps([sys.prefix, sys.base_prefix, sys.exec_prefix, *sys.path]))"
    ran = subprocess.run(
        [python, "-c", code],
        cwd="/",
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    if ran.returncode:
        raise RunnerError(f"{python} does not run:\n{ran.stderr}")
    paths = json.loads(ran.stdout)
    link = Path(python)
    while link.is_symlink():  # an environment's Python points to another one
        link = link.parent / os.readlink(link)
        paths.append(str(link.parent))
    return frozenset(os.path.abspath(path) for path in paths if path and os.path.exists(path))


def environment(extra: Iterable[str] = ()) -> dict[str, str]:
    """The variables that notebooks get: the harmless ones, and those named."""
    wanted = (*KEPT_VARIABLES, *extra)
    found = {name: os.environ[name] for name in wanted if name in os.environ}
    found.setdefault("PATH", os.defpath)
    return found


def _base() -> list[str]:
    isolated = ["--unshare-all", "--unshare-user", "--die-with-parent", "--new-session"]
    words = ["bwrap", *isolated, "--cap-drop", "ALL"]
    if os.geteuid() == 0:  # root's number opens what its privileges do not
        words += ["--uid", str(_NOBODY), "--gid", str(_NOBODY)]
    return words


def _below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")
