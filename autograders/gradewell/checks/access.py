"""Does a policy decide as intended? Thousands of generated requests, and the smallest one that it gets wrong."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from gradewell.checks import compare
from gradewell.checks.calls import CallFailed, call
from gradewell.checks.classification import TOO_LOOSE
from gradewell.checks.result import Problem, Result
from gradewell.checks.shrink import shorter, simpler

Request = Mapping[str, Any]
Attributes = Mapping[str, Sequence[Any]]
ABSENT = "(absent)"
"""As a value of an attribute: the request does not have it."""


@dataclass(frozen=True)
class Answer:
    """A decision, ``allow`` or ``deny``, with the duties that come with it (such as "log", "delete after 30 days")."""

    decision: str
    duties: frozenset[str] = field(default_factory=frozenset)


def requests(attributes: Attributes, seed: int, count: int) -> list[dict[str, Any]]:
    """All requests there are, or ``count`` random ones where there are more.

    Parameters
    ----------
    attributes : mapping of str to sequence
        The values of each, the plainest first; ``ABSENT`` among them for a request without it.
    seed : int
        Of random ones.
    """
    if math.prod(len(values) for values in attributes.values()) <= count:
        chosen: Any = itertools.product(*attributes.values())
    else:
        random = np.random.default_rng(seed)
        chosen = (
            [values[int(random.integers(len(values)))] for values in attributes.values()]
            for _ in range(count)
        )
    return [_without_absent(zip(attributes, values, strict=True)) for values in chosen]


def _without_absent(pairs: Any) -> dict[str, Any]:
    return {name: value for name, value in pairs if not _absent(value)}


def _absent(value: Any) -> bool:
    return compare.same(value, ABSENT)


def decides(
    decide: Callable[[Request], Any],
    intended: Callable[[Request], Answer],
    attributes: Attributes,
    seed: int,
    points: float,
    count: int = 3_000,
    shown: bool = True,
    title: str = "decisions on requests",
) -> Result:
    """Points for a policy by the requests that it decides as intended.

    Allowing what must be denied costs five times as much as denying what may be allowed. Each kind of difference is shown on the
    smallest request that was found: every attribute at the plainest value that still goes wrong.

    Parameters
    ----------
    decide : callable
        From a request to "allow" or "deny", a boolean, an Answer, or a pair of decision and duties.
    intended : callable
        From a request to the Answer that it must get.
    attributes : mapping of str to sequence
        See ``requests``.
    seed : int
        Of the requests, where there are more than ``count``.
    shown : bool
        Whether messages may show requests.
    """
    asked = requests(attributes, seed, count)
    differences: dict[str, list[Request]] = {}
    sides: dict[str, int] = {"allow": 0, "deny": 0}
    try:
        for request in asked:
            wanted = intended(request)
            sides[wanted.decision] += 1
            if kind := _difference(_answer(decide, request, shown), wanted):
                differences.setdefault(kind, []).append(request)
    except CallFailed as failure:
        return Result.failed(title, points, "access.fails when called", f"{failure}.")
    wrong = {kind: len(found) for kind, found in differences.items()}
    parts = {
        "denied as intended": max(
            0.0, 1 - TOO_LOOSE * wrong.get("too free", 0) / max(1, sides["deny"])
        ),
        "allowed as intended": 1 - wrong.get("too strict", 0) / max(1, sides["allow"]),
        "duties": 1 - wrong.get("duties", 0) / max(1, sides["allow"]),
    }
    if "too free" in wrong and parts["denied as intended"] == 0:
        parts["allowed as intended"] = parts["duties"] = 0.0  # allowing everything is no policy
    if parts["allowed as intended"] == 0:
        parts["denied as intended"] = parts["duties"] = 0.0  # neither is denying everything
    problems = []
    for kind, found in differences.items():
        smallest = _smallest(decide, intended, attributes, found[0], kind) if shown else None
        example = f" The smallest: {smallest}." if smallest is not None else ""
        problems.append(
            Problem(
                f"access.{kind}",
                _KINDS[kind].format(n=len(found), all=len(asked)) + example,
            )
        )
    rows = tuple((name, f"{share:.1%}") for name, share in parts.items())
    return Result.from_parts(title, points, parts, problems).showing(
        table=pd.DataFrame(rows, columns=[f"of {len(asked):,} requests", ""])
    )


_KINDS = {
    "too free": "{n} of {all} requests are allowed that must be denied.",
    "too strict": "{n} of {all} requests are denied that may be allowed.",
    "duties": "{n} of {all} requests are allowed with other duties than they carry.",
}


def _difference(found: Answer, wanted: Answer) -> str:
    if found.decision != wanted.decision:
        return "too free" if found.decision == "allow" else "too strict"
    return "duties" if wanted.decision == "allow" and found.duties != wanted.duties else ""


def _answer(decide: Callable[[Request], Any], request: Request, shown: bool = False) -> Answer:
    said: Any = call(decide, dict(request), shown=str(dict(request)) if shown else "")
    duties: Any = ()
    if isinstance(said, Answer):
        said, duties = said.decision, said.duties
    elif isinstance(said, tuple | list) and len(said) == 2:
        said, duties = said
    if (allowed := compare.truth(said)) is not None:
        said = "allow" if allowed else "deny"
    if not compare.among(said, ("allow", "deny")):
        raise CallFailed(
            f"a decision is 'allow' or 'deny', not {repr(said) if shown else compare.kind_of(said)}"
        )
    if isinstance(duties, str) or not isinstance(duties, list | tuple | set | frozenset):
        raise CallFailed("duties are a set of texts")
    return Answer(said, frozenset(map(str, duties)))


def _smallest(
    decide: Callable[[Request], Any],
    intended: Callable[[Request], Answer],
    attributes: Attributes,
    request: Request,
    kind: str,
) -> dict[str, Any]:
    def fails(trial: Mapping[str, Any]) -> bool:
        asked = _without_absent(trial.items())
        try:
            return _difference(_answer(decide, asked), intended(asked)) == kind
        except CallFailed:
            return False

    whole = {name: request.get(name, ABSENT) for name in attributes}
    return _without_absent(simpler(whole, attributes, fails).items())


def combines(
    decide: Callable[[Sequence[Any], Request], Any],
    intended: Callable[[Sequence[Any], Request], Answer],
    policies: Sequence[Any],
    attributes: Attributes,
    seed: int,
    points: float,
    count: int = 1_500,
    prohibits: Callable[[Any], bool] | None = None,
    shown: bool = True,
    title: str = "policies together",
) -> Result:
    """Points for code that decides by a set of policies, tried with random sets of them and random requests.

    Beside the intended answer it must have what every such engine has: without a policy nothing is allowed, the order of policies
    does not matter, and one more prohibition never turns a denial into a permission. Of the intended answers, those to allow count as
    much as those to deny, however many there are of each.

    Parameters
    ----------
    decide, intended : callable
        From policies and a request to an answer, as in ``decides``.
    policies : sequence
        From which the sets are drawn.
    prohibits : callable, optional
        Whether a policy is a prohibition.
    """
    random = np.random.default_rng(seed)
    wrong = dict.fromkeys(_LAWS, 0)
    asked, missed = {"allow": 0, "deny": 0}, {"allow": 0, "deny": 0}
    example: tuple[list[Any], dict[str, Any]] | None = None
    forbidding = [p for p in policies if prohibits and prohibits(p)]

    def answer(some: Sequence[Any], request: Request) -> Answer:
        return _answer(lambda asked: decide(list(some), asked), request)

    try:
        for request in itertools.islice(itertools.cycle(requests(attributes, seed, count)), count):
            size = int(random.integers(0, min(6, len(policies)) + 1))
            some = [policies[int(i)] for i in random.permutation(len(policies))[:size]]
            found, wanted = answer(some, request), intended(some, request)
            asked[wanted.decision] += 1
            if _difference(found, wanted):
                wrong["intended"] += 1
                missed[wanted.decision] += 1
                example = example or (some, dict(request))
            if not some and found.decision != "deny":
                wrong["deny by default"] += 1
            if answer(some[::-1], request) != found:
                wrong["order"] += 1
            if forbidding and found.decision == "deny":
                more = [*some, forbidding[int(random.integers(len(forbidding)))]]
                wrong["prohibition"] += answer(more, request).decision == "allow"
    except CallFailed as failure:
        return Result.failed(title, points, "policies.fails when called", f"{failure}.")
    problems = []
    for law, times in wrong.items():
        if times:
            shrunk = ""
            if law == "intended" and shown and example is not None:
                some, request = _fewest(answer, intended, *example)
                wanted = intended(some, request)
                shrunk = f" The smallest: policies {some}, request {request}: {wanted.decision} is intended."
            problems.append(
                Problem(f"policies.{law}", f"{_LAWS[law]} Not so {times} times.{shrunk}")
            )
    parts = {law: float(times == 0) for law, times in wrong.items()}
    parts["intended"] = max(0.0, 1 - sum(missed[side] / max(1, asked[side]) for side in asked))
    if parts["intended"] == 0:  # a constant answer breaks no law
        parts = dict.fromkeys(parts, 0.0)
    return Result.from_parts(title, points, parts, problems)


def _fewest(
    answer: Callable[[Sequence[Any], Request], Answer],
    intended: Callable[[Sequence[Any], Request], Answer],
    some: list[Any],
    request: dict[str, Any],
) -> tuple[list[Any], dict[str, Any]]:
    def fails(fewer: list[Any], asked: Request) -> bool:
        try:
            return bool(_difference(answer(fewer, asked), intended(fewer, asked)))
        except CallFailed:
            return False

    fewer = shorter(some, lambda trial: fails(trial, request))
    names = shorter(
        list(request), lambda kept: fails(fewer, {n: v for n, v in request.items() if n in kept})
    )
    return fewer, {name: request[name] for name in names}


_LAWS = {
    "intended": "Policies and a request have an intended answer.",
    "deny by default": "Without any policy nothing is allowed.",
    "order": "The order of the policies does not change the answer.",
    "prohibition": "One more prohibition never turns a denial into a permission.",
}
