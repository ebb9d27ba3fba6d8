"""Lab 7: what a joint product earns, split by what each adds: the four properties that only Shapley's value (1953) has together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import combinations
from typing import Any

import numpy as np

from gradewell.checks import compare
from gradewell.checks.calls import CallFailed, Function, call
from gradewell.checks.result import Problem, Result

Game = dict[str, float]
"""What each group earns. Its key is its names, sorted and joined by ``+``; that of nobody is empty."""

_SAID = {
    "efficiency": "What is paid out is not what all together earn. (The names in a key are sorted.)",
    "symmetry": "Two who add the same to every group do not get the same.",
    "null player": "Somebody who adds nothing to any group gets something.",
    "additivity": "For two products together, somebody gets another sum than for the one and for the other.",
}
_TINY = 1e-6


def key(group: Iterable[str]) -> str:
    """The key of a group of names in a game."""
    return "+".join(sorted(group))


def groups(names: list[str]) -> list[tuple[str, ...]]:
    """All groups of some of the names, nobody and all among them."""
    return [group for size in range(len(names) + 1) for group in combinations(names, size)]


def game(random: np.random.Generator, names: list[str]) -> Game:
    """A random game in whole numbers in which more people never earn less; nobody earns nothing."""
    worth: Game = {}
    for group in groups(names):
        smaller = [worth[key(set(group) - {name})] for name in group]
        worth[key(group)] = float(max(smaller, default=0) + random.integers(0, 90) * bool(group))
    return worth


def split(function: Function, seed: int = 1, points: float = 4, shown: bool = False) -> Result:
    """Points for ``split_revenue(names, value)``, for each of the four properties on many games.

    Parameters
    ----------
    function : callable
        From a list of names and a :data:`Game` to a dict with the money of each name.
    shown : bool
        Whether a game that it splits wrongly may be shown.
    """
    title, count = "revenue split", 12
    held = dict.fromkeys(_SAID, 1.0)
    problems: dict[str, Problem] = {}
    for number in range(count):
        random = np.random.default_rng([seed, number])
        size = 2 + number // 3  # small games first: they make the shortest examples
        names = [f"{letter}{int(random.integers(10, 99))}" for letter in "EADCBF"[:size]]
        first, other = game(random, names), game(random, names)
        twin, idle = names[0], names[-1]
        alike = _with_twins(random, names, twin, idle)
        null = {key(group): first[key(set(group) - {idle})] for group in groups(names)}
        both = {group: first[group] + other[group] for group in first}
        paid = []
        for one in (first, other, both, alike, null):
            try:
                said = call(function, list(names), dict(one), shown="names, value" if shown else "")
            except CallFailed as failure:
                return Result.failed(title, points, "split.fails when called", f"{failure}.")
            money = _money(said, names)
            if money is None:
                message = "split_revenue returns a dict with a finite number for each name."
                return Result.failed(title, points, "split.form", message)
            paid.append(money)
        a, b, ab, twins, nothing = paid
        holds = {
            "efficiency": all(
                compare.at_most(abs(sum(p.values()) - g[key(names)]), _TINY * (1 + g[key(names)]))
                for p, g in zip(paid, (first, other, both, alike, null), strict=True)
            ),
            "symmetry": compare.at_most(abs(twins[twin] - twins[idle]), _TINY * (1 + alike[key(names)])),
            "null player": compare.at_most(abs(nothing[idle]), _TINY * (1 + null[key(names)])),
            "additivity": all(compare.at_most(abs(ab[n] - a[n] - b[n]), _TINY * (1 + both[key(names)])) for n in names),
        }  # fmt: skip
        seen: dict[str, tuple[Game, Mapping[str, float]]] = {
            "efficiency": (first, a), "symmetry": (alike, twins), "null player": (null, nothing), "additivity": (both, ab),
        }  # fmt: skip
        for name, well in holds.items():
            if not well:
                held[name] = 0.0
                worth, given = seen[name]
                example = f" In the game {_short(worth)} yours pays {_short(given)}." if shown else ""  # fmt: skip
                problems.setdefault(name, Problem(f"split.{name}", _SAID[name] + example))
    # some of them are easy to have: the same for all, or nothing for anybody
    easy = 0.0 if not held["efficiency"] else 1.0 if all(held.values()) else 1 / 3
    shares = {name: share * easy for name, share in held.items()}
    return Result.from_parts(title, points, shares, list(problems.values()))


def _with_twins(random: np.random.Generator, names: list[str], one: str, other: str) -> Game:
    """A game in which these two add the same to every group."""
    worth = game(random, names)
    for group in groups(names):
        if other in group and one not in group:
            worth[key(group)] = worth[key((set(group) - {other}) | {one})]
    return worth


def _money(said: Any, names: list[str]) -> dict[str, float] | None:
    """What was said as numbers by name; None when it is no such dict."""
    if not isinstance(said, dict) or not compare.same(set(said), set(names)):
        return None
    money = {name: found for name in names if (found := compare.number(said[name])) is not None}
    return money if len(money) == len(names) else None


def _short(numbers: Mapping[str, float]) -> str:
    return ", ".join(f"{name or 'nobody'}: {number:.4g}" for name, number in numbers.items())
