"""The closed loop: who may do what with a resource and with a grant, when, and a record of every attempt."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np

from sharewell.errors import SharewellError
from sharewell.exchange.records import Log
from sharewell.exchange.states import GRANT, LABELS, PLATFORM, RESOURCE, WORKING_DAYS


class Refused(SharewellError):
    """What was attempted is not allowed; the message says why. Nothing has changed but the log."""


@dataclass(frozen=True)
class Resource:
    """Something that can be shared.

    ``version`` counts the classifications: a grant holds for the version under which it was approved.
    """

    owner: str
    fields: frozenset[str]
    state: str = "catalogued"
    label: str = ""
    citation: str = ""
    classified_by: str = ""
    version: int = 0


@dataclass(frozen=True)
class Grant:
    """A consumer's access to fields of a resource, for one purpose, up to and including a day.

    ``requested`` and ``longest`` are the fields and the last day that were asked for; ``fields`` and ``until`` are what is granted,
    ``version`` the classification for which it is.
    """

    resource: str
    consumer: str
    purpose: str
    requested: frozenset[str]
    longest: date
    asked_on: date
    fields: frozenset[str]
    until: date
    state: str = "requested"
    version: int = 0
    appealed: bool = False


class Exchange:
    """Resources and grants, and everything that may happen to them.

    Parameters
    ----------
    people : mapping of str to collection of str
        The roles of each: owner, steward, committee, consumer, auditor. Several are allowed.
    today : date
        The first day. Time passes by ``clock`` only.

    Attributes
    ----------
    log : Log
        A record of each attempt, and of what followed by itself. ``number``; ``on``, the day; ``event``; ``actor``; ``subject``,
        the resource or grant; ``outcome``, allowed or refused; ``reason`` of a refusal; ``before`` and ``after``, the
        subject's states; ``details`` of the event; ``previous`` and ``hash``.

    Notes
    -----
    Every method may raise ``Refused``. It then has changed nothing but the log.
    """

    def __init__(self, people: Mapping[str, Collection[str]], today: date) -> None:
        self.people = {name: frozenset(roles) for name, roles in people.items()}
        self.today = today
        self.resources: dict[str, Resource] = {}
        self.grants: dict[str, Grant] = {}
        self.log = Log()
        self._record("open", PLATFORM, {"people": {n: sorted(r) for n, r in self.people.items()}})

    # what happens to a resource

    def catalogue(self, actor: str, resource: str, fields: Collection[str], owner: str) -> None:
        """A steward enters a resource in the catalogue."""
        with self._attempt("catalogue", actor, resource, fields=sorted(fields), owner=owner):
            after = self._next(RESOURCE, resource, "catalogue")
            self._require("steward" in self._roles(actor), "only a steward may catalogue")
            self._require("owner" in self._roles(owner), f"{owner} is no owner of data")
            self._require(bool(fields), "a resource has fields")
            self.resources[resource] = Resource(owner, frozenset(fields), after)

    def classify(self, actor: str, resource: str, label: str, citation: str = "") -> None:
        """A steward proposes a label. What was granted under an earlier one is suspended."""
        with self._attempt("classify", actor, resource, label=label, citation=citation):
            after = self._next(RESOURCE, resource, "classify")
            self._require("steward" in self._roles(actor), "only a steward may classify")
            self._require(label in LABELS, f"a label is one of: {', '.join(LABELS)}")
            cited = label != "non-sharing" or bool(citation.strip())
            self._require(
                cited, "non-sharing needs the law, regulation or decision that forbids it"
            )
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

    def confirm(self, actor: str, resource: str) -> None:
        """The committee confirms the label: from now on the resource can be requested."""
        with self._attempt("confirm", actor, resource):
            after = self._next(RESOURCE, resource, "confirm")
            found = self.resources[resource]
            self._require("committee" in self._roles(actor), "only the committee may confirm")
            self._require(actor != found.classified_by, "nobody confirms their own classification")
            self.resources[resource] = replace(found, state=after)

    def withdraw(self, actor: str, resource: str) -> None:
        """The owner or the committee takes a resource out of the catalogue. What was granted is suspended."""
        with self._attempt("withdraw", actor, resource):
            after = self._next(RESOURCE, resource, "withdraw")
            found = self.resources[resource]
            may = actor == found.owner or "committee" in self._roles(actor)
            self._require(may, "only the owner or the committee may withdraw")
            self.resources[resource] = replace(found, state=after)
        self._suspend(resource)

    # what happens to a grant

    def request(
        self, actor: str, resource: str, purpose: str, fields: Collection[str], until: date
    ) -> str:
        """A consumer asks for fields of a resource. Public data are approved at once. Returns the grant's name."""
        grant = f"G{len(self.grants) + 1}"
        details = {"purpose": purpose, "fields": sorted(fields), "until": until.isoformat()}
        with self._attempt("request", actor, grant, resource=resource, **details):
            after = self._next(GRANT, grant, "request")
            self._require("consumer" in self._roles(actor), "only a consumer may request")
            found = self._shareable(resource)
            self._require(bool(purpose.strip()), "a request has a purpose")
            self._require(bool(fields), "a request names fields")
            self._require(found.fields >= set(fields), "fields that the catalogue does not have")
            self._require(until >= self.today, "the last day has passed")
            wanted = frozenset(fields)
            self.grants[grant] = Grant(
                resource, actor, purpose, wanted, until, self.today, wanted, until, after
            )
        if found.label == "public":
            self._decide(PLATFORM, grant, wanted, until)
        return grant

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
            found = self.grants[grant]
            resource = self._shareable(found.resource)
            if actor != PLATFORM:
                self._may_decide(actor, found)
            self._require(bool(fields), "an approval names fields")
            self._require(found.requested >= set(fields), "more fields than were asked for")
            self._require(until <= found.longest, "longer than was asked for")
            self._require(until >= self.today, "the last day has passed")
            whole = found.requested == set(fields) and until == found.longest
            self._require(whole or resource.label != "public", "public data have no conditions")
            self.grants[grant] = replace(
                found, state=after, fields=frozenset(fields), until=until, version=resource.version
            )

    def reject(self, actor: str, grant: str, reason: str) -> None:
        """The owner, or after escalation the committee, says no, and why."""
        with self._attempt("reject", actor, grant, reason=reason):
            after = self._next(GRANT, grant, "reject")
            self._may_decide(actor, self.grants[grant])
            self._require(bool(reason.strip()), "a rejection has a reason")
            self._move(grant, after)

    def appeal(self, actor: str, grant: str) -> None:
        """The consumer takes a rejection to the committee, once."""
        with self._attempt("appeal", actor, grant):
            after = self._next(GRANT, grant, "appeal")
            found = self.grants[grant]
            self._require(actor == found.consumer, "only who asked may appeal")
            self._require(not found.appealed, "a second appeal is not possible")
            self.grants[grant] = replace(found, state=after, appealed=True)

    def release(self, actor: str, grant: str) -> None:
        """A steward hands out what was approved."""
        fields = self.grants[grant].fields if grant in self.grants else ()
        with self._attempt("release", actor, grant, fields=sorted(fields)):
            after = self._next(GRANT, grant, "release")
            found = self.grants[grant]
            resource = self._shareable(found.resource)
            self._require("steward" in self._roles(actor), "only a steward may release")
            self._require(found.version == resource.version, "it was approved under another label")
            self._require(self.today <= found.until, "the last day has passed")
            self._move(grant, after)

    def use(self, actor: str, grant: str, purpose: str, fields: Collection[str]) -> None:
        """The consumer uses fields of what was released, for the purpose for which it was."""
        with self._attempt("use", actor, grant, purpose=purpose, fields=sorted(fields)):
            after = self._next(GRANT, grant, "use")
            found = self.grants[grant]
            self._require(actor == found.consumer, "it was released to somebody else")
            self._require(purpose == found.purpose, "it was released for another purpose")
            self._require(bool(fields), "a use names fields")
            self._require(found.fields >= set(fields), "fields that were not released")
            self._require(self.today <= found.until, "the last day has passed")
            self._move(grant, after)

    def revoke(self, actor: str, grant: str) -> None:
        """The owner or the committee takes a grant back."""
        with self._attempt("revoke", actor, grant):
            after = self._next(GRANT, grant, "revoke")
            owner = self.resources[self.grants[grant].resource].owner
            may = actor == owner or "committee" in self._roles(actor)
            self._require(may, "only the owner or the committee may revoke")
            self._move(grant, after)

    def dispose(self, actor: str, grant: str, certificate: str) -> None:
        """The consumer certifies that no copy is left."""
        with self._attempt("dispose", actor, grant, certificate=certificate):
            after = self._next(GRANT, grant, "dispose")
            self._require(actor == self.grants[grant].consumer, "only who has it can dispose of it")
            self._require(bool(certificate.strip()), "disposal needs a certificate")
            self._move(grant, after)

    def audit(self, actor: str, grant: str, finding: str) -> None:
        """An auditor, who is neither consumer nor owner, looks at what was done."""
        with self._attempt("audit", actor, grant, finding=finding):
            after = self._next(GRANT, grant, "audit")
            found = self.grants[grant]
            self._require("auditor" in self._roles(actor), "only an auditor may audit")
            involved = (found.consumer, self.resources[found.resource].owner)
            self._require(actor not in involved, "nobody audits what they have a part in")
            self._move(grant, after)

    def feedback(self, actor: str, grant: str, text: str) -> None:
        """The consumer says what was learnt. It closes the grant."""
        with self._attempt("feedback", actor, grant, text=text):
            after = self._next(GRANT, grant, "feedback")
            self._require(actor == self.grants[grant].consumer, "feedback is the consumer's")
            self._move(grant, after)

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
        if any(event == known for _, known in RESOURCE):
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

    def _roles(self, actor: str) -> frozenset[str]:
        return self.people.get(actor, frozenset())

    def _shareable(self, resource: str) -> Resource:
        """The resource, if its label is confirmed and lets it be shared."""
        found = self.resources.get(resource)
        if found is None or found.state != "listed":
            raise Refused(f"{resource} has no confirmed label")
        self._require(found.label != "non-sharing", f"{resource} is not shared: {found.citation}")
        return found

    def _may_decide(self, actor: str, grant: Grant) -> None:
        if grant.state == "escalated":
            self._require("committee" in self._roles(actor), "only the committee may decide on it")
        else:
            owner = self.resources[grant.resource].owner
            self._require(actor == owner, f"only the owner of {grant.resource} may decide on it")
        self._require(actor != grant.consumer, "nobody decides on their own request")

    def _suspend(self, resource: str) -> None:
        for name, grant in list(self.grants.items()):
            if grant.resource == resource and grant.state in ("approved", "released"):
                self._by_itself("suspend", name)

    def _by_itself(self, event: str, grant: str) -> None:
        with self._attempt(event, PLATFORM, grant):
            self._move(grant, self._next(GRANT, grant, event))

    def _move(self, grant: str, state: str) -> None:
        self.grants[grant] = replace(self.grants[grant], state=state)
