"""Lab 11: a log that shows what was done to it, and that holds nobody's number."""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Callable
from typing import Any

import numpy as np

from gradewell.checks import compare
from gradewell.checks.calls import COPIED, CallFailed, Function, call, right_in, run, runs_code_of
from gradewell.checks.result import Problem, Result

_RULES = {
    "honest": "An honest log, also an empty one, has nothing wrong: verify gives 0, with its own anchor as well.",
    "edit": "A record whose content was changed is found, and verify gives its number, counted from 1.",
    "delete": "A record that was cut out is found, at the place where it is missing.",
    "swap": "Two records that changed places are found, at the first of them.",
    "insert": "A record that was put in between is found.",
    "exchange": "A record that was exchanged for one from another log, with the same number, is found.",
    "first": "The first record is checked as well as the others.",
    "cut": "The end that was cut off is found with the anchor; the number is that of the first record that is missing.",
    "rewritten": "A whole history that was made anew is found with the anchor.",
    "personal": "No number of a patient stands in the log, not even a hash that could be tried: a pseudonym that depends on the key.",
    "followed": "The same patient with the same key is recognised in the log: the pseudonym is the same in each record.",
    "kept": "append adds one record and leaves the others as they were; the event and who did it stand in the new record.",
}  # fmt: skip


def digest(record: dict[str, Any]) -> str:
    """SHA-256 of a record, its own hash left out, as JSON with sorted keys."""
    content = {name: value for name, value in record.items() if name != "hash"}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def first_wrong(function: Function, points: float = 6) -> Result:
    """Check a function that reads a chain: ``first_wrong(records)``, the number of the first record that does not fit, or 0."""

    def chain(*events: str) -> list[dict[str, Any]]:
        made: list[dict[str, Any]] = []
        for event in events:
            record = {"event": event, "previous": made[-1]["hash"] if made else "start"}
            made.append({**record, "hash": digest(record)})
        return made

    whole = chain("request", "approve", "use")
    edited = copy.deepcopy(whole)
    edited[1]["event"] = "refuse"
    sealed = copy.deepcopy(edited)
    sealed[1]["hash"] = digest(sealed[1])
    begun = chain("use")
    begun[0] |= {"previous": whole[0]["hash"]}
    begun[0]["hash"] = digest(begun[0])
    cases = [
        ("an honest log", (whole,), 0),
        ("an edited record", (edited,), 2),
        ("an edited record with a new hash", (sealed,), 3),
        ("a record cut out", ([whole[0], whole[2]],), 2),
        ("a first record that follows another", (begun,), 1),
        ("no records", ([],), 0),
    ]
    return right_in(cases, function, points, "reading a chain", "chain")


