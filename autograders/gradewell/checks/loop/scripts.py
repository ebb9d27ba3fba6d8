"""Stories that are too rare for chance: each goes straight to one transition, one boundary or one refusal of the loop."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from gradewell.checks.loop.replay import Attempt

PEOPLE: dict[str, tuple[str, ...]] = {
    "Ana": ("owner",),
    "Bo": ("owner", "consumer"),
    "Sten": ("steward",),
    "Ines": ("steward", "committee"),
    "Kim": ("committee",),
    "Lea": ("committee", "consumer"),
    "Mara": ("consumer",),
    "Noor": ("consumer",),
    "Otto": ("auditor",),
    "Pia": ("auditor", "consumer"),
    "Rui": ("auditor", "owner"),
}
"""Who takes part in all stories; those with two roles are there for the separation of duties."""
FIRST = date(2026, 3, 2)
"""The day on which stories begin, a Monday."""
_LAST = date(2026, 4, 30)
_ALL = ["cases", "district", "week"]


def scripts() -> list[list[Attempt]]:
    """The scripts, each a story from the beginning."""
    return [
        # a request that nobody answers: the tenth working day is in time, the eleventh is not
        [*listed(), ask(), clock(14), clock(15), committee("approve"), *used(), *ended("revoke")],
        [*listed(), ask(), clock(14), owner("approve"), clock(15), *used(), *ended("revoke")],
        [*listed(), ask(), clock(15), owner("approve"), owner("reject", reason="late"), committee("reject", reason="late"), closed()],
        # a rejection has a reason; it may be taken to the committee, once
        [*listed(), ask(), owner("reject", reason=""), owner("reject", reason=" "), owner("approve"), *used(), *ended("revoke")],
        [*listed(), ask(), owner("reject", reason="no law"), appeal("Noor"), appeal(), owner("approve"), committee("reject", reason=""),
         committee("reject", reason="no law"), appeal(), closed()],
        [*listed(), ask(), owner("reject", reason="no law"), appeal(), committee("approve"), *used(), *ended("revoke")],
        [*listed(), ask(), owner("reject", reason="no law"), closed(), appeal(), closed()],
        # nobody decides on their own request, whatever other roles they have
        [*listed(owner="Bo"), ask("Bo"), *both("Bo"), *both("Kim"), clock(15), *both("Bo"), committee("approve"), *used("Bo"),
         *ended("revoke", "Bo")],
        [*listed(), ask("Lea"), *both("Lea"), clock(15), *both("Lea"), committee("approve"), *used("Lea"), *ended("revoke", "Lea")],
        # public data are approved at once, without conditions; non-sharing data are not to be had
        [*listed("public"), ask(), owner("reject", reason="no"), owner("approve", fields=["week"]), *used(), *ended("revoke")],
        [*listed("public"), ask(), *relabelled("public"), owner("approve", fields=["week"]), owner("approve", until=date(2026, 3, 9)),
         owner("approve"), *used(), *ended("revoke")],
        [*listed("non-sharing", "Secrets Law, art. 13"), ask()],
        [catalogued(), labelled("non-sharing"), labelled("non-sharing", citation=" "), confirmed(), ask(), labelled("non-sharing",
         citation="Secrets Law, art. 13"), confirmed(), ask()],
        # who classifies does not confirm, and before that nothing can be asked for
        [ask(), catalogued(), ask(), labelled("restricted", "Ines"), confirmed("Ines"), confirmed("Mara"), ask(), confirmed(), ask(), owner(
         "approve"), *used(), *ended("revoke")],
        [("catalogue", "Ana", {"resource": "cases", "fields": _ALL, "owner": "Ana"}),
         ("catalogue", "Sten", {"resource": "cases", "fields": _ALL, "owner": "Mara"}), catalogued(), catalogued(),
         labelled("restricted", "Ana"), labelled("secret"), labelled(), labelled("public"), confirmed()],
        # fields may shrink on the way, never grow
        [*listed(), ask(fields=["cases", "name"]), ask(fields=[]), ask(purpose=""), ask("Ana"), ask(until=date(2026, 3, 1)), ask(until=FIRST),
         owner("approve"), *used(), clock(1), *ended("revoke")],
        [*listed(), ask(fields=["cases", "week"]), owner("approve", fields=_ALL), owner("approve", until=_LAST + timedelta(1)),
         owner("approve", fields=[]), owner("approve", fields=["week"], until=date(2026, 3, 20)), *used(), use(fields=["week"]),
         use(fields=["cases", "week"]), use(fields=[]), clock(18), use(fields=["week"]), clock(19), use(fields=["week"]), *ended()],
        # an approval holds for the label under which it was given
        [*listed(), ask(), owner("approve"), *relabelled(), released(), owner("approve"), *used(), *ended("revoke")],
        [*listed(), ask(), owner("approve"), released(), labelled(), use(), owner("approve"), confirmed(), use(), owner("approve"), use(),
         *used(), *ended("revoke")],
        [*listed(), ask(), *relabelled("non-sharing", citation="Secrets Law, art. 13"), owner("approve"), owner("reject", reason="a law"),
         closed()],
        [*listed(), ask(), labelled(), owner("approve"), confirmed(), owner("approve"), *used(), *ended("revoke")],
        [*listed(), ask(), owner("approve"), released(), withdrawn("Mara"), withdrawn("Ana"), use(), owner("approve"), ask(), *ended("revoke")],
        [*listed(), ask(), withdrawn("Kim"), owner("approve"), labelled(), clock(15), committee("approve"), committee("reject", reason="withdrawn"),
         closed()],
        # what was released expires by itself, suspended or not; the last day is still good
        [*listed(), ask(until=date(2026, 3, 5)), owner("approve"), released(), clock(3), use(), clock(4), use(), *ended()],
        [*listed(), ask(until=date(2026, 3, 5)), owner("approve"), released(), *relabelled(), clock(3), clock(4), owner("approve"), *ended()],
        [*listed(), ask(until=date(2026, 3, 5)), owner("approve"), clock(4), released(), ("revoke", "Ana", {"grant": "request 1"}), *ended()],
        [*listed(), ask(until=date(2026, 3, 5)), clock(4), owner("approve"), owner("reject", reason="over"), closed()],
        [*listed(), ask(until=date(2026, 3, 5)), owner("approve"), released(), clock(20), clock(4), use(), *ended()],
        # only the consumer uses, for the purpose that was named
        [*listed(), ask(), owner("approve"), use(), ("release", "Ana", {"grant": "request 1"}), *used(), use("Noor"), use(purpose="planning-ads"),
         use(purpose="plan"), use(fields=["name"]), ("revoke", "Mara", {"grant": "request 1"}), *ended("revoke"), use()],
        # a grant ends by disposal, audit and feedback, in this order, each by whom it has to be
        [*listed(), ask(), owner("approve"), *used(), closed(), audited(), disposed(), ("revoke", "Kim", {"grant": "request 1"}), use(), closed(),
         audited(), disposed("Noor"), disposed(certificate=" "), disposed(), closed(), audited("Mara"),
            audited("Kim"), audited(), closed("Noor"), closed(),
         closed(), disposed()],
        [*listed(owner="Rui"), ask("Pia"), ("approve", "Rui", {"grant": "request 1"}), *used("Pia"), ("revoke", "Rui", {"grant": "request 1"}),
         disposed("Pia"), audited("Pia"), audited("Rui"), audited(), closed("Pia")],
        [*listed(), ask(), owner("approve"), ("revoke", "Ana", {"grant": "request 1"}), *ended()],
        # where answers were asked for, only answers leave, and they tell no more than was granted
        [catalogued(), deposited(), deposited("Ana"), labelled(epsilon=2.0), deposited(), confirmed(), deposited(), *asked(epsilon=1.0),
         released(), use(), question(0.5), question(0.5, "Noor"), question(0.5, purpose="research"), question(0.5, fields=["name"]),
         question(0.0), question(0.75), question(0.5), question(0.1), *ended("revoke"), question(0.1)],
        [*listed(epsilon=2.0), ask(epsilon=3.0), ask(epsilon=1.0), owner("approve", epsilon=1.5), owner("approve", epsilon=0.0),
         owner("approve", epsilon=0.5), question(0.5), released(), question(1.0), question(0.25, fields=[]), *ended("revoke")],
        # over all grants, and whatever the label is now, not more than the resource may
        [*listed(epsilon=1.0), ask(epsilon=1.0), ask("Noor", epsilon=1.0, name="request 2"),
         owner("approve"), ("approve", "Ana", {"grant": "request 2"}), released(), ("release", "Sten", {"grant": "request 2"}),
         question(0.75), question(0.5, "Noor", grant="request 2"), question(0.25, "Noor", grant="request 2"), ask(epsilon=0.1),
         *relabelled(epsilon=1.0), owner("approve"), released(), question(0.1), *relabelled(epsilon=1.5), owner("approve"), released(),
         question(0.25), question(0.1), ("revoke", "Kim", {"grant": "request 2"}), *ended("revoke")],
        # where the data were granted, no answers; nor after the last day
        [*listed(epsilon=1.0), *asked(), released(), question(0.5), use(), *ended("revoke")],
        [*listed("public", epsilon=1.0), ask(epsilon=0.5), owner("approve", epsilon=0.25), released(), question(0.5), *ended("revoke")],
        [*listed(), ask(epsilon=0.5), *asked(), *used(), *ended("revoke")],
        [*listed(epsilon=1.0), *asked(epsilon=0.5, until=date(2026, 3, 5)), released(), clock(3), question(0.25), clock(4), question(0.25),
         *ended()],
        # a grant that there is not
        [*listed(), owner("approve"), released(), use(), closed(), ask(), owner("approve"), *used(), *ended("revoke")],
    ]  # fmt: skip


def catalogued(owner: str = "Ana") -> Attempt:
    return ("catalogue", "Sten", {"resource": "cases", "fields": _ALL, "owner": owner})


def deposited(who: str = "Sten") -> Attempt:
    return ("deposit", who, {"resource": "cases", "held": "week 9", "rows": 1_000})


def labelled(label: str = "restricted", who: str = "Sten", **given: Any) -> Attempt:
    return ("classify", who, {"resource": "cases", "label": label, **given})


def confirmed(who: str = "Kim") -> Attempt:
    return ("confirm", who, {"resource": "cases"})


def withdrawn(who: str) -> Attempt:
    return ("withdraw", who, {"resource": "cases"})


def listed(
    label: str = "restricted", citation: str = "", owner: str = "Ana", epsilon: float = 0.0
) -> list[Attempt]:
    return [catalogued(owner), *relabelled(label, citation=citation, epsilon=epsilon)]


def relabelled(label: str = "restricted", **given: Any) -> list[Attempt]:
    return [labelled(label, **given), confirmed()]


def ask(
    who: str = "Mara",
    purpose: str = "planning",
    fields: list[str] = _ALL,
    until: date = _LAST,
    epsilon: float = 0.0,
    name: str = "request 1",
) -> Attempt:
    given = {"resource": "cases", "purpose": purpose, "fields": fields, "until": until}
    return ("request", who, {**given, "epsilon": epsilon, "as": name})


def asked(**given: Any) -> list[Attempt]:
    """A request, and its approval."""
    return [ask(**given), owner("approve")]


def question(
    epsilon: float,
    who: str = "Mara",
    purpose: str = "planning",
    fields: list[str] | None = None,
    grant: str = "request 1",
) -> Attempt:
    fields = ["week"] if fields is None else fields
    return (
        "query",
        who,
        {"grant": grant, "purpose": purpose, "fields": fields, "epsilon": epsilon},
    )


def owner(event: str, **given: Any) -> Attempt:
    return (event, "Ana", {"grant": "request 1", **given})


def committee(event: str, **given: Any) -> Attempt:
    return (event, "Kim", {"grant": "request 1", **given})


def both(who: str) -> list[Attempt]:
    """One who must not decide tries it either way."""
    return [
        ("approve", who, {"grant": "request 1"}),
        ("reject", who, {"grant": "request 1", "reason": "no"}),
    ]


def appeal(who: str = "Mara") -> Attempt:
    return ("appeal", who, {"grant": "request 1"})


def released() -> Attempt:
    return ("release", "Sten", {"grant": "request 1"})


def use(who: str = "Mara", purpose: str = "planning", fields: list[str] | None = None) -> Attempt:
    return (
        "use",
        who,
        {
            "grant": "request 1",
            "purpose": purpose,
            "fields": ["week"] if fields is None else fields,
        },
    )


def used(who: str = "Mara") -> list[Attempt]:
    return [released(), use(who)]


def disposed(who: str = "Mara", certificate: str = "deleted, 2 copies") -> Attempt:
    return ("dispose", who, {"grant": "request 1", "certificate": certificate})


def audited(who: str = "Otto") -> Attempt:
    return ("audit", who, {"grant": "request 1", "finding": "nothing was kept"})


def closed(who: str = "Mara") -> Attempt:
    return ("feedback", who, {"grant": "request 1", "text": "week 9 is missing"})


def ended(event: str = "", who: str = "Mara") -> list[Attempt]:
    """From revoked, or first revoked by the committee, to closed."""
    first = [(event, "Kim", {"grant": "request 1"})] if event else []
    return [*first, disposed(who), audited(), closed(who)]


def clock(days: int) -> Attempt:
    """A number of days after the first one comes."""
    return ("clock", "platform", {"today": FIRST + timedelta(days)})
