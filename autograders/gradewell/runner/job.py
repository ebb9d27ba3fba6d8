"""What is asked of a fork server, and what comes back."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .inside.judge import Step


@dataclass(frozen=True)
class Limits:
    """What one notebook may use."""

    seconds: int = 600
    """Processor time of the whole notebook; the clock has a limit of its own (``inside.budget.Time.over``)."""
    memory: int = 2 << 30
    """Bytes beyond what the imported libraries take, of all its processes together."""
    processes: int = 128
    files: int = 1024
    """Open files of each process."""
    disk: int = 512 << 20
    """Bytes that it may write: to its folder, to ``/tmp`` and to ``/dev/shm``, each."""
    inodes: int = 20_000
    """Files and folders that each of those may hold."""
    output: int = 20 << 20
    """Bytes of output that are kept."""
    grace: float = 4.0
    """Seconds between the interruption of a cell and the end of the notebook."""


@dataclass(frozen=True)
class Cell:
    """A code cell to run. ``timeout`` in seconds; none without."""

    source: str
    timeout: float | None = None
    test: str = ""
    """The name of a test cell that runs in the judge's process; empty for what runs in the student's."""


@dataclass(frozen=True)
class Judge:
    """How test cells are run apart from the code that they test."""

    steps: tuple[Step, ...] = ()
    """The instructor's code cells, in order."""
    answers: tuple[str, ...] = ()
    """Names that the student was asked to define, beside those of the answer cells."""
    files: tuple[str, ...] = ()
    """The instructor's own files, of which the judge sees nothing that the student's code made of them."""
    variables: dict[str, str] = field(default_factory=dict)
    """Environment variables for the judge alone."""
    seconds: float = 10.0
    """Processor time that one call of the student's code may take."""
    largest: int = 64 << 20
    """Bytes of a value that crosses."""


@dataclass(frozen=True)
class Job:
    """One notebook to run."""

    cells: tuple[Cell, ...]
    folder: str
    """The absolute path of the folder that the notebook finds itself in."""
    files: bytes = field(default=b"", repr=False)
    """A tar archive of what is in that folder."""
    keep_out: frozenset[str] = frozenset()
    """Names in the folder that do not come back."""
    limits: Limits = field(default_factory=Limits)
    variables: dict[str, str] = field(default_factory=dict)
    """Environment variables for this notebook, and for its judge."""
    judge: Judge | None = None


@dataclass
class CellRun:
    """What one cell put out."""

    messages: list[dict[str, Any]] = field(default_factory=list)
    """In Jupyter's messaging protocol."""
    reply: dict[str, Any] | None = None
    """The execute_reply; none when the cell did not end."""
    timed_out: bool = False
    output_cut: bool = False
    seconds: float = 0.0


@dataclass
class Transcript:
    """What a notebook did."""

    language: dict[str, Any] = field(default_factory=dict)
    """The kernel's language_info."""
    cells: list[CellRun | None] = field(default_factory=list)
    """One for each of the job's; none where it was not begun."""
    stopped: str = ""
    """Why it was stopped before its end; empty when it was not."""
    slow: bool = False
    """Whether it, or a cell of it, ran out of time by the clock alone."""
    files: bytes = field(default=b"", repr=False)
    """A tar archive of the folder afterwards; empty when it was lost."""
    seconds: float = 0.0


def pack(folder: Path, names: Iterable[str] | None = None) -> bytes:
    """A tar archive of the plain files and folders in ``folder``, or of those named."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name in sorted(names if names is not None else (p.name for p in folder.iterdir())):
            archive.add(folder / name, name, filter=_plain)
    return packed.getvalue()


def _plain(entry: tarfile.TarInfo) -> tarfile.TarInfo | None:
    return entry if entry.isfile() or entry.isdir() else None
