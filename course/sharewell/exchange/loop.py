"""The closed loop: who may do what with a resource and with a grant, when, and a record of every attempt."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np

from sharewell.exchange.attempts import Attempts, whole
from sharewell.exchange.policies import Entity
from sharewell.exchange.states import GRANT, LABELS, PLATFORM, RESOURCE, WORKING_DAYS, machine_of
from sharewell.exchange.store import Grant, Resource


class Exchange(Attempts):
    """Resources and grants, and everything that may happen to them; how it is made and what its log holds says ``Attempts``.

    Every method may raise ``Refused``. It then has changed nothing but the log. Who may do what is written in ``loop.cedar``; what an
    attempt has to be complete, and in which order things go, is here and in ``states``.
    """

    # what happens to a resource

    @whole
    def catalogue(self, actor: str, resource: str, fields: Collection[str], owner: str) -> None:
        """A steward enters a resource in the catalogue."""
        with self._attempt("catalogue", actor, resource, fields=sorted(fields), owner=owner):
            after = self._next(RESOURCE, resource, "catalogue")
            self._require(bool(fields), "a resource has fields")
            self._permit(actor, "catalogue", Entity("Draft", resource), owner=self._person(owner))
            self.resources[resource] = Resource(owner, frozenset(fields), after)

    @whole
    def deposit(
        self, actor: str, resource: str, held: str, rows: int, rows_per_person: int = 1
    ) -> None:
        """A steward hands the data over to the exchange, where they are ``held`` under a name that it gives (see ``holdings``)."""
        given: dict[str, Any] = {"held": held, "rows": rows, "rows_per_person": rows_per_person}
        with self._attempt("deposit", actor, resource, **given):
            after = self._next(RESOURCE, resource, "deposit")
            self._require(bool(held and rows_per_person), "data have a name and rows of people")
            self._permit(actor, "deposit", self._resource(resource))
            self.resources[resource] = replace(self.resources[resource], state=after, **given)

    @whole
    def classify(
        self,
        actor: str,
        resource: str,
        label: str,
        citation: str = "",
        epsilon: float = 0.0,
        minimum: int = 10,
    ) -> None:
        """A steward proposes a label, and what queries may be answered: how much they may tell in all (epsilon), about how many people at least.

        What was granted under an earlier label is suspended. What queries have told already stays told: it counts for the new epsilon too.
        """
        given = {"label": label, "citation": citation, "epsilon": epsilon, "minimum": minimum}
        with self._attempt("classify", actor, resource, **given):
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
                classified_by=actor,
                version=found.version + 1,
                label=label,
                citation=citation,
                epsilon=float(epsilon),
                minimum=minimum,
            )
        self._suspend(resource)

    @whole
    def confirm(self, actor: str, resource: str) -> None:
        """The committee confirms the label: from now on the resource can be requested."""
        with self._attempt("confirm", actor, resource):
            after = self._next(RESOURCE, resource, "confirm")
            self._permit(actor, "confirm", self._resource(resource))
            self.resources[resource] = replace(self.resources[resource], state=after)

    @whole
    def withdraw(self, actor: str, resource: str) -> None:
        """The owner or the committee takes a resource out of the catalogue. What was granted is suspended."""
        with self._attempt("withdraw", actor, resource):
            after = self._next(RESOURCE, resource, "withdraw")
            self._permit(actor, "withdraw", self._resource(resource))
            self.resources[resource] = replace(self.resources[resource], state=after)
        self._suspend(resource)

    # what happens to a grant

    @whole
    def request(
        self,
        actor: str,
        resource: str,
        purpose: str,
        fields: Collection[str],
        until: date,
        epsilon: float = 0.0,
    ) -> str:
        """A consumer asks for fields of a resource, or, with an epsilon, for answers about them that tell so much in all.

        Public data are approved at once. Returns the grant's name.
        """
        grant = f"G{len(self.grants) + 1}"
        details: dict[str, Any] = {"purpose": purpose, "fields": sorted(fields)}
        details |= {"until": until.isoformat(), "epsilon": epsilon}
        with self._attempt("request", actor, grant, resource=resource, **details):
            after = self._next(GRANT, grant, "request")
            self._require(resource in self.resources, "the catalogue does not have it")
            self._require(bool(purpose.strip()), "a request has a purpose")
            self._require(bool(fields), "a request names fields")
            asked = self._resource(resource)
            self._permit(
                actor, "request", asked, fields=fields, until=until, epsilon=float(epsilon)
            )
            wanted = frozenset(fields)
            self.grants[grant] = Grant(
                resource,
                actor,
                purpose,
                requested=wanted,
                longest=until,
                most=float(epsilon),
                asked_on=self.today,
                fields=wanted,
                until=until,
                epsilon=float(epsilon),
                state=after,
            )
        if self.resources[resource].label == "public":
            self._decide(PLATFORM, grant, wanted, until, epsilon)
        return grant

    @whole
    def approve(
        self,
        actor: str,
        grant: str,
        fields: Collection[str] | None = None,
        until: date | None = None,
        epsilon: float | None = None,
    ) -> None:
        """The owner, or after escalation the committee, grants what was asked for or less of it."""
        asked = self.grants.get(grant)
        fields = asked.requested if fields is None and asked else fields or ()
        until = asked.longest if until is None and asked else until or self.today
        epsilon = asked.most if epsilon is None and asked else epsilon or 0.0
        self._decide(actor, grant, fields, until, epsilon)

    def _decide(
        self, actor: str, grant: str, fields: Collection[str], until: date, epsilon: float
    ) -> None:
        details = {"fields": sorted(fields), "until": until.isoformat(), "epsilon": epsilon}
        with self._attempt("approve", actor, grant, **details):
            after = self._next(GRANT, grant, "approve")
            self._require(bool(fields), "an approval names fields")
            given = {"fields": fields, "until": until, "epsilon": float(epsilon)}
            self._permit(actor, "approve", self._grant(grant), **given)
            found = self.grants[grant]
            self.grants[grant] = replace(
                found,
                state=after,
                fields=frozenset(fields),
                until=until,
                epsilon=float(epsilon),
                version=self.resources[found.resource].version,
            )

    @whole
    def reject(self, actor: str, grant: str, reason: str) -> None:
        """The owner, or after escalation the committee, says no, and why."""
        with self._attempt("reject", actor, grant, reason=reason):
            after = self._next(GRANT, grant, "reject")
            self._require(bool(reason.strip()), "a rejection has a reason")
            self._permit(actor, "reject", self._grant(grant))
            self._move(grant, after)

    @whole
    def appeal(self, actor: str, grant: str) -> None:
        """The consumer takes a rejection to the committee, once."""
        with self._attempt("appeal", actor, grant):
            after = self._next(GRANT, grant, "appeal")
            self._permit(actor, "appeal", self._grant(grant))
            self.grants[grant] = replace(self.grants[grant], state=after, appealed=True)

    @whole
    def release(self, actor: str, grant: str) -> None:
        """A steward hands out what was approved."""
        fields = self.grants[grant].fields if grant in self.grants else ()
        with self._attempt("release", actor, grant, fields=sorted(fields)):
            after = self._next(GRANT, grant, "release")
            self._permit(actor, "release", self._grant(grant))
            self._move(grant, after)

    @whole
    def use(self, actor: str, grant: str, purpose: str, fields: Collection[str]) -> None:
        """The consumer uses fields of what was released, for the purpose for which it was."""
        with self._attempt("use", actor, grant, purpose=purpose, fields=sorted(fields)):
            after = self._next(GRANT, grant, "use")
            self._require(bool(fields), "a use names fields")
            self._permit(actor, "use", self._grant(grant), purpose=purpose, fields=fields)
            self._move(grant, after)

    @whole
    def query(
        self, actor: str, grant: str, purpose: str, fields: Collection[str], epsilon: float
    ) -> None:
        """The consumer asks a question about fields, whose answer tells so much (epsilon): it is charged here, and computed by ``queries``."""
        given = {"purpose": purpose, "fields": sorted(fields), "epsilon": epsilon}
        with self._attempt("query", actor, grant, **given):
            after = self._next(GRANT, grant, "query")
            self._require(bool(fields), "a query names fields")
            self._require(epsilon >= 1e-6, "an answer has an epsilon, of a millionth or more")
            asked = {"purpose": purpose, "fields": fields, "epsilon": float(epsilon)}
            self._permit(actor, "query", self._grant(grant), **asked)
            found = self.grants[grant]
            of = self.resources[found.resource]
            self.grants[grant] = replace(found, state=after, spent=found.spent + epsilon)
            self.resources[found.resource] = replace(of, spent=of.spent + epsilon)

    @whole
    def revoke(self, actor: str, grant: str) -> None:
        """The owner or the committee takes a grant back."""
        with self._attempt("revoke", actor, grant):
            after = self._next(GRANT, grant, "revoke")
            self._permit(actor, "revoke", self._grant(grant))
            self._move(grant, after)

    @whole
    def dispose(self, actor: str, grant: str, certificate: str) -> None:
        """The consumer certifies that no copy is left."""
        with self._attempt("dispose", actor, grant, certificate=certificate):
            after = self._next(GRANT, grant, "dispose")
            self._require(bool(certificate.strip()), "disposal needs a certificate")
            self._permit(actor, "dispose", self._grant(grant))
            self._move(grant, after)

    @whole
    def audit(self, actor: str, grant: str, finding: str) -> None:
        """An auditor, who is neither consumer nor owner, looks at what was done."""
        with self._attempt("audit", actor, grant, finding=finding):
            after = self._next(GRANT, grant, "audit")
            self._permit(actor, "audit", self._grant(grant))
            self._move(grant, after)

    @whole
    def feedback(self, actor: str, grant: str, text: str) -> None:
        """The consumer says what was learnt. It closes the grant."""
        with self._attempt("feedback", actor, grant, text=text):
            after = self._next(GRANT, grant, "feedback")
            self._permit(actor, "feedback", self._grant(grant))
            self._move(grant, after)

    @whole
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

    # what else there is to ask

    def may(self, actor: str, event: str, subject: str) -> bool:
        """Whether somebody could do something now, all that is asked for granted. Nothing is attempted by asking."""
        context: dict[str, Any] = {"today": self.today}
        if event == "request":  # of a resource; the grant is not there yet
            entity = self._resource(subject)
            context |= {"fields": entity.attributes["fields"], "until": self.today, "epsilon": 0.0}
        elif (self._state(subject, event), event) not in machine_of(event):
            return False
        elif machine_of(event) is RESOURCE:
            entity = self._resource(subject)
        else:
            grant = self.grants[subject]
            entity = self._grant(subject)
            context |= {"fields": grant.requested, "until": grant.longest, "epsilon": grant.most}
            if event in ("use", "query"):
                context |= {"fields": grant.fields, "purpose": grant.purpose, "epsilon": 0.0}
        return not self.policies.refusal(self._person(actor), event, entity, context)
