"""Grade a lab: nbgrader grades and writes feedback, one submission after the other, with progress."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from sharewell.course import ConverterFailed, Course
from sharewell.errors import SharewellError

_GLOB = re.compile(r"[*?\[\]{}]")


@dataclass
class Outcome:
    """What became of the submissions of one run, student by student."""

    graded: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
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
    progress: Callable[[str, int, int], None] = lambda student, done, total: None,
) -> Outcome:
    """Autograde ``lab`` and write feedback, for all who handed in or for ``students``.

    A submission that was graded before and has not changed is left as it is, unless ``force``. One that
    cannot be graded costs only itself. An interrupted run goes on where it stopped.

    Parameters
    ----------
    progress : callable
        Called before each submission with (student, done, total).

    Raises
    ------
    SharewellError
        No such lab, no such student, nobody handed in, or a lab that nbgrader cannot prepare.
    """
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
    outcome = Outcome()
    for done, student in enumerate(chosen):
        progress(student, done, len(chosen))
        try:
            if _grade_one(course, lab, student, force):
                outcome.graded.append(student)
            else:
                outcome.unchanged.append(student)
        except ConverterFailed as failure:
            outcome.failed[student] = _reason(course, lab, student, str(failure))
    progress("", len(chosen), len(chosen))
    return outcome


def prepare(course: Course, lab: str) -> None:
    """Make the student version and enter the lab in the gradebook, unless that was done before."""
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


def _grade_one(course: Course, lab: str, student: str, force: bool) -> bool:
    """Autograde one submission and write its feedback. False when it was already done."""
    from nbgrader.converters import Autograde, GenerateFeedback

    if _GLOB.search(student) or student != student.strip():
        raise ConverterFailed("odd name")
    log = course.run(Autograde, lab, student, force)
    skipped = "Skipping existing assignment" in log
    feedback = course.root / "feedback" / student / lab
    if not skipped or not feedback.is_dir():
        course.run(GenerateFeedback, lab, student, force=True)
    return not skipped


def _reason(course: Course, lab: str, student: str, log: str) -> str:
    """Why nbgrader could not grade it, in words that say what to do."""
    folder = course.root / "submitted" / student / lab
    if _GLOB.search(student) or student != student.strip():
        return (
            f"nbgrader cannot handle the name of submitted/{student}: "
            "rename the folder without * ? [ ] { } and spaces at its ends"
        )
    notebooks = sorted(folder.glob("*.ipynb"))
    if not notebooks:
        return f"there is no notebook in {folder}: ask for {lab}.ipynb"
    for notebook in notebooks:
        if problem := unreadable(notebook):
            return f"{notebook.name} {problem}: ask the student to hand it in again"
    if not (folder / f"{lab}.ipynb").is_file():
        names = ", ".join(notebook.name for notebook in notebooks)
        return f"there is no {lab}.ipynb, only {names}: rename it"
    errors = [line for line in log.splitlines() if line.strip()]
    return f"nbgrader gave up: {errors[-1] if errors else 'it did not say why'}"


def unreadable(notebook: Path) -> str:
    """What keeps a file from being a notebook, or an empty text."""
    import nbformat

    try:
        read = nbformat.read(notebook, as_version=4)
        nbformat.validate(read)
    except UnicodeDecodeError:
        return "is not a text file"
    except OSError as error:
        return f"cannot be read ({error.strerror})"
    except nbformat.ValidationError as error:
        return f"is no valid notebook ({str(error).splitlines()[0]})"
    except Exception:
        return "is damaged or no notebook at all"
    return ""
