"""Calling what a student wrote: quietly, and with errors turned into messages."""

from __future__ import annotations

import contextlib
import io
import sys
import warnings
from collections.abc import Callable
from types import FrameType
from typing import Any

from gradewell.runner.inside.peer import Remote, remote_module


class CallFailed(Exception):
    """The student's function raised; the message says what and on which argument."""


def call(function: Callable[..., Any], *arguments: Any, shown: str = "") -> Any:
    """``function(*arguments)``, with its output and warnings swallowed.

    A word on stderr would cost the whole test cell its points in nbgrader, and pandas warns there.

    Parameters
    ----------
    shown : str
        How to name the arguments in the message; empty for hidden ones.

    Raises
    ------
    CallFailed
        When it raised anything but an interruption.
    """
    with (
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(io.StringIO()),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")
        try:
            return function(*arguments)
        except Exception as error:
            what = (
                f"{type(error).__name__}: {error}".rstrip(": ") if shown else type(error).__name__
            )
            name = getattr(function, "__name__", "your function")
            raise CallFailed(f"{name}({shown or '...'}) raised {what}") from None


def runs_code_of(module: str, function: Callable[..., Any], *arguments: Any) -> bool:
    """Whether a call ends up in functions of ``module`` (its dataclasses' own methods do not count)."""
    if isinstance(function, Remote):  # it is watched where it runs
        there = remote_module(function, __name__)
        return bool(there.runs_code_of(module, function, *arguments))
    found = False

    def watch(frame: FrameType, event: str, argument: object) -> None:
        nonlocal found
        code = frame.f_code
        if event == "call" and frame.f_globals.get("__name__") == module:
            found = found or not code.co_name.startswith("__")

    before = sys.getprofile()
    sys.setprofile(watch)
    try:
        with contextlib.suppress(CallFailed):
            call(function, *arguments)
    finally:
        sys.setprofile(before)
    return found
