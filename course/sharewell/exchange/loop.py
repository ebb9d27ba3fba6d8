"""The closed loop: who may do what with a resource and with a grant, when, and a record of every attempt."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from functools import lru_cache, wraps
from typing import Any, ParamSpec, TypeVar

import numpy as np

from sharewell.errors import SharewellError
from sharewell.exchange.policies import LOOP, SCHEMA, Entity, Policies
from sharewell.exchange.records import Refused
from sharewell.exchange.states import GRANT, LABELS, PLATFORM, RESOURCE, WORKING_DAYS, machine_of
from sharewell.exchange.store import Grant, Memory, Resource, Store

P = ParamSpec("P")
T = TypeVar("T")


@lru_cache(16)
def _people(text: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = json.loads(text)
    return found


def _whole(method: Callable[P, T]) -> Callable[P, T]:
    """With all that follows by itself, it happens wholly or not at all, and alone."""

    @wraps(method)
    def attempted(*arguments: P.args, **named: P.kwargs) -> T:
        exchange: Any = arguments[0]
        if PLATFORM in (*arguments[1:2], named.get("actor")):
            raise SharewellError(f"{PLATFORM!r} is nobody who could attempt something")
        with exchange.store.transaction():
            return method(*arguments, **named)

    return attempted


class Exchange:
    """Resources and grants, and everything that may happen to them.

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
        Somebody is named as the platform is.

    Notes
    -----
    Every method may raise ``Refused``. It then has changed nothing but the log. Who may do what is written in ``loop.cedar``; what an attempt
    has to be complete, and in which order things go, is here and in ``states``.
    """

    policies = Policies(LOOP.read_text(encoding="utf-8"), SCHEMA.read_text(encoding="utf-8"))

    def __init__(
        self, people: Mapping[str, Collection[str]], today: date, store: Store | None = None
    ) -> None:
        if PLATFORM in people:
            raise SharewellError(
                f"nobody can be named {PLATFORM!r}: what happens by itself has this name"
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

    # what happens to a resource

    @_whole
    def catalogue(self, actor: str, resource: str, fields: Collection[str], owner: str) -> None:
        """A steward enters a resource in the catalogue."""
        with self._attempt("catalogue", actor, resource, fields=sorted(fields), owner=owner):
            after = self._next(RESOURCE, resource, "catalogue")
            self._require(bool(fields), "a resource has fields")
            self._permit(actor, "catalogue", Entity("Draft", resource), owner=self._person(owner))
            self.resources[resource] = Resource(owner, frozenset(fields), after)

    @_whole
    def classify(self, actor: str, resource: str, label: str, citation: str = "") -> None:
        """A steward proposes a label. What was granted under an earlier one is suspended."""
        with self._attempt("classify", actor, resource, label=label, citation=citation):
            after = self._next(RESOURCE, resource, "classify")
            self._require(label in LABELS, f"a label is one of: {', '.join(LABELS)}")
            cited = label != "non-sharing" or bool(citation.strip())
            self._require(
                cited, "non-sharing needs the law, regulation or decision that forbids it"
            )
            self._permit(actor, "classify", self._resource(resource))
            found = self.resources[resource]
            self.resources[resource] = replace(
                found,
                state=after,
                label=label,
                citation=citation,
                classified_by=actor,
                version=found.version + 1,
            )
        self._suspend(resource)

    @_whole
    def confirm(self, actor: str, resource: str) -> None:
        """The committee confirms the label: from now on the resource can be requested."""
        with self._attempt("confirm", actor, resource):
            after = self._next(RESOURCE, resource, "confirm")
            self._permit(actor, "confirm", self._resource(resource))
            self.resources[resource] = replace(self.resources[resource], state=after)

    @_whole
    def withdraw(self, actor: str, resource: str) -> None:
        """The owner or the committee takes a resource out of the catalogue. What was granted is suspended."""
        with self._attempt("withdraw", actor, resource):
            after = self._next(RESOURCE, resource, "withdraw")
            self._permit(actor, "withdraw", self._resource(resource))
            self.resources[resource] = replace(self.resources[resource], state=after)
        self._suspend(resource)

    # what happens to a grant

    @_whole
    def request(
        self, actor: str, resource: str, purpose: str, fields: Collection[str], until: date
    ) -> str:
        """A consumer asks for fields of a resource. Public data are approved at once. Returns the grant's name."""
        grant = f"G{len(self.grants) + 1}"
        details = {"purpose": purpose, "fields": sorted(fields), "until": until.isoformat()}
        with self._attempt("request", actor, grant, resource=resource, **details):
            after = self._next(GRANT, grant, "request")
            self._require(resource in self.resources, "the catalogue does not have it")
            self._require(bool(purpose.strip()), "a request has a purpose")
            self._require(bool(fields), "a request names fields")
            asked = self._resource(resource)
            self._permit(actor, "request", asked, fields=fields, until=until)
            wanted = frozenset(fields)
            self.grants[grant] = Grant(
                resource, actor, purpose, wanted, until, self.today, wanted, until, after
            )
        if self.resources[resource].label == "public":
            self._decide(PLATFORM, grant, wanted, until)
        return grant

    @_whole
    def approve(
        self,
        actor: str,
        grant: str,
        fields: Collection[str] | None = None,
        until: date | None = None,
    ) -> None:
        """The owner, or after escalation the committee, grants what was asked for or less of it."""
        asked = self.grants.get(grant)
        fields = asked.requested if fields is None and asked else fields or ()
        until = asked.longest if until is None and asked else until or self.today
        self._decide(actor, grant, fields, until)

    def _decide(self, actor: str, grant: str, fields: Collection[str], until: date) -> None:
        details = {"fields": sorted(fields), "until": until.isoformat()}
        with self._attempt("approve", actor, grant, **details):
            after = self._next(GRANT, grant, "approve")
            self._require(bool(fields), "an approval names fields")
            self._permit(actor, "approve", self._grant(grant), fields=fields, until=until)
            found = self.grants[grant]
            version = self.resources[found.resource].version
            self.grants[grant] = replace(
                found, state=after, fields=frozenset(fields), until=until, version=version
            )

    @_whole
    def reject(self, actor: str, grant: str, reason: str) -> None:
        """The owner, or after escalation the committee, says no, and why."""
        with self._attempt("reject", actor, grant, reason=reason):
            after = self._next(GRANT, grant, "reject")
            self._require(bool(reason.strip()), "a rejection has a reason")
            self._permit(actor, "reject", self._grant(grant))
            self._move(grant, after)

    @_whole
    def appeal(self, actor: str, grant: str) -> None:
        """The consumer takes a rejection to the committee, once."""
        with self._attempt("appeal", actor, grant):
            after = self._next(GRANT, grant, "appeal")
            self._permit(actor, "appeal", self._grant(grant))
            self.grants[grant] = replace(self.grants[grant], state=after, appealed=True)

    @_whole
    def release(self, actor: str, grant: str) -> None:
        """A steward hands out what was approved."""
        fields = self.grants[grant].fields if grant in self.grants else ()
        with self._attempt("release", actor, grant, fields=sorted(fields)):
            after = self._next(GRANT, grant, "release")
            self._permit(actor, "release", self._grant(grant))
            self._move(grant, after)

    @_whole
    def use(self, actor: str, grant: str, purpose: str, fields: Collection[str]) -> None:
        """The consumer uses fields of what was released, for the purpose for which it was."""
        with self._attempt("use", actor, grant, purpose=purpose, fields=sorted(fields)):
            after = self._next(GRANT, grant, "use")
            self._require(bool(fields), "a use names fields")
            self._permit(actor, "use", self._grant(grant), purpose=purpose, fields=fields)
            self._move(grant, after)

    @_whole
    def revoke(self, actor: str, grant: str) -> None:
        """The owner or the committee takes a grant back."""
        with self._attempt("revoke", actor, grant):
            after = self._next(GRANT, grant, "revoke")
            self._permit(actor, "revoke", self._grant(grant))
            self._move(grant, after)

    @_whole
    def dispose(self, actor: str, grant: str, certificate: str) -> None:
        """The consumer certifies that no copy is left."""
        with self._attempt("dispose", actor, grant, certificate=certificate):
            after = self._next(GRANT, grant, "dispose")
            self._require(bool(certificate.strip()), "disposal needs a certificate")
            self._permit(actor, "dispose", self._grant(grant))
            self._move(grant, after)

    @_whole
    def audit(self, actor: str, grant: str, finding: str) -> None:
        """An auditor, who is neither consumer nor owner, looks at what was done."""
        with self._attempt("audit", actor, grant, finding=finding):
            after = self._next(GRANT, grant, "audit")
            self._permit(actor, "audit", self._grant(grant))
            self._move(grant, after)

    @_whole
    def feedback(self, actor: str, grant: str, text: str) -> None:
        """The consumer says what was learnt. It closes the grant."""
        with self._attempt("feedback", actor, grant, text=text):
            after = self._next(GRANT, grant, "feedback")
            self._permit(actor, "feedback", self._grant(grant))
            self._move(grant, after)

    @_whole
    def clock(self, today: date) -> None:
        """A day comes: requests without an answer are escalated, and grants whose last day has passed expire."""
        with self._attempt("clock", PLATFORM, "", today=today.isoformat()):
            self._require(today >= self.today, "time does not go back")
            self.today = today
        for name, grant in list(self.grants.items()):
            waited = np.busday_count(grant.asked_on, today)  # without the day of the request
            if grant.state == "requested" and waited > WORKING_DAYS:
                self._by_itself("escalate", name)
            elif grant.state in ("released", "suspended") and today > grant.until:
                self._by_itself("expire", name)

    # what else there is to ask, and to write down

    def may(self, actor: str, event: str, subject: str) -> bool:
        """Whether somebody could do something now, all that is asked for granted. Nothing is attempted by asking."""
        context: dict[str, Any] = {"today": self.today}
        if event == "request":  # of a resource; the grant is not there yet
            entity = self._resource(subject)
            context |= {"fields": self.resources[subject].fields, "until": self.today}
        elif (self._state(subject, event), event) not in machine_of(event):
            return False
        elif machine_of(event) is RESOURCE:
            entity = self._resource(subject)
        else:
            grant = self.grants[subject]
            entity = self._grant(subject)
            context |= {"fields": grant.requested, "until": grant.longest, "purpose": grant.purpose}
            if event == "use":
                context["fields"] = grant.fields
        return not self.policies.refusal(self._person(actor), event, entity, context)

    @_whole
    def refuse(self, actor: str, event: str, reason: str, **details: str) -> None:
        """Write down that something was attempted around the loop, such as a sign-in, and refused."""
        self._record(event, actor, details, reason=reason)

    # how it is done

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
        return Entity("Person", name, {"name": name, "roles": self.people.get(name, [])})

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
