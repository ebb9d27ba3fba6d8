"""No message shows a hidden value: neither of a wrong answer, nor of code that wants its messages to.

Each hidden check meets functions that try to get what they are given into the message: as the text or the class of an error, as
their own name, as what they return. What they were given is noted, and looked for in everything that the student sees.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
import pandas as pd
import pytest
from gradewell.checks import (
    Result,
    access,
    allocation,
    attacks,
    budget,
    capstone,
    catalogue,
    cells,
    classification,
    dcat,
    desk,
    disclosure,
    emergency,
    engine,
    evidence,
    export,
    exposure,
    forecasting,
    linkage,
    loop,
    mechanisms,
    privacy,
    profiling,
    pseudonyms,
    quality,
    release,
    responsibility,
    revenue,
    secret_sharing,
    summaries,
    suppression,
    tables,
    utility,
)
from sharewell.classify import Decision

SECRET = "zq"
"""Marks the values that these tests hide; checks that draw their own have numbers with five digits or more in them."""
HIDDEN = re.compile(rf"[0-9][0-9,. -]{{4,}}[0-9X]|{SECRET}[a-z]+")


def tokens(value: Any) -> set[str]:
    """What could be recognised of a value in a message."""
    if isinstance(value, pd.DataFrame | pd.Series):
        value = value.to_csv()
    elif isinstance(value, np.ndarray):
        value = value.tolist()
    elif is_dataclass(value) and not isinstance(value, type):
        value = [getattr(value, field.name) for field in fields(value)]
    return set(HIDDEN.findall(value if isinstance(value, str) else repr(value)))


class Spy:
    """A student's function that remembers what it was given, and tells it in a way of its own."""

    def __init__(self, way: Callable[[Any, str], Any]) -> None:
        self.way, self.given, self.__name__ = way, set[str](), "answer"

    def __call__(self, *arguments: Any) -> Any:
        for argument in arguments:
            self.given |= tokens(argument)
        told = max(self.given, key=len, default=f"{SECRET}nothing")
        return self.way(self, told)


def raises_the_text(spy: Spy, told: str) -> Any:
    raise ValueError(told)


def raises_a_class(spy: Spy, told: str) -> Any:
    raise type(told, (KeyError,), {})


def returns_a_class(spy: Spy, told: str) -> Any:
    return type(told, (), {})()


WAYS: dict[str, Callable[[Spy, str], Any]] = {
    "raises the text": raises_the_text,
    "raises a class of that name": raises_a_class,
    "returns an object of a class of that name": returns_a_class,
    "returns the text": lambda spy, told: told,
    "returns a list of it": lambda spy, told: [told],
    "returns triples of it": lambda spy, told: [(told, told, told)],
    "returns a dict of it": lambda spy, told: {told: told},
    "returns a decision of it": lambda spy, told: Decision(told, (told,), (told,), told, False, told),
    "returns a frame of it": lambda spy, told: pd.DataFrame({told: [told]}),
    "returns numbers of it": lambda spy, told: float(re.sub("[^0-9]", "", told)[:12] or 12_345.678),
}  # fmt: skip

PEOPLE = pd.DataFrame(
    {
        "age": np.arange(18.25, 68.25, 0.5),
        "town": [f"{SECRET}town{'abcdefghij'[n % 10]}" for n in range(100)],
        "ill": [f"{SECRET}ill{'abc'[n % 3]}" for n in range(100)],
    }
)
COUNTS = pd.DataFrame(
    [(a, b, 3 if a == b else 40 + len(a)) for a in ("zqnorth", "zqsouth") for b in ("zqnorth", "zqsouth", "zqeast")],
    columns=["one", "other", "count"],
)  # fmt: skip
ATTRIBUTES = {
    "role": [access.ABSENT, f"{SECRET}doctor", f"{SECRET}clerk"],
    "purpose": [access.ABSENT, f"{SECRET}care"],
}


def of_a_release(answer: Callable[..., Any]) -> Result:
    """What a lab's test cell does: a release by the student's function, attacked."""
    release = answer(PEOPLE)
    if not isinstance(release, pd.DataFrame):
        release = pd.DataFrame({"age": [str(release)] * 3, "town": [str(release)] * 3})
    found = [
        attacks.linkage(release, PEOPLE, ["age", "town"]),
        attacks.singling_out(release, PEOPLE, seed=3),
        attacks.inference(release, PEOPLE[::2], PEOPLE[1::2], ["age"], "ill"),
    ]
    limits = {attack.name: 0.0 for attack in found}
    lost = utility.loss(release, PEOPLE, ["age", "town"], seed=3)
    first = disclosure.resists(found, limits, 5)
    second = utility.frontier(0.5, lost.total, [(0.1, 0.1)], 5)
    return Result("both", 0, 10, (*first.problems, *second.problems)).showing(
        first.figure, first.table
    )


def intended(request: Any) -> access.Answer:
    return access.Answer("allow" if "role" in request else "deny")


