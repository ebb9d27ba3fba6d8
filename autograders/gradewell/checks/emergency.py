"""Lab 6: what has happened and is not reported yet, and access that ends with the emergency."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from gradewell.checks import compare
from gradewell.checks.calls import CallFailed, Function, call
from gradewell.checks.result import Problem, Result

AGES = range(4, 15)
"""Days since onset for which a nowcast is judged: younger ones are hardly reported, older ones are complete."""
_CLOSE, _NOT_CLOSE = 0.03, 0.09
"""By how much all together may be off. The model solution in 60 seeds: standard deviation 0.0056; with the delays of all
that is known, the young ones among them: -0.062, standard deviation 0.0085."""
_SERIES = 12

_NOWCASTS = {
    "close": "In all, the nowcasts are off by {:+.0%}; all points need 3 % or less either way.",
    "better than the count": "Day by day, the nowcasts miss by {:.0%} of what the plain count misses; all points need 60 % or less.",
    "any order": "The nowcast changes when the rows come in another order.",
}  # fmt: skip
_ACCESS = {
    "the grant's terms": "Somebody else, another purpose or a field that was not granted gets through; or what was granted does not.",
    "the days": "Access begins on the first day of the grant and ends after its last day: both belong to it, the day before and the day after do not.",
    "the emergency": "An emergency that is declared over ends access the next day, whatever the grant says; its last day still counts, and it never lengthens a grant.",
}  # fmt: skip


def reports(seed: int) -> tuple[pd.DataFrame, int, pd.Series]:
    """What is known of an epidemic on a day, the day, and the true cases by day of onset.

    Returns
    -------
    tuple
        A table with ``onset`` and ``reported`` (days as whole numbers), rows reported until today only; today; the truth.
    """
    random = np.random.default_rng(seed)
    today = int(random.integers(60, 80))
    growth = random.uniform(0.02, 0.09)
    mean = random.uniform(150, 300) * np.exp(growth * (np.arange(today + 1) - today))
    onset = np.repeat(np.arange(today + 1), random.poisson(np.clip(mean, 8, 400)))
    delay = random.gamma(random.uniform(3, 5), random.uniform(1.3, 1.9), len(onset)).astype(int)
    everything = pd.DataFrame({"onset": onset, "reported": onset + np.minimum(delay, 21)})
    truth = everything.groupby("onset").size().reindex(range(today + 1), fill_value=0)
    known = everything[everything["reported"] <= today]
    return known.sample(frac=1, random_state=seed % 2**32).reset_index(drop=True), today, truth


def nowcasts(function: Function, seed: int = 1, points: float = 4) -> Result:
    """Points for ``nowcast(known, today)``: cases by day of onset as they will be.

    Parameters
    ----------
    function : callable
        From a table with ``onset`` and ``reported`` (days as whole numbers) and a day to a dict from each of the last 21 days to
        a number. Those of ``AGES`` days ago are judged.
    """
    title = "nowcasts"
    made = [reports(seed * 100 + number) for number in range(_SERIES)]
    estimated = true = count = off = plain = 0.0
    stable = True
    for number, (known, today, truth) in enumerate(made):
        try:
            found = [_days(call(function, known.copy(), today), today)]
            if number == 0:
                other = known.sample(frac=1, random_state=1).reset_index(drop=True)
                found.append(_days(call(function, other, today), today))
        except CallFailed as failure:
            return Result.failed(title, points, "nowcast.fails when called", f"{failure}.")
        if any(one is None for one in found):
            message = "nowcast returns a dict with a finite number, not negative, for each day from today - 20 to today - 4."
            return Result.failed(title, points, "nowcast.form", message)
        one = found[0] or {}
        stable = stable and all(
            compare.close(one[day], other[day], absolute=1e-6)
            for other in found[1:]
            if other
            for day in other
        )
        seen = known.groupby("onset").size()
        for age in AGES:
            day = today - age
            estimated, true = estimated + one[day], true + float(truth[day])
            off += abs(one[day] - float(truth[day]))
            plain += float(truth[day]) - float(seen.get(day, 0))
            count += 1
    bias, ratio = estimated / true - 1, off / plain
    shares = {
        "close": float(np.clip((_NOT_CLOSE - abs(bias)) / (_NOT_CLOSE - _CLOSE), 0, 1)),
        "better than the count": float(np.clip((1.0 - ratio) / 0.4, 0, 1)),
        "any order": float(stable),
    }
    if not shares["close"] and not shares["better than the count"]:
        shares["any order"] = 0.0
    numbers: dict[str, Any] = {"close": bias, "better than the count": ratio}
    problems = [
        Problem(f"nowcast.{name}", _NOWCASTS[name].format(numbers.get(name)))
        for name, share in shares.items()
        if share < 1 and (name != "any order" or not stable)
    ]
    return Result.from_parts(title, points, shares, problems)


def _days(found: Any, today: int) -> dict[int, float] | None:
    """The nowcast by day; None when it is no such dict."""
    if not isinstance(found, dict):
        return None
    said = {compare.number(day): compare.number(value) for day, value in found.items()}
    made: dict[int, float] = {}
    for day in range(today - 20, today - 3):
        value = said.get(day)
        if value is None or value < 0:
            return None
        made[day] = value
    return made


def may_read(function: Function, seed: int = 1, points: float = 4, shown: bool = False) -> Result:
    """Points for ``may_read(grant, request, over)``, over all combinations of what matters.

    Parameters
    ----------
    function : callable
        From a grant (``who``, ``purpose``, ``fields``, ``first``, ``until``), a request (``who``, ``purpose``, ``fields``, ``day``)
        and the day on which the emergency was declared over, or None, to True or False. Days are texts, year-month-day.
    shown : bool
        Whether a request may be shown.
    """
    title = "access in an emergency"
    cases = _requests(seed)
    good = dict.fromkeys(_ACCESS, 1.0)
    problems: dict[str, Problem] = {}
    answers = []
    for grant, request, over, _, _ in cases:
        try:
            said = call(function, {**grant}, {**request}, over, shown=f"{grant}, {request}, {over!r}" if shown else "")  # fmt: skip
        except CallFailed as failure:
            return Result.failed(title, points, "access.fails when called", f"{failure}.")
        if (allowed := compare.truth(said)) is None:
            return Result.failed(title, points, "access.form", "may_read returns True or False.")
        answers.append(allowed)
    for (grant, request, over, expected, name), allowed in zip(cases, answers, strict=True):
        if allowed != expected:
            good[name] = 0.0
            example = f" For example {request} under {grant}, over: {over}." if shown else ""
            problems.setdefault(name, Problem(f"access.{name}", _ACCESS[name] + example))
    if len(set(answers)) < 2:
        good = dict.fromkeys(good, 0.0)
    return Result.from_parts(title, points, good, list(problems.values()))


_Case = tuple[dict[str, Any], dict[str, Any], str | None, bool, str]


def _requests(seed: int) -> list[_Case]:
    """Grants, requests, the end of the emergency, what is right, and what it is about."""
    random = np.random.default_rng(seed)
    first = np.datetime64("2027-01-01") + int(random.integers(0, 200))
    until = first + int(random.integers(40, 90))
    middle = first + 20
    words = [f"{word} {int(random.integers(10, 99))}" for word in ("tracing", "research", "office")]
    grant = {"who": words[2], "purpose": words[0], "fields": ["name", "phone", "onset"], "first": str(first), "until": str(until)}  # fmt: skip
    made: list[_Case] = []
    for who, purpose, fields in product((words[2], words[2] + "s"), (words[0], words[1], words[0] + "-study"), (["phone"], ["onset", "name"], ["phone", "outcome"], ["outcome"], [])):  # fmt: skip
        request = {"who": who, "purpose": purpose, "fields": fields, "day": str(middle)}
        fits = who == words[2] and purpose == words[0] and bool(fields) and "outcome" not in fields
        made.append((grant, request, None, fits, "the grant's terms"))
    plain = {"who": words[2], "purpose": words[0], "fields": ["phone"]}
    for day in (first - 1, first, middle, until, until + 1, until + 400):
        right = bool(first <= day <= until)
        made.append((grant, {**plain, "day": str(day)}, None, right, "the days"))
    for over, day in product((middle, until + 10), (middle - 1, middle, middle + 1, until, until + 1, until + 10)):  # fmt: skip
        right = bool(first <= day <= min(until, over))
        made.append((grant, {**plain, "day": str(day)}, str(over), right, "the emergency"))
    order = random.permutation(len(made))
    return [made[place] for place in order]
