"""Checks on deciding what may be shared: lab 4, part B.

Cards compare decisions by their cost: sharing what must not be shared costs five times withholding.
Properties find what no card happens to show. Wrong classifiers (:data:`WRONG`) judge a student's own
test cases.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import fields, replace
from functools import partial
from itertools import product
from typing import Any, cast

import numpy as np
from sharewell.classify import LABELS, Decision, Item, strictness
from sharewell.classify import classify as reference
from sharewell.classify import classify_table as reference_table
from sharewell.examples import EXAMPLES

from gradewell.checks import compare
from gradewell.checks.calls import CallFailed, call, runs_code_of
from gradewell.checks.result import Problem, Result
from gradewell.checks.shrink import simpler

Classify = Callable[[Item], Decision]
ClassifyTable = Callable[[list[Item], Item], Decision]

TOO_LOOSE, TOO_STRICT = 5, 1
"""What one step costs in each direction."""

_VALUES: dict[str, tuple[Any, ...]] = {
    "audience": ("gov", "partner", "society"),
    "secret": ("none", "work", "state"),
    "grade": ("general", "important", "core"),
    "prohibited_by": ("", "Statistics Law art. 28", "State Council decision 2019-4"),
    "unit": ("record", "aggregate", "object"),
    "personal": ("none", "anonymous", "deidentified", "identified"),
    "sensitive": (False, True),
    "basis": ("none", "consent", "duty", "emergency", "by_law"),
    "trade_secret": (False, True),
    "owner_consent": (False, True),
    "k": (None, 1, 2, 3, 4, 5, 6, 9, 10, 11, 19, 20, 21, 200),
    "l": (None, 1, 2, 3),
    "dominance_ok": (None, False, True),
    "demanding": (False, True),
    "enclave": (False, True),
}


class _Draw:
    """Random items, in which most attributes keep their defaults."""

    def __init__(self, seed: int) -> None:
        self._random = np.random.default_rng(seed)

    def value(self, name: str) -> Any:
        values = _VALUES[name]
        return values[int(self._random.integers(len(values)))]

    def item(self, noise: float = 0.3, **fixed: Any) -> Item:
        drawn = {name: self.value(name) for name in _VALUES if self._random.random() < noise}
        return Item(**{**drawn, "audience": self.value("audience"), **fixed})

    def items(self, count: int, noise: float = 0.3, **fixed: Any) -> Iterator[Item]:
        for _ in range(count):
            yield self.item(noise, **fixed)


# The attributes that each family of cards varies, in all combinations; the others keep harmless values.
_FAMILIES: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "secrets": ({}, ("secret", "unit")),
    "important and core data": ({}, ("grade", "unit")),
    "cited prohibitions": ({}, ("prohibited_by", "demanding")),
    "identified people": ({"personal": "identified"}, ("basis", "sensitive")),
    "de-identified records": ({"personal": "deidentified"}, ("k", "l", "sensitive", "enclave")),
    "aggregates on people": (
        {"unit": "aggregate", "personal": "anonymous"},
        ("k", "l", "sensitive", "dominance_ok"),
    ),
    "aggregates on firms": ({"unit": "aggregate"}, ("k", "dominance_ok")),
    "trade secrets": ({"unit": "object"}, ("trade_secret", "owner_consent")),
    "demanding data": ({"unit": "object"}, ("demanding",)),
}
_MIXED = "several rules at once"
_UNCITED = ("internal policy", "for internal use only", "internal rule of the department")


def _family(name: str) -> list[Item]:
    fixed, varied = _FAMILIES[name]
    attributes = ("audience", *varied)
    return [
        Item(**{**_HARMLESS, **fixed, **dict(zip(attributes, values, strict=True))})
        for values in product(*(_VALUES[attribute] for attribute in attributes))
    ]


_HARMLESS = {"k": 200, "l": 3, "dominance_ok": True}


def examples(classify: Classify, points: float = 6) -> Result:
    """Check ``classify`` on the worked examples; messages show the example."""
    problems = []
    for example in EXAMPLES:
        decision, trouble = _decided(classify, example.item, str(example.item))
        if trouble:
            problems.append(Problem(f"examples.{example.code}", f"{example.code}: {trouble}"))
        elif (decision.label, decision.hold) != (example.label, example.hold):
            expected = example.label + (", hold" if example.hold else "")
            said = decision.label + (", hold" if decision.hold else "")
            problems.append(
                Problem(
                    f"examples.{example.code}",
                    f"{example.code} ({example.text}): expected {expected}, you said {said}; {example.item}",
                )
            )
    if not problems and (problem := _copied(classify, EXAMPLES[0].item)):
        problems.append(problem)
    shown = problems[:5]
    if len(problems) > len(shown):
        shown.append(Problem("examples.more", f"... and {len(problems) - 5} more"))
    parts = {"examples": 1 - len(problems) / len(EXAMPLES)}
    return Result.from_parts("the worked examples", points, parts, shown)


def cards(classify: Classify, seed: int, points: float = 14, mixed: int = 150) -> Result:
    """Check ``classify`` on hidden cards: a family for each rule, and random cards where rules meet.

    A family tries every combination of the attributes that its rule reads. Its share is 1, less the mean
    cost on cards that may be public, less the mean cost on those that may not, and not below 0: an
    answer that is always the same earns nothing. Conditions, hold and basis are compared wherever the
    label is right; they count when half of the labels' share was reached.
    """
    title = "hidden cards"
    parts: dict[str, float] = {}
    problems: list[Problem] = []
    details = {"conditions": [0, 0], "hold": [0, 0], "basis and reasons": [0, 0]}
    families = {name: _family(name) for name in _FAMILIES}
    families[_MIXED] = list(_Draw(seed).items(mixed))
    for family, items in families.items():
        loose = strict = 0
        costs: dict[bool, list[int]] = {True: [0], False: [0]}
        for item in items:
            decision, trouble = _decided(classify, item)
            if trouble:
                failed = Problem("cards.fails when called", trouble)
                return Result.from_parts(title, points, {"runs": 0.0}, [failed])
            expected = reference(item)
            step = strictness(decision.label) - strictness(expected.label)
            loose += step < 0
            strict += step > 0
            costs[expected.label == "public"].append(max(step * TOO_STRICT, -step * TOO_LOOSE))
            _compare_details(details, decision, expected)
        parts[family] = max(0.0, 1 - sum(float(np.mean(cost)) for cost in costs.values()))
        ways = [f"{loose} are shared too freely"] * bool(loose)
        ways += [f"{strict} are withheld without need"] * bool(strict)
        if ways:
            problems.append(
                Problem(f"cards.{family}", f"{family}: of {len(items)} cards {' and '.join(ways)}.")
            )
    uncited = [_decided(classify, Item(prohibited_by=claim))[0] for claim in _UNCITED]
    if any(decision is None or decision.label == "non-sharing" for decision in uncited):
        parts["cited prohibitions"] *= 0.5
        problems.append(
            Problem(
                "cards.uncited", "An 'internal' reason that cites no rule never gives non-sharing."
            )
        )
    labels = sum(parts.values()) / len(parts)
    for name, (right, seen) in details.items():
        parts[name] = right / seen if seen and labels >= 0.5 else 0.0
        if right < seen:
            problems.append(Problem(f"cards.{name}", _DETAILS[name]))
    if problem := _copied(classify, Item(audience="society")):
        return Result.from_parts(title, points, {"your own work": 0.0}, [problem])
    return Result.from_parts(title, points, parts, problems)


_DETAILS = {
    "conditions": "Conditions: a restricted item carries exactly the conditions of all rules that apply; "
    "public and non-sharing items carry none.",
    "hold": "Hold: a missing or too small k, l or dominance yields hold, whatever else applies; nothing "
    "else does.",
    "basis and reasons": "Basis and reasons: non-sharing names its legal source (the cited one, where "
    "one is cited), and every decision gives a reason.",
}


def _compare_details(details: dict[str, list[int]], decision: Decision, expected: Decision) -> None:
    if decision.label != expected.label:
        return
    cited = expected.basis if expected.reasons == ("R3: a cited rule forbids it",) else ""
    right = {
        "conditions": decision.conditions == expected.conditions,
        "hold": decision.hold == expected.hold,
        "basis and reasons": bool(decision.reasons)
        and (
            decision.label != "non-sharing"
            or (bool(decision.basis.strip()) and cited in decision.basis)
        ),
    }
    for name, ok in right.items():
        details[name][0] += ok
        details[name][1] += 1


def properties(classify: Classify, seed: int, points: float = 12, each: int = 120) -> Result:
    """Check properties that hold for every item: P1 to P4 and P7 to P12 of the course's rules.

    A property that fails is shown on the smallest item that was found. Nothing is earned by an answer
    that is always the same: the properties count once a quarter of the simple cards of each label are right.
    """
    title = "properties"
    draw = _Draw(seed)
    simple = [item for family in _FAMILIES for item in _family(family)[::7]]
    right: dict[str, list[bool]] = {label: [] for label in LABELS}
    for item in simple:
        decision, trouble = _decided(classify, item)
        if trouble:
            failed = Problem("properties.fails when called", trouble)
            return Result.from_parts(title, points, {"runs": 0.0}, [failed])
        expected = reference(item).label
        right[expected].append(decision.label == expected)
    if not _right_for_every_label(right):
        simple_cards = Problem(
            "properties.simple",
            "Properties count once a quarter of the simple cards of each label are right: always giving the "
            "same answer breaks no property, and helps nobody.",
        )
        return Result.from_parts(title, points, {"simple cards": 0.0}, [simple_cards])
    if problem := _copied(classify, simple[0]):
        return Result.from_parts(title, points, {"your own work": 0.0}, [problem])
    parts, problems = {}, []
    for code, (sentence, holds, fixed) in _PROPERTIES.items():
        items = [*draw.items(each, 0.3, **fixed), *draw.items(each // 2, 0.1, **fixed)]
        broken = next((item for item in items if _breaks(holds, classify, item)), None)
        parts[f"{code} {sentence}"] = float(broken is None)
        if broken is not None:
            smallest = _shrunk(broken, fixed, partial(_breaks, holds, classify))
            problems.append(
                Problem(f"properties.{code}", f"{code}, {sentence}: not so for {smallest}.")
            )
    return Result.from_parts(title, points, parts, problems)


def _holds(holds: Callable[[Classify, Item], bool], classify: Classify, item: Item) -> bool:
    try:
        return holds(lambda it: _must_decide(classify, it), item)
    except CallFailed:
        return False


def _breaks(holds: Callable[[Classify, Item], bool], classify: Classify, item: Item) -> bool:
    return not _holds(holds, classify, item)


def _must_decide(classify: Classify, item: Item) -> Decision:
    decision, trouble = _decided(classify, item)
    if trouble:
        raise CallFailed(trouble)
    return decision


def _shrunk(item: Item, fixed: Collection[str], fails: Callable[[Item], bool]) -> Item:
    """The same failure with as many attributes as possible at their defaults, but for those ``fixed``."""
    plain = {
        field.name: (cast(Any, field.default),) for field in fields(Item) if field.name not in fixed
    }
    return Item(**simpler(vars(item), plain, lambda attributes: fails(Item(**attributes))))


def _raised(classify: Classify, item: Item) -> bool:
    before = strictness(classify(item).label)
    return all(
        strictness(classify(replace(item, **{name: value})).label) >= before
        for name in ("secret", "grade", "sensitive", "trade_secret")
        for value in _VALUES[name][_VALUES[name].index(getattr(item, name)) :]
    )


def _wider(classify: Classify, item: Item) -> bool:
    steps = [strictness(classify(replace(item, audience=a)).label) for a in _VALUES["audience"]]
    return steps == sorted(steps)


def _formed(classify: Classify, item: Item) -> bool:
    decision = classify(item)
    if decision.label == "public":
        return not decision.conditions and not decision.hold
    return bool(decision.conditions if decision.label == "restricted" else decision.basis.strip())


def _unmoved(classify: Classify, item: Item) -> bool:
    label = classify(item).label
    irrelevant: dict[str, tuple[Any, ...]] = {}
    if not item.trade_secret:
        irrelevant["owner_consent"] = (False, True)
    if item.personal != "identified":
        irrelevant["basis"] = _VALUES["basis"]
    if item.personal != "deidentified":
        irrelevant["enclave"] = (False, True)
    if item.unit == "object" and item.personal == "none":
        irrelevant["k"] = _VALUES["k"]
        irrelevant["dominance_ok"] = _VALUES["dominance_ok"]
    return all(
        classify(replace(item, **{name: value})).label == label
        for name, values in irrelevant.items()
        for value in values
    )


def _larger_k(classify: Classify, item: Item) -> bool:
    steps = [strictness(classify(replace(item, k=k)).label) for k in _VALUES["k"][1:]]
    return steps == sorted(steps, reverse=True)


def _never_public(classify: Classify, item: Item, sizes: tuple[int | None, ...]) -> bool:
    return all(classify(replace(item, k=k)).label != "public" for k in sizes)


_PROPERTIES: dict[str, tuple[str, Callable[[Classify, Item], bool], dict[str, Any]]] = {
    "P1": (
        "every item gets a label, the same one each time",
        lambda classify, item: classify(item).label == classify(item).label,
        {},
    ),
    "P2": ("raising secret, grade, sensitive or trade_secret never loosens", _raised, {}),
    "P3": ("a wider audience never gets a looser label", _wider, {}),
    "P4": (
        "non-sharing has a basis, restricted has conditions, public has neither conditions nor hold",
        _formed,
        {},
    ),
    "P7": ("what does not matter changes nothing", _unmoved, {}),
    "P8": ("a larger k is never stricter", _larger_k, {}),
    "P9": (
        "records with k unknown or below 20 are never public to society",
        lambda classify, item: _never_public(classify, item, (None, 1, 5, 19)),
        {"personal": "deidentified", "unit": "record", "audience": "society"},
    ),
    "P10": (
        "identified people without a basis are never shared",
        lambda classify, item: classify(item).label == "non-sharing",
        {"personal": "identified", "basis": "none"},
    ),
    "P11": (
        "a secret dominates everything else",
        lambda classify, item: item.secret == "none" or classify(item).label == "non-sharing",
        {},
    ),
    "P12": (
        "small or uncounted cells are never public",
        lambda classify, item: _never_public(classify, item, (None, 1, 9)),
        {"unit": "aggregate"},
    ),
}


def table(classify_table: ClassifyTable, seed: int | None = None, points: float = 8) -> Result:
    """Check ``classify_table``: P5 (as strict as each column and the joint row) and P6 (order).

    ``seed=None`` tries three small tables, which messages may show. A third of the tables gets each label;
    an answer that is always the same earns nothing.
    """
    shown = seed is None
    title = "tables of three columns" if shown else "hidden tables"
    tables = _tables(_Draw(7 if seed is None else seed), 1 if shown else 20)
    passed: dict[str, list[bool]] = {name: [] for name in _TABLES}
    right: dict[str, list[bool]] = {label: [] for label in LABELS}
    problems: dict[str, Problem] = {}
    for columns, joint in tables:
        text = f"columns {columns} with joint {joint}" if shown else ""
        try:
            decision, turned = (
                _valid(call(classify_table, list(order), joint, shown=text), shown)
                for order in (columns, columns[::-1])
            )
        except CallFailed as failure:
            failed = Problem("table.fails when called", str(failure))
            return Result.from_parts(title, points, {"runs": 0.0}, [failed])
        expected = reference_table(columns, joint)
        right[expected.label].append(decision.label == expected.label)
        step = strictness(decision.label)
        for name, ok in {
            "each column": step >= max(strictness(reference(c).label) for c in columns),
            "the joint row": step >= strictness(reference(joint).label),
            "not stricter": step <= strictness(expected.label),
            "order": decision.label == turned.label,
            "conditions": expected.label != "restricted"
            or decision.conditions == expected.conditions,
            "hold": decision.hold == expected.hold,
        }.items():
            passed[name].append(ok)
            if not ok:
                where = f" For example {text}." if shown else ""
                problems.setdefault(name, Problem(f"table.{name}", _TABLES[name] + where))
    if problem := _copied(classify_table, *tables[0]):
        return Result.from_parts(title, points, {"your own work": 0.0}, [problem])
    if not shown and not _right_for_every_label(right):
        passed = {name: [False] for name in passed}
    parts = {name: sum(hits) / len(hits) for name, hits in passed.items()}
    return Result.from_parts(title, points, parts, list(problems.values()))


def _tables(draw: _Draw, each: int) -> list[tuple[list[Item], Item]]:
    """Random tables of three columns, ``each`` of them for every label.

    A quarter of the restricted ones have conditions that no part has alone: else a table that carries its strictest part's
    only would pass by luck.
    """
    by_label: dict[str, list[tuple[list[Item], Item]]] = {label: [] for label in LABELS}
    plain = 0
    while any(len(tables) < each for tables in by_label.values()):
        audience = draw.value("audience")
        columns = list(draw.items(3, 0.12, audience=audience))
        joint = draw.item(0.2, audience=audience)
        expected = reference_table(columns, joint)
        tables = by_label[expected.label]
        if len(tables) == each:
            continue
        if expected.label == "restricted" and any(
            reference(part).conditions == expected.conditions for part in (*columns, joint)
        ):
            if plain == each - each // 4:
                continue
            plain += 1
        tables.append((columns, joint))
    return [table for tables in by_label.values() for table in tables]


def _right_for_every_label(right: dict[str, list[bool]]) -> bool:
    """Whether at least a quarter of the items of every label were decided rightly."""
    return all(sum(hits) >= len(hits) / 4 for hits in right.values())


_TABLES = {
    "each column": "A table is at least as strict as each of its columns: the strictest part decides.",
    "the joint row": "A table is at least as strict as its joint row: together, columns say more than alone.",
    "not stricter": "A table is withheld further than its columns and its joint row ask for.",
    "order": "The order of the columns changes the answer.",
    "hold": "A table is held as long as any of its columns, or the joint row, is.",
    "conditions": "A restricted table carries the conditions of all its columns and of the joint row.",
}


# Wrong classifiers, each with one plausible mistake. They are made from the right one by looking at a
# changed item (`_seeing`) or by changing the decision.
def _seeing(change: Callable[[Item], dict[str, Any]]) -> Classify:
    return lambda item: reference(replace(item, **change(item)))


def _shifted(item: Item, by: int) -> dict[str, Any]:
    return {"k": None if item.k is None else max(item.k + by, 0)}


WRONG: dict[str, Classify] = {
    "secrets are ignored": _seeing(lambda item: {"secret": "none"}),
    "work secrets are ignored": _seeing(
        lambda item: {"secret": "none" if item.secret == "work" else item.secret}
    ),
    "the grade is ignored": _seeing(lambda item: {"grade": "general"}),
    "core data are treated as important": _seeing(
        lambda item: {"grade": "important" if item.grade == "core" else item.grade}
    ),
    "citations are ignored": _seeing(lambda item: {"prohibited_by": ""}),
    "sensitivity is ignored": _seeing(lambda item: {"sensitive": False}),
    "the legal ground is ignored": _seeing(
        lambda item: {"basis": "duty" if item.audience == "gov" else "consent"}
    ),
    "any legal ground is good for everybody": _seeing(
        lambda item: {"basis": item.basis if item.basis in ("none", "by_law") else "by_law"}
    ),
    "a hash makes people anonymous": _seeing(
        lambda item: {"personal": "none" if item.personal == "deidentified" else item.personal}
    ),
    "k is read one too large": _seeing(lambda item: _shifted(item, 1)),
    "k is read one too small": _seeing(lambda item: _shifted(item, -1)),
    "an unknown k is taken for large": _seeing(
        lambda item: {"k": 1_000 if item.k is None else item.k}
    ),
    "an unknown l is taken for large": _seeing(lambda item: {"l": 9 if item.l is None else item.l}),
    "l is ignored": _seeing(lambda item: {"l": 9}),
    "dominance is ignored": _seeing(lambda item: {"dominance_ok": True}),
    "dominance never computed is taken for good": _seeing(
        lambda item: {"dominance_ok": item.dominance_ok is not False}
    ),
    "small cells are ignored": _seeing(
        lambda item: {"unit": "object" if item.unit == "aggregate" else item.unit}
    ),
    "trade secrets are ignored": _seeing(lambda item: {"trade_secret": False}),
    "the owner's consent is not asked": _seeing(lambda item: {"owner_consent": True}),
    "real-time feeds are ignored": _seeing(lambda item: {"demanding": False}),
    "the enclave is ignored": _seeing(lambda item: {"enclave": False}),
    "every audience is a public body": _seeing(lambda item: {"audience": "gov"}),
    "every audience is everybody": _seeing(lambda item: {"audience": "society"}),
    "the default is restricted": lambda item: (
        replace(reference(item), label="restricted", conditions=frozenset({"log"}))
        if reference(item).label == "public"
        else reference(item)
    ),
    "everything is withheld": lambda item: Decision(
        "non-sharing", basis="Data Security Law art. 21"
    ),
}
ENOUGH = 8
"""Wrong classifiers that a student's cases must catch for full points."""


