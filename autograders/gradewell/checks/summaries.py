"""Can partial answers be merged? However the data are split, and in whatever order the parts arrive."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from gradewell.checks import compare
from gradewell.checks.calls import CallFailed, call, measured, run, size_of
from gradewell.checks.result import Problem, Result


class _Once:
    """Rows that can be read from first to last, once."""

    def __init__(self, rows: Sequence[Any]) -> None:
        self._rows, self._read, self.again = rows, False, False

    def __iter__(self) -> Iterator[Any]:
        self.again = self._read
        if self._read:
            raise RuntimeError("the rows were read a second time")
        self._read = True
        return iter(list(self._rows))


def mergeable(
    summarise: Callable[[Any], Any],
    merge: Callable[[Any, Any], Any],
    finish: Callable[[Any], Any],
    datasets: Mapping[str, Sequence[Any]],
    expected: Callable[[Sequence[Any]], Any],
    seed: int,
    points: float,
    tolerance: float = 1e-9,
    growth: float = 3.0,
    title: str = "summaries that merge",
) -> Result:
    """Points for a summary that gives the central answer however the rows are split.

    Parameters
    ----------
    summarise : callable
        From an iterable of rows, which can be read once, to a summary.
    merge : callable
        From two summaries to one; neither is changed.
    finish : callable
        From a summary to the answer: a number, None, or a list, tuple or dict of such.
    datasets : mapping of str to rows
        Named for what is hard about them ("values around a billion"); the names occur in messages. They are split at
        random, some parts empty.
    expected : callable
        From rows to the answer.
    seed : int
        Of the splits.
    tolerance : float
        Relative, of numbers.
    growth : float
        How much larger the summary of eight times as many rows may be; ``inf`` for exact distinct counts.

    Notes
    -----
    Each law and each dataset counts the same. Where the answer depends on the split, or is wrong without one, the order in which parts
    are merged counts for nothing; a summary that grows with the rows halves what is earned.
    """
    random = np.random.default_rng(seed)
    earned = dict.fromkeys(_LAWS, 0.0)
    good: dict[str, bool] = {}
    problems: dict[str, Problem] = {}

    def broken(law: str, name: str) -> None:
        good[law] = False
        problems.setdefault(law, Problem(f"summaries.{law}", _LAWS[law].format(name)))

    def summary(rows: Sequence[Any]) -> Any:
        once = _Once(rows)
        try:
            return run(summarise, once)
        except CallFailed as failure:
            again = "it reads the rows a second time, and they come only once"
            raise CallFailed(f"{failure}: {again}" if once.again else f"{failure}") from None

    def both(one: Any, other: Any) -> Any:
        return run(lambda: merge(one, other), of=merge)  # themselves: a law is that they stay

    def same(one: Any, rows: Sequence[Any]) -> bool:
        return alike(call(finish, one), expected(rows), tolerance)

    for name, rows in datasets.items():
        good = dict.fromkeys(_LAWS, True)
        try:
            if not same(summary(rows), rows):
                broken("one part", name)
            cuts = np.sort(random.integers(0, len(rows) + 1, 7))
            parts = [list(rows[a:b]) for a, b in zip([0, *cuts], [*cuts, len(rows)], strict=True)]
            made = [summary(part) for part in parts]
            before = [copy.deepcopy(call(finish, one)) for one in made]
            forwards = made[0]
            for one in made[1:]:
                forwards = both(forwards, one)
            if not same(forwards, rows):
                broken("any split", name)
            backwards = made[-1]
            for one in made[-2::-1]:
                backwards = both(one, backwards)
            if not alike(call(finish, backwards), call(finish, forwards), tolerance):
                broken("associative", name)
            swapped = made[0]
            for one in made[1:]:
                swapped = both(one, swapped)
            if not alike(call(finish, swapped), call(finish, forwards), tolerance):
                broken("commutative", name)
            nothing = summary([])
            for padded in (both(forwards, nothing), both(nothing, forwards)):
                if not alike(call(finish, padded), call(finish, forwards), tolerance):
                    broken("an empty part", name)
            after = [call(finish, one) for one in made]
            if not all(alike(a, b, tolerance) for a, b in zip(after, before, strict=True)):
                broken("unchanged", name)
            more = (
                [rows[int(i)] for i in random.integers(len(rows), size=8 * len(rows))]
                if rows
                else []
            )
            sizes = [size_of(summary(some), summarise) for some in (rows, more)]
            if len(rows) >= 100 and sizes[1] > growth * sizes[0]:
                broken("small", name)
        except CallFailed as failure:
            return Result.failed(
                title, points, "summaries.fails when called", f"With {name}: {failure}."
            )
        if not good["one part"]:  # a wrong answer that merges is of no use
            good = dict.fromkeys(good, False)
        elif not good["any split"]:  # nor is an order that does not matter to a wrong answer
            good |= dict.fromkeys(_OF_MERGING, False)
        for law, holds in good.items():
            earned[law] += holds / len(datasets)
    if "small" in problems:  # whoever keeps the rows has summarised nothing
        earned = {law: share / 2 for law, share in earned.items()}
    shares = {law: round(share, 9) for law, share in earned.items()}
    return Result.from_parts(title, points, shares, list(problems.values()))


_OF_MERGING = ("associative", "commutative", "an empty part", "unchanged")
_LAWS = {
    "one part": "Without any split the answer is not the right one for {}.",
    "any split": "Split into parts and merged, {} give another answer than all at once.",
    "associative": "Merged from the last part to the first, {} give another answer than from the first to the last.",
    "commutative": "merge(a, b) and merge(b, a) give different answers for {}.",
    "an empty part": "Merged with the summary of no rows, the answer for {} changes.",
    "unchanged": "merge changes the summaries that it is given: for {} they say something else afterwards.",
    "small": "The summary grows with the rows of {}: it keeps what it should only have counted.",
}


def alike(one: Any, other: Any, tolerance: float = 1e-9) -> bool:
    """Whether two answers are equal, numbers to a relative tolerance; None and NaN, which say that there is none, are alike to themselves."""
    one, other = compare.plain(one), compare.plain(other)
    if isinstance(one, dict) and isinstance(other, dict):
        return compare.same(set(one), set(other)) and all(
            alike(one[k], other[k], tolerance) for k in one
        )
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(
            alike(a, b, tolerance) for a, b in zip(one, other, strict=True)
        )
    if compare.missing(one) and compare.missing(other):
        return (one is None) == (other is None)
    return compare.close(one, other, tolerance, tolerance) or compare.same(one, other)


def within_memory(
    function: Callable[..., Any], arguments: Sequence[Any], mebibytes: float, points: float,
    title: str = "memory",
) -> Result:  # fmt: skip
    """Points for a call during which the process grows by no more than this.

    It is measured where the function runs. What a submission cannot pass, whatever it says, is ``c.Runner.memory``.
    """
    try:
        _, grown = measured(function, *arguments)
    except CallFailed as failure:
        return Result.failed(title, points, "memory.fails when called", f"{failure}.")
    used = grown / 2**20
    if compare.at_most(used, mebibytes):
        return Result(title, points, points)
    message = (
        f"The call took {used:,.0f} MiB of memory; {mebibytes:g} are allowed. Read the data part by part, and keep "
        "only the summary of each."
    )
    return Result.failed(title, points, "memory.too much", message)
