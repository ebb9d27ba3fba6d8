"""Lab 10: an agreement in words that is written as policies in Cedar."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import cedarpy
import numpy as np

from gradewell.checks import access
from gradewell.checks.access import ABSENT, Answer, Request
from gradewell.checks.result import Problem, Result

ATTRIBUTES: dict[str, list[Any]] = {
    "role": ["doctor", "researcher", "health office", ABSENT],
    "purpose": ["treatment", "study", "epidemic", "study-marketing", ABSENT],
    "data": ["identified", "de-identified", ABSENT],
    "place": ["ward", "enclave", "abroad", ABSENT],
    "day": [20261230, 20261231, 20270101, ABSENT],
    "treats": [True, False, ABSENT],
    "emergency": [True, False, ABSENT],
    "staff": [False, True, ABSENT],
}
"""What a request may say, in the order of the agreement; a request may lack each of them."""
LOG, TELL, CHECK = "log", "tell the patient", "check what is taken out"
_COUNT = 4_000


def agreement(request: Request) -> Answer:
    """What the agreement of the lab says about a request."""
    asked: Any = request.get
    if asked("place") not in ("ward", "enclave"):
        return Answer("deny")
    if asked("staff") is not False and asked("treats") is not True:
        return Answer("deny")
    if (asked("role"), asked("purpose")) == ("doctor", "treatment") and asked("treats") is True:
        return Answer("allow", frozenset({LOG}))
    if (asked("role"), asked("purpose")) == ("researcher", "study"):
        fits = asked("data") == "de-identified" and asked("place") == "enclave"
        if fits and asked("day", 99999999) <= 20261231:
            return Answer("allow", frozenset({LOG, CHECK}))
    if (asked("role"), asked("purpose")) == ("health office", "epidemic") and asked("emergency") is True:  # fmt: skip
        return Answer("allow", frozenset({LOG, TELL}))
    return Answer("deny")


def cedar(text: Any, request: Mapping[str, Any]) -> Answer:
    """What policies in Cedar say about a request, all of whose attributes are in ``context``.

    Duties are the ``@duty`` annotations of the permits that decided, divided by semicolons.

    Raises
    ------
    ValueError
        The text is not Cedar.
    """
    return _Cedar(text).decide(request)


class _Cedar:
    """Policies that were read once."""

    def __init__(self, text: str) -> None:
        self.policies = cedarpy.PolicySet.from_str(text)
        read = json.loads(cedarpy.policies_to_json_str(text))["staticPolicies"]
        self.duties = {
            name: [one.strip() for one in policy.get("annotations", {}).get("duty", "").split(";")]
            for name, policy in read.items()
        }

    def decide(self, request: Request) -> Answer:
        asked = {
            "principal": 'Person::"somebody"',
            "action": 'Action::"read"',
            "resource": 'Table::"files"',
            "context": dict(request),
        }
        found = cedarpy.is_authorized(asked, self.policies, [])
        if not found.allowed:
            return Answer("deny")
        duties = {duty for name in found.diagnostics.reasons for duty in self.duties[name] if duty}
        return Answer("allow", frozenset(duties))


def kept(text: Any, seed: int = 1, points: float = 4, shown: bool = False) -> Result:
    """Points for policies in Cedar that decide as the agreement says, on thousands of requests.

    Parameters
    ----------
    text : str
        The policies.
    shown : bool
        Whether the smallest request that goes wrong is shown.
    """
    title = "the agreement"
    if not isinstance(text, str) or not text.strip():
        message = "The policies are a text in Cedar's language."
        return Result.failed(title, points, "agreement.form", message)
    try:
        policies = _Cedar(text)
    except ValueError as error:
        said = str(error).splitlines()[0][:200]
        return Result.failed(title, points, "agreement.form", f"This is not Cedar: {said}.")
    found = access.decides(
        policies.decide, agreement, ATTRIBUTES, seed, points, _COUNT, shown=True, title=title
    )
    wrong: dict[str, Request] = {}
    hole = False
    for name, request in _rare(seed):
        answer, meant = policies.decide(request), agreement(request)
        if answer != meant:
            wrong.setdefault(name, request)
            hole = hole or answer.decision == "allow" != meant.decision
    problems = [
        Problem(f"agreement.{name}", _CLAUSES[name] + (f" For example {request}." if shown else ""))
        for name, request in wrong.items()
    ]
    clauses = dict.fromkeys(_CLAUSES, 1.0) | dict.fromkeys(wrong, 0.0)
    if found.parts and not any(found.parts.values()):  # all are denied, or all allowed
        clauses = dict.fromkeys(clauses, 0.0)
    parts = {**found.parts, **clauses}
    if hole:  # however few requests know the way through it
        parts["denied as intended"] = 0.0
    return Result.from_parts(title, points, parts, [*problems, *(found.problems if shown else ())])


_CLAUSES = {
    "treatment": "Clause 1: doctors read files for treatment, of patients whom they treat; duty: log.",
    "study": "Clause 2: researchers read de-identified files for a study, in the enclave, up to and including 31 December 2026; duties: log, and check what is taken out.",
    "epidemic": "Clause 3: the health office reads files for an epidemic as long as there is an emergency; duties: log, and tell the patient.",
    "staff": "Clause 4: files of the hospital's own staff are read by nobody but those who treat them; where it is not known whether somebody is staff, the file counts as one of staff.",
    "place": "Clause 5: nothing is read from abroad, or where it is not known from where.",
    "other purposes": "Nothing else is allowed, for no other purpose.",
}  # fmt: skip


def _rare(seed: int) -> list[tuple[str, dict[str, Any]]]:
    """Requests close to what each clause allows: what it allows, and with one attribute changed."""
    plain: dict[str, Any] = {"data": "identified", "place": "ward", "day": 20270101, "treats": False, "emergency": False, "staff": False}  # fmt: skip
    allowed = {
        "treatment": {**plain, "role": "doctor", "purpose": "treatment", "treats": True},
        "study": {**plain, "role": "researcher", "purpose": "study", "data": "de-identified", "place": "enclave", "day": 20261231},
        "epidemic": {**plain, "role": "health office", "purpose": "epidemic", "emergency": True},
    }  # fmt: skip
    made = []
    for clause, request in allowed.items():
        made.append((clause, request))
        for name, values in ATTRIBUTES.items():
            for value in values:
                changed = {**request, name: value}
                if value == ABSENT:
                    del changed[name]
                about = {"staff": "staff", "place": "place", "purpose": "other purposes"}
                if clause == "study" and name == "place" and value == "ward":
                    made.append(("study", changed))
                else:
                    made.append((about.get(name, clause), changed))
    order = np.random.default_rng(seed).permutation(len(made))
    return [made[int(place)] for place in order]
