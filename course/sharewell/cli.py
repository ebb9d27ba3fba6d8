"""The command line. Heavy imports happen inside the commands: ``--help`` answers at once."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sharewell.errors import SharewellError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import Console

    from sharewell.course import Course
    from sharewell.grading import Outcome

app = typer.Typer(
    name="sharewell",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="A campus course on sharing public data openly and safely.",
    epilog="Students begin with: sharewell start. Instructors with: sharewell demo, then: sharewell init DIR.",
)
data = typer.Typer(no_args_is_help=True, help="Tables of Datapolis, the synthetic country.")
app.add_typer(data, name="data")

CourseOption = Annotated[
    Path, typer.Option("--course", help="The course folder.", show_default="here")
]


@app.command()
def start(
    folder: Annotated[Path, typer.Argument(metavar="[DIR]")] = Path("sharewell-student"),
    no_open: Annotated[bool, typer.Option("--no-open", help="Make the folder only.")] = False,
    no_browser: Annotated[
        bool, typer.Option("--no-browser", help="Print the address only.")
    ] = False,
    port: Annotated[int, typer.Option(help="Where JupyterLab listens.")] = 8888,
) -> None:
    """Students: open JupyterLab on lessons, labs and data.

    The folder is made the first time. Later, new lessons are added and your work is left as it is.
    """
    from sharewell import student

    existed = folder.exists()
    if not existed:
        _say(f"Making your folder {folder} ...")
    added = student.prepare(folder)
    if existed and added:
        _say(f"New in {folder}: {', '.join(added)}")
    if no_open:
        _say(f"Your folder is {folder}. Open it with: sharewell start {folder}")
        return
    _say("Opening JupyterLab; Ctrl-C here closes it.")
    options = [f"--ServerApp.port={port}", "--ServerApp.ip=127.0.0.1"]
    code = student.open_jupyter(folder, options + ["--no-browser"] * no_browser)
    if code:
        raise SharewellError(f"JupyterLab stopped with exit code {code}; its own message is above")


@app.command()
def init(folder: Annotated[Path, typer.Argument(metavar="DIR")]) -> None:
    """Instructors: make an nbgrader course in DIR, ready to use."""
    from sharewell import content, course

    course.make(folder)
    lab = next(iter(content.labs()))
    _say(
        f"Your course is in {folder}: an ordinary nbgrader course with {len(content.labs())} lab(s)."
    )
    _say(
        f"Next:  cd {folder}\n       nbgrader generate_assignment {lab}\n       sharewell grade {lab}"
    )


@app.command()
def grade(
    lab: Annotated[str, typer.Argument(metavar="LAB")],
    course: CourseOption = Path(),
    student: Annotated[list[str] | None, typer.Option("--student", help="Only this one.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Grade again what was graded.")] = False,
) -> None:
    """Instructors: grade a lab, write feedback, and show the class."""
    from sharewell import report
    from sharewell.course import Course

    found = Course(course)
    outcome = _grade(found, lab, student or [], force)
    report.show(_console(), found, lab)
    _say(
        f"\nGraded {len(outcome.graded)}, unchanged {len(outcome.unchanged)}. Feedback: {found.root / 'feedback'}"
    )
    if outcome.failed:
        reasons = "\n".join(f"  {who}: {why}" for who, why in outcome.failed.items())
        raise SharewellError(f"{len(outcome.failed)} submission(s) could not be graded:\n{reasons}")


@app.command()
def demo(
    folder: Annotated[Path, typer.Argument(metavar="[DIR]")] = Path("sharewell-demo"),
    restart: Annotated[
        bool, typer.Option("--restart", help="Throw the old demo away first.")
    ] = False,
) -> None:
    """See the whole course once: a class of 24 hands in a lab and is graded.

    A demo that was interrupted goes on where it stopped.
    """
    from sharewell import demo as demonstration

    demonstration.run(folder, restart, _console(), _grade)


@app.command()
def doctor() -> None:
    """Say what this machine has and lacks, and what to do about it."""
    from rich.table import Table
    from rich.text import Text

    from sharewell.doctor import examine

    findings = examine()
    table = Table(show_header=False, box=None)
    for finding in findings:
        mark = "[green]✓[/]" if finding.ok else "[red]✗[/]" if finding.needed else "[yellow]○[/]"
        table.add_row(mark, finding.what, Text(finding.found, overflow="fold"))
        if not finding.ok:
            table.add_row("", "", Text(f"→ {finding.advice}", style="yellow"))
    _console().print(table)
    missing = [finding.what for finding in findings if finding.needed and not finding.ok]
    if missing:
        raise SharewellError(f"not ready: {', '.join(missing)}")
    _say("Ready. Students: sharewell start. Instructors: sharewell demo.")


@data.command("list")
def data_list() -> None:
    """The tables there are."""
    import datapolis

    for name in datapolis.tables():
        _say(f"{name:<12} {datapolis.schema(name)['description']}")


@data.command("show")
def data_show(
    name: str,
    rows: Annotated[int, typer.Option(help="How many rows.")] = 5,
    seed: Annotated[int, typer.Option(help="Which population.")] = 0,
) -> None:
    """The first rows of a table, and what its columns mean."""
    import datapolis
    from rich.table import Table
    from rich.text import Text

    frame = datapolis.load(name, rows=rows, seed=seed)
    described = {field["name"]: field for field in datapolis.schema(name)["fields"]}
    table = Table(title=f"{name}, seed {seed}", title_justify="left", show_lines=True)
    table.add_column("column", no_wrap=True)
    table.add_column("meaning" if described else "")
    table.add_column(f"first {len(frame)} values")
    for column in frame:
        field = described.get(str(column), {})
        unit = f" [{field['unit']}]" if "unit" in field else ""
        values = " · ".join(str(value) for value in frame[column])
        table.add_row(str(column), Text(field.get("description", "") + unit), Text(values))
    _console().print(table)


@data.command("make")
def data_make(
    name: str,
    to: Annotated[
        Path, typer.Option("--to", help="Parquet file to write.", show_default="NAME.parquet")
    ] = Path(),
    rows: Annotated[int, typer.Option(help="How many rows.")] = 10_000,
    seed: Annotated[int, typer.Option(help="Which population.")] = 0,
) -> None:
    """Write a table to a Parquet file."""
    import datapolis

    path = to if to != Path() else Path(f"{name}.parquet")
    if path.exists():
        raise SharewellError(f"{path} exists. Name another file with --to; nothing was changed.")
    datapolis.write(name, path, rows=rows, seed=seed)
    _say(f"{path}: {rows:,} rows, {path.stat().st_size / 1e6:.1f} MB")


def _grade(course: Course, lab: str, students: Iterable[str] = (), force: bool = False) -> Outcome:
    """Grade with a progress bar; an interruption says how to go on."""
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    from sharewell import grading
    from sharewell.interruption import Interruption

    columns = [
        TextColumn("Grading {task.fields[student]:<24}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    ]
    with Progress(*columns, console=_console()) as bar:
        task = bar.add_task("", total=None, student="", rate="")

        def progress(student: str, done: int, total: int) -> None:
            interruption.check()
            elapsed = bar.tasks[0].elapsed or 0
            rate = f"{elapsed / done:.1f} s each, left:" if done else ""
            bar.update(task, completed=done, total=total, student=student, rate=rate)

        try:
            with Interruption() as interruption:
                return grading.grade(course, lab, students, force, progress)
        except KeyboardInterrupt:
            bar.stop()
            _say("Interrupted. What was graded is kept; the same command goes on from here.")
            raise


def _console() -> Console:
    from rich.console import Console

    width = None if sys.stdout.isatty() else 110  # a log file is not 80 columns wide
    return Console(width=width)


def _say(text: str) -> None:
    typer.echo(text)


def main() -> None:
    """Run the command line. Our own errors are one message and exit code 1; Ctrl-C is 130."""
    try:
        app()
    except ValueError as error:
        ours = type(error).__module__.partition(".")[0] in ("sharewell", "datapolis", "gradewell")
        if not ours:
            raise
        typer.secho(f"Error: {error}", err=True, fg="red")
        sys.exit(1)
    except OSError as error:  # no space left, no permission: the system's words are clear enough
        typer.secho(f"Error: {error.strerror}: {error.filename or ''}", err=True, fg="red")
        sys.exit(1)
