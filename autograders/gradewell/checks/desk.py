"""Lab 9: a desk that answers questions about ranges of values, and keeps an account of what each value has been asked."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np

from gradewell.checks import compare, noise
from gradewell.checks.budget import left_of
from gradewell.checks.calls import COPIED, CallFailed, Function, call, run, runs_code_of
from gradewell.checks.result import Problem, Result

_RULES = {
    "noise": "A new question is answered by the true number, of the values from low up to and without high, with Laplace noise of scale 1 / epsilon.",
    "same question": "The same question with the same epsilon gets the same answer again, and costs nothing: fresh noise could be averaged away.",
    "disjoint": "Ranges that have nothing in common are about different people: together they cost no more than the dearest of them.",
    "overlap": "Where ranges overlap, the people in both are asked about twice: the costs add up there.",
    "refuses": "A question that would cost somebody more than the total is refused with an error, and so is one whose epsilon is not above 0.",
    "allows": "A question that costs no more than is left, even all of it, is answered.",
    "refusals": "A refused question changes nothing.",
}  # fmt: skip


def keeps_account(make: Function, seed: int = 1, points: float = 4) -> Result:
    """Points for ``Desk(values, total)``, with ``ask(low, high, epsilon)`` and ``left``.

    Parameters
    ----------
    make : callable
        From a list of numbers and a budget to an object. ``ask`` gives the noisy number of values from ``low`` up to, and without,
        ``high``; ``left`` is the total less the most that has been spent on any one value.
    """
    title, random = "the desk", np.random.default_rng(seed)
    good = dict.fromkeys(_RULES, 1.0)
    values = [int(value) for value in random.integers(0, 40, 60)]
    try:
        if runs_code_of(__name__, make, values, 1.0):
            return Result.failed(title, points, "desk.copied", COPIED)
        desks = [run(make, list(values), 100.0) for _ in range(20)]
        if any(not hasattr(one, name) for one in desks[:1] for name in ("ask", "left")):
            message = (
                "A desk has a method ask(low, high, epsilon), and left: what is left of the budget."
            )
            return Result.failed(title, points, "desk.form", message)
        asked = [(-1 - step, 20 + step) for step in range(30) for _ in desks]
        answers = [call(desks[n % 20].ask, *some, 0.0625) for n, some in enumerate(asked)]
        found = compare.numbers(answers, (len(asked),))
        if found is None:
            return Result.failed(title, points, "desk.form", "ask returns a finite number.")
        truth = np.array([sum(low <= v < high for v in values) for low, high in asked])
        exact = [(low, low + 10, sum(low <= v < low + 10 for v in values)) for low in values[:8]]
        sure = run(make, list(values), 1e9)
        near = compare.numbers(
            [call(sure.ask, low, high, 1e5) for low, high, _ in exact], (len(exact),)
        )
        right = near is not None and compare.worst(abs(near - [count for *_, count in exact])) < 0.1
        good["noise"] = float(right and noise.laplace(list(found - truth), 0, 16.0, 1).passed)
        for _ in range(8):
            _account(make, values, random, good)
    except CallFailed as failure:
        return Result.failed(title, points, "desk.fails when called", f"{failure}.")
    if not good["allows"] or not good["noise"]:  # who answers nothing keeps every rule
        good = {name: 0.0 if name in ("refuses", "refusals") else v for name, v in good.items()}
    problems = [Problem(f"desk.{name}", text) for name, text in _RULES.items() if not good[name]]
    return Result.from_parts(title, points, good, problems)


def _account(
    make: Function, values: list[int], random: np.random.Generator, good: dict[str, float]
) -> None:
    """One desk, asked at random, beside an account of what it has to have left; what is not so is put down in ``good``."""
    total = float(random.integers(4, 13)) / 4  # quarters add up exactly
    desk = run(make, list(values), total)
    asked: list[_Question] = []
    answers: dict[_Question, Any] = {}
    for _ in range(25):
        low = int(random.integers(0, 4)) * 10
        high = low + 10 * int(random.integers(1, 3))
        epsilon = float(random.choice([0.25, 0.25, 0.5, 1.0, 0.0, -0.25, total + 1]))
        question = (low, high, epsilon)
        before = _spent(asked)
        fits = epsilon > 0 and _spent([*asked, question]) <= total
        try:
            answer = call(desk.ask, *question)
        except CallFailed:
            answer = None
        left = left_of(desk)
        if question in asked:
            if not (
                compare.same(answer, answers[question]) and compare.close(left, total - before)
            ):
                good["same question"] = 0.0
                return
        elif fits and answer is None:
            good["allows"] = 0.0
            return
        elif not fits and answer is not None:
            good["refuses"] = 0.0
            return
        elif not fits:
            if not compare.close(left, total - before):
                good["refusals"] = 0.0
                return
        else:
            asked.append(question)
            answers[question] = answer
            if not compare.close(left, total - _spent(asked)):
                others = [one for one in asked if one != question]
                apart = all(start >= high or end <= low for start, end, _ in others)
                good["disjoint" if apart else "overlap"] = 0.0
                return


_Question = tuple[int, int, float]
"""From where, up to where, and with which epsilon."""


def _spent(asked: Collection[_Question]) -> float:
    """The most that has been spent on any one value."""
    starts = [low for low, _, _ in asked]
    return max((sum(e for low, high, e in asked if low <= at < high) for at in starts), default=0.0)