def cases(proposed: Sequence[tuple[Item, str]], points: float = 6) -> Result:
    """Check a student's own test cases: they must be right, and catch wrong classifiers.

    Half the points for three or more different cases with the right label, half for how many of
    :data:`WRONG` at least one case tells from a right one (full from :data:`ENOUGH` on).
    """
    title = "your test cases"
    problems: list[Problem] = []
    pairs = compare.contents(proposed)
    if pairs is None or not all(isinstance(one, tuple | list) and len(one) == 2 for one in pairs):
        form = Problem("cases.form", "cases must be a list of pairs: (Item(...), 'label').")
        return Result.from_parts(title, points, {"right": 0.0, "sharp": 0.0}, [form])
    good: dict[Item, str] = {}
    for place, (item, label) in enumerate(pairs, start=1):
        if not isinstance(item, Item) or not compare.among(label, LABELS):
            message = f"Case {place} is not an Item with one of the labels {', '.join(LABELS)}."
        elif not compare.same(label, reference(item).label):
            message = (
                f"Case {place}, {item}: by the rules it is not {label}. Which rule did you miss?"
            )
        else:
            good[item] = label
            continue
        problems.append(Problem("cases.wrong", message))
    if len(good) < 3:
        problems.append(
            Problem("cases.few", f"{len(good)} different right cases; write at least three.")
        )
    caught = [
        name
        for name, wrong in WRONG.items()
        if not all(compare.same(label, wrong(item).label) for item, label in good.items())
    ]
    if len(caught) < ENOUGH:
        problems.append(
            Problem(
                "cases.blunt",
                f"Your right cases catch {len(caught)} of {len(WRONG)} wrong classifiers; catch {ENOUGH}. "
                "A sharp case has a label that depends on one attribute, or on a value at a limit.",
            )
        )
    parts = {
        "right": len(good) / max(len(pairs), 3),
        "sharp": min(len(caught) / ENOUGH, 1.0),
    }
    return Result.from_parts(title, points, parts, problems)


