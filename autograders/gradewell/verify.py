"""Is a lab's grading right? Every sample submission, graded as a class is, against the points that it must get.

What is shown for a lab: the starter earns nothing; the model solution and another right one earn everything; each wrong
sample loses what it must lose, and for the reason meant for it; a hostile one gains nothing; all of it in seconds.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
from rich.box import SIMPLE_HEAD
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text
from sharewell import content
from sharewell.course import CONFIG, Course, make
from sharewell.errors import SharewellError
from sharewell.grading import prepare

from gradewell.checks.result import MIME
from gradewell.runner.command import grade
from gradewell.runner.submission import Submission
from gradewell.samples import Sample, load

LONGEST = 30.0
"""Seconds that a lab may take to be graded."""
STARTER = "starter"
MODEL = "right/model"
SEEDS = 200
"""On how many other populations the model solution has to earn everything."""
SECRET = "tests"
"""From which the populations are drawn on which the samples get their points; on others, partly right ones get others."""


_ELSEWHERE = "seed-"
_SECRETS = f"""
_own = c.Runner.student_environment
c.Runner.student_environment = lambda student: {{
    **_own(student), **({{"SHAREWELL_SECRET": student}} if student.startswith({_ELSEWHERE!r}) else {{}})
}}
"""
"""Configuration that gives each of these students hidden populations of their own."""


@dataclass(frozen=True)
class Row:
    """What a sample must get, and what it got, by test cell."""

    sample: str
    expected: Mapping[str, float]
    earned: Mapping[str, float]
    possible: Mapping[str, float]
    faults: tuple[str, ...] = ()
    """What is wrong with the grading, each as a sentence; none when it is right."""


@dataclass
class Report:
    """All samples of a lab, and what holds for the lab as a whole."""

    rows: list[Row] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    slow: list[str] = field(default_factory=list)
    """Samples that took longer than a lab may; on a machine with other work, not the grading's fault."""

    @property
    def right(self) -> bool:
        return not self.faults and not any(row.faults for row in self.rows)


