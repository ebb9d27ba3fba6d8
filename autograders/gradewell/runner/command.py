"""``gradewell autograde`` from its options to its exit code."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import sys
import sysconfig
import time
import warnings
from collections.abc import Collection
from contextlib import ExitStack
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.markup import escape

from . import app as apps
from .report import Progress, summary
from .run import Run
from .runner import Runner
from .sandbox import unavailable
from .submission import Submission


def autograde(
    assignment: str,
    options: list[str],
    settings: dict[str, Any],
    scheduler: str = "",
    as_json: bool = False,
) -> int:
    """What the command ``gradewell autograde`` does, in the course of the current folder.

    Parameters
    ----------
    options, settings, scheduler
        As for ``grade``.

    Returns
    -------
    int
        0, or 1 when some submissions could not be graded.

    Raises
    ------
    RunnerError
        Nothing could be graded, or the run could not go on.
    """
    begun = time.monotonic()
    console = Console(stderr=as_json, width=None if sys.stdout.isatty() else 110)
    done, scores = grade(assignment, options, settings, console, scheduler)
    seconds = time.monotonic() - begun
    if as_json:
        print(json.dumps(_document(assignment, done, scores, seconds), indent=1))
    else:
        console.print(summary(done, seconds))
    return int(any(one.status == "failed" or one.not_graded for one in done))


def grade(
    assignment: str,
    options: list[str],
    settings: dict[str, Any],
    console: Console,
    scheduler: str = "",
    students: Collection[str] = (),
) -> tuple[list[Submission], dict[str, tuple[float, float]]]:
    """Grade an assignment of the course in the current folder, and show on ``console`` how it goes.

    Parameters
    ----------
    options : list of str
        As for ``nbgrader autograde``.
    settings : dict
        Traits of Runner that are not None are set, over what the configuration says.
    scheduler : str
        Address of a Dask scheduler.
    students : collection of str
        Only these; empty for all.

    Returns
    -------
    list of Submission
    dict
        Student to points and most points, of all who have a grade.

    Raises
    ------
    RunnerError
        Nothing could be graded, or the run could not go on.
    """
    _put_scripts_on_path()
    with warnings.catch_warnings(), ExitStack() as stack:
        warnings.simplefilter("ignore")  # of nbgrader and SQLAlchemy, not about this course
        application = apps.load(options, settings)
        shown = logging.INFO if application.log_level <= logging.DEBUG else logging.CRITICAL
        for handler in application.log.handlers:
            if getattr(handler, "stream", None) in (sys.stderr, sys.stdout):
                handler.setLevel(shown)
        runner = application.begin(assignment)
        stack.callback(runner.close)
        _agree(runner, console)
        if scheduler:
            from .cluster import spread

            spread(runner, scheduler)
        run = Run(application, runner, stack.enter_context(Progress(console)))
        done = run.start(students)
        for note in run.notes:
            console.print(f"[yellow]Note:[/] {escape(note)}.", highlight=False)
        return done, run.scores


def _agree(runner: Runner, console: Console) -> None:
    """Without a sandbox only when told so: by the configuration, an option, or a person at the terminal."""
    if runner.sandbox == "auto" and (why := unavailable()) and sys.stdin.isatty():
        console.print(
            f"Student code cannot be sandboxed: {why}.\nIt would run with your rights, under limits of time, memory and "
            "files only.",
            highlight=False,
        )
        with contextlib.suppress(EOFError):
            answer = console.input("Go on without a sandbox? \\[y/N] ")
            if answer.strip().lower() in ("y", "yes"):
                runner.sandbox = "none"
    if not runner.sandboxed:
        console.print("[yellow]Not sandboxed:[/] student code runs with your rights.")


def _document(
    assignment: str,
    done: list[Submission],
    scores: dict[str, tuple[float, float]],
    seconds: float,
) -> dict[str, Any]:
    submissions = []
    for submission in sorted(done, key=lambda one: one.student):
        score, most = scores.get(submission.student, (None, None))
        submissions.append({**asdict(submission), "score": score, "max_score": most})
    return {"assignment": assignment, "seconds": seconds, "submissions": submissions}


def _put_scripts_on_path() -> None:
    """nbgrader calls ``alembic`` by name, which works in an activated environment only."""
    scripts = sysconfig.get_path("scripts")
    path = os.environ.get("PATH", "")
    if scripts not in path.split(os.pathsep):
        os.environ["PATH"] = scripts + os.pathsep + path
