"""The check of the closed loop, tried on the true exchange and on copies of it that are broken in one place each."""

from __future__ import annotations

import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from gradewell.checks import Result
from gradewell.checks.loop import (
    FIRST,
    INVARIANTS,
    PEOPLE,
    breaches,
    closes,
    scripts,
    stories,
    transitions,
)
from gradewell.checks.loop.replay import replay
from sharewell import exchange
from sharewell.exchange import Exchange, Log
from sharewell.exchange.policies import LOOP, SCHEMA, Policies
from sharewell.exchange.states import GRANT, RESOURCE

IMPORTED = "from sharewell.exchange.attempts import Attempts, whole\n"
SOURCE = [
    Path(exchange.attempts.__file__).read_text(encoding="utf-8"),
    Path(exchange.loop.__file__).read_text(encoding="utf-8").replace(IMPORTED, ""),
]
BROKEN = yaml.safe_load(
    Path(__file__).with_name("broken_exchanges.yml").read_text(encoding="utf-8")
)
OWN = (
    """@because("nobody decides on their own request")
forbid (principal, action in [Action::"approve", Action::"reject"], resource)
when { principal.name == resource.consumer };""",
    "",
)
TRANSITIONS = {(*key, after) for key, after in (*RESOURCE.items(), *GRANT.items())}


class Unchained(Log):
    """A log whose records all say that they are the first."""

    def _last(self) -> tuple[int, str]:
        return len(self), "0" * 64

    def __len__(self) -> int:
        return len(self._records)


def changed(*changes: tuple[str, str]) -> type[Any]:
    """The exchange with text replaced that occurs once in its code or in its policies."""
    texts = [*SOURCE, LOOP.read_text(encoding="utf-8")]
    for find, put in changes:
        times = [text.count(find) for text in texts]
        assert sum(times) == 1, f"{find!r} occurs {times} times"
        texts = [text.replace(find, put) for text in texts]
    module = types.ModuleType("broken")
    vars(module)["Unchained"] = Unchained
    for text in texts[:2]:
        exec(text, module.__dict__)
    made: type[Any] = vars(module)["Exchange"]
    made.policies = Policies(texts[2], SCHEMA.read_text(encoding="utf-8"))
    return made


def codes(result: Result) -> dict[str, str]:
    return {problem.code.removeprefix("loop."): problem.message for problem in result.problems}


def test_the_true_exchange_breaks_nothing_in_500_stories_in_which_every_transition_happens():
    fired, closed = set(), 0
    for outcomes, log in replay(Exchange, PEOPLE, FIRST, stories(1, 500)):
        assert breaches(log) == []
        assert set(outcomes) <= {"allowed", "refused"}
        fired |= transitions(log)
        closed += sum(r["after"] == "closed" and r["outcome"] == "allowed" for r in log)
    assert fired >= TRANSITIONS
    assert closed > 500
    assert closes(Exchange, 1, 10).passed


def test_every_transition_happens_in_the_scripts_alone():
    fired = set()
    for _, log in replay(Exchange, PEOPLE, FIRST, scripts()):
        fired |= transitions(log)
    assert fired >= TRANSITIONS


@pytest.mark.parametrize("broken", BROKEN, ids=[broken["mistake"] for broken in BROKEN])
def test_a_broken_exchange_is_caught(broken):
    result = closes(changed((broken["find"], broken["put"])), 5, 10, 40, shown=False)
    assert broken["code"] in codes(result)
    assert not result.passed


def test_every_invariant_has_a_broken_copy():
    assert {broken["code"] for broken in BROKEN} >= set(INVARIANTS)
    assert len(BROKEN) >= 20


