"""Attacks on a released table of people, with outside knowledge drawn from the truth.

An intruder is tried out, not imagined: each attack makes claims about people, and the truth says which are right. Claims that
somebody who never saw the release gets right as well do not count against it (Giomi and others 2023).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from pandas.api.types import is_bool_dtype, is_numeric_dtype

from gradewell.checks import compare
from gradewell.checks.coding import NONE, Coarser, distances, midpoint
from gradewell.checks.interval import clopper_pearson

_CELLS = 20_000_000
"""How many distances are held at a time."""


@dataclass(frozen=True)
class Attack:
    """What one attack achieved.

    Parameters
    ----------
    name : str
    hits, tries : int
        Right claims of all people (for singling out: of all predicates) that were tried.
    base_hits, base_tries : int
        The same for who never saw the release.
    claims : int
        How often the intruder was sure enough to make a claim.
    people : tuple
        Index labels of those about whom a claim was right and the baseline's was not.
    confidence : float
        Of the interval.
    plain : bool
        Whether the risk is the difference of both shares (the advantage of a test of membership), not the share of what the
        baseline left to be found.
    """

    name: str
    hits: int
    tries: int
    base_hits: int = 0
    base_tries: int = 0
    claims: int = 0
    people: tuple[Any, ...] = ()
    confidence: float = 0.95
    plain: bool = False

    @property
    def risk(self) -> float:
        """What the release gave away beyond the baseline, 0 to 1."""
        rate = self.hits / self.tries if self.tries else 0.0
        base = self.base_hits / self.base_tries if self.base_tries else 0.0
        return self._gain(rate, base)

    @property
    def interval(self) -> tuple[float, float]:
        """Bounds of the risk: those of both shares, each taken at its worse end."""
        low, high = clopper_pearson(self.hits, self.tries, self.confidence)
        if not self.base_tries:
            return low, high
        base_low, base_high = clopper_pearson(self.base_hits, self.base_tries, self.confidence)
        return self._gain(low, base_high), self._gain(high, base_low)

    def _gain(self, rate: float, base: float) -> float:
        left = 1.0 if self.plain else 1 - base
        return max(0.0, (rate - base) / left) if left else 0.0


def linkage(
    release: pd.DataFrame,
    people: pd.DataFrame,
    known: Sequence[str],
    coarser: Coarser = NONE,
    others: pd.DataFrame | None = None,
) -> Attack:
    """Look for people whom the intruder knows, and claim the row where only one fits.

    Parameters
    ----------
    release : pandas.DataFrame
        What was published.
    people : pandas.DataFrame
        The truth about people who are in it.
    known : sequence of str
        The columns that the intruder knows of them.
    coarser : mapping, optional
        Names of groups that the release may use: see ``gradewell.checks.coding``.
    others : pandas.DataFrame, optional
        People who are not in the release: a match that looks right for them is chance.

    Returns
    -------
    Attack
        A hit is a single match whose whole row agrees with the truth.
    """
    release = compare.plain(release)
    unique, right = _matches(release, people, known, coarser)
    base = (
        np.zeros(0, dtype=bool) if others is None else _matches(release, others, known, coarser)[1]
    )
    return Attack(
        "linkage",
        int(right.sum()),
        len(people),
        int(base.sum()),
        len(base),
        int(unique.sum()),
        tuple(people.index[np.flatnonzero(right)]),
    )


def _matches(
    release: pd.DataFrame, people: pd.DataFrame, known: Sequence[str], coarser: Coarser
) -> tuple[np.ndarray, np.ndarray]:
    """For each person whether one row alone fits, and whether all of that row agrees with the truth."""
    shared = [str(column) for column in people if column in release]
    unique, right = np.zeros(len(people), dtype=bool), np.zeros(len(people), dtype=bool)
    for start, part in _parts(people, release) if len(release) else []:
        fits = distances(release, part, known, coarser) == 0
        single = np.flatnonzero(fits.sum(axis=1) == 1)
        unique[start + single] = True
        whole = distances(release, part.iloc[single], shared, coarser) == 0
        right[start + single] = whole[np.arange(len(single)), fits[single].argmax(axis=1)]
    return unique, right


def singling_out(
    release: pd.DataFrame,
    people: pd.DataFrame,
    seed: int,
    coarser: Coarser = NONE,
    attempts: int = 500,
) -> Attack:
    """Describe somebody so that the description fits one person alone (Article 29 Working Party, Opinion 05/2014).

    Descriptions are values that occur together in one row of the release. The baseline combines values of
    different rows, so that it knows how common each value is, and nothing of what belongs together.

    Parameters
    ----------
    seed : int
        Of the columns and rows that are chosen.
    attempts : int
        Descriptions that are tried.

    Returns
    -------
    Attack
        A hit is a description that fits exactly one person.
    """
    random, release = np.random.default_rng(seed), compare.plain(release)
    shared = [str(column) for column in people if compare.among(column, release.columns)]
    found: dict[bool, list[tuple[int, ...]]] = {True: [], False: []}
    for _ in range(attempts if shared and len(release) else 0):
        size = int(random.integers(1, min(4, len(shared)) + 1))
        columns = list(random.choice(np.array(shared, dtype=object), size, replace=False))
        for together in (True, False):
            rows = random.integers(len(release), size=1 if together else size).repeat(
                size if together else 1
            )
            described = pd.DataFrame(
                {
                    column: release[column].iloc[[row]].astype(object).to_numpy()
                    for column, row in zip(columns, rows, strict=True)
                }
            )
            fits = np.flatnonzero(distances(described, people, columns, coarser)[:, 0] == 0)
            found[together].append(tuple(fits) if len(fits) == 1 else ())
    hits = [fits[0] for fits in found[True] if fits]
    return Attack(
        "singling out",
        len(hits),
        attempts,
        sum(bool(fits) for fits in found[False]),
        attempts,
        len(hits),
        tuple(people.index[sorted(set(hits))]),
    )


def inference(
    release: pd.DataFrame,
    people: pd.DataFrame,
    others: pd.DataFrame,
    known: Sequence[str],
    secret: str,
    coarser: Coarser = NONE,
    tolerance: float = 0.05,
) -> Attack:
    """Guess a sensitive value of people from the rows that are most like them.

    The baseline guesses for the same people from ``others``, who are like them but not in the release: it knows what is true
    of people in general.

    Parameters
    ----------
    people, others : pandas.DataFrame
        The truth about people who are in the release, and about people who are not.
    secret : str
        The column to guess.
    tolerance : float
        How far a guess of a number may be off, in parts of the true value.

    Returns
    -------
    Attack
    """
    name, release = f"inference of {secret}", compare.plain(release)
    if not compare.among(secret, release.columns):
        return Attack(name, 0, len(people), 0, len(people))
    truth = people[secret]
    right = _guessed(release, people, known, secret, coarser, tolerance)
    base = _guessed(others, people, known, secret, coarser, tolerance)
    return Attack(
        name,
        int(right.sum()),
        len(truth),
        int(base.sum()),
        len(truth),
        len(truth),
        tuple(people.index[np.flatnonzero(right & ~base)]),
    )


def _guessed(
    table: pd.DataFrame,
    people: pd.DataFrame,
    known: Sequence[str],
    secret: str,
    coarser: Coarser,
    tolerance: float,
) -> np.ndarray:
    right = np.zeros(len(people), dtype=bool)
    if not len(table):
        return right
    truth = people[secret]
    numeric = is_numeric_dtype(truth) and not is_bool_dtype(truth)
    numbers = np.array([midpoint(v) for v in table[secret]]) if numeric else np.zeros(0)
    codes, distinct = pd.factorize(table[secret].astype(str))
    words = list(distinct)
    for start, part in _parts(people, table):
        far = distances(table, part, known, coarser)
        nearest = far <= far.min(axis=1, keepdims=True) + 1e-6
        for place, alike in enumerate(nearest, start):
            if numeric:
                told = numbers[alike][~np.isnan(numbers[alike])]
                guess = float(np.median(told)) if len(told) else np.inf
                right[place] = abs(guess - truth.iloc[place]) <= tolerance * abs(truth.iloc[place])
            else:
                guessed = words[np.bincount(codes[alike]).argmax()]
                right[place] = guessed == str(truth.iloc[place])
    return right


def membership(
    release: pd.DataFrame,
    people: pd.DataFrame,
    others: pd.DataFrame,
    known: Sequence[str],
    seed: int,
    coarser: Coarser = NONE,
) -> Attack:
    """Tell whether somebody is in the release at all (Homer and others 2008).

    Whoever is as near to some row as few others are is claimed to be in it. How near that is, is chosen on one half of the
    people, and what it is worth is counted on the other half.

    Parameters
    ----------
    known : sequence of str
        What the intruder knows of a person; with all columns it is the strongest.
    seed : int
        Of the halves.

    Returns
    -------
    Attack
        Hits are people who are in it and claimed to be; the baseline is claims about people who are not.
    """
    random, release = np.random.default_rng(seed), compare.plain(release)
    inside, outside = (
        random.permutation(_nearness(release, some, known, coarser)) for some in (people, others)
    )
    tuning_in, inside = np.array_split(inside, 2)
    tuning_out, outside = np.array_split(outside, 2)
    limits = np.unique(np.concatenate([tuning_in, tuning_out]))
    worth = [(tuning_in <= limit).mean() - (tuning_out <= limit).mean() for limit in limits]
    limit = limits[int(np.argmax(worth))] if len(limits) else 0.0
    hits, base = int((inside <= limit).sum()), int((outside <= limit).sum())
    return Attack("membership", hits, len(inside), base, len(outside), hits + base, plain=True)


def _nearness(
    release: pd.DataFrame, people: pd.DataFrame, known: Sequence[str], coarser: Coarser
) -> np.ndarray:
    """The distance to the nearest row; among those who fit a row, the more rows they fit the farther."""
    found = np.full(len(people), np.inf)
    for start, part in _parts(people, release):
        far = distances(release, part, known, coarser)
        if far.shape[1]:
            nearest = far.min(axis=1)
            alike = (far == nearest[:, None]).mean(axis=1)
            found[start : start + len(part)] = nearest + alike * 1e-3
    return found


def _parts(people: pd.DataFrame, table: pd.DataFrame) -> list[tuple[int, pd.DataFrame]]:
    size = max(1, _CELLS // max(1, len(table)))
    return [(start, people.iloc[start : start + size]) for start in range(0, len(people), size)]