CHECKS: dict[str, Callable[[Spy], Result]] = {
    "profiling.hidden": lambda answer: profiling.hidden(answer, 3),
    "profiling.risky_sets": lambda answer: profiling.risky_sets(answer, 3),
    "classification.cards": lambda answer: classification.cards(answer, 3),
    "classification.properties": lambda answer: classification.properties(answer, 3),
    "classification.table": lambda answer: classification.table(answer, 3),
    "catalogue.validate": lambda answer: catalogue.validate(answer, 3, 5),
    "dcat.records": lambda answer: dcat.records(answer, answer, 3, 5),
    "responsibility.signed": lambda answer: responsibility.signed(answer, 3, 5),
    "cells.valid_number": lambda answer: cells.valid_number(answer, 3, 5),
    "cells.clean": lambda answer: cells.clean(answer, 3, 5),
    "linkage.link": lambda answer: linkage.link(answer, 3, 5),
    "linkage.people": lambda answer: linkage.people(answer, 3, 5),
    "a release": of_a_release,
    "access.decides": lambda answer: access.decides(answer, intended, ATTRIBUTES, 3, 5, shown=False),
    "access.combines": lambda answer: access.combines(
        answer, lambda policies, request: intended(request), [f"{SECRET}rule"], ATTRIBUTES, 3, 5, shown=False),
    "allocation.plans": lambda answer: allocation.plans(answer, 3, 5),
    "allocation.sharing": lambda answer: allocation.sharing(answer, 3, 5),
    "forecasting.forecasts": lambda answer: forecasting.forecasts(answer, 3, 5),
    "suppression.attacks": lambda answer: suppression.attacks(answer, 3, 5),
    "suppression.publishes": lambda answer: suppression.publishes(answer, 3, 5),
    "emergency.nowcasts": lambda answer: emergency.nowcasts(answer, 3, 5),
    "emergency.may_read": lambda answer: emergency.may_read(answer, 3, 5),
    "export.people": lambda answer: export.people(answer, 3, 5),
    "export.mechanisms": lambda answer: export.mechanisms(answer, answer, 3, 5),
    "revenue.split": lambda answer: revenue.split(answer, 3, 5),
    "exposure.links": lambda answer: exposure.links(answer, 3, 5),
    "exposure.report": lambda answer: exposure.report(answer, 3, 5),
    "engine.applies": lambda answer: engine.applies(answer, 3, 5),
    "engine.decides": lambda answer: engine.decides(answer, 3, 5),
    "secret_sharing.pieces": lambda answer: secret_sharing.pieces(answer, 3, 5),
    "secret_sharing.shamir": lambda answer: secret_sharing.shamir(answer, answer, 3, 5),
    "evidence.log": lambda answer: evidence.log(answer, answer, answer, 3, 5),
    "capstone.service": lambda answer: capstone.service(answer, 3, 5),
    "capstone.attacks": lambda answer: capstone.attacks(answer, 3, 5),
    "capstone.closes": lambda answer: capstone.closes(answer, 3, 5, 5, shown=False),
    "mechanisms.counts": lambda answer: mechanisms.counts(answer, 3, 5),
    "mechanisms.histograms": lambda answer: mechanisms.histograms(answer, 3, 5),
    "mechanisms.means": lambda answer: mechanisms.means(answer, 3, 5),
    "desk.keeps_account": lambda answer: desk.keeps_account(answer, 3, 5),
    "pseudonyms.pseudonyms": lambda answer: pseudonyms.pseudonyms(answer, 3, 5),
    "release.published": lambda answer: release.published(answer, 3, 5),
    "tables.protects": lambda answer: tables.protects(
        answer(COUNTS), COUNTS, ["one", "other"], 5, shown=False),
    "tables.protects, in the right form": lambda answer: tables.protects(
        COUNTS.assign(count=[answer(COUNTS)] * len(COUNTS)), COUNTS, ["one", "other"], 5, shown=False),
    "quality.faults": lambda answer: quality.faults(answer(PEOPLE), [(5, "town", "missing")], 5),
    "quality.links": lambda answer: quality.links(answer(PEOPLE), [("zqa", "zqb")], 5),
    "summaries.mergeable": lambda answer: summaries.mergeable(
        answer, answer, answer, {"numbers": [123456.75, 234567.5] * 60}, sum, 3, 5),
    "summaries.within_memory": lambda answer: summaries.within_memory(answer, [123456.75] * 10, 5, 1),
    "privacy.claims": lambda answer: privacy.claims(answer, 1.0, [(PEOPLE, PEOPLE.iloc[1:])], 5, times=200),
    "budget.accounting": lambda answer: budget.accounting(answer, 3, 5),
    "loop.closes": lambda answer: loop.closes(answer, 3, 5, 5, shown=False),
}  # fmt: skip


def seen(result: Result) -> str:
    """Everything that a student sees of a result, but for the pixels."""
    html = re.sub(r"src='data:[^']*'", "", result._repr_mimebundle_()["text/html"])
    alt = result.figure.alt if result.figure else ""
    return f"{result} {html} {alt}"


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("check", CHECKS)
def test_no_message_shows_what_a_function_was_given(check, way):
    spy = Spy(WAYS[way])
    try:
        text = seen(CHECKS[check](spy))
    except ValueError as error:  # of the function itself, called by the cell and not by a check
        if check not in ("a release", "quality.faults", "quality.links") and "tables" not in check:
            raise
        assert str(error) in spy.given
        return
    except KeyError:
        assert "class" in way
        return
    leaked = sorted(token for token in spy.given if token in text)
    assert not leaked, text
    assert SECRET not in text.replace("zqa", "").replace("zqb", "")


def test_the_spy_is_noticed_where_values_may_be_shown():
    """What this file looks for would be found."""
    spy = Spy(WAYS["raises the text"])
    assert SECRET in seen(access.decides(spy, intended, ATTRIBUTES, 3, 5, shown=True))
    spy = Spy(WAYS["returns the text"])
    assert SECRET in seen(access.decides(spy, intended, ATTRIBUTES, 3, 5, shown=True))
    practised = seen(profiling.practice(Spy(WAYS["raises the text"]), 4))
    assert len(HIDDEN.findall(practised)) > 0
