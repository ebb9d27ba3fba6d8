"""Work that is done where the student's functions are: many calls in one question, and the memory of a call.

With the judge, these run in the student's process, as the functions themselves do: what they return is the student's word.
"""

from __future__ import annotations

import pickle
import threading
from collections.abc import Callable, Sequence
from typing import Any

import psutil

_EVERY = 0.002
"""Seconds between two looks at the memory."""


def repeat(function: Callable[..., Any], times: int, arguments: Sequence[Any]) -> list[Any]:
    """The results of calling a function ``times`` times with the same arguments."""
    return [function(*arguments) for _ in range(times)]


def peak_memory(function: Callable[..., Any], arguments: Sequence[Any]) -> tuple[Any, int]:
    """The result of a call, and by how many bytes the process was larger at most meanwhile."""
    process = psutil.Process()
    before = highest = process.memory_info().rss
    done = threading.Event()

    def watch() -> None:
        nonlocal highest
        while not done.wait(_EVERY):
            highest = max(highest, process.memory_info().rss)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        result = function(*arguments)
    finally:
        highest = max(highest, process.memory_info().rss)
        done.set()
        watcher.join()
    return result, highest - before


def size(value: Any) -> int:
    """About how many bytes a value holds: its length as a pickle."""
    return len(pickle.dumps(value))
