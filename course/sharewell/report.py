"""The class at a glance: points per task, and what went wrong most often."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from gradewell.terminal import visible
from rich.box import SIMPLE_HEAD
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from sharewell import content
from sharewell.course import Course

_RESULT = "application/vnd.gradewell.result+json"


@dataclass(frozen=True)
class Row:
    """One student's points by task."""

    student: str
    readable: bool
    """False when nbgrader could not run the submission."""
    points: dict[str, float]
    """What has been given so far."""
    possible: dict[str, float]
    waiting: dict[str, float]
    """Of the possible points, those that a person still has to give; no entry where none."""

    @property
    def total(self) -> float:
        return sum(self.points.values())


def rows(course: Course, lab: str) -> list[Row]:
    """The class as it stands in the gradebook, sorted by student. Tasks are the beginnings of cell names."""
    from nbgrader.api import MissingEntry

    found = []
    with course.gradebook() as gradebook:
        try:
            handed_in = gradebook.find_assignment(lab).submissions
        except MissingEntry:
            return []
        for submission in handed_in:
            points: Counter[str] = Counter()
            possible: Counter[str] = Counter()
            waiting: Counter[str] = Counter()
            for notebook in submission.notebooks:
                for grade in notebook.grades:
                    task = grade.name.partition("-")[0]
                    points[task] += grade.score
                    possible[task] += grade.max_score
                    if grade.needs_manual_grade:
                        waiting[task] += grade.max_score
            if possible:
                student = submission.student.id
                graded = course.root / "autograded" / student / lab
                readable = graded.is_dir() and not (graded / "not_graded.txt").exists()
                found.append(Row(student, readable, dict(points), dict(possible), dict(waiting)))
    return sorted(found, key=lambda row: row.student)


def problems(course: Course, lab: str) -> Counter[str]:
    """How many students met each problem, as the checks in ``autograded/`` reported it."""
    import nbformat

    counted: Counter[str] = Counter()
    for path in (course.root / "autograded").glob(f"*/{lab}/{lab}.ipynb"):
        met = set()
        for cell in nbformat.read(path, as_version=4).cells:
            name = cell.metadata.get("nbgrader", {}).get("grade_id", "")
            task = name.partition("-")[0] or "a cell of their own"
            for output in cell.get("outputs", []):
                result = output.get("data", {}).get(_RESULT, {})
                met |= {
                    problem["code"].replace(".", ": ", 1) for problem in result.get("problems", [])
                }
                if output.output_type == "error" and output.ename not in _TOLD_ELSEWHERE:
                    met.add(f"{task}: {_ERRORS.get(output.ename, output.ename)}")
        counted.update(met)
    return counted


_ERRORS = {
    "NotImplementedError": "nothing written",
    "NameError": "a name is not defined",
    "NotebookStopped": "the notebook was stopped here",
    "KeyboardInterrupt": "it took too long",
    "OutputLimitExceeded": "it put out more than can be kept",
}
_TOLD_ELSEWHERE = {"CheckFailed", "NotRun", "CellTimeoutError"}
"""Errors that follow from another one, or that a check has told."""


def show(console: Console, course: Course, lab: str) -> None:
    """Print the class table, the histogram and the most frequent problems."""
    members = rows(course, lab)
    if not members:
        console.print(f"No graded submission of {lab}.")
        return
    titles = content.labs().get(lab, {}).get("tasks", {})
    console.print(_class_table(members))
    absent = sorted(set(course.students()) - {row.student for row in members})
    if absent:
        console.print(f"Handed in nothing: {', '.join(absent)}", highlight=False, markup=False)
    width = max(map(len, members[0].possible))
    for task in members[0].possible:
        if task in titles:
            console.print(f"  [bold]{task:<{width}}[/] {titles[task]}", highlight=False)
    console.print()
    console.print(_histogram(members))
    console.print()
    console.print(_frequent(problems(course, lab), len(members)))


def _class_table(members: list[Row]) -> Table:
    possible = members[0].possible
    table = Table(title=f"Points of {len(members)} students", title_justify="left", box=SIMPLE_HEAD)
    table.add_column("student", no_wrap=True)
    for task, most in possible.items():
        table.add_column(f"{task}\nof {most:g}", justify="right")
    table.add_column(f"total\nof {sum(possible.values()):g}", justify="right", style="bold")
    for row in members:
        if not row.readable:
            table.add_row(Text(visible(row.student)), *["–"] * (len(possible) + 1), style="dim")
            continue
        cells = [_points(row, task) for task in possible]
        table.add_row(
            Text(visible(row.student)), *cells, f"{row.total:g}{_WAITS if row.waiting else ''}"
        )
    if any(row.waiting or not row.readable for row in members):
        table.caption = "… waits for a person: grade it in formgrader.  – could not be graded"
        table.caption_justify = "left"
    return table


_WAITS = " …"


def _points(row: Row, task: str) -> Text:
    points, most = row.points.get(task, 0.0), row.possible.get(task, 0.0)
    if waiting := row.waiting.get(task):
        return Text("…" if waiting == most and not points else f"{points:g}{_WAITS}", style="dim")
    return Text(f"{points:g}", style="green" if points == most else "red" if points == 0 else "")


def _histogram(members: list[Row]) -> RenderableType:
    """Students by tenth of the points that were graded so far."""
    tenths: Counter[int] = Counter()
    for row in filter(lambda row: row.readable, members):
        graded = sum(row.possible.values()) - sum(row.waiting.values())
        share = row.total / graded if graded else 0.0
        tenths[min(int(share * 10), 9)] += 1
    lines = [Text("Share of the points graded so far", style="bold")]
    for tenth in range(10):
        label = f"{tenth * 10:>3} to {tenth * 10 + 10:>3} %  "
        lines.append(Text.assemble(label, ("█" * tenths[tenth], "cyan"), f" {tenths[tenth] or ''}"))
    return Group(*lines)


def _frequent(counted: Counter[str], students: int, most: int = 10) -> RenderableType:
    if not counted:
        return Text("No check reported a problem.")
    table = Table(title="What went wrong most often", title_justify="left", box=SIMPLE_HEAD)
    table.add_column("problem")
    table.add_column("students", justify="right")
    for problem, count in sorted(counted.items(), key=lambda pair: (-pair[1], pair[0]))[:most]:
        table.add_row(Text(problem), f"{count} of {students}")
    return table