def log(
    append: Function,
    verify: Function,
    anchor: Function,
    seed: int = 1,
    points: float = 4,
) -> Result:
    """Points for ``append(log, event, actor, patient, key)``, ``verify(log, anchor)`` and ``anchor(log)``.

    A log is a list of dicts. The grader changes logs that the student's own ``append`` made, in every way that leaves a list of dicts.
    """
    title, random = "a log that shows tampering", np.random.default_rng(seed)
    good = dict.fromkeys(_RULES, 1.0)
    key, other = (random.bytes(16).hex() for _ in range(2))
    patients = [f"1037{n:07}" for n in random.choice(10_000_000, 4, replace=False)]
    told = [
        (("request", "use", "refuse", "dispose")[int(random.integers(4))], f"person {int(random.integers(9))}", patients[step % 4])
        for step in range(8)
    ]  # fmt: skip

    def made(some: list[tuple[str, str, str]], with_key: str = key) -> list[dict[str, Any]]:
        records: list[dict[str, Any]] = []
        for event, actor, patient in some:
            records = call(append, copy.deepcopy(records), event, actor, patient, with_key)
        return records

    def wrong_at(records: list[dict[str, Any]], kept: Any = None) -> int | None:
        return compare.whole(call(verify, copy.deepcopy(records), kept))

    try:
        if runs_code_of(__name__, append, [], *told[0], key) or runs_code_of(__name__, verify, [], None):  # fmt: skip
            return Result.failed(title, points, "log.copied", COPIED)
        honest = made(told)
        if not _is_log(honest, len(told)):
            message = "append returns the log as a list of dicts, with one record more."
            return Result.failed(title, points, "log.form", message)
        before = copy.deepcopy(honest)
        more = call(append, copy.deepcopy(honest), *told[0], key)
        texts = [{text for text in record.values() if isinstance(text, str)} for record in honest]
        good["kept"] = float(
            _is_log(more, len(before) + 1)
            and compare.same(more[:-1], before)
            and all(compare.among(event, text) and compare.among(actor, text) for (event, actor, _), text in zip(told, texts, strict=True))
        )  # fmt: skip
        tip = run(anchor, copy.deepcopy(honest))
        for records, kept in ((honest, None), (honest, tip), ([], None), (honest[:5], None)):
            good["honest"] *= wrong_at(records, kept) == 0
        middle = int(random.integers(2, 7))  # counted from 1
        good["edit"] = float(_finds_edits(wrong_at, honest, middle))
        good["delete"] = float(wrong_at(honest[: middle - 1] + honest[middle:]) == middle)
        swapped = list(honest)
        swapped[middle - 1], swapped[middle] = swapped[middle], swapped[middle - 1]
        good["swap"] = float(wrong_at(swapped) == middle)
        inserted = [*honest[:middle], honest[middle - 1], *honest[middle:]]
        strange = made([*told[:middle], ("use", "person 99", patients[0])])[-1]
        good["insert"] = float(
            wrong_at(inserted) == middle + 1
            and bool(wrong_at([*honest[:middle], strange, *honest[middle:]]))
        )
        foreign = made([("use", "person 98", patients[1]), *told[1:middle]])[-1]
        good["exchange"] = float(bool(wrong_at([*honest[: middle - 1], foreign, *honest[middle:]])))
        good["first"] = float(wrong_at(honest[1:]) == 1 and _finds_edits(wrong_at, honest, 1))
        good["cut"] = float(wrong_at(honest[:5], tip) == 6)
        rewritten = made([*told[:3], ("use", "person 99", patients[0]), *told[4:]])
        good["rewritten"] = float(bool(wrong_at(rewritten, tip)))
        again = made(told, other)
        text = str(json.dumps([honest, again], default=str))
        good["personal"] = float(
            not any(patient[-6:] in text for patient in patients)  # own: a text of our own making
            and not _told_of(honest, again, told)
        )
        good["followed"] = float(
            bool(good["personal"])
            and bool(_told_of(honest, made(told), told))
            and _apart(honest, told)
        )
    except CallFailed as failure:
        return Result.failed(title, points, "log.fails when called", f"{failure}.")
    except (AttributeError, TypeError, KeyError, IndexError):
        message = "append returns a list of dicts, verify a whole number, anchor what verify takes."
        return Result.failed(title, points, "log.form", message)
    if not good["honest"]:  # who finds everything wrong finds every change, too
        good = dict.fromkeys(good, 0.0)
    problems = [
        Problem(f"log.{name}", text)
        for name, text in _RULES.items()
        if not good[name] and (good["honest"] or name == "honest")
    ]
    if not any(good[name] for name in ("edit", "delete", "swap", "insert")):
        good = dict.fromkeys(good, 0.0)  # a list is no log
    return Result.from_parts(title, points, good, problems)


def _is_log(records: Any, count: int) -> bool:
    return isinstance(records, list) and len(records) == count and all(isinstance(one, dict) for one in records)  # fmt: skip


def _finds_edits(
    wrong_at: Callable[[list[dict[str, Any]]], int | None],
    honest: list[dict[str, Any]],
    number: int,
) -> bool:
    """Whether a change of any value of a record is found, at it or, for what links it to its neighbours, right behind."""
    for name in honest[number - 1]:
        changed = copy.deepcopy(honest)
        value = changed[number - 1][name]
        changed[number - 1][name] = value + 1 if isinstance(value, int) else f"{value}x"
        if wrong_at(changed) not in (number, number + 1):
            return False
    return True


def _told_of(
    one: list[dict[str, Any]], other: list[dict[str, Any]], told: list[tuple[str, str, str]]
) -> set[str]:
    """Names under which both logs have the same value in each record, and it is neither event nor actor nor number."""
    return {
        name
        for name in set(one[0]) & set(other[0])
        if all(compare.same(a.get(name), b.get(name)) for a, b in zip(one, other, strict=True))
        and all(not compare.among(str(a[name]), (event, actor)) for a, (event, actor, _) in zip(one, told, strict=True))
        and not compare.among([a[name] for a in one], (list(range(len(one))), list(range(1, len(one) + 1))))
        and len({str(a[name]) for a in one}) > 1
    }  # fmt: skip


def _apart(honest: list[dict[str, Any]], told: list[tuple[str, str, str]]) -> bool:
    """Whether some value is the same exactly where the patient is."""
    people = [patient for *_, patient in told]
    return any(
        all(
            compare.same(a[name], b[name]) == (p == q)
            for a, p in zip(honest, people, strict=True)
            for b, q in zip(honest, people, strict=True)
        )
        for name in honest[0]
    )
