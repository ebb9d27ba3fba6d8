"""What an exchange did wrong, read from nothing but its log.

The monitor keeps its own books: for each record it works out from the records before whether what was attempted had to be allowed,
and what had to follow by itself. It knows the rules of the loop, and nothing of how an exchange is made.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date

import numpy as np
from sharewell.exchange import Tampered, verify
from sharewell.exchange.states import GRANT, LABELS, PLATFORM, RESOURCE, WORKING_DAYS, machine_of

from gradewell.checks import compare
from gradewell.checks.loop.replay import Record

INVARIANTS: dict[str, str] = {
    "I1": "Nothing is requested, approved or released without a confirmed label that lets it be shared, and without an approval.",
    "I2": "Duties are separate: nobody confirms their own classification, decides on their own request, or audits what they have a part in.",
    "I3": "What is released is part of what was approved, that of what was requested, and that of what the catalogue has.",
    "I4": "Nothing is released or used under an outdated classification: a new one suspends what was granted under the old.",
    "I5": "Nothing is used before its release, after it was revoked or after its last day; it expires by the clock.",
    "I6": "Every attempt leaves one record, in a chain that nobody can change unseen.",
    "I7": "A grant is closed after disposal with a certificate and an audit, or after a rejection; not before.",
    "I8": "Non-sharing cites the law, regulation or decision that forbids sharing.",
    "I9": "Silence is neither yes nor no: after 10 working days a request is escalated, not earlier; a rejection has a reason.",
    "I10": "Every use is bound to the consumer, the purpose and the fields of its grant.",
    "I11": "A refused attempt changes nothing.",
    "I12": "Where answers were asked for, only answers leave, and they tell no more than was granted, nor, over all grants, than the resource may.",
    "roles": "Each step is taken by whom the loop names for it.",
    "order": "Only the steps of the loop are possible, and each leads where the loop says.",
    "public": "Public data are approved at once, whole and without conditions.",
    "strict": "What the rules allow is not refused.",
}
"""What an exchange has to keep to, by code."""
_EVENTS = {"open", "clock", *(event for _, event in (*RESOURCE, *GRANT))}
_OUT_OF_ORDER = {"release": "I1", "use": "I5", "query": "I5", "feedback": "I7"}
_DUE = {"escalate": "I9", "expire": "I5", "suspend": "I4", "approve": "public"}
_NOT_DUE = {"escalate": "I9", "approve": "I9", "reject": "I9", "expire": "I5"}


@dataclass(frozen=True)
class Breach:
    """An invariant that does not hold: its code, the number of the record that shows it, and what was done."""

    code: str
    number: int
    what: str


@dataclass
class _Resource:
    owner: str = ""
    fields: frozenset[str] = frozenset()
    state: str = "draft"
    label: str = ""
    classified_by: str = ""
    version: int = 0
    epsilon: int = 0
    spent: int = 0

    def shareable(self) -> bool:
        return self.state == "listed" and self.label != "non-sharing"


@dataclass
class _Grant:
    resource: str = ""
    consumer: str = ""
    purpose: str = ""
    requested: frozenset[str] = frozenset()
    longest: date = date.min
    most: int = 0
    asked_on: date = date.min
    fields: frozenset[str] = frozenset()
    until: date = date.min
    epsilon: int = 0
    spent: int = 0
    released: frozenset[str] = frozenset()
    version: int = 0
    state: str = ""
    appealed: bool = False


Rule = tuple[str, bool, str]
"""The code of an invariant, whether it holds for what was attempted, and what it is when it does not."""


def breaches(log: Sequence[Record]) -> list[Breach]:
    """What the log shows to be wrong, in its order; nothing for an exchange that keeps to the loop.

    Parameters
    ----------
    log : sequence of mapping
        The records of ``sharewell.exchange.Exchange.log``, from the first on.
    """
    log = [compare.plain(record) for record in log]
    try:
        verify(log)
        return list(_Monitor().read(log))
    except Tampered as tampered:
        return [Breach("I6", tampered.number, str(tampered))]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        return [Breach("I6", 0, f"the log cannot be read: {type(error).__name__}: {error}")]


@dataclass
class _Monitor:
    people: dict[str, frozenset[str]] = field(default_factory=dict)
    today: date = date.min
    resources: dict[str, _Resource] = field(default_factory=dict)
    grants: dict[str, _Grant] = field(default_factory=dict)
    due: set[tuple[str, str]] = field(default_factory=set)
    """Events of the platform that have to follow at once, and the grants."""
    refused: set[str] = field(default_factory=set)
    """Resources and grants about which the last record is of a refusal."""

    def read(self, log: Iterable[Record]) -> Iterator[Breach]:
        number = 0
        for record in log:
            number = record["number"]
            if record["event"] not in _EVENTS:  # beside the loop, such as a sign-in or a letter
                continue
            for code, what in self._judge(record):
                yield Breach(code, number, what)
            if record["outcome"] == "allowed":
                self._note(record)
                self.refused.discard(record["subject"])
            else:
                self.refused.add(record["subject"])
        for code, what in self._overdue():
            yield Breach(code, number, what)

    def _judge(self, record: Record) -> Iterator[tuple[str, str]]:
        """What is wrong with a record, given those before it."""
        event, actor, subject = record["event"], record["actor"], record["subject"]
        if event == "open":
            return
        own = (event, subject)
        by_itself = actor == PLATFORM and event != "clock"
        if not by_itself:
            yield from self._overdue()
        known = self._state(event, subject)
        if record["before"] != known:
            code = "I11" if subject in self.refused else "I6"
            yield (
                code,
                f"{subject} was {known or 'unknown'} and is {record['before']} without a record",
            )
        allowed = record["outcome"] == "allowed"
        if not allowed and record["after"] != record["before"]:
            yield "I11", f"{event} of {subject} was refused, and it is {record['after']} afterwards"
        broken = [(code, what) for code, holds, what in self._rules(record) if not holds]
        if by_itself:
            if own not in self.due:
                yield (
                    _NOT_DUE.get(event, "order"),
                    f"the platform could {event} {subject}, which was not due",
                )
            self.due.discard(own)
            yield from ((code, what) for code, what in broken if code != "roles")
        elif allowed:
            yield from broken
        elif not broken:
            yield (
                "strict",
                f"{actor} may {event} {subject or 'time'}, and was refused: {record['reason']}",
            )
        after = RESOURCE.get((known, event)) or GRANT.get((known, event)) or known
        if allowed and record["after"] != after and not broken:
            yield "order", f"{event} of {subject} leads to {after}, not to {record['after']}"

    def _overdue(self) -> Iterator[tuple[str, str]]:
        for event, grant in sorted(self.due):
            yield (
                _DUE[event],
                f"{grant} is {self.grants[grant].state}: the platform had to {event} it by now",
            )
        self.due.clear()

    def _state(self, event: str, subject: str) -> str:
        if event == "clock":
            return ""
        if machine_of(event) is RESOURCE:
            return self.resources.get(subject, _Resource()).state
        return self.grants.get(subject, _Grant()).state

    def _rules(self, record: Record) -> Iterator[Rule]:
        """The rules for what was attempted. ``order`` comes first: without it, the others may make no sense."""
        event, actor, subject, given = (record[k] for k in ("event", "actor", "subject", "details"))
        if event == "clock":
            yield "I9", date.fromisoformat(given["today"]) >= self.today, "time went back"
            return
        machine = machine_of(event)
        state = self._state(event, subject)
        possible = (state, event) in machine
        yield (
            _OUT_OF_ORDER.get(event, "order"),
            possible,
            f"{actor} could {event} {subject}, which is {state or 'unknown'}",
        )
        if possible and machine is RESOURCE:
            yield from self._of_resource(
                event, actor, given, self.resources.get(subject, _Resource())
            )
        elif possible:
            grant = self.grants.get(subject, _Grant())
            resource = self.resources.get(given.get("resource", grant.resource), _Resource())
            yield from self._of_grant(event, actor, given, grant, resource)

    def _of_resource(
        self, event: str, actor: str, given: Record, found: _Resource
    ) -> Iterator[Rule]:
        if event == "catalogue":
            yield self._acts(actor, "steward", event)
            yield self._acts(given["owner"], "owner", "own data")
            yield "I3", bool(given["fields"]), "a resource without fields is in the catalogue"
        elif event == "deposit":
            yield self._acts(actor, "steward", event)
        elif event == "classify":
            yield self._acts(actor, "steward", event)
            yield "I8", given["label"] in LABELS, f"a label is {given['label']}"
            cited = given["label"] != "non-sharing" or bool(given["citation"].strip())
            yield "I8", cited, f"{actor} could classify as non-sharing without a citation"
        elif event == "confirm":
            yield self._acts(actor, "committee", event)
            yield (
                "I2",
                actor != found.classified_by,
                f"{actor} confirmed what {actor} had classified",
            )
        else:
            may = actor == found.owner or "committee" in self._roles(actor)
            yield "roles", may, f"{actor} could withdraw what is neither theirs nor the committee's"

    def _of_grant(
        self, event: str, actor: str, given: Record, grant: _Grant, resource: _Resource
    ) -> Iterator[Rule]:
        fields = frozenset(given.get("fields", ()))
        whose = actor == grant.consumer
        in_time = self.today <= grant.until
        if event == "request":
            yield self._acts(actor, "consumer", event)
            yield (
                "I1",
                resource.shareable(),
                f"{actor} could request what has no confirmed label that lets it be shared",
            )
            yield "I10", bool(given["purpose"].strip()), "a request has no purpose"
            yield (
                "I3",
                bool(fields) and fields <= resource.fields,
                f"{actor} could request {_listed(fields)}",
            )
            yield (
                "I5",
                date.fromisoformat(given["until"]) >= self.today,
                "a request is for days that have passed",
            )
            told = _millionths(given)
            may = not told or resource.spent + told <= resource.epsilon
            yield "I12", may, f"{actor} could request answers that would tell too much"
        elif event in ("approve", "reject"):
            yield from self._of_decision(event, actor, given, grant, resource)
        elif event == "appeal":
            yield "roles", whose, f"{actor} could appeal for {grant.consumer}"
            yield "order", not grant.appealed, f"{actor} could appeal twice"
        elif event == "release":
            yield self._acts(actor, "steward", event)
            yield (
                "I1",
                resource.shareable(),
                "what has no confirmed label that lets it be shared was released",
            )
            yield (
                "I4",
                grant.version == resource.version,
                "it was released under another label than it was approved for",
            )
            yield "I5", in_time, "it was released after its last day"
            yield "I3", fields <= grant.fields, f"{_listed(fields)} were released"
        elif event in ("use", "query"):
            yield "I10", whose, f"{actor} used what was released to {grant.consumer}"
            yield (
                "I10",
                given["purpose"] == grant.purpose,
                f"it was released for {grant.purpose}, and used for {given['purpose']}",
            )
            yield (
                "I10",
                bool(fields) and fields <= grant.released,
                f"{_listed(fields)} of {_listed(grant.released)} were used",
            )
            yield "I5", in_time, "it was used after its last day"
            yield from self._of_answers(event, given, grant, resource)
        elif event == "revoke":
            may = actor == resource.owner or "committee" in self._roles(actor)
            yield "roles", may, f"{actor} could revoke what is neither theirs nor the committee's"
        elif event == "dispose":
            yield "roles", whose, f"{actor} certified for {grant.consumer}"
            yield "I7", bool(given["certificate"].strip()), "the disposal has no certificate"
        elif event == "audit":
            yield self._acts(actor, "auditor", event)
            yield (
                "I2",
                actor not in (grant.consumer, resource.owner),
                f"{actor} audited what {actor} has a part in",
            )
        elif event == "feedback":
            yield "roles", whose, f"{actor} gave feedback for {grant.consumer}"

    @staticmethod
    def _of_answers(
        event: str, given: Record, grant: _Grant, resource: _Resource
    ) -> Iterator[Rule]:
        if event == "use":
            yield "I12", not grant.epsilon, "answers were granted, and the data were used"
            return
        told = _millionths(given)
        yield "I12", bool(told and grant.epsilon), "a query was answered without an epsilon"
        yield "I12", grant.spent + told <= grant.epsilon, "answers told more than was granted"
        may = resource.spent + told <= resource.epsilon
        yield "I12", may, "the answers of all grants told more of a resource than they may"

    def _of_decision(
        self, event: str, actor: str, given: Record, grant: _Grant, resource: _Resource
    ) -> Iterator[Rule]:
        may = (
            "committee" in self._roles(actor)
            if grant.state == "escalated"
            else actor == resource.owner
        )
        yield "roles", may, f"{actor} could {event} what was {grant.state}"
        yield "I2", actor != grant.consumer, f"{actor} decided on a request of their own"
        if event == "reject":
            yield "I9", bool(given["reason"].strip()), "a rejection has no reason"
            return
        fields, until = frozenset(given["fields"]), date.fromisoformat(given["until"])
        yield (
            "I1",
            resource.shareable(),
            "what has no confirmed label that lets it be shared was approved",
        )
        asked = bool(fields) and fields <= grant.requested
        yield (
            "I3",
            asked,
            f"{_listed(fields)} were approved of {_listed(grant.requested)} requested",
        )
        yield "I3", until <= grant.longest, "it was approved for longer than was asked for"
        yield "I5", until >= self.today, "it was approved for days that have passed"
        told = _millionths(given)
        yield "I12", told <= grant.most, "answers were approved that tell more than was asked for"
        yield "I12", bool(told or not grant.most), "answers were asked for, the data approved"
        whole = (fields, until, told) == (grant.requested, grant.longest, grant.most)
        yield (
            "public",
            whole or resource.label != "public",
            "public data were approved with conditions",
        )

    def _note(self, record: Record) -> None:
        """Keep the books: what was done, and what has to follow by itself."""
        event, actor, subject, given = (record[k] for k in ("event", "actor", "subject", "details"))
        if event == "open":
            self.people = {name: frozenset(roles) for name, roles in given["people"].items()}
            self.today = date.fromisoformat(record["on"])
        elif event == "clock":
            self.today = date.fromisoformat(given["today"])
            self.due = {(e, name) for name, g in self.grants.items() if (e := self._falls_due(g))}
        elif machine_of(event) is RESOURCE:
            self._note_resource(
                event, actor, given, self.resources.setdefault(subject, _Resource())
            )
            self.resources[subject].state = record["after"]
            if event in ("classify", "withdraw"):
                self.due = {
                    ("suspend", name)
                    for name, grant in self.grants.items()
                    if grant.resource == subject and grant.state in ("approved", "released")
                }
        else:
            grant = self.grants.setdefault(subject, _Grant())
            self._note_grant(event, actor, given, grant)
            grant.state = record["after"]
            if event == "request" and self.resources[grant.resource].label == "public":
                self.due = {("approve", subject)}

    def _falls_due(self, grant: _Grant) -> str:
        if (
            grant.state == "requested"
            and np.busday_count(grant.asked_on, self.today) > WORKING_DAYS
        ):
            return "escalate"
        over = grant.state in ("released", "suspended") and self.today > grant.until
        return "expire" if over else ""

    @staticmethod
    def _note_resource(event: str, actor: str, given: Record, found: _Resource) -> None:
        if event == "catalogue":
            found.owner, found.fields = given["owner"], frozenset(given["fields"])
        elif event == "classify":
            found.label, found.classified_by = given["label"], actor
            found.epsilon = _millionths(given)
            found.version += 1

    def _note_grant(self, event: str, actor: str, given: Record, grant: _Grant) -> None:
        if event == "request":
            grant.resource, grant.consumer, grant.purpose = (
                given["resource"],
                actor,
                given["purpose"],
            )
            grant.requested, grant.longest = (
                frozenset(given["fields"]),
                date.fromisoformat(given["until"]),
            )
            grant.asked_on, grant.most = self.today, _millionths(given)
        elif event == "approve":
            grant.fields, grant.until = (
                frozenset(given["fields"]),
                date.fromisoformat(given["until"]),
            )
            grant.version = self.resources[grant.resource].version
            grant.epsilon = _millionths(given)
        elif event == "appeal":
            grant.appealed = True
        elif event == "release":
            grant.released = frozenset(given["fields"])
        elif event == "query":
            grant.spent += _millionths(given)
            self.resources[grant.resource].spent += _millionths(given)

    def _roles(self, actor: str) -> frozenset[str]:
        guest = {"consumer"} if "@" in actor else ()  # of another exchange, which vouches for them
        return self.people.get(actor, frozenset(guest))

    def _acts(self, actor: str, role: str, event: str) -> Rule:
        return "roles", role in self._roles(actor), f"{actor}, who is no {role}, could {event}"


def _millionths(given: Record) -> int:
    """How much is told: epsilons are added up as whole numbers."""
    if (epsilon := compare.number(given.get("epsilon", 0))) is None:
        raise ValueError("an epsilon is no number")
    return round(epsilon * 1_000_000)


def _listed(fields: Iterable[str]) -> str:
    return ", ".join(sorted(fields)) or "no fields"
