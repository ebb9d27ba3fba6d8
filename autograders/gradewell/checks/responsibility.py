"""Lab 3: who answers for an entry of a catalogue: nobody, one agency, or several that all believe that they do."""

from __future__ import annotations

import numpy as np
import pandas as pd

from gradewell.checks import compare
from gradewell.checks.calls import CallFailed, Function, call
from gradewell.checks.result import Problem, Result

_LISTS = {
    "nobody": "entries for which nobody has signed",
    "several": "entries for which more than one agency has signed",
    "another": "entries for which one agency has signed, and it is not the one that the catalogue names",
    "unknown": "entries that somebody has signed for and the catalogue does not have",
}


def signed(function: Function, seed: int = 1, points: float = 4, shown: bool = False) -> Result:
    """Points for ``responsible(entries, duties)``: a dict of four sorted lists of entries, ``nobody``, ``several``, ``another``, ``unknown``.

    Parameters
    ----------
    function : callable
        From two tables: ``entry_id``, ``agency_id``; ``entry_id``, ``provider``, ``duty``.
    shown : bool
        Whether messages may name an entry.
    """
    earned = dict.fromkeys(_LISTS, 0.0)
    problems: dict[str, Problem] = {}
    countries = 5
    for number in range(countries):
        entries, duties, expected = _lists(np.random.default_rng([seed, number]), number)
        try:
            found = call(function, entries, duties, shown="entries, duties" if shown else "")
        except CallFailed as failure:
            return Result.failed(
                "who answers", points, "responsible.fails when called", f"{failure}."
            )
        if not isinstance(found, dict):
            message = "responsible returns a dict with four lists of entries."
            return Result.failed("who answers", points, "responsible.form", message)
        for name, what in _LISTS.items():
            listed = found.get(name)
            right = compare.same(listed, expected[name])
            earned[name] += right / countries
            if not right:
                wanted = f" They are {expected[name]}, not {listed}." if shown else ""
                problems.setdefault(
                    name, Problem(f"responsible.{name}", f"{name!r} does not list the {what}.{wanted}")
                )  # fmt: skip
    shares = {name: round(share, 9) for name, share in earned.items()}
    return Result.from_parts("who answers", points, shares, list(problems.values()))


def _lists(
    random: np.random.Generator, number: int
) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, list[str]]]:
    """A catalogue, the lists of those who signed for it, and what is wrong with them."""
    agencies = [f"A{n:02}" for n in range(1, 19)]
    count = int(random.integers(30, 60))
    keys = [f"E{n:03}" for n in random.permutation(900)[:count] + 1]
    names = [agencies[n] for n in random.integers(0, len(agencies), count)]
    how = random.integers(0, 12, count)
    if number == 0:
        how[:] = 5  # all is well, and nothing is listed
    rows, expected = [], {name: list[str]() for name in _LISTS}
    for key, agency, way in zip(keys, names, how.tolist(), strict=True):
        others = [name for name in agencies if name != agency]
        other = others[int(random.integers(len(others)))]
        if way == 0:
            expected["nobody"].append(key)  # not even a line
        elif way == 1:
            expected["nobody"].append(key)
            rows += [(key, blank) for blank in (None, " ", "none")[: int(random.integers(1, 4))]]
        elif way == 2:
            expected["several"].append(key)
            rows += [(key, agency), (key, other)]
        elif way == 3:
            expected["another"].append(key)
            rows.append((key, other))
        elif way == 4:  # twice the same is one, and so is one beside a blank
            rows += [(key, agency), (key, agency.lower() + " "), (key, None)]
        else:
            rows.append((key, agency))
    if number:
        expected["unknown"] = [f"X{n:03}" for n in random.permutation(99)[:3]]
        rows += [(key, agencies[0]) for key in expected["unknown"]]
    order = random.permutation(len(rows))
    duties = pd.DataFrame([rows[n] for n in order], columns=["entry_id", "provider"])
    entries = pd.DataFrame({"entry_id": keys, "agency_id": names})
    duties["duty"] = "keep it up to date"
    return entries, duties, {name: sorted(found) for name, found in expected.items()}
