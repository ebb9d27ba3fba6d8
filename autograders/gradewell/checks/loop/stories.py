"""Stories that an exchange is put through: what people attempt, step by step, from the first classification to the end.

A purely random driver is nearly worthless: hardly any grant ever gets to its end. So a story follows the loop, with a real
exchange (``sharewell.exchange``) as its guide, and is interrupted at random: by what must be refused, by a new classification, by
time. What is too rare for chance is written down as a script.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

import numpy as np
from sharewell.exchange import Exchange

from gradewell.checks.loop.replay import Attempt, attempt
from gradewell.checks.loop.scripts import FIRST, PEOPLE, scripts

_FIELDS = ("district", "week", "cases", "beds", "age", "sex")
_PURPOSES = ("planning", "research", "planning-ads")
_RESOURCES = ("cases", "wards")


@lru_cache(maxsize=8)
def stories(seed: int, count: int) -> Sequence[Sequence[Attempt]]:
    """All scripts, and ``count`` guided stories with random interruptions. Told once: each caller reads the same ones."""
    random = np.random.default_rng(seed)
    return [*scripts(), *(_Teller(random).story() for _ in range(count))]


@dataclass
class _Teller:
    """Tells one story: attempts things on an exchange of its own, so as to know what may come next."""

    random: np.random.Generator
    exchange: Exchange = field(default_factory=lambda: Exchange(PEOPLE, FIRST))
    names: dict[str, str] = field(default_factory=dict)
    attempts: list[Attempt] = field(default_factory=list)
    asked: int = 0

    def story(self) -> list[Attempt]:
        for resource in _RESOURCES[: self._pick(1, 2)]:
            self._open(resource)
        for _ in range(self._pick(1, 3)):
            self._ask()
        for _ in range(int(self.random.integers(8, 25))):
            if self._chance(0.65):
                self._go_on(self._pick(*sorted(self.names) or [""]))
            elif self._chance(0.7):
                self._interrupt()
            else:
                self._ask()
        self._finish()
        return self.attempts

    def _do(self, event: str, actor: str, **given: Any) -> bool:
        one = (event, actor, given)
        self.attempts.append(one)
        return attempt(self.exchange, self.names, one) == "allowed"

    def _pick(self, *options: Any) -> Any:
        return options[int(self.random.integers(len(options)))]

    def _chance(self, share: float) -> bool:
        return bool(self.random.random() < share)

    def _some(self, fields: Sequence[str]) -> list[str]:
        """A part of the fields, not none."""
        order = self.random.permutation(len(fields))
        return sorted(
            fields[int(n)] for n in order[: int(self.random.integers(1, len(fields) + 1))]
        )

    def _later(self, days: int) -> date:
        return self.exchange.today + timedelta(days)

    def _wait(self, days: int) -> None:
        self._do("clock", "platform", today=self._later(days))

    def _open(self, resource: str) -> None:
        """Bring a resource into the catalogue, with something wrong on the way now and then."""
        if self._chance(0.2):
            self._interrupt(resource)
        fields = self._some(_FIELDS)
        self._do(
            "catalogue",
            self._pick("Sten", "Ines"),
            resource=resource,
            fields=fields,
            owner=self._pick("Ana", "Bo", "Rui"),
        )
        if self._chance(0.2):
            self._interrupt(resource)
        if self._chance(0.3):
            self._deposit(resource, self._pick("Sten", "Ines"))
        self._classify(resource)
        self._confirm(resource)

    def _deposit(self, resource: str, who: str) -> None:
        self._do("deposit", who, resource=resource, held=f"week {self._pick(8, 9)}", rows=1_000)

    def _classify(self, resource: str) -> None:
        label = self._pick("public", "restricted", "restricted", "restricted", "non-sharing")
        cited = self._pick("Statistics Law, art. 25", " ") if label == "non-sharing" else ""
        self._do(
            "classify",
            self._pick("Sten", "Ines"),
            resource=resource,
            label=label,
            citation=cited,
            epsilon=self._pick(0.0, 1.0, 2.0),
        )

    def _confirm(self, resource: str) -> None:
        for who in ("Ines", "Kim") if self._chance(0.5) else ("Kim",):
            if self._do("confirm", who, resource=resource):
                break

    def _ask(self) -> None:
        resource = self._pick(*self.exchange.resources or ["cases"])
        known = self.exchange.resources.get(resource)
        fields = self._some(sorted(known.fields)) if known else ["cases"]
        if self._chance(0.1):
            fields = sorted({*fields, self._pick(*_FIELDS)})
        self._do(
            "request",
            self._pick(
                "Mara", "Noor", "Bo", "Lea", "Pia", *(("Otto",) if self._chance(0.2) else ())
            ),
            resource=resource,
            purpose=self._pick(*_PURPOSES) if self._chance(0.95) else " ",
            fields=fields,
            until=self._later(int(self.random.integers(0, 60)) if self._chance(0.95) else -1),
            epsilon=self._pick(0.0, 0.0, 0.0, 0.5, 1.0),
            **{"as": self._name()},
        )

    def _name(self) -> str:
        self.asked += 1
        return f"request {self.asked}"

    def _go_on(self, name: str) -> None:
        """What brings a grant further."""
        if name not in self.names:
            return self._ask()
        grant = self.exchange.grants[self.names[name]]
        resource = self.exchange.resources[grant.resource]
        if grant.state in ("requested", "escalated"):
            who = "Kim" if grant.state == "escalated" else resource.owner
            return self._decide(who, name, sorted(grant.requested), grant.longest)
        if grant.state == "rejected":
            event = "appeal" if self._chance(0.6) else "feedback"
            return self._end(name, event, grant.consumer)
        if grant.state == "approved":
            self._do("release", "Sten", grant=name)
        elif grant.state == "released":
            self._use_up(name, resource.owner)
        elif grant.state == "suspended":
            if resource.state == "classified":
                self._confirm(grant.resource)
            self._do("approve", resource.owner, grant=name)
        else:
            self._end(name)
        return None

    def _decide(self, who: str, name: str, fields: list[str], longest: date) -> None:
        if self._chance(0.15):
            return self._wait(int(self.random.integers(1, 17)))
        if self._chance(0.25):
            self._do(
                "reject",
                who,
                grant=name,
                reason=self._pick("a law forbids it", "too many fields", " "),
            )
            return None
        given: dict[str, Any] = {}
        if self._chance(0.5):
            given["fields"] = self._some(fields)
        if self._chance(0.3):
            given["until"] = longest - timedelta(int(self.random.integers(0, 5)))
        if self._chance(0.2):
            given["epsilon"] = self._pick(0.0, 0.5, 2.0)
        self._do("approve", who, grant=name, **given)
        return None

    def _use_up(self, name: str, owner: str) -> None:
        grant = self.exchange.grants[self.names[name]]
        given = {"purpose": grant.purpose, "fields": self._some(sorted(grant.fields))}
        if grant.epsilon:
            told = self._pick(0.25, 0.5)
            self._do("query", grant.consumer, grant=name, **given, epsilon=told)
        else:
            self._do("use", grant.consumer, grant=name, **given)
        if self._chance(0.3):
            self._do(
                "clock",
                "platform",
                today=max(self.exchange.today, grant.until + timedelta(int(self._chance(0.5)))),
            )
        elif self._chance(0.25):
            self._do("revoke", self._pick(owner, "Kim"), grant=name)

    def _end(self, name: str, event: str = "", who: str = "") -> None:
        """The next step of a grant that is given back."""
        grant = self.exchange.grants[self.names[name]]
        step = event or {
            "revoked": "dispose",
            "expired": "dispose",
            "disposed": "audit",
            "audited": "feedback",
        }.get(grant.state, "")
        if step == "dispose":
            self._do(step, grant.consumer, grant=name, certificate="deleted, 2 copies")
        elif step == "audit":
            self._do(step, "Otto", grant=name, finding="nothing was kept")
        elif step == "appeal":
            self._do(step, who, grant=name)
        elif step == "feedback":
            self._do(step, grant.consumer, grant=name, text="week 9 is missing")

    def _interrupt(self, resource: str = "") -> None:
        """Something that does not fit here, or that changes what the others may do."""
        resource = resource or self._pick(*_RESOURCES)
        who = self._pick(*PEOPLE)
        name = self._pick(*self.names or ["request 0"])
        grant = self.exchange.grants.get(self.names.get(name, ""))
        purpose = grant.purpose if grant and self._chance(0.6) else self._pick(*_PURPOSES)
        fields = self._some(sorted(grant.fields) if grant and self._chance(0.6) else _FIELDS)
        consumer = grant.consumer if grant and self._chance(0.6) else who
        event = self._pick(
            "catalogue", "deposit", "classify", "classify", "confirm", "withdraw", "approve", "approve", "reject", "appeal", "release",
            "use", "use", "query", "revoke", "dispose", "audit", "feedback", "clock",
        )  # fmt: skip
        if event == "catalogue":
            self._do(
                event, who, resource=resource, fields=self._some(_FIELDS), owner=self._pick(*PEOPLE)
            )
        elif event == "classify":
            self._classify(resource)
            if self._chance(0.7):
                self._confirm(resource)
        elif event in ("confirm", "withdraw"):
            if event == "confirm" or self._chance(0.3):
                self._do(event, who, resource=resource)
        elif event == "approve":
            self._do(event, who, grant=name, fields=fields)
        elif event == "deposit":
            self._deposit(resource, who)
        elif event == "use":
            self._do(event, consumer, grant=name, purpose=purpose, fields=fields)
        elif event == "query":
            told = self._pick(0.0, 0.25, 1.0)
            self._do(event, consumer, grant=name, purpose=purpose, fields=fields, epsilon=told)
        elif event == "clock":
            self._wait(int(self.random.integers(-1, 20)))
        else:
            extra = {
                "reject": {"reason": self._pick("a law forbids it", "")},
                "dispose": {"certificate": self._pick("deleted, 2 copies", "")},
                "audit": {"finding": "nothing was kept"},
                "feedback": {"text": "week 9 is missing"},
            }
            self._do(
                event, consumer if self._chance(0.5) else who, grant=name, **extra.get(event, {})
            )

    def _finish(self) -> None:
        """Bring every grant to its end: there must be a way from everywhere."""
        for name in sorted(self.names):
            for _ in range(12):
                grant = self.exchange.grants[self.names[name]]
                if grant.state == "closed":
                    break
                if grant.state == "requested":
                    self._wait(16)
                elif grant.state == "escalated":
                    self._do(
                        "reject",
                        "Kim" if grant.consumer != "Kim" else "Ines",
                        grant=name,
                        reason="too late",
                    )
                elif grant.state in ("approved", "released", "suspended"):
                    if grant.state != "approved" and self._chance(0.5):
                        self._do(
                            "clock",
                            "platform",
                            today=max(self.exchange.today, grant.until + timedelta(1)),
                        )
                    else:
                        self._do("revoke", "Kim", grant=name)
                elif grant.state == "rejected":
                    self._end(name, "feedback", grant.consumer)
                else:
                    self._end(name)
