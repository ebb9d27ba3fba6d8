"""The command line. Heavy imports happen inside the commands: ``--help`` answers at once."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from gradewell.terminal import visible

from sharewell import data
from sharewell.console import console, escape_foreign_characters, say
from sharewell.errors import SharewellError

if TYPE_CHECKING:
    from collections.abc import Iterable

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
app.add_typer(data.app, name="data")

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
        say(f"Making your folder {folder} ...")
    added = student.prepare(folder)
    if existed and added:
        say(f"New in {folder}: {', '.join(added)}")
    if no_open:
        say(f"Your folder is {folder}. Open it with: sharewell start {folder}")
        return
    say("Opening JupyterLab; Ctrl-C here closes it.")
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
    say(
        f"Your course is in {folder}: an ordinary nbgrader course with {len(content.labs())} lab(s)."
    )
    say(
        f"Next:  cd {folder}\n       nbgrader generate_assignment {lab}\n       sharewell grade {lab}"
    )


@app.command()
def grade(
    lab: Annotated[str, typer.Argument(metavar="LAB")],
    course: CourseOption = Path(),
    student: Annotated[list[str] | None, typer.Option("--student", help="Only this one.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Grade again what was graded.")] = False,
    sandbox: Annotated[
        str | None, typer.Option(metavar="auto|bubblewrap|none", help="How code is kept in.")
    ] = None,
) -> None:
    """Instructors: grade a lab, write feedback, and show the class."""
    from sharewell import report
    from sharewell.course import Course

    found = Course(course)
    outcome = _grade(found, lab, student or [], force, sandbox)
    report.show(console(), found, lab)
    say(
        f"\nGraded {len(outcome.graded)}, unchanged {len(outcome.unchanged)}. Feedback: {found.root / 'feedback'}"
    )
    if outcome.failed:
        reasons = "\n".join(f"  {who}: {why}" for who, why in outcome.failed.items())
        raise SharewellError(f"{len(outcome.failed)} submission(s) could not be graded:\n{reasons}")


@app.command()
def codes(
    course: CourseOption = Path(),
    student: Annotated[
        list[str] | None, typer.Option("--student", help="Only this one, known or not.")
    ] = None,
) -> None:
    """Instructors: print each student's code, as CSV. With it they get their own variant of the labs' data."""
    import csv

    from sharewell.course import Course

    found = Course(course)
    known = student or found.students()
    if not known:
        raise SharewellError(
            "the gradebook knows no students yet. Enter them (nbgrader db student import FILE.csv), or name "
            "one: sharewell codes --student ID"
        )
    lines = csv.writer(sys.stdout, lineterminator="\n")
    lines.writerow(["student", "code"])
    lines.writerows((one, found.code_of(one)) for one in known)


@app.command()
def me(
    code: Annotated[str, typer.Argument(metavar="CODE")],
    folder: Annotated[Path, typer.Argument(metavar="[DIR]")] = Path("sharewell-student"),
) -> None:
    """Students: keep the code that your instructor gave you. It makes your own variant of the labs' data.

    DIR is your folder; where there is none of that name, the one you are in.
    """
    from sharewell import variant

    default = folder == Path("sharewell-student") and not folder.is_dir()
    path = variant.keep(code, Path() if default else folder)
    say(f"Kept in {path}. Restart the kernels of notebooks that are open.")


@app.command(
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
    add_help_option=False,
)
def exchange(context: typer.Context) -> None:
    """Run the closed loop of sharing by hand: catalogue, classify, request, approve, release, use, audit."""
    from sharewell.exchange.cli import app as commands

    commands(context.args, prog_name="sharewell exchange")


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

    demonstration.run(folder, restart, console(), _grade)


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
    console().print(table)
    missing = [finding.what for finding in findings if finding.needed and not finding.ok]
    if missing:
        raise SharewellError(f"not ready: {', '.join(missing)}")
    say("Ready. Students: sharewell start. Instructors: sharewell demo.")


def _grade(
    course: Course,
    lab: str,
    students: Iterable[str] = (),
    force: bool = False,
    sandbox: str | None = None,
) -> Outcome:
    """Grade and show how it goes; an interruption says how to go on."""
    from sharewell import grading
    from sharewell.interruption import Interruption

    try:
        with Interruption() as ctrl_c:
            return grading.grade(course, lab, students, force, sandbox, console(), ctrl_c.check)
    except KeyboardInterrupt:
        say("Interrupted. What was graded is kept; the same command goes on from here.")
        raise


def main() -> None:
    """Run the command line. Our own errors are one message and exit code 1; Ctrl-C is 130."""
    escape_foreign_characters()
    try:
        app()
    except ValueError as error:
        ours = type(error).__module__.partition(".")[0] in ("sharewell", "datapolis", "gradewell")
        if not ours:
            raise
        typer.secho(f"Error: {visible(str(error))}", err=True, fg="red")
        sys.exit(1)
    except OSError as error:  # no space left, no permission: the system's words are clear enough
        typer.secho(f"Error: {error.strerror}: {error.filename or ''}", err=True, fg="red")
        sys.exit(1)
