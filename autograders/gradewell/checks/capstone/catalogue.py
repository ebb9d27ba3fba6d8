"""The eight resources of the capstone, their labels, and the desk that serves five requesters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from sharewell.classify import Audience, Item, classify, is_citation, strictness
from sharewell.exchange.states import LABELS

from gradewell.checks import compare
from gradewell.checks.calls import COPIED, CallFailed, Function, call, runs_code_of
from gradewell.checks.result import Problem, Result

AUDIENCES: tuple[Audience, ...] = ("gov", "partner", "society")


@dataclass(frozen=True)
class Resource:
    """One of the eight: what it is in words, and what requests may be granted.

    ``needs``: for each purpose that its owner accepts, the fields that it takes. ``about_people``: it does not leave the country.
    """

    says: str
    fields: tuple[str, ...]
    needs: Mapping[str, tuple[str, ...]]
    about_people: bool = False


RESOURCES: dict[str, Resource] = {
    "timetable": Resource(
        "Stops and times of all buses of the city.",
        ("stop", "line", "time"),
        {},
    ),
    "bus positions": Resource(
        "Where each bus is, every ten seconds, as a stream.",
        ("bus", "line", "place", "moment"),
        {"plan buses": ("line", "place", "moment")},
    ),
    "register": Resource(
        "The population register: names, numbers, addresses. Offices get it for a statutory duty; nobody else has a legal ground.",
        ("name", "number", "address", "born"),
        {"check permits": ("name", "number")},
        about_people=True,
    ),
    "stays": Resource(
        "Hospital stays, de-identified: each row agrees with at least 7 others, at least 3 illnesses in each class. Health data.",
        ("district", "age", "nights", "illness"),
        {"plan beds": ("district", "nights"), "study illness": ("age", "illness")},
        about_people=True,
    ),
    "case counts": Resource(
        "Cases of influenza by street and week. The smallest cell has 2 people.",
        ("street", "week", "cases"),
        {"plan beds": ("week", "cases"), "trace contacts": ("street", "week", "cases")},
        about_people=True,
    ),
    "baskets": Resource(
        "A retailer's baskets with hashed card numbers, k = 6, not sensitive. A trade secret; the firm agrees that partners have it.",
        ("card", "week", "product", "amount"),
        {"forecast demand": ("week", "product", "amount")},
        about_people=True,
    ),
    "road plan": Resource(
        "The draft of next year's road works: a work secret until the council has decided.",
        ("road", "start", "end"),
        {},
    ),
    "air": Resource(
        "Air quality by station and day.",
        ("station", "day", "value"),
        {},
    ),
}  # fmt: skip
_FACTS: dict[str, dict[str, Any]] = {
    "timetable": {"unit": "object"},
    "bus positions": {"unit": "object", "demanding": True},
    "register": {"personal": "identified"},
    "stays": {"personal": "deidentified", "sensitive": True, "k": 8, "l": 3},
    "case counts": {"unit": "aggregate", "personal": "anonymous", "sensitive": True, "k": 2, "l": 2},
    "baskets": {"personal": "deidentified", "k": 6, "l": 4, "trade_secret": True, "owner_consent": True},
    "road plan": {"unit": "object", "secret": "work"},
    "air": {"unit": "object"},
}  # fmt: skip


def labels(given: Any, points: float = 4, citations: Any = None) -> Result:
    """Points for the labels of the eight resources, for each audience, and what non-sharing rests on.

    Parameters
    ----------
    given : mapping
        From a resource to a mapping from audience to label.
    citations : mapping
        From a resource that is not shared with somebody to the law, regulation or decision that forbids it.
    """
    title = "labels of eight resources"
    labelled, cited = _labels_in(given), _texts(citations)
    if not all(labelled.values()):
        message = "LABELS has a dict from audience to label for each of the eight resources."
        return Result.failed(title, points, "labels.form", message)
    right, looser, uncited = 0, [], []
    wrong = []
    for name in RESOURCES:
        said = labelled[name]
        for audience, label in zip(AUDIENCES, said, strict=True):
            good = label == _label_of(name, audience)
            right += good
            if not good:
                wrong.append(f"{name} for {audience}")
        between, _, opened = said
        if {between, opened} <= set(LABELS) and strictness(opened) < strictness(between):  # type: ignore[arg-type]
            looser.append(name)
        if "non-sharing" in said and not is_citation(cited.get(name, "")):
            uncited.append(name)
    meant = [_label_of(name, audience) for name in RESOURCES for audience in AUDIENCES]
    same = max(meant.count(label) for label in meant)  # what one label for all gets right
    parts = {
        "labels": max(0, right - same) / (3 * len(RESOURCES) - same),
        "opening is never looser than sharing": 1 - len(looser) / len(RESOURCES),
        "citations": 1 - len(uncited) / len(RESOURCES),
    }
    if right <= same:  # the same for all is no decision
        parts = dict.fromkeys(parts, 0.0)
    problems = []
    if wrong:
        message = f"By the decision rules, {len(wrong)} labels are others: look again at {', '.join(wrong[:3])}."
        problems.append(Problem("labels.labels", message))
    if looser:
        message = f"Society may have more of {', '.join(looser)} than public bodies."
        problems.append(Problem("labels.looser", message))
    if uncited:
        message = f"Non-sharing of {', '.join(uncited)} needs a law, regulation or State Council decision."
        problems.append(Problem("labels.citations", message))
    return Result.from_parts(title, points, parts, problems)


def catalogued(given: Any, citations: Any, points: float = 2) -> Result:
    """Whether the labels are complete and what non-sharing rests on is named: what can be said without giving the labels away."""
    found = labels(given, points, citations)
    problems = [problem for problem in found.problems if problem.code != "labels.labels"]
    missing = [
        name
        for name, said in _labels_in(given).items()
        if not said or any(label not in LABELS for label in said)
    ]
    if missing:
        message = f"There is no label yet for every audience of {', '.join(missing[:3])}."
        problems = [Problem("labels.form", message)]
    share = float(not problems)
    return Result.from_parts("the catalogue", points, {"complete": share}, problems)


def _labels_in(given: Any) -> dict[str, list[str]]:
    """What is said of each resource for each of the audiences, a blank for what is no text; nothing where no dict says anything."""
    rows = compare.plain(given)
    found = {name: rows.get(name) if isinstance(rows, dict) else None for name in RESOURCES}
    return {
        name: [_texts(row).get(audience, "") for audience in AUDIENCES if isinstance(row, dict)]
        for name, row in found.items()
    }


def _texts(given: Any) -> dict[str, str]:
    """The texts of a dict, by name."""
    pairs = compare.plain(given).items() if isinstance(given, Mapping) else ()
    return {name: text for name, text in pairs if isinstance(name, str) and isinstance(text, str)}


def _label_of(name: str, audience: Audience) -> str:
    """What the decision rules say of a resource for an audience."""
    facts = _FACTS[name]
    duty = audience == "gov" and facts.get("personal") == "identified"
    return classify(Item(audience=audience, basis="duty" if duty else "none", **facts)).label


REQUESTERS: dict[str, tuple[Audience, bool]] = {
    "city health office": ("gov", False),
    "retailer": ("partner", False),
    "university": ("partner", False),
    "foreign parent company": ("partner", True),
    "journalist": ("society", False),
}
"""Who asks: which audience, and whether what they get leaves the country."""
_SERVED = {
    "public": "Public data are approved, all fields that were asked for: nobody has to say why.",
    "not shared": "What is not shared with the requester's audience is rejected, and the reason says so.",
    "ground": "Restricted data need a ground: a duty for an office, a contract for everybody else.",
    "purpose": "Restricted data are for the purposes that their owner accepts, and for no other.",
    "fields": "Of the fields that were asked for, those are approved that the purpose needs; where none is left, the request is rejected.",
    "border": "Restricted data about people do not leave the country.",
}  # fmt: skip


def service(function: Function, seed: int = 1, points: float = 2, shown: bool = False) -> Result:
    """Points for ``answer(request)``: what honest requesters get, and what others do not.

    Parameters
    ----------
    function : callable
        From a dict with ``requester``, ``resource``, ``purpose``, ``fields``, ``ground`` (duty, contract or none) to
        ("approve", fields) or ("reject", reason).
    shown : bool
        Whether a request may be shown.
    """
    title, random = "service to requesters", np.random.default_rng(seed)
    good = dict.fromkeys(_SERVED, 1.0)
    example: dict[str, str] = {}
    sides: dict[str, list[bool]] = {"approve": [], "reject": []}
    try:
        if runs_code_of(__name__, function, _request(random)):
            return Result.failed(title, points, "service.copied", COPIED)
        for _ in range(400):
            request = _request(random)
            kind, meant = _answer(request)
            found = call(function, {**request, "fields": list(request["fields"])})
            if not _is_answer(found):
                message = 'answer returns ("approve", a list of fields) or ("reject", a reason that is not blank).'
                return Result.failed(title, points, "service.form", message)
            decided, fields = found
            right = compare.same(decided, meant[0]) and (
                meant[0] == "reject" or compare.same(set(fields), set(meant[1]))
            )
            sides[meant[0]].append(right)
            if not right:
                good[kind] = 0.0
                example.setdefault(kind, f"{request}: {meant[0]} {sorted(meant[1]) if meant[1] else ''}".strip())  # fmt: skip
    except CallFailed as failure:
        return Result.failed(title, points, "service.fails when called", f"{failure}.")
    served, kept = (sum(some) / len(some) for some in sides.values())
    parts = {**good, "served": served, "kept": kept}
    if not served or not kept:  # everything, or nothing
        parts = dict.fromkeys(parts, 0.0)
    problems = [
        Problem(f"service.{name}", text + (f" For example {example[name]}." if shown else ""))
        for name, text in _SERVED.items()
        if not good[name]
    ]
    return Result.from_parts(title, points, parts, problems)


def _is_answer(found: Any) -> bool:
    if not isinstance(found, tuple | list) or len(found) != 2:
        return False
    decided, told = found
    if compare.same(decided, "reject"):
        return isinstance(told, str) and bool(told.strip())
    return (
        compare.same(decided, "approve")
        and isinstance(told, list | tuple | set | frozenset)
        and all(isinstance(name, str) for name in told)
    )


Request = Mapping[str, Any]
"""What the check asks."""


def _request(random: np.random.Generator) -> Request:
    requester = list(REQUESTERS)[int(random.integers(len(REQUESTERS)))]
    name = list(RESOURCES)[int(random.integers(len(RESOURCES)))]
    resource = RESOURCES[name]
    purposes = [*resource.needs] * 2 + ["plan buses", "plan beds", "sell advertisements", "plan beds, later advertise"]  # fmt: skip
    audience = REQUESTERS[requester][0]
    fitting = {"gov": "duty", "partner": "contract"}.get(audience, "contract")
    count = int(random.integers(1, len(resource.fields) + 1))
    return {
        "requester": requester,
        "resource": name,
        "purpose": purposes[int(random.integers(len(purposes)))],
        "fields": [resource.fields[int(n)] for n in random.permutation(len(resource.fields))[:count]],
        "ground": fitting if random.random() < 0.8 else str(random.choice(["none", "duty", "contract"])),
    }  # fmt: skip


def _answer(request: Request) -> tuple[str, tuple[str, list[str]]]:
    """What decides a request, and how."""
    audience, abroad = REQUESTERS[request["requester"]]
    resource = RESOURCES[request["resource"]]
    label = _label_of(request["resource"], audience)
    if label == "public":
        return "public", ("approve", list(request["fields"]))
    if label == "non-sharing":
        return "not shared", ("reject", [])
    if request["ground"] != ("duty" if audience == "gov" else "contract"):
        return "ground", ("reject", [])
    if abroad and resource.about_people:
        return "border", ("reject", [])
    if request["purpose"] not in resource.needs:
        return "purpose", ("reject", [])
    left = [name for name in request["fields"] if name in resource.needs[request["purpose"]]]
    return "fields", ("approve", left) if left else ("reject", [])
