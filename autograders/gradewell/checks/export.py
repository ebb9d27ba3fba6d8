"""Lab 7: how a transfer of data may leave the country, at the exact thresholds.

The rules are a simplification of the Provisions on Promoting and Regulating Cross-border Data Flows (Cyberspace Administration
of China, Order 16, 22 March 2024), as the curriculum states them.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from gradewell.checks import compare
from gradewell.checks.calls import CallFailed, Function, call, mapped, right_in, runs_code_of
from gradewell.checks.result import Problem, Result

ASSESSMENT, CONTRACT, EXEMPT = MECHANISMS = ("assessment", "contract or certification", "exempt")
EXEMPT_PURPOSES = ("contract of the person", "own staff", "emergency", "transit")
"""Transfers that are exempt as what they are, and whose people are not counted."""
OTHER_PURPOSES = ("analysis", "advertising", "storage abroad")
CONSENT = "with consent"
"""A reason why data may be handed on, and no exempt purpose."""

Case = Mapping[str, Any]
"""A transfer: ``ciio``, ``important``, ``purpose``, ``ordinary``, ``sensitive``."""

_COPIED = "Your function calls the grader's. Write the rules down yourself."
_COLUMNS = ["day", "person", "sensitive", "purpose", "contract"]
_COUNTED = {
    "people, not rows": "Somebody whose data left twice is one person: on two days, or under two contracts.",
    "since 1 January": "The count starts on 1 January of the year of today: not twelve months ago, and not a year earlier.",
    "until today": "What leaves today is counted, and what is planned for later is not.",
    "exempt purposes": "Transfers for an exempt purpose are not counted, and those with consent are: consent is no exempt purpose.",
    "apart": "People of whom ordinary data left and people of whom sensitive data left are two numbers; who is in both counts in both.",
    "nobody": "Where nothing left, the two numbers are 0.",
}  # fmt: skip
_DECIDED = {
    "critical infrastructure": "An operator of critical infrastructure needs the assessment for any personal data and for important data, whatever the purpose; and nothing where there is neither.",
    "important data": "Important data need the assessment, whoever exports them, for whatever purpose.",
    "exempt purposes": "Other transfers for one of the exempt purposes are exempt, however many people; consent is none of them.",
    "ordinary data": "With ordinary data only: below 100,000 people exempt, below 1,000,000 a contract or certification, from there on the assessment. Each number itself belongs to what is above.",
    "sensitive data": "One person with sensitive data is enough for a contract or certification, 10,000 for the assessment. The two counts are not added up: each has thresholds of its own.",
    "batches": "A transfer that is split into batches, days or contracts gets a lighter mechanism than as a whole.",
}  # fmt: skip


def counted(function: Function, points: float = 6) -> Result:
    """Check a function that counts the people of a list of transfers: ``count(transfers, today)``."""
    today = "2026-06-30"
    cases: tuple[tuple[str, list[tuple[str, str, bool]], int], ...] = (
        ("one person twice", [("2026-02-01", "P1", False), ("2026-03-01", "P1", False)], 1),
        ("last year", [("2025-12-31", "P1", False), ("2026-01-01", "P2", False)], 1),
        ("today and tomorrow", [(today, "P1", False), ("2026-07-01", "P2", False)], 1),
        ("an exempt one", [("2026-02-01", "P1", True), ("2026-02-01", "P2", False)], 1),
        ("exempt once, and once not", [("2026-02-01", "P1", True), ("2026-03-01", "P1", False)], 1),
        ("nobody", [], 0),
    )
    listed = [(name, (transfers, today), expected) for name, transfers, expected in cases]
    return right_in(listed, function, points, "people counted", "count")


def people(function: Function, seed: int = 1, points: float = 4, shown: bool = False) -> Result:
    """Points for ``people(transfers, today)``: how many people's ordinary and sensitive data count on that day.

    Parameters
    ----------
    function : callable
        From a table with ``day`` (year-month-day), ``person``, ``sensitive``, ``purpose``, ``contract``, and a day, to a pair
        of numbers.
    shown : bool
        Whether a table that it counts wrongly may be shown.
    """
    random = np.random.default_rng(seed)
    if runs_code_of(__name__, function, *_transfers(random, "apart", 0)):
        return Result.failed("people counted", points, "people.copied", _COPIED)
    good = dict.fromkeys(_COUNTED, 0.0)
    problems: dict[str, Problem] = {}
    example: pd.DataFrame | None = None
    times = 4
    for name, number in itertools.product(_COUNTED, range(times)):
        table, today = _transfers(random, name, number)
        expected = _count(table, today)
        try:
            found = call(function, table.copy(), today, shown=f"transfers, {today!r}" if shown else "")  # fmt: skip
        except CallFailed as failure:
            return Result.failed(
                "people counted", points, "people.fails when called", f"{failure}."
            )
        pair = _pair(found)
        if pair is None:
            message = "people returns two whole numbers: of ordinary data, of sensitive data."
            return Result.failed("people counted", points, "people.form", message)
        good[name] += (pair == expected) / times
        if pair != expected:
            numbers = f" On {today} the table below has {expected}, not {pair}." if shown and example is None else ""  # fmt: skip
            problems.setdefault(name, Problem(f"people.{name}", _COUNTED[name] + numbers))
            example = table if example is None else example
    if not any(share for name, share in good.items() if name != "nobody"):
        good["nobody"] = 0.0  # nothing is counted
    result = Result.from_parts("people counted", points, good, list(problems.values()))
    return result.showing(table=example if shown else None)


def _pair(found: Any) -> tuple[int, int] | None:
    """Two whole numbers, perhaps written as floats; None for anything else."""
    told = [compare.number(one) for one in compare.contents(found) or ()]
    pair = [int(one) for one in told if one is not None and one.is_integer()]  # own: finite
    return (pair[0], pair[1]) if len(pair) == len(told) == 2 else None


def _transfers(
    random: np.random.Generator, difficulty: str, number: int
) -> tuple[pd.DataFrame, str]:
    """A short table that has this difficulty, and a day."""
    year = int(random.integers(2024, 2031))
    month, day = int(random.integers(3, 11)), int(random.integers(1, 28))
    today = f"{year}-{month:02}-{day:02}"
    count = int(random.integers(4, 8))
    keys = [f"P{n:05}" for n in random.permutation(90_000)[:count] + 10_000]
    rows = [
        (_day(random, year, month), key, bool(random.random() < 0.4), _one(random, OTHER_PURPOSES), f"C{n % 3}")
        for n, key in enumerate(keys)
    ]  # fmt: skip
    first = rows[0]
    if difficulty == "people, not rows":
        rows += [(_day(random, year, month), k, s, p, "C9") for _, k, s, p, _ in rows[:3]]
    elif difficulty == "since 1 January":
        other = f"Q{keys[0]}"
        rows.append((f"{year - 1}-{month + 1:02}-{day:02}", other, first[2], first[3], "C1"))
        rows.append((f"{year - 1}-12-31", f"R{keys[0]}", not first[2], first[3], "C1"))
        rows.append((f"{year}-01-01", f"S{keys[0]}", first[2], first[3], "C1"))
    elif difficulty == "until today":
        rows.append((today, f"Q{keys[0]}", first[2], first[3], "C1"))
        rows.append((f"{year}-{month:02}-{day + 1:02}", f"R{keys[0]}", first[2], first[3], "C1"))
        rows.append((f"{year}-12-31", f"S{keys[0]}", not first[2], first[3], "C1"))
    elif difficulty == "exempt purposes":
        rows += [
            (_day(random, year, month), f"{'QRST'[n]}{keys[0]}", bool(n % 2), purpose, "C1")
            for n, purpose in enumerate(EXEMPT_PURPOSES)
        ]
        rows.append((_day(random, year, month), keys[1], rows[1][2], "emergency", "C1"))
        rows.append((_day(random, year, month), f"U{keys[0]}", False, CONSENT, "C1"))
    elif difficulty == "apart":
        rows += [(_day(random, year, month), k, not s, p, c) for _, k, s, p, c in rows[:2]]
    else:
        rows = [(f"{year - 1}-12-05", *row[1:]) for row in rows] if number % 2 else []
    order = random.permutation(len(rows))
    return pd.DataFrame([rows[n] for n in order], columns=_COLUMNS), today


def _day(random: np.random.Generator, year: int, month: int) -> str:
    """A day of this year before ``month``."""
    return f"{year}-{int(random.integers(1, month)):02}-{int(random.integers(1, 29)):02}"


def _one(random: np.random.Generator, words: tuple[str, ...]) -> str:
    return words[int(random.integers(len(words)))]


def _count(table: pd.DataFrame, today: str) -> tuple[int, int]:
    seen: tuple[set[str], set[str]] = (set(), set())
    for day, person, sensitive, purpose, _ in table.itertuples(index=False, name=None):
        if f"{today[:4]}-01-01" <= day <= today and purpose not in EXEMPT_PURPOSES:
            seen[sensitive].add(person)
    return len(seen[False]), len(seen[True])


def mechanism(case: Case) -> str:
    """How a transfer may leave: the rules of the curriculum, section "Export mechanism"."""
    ordinary, sensitive = case["ordinary"], case["sensitive"]
    if case["important"] or (case["ciio"] and (ordinary or sensitive)):
        return ASSESSMENT
    if case["purpose"] in EXEMPT_PURPOSES:
        return EXEMPT
    if ordinary >= 1_000_000 or sensitive >= 10_000:
        return ASSESSMENT
    return CONTRACT if ordinary >= 100_000 or sensitive >= 1 else EXEMPT


def cases(seed: int) -> list[dict[str, Any]]:
    """All combinations of what matters, the thresholds and their neighbours among them, in an order of chance."""
    random = np.random.default_rng(seed)
    ordinary = [0, 1, 99_999, 100_000, 100_001, 999_999, 1_000_000, int(random.integers(2, 99_000)), int(random.integers(1_000_001, 10**7))]  # fmt: skip
    sensitive = [0, 1, 9_999, 10_000, 10_001, int(random.integers(2, 9_000))]
    made = [
        {"ciio": ciio, "important": important, "purpose": purpose, "ordinary": o, "sensitive": s}
        for ciio, important, o, s in itertools.product([False, True], [False, True], ordinary, sensitive)
        for purpose in (_one(random, EXEMPT_PURPOSES), _one(random, OTHER_PURPOSES), CONSENT)
    ]  # fmt: skip
    return [made[place] for place in random.permutation(len(made))]


def _family(case: Case) -> str:
    if case["important"]:
        return "important data"
    if case["ciio"]:
        return "critical infrastructure"
    if case["purpose"] in (*EXEMPT_PURPOSES, CONSENT):
        return "exempt purposes"
    return "sensitive data" if case["sensitive"] else "ordinary data"


def mechanisms(
    function: Function, count: Function, seed: int = 1, points: float = 4, shown: bool = False
) -> Result:
    """Points for ``export_mechanism(case)``, each kind of case as a whole; and that no way of splitting makes it lighter.

    Parameters
    ----------
    function : callable
        From a dict with ``ciio``, ``important``, ``purpose``, ``ordinary``, ``sensitive`` (people, with those of this transfer) to
        one of ``MECHANISMS``.
    count : callable
        The student's ``people``, which counts the batches.
    shown : bool
        Whether a case may be shown.
    """
    title, made = "how it may leave", cases(seed)
    if runs_code_of(__name__, function, made[0]):
        return Result.failed(title, points, "mechanism.copied", _COPIED)
    good = dict.fromkeys(_DECIDED, 1.0)
    problems: dict[str, Problem] = {}
    try:
        answers = mapped(function, made)
        lighter = _lighter_when_split(function, count, seed)
    except CallFailed as failure:
        return Result.failed(title, points, "mechanism.fails when called", f"{failure}.")
    if not all(compare.among(answer, MECHANISMS) for answer in answers):
        message = f"export_mechanism returns one of {', '.join(map(repr, MECHANISMS))}."
        return Result.failed(title, points, "mechanism.form", message)
    smallest_first = np.argsort(
        [case["ordinary"] + case["sensitive"] for case in made], kind="stable"
    )
    for case, answer in ((made[place], answers[place]) for place in smallest_first):
        if not compare.same(answer, mechanism(case)):
            name = _family(case)
            good[name] = 0.0
            example = f" For example {case}: {mechanism(case)!r}, not {answer!r}." if shown else ""
            problems.setdefault(name, Problem(f"mechanism.{name}", _DECIDED[name] + example))
    if lighter:
        good["batches"] = 0.0
        problems["batches"] = Problem("mechanism.batches", _DECIDED["batches"])
    if len(set(answers)) < len(MECHANISMS):  # the same for all is no decision
        good = dict.fromkeys(good, 0.0)
    return Result.from_parts(title, points, good, list(problems.values()))


def _lighter_when_split(function: Function, count: Function, seed: int) -> bool:
    """Whether some batch of a transfer that reaches a threshold as a whole gets away with less."""
    random = np.random.default_rng([seed, 7])
    for people_, sensitive in ((10_000, True), (100_000, False), (1, True)):
        size = people_ + int(random.integers(0, 50))
        parts = int(random.integers(2, 5))
        place = np.arange(size)
        table = pd.DataFrame(
            {
                "day": np.where(place % parts == 0, "2027-02-03", "2027-04-05"),
                "person": [f"P{n}" for n in random.permutation(size)],
                "sensitive": sensitive,
                "purpose": "analysis",
                "contract": [f"C{n}" for n in place % parts],
            }
        )
        pair = _pair(call(count, table, "2027-04-05"))
        if pair is None:  # whoever cannot count cannot add up batches
            return True
        case = {"ciio": False, "important": False, "purpose": "analysis", "ordinary": pair[0], "sensitive": pair[1]}  # fmt: skip
        due = mechanism({**case, "ordinary": 0 if sensitive else size, "sensitive": size if sensitive else 0})  # fmt: skip
        if not compare.among(call(function, case), MECHANISMS[: MECHANISMS.index(due) + 1]):
            return True
    return False
