"""Calling what a student wrote: quietly, and with errors turned into messages."""

from __future__ import annotations

import contextlib
import io
import sys
import warnings
from collections.abc import Callable, Collection, Sequence
from copy import deepcopy
from types import FrameType
from typing import Any

import numpy as np
import pandas as pd

from gradewell.checks import compare
from gradewell.checks.repeat import after_seeding, each, peak_memory, repeat, size
from gradewell.checks.result import Problem, Result
from gradewell.runner.inside.peer import Remote, as_copies, remote_module, settled

Function = Callable[..., Any]
"""What a student wrote."""
COPIED = "Your function calls the grader's. Write it yourself."
"""What is said where ``runs_code_of`` finds that it does."""


class CallFailed(Exception):
    """The student's function raised; the message says what and on which argument."""


def call(
    function: Callable[..., Any],
    *arguments: Any,
    shown: str = "",
    of: Callable[..., Any] | None = None,
) -> Any:
    """What ``function(*arguments)`` returns as a plain value (``compare.plain``), so that no class of a student's takes part in what follows.

    See ``run``.
    """

    def answered(*given: Any) -> Any:
        return compare.plain(function(*given))

    return run(answered, *arguments, shown=shown, of=function if of is None else of)


def run(
    function: Callable[..., Any],
    *arguments: Any,
    shown: str = "",
    of: Callable[..., Any] | None = None,
) -> Any:
    """What ``function(*arguments)`` returns, as it is: an object with methods, or what only the student's functions read.

    Output and warnings are swallowed: a word on stderr would cost the whole test cell its points in nbgrader, and pandas warns there.
    The function gets copies of tables, arrays and containers: what it changes in place is not what the check compares with.

    Parameters
    ----------
    shown : str
        How to name the arguments in the message; empty for hidden ones.
    of : callable, optional
        The student's function that the message is about, where ``function`` calls it.

    Raises
    ------
    CallFailed
        When it raised anything but an interruption.
    """
    about = function if of is None else of  # not its truth, which would be asked of the student
    with (
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(io.StringIO()),
        warnings.catch_warnings(),
        as_copies(),
    ):
        warnings.simplefilter("ignore")
        try:
            elsewhere = isinstance(about, Remote)  # where arguments arrive as copies
            return function(*(arguments if elsewhere else map(_copy, arguments)))
        except Exception as error:
            what = (
                f"{type(error).__name__}: {error}".rstrip(": ") if shown else compare.kind_of(error)
            )
            name = name_of(about)
            settled(about)
            raise CallFailed(f"{name}({shown or '...'}) raised {what}") from None


def _copy(value: Any) -> Any:
    """A copy of what holds data; anything else, such as an iterator or a callback, is itself."""
    if isinstance(value, pd.DataFrame | pd.Series | np.ndarray):
        return value.copy()
    if type(value) in (list, tuple, set):
        return type(value)(map(_copy, value))
    if type(value) is dict:
        return {key: _copy(item) for key, item in value.items()}
    return value


def name_of(function: Callable[..., Any]) -> str:
    """The name by which a message calls a student's function: where it runs elsewhere, that by which the test asked for it."""
    if isinstance(function, Remote):
        return vars(function)["_about"].rpartition(" ")[2]
    return str(getattr(function, "__name__", "your function"))


def right_in(
    cases: Sequence[tuple[str, tuple[Any, ...], Any]],
    function: Function,
    points: float,
    title: str,
    code: str,
) -> Result:
    """Points for the share of the cases in which a function returns what is expected; each that it gets wrong is shown.

    Parameters
    ----------
    cases : sequence of (str, tuple, object)
        What the case is about, the arguments, and the number or None that is expected.
    code : str
        Under which the problems stand: ``code.case``.
    """
    problems = []
    for name, arguments, expected in cases:
        shown = ", ".join(map(repr, arguments))
        try:
            found = call(function, *deepcopy(arguments), shown=shown)
        except CallFailed as failure:
            problems.append(Problem(f"{code}.{name}", f"{failure}"))
            continue
        if not compare.same(found, expected):
            said = f"{name_of(function)}({shown}) is {expected}, not {found!r:.40}"
            problems.append(Problem(f"{code}.{name}", f"With {name}: {said}."))
    share = 1 - len(problems) / len(cases)
    return Result.from_parts(title, points, {"cases": share}, problems)


