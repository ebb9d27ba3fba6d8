"""Lab 10: an engine for policies as data.

What every engine has: nothing is allowed unless permitted, a prohibition wins, what is not known is no permission and does not disarm a
prohibition, the order does not matter.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from gradewell.checks import access, compare
from gradewell.checks.access import ABSENT, Answer, Request
from gradewell.checks.calls import COPIED, CallFailed, Function, call, right_in, runs_code_of
from gradewell.checks.result import Problem, Result

Policy = Mapping[str, Any]
"""``effect`` (permit or forbid), ``where`` (values by attribute), ``until`` (a day, or None), ``duties`` (a list)."""

_VALUES: dict[str, list[Any]] = {
    "role": ["doctor", "nurse", "researcher", "clerk"],
    "purpose": ["care", "research", "research-ads", "billing"],
    "place": ["ward", "enclave", "abroad"],
}
_DAYS = ["2026-12-30", "2026-12-31", "2027-01-01"]
_DUTIES = ("log", "tell the patient", "delete after 30 days")
_APPLIES = {
    "values": "A policy applies where every attribute in its `where` has one of the values that are listed there. They are compared as a whole: 'research-ads' is not 'research'.",
    "until": "`until` is the last day on which a policy applies: on that day it does, on the next it does not. None has no end.",
    "missing, permit": "A permit does not apply where the request lacks an attribute that it asks for, or the day.",
    "missing, forbid": "A prohibition applies where the request lacks what it asks for: what is not known does not disarm it.",
    "no conditions": "A policy without conditions and without an end always applies.",
}  # fmt: skip


def combined(function: Function, points: float = 6) -> Result:
    """Check a function that combines decisions: ``combine(effects)`` of the policies that apply."""
    cases: list[tuple[str, tuple[Any, ...], Any]] = [
        ("a permit", (["permit"],), "allow"),
        ("no policy", ([],), "deny"),
        ("a prohibition after a permit", (["permit", "forbid"],), "deny"),
        ("a prohibition before a permit", (["forbid", "permit"],), "deny"),
        ("a prohibition alone", (["forbid"],), "deny"),
        ("permits around a prohibition", (["permit", "forbid", "permit"],), "deny"),
    ]
    return right_in(cases, function, points, "the combined decision", "combine")


def applies(function: Function, seed: int = 1, points: float = 4, shown: bool = False) -> Result:
    """Points for ``applies(policy, request)``: whether a policy speaks of a request."""
    title, random = "whether a policy applies", np.random.default_rng(seed)
    wrong: dict[str, tuple[Policy, Request]] = {}
    good = dict.fromkeys(_APPLIES, 1.0)
    answers: set[bool] = set()
    for name in _APPLIES:
        for number in range(60):
            policy, request = _pair(random, name, number)
            try:
                if not number and runs_code_of(__name__, function, dict(policy), dict(request)):
                    return Result.failed(title, points, "applies.copied", COPIED)
                shown_as = f"{dict(policy)}, {dict(request)}" if shown else ""
                found = call(function, dict(policy), dict(request), shown=shown_as)
            except CallFailed as failure:
                return Result.failed(title, points, "applies.fails when called", f"{failure}.")
            if (said := compare.truth(found)) is None:
                message = "applies returns True or False."
                return Result.failed(title, points, "applies.form", message)
            answers.add(said)
            if said != _applies(policy, request):
                good[name] = 0.0
                wrong.setdefault(name, (policy, request))
    if len(answers) < 2:  # a constant
        good = dict.fromkeys(good, 0.0)
    problems = [
        Problem(f"applies.{name}", _APPLIES[name] + (_example(*pair) if shown else ""))
        for name, pair in wrong.items()
    ]
    return Result.from_parts(title, points, good, problems)


def _example(policy: Policy, request: Request) -> str:
    return f" For example {dict(policy)} and {dict(request)}: {_applies(policy, request)}."


def _pair(
    random: np.random.Generator, about: str, number: int
) -> tuple[dict[str, Any], dict[str, Any]]:
    """A policy and a request that are about this."""
    policy = _policy(random)
    request = {name: _one(random, values) for name, values in _VALUES.items()}
    request["day"] = _one(random, _DAYS)
    fitting = {name: values[0] for name, values in policy["where"].items()}
    if about == "values":
        policy["until"] = None
        request |= fitting if number % 2 else {}
        if number % 6 == 1 and "purpose" in policy["where"]:
            policy["where"]["purpose"] = ["research"]
            request["purpose"] = "research-ads"
    elif about == "until":
        policy["until"] = "2026-12-31"
        request |= fitting
    elif about == "no conditions":
        policy |= {"where": {}, "until": None}
        request = request if number % 2 else {}
    else:
        policy["effect"] = about.rpartition(" ")[2]
        policy["where"] = policy["where"] or {"role": ["doctor"]}
        request |= {name: values[0] for name, values in policy["where"].items()}
        if number % 3:
            del request[_one(random, list(policy["where"]))]
        else:
            policy["until"] = "2026-12-31"
            del request["day"]
    return policy, request


def _policy(random: np.random.Generator) -> dict[str, Any]:
    names = [name for name in _VALUES if random.random() < 0.5]
    return {
        "effect": "forbid" if random.random() < 0.3 else "permit",
        "where": {
            name: [_VALUES[name][int(n)] for n in random.permutation(len(_VALUES[name]))[: int(random.integers(1, 3))]]
            for name in names
        },
        "until": "2026-12-31" if random.random() < 0.4 else None,
        "duties": [duty for duty in _DUTIES if random.random() < 0.3],
    }  # fmt: skip


def _one(random: np.random.Generator, values: Sequence[Any]) -> Any:
    return values[int(random.integers(len(values)))]


def _applies(policy: Policy, request: Request) -> bool:
    unknown = policy["effect"] == "forbid"
    for name, values in policy["where"].items():
        if name not in request:
            if not unknown:
                return False
        elif request[name] not in values:
            return False
    if policy["until"] is None:
        return True
    return request["day"] <= policy["until"] if "day" in request else unknown


def _decide(policies: Sequence[Policy], request: Request) -> Answer:
    speaking = [policy for policy in policies if _applies(policy, request)]
    effects = {policy["effect"] for policy in speaking}
    if effects != {"permit"}:
        return Answer("deny")
    return Answer("allow", frozenset(duty for policy in speaking for duty in policy["duties"]))


def decides(function: Function, seed: int = 1, points: float = 4, shown: bool = False) -> Result:
    """Points for ``decide(policies, request)``: "allow" or "deny", and the duties of all permits that apply.

    It is asked with 25 policies of chance, in sets of up to six; one of them is always about research alone, and not about "research-ads".
    """
    random = np.random.default_rng(seed)
    policies = [_policy(random) for _ in range(25)]
    policies[0] |= {"effect": "permit", "where": {"purpose": ["research"]}, "until": None}
    for policy in policies:
        if policy["effect"] == "permit" and not policy["duties"]:
            policy["duties"] = [_one(random, _DUTIES)]
    if runs_code_of(__name__, function, policies[:2], {"role": "doctor"}):
        return Result.failed("the engine", points, "policies.copied", COPIED)
    return access.combines(
        function,
        _decide,
        policies,
        {name: [*values, ABSENT] for name, values in {**_VALUES, "day": _DAYS}.items()},
        seed,
        points,
        prohibits=lambda policy: policy["effect"] == "forbid",
        shown=shown,
        title="the engine",
    )
