"""Lab 2: links between two registers, and the people whom the links make."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from stdnum.iso7064 import mod_11_2

from gradewell.checks import quality, registers
from gradewell.checks.calls import CallFailed, Function, call, pairs_of
from gradewell.checks.registers import Clerk, Register
from gradewell.checks.result import Problem, Result

F1 = 0.9
"""What earns all points for links."""
LEAST = 0.7
"""What earns nothing."""


_OFFICES = {
    "most numbers are there": Clerk(number_missing=0.15),
    "half of the numbers are missing": Clerk(number_missing=0.5, phone_missing=0.4),
    "no numbers at all": Clerk(number_missing=1.0),
    "many mistakes": Clerk(
        number_missing=0.4, name_mistyped=0.13, birth_date_wrong=0.04, address_old=0.16
    ),
}


def link(function: Function, seed: int = 1, points: float = 4, shown: bool = False) -> Result:
    """Points for ``link(a, b)``: pairs of records of one person, in pairs of registers that are kept with different care.

    Each pair of registers counts the same, and so do four laws: no pair has two valid identity numbers that differ; the order of the rows does not
    matter; neither does which register comes first; empty registers have no pairs. The laws earn in parts of what the pairs earn.

    Parameters
    ----------
    function : callable
        From two tables (``record`` and ``registers.COLUMNS``) to a list of pairs of records.
    shown : bool
        Only the first two pairs of registers, for a check that students run.
    """
    shares: dict[str, float] = {}
    problems: dict[str, Problem] = {}
    laws = dict.fromkeys(_LAWS, True)
    offices = list(_OFFICES.items())[: 2 if shown else None]
    for number, (name, clerk) in enumerate(offices):
        random = np.random.default_rng([seed, number])
        one, other = _two(clerk, seed + 7 * number, random)
        a, b = one.written, other.written
        try:
            found = pairs_of(call(function, a.copy(), b.copy(), shown="a, b" if shown else ""))
            if found is None:
                message = "link returns a list of pairs: (record of a, record of b)."
                return Result.failed("links", points, "link.form", message)
            if number == 0:
                mixed = (_mixed(a, random), _mixed(b, random))
                laws["order"] = pairs_of(call(function, *mixed)) == found
                turned = pairs_of(call(function, b.copy(), a.copy()))
                laws["symmetric"] = turned == {(y, x) for x, y in found}
                empty = a.iloc[:0].copy()
                laws["empty"] = not call(function, empty, b.copy())
        except CallFailed as failure:
            return Result.failed("links", points, "link.fails when called", f"{failure}.")
        judged = quality.links(found, _true(one, other), 1, F1, LEAST)
        shares[f"F1: {name}"] = judged.parts["F1"]
        for problem in judged.problems:
            problems.setdefault(
                problem.code, Problem(problem.code, f"Where {name}: {problem.message}")
            )
        laws["contradiction"] &= not found & _contradictions(one, other)
        known = set(a["record"]), set(b["record"])
        if any(x not in known[0] or y not in known[1] for x, y in found):
            problems["known"] = Problem("link.unknown records", "Some pairs name records that do not exist.")  # fmt: skip
    reached = sum(shares.values()) / len(shares)
    for law, holds in laws.items():
        shares[_LAWS[law][0]] = reached * holds
        if not holds:
            problems[law] = Problem(f"link.{law}", _LAWS[law][1])
    return Result.from_parts("links", points, shares, list(problems.values()))


_LAWS = {
    "contradiction": (
        "no contradiction",
        "Two records are linked that have two valid identity numbers, and they differ.",
    ),
    "order": ("order of the rows", "With the rows in another order the pairs are not the same."),
    "symmetric": ("both ways", "link(b, a) does not have the pairs of link(a, b), turned round."),
    "empty": ("empty registers", "An empty register is linked with something."),
}


def practice(seed: int) -> tuple[pd.DataFrame, pd.DataFrame, set[tuple[str, str]]]:
    """Two registers, and the pairs of records that belong together, to try one's function on."""
    random = np.random.default_rng([seed, 99])
    one, other = _two(Clerk(), seed, random)
    return one.written, other.written, _true(one, other)