def repeated(function: Callable[..., Any], times: int, *arguments: Any) -> list[Any]:
    """The results of ``times`` calls with the same arguments, asked for in one question.

    Raises
    ------
    CallFailed
        When one of them raised.
    """
    return _as_many(call(near(function, repeat), function, times, arguments, of=function), times)


def mapped(function: Callable[..., Any], values: Sequence[Any]) -> list[Any]:
    """The results for all values, asked for in one question.

    Raises
    ------
    CallFailed
        When one of the calls raised.
    """
    found = call(near(function, each), function, list(values), of=function)
    return _as_many(found, len(values))


def _as_many(found: Any, times: int) -> list[Any]:
    """The results of so many calls, which the student's process has counted."""
    if not isinstance(found, list) or len(found) != times:
        raise CallFailed(f"{times} calls did not give {times} results")
    return found


def pairs_of(found: Any) -> set[tuple[str, str]] | None:
    """What a function returned as pairs of texts; None when it is no list, tuple or set of such."""
    found = compare.plain(found)
    if not isinstance(found, list | tuple | set):
        return None
    pairs = [tuple(pair) if isinstance(pair, list | tuple) else () for pair in found]
    if any(len(pair) != 2 or not all(isinstance(one, str) for one in pair) for pair in pairs):
        return None
    return {(pair[0], pair[1]) for pair in pairs}


def repeatable(function: Callable[..., Any], *arguments: Any) -> bool:
    """Whether chance is of a generator that others can repeat: ``random``, or NumPy's old one, or one with a fixed seed.

    Raises
    ------
    CallFailed
        When it raised.
    """
    helper = near(function, after_seeding)
    one, other = (call(helper, function, arguments, of=function) for _ in range(2))
    return compare.same(one, other)


def measured(function: Callable[..., Any], *arguments: Any) -> tuple[Any, int]:
    """The result of a call, and by how many bytes its process grew at most.

    It is measured where the function runs, so an honest student's is honest; what nobody can pass is ``c.Runner.memory``.

    Raises
    ------
    CallFailed
        When it raised.
    """
    told = call(near(function, peak_memory), function, arguments, of=function)
    result, grown = told if isinstance(told, tuple | list) and len(told) == 2 else (None, None)
    return result, _bytes(grown)


def size_of(value: Any, function: Callable[..., Any]) -> int:
    """About how many bytes a result of ``function`` holds, counted where the function runs.

    Raises
    ------
    CallFailed
        It holds what has no content of its own, such as an open file or a generator.
    """
    return _bytes(call(near(function, size), value, of=function))


def _bytes(told: Any) -> int:
    """A number of bytes that the student's process has told."""
    if (found := compare.whole(told)) is None:
        raise CallFailed("the memory that it takes could not be measured")
    return found


def near(function: Callable[..., Any], helper: Callable[..., Any]) -> Callable[..., Any]:
    """The helper in the process in which the function runs."""
    if isinstance(function, Remote):
        there: Callable[..., Any] = getattr(
            remote_module(function, helper.__module__), helper.__name__
        )
        return there
    return helper


def runs_code_of(
    module: str, function: Callable[..., Any], *arguments: Any, names: Collection[str] = ()
) -> bool:
    """Whether a call ends up in functions of ``module``, or in those of them that are named (its dataclasses' own methods do not count)."""
    if isinstance(function, Remote):  # it is watched where it runs
        return bool(near(function, runs_code_of)(module, function, *arguments, names=names))
    found = False

    def watch(frame: FrameType, event: str, argument: object) -> None:
        nonlocal found
        code = frame.f_code
        if event == "call" and frame.f_globals.get("__name__") == module:
            mine = code.co_name in names if names else not code.co_name.startswith("__")
            found = found or mine

    before = sys.getprofile()
    sys.setprofile(watch)
    try:
        with contextlib.suppress(CallFailed):
            call(function, *arguments)
    finally:
        sys.setprofile(before)
    return found
