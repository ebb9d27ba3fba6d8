"""The capstone: eight resources, five requesters, a release, and an attack on the releases of others. The exchange itself: ``loop``."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, cast

import numpy as np
import pandas as pd
from sharewell.classify import Audience, Item, classify, is_citation, strictness
from sharewell.exchange import Exchange
from sharewell.exchange import loop as finished
from sharewell.exchange.unfinished import STEPS

from gradewell.checks import loop, release
from gradewell.checks.calls import CallFailed, Function, call, near, runs_code_of
from gradewell.checks.loop.replay import replay
from gradewell.checks.population import population_seed
from gradewell.checks.release import KNOWN, SECRET
from gradewell.checks.result import Problem, Result

_COPIED = "Your function calls the grader's. Write it yourself."
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
    rows: dict[str, Any] = dict(given) if isinstance(given, Mapping) else {}
    cited: dict[str, Any] = dict(citations) if isinstance(citations, Mapping) else {}
    if any(not isinstance(rows.get(name), Mapping) for name in RESOURCES):
        message = "LABELS has a dict from audience to label for each of the eight resources."
        return Result.failed(title, points, "labels.form", message)
    right, looser, uncited = 0, [], []
    wrong = []
    for name in RESOURCES:
        said = [str(rows[name].get(audience)) for audience in AUDIENCES]
        for audience, label in zip(AUDIENCES, said, strict=True):
            good = label == _label_of(name, audience)
            right += good
            if not good:
                wrong.append(f"{name} for {audience}")
        known = [strictness(cast("Any", label)) for label in said if label in ("public", "restricted", "non-sharing")]  # fmt: skip
        if len(known) == 3 and known[2] < max(known[0], 0):
            looser.append(name)
        if "non-sharing" in said and not is_citation(str(cited.get(name, ""))):
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
    rows = given if isinstance(given, Mapping) else {}
    known = ("public", "restricted", "non-sharing")
    missing = [
        name
        for name in RESOURCES
        if not isinstance(rows.get(name), Mapping)
        or any(rows[name].get(audience) not in known for audience in AUDIENCES)
    ]
    if missing:
        message = f"There is no label yet for every audience of {', '.join(missing[:3])}."
        problems = [Problem("labels.form", message)]
    share = float(not problems)
    return Result.from_parts("the catalogue", points, {"complete": share}, problems)


def _label_of(name: str, audience: Audience) -> str:
    """What the decision rules say of a resource for an audience."""
    facts = _FACTS[name]
    duty = audience == "gov" and facts.get("personal") == "identified"
    return classify(Item(audience=audience, basis="duty" if duty else "none", **facts)).label


def closes(make: Any, seed: int, points: float, count: int = 30, shown: bool = True) -> Result:
    """``loop.closes`` for an exchange whose five steps are a team's own: the toolkit's finished steps earn nothing, under whatever name."""
    title, told = "the closed loop", [*loop.scripts()]
    try:
        there = near(make, replay)
        given = (make, loop.PEOPLE, loop.FIRST, told)
        if runs_code_of(finished.__name__, there, *given, names=STEPS):
            message = "Platform takes finished steps of the toolkit. Write them, in a class that inherits from Unfinished."
            return Result.failed(title, points, "loop.copied", message)
        outcomes = [outcome for some, _ in call(there, *given, of=make) for outcome in some]
    except CallFailed as failure:
        return Result.failed(title, points, "loop.fails when made", f"{failure}.")
    attempted = [event for story in told for event, *_ in story]
    unwritten = {
        event
        for event, outcome in zip(attempted, outcomes, strict=True)
        if event in STEPS and outcome.startswith(NotImplementedError.__name__)
    }
    found = loop.closes(make, seed, points, count, shown, title)
    share = 1 - len(unwritten) / len(STEPS)  # what works without them is no merit
    return replace(found, points=int(found.points * share * 4) / 4) if unwritten else found


# -- service ----------------------------------------------------------------------------------------

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
            return Result.failed(title, points, "service.copied", _COPIED)
        for _ in range(400):
            request = _request(random)
            kind, meant = _answer(request)
            found = call(function, {**request, "fields": list(request["fields"])})
            if not _is_answer(found):
                message = 'answer returns ("approve", a list of fields) or ("reject", a reason that is not blank).'
                return Result.failed(title, points, "service.form", message)
            right = found[0] == meant[0] and (meant[0] == "reject" or set(found[1]) == set(meant[1]))  # fmt: skip
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
    if found[0] == "reject":
        return isinstance(found[1], str) and bool(found[1].strip())
    return bool(
        found[0] == "approve"
        and isinstance(found[1], list | tuple | set | frozenset)
        and all(isinstance(name, str) for name in found[1])
    )


def _request(random: np.random.Generator) -> dict[str, Any]:
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


def _answer(request: Mapping[str, Any]) -> tuple[str, tuple[str, list[str]]]:
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


# -- the attack on others' releases -----------------------------------------------------------------

_ATTACKED = {
    "finds": "Whoever can be found is found: in some of the releases you claim {share:.0%} of the patients whose illness they give away.",
    "sure": "Claims are right: in some of the releases {share:.0%} of yours are. Say nothing where rows that can be theirs differ.",
    "quiet": "Of a release that gives nobody away, claim nothing.",
}  # fmt: skip
_RIGHT = 0.95


def attacks(function: Function, seed: int = 1, points: float = 2, shown: bool = False) -> Result:
    """Points for ``attack(table, known)``: the illness of everybody of whom a release gives it away, and of nobody else.

    Parameters
    ----------
    function : callable
        From a release and a table of what is known of people (``KNOWN``), to a dict from the people's index labels to illnesses.
    """
    title = "an attack on others' releases"
    people = release.patients(seed).sample(700, random_state=seed % 2**32)
    found_all, right_all = [], []
    quiet = 1.0
    try:
        for number, (name, make) in enumerate(_WEAK.items()):
            table = make(people).sample(frac=1, random_state=number).reset_index(drop=True)
            known = people[list(KNOWN)]
            if not number and runs_code_of(release.__name__, function, table.head(20).copy(), known.head(5).copy()):  # fmt: skip
                return Result.failed(title, points, "attacks.copied", _COPIED)
            claims = call(function, table.copy(), known.copy())
            if not isinstance(claims, Mapping):
                message = "attack returns a dict from a person's index label to an illness."
                return Result.failed(title, points, "attacks.form", message)
            given = _given_away(table, people)
            true = people[SECRET].to_dict()
            right = {who for who, what in claims.items() if who in true and true[who] == what}
            if name == "strong":
                quiet = float(len(claims) <= 0.01 * len(people))
            elif given:
                found_all.append(len(given & set(claims)) / len(given))
                right_all.append(len(right) / len(claims) if claims else 0.0)
    except CallFailed as failure:
        return Result.failed(title, points, "attacks.fails when called", f"{failure}.")
    except TypeError:
        message = "The claims name people by their index labels."
        return Result.failed(title, points, "attacks.form", message)
    finds, sure = min(found_all), min(right_all)
    parts = {"finds": float(finds >= _RIGHT) or finds / 2, "sure": float(sure >= _RIGHT) or sure / 2, "quiet": quiet}  # fmt: skip
    if not finds:
        parts = dict.fromkeys(parts, 0.0)
    shares = {"finds": finds, "sure": sure, "quiet": 0.0}
    problems = [
        Problem(f"attacks.{name}", text.format(share=shares[name]))
        for name, text in _ATTACKED.items()
        if parts[name] < 1
    ]
    return Result.from_parts(title, points, parts, problems)


def _given_away(table: pd.DataFrame, people: pd.DataFrame) -> set[Any]:
    counts = release.read(table, people)[1]
    return set(people.index[np.flatnonzero(release.certain(counts, people))])


def _bands(column: pd.Series, width: int) -> pd.Series:
    low = column // width * width
    return low.astype(str) + "-" + (low + width - 1).astype(str)


def _coarse(age: int, nights: int, areas: bool, k: int, varied: int) -> Callable[[pd.DataFrame], pd.DataFrame]:  # fmt: skip
    def made(people: pd.DataFrame) -> pd.DataFrame:
        table = people.drop(columns="phone").assign(
            age=_bands(people["age"], age),
            nights=_bands(people["nights"], nights),
            district=people["district"].map(release.AREAS) if areas else people["district"],
        )
        classes = table.groupby(list(KNOWN))[SECRET]
        return table[(classes.transform("size") >= k) & (classes.transform("nunique") >= varied)]

    return made


_WEAK: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    "no phones": lambda people: people.drop(columns="phone"),
    "coarser": _coarse(10, 4, False, 1, 1),
    "a crowd without variety": _coarse(20, 8, True, 4, 1),
    "nights suppressed": lambda people: _coarse(20, 4, True, 1, 1)(people).assign(nights="*"),
    "strong": _coarse(40, 8, True, 5, 2),
}
"""Releases as others make them."""


def found_by(function: Function, table: Any, people: pd.DataFrame) -> float:
    """The share of people whose illness an attack claims rightly; 0 for an attack that is not sure of what it says.

    Raises
    ------
    CallFailed
        The attack raised.
    """
    claims = call(function, table.copy(), people[list(KNOWN)].copy())
    if not isinstance(claims, Mapping) or not claims:
        return 0.0
    true = people[SECRET].to_dict()
    right = sum(true.get(who) == what for who, what in claims.items())
    return right / len(people) if right >= _RIGHT * len(claims) else 0.0


# -- the audit --------------------------------------------------------------------------------------


class _Lenient(Exchange):
    """Nobody confirms but whoever comes."""

    def _permit(self, actor: str, event: str, subject: Any, **context: Any) -> None:
        if event != "confirm":
            super()._permit(actor, event, subject, **context)


class _Eager(Exchange):
    """The last day is not looked at."""

    def _permit(self, actor: str, event: str, subject: Any, **context: Any) -> None:
        if event == "use":
            subject = type(subject)(subject.kind, subject.name, {**subject.attributes, "until": self.today})  # fmt: skip
        super()._permit(actor, event, subject, **context)

    def _by_itself(self, event: str, grant: str) -> None:
        if event != "expire":
            super()._by_itself(event, grant)


class _Patient(Exchange):
    """Requests wait for ever."""

    def _by_itself(self, event: str, grant: str) -> None:
        if event != "escalate":
            super()._by_itself(event, grant)


@cache
def _logs(seed: int) -> dict[str, list[dict[str, Any]]]:
    told = loop.stories(seed, 30)
    found: dict[str, list[dict[str, Any]]] = {}
    for name, kind in {"north": _Lenient, "south": _Eager, "west": _Patient}.items():
        for story in told:
            exchange = kind(loop.PEOPLE, loop.FIRST)
            names: dict[str, str] = {}
            for one in story:
                loop.attempt(exchange, names, one)
            log = [dict(record) for record in exchange.log]
            if 8 <= len(log) <= 40 and loop.breaches(log):
                found[name] = log
                break
    return found


def logs(seed: int = 1) -> dict[str, list[dict[str, Any]]]:
    """The logs of three exchanges, each broken in one place, by name."""
    return deepcopy(_logs(seed))


def audited(given: Any, points: float = 6, seed: int = 1) -> Result:
    """Points for the first record of each log in which a rule is broken, and the rule's code: a dict from the log's name to both."""
    answers: dict[str, Any] = dict(given) if isinstance(given, Mapping) else {}
    problems = []
    right = 0.0
    for name, log in logs(seed).items():
        found = loop.breaches(log)
        number = found[0].number
        codes = {breach.code for breach in found if breach.number == number}
        said = answers.get(name)
        pair = list(said) if isinstance(said, tuple | list) and len(said) == 2 else [None, None]
        right += (pair[0] == number) / 2 + (pair[0] == number and pair[1] in codes) / 2
        if pair[0] != number:
            what = f"The first record of {name} that breaks a rule is another one."
            problems.append(Problem(f"audit.{name}", what))
        elif pair[1] not in codes:
            what = f"Record {number} of {name} breaks a rule, and it is another one."
            problems.append(Problem(f"audit.{name}", what))
    return Result.from_parts("the audit", points, {"logs": right / 3}, problems)


# -- teams against each other -----------------------------------------------------------------------


def handed_out(publish: Function) -> str:
    """A team's release of a hospital that is the same for all teams of a course, as JSON; empty where there is none."""
    with contextlib.suppress(CallFailed):
        table = call(publish, release.patients(population_seed(_COMMON)))
        if isinstance(table, pd.DataFrame):
            kept = [name for name in (*KNOWN, SECRET) if name in table]
            return str(table[kept].reset_index(drop=True).to_json(orient="split"))
    return ""


def attacked(attack: Function, releases: Mapping[str, str]) -> dict[str, float]:
    """The share of patients whom a team's attack finds in each of others' releases, as ``handed_out`` gives them."""
    people = release.patients(population_seed(_COMMON))
    found = {}
    for team, text in releases.items():
        found[team] = 0.0
        with contextlib.suppress(CallFailed):
            found[team] = found_by(attack, pd.read_json(io.StringIO(text), orient="split"), people)
    return found


_COMMON = "capstone-rivals"
"""Of the hospital that all teams of a course publish, and attack."""
