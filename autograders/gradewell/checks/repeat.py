"""Work that is done where the student's functions are: many calls in one question, the memory of a call, a call that could be repeated.

With the judge, these run in the student's process, as the functions themselves do: what they return is the student's word.
"""

from __future__ import annotations

import contextlib
import pickle
import random
import sys
import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import psutil

_EVERY = 0.002
"""Seconds between two looks at the memory."""


def repeat(function: Callable[..., Any], times: int, arguments: Sequence[Any]) -> list[Any]:
    """The results of calling a function ``times`` times with the same arguments."""
    return [function(*arguments) for _ in range(times)]


def each(function: Callable[..., Any], values: Sequence[Any]) -> list[Any]:
    """The results of calling a function with one value after the other."""
    return [function(value) for value in values]


def peak_memory(function: Callable[..., Any], arguments: Sequence[Any]) -> tuple[Any, int]:
    """The result of a call, and by how many bytes the process was larger at most meanwhile."""
    process = psutil.Process()
    before = highest = process.memory_info().rss
    mark = _high_water()
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
    if _high_water() > mark:  # seen by the kernel, also while nothing else could run
        highest = max(highest, _high_water())
    return result, highest - before


def _high_water() -> int:
    """The most bytes that this process ever had; 0 where the system does not tell."""
    with contextlib.suppress(ImportError):
        import resource

        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    return 0


def size(value: Any) -> int:
    """About how many bytes a value holds: its length as a pickle."""
    return len(pickle.dumps(value))


def after_seeding(function: Callable[..., Any], arguments: Sequence[Any]) -> Any:
    """The result of a call after the generators that everybody can repeat were set to the same start."""
    random.seed(1)
    np.random.seed(1)  # the one that can be set from outside
    return function(*arguments)
