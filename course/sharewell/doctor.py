"""What this machine has, what it can offer, and what to do about the rest."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path


@dataclass(frozen=True)
class Finding:
    """One line of the doctor's report. ``needed`` marks what the course cannot do without."""

    what: str
    ok: bool
    found: str
    advice: str = ""
    needed: bool = True


def examine() -> list[Finding]:
    """All findings, the needed ones first. Nothing is changed on the machine."""
    return [
        _python(),
        *[
            _package(name)
            for name in ("sharewell", "jupyterlab", "nbgrader", "pandas", "pyarrow", "faker")
        ],
        _kernel(),
        _nbgrader_extension(),
        _cache(),
        _disk(),
        _processors(),
        _chromium(),
        _bubblewrap(),
        _control_groups(),
        _filter(),
    ]


def _python() -> Finding:
    return Finding(
        "Python",
        sys.version_info >= (3, 11),
        f"{platform.python_version()} at {sys.executable}",
        "install Python 3.11 or newer from python.org or your system",
    )


def _package(name: str) -> Finding:
    try:
        return Finding(name, True, version(name))
    except PackageNotFoundError:
        return Finding(name, False, "missing", f"python -m pip install {name}")


def _kernel() -> Finding:
    from jupyter_client.kernelspec import KernelSpecManager

    found = "python3" in KernelSpecManager().find_kernel_specs()
    return Finding(
        "Jupyter kernel python3",
        found,
        "found" if found else "missing",
        "python -m ipykernel install --sys-prefix",
    )


def _nbgrader_extension() -> Finding:
    from jupyter_core.paths import jupyter_path

    places = [Path(p) / "labextensions" / "@jupyter" / "nbgrader" for p in jupyter_path()]
    found = any(place.is_dir() for place in places)
    return Finding(
        "Validate button and formgrader",
        found,
        "found" if found else "JupyterLab does not find nbgrader's extension",
        "install jupyterlab and nbgrader into the same environment",
    )


def _cache() -> Finding:
    import platformdirs

    folder = Path(os.environ.get("DATAPOLIS_CACHE", platformdirs.user_cache_path("sharewell")))
    existing = next(place for place in [folder, *folder.parents] if place.exists())
    return Finding(
        "Folder for large tables",
        os.access(existing, os.W_OK),
        str(folder),
        "set DATAPOLIS_CACHE to a folder that you may write to",
    )


def _disk() -> Finding:
    free = shutil.disk_usage(Path.cwd()).free / 1e9
    return Finding(
        "Free disk space here", free > 2, f"{free:.0f} GB", "free 2 GB or work elsewhere"
    )


def _processors() -> Finding:
    return Finding("Processors", True, str(os.cpu_count()), needed=False)


def _chromium() -> Finding:
    names = ("chromium", "chromium-browser", "google-chrome")
    path = next((found for name in names if (found := shutil.which(name))), None)
    return Finding(
        "Chromium, for the project's own browser tests",
        path is not None,
        path or "missing",
        "Debian, Ubuntu: apt install chromium",
        needed=False,
    )


def _bubblewrap() -> Finding:
    if sys.platform != "linux":
        advice = "only Linux has it: grade in a virtual machine of its own, with --sandbox none"
    else:
        advice = "Debian, Ubuntu: apt install bubblewrap"
    path = shutil.which("bwrap")
    return Finding(
        "bubblewrap, to keep student code apart",
        path is not None,
        path or "missing",
        advice,
        needed=False,
    )


def _control_groups() -> Finding:
    from gradewell.runner.groups import purposes

    means = {
        "weight": "a fair share of the processor",
        "count": "processor time",
        "memory": "memory of every kind",
        "processes": "processes",
        "halt": "halting",
    }
    there = purposes() if sys.platform == "linux" else frozenset()
    found = [text for name, text in means.items() if name in there]
    missing = [text for name, text in means.items() if name not in there]
    return Finding(
        "Control groups, to bound student code",
        not missing,
        ", ".join(found) or "none",
        f"without them gradewell adds up what it can see, and cannot hold for sure: {', '.join(missing)}. Run the grader as root, or in "
        "systemd-run --user --scope -p Delegate=yes",
        needed=False,
    )


def _filter() -> Finding:
    from gradewell.runner.inside.seccomp import unavailable

    why = unavailable() if sys.platform == "linux" else f"this is {sys.platform}"
    return Finding(
        "Filter of system calls, for student code",
        not why,
        why or "found",
        "grade on Linux on x86_64 or aarch64",
        needed=False,
    )
