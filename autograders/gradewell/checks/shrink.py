"""The smallest example of a failure: what a student can look at instead of a hundred generated steps."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from gradewell.checks import compare

T = TypeVar("T")


def shorter(items: Sequence[T], fails: Callable[[list[T]], bool]) -> list[T]:
    """A part of a sequence that still fails, of which nothing can be left out (Zeller and Hildebrandt 2002, ddmin).

    Parameters
    ----------
    items : sequence
        It fails.
    fails : callable
        Whether a part, in the same order, fails.
    """
    kept = list(items)
    size = max(1, len(kept) // 2)
    while kept:
        start, cut = 0, False
        while start < len(kept):
            without = kept[:start] + kept[start + size :]
            if fails(without):
                kept, cut = without, True
            else:
                start += size
        if size == 1 and not cut:
            break
        size = max(1, size // 2) if not cut else min(size, max(1, len(kept) // 2))
    return kept


def simpler(
    attributes: Mapping[str, Any],
    options: Mapping[str, Sequence[Any]],
    fails: Callable[[dict[str, Any]], bool],
) -> dict[str, Any]:
    """The same failure with each attribute at the earliest of its options that still fails.

    Parameters
    ----------
    attributes : mapping
        They fail.
    options : mapping of str to sequence
        The values of each attribute, the plainest first.
    fails : callable
        Whether attributes fail.
    """
    kept = dict(attributes)
    changed = True
    while changed:
        changed = False
        for name, values in options.items():
            for value in values:
                if value is kept[name] or compare.same(value, kept[name]):
                    break
                if fails(trial := {**kept, name: value}):
                    kept, changed = trial, True
                    break
    return kept
