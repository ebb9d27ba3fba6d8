"""Lab 8: pseudonyms that cannot be undone by trying, by one who knows how they are made and not the key (Kerckhoffs 1883)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from gradewell.checks.calls import COPIED, CallFailed, Function, call, right_in, runs_code_of
from gradewell.checks.result import Problem, Result

_RULES = {
    "joins": "The same number and key have to give the same pseudonym, in another list and in another place too: else stays of one patient cannot be joined.",
    "one for each": "Two different numbers have the same pseudonym: two patients become one.",
    "dictionary": "The pseudonyms do not depend on the key, or hardly: who knows how they are made tries all numbers, and has everybody.",
    "whole key": "Two keys that differ in a single letter give the same pseudonyms: not all of the key is used, and what is used can be tried.",
    "other keys": "Lists made with two keys can be joined: parts of the pseudonyms are the same.",
    "nothing left": "Digits of the number can be seen in its pseudonym, or neighbouring numbers have neighbouring pseudonyms.",
}  # fmt: skip


def cracked(function: Function, points: float = 6) -> Result:
    """Check a function that tries candidates: ``crack(published, candidates)``, a dict from hash to number.

    Published are the first eight digits of a number's SHA-256.
    """

    def made(phone: str) -> str:
        return hashlib.sha256(phone.encode()).hexdigest()[:8]

    one, two, three = "10370000001", "10370000002", "10370000003"
    cases = [
        ("two of three candidates", ([made(one), made(three)], [one, two, three]), {made(one): one, made(three): three}),
        ("nobody found", ([made(one)], [two, three]), {}),
        ("one who is published twice", ([made(two), made(two)], [two]), {made(two): two}),
        ("no candidates", ([made(two)], []), {}),
    ]  # fmt: skip
    return right_in(cases, function, points, "trying all numbers", "crack")


def pseudonyms(function: Function, seed: int = 1, points: float = 4) -> Result:
    """Points for ``pseudonymise(numbers, key)``: a list of texts, as long as the list of numbers.

    The attacker knows the function and calls it with keys of his own; what he gets out may tell nothing of what another key gives.
    """
    title = "pseudonyms"
    random = np.random.default_rng(seed)
    start = int(random.integers(1_000, 9_000)) * 1_000
    numbers = [f"1037{start + step:07}" for step in range(400)]
    key, other = (random.bytes(16).hex() for _ in range(2))
    if runs_code_of(__name__, function, numbers[:2], key):
        return Result.failed(title, points, "pseudonyms.copied", COPIED)
    places = [int(place) for place in random.permutation(len(numbers))]
    try:
        first = _texts(call(function, list(numbers), key), len(numbers))
        again = _texts(call(function, [numbers[p] for p in places[:200]], key), 200)
        twice = _texts(call(function, [numbers[0], numbers[0]], key), 2)
        second = _texts(call(function, list(numbers), other), len(numbers))
        near = [
            _texts(call(function, numbers[:50], changed), 50)
            for changed in (key[:-1] + "~", "~" + key[1:])
        ]
    except CallFailed as failure:
        return Result.failed(title, points, "pseudonyms.fails when called", f"{failure}.")
    if not all((first, again, twice, second, *near)):
        message = "pseudonymise(numbers, key) returns a list of texts, one for each number, in the same order, none of them empty."
        return Result.failed(title, points, "pseudonyms.form", message)
    good = {
        "joins": again == [first[p] for p in places[:200]] and twice == [first[0]] * 2,
        "one for each": len(set(first)) == len(numbers),
        "dictionary": _share_equal(first, second) < 0.05,  # by chance never
        "whole key": all(_share_equal(first[:50], some) < 0.05 for some in near),
        "other keys": not set(first) & set(second) and not _alike(first, second),
        "nothing left": not _seen(numbers, first) and not _neighbours(first),
    }
    if not good["dictionary"]:  # then nothing is hidden, and the rest is no merit
        good = dict.fromkeys(good, False)
        problems = [Problem("pseudonyms.dictionary", _RULES["dictionary"])]
    elif not good["joins"]:  # numbers drawn afresh hide everything, and are of no use
        good = dict.fromkeys(good, False)
        problems = [Problem("pseudonyms.joins", _RULES["joins"])]
    else:
        problems = [Problem(f"pseudonyms.{n}", _RULES[n]) for n, fine in good.items() if not fine]
    parts = {name: float(fine) for name, fine in good.items()}
    return Result.from_parts(title, points, parts, problems)


def _texts(found: Any, count: int) -> list[str]:
    """What was returned, as a list; empty when it is no list of so many texts."""
    made = found if isinstance(found, list) else []
    if len(made) != count or not all(isinstance(one, str) and one for one in made):
        return []
    return made


def _share_equal(one: Sequence[str], other: Sequence[str]) -> float:
    return float(np.mean([a == b for a, b in zip(one, other, strict=True)]))


def _alike(one: Sequence[str], other: Sequence[str]) -> bool:
    """Whether both lists have a beginning or an end in common that tells whose it is."""
    for way in (1, -1):
        pairs = [(a[::way], b[::way]) for a, b in zip(one, other, strict=True)]
        fixed = min(_common(pairs[0][0], text) for pair in pairs for text in pair)
        longer = [_common(*pair) - fixed >= 4 for pair in pairs]
        if np.mean(longer) > 0.5:
            return True
    return False


def _common(one: str, other: str) -> int:
    """How many characters both begin with."""
    return next(
        (n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b),
        min(len(one), len(other)),
    )


def _seen(numbers: Sequence[str], made: Sequence[str]) -> bool:
    """Whether the last four digits of the numbers stand in their pseudonyms, more often than by chance."""
    return bool(np.mean([n[-4:] in text for n, text in zip(numbers, made, strict=True)]) > 0.2)


def _neighbours(made: Sequence[str]) -> bool:
    """Whether the pseudonyms of consecutive numbers, read as numbers, are steps of a few sizes apart."""
    for base in (10, 16):
        try:
            values = [int(text, base) for text in made]
        except ValueError:
            continue
        return len({b - a for a, b in pairwise(values)}) < len(made) / 4
    return False
