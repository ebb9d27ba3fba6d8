"""Checks on finding what is sensitive in a table: lab 4, part A."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import combinations
from typing import Any

import datapolis
import numpy as np
import pandas as pd
from datapolis import unlabelled

from gradewell.checks import compare
from gradewell.checks.calls import CallFailed, call
from gradewell.checks.result import Problem, Result

Profile = Callable[[pd.DataFrame], Mapping[str, tuple[str, str, int]]]

ROLES = ("direct", "quasi", "sensitive", "none")
PRACTICE_SEEDS, PRACTICE_ROWS = (1, 3, 8), 4_000  # these hold every kind of column
HIDDEN_TABLES, HIDDEN_ROWS = 5, 2_400

_LOOK_ALIKES = {
    "serial number", "order number", "product code", "timestamp", "contract date", "sensor", "company",
    "clean notes",
}  # fmt: skip
"""Kinds that are harmless and look as if they were not."""

_HINTS = {
    "identity number": "18 characters from 99 with a right check character; some are typed in full-width "
    "digits (９９) or in groups, so normalise before you match",
    "phone": "11 digits with a Datapolis prefix, perhaps after +999, in groups, or in full-width digits",
    "e-mail": "something@something.something",
    "name": "a given name and a family name, or the other way round with a comma",
    "birth date": "dates that span decades, as dates, as 1990-05-01 or as 19900501",
    "diagnosis": "nearly every value stands in the code list of diagnoses",
    "payment card": "16 digits whose Luhn check digit is right, perhaps in groups of four",
    "whereabouts": "two coordinates in one value",
    "serial number": "they look like identity numbers, but their check characters are wrong",
    "order number": "they look like payment cards, but the Luhn digit is wrong",
    "product code": "11 digits, but no phone prefix",
    "timestamp": "nearly every value is different, and that says nothing about a person",
    "contract date": "dates of a few years only are nobody's birth date",
    "sensor": "nearly every value is different, and that says nothing about a person",
    "company": "family names occur in firms' names too: the whole value has to be a person's name",
    "clean notes": "a phone number inside a longer number is none: look at what stands before and after it",
}


def _hint(kind: str) -> str:
    if kind.startswith("notes with"):
        return "free text: one row with an identifier is enough, and it may be among the last"
    return _HINTS.get(kind, "nearly every value stands in a published code list")


def identity_numbers(valid: Callable[[str], bool], points: float = 4) -> Result:
    """Check a function that tells valid identity numbers from others."""
    people = datapolis.load("residents", rows=40, seed=404)["id_number"]
    good = next(number for number in people if number[-1].isdigit())
    ends_in_x = next(number for number in people if number.endswith("X"))
    wrong = good[:-1] + str((int(good[-1]) + 1) % 10)
    cases = [
        ("plain", good, True, "a right number is called wrong"),
        ("X", ends_in_x, True, "a number that ends in X is called wrong: X stands for ten"),
        ("lower", ends_in_x.lower(), True, "a final x in lower case is called wrong"),
        ("wide", _full_width(good), True, "a number in full-width digits is called wrong"),
        (
            "spaces",
            f"{good[:6]} {good[6:14]} {good[14:]}",
            True,
            "a number in groups is called wrong",
        ),
        ("check", wrong, False, "a number with a wrong check character is called right"),
        ("long", good + "1", False, "a number that is one digit too long is called right"),
        ("short", "9990", False, "four digits are called right"),
        ("words", "not a number at all", False, "words are called right"),
    ]
    problems: list[Problem] = []
    for code, text, expected, message in cases:
        try:
            answer = call(valid, text, shown=repr(text))
        except CallFailed as failure:
            problems.append(Problem(f"identity.{code}", f"{failure}"))
            continue
        if compare.truthy(answer) is not expected:
            problems.append(Problem(f"identity.{code}", f"{message}, for example {text!r}"))
    share = 1 - len(problems) / len(cases)
    return Result.from_parts("identity numbers", points, {"cases": share}, problems)


def _full_width(text: str) -> str:
    return text.translate(str.maketrans("0123456789", "０１２３４５６７８９"))


def practice(profile: Profile, seed: int, points: float = 4) -> Result:
    """Check ``profile`` on the practice tables, whose columns may be named in messages.

    Parameters
    ----------
    seed : int
        Of the student's own table (``sharewell.my_seed``), which comes beside three that are the same for all.
    """
    seeds = (*PRACTICE_SEEDS, seed)
    return _profiles(
        profile, "profile on the practice tables", points, seeds, PRACTICE_ROWS, named=True
    )


def hidden(profile: Profile, seed: int, points: float = 16) -> Result:
    """Check ``profile`` on tables that nobody has seen.

    Parts: risky columns found with the right role (complete from 95 %), flagged columns that deserve it
    (complete from 80 %), look-alikes left alone, identifiers planted late in free text, how many rows
    hold an identifier, and the same answer when columns are renamed and shuffled. Together the tables
    hold every kind of column, whatever the seed.
    """
    draw = np.random.default_rng(seed)
    kinds: set[str] = set()
    while not kinds >= {*_LOOK_ALIKES, "identity number", "phone", "payment card", "birth date"}:
        seeds = draw.integers(2**40, 2**62, HIDDEN_TABLES).tolist()
        kinds = {kind for table in seeds for _, kind in unlabelled.choose(table)}
    return _profiles(
        profile, "profile on tables it has never seen", points, seeds, HIDDEN_ROWS, named=False
    )


def _profiles(
    profile: Profile, title: str, points: float, seeds: Sequence[int], rows: int, named: bool
) -> Result:
    risky = found = flagged = deserved = planted = planted_found = counts = counts_right = 0
    alike = left_alone = 0
    problems: dict[str, Problem] = {}
    stable = True
    for number, seed in enumerate(seeds):
        table = datapolis.load("unlabelled", rows=rows, seed=seed)
        truth = datapolis.truth("unlabelled", rows=rows, seed=seed)
        where = "an unseen table"
        if named:
            where = f"practice table {seed}" if seed in PRACTICE_SEEDS else "your own table"
        try:
            answer = _answer(profile, table, named)
            if number == 0:
                again, back = _renamed(table, seed)
                stable = _roles(_answer(profile, again, named), back) == _roles(answer, {})
        except CallFailed as failure:
            problem = Problem("profile.fails when called", f"On {where}: {failure}")
            return Result.from_parts(title, points, {"runs": 0.0}, [problem])
        for column, (role, kind, holding) in truth.iterrows():
            said, _, said_rows = answer[str(column)]
            place = f"{where}, column {column}" if named else where
            if role != "none":
                risky += 1
                found += said == role
            if said != "none":
                flagged += 1
                deserved += said == role
            if kind.startswith("notes with"):
                planted += 1
                planted_found += said == "direct"
            if kind in _LOOK_ALIKES:
                alike += 1
                left_alone += said == "none"
            if said != role:
                missed = role != "none"
                code = f"profile.{'missed' if missed else 'flagged'}.{kind.partition(' with')[0]}"
                what = (
                    f"a column of kind '{kind}' is" if named or missed else "a harmless column is"
                )
                problems.setdefault(
                    code,
                    Problem(code, f"{place}: {what} {role}, you said {said}. Hint: {_hint(kind)}."),
                )
            elif role == "direct":
                counts += 1
                counted = compare.same(said_rows, holding)
                counts_right += counted
                if not counted:
                    problems.setdefault(
                        "profile.rows",
                        Problem(
                            "profile.rows",
                            f"{place}: right that it is direct, but the number of rows in which an "
                            f"identifier stands is not right. Hint: {_hint(kind)}.",
                        ),
                    )
    if not stable:
        problems["profile.names"] = Problem(
            "profile.names",
            "The answer changes when the columns are renamed and shuffled: decide on values, not on names "
            "or places.",
        )
    recall = found / risky
    precision = deserved / flagged if flagged else 0.0
    parts = {
        "risky columns found": min(recall / 0.95, 1.0),
        "flags that are deserved": min(precision / 0.8, 1.0),
        "look-alikes left alone": left_alone / alike if recall >= 0.5 else 0.0,
        "identifiers planted in text": planted_found / planted,
        "rows counted": counts_right / counts if counts else 0.0,
        "names do not matter": float(stable) if recall >= 0.5 else 0.0,
    }
    forgiven = [
        code
        for code in problems
        if (code.startswith("profile.missed") and recall >= 0.95 and code != "profile.missed.notes")
        or (
            code.startswith("profile.flagged")
            and code.split(".")[-1] not in _LOOK_ALIKES
            and precision >= 0.8
        )
    ]
    kept = [problem for code, problem in problems.items() if named or code not in forgiven]
    return Result.from_parts(title, points, parts, kept)


def _answer(profile: Profile, table: pd.DataFrame, named: bool) -> dict[str, tuple[str, str, int]]:
    """What ``profile`` says of every column, in the form that was asked for."""
    said = call(profile, table.copy(), shown="table" if named else "")
    if not isinstance(said, dict):
        raise CallFailed(
            f"profile must return a dict from column to (role, kind, rows), not {compare.kind_of(said)}"
        )
    answer = {}
    for column in table.columns:
        value = said.get(column)
        if not (
            isinstance(value, list | tuple) and len(value) == 3 and compare.among(value[0], ROLES)
        ):
            raise CallFailed(
                f"for every column profile must say (role, kind, rows) with a role of {', '.join(ROLES)}; "
                f"for one column it says {'nothing' if value is None else compare.kind_of(value)}"
            )
        answer[column] = (str(value[0]), str(value[1]), value[2])
    return answer


def _renamed(table: pd.DataFrame, seed: int) -> tuple[pd.DataFrame, dict[str, str]]:
    draw = np.random.default_rng(seed)
    back = {f"x{n}": column for n, column in enumerate(draw.permutation(table.columns))}
    renamed = table[list(back.values())].copy()
    renamed.columns = pd.Index(list(back))
    return renamed, back


def _roles(answer: Mapping[str, tuple[str, str, int]], back: Mapping[str, str]) -> dict[str, str]:
    return {back.get(column, column): role for column, (role, _, _) in answer.items()}


RiskySets = Callable[[pd.DataFrame, list[str], float], Collection[Collection[str]]]


def risky_sets(function: RiskySets, seed: int | None = None, points: float = 6) -> Result:
    """Check a function that finds the smallest sets of columns that make people unique.

    ``seed=None`` uses a table of six rows, whose answer may be worked out by hand.
    """
    if seed is None:
        table, columns, share, shown = _six_people(), ["sex", "district", "age"], 0.3, True
    else:
        table, columns, share, shown = _a_town(seed)
    title = "sets of quasi-identifiers" + ("" if shown else " on an unseen table")
    try:
        names = "table, columns, share" if shown else ""
        answer = _sets(call(function, table.copy(), list(columns), share, shown=names))
        turned = _sets(call(function, table.copy(), columns[::-1], share, shown=names))
        trouble = ""
    except CallFailed as failure:
        answer, turned, trouble = None, None, f"{failure}; "
    if answer is None or turned is None:
        problem = Problem(
            "sets.fails when called", f"{trouble}return a collection of sets of column names"
        )
        return Result.from_parts(title, points, {"runs": 0.0}, [problem])
    expected = smallest_risky_sets(table, columns, share)
    missed, extra = expected - answer, answer - expected
    problems = []
    if missed:
        example = f", for example {sorted(min(missed, key=sorted))}" if shown else ""
        problems.append(
            Problem(
                "sets.missed",
                f"{len(missed)} of {len(expected)} sets are missing{example}. Columns that are harmless "
                "alone can single people out together, and a missing value is a value too.",
            )
        )
    if any(members > known for members in extra for known in expected):
        problems.append(
            Problem(
                "sets.minimal",
                "A set is listed that contains a smaller risky set: list the smallest.",
            )
        )
    elif extra:
        example = f": {sorted(min(extra, key=sorted))}" if shown else ""
        least = f"{share:.0%}" if shown else "the given share"
        problems.append(
            Problem(
                "sets.extra",
                f"A set is listed that does not single out more than {least} of the rows{example}. "
                "Count the rows that are alone in their class.",
            )
        )
    if answer != turned:
        problems.append(Problem("sets.order", "The answer depends on the order of the columns."))
    hit = len(expected & answer)
    parts = {
        "sets found": hit / len(expected),
        "nothing beyond": hit / len(answer) if answer else 0.0,
        "order does not matter": float(answer == turned and hit > 0),
    }
    return Result.from_parts(title, points, parts, problems)


def _sets(said: Any) -> set[frozenset[str]] | None:
    """What was returned as sets of names; None when it holds anything else."""
    listed = compare.contents(said)
    if listed is None:
        return None
    found = [list(one) if isinstance(one, str) else compare.contents(one) for one in listed]
    if any(one is None for one in found):
        return None
    return {frozenset(map(str, members or ())) for members in found}


def smallest_risky_sets(
    table: pd.DataFrame, columns: Sequence[str], share: float
) -> set[frozenset[str]]:
    """All minimal sets of ``columns`` by which more than ``share`` of the rows are alone in their class.

    A row is alone when no other row agrees with it in all columns of the set; two missing values agree.
    """
    risky: set[frozenset[str]] = set()
    codes = pd.DataFrame({column: pd.factorize(table[column])[0] for column in columns})
    for size in range(1, len(columns) + 1):
        for members in combinations(columns, size):
            if any(known <= set(members) for known in risky):
                continue
            alone = ~codes.duplicated(list(members), keep=False)
            if alone.mean() > share:
                risky.add(frozenset(members))
    return risky


def _six_people() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "sex": ["female", "female", "male", "male", "female", "male"],
            "district": ["Foundry", "Lakeview", "Foundry", "Lakeview", "Foundry", "Foundry"],
            "age": [34, 34, 34, 34, 51, 51],
        }
    )


def _a_town(seed: int) -> tuple[pd.DataFrame, list[str], float, bool]:
    """Residents with some districts missing, and a share at which the missing ones decide.

    pandas drops rows with a missing value from its groups unless told not to. The share lies half-way
    between what the smallest set with a district singles out with those rows and without them.
    """
    draw = np.random.default_rng(seed)
    people = datapolis.load("residents", rows=int(draw.integers(1_500, 2_500)), seed=seed)
    columns: dict[str, Any] = {
        "a": people["sex"],
        "b": people["birth_date"].dt.year,
        "c": people["district"].mask(draw.random(len(people)) < 0.25),
        "d": people["education"],
        "e": people["occupation"],
    }
    table = pd.DataFrame(columns)
    members = ["b", "c"]
    alone = ~table.duplicated(members, keep=False)
    share = float((alone.mean() + (alone & table["c"].notna()).mean()) / 2)
    return table, list(draw.permutation(list(columns))), share, False
