"""A whole class, from data to a graded gradebook: what ``sharewell demo`` shows.

Every step looks at what is there already, so that an interrupted demo goes on where it stopped.
"""

from __future__ import annotations

import os
import shlex
import shutil
import sys
import sysconfig
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from gradewell.runner.sandbox import unavailable
from rich.console import Console

from sharewell import content
from sharewell.course import Course, make
from sharewell.errors import SharewellError

LAB = "lab-04-classification"
MARK = ".sharewell-demo"
DEADLINE = datetime(2026, 10, 9, 18, 0)


@dataclass(frozen=True)
class Member:
    """A student of the demo, and what is handed in: a sample's name, or UNREADABLE."""

    student: str
    first_name: str
    last_name: str
    email: str
    hands_in: str


def run(
    folder: Path,
    restart: bool,
    console: Console,
    grade: Callable[..., object],
) -> None:
    """Make the demo's course, its class and its submissions; collect, grade, report, export.

    Parameters
    ----------
    grade : callable
        Grades a lab of a course (the command line's, with its progress bar).

    Raises
    ------
    SharewellError
        When ``folder`` holds something that is no demo, or cannot be written.
    """
    if restart and folder.exists():
        _throw_away(folder)
    if (folder / MARK).is_file():
        console.print(f"Going on with the demo in [bold]{folder}[/] (to start over: --restart).")
    else:
        console.print(f"[bold]1[/] Making an nbgrader course in [bold]{folder}[/] ...")
        if folder.is_dir() and any(folder.iterdir()):
            raise SharewellError(
                f"{folder} exists and is no demo. Name another folder: sharewell demo DIR; nothing was changed."
            )
        make(folder)
        (folder / MARK).write_text("made by sharewell demo\n", encoding="utf-8")
    course = Course(folder)
    _release(course, console)
    members = _class()
    _enrol(course, members)
    _hand_in(course, members, console)
    _collect(course, console)
    # without a sandbox on this machine: what this class hands in is ours
    missing = unavailable()
    where = f"without a sandbox, since {missing}" if missing else "in a sandbox"
    console.print(f"[bold]5[/] Grading: every notebook is run {where}, hidden checks included ...")
    outcome = grade(course, LAB, sandbox="none" if missing else None)
    console.print()
    _report(course, console, getattr(outcome, "failed", {}))


def _throw_away(folder: Path) -> None:
    if not (folder / MARK).is_file():
        raise SharewellError(
            f"{folder} is no demo, so it is not thrown away. Remove it yourself if you mean it."
        )
    shutil.rmtree(folder)


def _release(course: Course, console: Console) -> None:
    from sharewell.grading import prepare

    if not (course.root / "release" / LAB).is_dir():
        console.print(
            f"[bold]2[/] Making the student version of {LAB}, without solutions and hidden tests ..."
        )
    prepare(course, LAB)


UNREADABLE = "a file that is no notebook"
HANDED_IN = (
    *("right/model", "right/one-long-function", "right/without-regular-expressions") * 2,
    "wrong/nothing-written",
    "wrong/part-a-only",
    "wrong/syntax-error",
    "wrong/everything-withheld",
    "wrong/decides-on-column-names",
    "wrong/first-hundred-rows",
    "wrong/misses-full-width-digits",
    "wrong/no-check-digit",
    "wrong/single-columns-only",
    "wrong/drops-missing-values",
    "wrong/blunt-cases",
    "wrong/r1-work-secrets-left-out",
    "wrong/r6-k-21",
    "wrong/r6-unknown-k-is-fine",
    "wrong/r7-dominance-forgotten",
    "wrong/conditions-dropped",
    "wrong/table-joint-ignored",
    UNREADABLE,
)
"""What the class hands in, one entry a student: sample submissions, and one broken file."""


def _class() -> list[Member]:
    """Students of Datapolis in the order of their names; who hands in what does not show in it."""
    import datapolis

    people = datapolis.load("residents", rows=400, seed=24)
    people = people[people["occupation"] == "pupil or student"].dropna(subset=["email"])
    people = people.head(len(HANDED_IN)).assign(hands_in=HANDED_IN)
    people = people.sort_values(["family_name", "given_name"])
    chosen = people[["given_name", "family_name", "email", "hands_in"]].astype(str)
    return [
        Member(f"s{number:02}-{given}-{family}".lower().replace("'", ""), given, family, *rest)
        for number, (given, family, *rest) in enumerate(chosen.itertuples(index=False), start=1)
    ]


def _enrol(course: Course, members: list[Member]) -> None:
    with course.gradebook() as gradebook:
        for member in members:
            gradebook.update_or_create_student(
                member.student,
                first_name=member.first_name,
                last_name=member.last_name,
                email=member.email,
            )


def _hand_in(course: Course, members: list[Member], console: Console) -> None:
    """Write what a learning platform would export, into downloaded/LAB/archive."""
    import nbformat
    from gradewell import samples

    archive = course.root / "downloaded" / LAB / "archive"
    if archive.is_dir():
        return
    console.print(
        f"[bold]3[/] A class of {len(members)} hands in: right, partly right, wrong, empty, unreadable ..."
    )
    by_name = {sample.name: sample for sample in samples.load(content.submissions() / LAB)}
    source = course.root / "source" / LAB / f"{LAB}.ipynb"
    release = course.root / "release" / LAB / f"{LAB}.ipynb"
    with content.new_folder(archive) as new:
        for number, member in enumerate(members):
            moment = DEADLINE - timedelta(minutes=37 * number + 4)
            path = new / f"{member.student}_attempt_{moment:%Y%m%dT%H%M%S}_{LAB}.ipynb"
            if member.hands_in == UNREADABLE:
                path.write_text(
                    '{"cells": [{"cell_type": "code", "source": "def profi', encoding="utf-8"
                )
            else:
                nbformat.write(by_name[member.hands_in].notebook(source, release), path)


def _collect(course: Course, console: Console) -> None:
    """Sort the platform's files into submitted/STUDENT/LAB."""
    from sharewell.grading import submissions

    if len(submissions(course, LAB)) == len(HANDED_IN):
        return
    console.print("[bold]4[/] Collecting with nbgrader zip_collect ...")
    course.command("zip_collect", LAB, "--force")


def _report(course: Course, console: Console, failed: dict[str, str]) -> None:
    from sharewell import report

    report.show(console, course, LAB)
    if not any(row.total for row in report.rows(course, LAB)):  # some of them hand in what is right
        raise SharewellError(
            "grading does not work on this machine: nobody in the class has a point. The reasons stand above; "
            "`sharewell doctor` says what is missing. To try again from the start: --restart"
        )
    for student, reason in failed.items():
        console.print(f"\nNot graded: [bold]{student}[/]: {reason}", highlight=False)
    course.command("export")
    place = os.path.relpath(course.root)
    say = partial(console.print, soft_wrap=True, highlight=False)
    say(f"\nGrades:    {Path(place, 'grades.csv')}")
    say(f"Feedback:  {Path(place, 'feedback')}")
    say("\nNext, look at the class and grade the memos in nbgrader's formgrader:", style="bold")
    say(f"  cd {shlex.quote(place)}")
    say(f"  {_jupyter(course.root)} lab --LabApp.default_url=/formgrader")


def _jupyter(folder: Path) -> str:
    """What to type for ``jupyter`` in ``folder``: the name alone where the shell finds ours."""
    if sys.prefix in (sys.base_prefix, os.environ.get("VIRTUAL_ENV")):
        return "jupyter"
    return shlex.quote(os.path.relpath(Path(sysconfig.get_path("scripts")) / "jupyter", folder))