def _two(clerk: Clerk, seed: int, random: np.random.Generator) -> tuple[Register, Register]:
    """Two offices' registers of people of the same households: half of the people stand in both, some with a namesake in the family."""
    people = registers.with_namesakes(registers.residents(seed % 2**31), random)
    in_one, in_other = random.random((2, len(people))) < 0.7
    one = registers.register(people[in_one], "A", clerk, random)
    return one, registers.register(people[in_other], "B", clerk, random)


def _true(one: Register, other: Register) -> set[tuple[str, str]]:
    there: dict[str, list[str]] = {}
    for record, person in other.person.items():
        there.setdefault(person, []).append(record)
    return {(a, b) for a, person in one.person.items() for b in there.get(person, ())}


def _contradictions(one: Register, other: Register) -> set[tuple[str, str]]:
    """Pairs of records with two valid numbers that differ."""
    valid = [
        {
            record: number
            for record, number in zip(some.meant["record"], some.meant["id_number"], strict=True)
            if number and mod_11_2.is_valid(number)
        }
        for some in (one, other)
    ]
    return {(a, b) for a, n in valid[0].items() for b, m in valid[1].items() if n != m}


def _mixed(table: pd.DataFrame, random: np.random.Generator) -> pd.DataFrame:
    return table.iloc[random.permutation(len(table))].reset_index(drop=True)


def people(function: Function, seed: int = 1, points: float = 2, shown: bool = False) -> Result:
    """Points for ``people(records, links)``: who is one person, if links are believed: sorted groups, every record in one of them."""
    random = np.random.default_rng(seed)
    cases: dict[str, tuple[list[str], list[tuple[str, str]]]] = {
        "no links": (["A1", "B1"], []),
        "a link": (["A1", "A2", "B1"], [("A2", "B1")]),
        "a chain": (["A1", "B1", "A2", "C1"], [("A1", "B1"), ("A2", "B1"), ("A2", "C1")]),
        "a link that is told twice": (["A1", "B1", "C1"], [("A1", "B1"), ("B1", "A1")]),
        "no records": ([], []),
    }
    if not shown:
        records = [f"R{n}" for n in random.permutation(3_000)]
        cases["a chain of thousands"] = (
            sorted(records),
            [(records[n], records[n + 1]) for n in random.permutation(2_500)],
        )
        some = records[:400]
        ends = random.integers(0, 400, (260, 2)).tolist()
        cases["many links"] = (some, [(some[a], some[b]) for a, b in ends])
    problems = []
    for name, (records, links) in cases.items():
        told = f"{records}, {links}" if shown else ""
        try:
            found = call(function, list(records), [list(pair) for pair in links], shown=told)
        except CallFailed as failure:
            problems.append(Problem(f"people.{name}", f"With {name}: {failure}."))
            continue
        expected = _groups(records, links)
        if _listed(found) != expected:
            want = f" people({told}) is {expected}, not {found!r}." if shown else ""
            problems.append(Problem(f"people.{name}", f"Wrong with {name}.{want}"))
    share = 1 - len(problems) / len(cases)
    return Result.from_parts("people", points, {"cases": share}, problems)


def _listed(found: Any) -> Any:
    if not isinstance(found, list | tuple):
        return None
    return [list(group) if isinstance(group, list | tuple) else group for group in found]


def _groups(records: list[str], links: list[tuple[str, str]]) -> list[list[str]]:
    """Connected components: from everybody, as far as links lead."""
    near: dict[str, set[str]] = {record: set() for record in records}
    for a, b in links:
        near[a].add(b)
        near[b].add(a)
    groups, seen = [], set[str]()
    for start in records:
        if start in seen:
            continue
        group, waiting = {start}, [start]
        while waiting:
            for record in near[waiting.pop()] - group:
                group.add(record)
                waiting.append(record)
        seen |= group
        groups.append(sorted(group))
    return sorted(groups)
