"""How an exchange attempts something: alone, wholly or not at all, asked of the policies, and written down."""

from __future__ import annotations

import inspect
import json
import math
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from functools import lru_cache, wraps
from typing import Any, ParamSpec, TypeVar

from sharewell.errors import SharewellError
from sharewell.exchange.policies import LOOP, SCHEMA, Entity, Policies
from sharewell.exchange.records import Refused
from sharewell.exchange.states import GRANT, PLATFORM, RESOURCE, machine_of
from sharewell.exchange.store import Memory, Store

P = ParamSpec("P")
T = TypeVar("T")


def whole(method: Callable[P, T]) -> Callable[P, T]:
    """With all that follows by itself, it happens wholly or not at all, and alone; its arguments are of the kinds that it names."""
    parameters = list(inspect.signature(method).parameters.values())[1:]

    @wraps(method)
    def attempted(*arguments: P.args, **named: P.kwargs) -> T:
        exchange: Any = arguments[0]
        if PLATFORM in (*arguments[1:2], named.get("actor")):
            raise SharewellError(f"{PLATFORM!r} is nobody who could attempt something")
        given = {p.name: value for p, value in zip(parameters, arguments[1:], strict=False)}
        for parameter in parameters:
            name, kind = parameter.name, str(parameter.annotation)
            value = {**given, **named}.get(name, parameter.default)
            if kind in _KINDS and value is not parameter.default and not _KINDS[kind][0](value):
                raise SharewellError(f"{name} is {_KINDS[kind][1]}, not {value!r}")
        with exchange.store.transaction():
            return method(*arguments, **named)

    return attempted


