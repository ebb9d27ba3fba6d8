"""``gradewell autograde`` from its options to its exit code."""

from __future__ import annotations

import json
import logging
import os
import sys
import sysconfig
import time
import warnings
from contextlib import ExitStack
from dataclasses import asdict
from typing import Any

from rich.console import Console

from . import app as apps
from .autograde import Run, Submission
from .report import Progress, summary


def autograde(
    assignment: str,
    options: list[str],
    settings: dict[str, Any],
    scheduler: str = "",
    as_json: bool = False,
) -> int:
    """Autograde an assignment of the course in the current folder.

    Parameters
    ----------
    options : list of str
        As for ``nbgrader autograde``.
    settings : dict
        Traits of Runner that are not None are set, over what the configuration says.
    scheduler : str
        Address of a Dask scheduler.

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
    _put_scripts_on_path()
    warnings.simplefilter("ignore")  # of nbgrader and SQLAlchemy, not about this course
    application = apps.load(options, **settings)
    logged = logging.INFO if application.log_level <= logging.DEBUG else logging.CRITICAL
    for handler in application.log.handlers:
        if isinstance(handler, logging.StreamHandler) and handler.stream in (
            sys.stderr,
            sys.stdout,
        ):
            handler.setLevel(logged)
    runner = application.begin(assignment)
    console = Console(stderr=as_json, width=None if sys.stdout.isatty() else 110)
    with ExitStack() as stack:
        stack.callback(runner.close)
        if scheduler:
            from .cluster import spread

            spread(runner, scheduler)
        if not runner.sandboxed:
            console.print("[yellow]Not sandboxed:[/] student code runs with your rights.")
        progress = stack.enter_context(Progress(console))
        run = Run(application, runner, progress)
        done = run.start()
    seconds = time.monotonic() - begun
    if as_json:
        print(json.dumps(_document(assignment, done, run.scores, seconds), indent=1))
    else:
        console.print(summary(done, seconds))
    return int(any(submission.status == "failed" for submission in done))


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