RIGHT = {
    "grants have other names": (
        'f"G{len(self.grants) + 1}"',
        'f"{resource} for {actor}, {len(self.log)}"',
    ),
    "refusals give no reason": ("raise Refused(refusal)", 'raise Refused("no")'),
    "what follows by itself follows in another order": (
        "list(self.grants.items()):\n            waited",
        "reversed(self.grants.copy().items()):\n            waited",
    ),
    "looks at the day once more": (
        'after = self._next(GRANT, grant, "use")',
        'after = self._next(GRANT, grant, "use")\n            self._require(self.today <= self.grants[grant].until, "")',
    ),
    "one policy more, that changes nothing": (
        "// A resource\n",
        'forbid (principal, action == Action::"audit", resource) when { principal.name == resource.consumer };',
    ),
}


@pytest.mark.parametrize("change", RIGHT.values(), ids=RIGHT)
def test_an_exchange_that_keeps_to_the_loop_in_another_way_earns_everything(change):
    result = closes(changed(change), 7, 10, 200)
    assert result.passed, str(result)


def test_an_exchange_that_refuses_everything_earns_nothing():
    class Closed(Exchange):
        policies = Policies("", SCHEMA.read_text(encoding="utf-8"))

    result = closes(Closed, 5, 10, 20)
    assert result.points == 0
    assert {"strict", "never"} <= set(codes(result))


def test_an_exchange_that_does_nothing_earns_nothing():
    class Idle:
        log = ()

        def __init__(self, people: Any, today: Any) -> None: ...

        def __getattr__(self, name: str) -> Callable[..., None]:
            return lambda *arguments, **named: None

    result = closes(Idle, 5, 10, 20)
    assert result.points == 0
    assert "I6" in codes(result)


def test_one_fault_costs_less_than_all():
    one = changed(("bool(reason.strip())", "True"))
    assert closes(one, 5, 10, 50).points == 8


def test_the_shortest_story_is_shown():
    result = closes(changed(OWN), 5, 10, 100)
    message = codes(result)["I2"]
    assert "decided on a request of their own" in message
    assert result.table is not None
    assert list(result.table["attempts"]) == [
        "catalogue",
        "classify",
        "confirm",
        "request",
        "clock",
        "approve",
    ]


def test_an_exchange_that_allows_everything_earns_nothing():
    class Open(Exchange):
        policies = Policies(
            "permit (principal, action, resource);", SCHEMA.read_text(encoding="utf-8")
        )

        @staticmethod
        def _require(condition: bool, otherwise: str) -> None: ...

    assert closes(Open, 5, 10, 20, shown=False).points == 0


def test_states_from_which_closed_cannot_be_reached_are_named():
    dead = changed(
        (
            "when { principal.name == resource.consumer || principal.name == resource.of.owner }",
            "when { true }",
        )
    )
    found = codes(closes(dead, 5, 10, 50))
    assert "none from: approved, disposed, expired, released, revoked, suspended." in found["end"]
    assert "strict" in found


def test_stories_are_not_shown_where_they_must_not_be():
    result = closes(changed(OWN), 5, 10, 100, shown=False)
    assert result.table is None
    assert "shortest" not in codes(result)["I2"]
    assert not any(name in str(result) for name in PEOPLE)


def test_an_exchange_that_cannot_be_made_is_said_to_be_so():
    def make(people: Any) -> Exchange:
        return Exchange(people, FIRST)

    result = closes(make, 5, 10, 5)
    assert result.points == 0
    assert "make(...) raised TypeError" in str(result)


@pytest.mark.parametrize(
    "log",
    [[], [{"number": 1}], ["text"], [{"number": 1, "event": "use", "hash": "0", "previous": "0"}]],
    ids=["nothing", "a number", "text", "no chain"],
)
def test_a_log_that_is_none_is_a_fault_not_an_error(log):
    class Own(Exchange):
        def __init__(self, people: Any, today: Any) -> None:
            super().__init__(people, today)
            self.log = log

    result = closes(Own, 5, 10, 5)
    assert result.points == 0
    assert set(codes(result)) & {"I6", "fails", "fails when made"}
