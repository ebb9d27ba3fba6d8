"""Grade a lab: gradewell runs the submissions in its sandbox, nbgrader keeps the gradebook and writes feedback."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sharewell.course import ConverterFailed, Course
from sharewell.errors import SharewellError

if TYPE_CHECKING:
    from rich.console import Console


@dataclass
class Outcome:
    """What became of the submissions of one run, student by student."""

    graded: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    stopped: dict[str, str] = field(default_factory=dict)
    """Student to the reason why parts of the submission were not run."""
    failed: dict[str, str] = field(default_factory=dict)
    """Student to reason."""


def submissions(course: Course, lab: str) -> list[str]:
    """The students who handed in ``lab``, sorted."""
    return sorted(
        path.parent.name for path in (course.root / "submitted").glob(f"*/{lab}") if path.is_dir()
    )


def grade(
    course: Course,
    lab: str,
    students: Iterable[str] = (),
    force: bool = False,
    sandbox: str | None = None,
    console: Console | None = None,
    check: Callable[[], None] = lambda: None,
) -> Outcome:
    """Autograde ``lab`` and write feedback, for all who handed in or for ``students``.

    A submission that was graded before and has not changed is left as it is, unless ``force``. One that
    cannot be graded costs only itself. An interrupted run goes on where it stopped.

    Parameters
    ----------
    sandbox : str
        auto, bubblewrap or none, over what the configuration says.
    console : Console
        Where progress is shown.
    check : callable
        Called between submissions; may raise KeyboardInterrupt.

    Raises
    ------
    SharewellError
        No such lab, no such student, nobody handed in, a lab that nbgrader cannot prepare, or no sandbox.
    """
    from gradewell.runner.command import grade as run
    from gradewell.runner.errors import RunnerError
    from rich.console import Console

    course.check_lab(lab)
    handed_in = submissions(course, lab)
    chosen = list(students) or handed_in
    missing = [student for student in chosen if student not in handed_in]
    if missing:
        raise SharewellError(
            f"{', '.join(missing)} handed in nothing: there is no {course.root / 'submitted' / missing[0] / lab}"
        )
    if not chosen:
        raise SharewellError(
            f"nobody has handed in {lab} yet. Put each notebook at "
            f"{course.root / 'submitted'}/STUDENT/{lab}/{lab}.ipynb, or collect them with nbgrader"
        )
    course.check_writable()
    prepare(course, lab)
    console = console or Console(quiet=True)
    options = ["--force"] if force else []
    try:
        with contextlib.chdir(course.root):
            done, _ = run(lab, options, {"sandbox": sandbox}, console, students=chosen)
    except RunnerError as error:
        raise SharewellError(str(error)) from error
    check()
    outcome = Outcome()
    for one in sorted(done, key=lambda one: one.student):
        if one.status == "failed":
            outcome.failed[one.student] = one.reason
        elif one.status == "unchanged":
            outcome.unchanged.append(one.student)
        else:
            outcome.graded.append(one.student)
            if one.status == "stopped":
                outcome.stopped[one.student] = one.reason
    for student, why in _write_feedback(
        course, lab, chosen, set(outcome.unchanged), console, check
    ).items():
        outcome.failed.setdefault(student, f"graded, but nbgrader cannot write its feedback: {why}")
    return outcome


def _write_feedback(
    course: Course,
    lab: str,
    students: list[str],
    unchanged: set[str],
    console: Console,
    check: Callable[[], None],
) -> dict[str, str]:
    """Write feedback. Returns student to reason, for those whose feedback could not be written."""
    from gradewell.waiting import Feedback
    from rich.progress import track

    wanted = [
        student
        for student in students
        if (course.root / "autograded" / student / lab).is_dir()
        and not (student in unchanged and (course.root / "feedback" / student / lab).is_dir())
    ]
    failed = {}
    for student in track(wanted, "Feedback", console=console, transient=True):
        try:
            course.run(Feedback, lab, student, force=True)
        except ConverterFailed as failure:
            failed[student] = str(failure).strip().splitlines()[-1]
        check()
    return failed


def prepare(course: Course, lab: str) -> None:
    """Make the student version and enter the lab in the gradebook, unless that was done before."""
    from gradewell.runner.submission import unreadable
    from nbgrader.api import MissingEntry
    from nbgrader.converters import GenerateAssignment

    with course.gradebook() as gradebook:
        try:
            gradebook.find_assignment(lab)
            if (course.root / "release" / lab).is_dir():
                return
        except MissingEntry:
            pass
    for notebook in sorted((course.root / "source" / lab).glob("*.ipynb")):
        if problem := unreadable(notebook):
            raise SharewellError(f"the lab cannot be prepared: {notebook} {problem}")
    try:
        course.run(GenerateAssignment, lab, student=".", force=True)
    except ConverterFailed as failure:
        raise SharewellError(
            f"nbgrader cannot make the student version of {lab}:\n{failure}"
        ) from failure
