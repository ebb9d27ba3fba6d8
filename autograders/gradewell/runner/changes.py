"""Whether something is to be graded again: by what it holds, not by its time.

A graded notebook keeps in its metadata a digest of all that was handed in with it, and one of how it was graded: the instructor's notebook
and files, and the settings that matter.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

KEY = "gradewell"
"""Of a graded notebook's metadata."""
_TRAITS = (
    "judge", "answers", "call_timeout", "answer_size", "notebook_timeout", "memory", "processes", "open_files", "disk",
    "output", "notebook_size",
)  # fmt: skip
_SECTIONS = ("Execute", "LimitOutput", "SaveAutoGrades", "AssignLatePenalties", "OverwriteCells")


def of_files(folder: Path, leave_out: Iterable[str] = ()) -> str:
    """A digest of the names and the contents of all files in a folder; files that cannot be read count by their names."""
    found = hashlib.sha256()
    left_out = set(leave_out)
    for here, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if name != ".ipynb_checkpoints")
        for name in sorted(names):
            path = Path(here, name)
            if path.suffix in left_out or not path.is_file():
                continue
            found.update(os.fsencode(path.relative_to(folder)) + b"\0")
            try:
                with path.open("rb") as file:
                    found.update(hashlib.file_digest(file, "sha256").digest())
            except OSError:
                found.update(b"?")
    return found.hexdigest()


def of_settings(runner: Any, config: Any, steps: Iterable[Any]) -> str:
    """A digest of the settings that decide what a submission gets."""
    settings = {
        "runner": {name: getattr(runner, name) for name in _TRAITS},
        "environment": runner.named_variables(),
        "config": {name: config[name] for name in _SECTIONS if name in config},
        "steps": [_name(one) for one in steps],
    }
    text = json.dumps(settings, sort_keys=True, default=_name)
    return hashlib.sha256(text.encode()).hexdigest()


def combined(*parts: str) -> str:
    """One digest of several."""
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def kept(graded: Path) -> dict[str, str]:
    """The digests that a graded notebook keeps; empty when it keeps none."""
    try:
        found = json.loads(graded.read_text(encoding="utf-8"))["metadata"][KEY]
        return {str(name): str(value) for name, value in found.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def _name(thing: Any) -> str:
    """What stays the same of a class, a function or an object from one run to the next."""
    if isinstance(thing, str):
        return thing
    kind = thing if hasattr(thing, "__qualname__") else type(thing)
    return f"{kind.__module__}.{kind.__qualname__}"