def verify(
    lab: str,
    folder: Path,
    console: Console,
    seeds: int = SEEDS,
    only: Callable[[Sample], bool] = lambda sample: True,
) -> Report:
    """Grade every sample of a lab in a new course, and the model solution and the wrong ones on other populations.

    Parameters
    ----------
    lab : str
        One of the course's own labs.
    folder : path
        Where the course is made; must not exist.
    console : Console
        Shows how it goes.
    seeds : int
        How many times the model solution is graded, each time with a secret of its own and as another student; for each
        hundred of them, a wrong one is graded once.
    only : callable
        Which samples are graded.

    Raises
    ------
    SharewellError
        No such lab, or a lab without samples.
    SampleError
        A sample that does not fit its lab.
    RunnerError
        Nothing can be graded here.
    """
    if lab not in content.labs():
        raise SharewellError(f"there is no lab {lab!r}; there are: {', '.join(content.labs())}")
    samples = [sample for sample in load(content.submissions() / lab) if only(sample)]
    if not samples:
        raise SharewellError(f"there are no samples in {content.submissions() / lab}")
    make(folder)
    (folder / "secret.txt").write_text(SECRET, encoding="utf-8")
    course = Course(folder)
    prepare(course, lab)
    source, release = (folder / step / lab / f"{lab}.ipynb" for step in ("source", "release"))
    handed_in = {sample.name: sample.notebook(source, release) for sample in samples}
    handed_in[STARTER] = nbformat.read(release, as_version=4)
    elsewhere = [(MODEL, f"{_ELSEWHERE}{n}") for n in range(1, seeds + 1)]
    wrong = [sample.name for sample in samples if sample.path.parent.name == "wrong"]
    elsewhere += [(name, f"{_ELSEWHERE}{n}-{name}") for n in range(seeds // 100) for name in wrong]
    handed_in |= {copy: handed_in[name] for name, copy in elsewhere}
    with (folder / CONFIG).open("a", encoding="utf-8") as config:
        config.write(_SECRETS)
    for name, notebook in handed_in.items():
        path = folder / "submitted" / _student(name) / lab / f"{lab}.ipynb"
        path.parent.mkdir(parents=True)
        nbformat.write(notebook, path)
    with contextlib.chdir(folder):
        done, _ = grade(lab, [], {}, console)
    report = Report()
    by_student = {submission.student: submission for submission in done}
    for sample in samples:
        report.rows.append(_row(course, lab, sample, by_student[_student(sample.name)]))
    report.rows.append(_starter(course, lab))
    report.faults = _of_the_lab(course, lab, samples)
    report.slow = [
        f"{one.student} took {notebook.seconds:.0f} s, more than {LONGEST:g}"
        for one in done
        for notebook in one.notebooks
        if notebook.seconds > LONGEST
    ]
    problems = {sample.name: set(sample.problems) for sample in samples}
    for name, copy in elsewhere:
        report.faults += _elsewhere(course, lab, name, copy, problems[name])
    return report


def _elsewhere(course: Course, lab: str, name: str, copy: str, problems: set[str]) -> Iterator[str]:
    """What is wrong with the grading of a sample on another population."""
    earned, possible = _points(course, lab, copy)
    lost = [cell for cell, most in possible.items() if earned[cell] != most]
    where = f"with the secret {_student(copy)!r}"
    if name == MODEL and lost:
        yield f"the model solution loses points in {', '.join(lost)} {where}"
    if name != MODEL and not lost:
        yield f"{name} loses nothing {where}"
    path = course.root / "autograded" / _student(copy) / lab / f"{lab}.ipynb"
    if name != MODEL and (untold := problems - problem_codes(path)):
        yield f"{name}: nobody is told of {', '.join(sorted(untold))} {where}"


def _row(course: Course, lab: str, sample: Sample, submission: Submission) -> Row:
    earned, possible = _points(course, lab, sample.name)
    expected = {cell: sample.points.get(cell, most) for cell, most in possible.items()}
    kind = sample.path.parent.name
    faults = []
    if unknown := set(sample.points) - set(possible):
        faults.append(f"the lab has no test cell {', '.join(sorted(unknown))}")
    if earned != expected:
        faults.append("other points than it must get")
    if (expected == possible) != (kind == "right"):
        faults.append(f"a {kind} sample is to get {'all' if expected == possible else 'less'}")
    path = course.root / "autograded" / _student(sample.name) / lab / f"{lab}.ipynb"
    if missing := set(sample.problems) - problem_codes(path):
        faults.append(f"nobody is told of {', '.join(sorted(missing))}")
    if kind == "right" and submission.reason:
        faults.append(submission.reason)
    return Row(sample.name, expected, earned, possible, tuple(faults))


def _starter(course: Course, lab: str) -> Row:
    earned, possible = _points(course, lab, STARTER)
    nothing = dict.fromkeys(possible, 0.0)
    faults = ("something is earned with nothing written",) if earned != nothing else ()
    return Row(STARTER, nothing, earned, possible, faults)


def _of_the_lab(course: Course, lab: str, samples: list[Sample]) -> list[str]:
    kinds = [sample.path.parent.name for sample in samples]
    faults = [f"there is no {kind} sample" for kind in ("wrong", "hostile") if kind not in kinds]
    if kinds.count("right") < 2:
        faults.append("there is no right sample that solves it in another way than the model")
    path = course.root / "autograded" / _student(MODEL) / lab / f"{lab}.ipynb"
    for cell in nbformat.read(path, as_version=4).cells if path.exists() else ():
        for output in cell.get("outputs", []):
            if output.output_type == "error":
                faults.append(f"the model solution ends with {output.ename} in {cell.id}")
    return faults


def _student(sample: str) -> str:
    return sample.replace("/", "-")


def _points(course: Course, lab: str, sample: str) -> tuple[dict[str, float], dict[str, float]]:
    """Earned and possible points of the cells that a machine grades."""
    with course.gradebook() as gradebook:
        submission = gradebook.find_submission(lab, _student(sample))
        grades = [g for notebook in submission.notebooks for g in notebook.grades]
        tested = [g for g in grades if g.cell.cell_type == "code"]
        earned = {g.name: g.auto_score for g in tested}
        return earned, {g.name: g.max_score for g in tested}


def problem_codes(notebook: Path) -> set[str]:
    """The codes of the problems that a graded notebook's checks reported."""
    return {
        problem["code"]
        for cell in nbformat.read(notebook, as_version=4).cells
        for output in cell.get("outputs", [])
        for problem in output.get("data", {}).get(MIME, {}).get("problems", [])
    }


def matrix(report: Report) -> RenderableType:
    """A line for each sample: the points by test cell, and what must have been where it was not."""
    possible = report.rows[0].possible
    table = Table(box=SIMPLE_HEAD, title=f"{len(report.rows)} samples", title_justify="left")
    table.add_column("sample")
    for cell, most in possible.items():
        table.add_column(f"{cell.replace('-', chr(10))}\nof {most:g}", justify="right")
    table.add_column("")
    for row in report.rows:
        cells = [_shown(row, cell) for cell in possible]
        verdict = Text("✗", style="red") if row.faults else Text("✓", style="green")
        table.add_row(Text(row.sample), *cells, verdict)
    wrong = [
        Text(f"{row.sample}: {fault}", style="red") for row in report.rows for fault in row.faults
    ]
    whole = (Text(fault, style="red") for fault in (*report.faults, *report.slow))
    return Group(table, *wrong, *whole)


def _shown(row: Row, cell: str) -> Text:
    got, expected = row.earned.get(cell), row.expected.get(cell)
    if got != expected:
        return Text(f"{got:g} not {expected:g}", style="red")
    full = got == row.possible[cell]
    return Text("·" if full else f"{got:g}", style="dim" if full else "")
