"""The attack of the capstone: tried on releases as they are often made, and on those of other teams (``gradewell.rivals``)."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from gradewell.checks import compare, hospital
from gradewell.checks.calls import COPIED, CallFailed, Function, call, runs_code_of
from gradewell.checks.hospital import KNOWN, SECRET
from gradewell.checks.population import population_seed
from gradewell.checks.result import Problem, Result

_ATTACKED = {
    "finds": "Whoever can be found is found: in some of the releases you claim {share:.0%} of the patients whose illness they give away.",
    "sure": "Claims are right: in some of the releases {share:.0%} of yours are. Say nothing where rows that can be theirs differ.",
    "quiet": "Of a release that gives nobody away, claim nothing.",
}  # fmt: skip
_RIGHT = 0.95


def attacks(function: Function, seed: int = 1, points: float = 2) -> Result:
    """Points for ``attack(table, known)``: the illness of everybody of whom a release gives it away, and of nobody else.

    Parameters
    ----------
    function : callable
        From a release and a table of what is known of people (``KNOWN``), to a dict from the people's index labels to illnesses.
    """
    title = "an attack on others' releases"
    people = hospital.patients(seed).sample(700, random_state=seed % 2**32)
    found_all, right_all = [], []
    quiet = 1.0
    try:
        for number, (name, make) in enumerate(_RELEASES.items()):
            table = make(people).sample(frac=1, random_state=number).reset_index(drop=True)
            known = people[list(KNOWN)]
            if not number and runs_code_of(hospital.__name__, function, table.head(20).copy(), known.head(5).copy()):  # fmt: skip
                return Result.failed(title, points, "attacks.copied", COPIED)
            claims = call(function, table.copy(), known.copy())
            if not isinstance(claims, Mapping):
                message = "attack returns a dict from a person's index label to an illness."
                return Result.failed(title, points, "attacks.form", message)
            given = _given_away(table, people)
            true = people[SECRET].to_dict()
            right = {
                who for who, what in claims.items() if who in true and compare.same(what, true[who])
            }
            if name == "strong":
                quiet = float(len(claims) <= 0.01 * len(people))
            elif given:
                found_all.append(len(given & set(claims)) / len(given))
                right_all.append(len(right) / len(claims) if claims else 0.0)
    except CallFailed as failure:
        return Result.failed(title, points, "attacks.fails when called", f"{failure}.")
    except TypeError:
        message = "The claims name people by their index labels."
        return Result.failed(title, points, "attacks.form", message)
    finds, sure = min(found_all), min(right_all)
    parts = {"finds": float(finds >= _RIGHT) or finds / 2, "sure": float(sure >= _RIGHT) or sure / 2, "quiet": quiet}  # fmt: skip
    if not finds:
        parts = dict.fromkeys(parts, 0.0)
    shares = {"finds": finds, "sure": sure, "quiet": 0.0}
    problems = [
        Problem(f"attacks.{name}", text.format(share=shares[name]))
        for name, text in _ATTACKED.items()
        if parts[name] < 1
    ]
    return Result.from_parts(title, points, parts, problems)


def _given_away(table: pd.DataFrame, people: pd.DataFrame) -> set[Any]:
    counts = hospital.read(table, people)[1]
    return set(people.index[np.flatnonzero(hospital.certain(counts, people))])


_RELEASES: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    "no phones": lambda people: people.drop(columns="phone"),
    "coarser": hospital.coarse(10, 4, False, 1, 1),
    "a crowd without variety": hospital.coarse(20, 8, True, 4, 1),
    "nights suppressed": lambda people: hospital.coarse(20, 4, True, 1, 1)(people).assign(
        nights="*"
    ),
    "strong": hospital.coarse(40, 8, True, 5, 2),
}
"""Releases as others make them."""


def found_by(function: Function, table: Any, people: pd.DataFrame) -> float:
    """The share of people whose illness an attack claims rightly; 0 for an attack that is not sure of what it says.

    Raises
    ------
    CallFailed
        The attack raised.
    """
    claims = call(function, table.copy(), people[list(KNOWN)].copy())
    if not isinstance(claims, Mapping) or not claims:
        return 0.0
    true = people[SECRET].to_dict()
    right = sum(who in true and compare.same(what, true[who]) for who, what in claims.items())
    return right / len(people) if right >= _RIGHT * len(claims) else 0.0


def handed_out(publish: Function) -> str:
    """A team's release of a hospital that is the same for all teams of a course, as JSON; empty where there is none."""
    with contextlib.suppress(CallFailed):
        table = call(publish, hospital.patients(population_seed(_COMMON)))
        if isinstance(table, pd.DataFrame):
            columns = list(table.columns)
            kept = [name for name in (*KNOWN, SECRET) if compare.among(name, columns)]
            return str(table[kept].reset_index(drop=True).to_json(orient="split"))
    return ""


def attacked(attack: Function, releases: Mapping[str, str]) -> dict[str, float]:
    """The share of patients whom a team's attack finds in each of others' releases, as ``handed_out`` gives them."""
    people = hospital.patients(population_seed(_COMMON))
    found = {}
    for team, text in releases.items():
        found[team] = 0.0
        with contextlib.suppress(CallFailed):
            found[team] = found_by(attack, pd.read_json(io.StringIO(text), orient="split"), people)
    return found


_COMMON = "capstone-rivals"
"""Of the hospital that all teams of a course publish, and attack."""