class Attempts:
    """Where everything that is attempted is asked of the policies and written down: what ``Exchange`` stands on.

    Parameters
    ----------
    people : mapping of str to collection of str
        The roles of each: owner, steward, committee, consumer, auditor. Several are allowed.
    today : date
        The first day. Time passes by ``clock`` only.
    store : Store
        Where it is kept: in memory, unless it is to be a ``File``. In a file that has an exchange already, that one goes on, and
        ``people`` and ``today`` are not looked at.

    Attributes
    ----------
    log : Log
        A record of each attempt, and of what followed by itself. ``number``; ``on``, the day; ``event``; ``actor``; ``subject``,
        the resource or grant; ``outcome``, allowed or refused; ``reason`` of a refusal; ``before`` and ``after``, the
        subject's states; ``details`` of the event; ``previous`` and ``hash``.

    Raises
    ------
    SharewellError
        Somebody is named as the platform is, or as people of other exchanges are.
    """

    policies = Policies(LOOP.read_text(encoding="utf-8"), SCHEMA.read_text(encoding="utf-8"))

    def __init__(
        self, people: Mapping[str, Collection[str]], today: date, store: Store | None = None
    ) -> None:
        if PLATFORM in people:
            raise SharewellError(
                f"nobody can be named {PLATFORM!r}: what happens by itself has this name"
            )
        if elsewhere := [name for name in people if "@" in name]:
            raise SharewellError(
                f"nobody here can be named {elsewhere[0]!r}: people of other exchanges are named so"
            )
        self.store = store or Memory()
        self.resources = self.store.resources
        self.grants = self.store.grants
        self.log = self.store.log
        with self.store.transaction():
            if "people" not in self.store.settings:
                named = {name: sorted(roles) for name, roles in people.items()}
                self.store.settings["people"] = json.dumps(named, ensure_ascii=False)
                self.today = today
                self._record("open", PLATFORM, {"people": named})

    @property
    def people(self) -> dict[str, list[str]]:
        """The roles of each."""
        return _people(self.store.settings["people"])

    @property
    def today(self) -> date:
        """The day that it is."""
        return date.fromisoformat(self.store.settings["today"])

    @today.setter
    def today(self, today: date) -> None:
        self.store.settings["today"] = today.isoformat()

    @whole
    def refuse(self, actor: str, event: str, reason: str, **details: str) -> None:
        """Write down that something was attempted around the loop, such as a sign-in, and refused."""
        self._record(event, actor, details, reason=reason)

    @whole
    def send(self, actor: str, subject: str, event: str) -> None:
        """A consumer attempts something at another exchange, by letter (see ``levels``)."""
        context = {"today": self.today}
        elsewhere = Entity("Elsewhere", subject)
        reason = self.policies.refusal(self._person(actor), "send", elsewhere, context)
        self._record("send", actor, {"attempt": event}, subject, reason=reason)
        if reason:
            raise Refused(reason)

    @whole
    def note(self, actor: str, event: str, subject: str = "", **details: str) -> None:
        """Write down that something was done beside the loop, such as passing a letter on."""
        self._record(event, actor, details, subject)

    @contextmanager
    def _attempt(self, event: str, actor: str, subject: str, **details: Any) -> Iterator[None]:
        """Write down what was attempted and what came of it: the states of the subject before and after."""
        before = self._state(subject, event)
        try:
            yield
        except Refused as refusal:
            self._record(event, actor, details, subject, before, before, str(refusal))
            raise
        self._record(event, actor, details, subject, before, self._state(subject, event))

    def _record(
        self,
        event: str,
        actor: str,
        details: Mapping[str, Any],
        subject: str = "",
        before: str = "",
        after: str = "",
        reason: str = "",
    ) -> None:
        self.log.append(
            {
                "on": self.today.isoformat(),
                "event": event,
                "actor": actor,
                "subject": subject,
                "outcome": "refused" if reason else "allowed",
                "reason": reason,
                "before": before,
                "after": after,
                "details": dict(details),
            }
        )

    def _state(self, subject: str, event: str) -> str:
        """The state of a resource or grant; "draft" or "" where there is none yet."""
        if machine_of(event) is RESOURCE:
            return self.resources[subject].state if subject in self.resources else "draft"
        return self.grants[subject].state if subject in self.grants else ""

    def _next(self, machine: dict[tuple[str, str], str], subject: str, event: str) -> str:
        """The state that the event leads to."""
        state = self._state(subject, event)
        after = machine.get((state, event))
        if after is None:
            raise Refused(f"{subject} is {state or 'unknown'}: it cannot {event}")
        return after

    @staticmethod
    def _require(condition: bool, otherwise: str) -> None:
        if not condition:
            raise Refused(otherwise)

    def _permit(self, actor: str, event: str, subject: Entity, **context: Any) -> None:
        """Ask the policies."""
        context["today"] = self.today
        if refusal := self.policies.refusal(self._person(actor), event, subject, context):
            raise Refused(refusal)

    def _person(self, name: str) -> Entity:
        if name == PLATFORM:
            return Entity("Platform", name, {"name": name, "roles": []})
        guest = ["consumer"] if "@" in name else []  # of another exchange, whose letters they are
        return Entity("Person", name, {"name": name, "roles": self.people.get(name, guest)})

    def _resource(self, name: str) -> Entity:
        return Entity("Resource", name, vars(self.resources[name]))

    def _grant(self, name: str) -> Entity:
        known = dict(vars(self.grants[name]))
        return Entity("Grant", name, {"of": self._resource(known.pop("resource")), **known})

    def _suspend(self, resource: str) -> None:
        for name, grant in list(self.grants.items()):
            if grant.resource == resource and grant.state in ("approved", "released"):
                self._by_itself("suspend", name)

    def _by_itself(self, event: str, grant: str) -> None:
        with self._attempt(event, PLATFORM, grant):
            self._move(grant, self._next(GRANT, grant, event))

    def _move(self, grant: str, state: str) -> None:
        self.grants[grant] = replace(self.grants[grant], state=state)


@lru_cache(16)
def _people(text: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = json.loads(text)
    return found


def _text(value: Any) -> bool:
    return isinstance(value, str) and not _HALF.search(value)


def _named(value: Any) -> bool:
    listed = isinstance(value, Collection) and not isinstance(value, str | bytes | Mapping)
    return listed and all(map(_text, value))


def _positive(value: Any) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and math.isfinite(value) and value >= 0


_HALF = re.compile("[\ud800-\udfff]")
"""Half of a character, which no file can hold."""
_KINDS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "str": (_text, "a text"),
    "int": (lambda value: isinstance(value, int) and value >= 0, "a whole number from 0"),
    "float": (_positive, "a number from 0"),
    "float | None": (_positive, "a number from 0"),
    "date": (lambda value: type(value) is date, "a day, such as date(2026, 12, 31)"),
    "date | None": (lambda value: type(value) is date, "a day, such as date(2026, 12, 31)"),
    "Collection[str]": (_named, "several names, such as ['ward']"),
    "Collection[str] | None": (_named, "several names, such as ['ward']"),
}
"""What an argument has to be, by what a method names it, and how that is called."""
