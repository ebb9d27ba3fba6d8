"""The check of an exchange: every story, what is wrong in it, and the shortest that shows it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from sharewell.exchange.states import GRANT, PLATFORM, RESOURCE

from gradewell.checks.calls import CallFailed, call, near
from gradewell.checks.loop.monitor import INVARIANTS, breaches
from gradewell.checks.loop.replay import Attempt, Record, replay
from gradewell.checks.loop.scripts import FIRST, PEOPLE
from gradewell.checks.loop.stories import stories
from gradewell.checks.result import Problem, Result
from gradewell.checks.shrink import shorter

_BATCH = 50
"""Stories that are asked for in one question."""
_CAUSES = ("I6", "I11")
"""What makes a log untrue, so that it shows other faults where there are none: they are told first, and alone in their story."""
_RULES = {
    **{code: INVARIANTS[code] for code in _CAUSES},
    **INVARIANTS,
    "fails": "What is not possible is refused (sharewell.exchange.Refused), whatever is attempted.",
}
_RULES_LOST = 5
"""Each broken rule costs this part of the points: with as many broken, nothing is left."""
_ALL = len(RESOURCE) + len(GRANT)


@dataclass(frozen=True)
class _Found:
    """A story in which a rule is broken, and how."""

    story: Sequence[Attempt]
    what: str


def closes(
    make: Callable[..., Any],
    seed: int,
    points: float,
    count: int = 300,
    shown: bool = True,
    title: str = "the closed loop",
) -> Result:
    """Points for an exchange by the rules of the loop that it keeps, over scripts and guided stories with interruptions.

    The rules are read from its log alone (``monitor.breaches``), but for two: every attempt is in the log as it came out, and nothing
    ends in an error. From every state that was seen, something that was seen has to lead on to ``closed``. What was never put to the test earns nothing: all points are in
    proportion to the transitions of the loop that happened, so that an exchange that refuses everything has none. Each rule that is
    broken costs a fifth of them.

    Parameters
    ----------
    make : callable
        ``make(people, today)`` gives a new exchange, which has the methods and the log of ``sharewell.exchange.Exchange``, raises
        ``sharewell.exchange.Refused``, and names a new grant as the result of ``request``.
    seed : int
        Of the stories.
    count : int
        Guided stories, beside the scripts.
    shown : bool
        Whether messages may show the shortest story.
    """
    told = stories(seed, count)
    found: dict[str, list[_Found]] = {}
    fired: set[tuple[str, str, str]] = set()
    try:
        for start in range(0, len(told), _BATCH):
            batch = told[start : start + _BATCH]
            for story, (outcomes, log) in zip(batch, _replayed(make, batch), strict=True):
                faults = _faults(story, outcomes, log)
                for code, what in faults.items():
                    found.setdefault(code, []).append(_Found(story, what))
                if "I6" not in faults:  # else the log proves nothing
                    fired |= transitions(log)
    except CallFailed as failure:
        return Result.failed(title, points, "loop.fails when made", f"{failure}.")
    reached = len(fired & _possible()) / _ALL
    stuck = _dead_ends(fired)
    broken = len(found) + bool(stuck)
    kept = max(0, 1 - broken / _RULES_LOST)
    parts = {"rules kept, as far as they were put to the test": kept * reached}
    problems, table = [], None
    for code in (code for code in _RULES if code in found):
        first = min(found[code], key=lambda one: len(one.story))
        message = f"{_RULES[code]} Not so in {len(found[code])} of {len(told)} stories."
        if shown:
            shortest = _shortest(make, first.story, code)
            if table is None:
                table = _shown(make, shortest.story)
                message += f" In the story below: {shortest.what}."
            else:
                steps = "; ".join(_sentence(one) for one in shortest.story)
                message += f" The shortest such story: {steps}. In it: {shortest.what}."
        problems.append(Problem(f"loop.{code}", message))
    if stuck:
        named = ", ".join(stuck)
        message = f"From everywhere there has to be a way to closed. There was none from: {named}."
        problems.append(Problem("loop.end", message))
    if missing := sorted(_possible() - fired):
        named = ", ".join(f"{event} of what is {before or 'new'}" for before, event, _ in missing)
        problems.append(Problem("loop.never", f"Of the loop, this never happened: {named}."))
    return Result.from_parts(title, points, parts, problems).showing(table=table)


def transitions(log: Iterable[Record]) -> set[tuple[str, str, str]]:
    """State, event and next state of all that was allowed, as the log tells it."""
    return {
        (record.get("before", ""), record.get("event", ""), record.get("after", ""))
        for record in log
        if record.get("outcome") == "allowed"
    }


def _possible() -> set[tuple[str, str, str]]:
    return {(*key, after) for key, after in (*RESOURCE.items(), *GRANT.items())}


def _dead_ends(fired: set[tuple[str, str, str]]) -> list[str]:
    """The states of grants that were seen, and from which nothing that was seen leads to closed."""
    moves = {(before, after) for before, event, after in fired if (before, event) in GRANT}
    good = {"closed"}
    while more := {before for before, after in moves if after in good} - good:
        good |= more
    return sorted({after for _, after in moves} - good)


def _replayed(
    make: Callable[..., Any], batch: Sequence[Sequence[Attempt]]
) -> list[tuple[list[str], list[Record]]]:
    told = call(near(make, replay), make, PEOPLE, FIRST, batch, of=make)
    if not isinstance(told, list) or len(told) != len(batch) or not all(map(_is_told, told)):
        raise CallFailed(
            "the stories did not come back with what came of each attempt, and the log"
        )
    return told


def _is_told(one: Any) -> bool:
    """Whether this is what came of each attempt, in words, and a log."""
    return (
        isinstance(one, tuple | list)
        and len(one) == 2
        and all(isinstance(some, list) for some in one)
        and all(isinstance(outcome, str) for outcome in one[0])
        and all(isinstance(record, dict) for record in one[1])
    )


def _faults(
    story: Sequence[Attempt], outcomes: Sequence[str], log: Sequence[Record]
) -> dict[str, str]:
    """The codes of what is wrong first in a story, and how: what comes after it may be but its consequence."""
    for one, outcome in zip(story, outcomes, strict=True):
        if outcome not in ("allowed", "refused"):
            return {"fails": f"{one[1]} could {one[0]}, which ended in {outcome}"}
    found = breaches(log)
    causes = [breach for breach in found if breach.code in _CAUSES]
    if first := (causes or found)[:1]:
        return {b.code: b.what for b in causes or found if b.number == first[0].number}
    unlike = _unlike(story, outcomes, log)
    return {"I6": unlike} if unlike else {}


def _unlike(story: Sequence[Attempt], outcomes: Sequence[str], log: Sequence[Record]) -> str:
    """Where the log does not tell what was attempted; empty when it does."""
    attempts = [
        r for r in log if r["event"] != "open" and (r["actor"] != PLATFORM or r["event"] == "clock")
    ]
    if len(attempts) != len(story):
        return f"{len(story)} attempts left {len(attempts)} records"
    for (event, actor, given), outcome, record in zip(story, outcomes, attempts, strict=True):
        if (event, actor, outcome) != (record["event"], record["actor"], record["outcome"]):
            done = f"{record['actor']}, {record['event']}, {record['outcome']}"
            return f"{actor}, {event}, {outcome} is in the log as {done}"
        for name in (
            "purpose",
            "reason",
            "certificate",
            "label",
            "citation",
            "epsilon",
            "resource",
        ):
            logged = record["details"].get(name, record["subject"])
            if name in given and given[name] != logged:
                return f"the {name} of an attempt to {event} is in the log as {logged!r}, not {given[name]!r}"
    return ""


def _shortest(make: Callable[..., Any], story: Sequence[Attempt], code: str) -> _Found:
    def what(trial: Sequence[Attempt]) -> str:
        try:
            ((outcomes, log),) = _replayed(make, [trial])
        except CallFailed:
            return ""
        return _faults(trial, outcomes, log).get(code, "")

    short = shorter(story, lambda trial: bool(what(trial)))
    return _Found(short, what(short))


def _sentence(one: Attempt) -> str:
    event, actor, given = one
    return f"{actor}: {event} {_given(given)}".strip()


def _given(given: Mapping[str, Any]) -> str:
    """What an attempt was made with, in words."""
    told: list[str] = []
    for name, value in given.items():
        if name in ("resource", "grant"):
            told.insert(0, str(value))
        elif isinstance(value, list):
            told.append(f"{name} {'+'.join(value) or 'none'}")
        elif name not in ("text", "finding"):
            told.append(f"{name} {value if str(value).strip() else 'blank'}")
    return ", ".join(told)


def _shown(make: Callable[..., Any], story: Sequence[Attempt]) -> pd.DataFrame:
    ((outcomes, _),) = _replayed(make, [story])
    rows = [
        (actor, event, _given(given), o)
        for (event, actor, given), o in zip(story, outcomes, strict=True)
    ]
    return pd.DataFrame(rows, columns=["who", "attempts", "with", "what came of it"])
