"""The exchange of the capstone: five steps that a team writes, and three exchanges that were broken before."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from functools import cache
from typing import Any

from sharewell.exchange import Exchange
from sharewell.exchange import loop as finished
from sharewell.exchange.unfinished import STEPS

from gradewell.checks import compare, loop
from gradewell.checks.calls import CallFailed, call, near, runs_code_of
from gradewell.checks.loop.replay import replay
from gradewell.checks.result import Problem, Result


def closes(make: Any, seed: int, points: float, count: int = 30, shown: bool = True) -> Result:
    """``loop.closes`` for an exchange whose five steps are a team's own: the toolkit's finished steps earn nothing, under whatever name."""
    title, told = "the closed loop", [*loop.scripts()]
    try:
        there = near(make, replay)
        given = (make, loop.PEOPLE, loop.FIRST, told)
        if runs_code_of(finished.__name__, there, *given, names=STEPS):
            message = "Platform takes finished steps of the toolkit. Write them, in a class that inherits from Unfinished."
            return Result.failed(title, points, "loop.copied", message)
        outcomes = [outcome for some, _ in call(there, *given, of=make) for outcome in some]
    except CallFailed as failure:
        return Result.failed(title, points, "loop.fails when made", f"{failure}.")
    attempted = [event for story in told for event, *_ in story]
    unwritten = {
        event
        for event, outcome in zip(attempted, outcomes, strict=True)
        if event in STEPS and outcome.startswith(NotImplementedError.__name__)
    }
    found = loop.closes(make, seed, points, count, shown, title)
    share = 1 - len(unwritten) / len(STEPS)  # what works without them is no merit
    return replace(found, points=int(found.points * share * 4) / 4) if unwritten else found


class _Lenient(Exchange):
    """Nobody confirms but whoever comes."""

    def _permit(self, actor: str, event: str, subject: Any, **context: Any) -> None:
        if event != "confirm":
            super()._permit(actor, event, subject, **context)


class _Eager(Exchange):
    """The last day is not looked at."""

    def _permit(self, actor: str, event: str, subject: Any, **context: Any) -> None:
        if event == "use":
            subject = type(subject)(subject.kind, subject.name, {**subject.attributes, "until": self.today})  # fmt: skip
        super()._permit(actor, event, subject, **context)

    def _by_itself(self, event: str, grant: str) -> None:
        if event != "expire":
            super()._by_itself(event, grant)


class _Patient(Exchange):
    """Requests wait for ever."""

    def _by_itself(self, event: str, grant: str) -> None:
        if event != "escalate":
            super()._by_itself(event, grant)


@cache
def _logs(seed: int) -> dict[str, list[dict[str, Any]]]:
    told = loop.stories(seed, 30)
    found: dict[str, list[dict[str, Any]]] = {}
    for name, kind in {"north": _Lenient, "south": _Eager, "west": _Patient}.items():
        for story in told:
            exchange = kind(loop.PEOPLE, loop.FIRST)
            names: dict[str, str] = {}
            for one in story:
                loop.attempt(exchange, names, one)
            log = [dict(record) for record in exchange.log]
            if 8 <= len(log) <= 40 and loop.breaches(log):
                found[name] = log
                break
    return found


def logs(seed: int = 1) -> dict[str, list[dict[str, Any]]]:
    """The logs of three exchanges, each broken in one place, by name."""
    return deepcopy(_logs(seed))


def audited(given: Any, points: float = 6, seed: int = 1) -> Result:
    """Points for the first record of each log in which a rule is broken, and the rule's code: a dict from the log's name to both."""
    given = compare.plain(given)
    answers: dict[str, Any] = given if isinstance(given, dict) else {}
    problems = []
    right = 0.0
    for name, log in logs(seed).items():
        found = loop.breaches(log)
        number = found[0].number
        codes = {breach.code for breach in found if breach.number == number}
        said = answers.get(name)
        pair = list(said) if isinstance(said, tuple | list) and len(said) == 2 else [None, None]
        place, code = compare.same(pair[0], number), compare.among(pair[1], codes)
        right += place / 2 + (place and code) / 2
        if not place:
            what = f"The first record of {name} that breaks a rule is another one."
            problems.append(Problem(f"audit.{name}", what))
        elif not code:
            what = f"Record {number} of {name} breaks a rule, and it is another one."
            problems.append(Problem(f"audit.{name}", what))
    return Result.from_parts("the audit", points, {"logs": right / 3}, problems)
