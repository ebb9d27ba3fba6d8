"""Lab 11: secret sharing. Pieces of which all are needed, and Shamir's, of which some are enough (Shamir 1979).

That fewer pieces say nothing is tested on many sharings of two secrets: whoever holds them sees every value equally often, with
either secret.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np

from gradewell.checks import compare
from gradewell.checks.calls import (
    COPIED,
    CallFailed,
    Function,
    call,
    repeatable,
    repeated,
    runs_code_of,
)
from gradewell.checks.privacy import FALSE_ALARM
from gradewell.checks.result import Problem, Result

_TIMES = 3_000
_SMALL, _LARGE = 11, 2_147_483_647
"""Primes: one for which every value is seen often, one in which real numbers have room."""
_PIECES = {
    "adds up": "All pieces together, modulo p, have to give the secret, for any number of parties and any secret from 0 to p - 1.",
    "whole numbers": "Pieces are whole numbers from 0 to p - 1.",
    "tells nothing": "All pieces but one, and each by itself, have to be uniform, whatever the secret: every value equally often.",
    "fresh": "The same secret shared again has to get other pieces, from the system's randomness (secrets): what can be repeated can be undone.",
    "sums": "The sums of the pieces of two secrets have to be pieces of their sum, modulo p.",
}  # fmt: skip


def pieces(function: Function, seed: int = 1, points: float = 4, shown: bool = False) -> Result:
    """Points for ``share(secret, parties, p)``: a list of pieces that add up to the secret modulo p.

    Parameters
    ----------
    shown : bool
        Whether the pieces of one sharing may be shown.
    """
    title, random = "pieces of a secret", np.random.default_rng(seed)
    good = dict.fromkeys(_PIECES, 1.0)
    told = ""
    try:
        if runs_code_of(__name__, function, 3, 3, _SMALL):
            return Result.failed(title, points, "pieces.copied", COPIED)
        for p in (_SMALL, _LARGE):
            for parties in (2, 3, 5):
                secret, other = (int(n) for n in random.integers(0, p, 2))
                secret = (0, p - 1, secret)[parties % 3]
                one, two = (_whole(call(function, s, parties, p)) for s in (secret, other))
                if one is None or two is None or len(one) != parties or len(two) != parties:
                    message = "share(secret, parties, p) returns a list with a whole number for each party."
                    return Result.failed(title, points, "pieces.form", message)
                good["whole numbers"] *= all(
                    compare.within(piece, 0, p - 1) for piece in (*one, *two)
                )
                if sum(one) % p != secret or sum(two) % p != other:
                    good["adds up"] = 0.0
                    if shown:
                        told = f" For {secret}, with {parties} parties and p = {p}: {one}."
                sums = [a + b for a, b in zip(one, two, strict=True)]
                good["sums"] *= sum(sums) % p == (secret + other) % p
        good["fresh"] = float(not repeatable(function, 123_456, 3, _LARGE))
        for secret in (2, _SMALL - 3):
            drawn = _drawn([_whole(some) for some in repeated(function, _TIMES, secret, 3, _SMALL)])
            if drawn is None or any(not _uniform(held, _SMALL) for held in _held(drawn, _SMALL)):
                good["tells nothing"] = 0.0
    except CallFailed as failure:
        return Result.failed(title, points, "pieces.fails when called", f"{failure}.")
    except (TypeError, ValueError):
        return Result.failed(title, points, "pieces.form", "Pieces are whole numbers.")
    if not good["adds up"] or not good["tells nothing"]:  # the one is nothing without the other
        good = dict.fromkeys(good, 0.0) | {n: good[n] for n in ("adds up", "tells nothing")}
    problems = [
        Problem(f"pieces.{name}", text + (told if name == "adds up" else ""))
        for name, text in _PIECES.items()
        if not good[name]
    ]
    if not good["adds up"] or not good["tells nothing"]:
        problems = [p for p in problems if p.code in ("pieces.adds up", "pieces.tells nothing")]
    return Result.from_parts(title, points, good, problems)


def _whole(found: Any) -> list[int] | None:
    made = [compare.whole(one) for one in found] if isinstance(found, list | tuple) else []
    return [one for one in made if one is not None] if made and None not in made else None


def _drawn(found: Sequence[list[int] | None]) -> np.ndarray | None:
    """Three whole numbers for each of many sharings; None when some sharing has others."""
    return compare.numbers([one[:3] if one else one for one in found], (len(found), 3))


def _held(drawn: np.ndarray, p: int) -> list[np.ndarray]:
    """What up to two of three parties see: a number for each sharing."""
    alone = [drawn[:, place] for place in range(3)]
    return [*alone, *(a + p * b for a, b in combinations(alone, 2))]


def _uniform(seen: np.ndarray, p: int) -> bool:
    """Whether every value that could be seen is, as often as any other (Pearson's chi-squared test, and the rarest value)."""
    from scipy import stats

    cells = p if seen.max() < p else p * p
    if seen.min() < 0 or seen.max() >= cells:
        return False
    counts = np.bincount(seen.astype(np.int64), minlength=cells)
    rarest = float(stats.binom.cdf(counts.min(), len(seen), 1 / cells)) * cells
    return min(float(stats.chisquare(counts).pvalue), rarest) > FALSE_ALARM


_SHAMIR = {
    "rebuilds": "Any t of the n points have to give the secret again, in any order.",
    "distinct": "Each party has a point of its own, and nobody the one at 0, which is the secret.",
    "tells nothing": "t - 1 points have to be uniform, whatever the secret: also a coefficient of 0 has to be possible.",
    "fresh": "Each secret needs a polynomial of its own, from the system's randomness (secrets).",
    "fewer": "Fewer than t points have to leave the secret open: with t = 3 the polynomial has degree 2.",
    "sums": "The points of a sum are the sums of the points: rebuild has to give the sum of two secrets from them.",
}  # fmt: skip


def shamir(
    make: Function, rebuild: Function, seed: int = 1, points: float = 4, shown: bool = False
) -> Result:
    """Points for ``points(secret, t, n, p)``, a list of pairs (x, y), and ``rebuild(points, p)``, the secret.

    Parameters
    ----------
    shown : bool
        Whether the points of one sharing may be shown.
    """
    title, random = "points of a polynomial", np.random.default_rng(seed)
    good = dict.fromkeys(_SHAMIR, 1.0)
    told = ""
    try:
        if runs_code_of(__name__, make, 3, 2, 3, _SMALL) or runs_code_of(__name__, rebuild, [(1, 4), (2, 5)], _SMALL):  # fmt: skip
            return Result.failed(title, points, "shamir.copied", COPIED)
        for p, t, n in ((_LARGE, 2, 3), (_LARGE, 3, 7), (251, 4, 7), (_SMALL, 1, 2), (_LARGE, 3, 3)):  # fmt: skip
            secret, other = (int(value) for value in random.integers(0, p, 2))
            one, two = (_pairs(call(make, s, t, n, p)) for s in (secret, other))
            if one is None or two is None or len(one) != n or len(two) != n:
                message = "points(secret, t, n, p) returns a list of n pairs of whole numbers."
                return Result.failed(title, points, "shamir.form", message)
            places = [x % p for x, _ in one]
            good["distinct"] *= len(set(places)) == n and 0 not in places
            for chosen in combinations(range(n), t):
                some = [one[int(place)] for place in random.permutation(list(chosen))]
                if compare.whole(call(rebuild, some, p)) != secret:
                    good["rebuilds"] = 0.0
                    told = f" For {secret}, t = {t}, p = {p}: {some}." if shown else ""
            if [x for x, _ in one] == [x for x, _ in two]:
                sums = [(x, (y + z) % p) for (x, y), (_, z) in zip(one, two, strict=True)]
                good["sums"] *= compare.whole(call(rebuild, sums[:t], p)) == (secret + other) % p
            else:
                good["sums"] = 0.0
        good["fresh"] = float(not repeatable(make, 123_456, 3, 4, _LARGE))
        for t, secret in ((2, 2), (2, _SMALL - 3), (3, 4)):
            shared = [_pairs(some) for some in repeated(make, _TIMES, secret, t, 3, _SMALL)]
            drawn = _drawn([[y for _, y in some] if some else None for some in shared])
            held = [] if drawn is None else _held(drawn, _SMALL)[: 3 if t == 2 else 6]
            good["tells nothing"] *= bool(held) and all(_uniform(one, _SMALL) for one in held)
        lines = [_pairs(call(make, 7, 3, 4, _LARGE)) for _ in range(5)]
        good["fewer"] = float(all(one and not _on_a_line(one, _LARGE) for one in lines))
    except CallFailed as failure:
        return Result.failed(title, points, "shamir.fails when called", f"{failure}.")
    except (TypeError, ValueError, IndexError):
        return Result.failed(title, points, "shamir.form", "Points are pairs of whole numbers.")
    if not good["rebuilds"]:
        good = dict.fromkeys(good, 0.0)
    problems = [
        Problem(f"shamir.{name}", text + (told if name == "rebuilds" else ""))
        for name, text in _SHAMIR.items()
        if not good[name] and (good["rebuilds"] or name == "rebuilds")
    ]
    return Result.from_parts(title, points, good, problems)


def _pairs(found: Any) -> list[tuple[int, int]] | None:
    if not isinstance(found, list | tuple):
        return None
    made = [_whole(pair) for pair in found]
    if any(pair is None or len(pair) != 2 for pair in made):
        return None
    return [(pair[0], pair[1]) for pair in made if pair]


def _on_a_line(some: Sequence[tuple[int, int]], p: int) -> bool:
    """Whether three points lie on one line, so that two would tell the secret."""
    (a, b), (c, d), (e, f) = some[:3]
    return (d - b) * (e - a) % p == (f - b) * (c - a) % p