def _decided(classify: Classify, item: Item, shown: str = "") -> tuple[Any, str]:
    """The decision, or what is wrong with it."""
    try:
        return _valid(call(classify, item, shown=shown), bool(shown)), ""
    except CallFailed as failure:
        return None, str(failure)


def _valid(decision: Any, shown: bool) -> Decision:
    label = getattr(decision, "label", None)
    if not isinstance(decision, Decision) or not compare.among(label, LABELS):
        said = compare.kind_of(decision)
        if label is not None:
            said = "one with another label" + f": {label!r}" * shown
        raise CallFailed(f"a Decision with a label of {', '.join(LABELS)} is needed; got {said}")
    given: Any = decision  # whatever a student has put into its fields
    basis, conditions = given.basis, given.conditions
    return replace(
        decision,
        conditions=frozenset(map(str, conditions if isinstance(conditions, str) else compare.contents(conditions) or ())),
        reasons=(given.reasons,) if isinstance(given.reasons, str) and given.reasons else tuple(compare.contents(given.reasons) or ()),
        basis=str(basis) if isinstance(basis, str | list | tuple | set | frozenset) else "",
        hold=cast(bool, compare.truthy(given.hold)),
    )  # fmt: skip


def _copied(function: Callable[..., Any], *arguments: Any) -> Problem | None:
    if runs_code_of("sharewell.classify", function, *arguments):
        return Problem(
            "copied",
            "Your function calls the toolkit's own rules. Write them yourself: that is what this lab is for.",
        )
    return None
