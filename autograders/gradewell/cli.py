"""The command ``gradewell``. nbgrader is imported inside the commands: ``--help`` answers at once."""

from __future__ import annotations

import sys
from typing import Annotated

import typer
from sharewell.console import escape_foreign_characters

from gradewell.terminal import visible

app = typer.Typer(
    name="gradewell",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Grade nbgrader courses many at once, safe against the code that is graded.",
)


@app.callback()
def gradewell() -> None:
    """Grade nbgrader courses many at once, safe against the code that is graded."""


@app.command(
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
    epilog="Every other option goes to nbgrader: --CourseDirectory.autograded_directory=DIR and the like.",
)
def autograde(
    context: typer.Context,
    assignment: Annotated[str, typer.Argument(metavar="ASSIGNMENT")],
    student: Annotated[
        str, typer.Option(help="Only these students; * and ? as in nbgrader.")
    ] = "*",
    notebook: Annotated[str, typer.Option(help="Only these notebooks, likewise.")] = "*",
    force: Annotated[
        bool, typer.Option("--force", "-f", help="Grade again what is graded.")
    ] = False,
    create: Annotated[
        bool, typer.Option("--create", help="As in nbgrader, where it is the default.")
    ] = False,
    jobs: Annotated[
        int | None, typer.Option("--jobs", "-j", min=1, help="Notebooks at a time; one a core.")
    ] = None,
    timeout: Annotated[
        int | None, typer.Option(min=1, help="Seconds for each cell.", show_default="as configured")
    ] = None,
    memory: Annotated[
        int | None, typer.Option(min=16, help="MiB for each notebook, beside its libraries.")
    ] = None,
    scheduler: Annotated[
        str, typer.Option(metavar="ADDRESS", help="Run the notebooks on a Dask cluster.")
    ] = "",
    sandbox: Annotated[
        str | None, typer.Option(metavar="auto|bubblewrap|none", help="How code is kept in.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Say what became of it as JSON; progress to stderr.")
    ] = False,
) -> None:
    """Autograde submissions, in the folder of any nbgrader course.

    The same folders, configuration, gradebook and feedback as with nbgrader autograde. What is graded and has
    not changed is left alone; a run that was interrupted goes on. Exit code 1: some could not be graded.
    """
    from gradewell.runner.command import autograde as run

    options = list(context.args)
    options += [f"--student={student}"] * (student != "*")
    options += [f"--notebook={notebook}"] * (notebook != "*")
    options += ["--force"] * force + ["--create"] * create
    if timeout:
        options.append(f"--Execute.timeout={timeout}")
    settings = {"jobs": jobs, "memory": memory, "sandbox": sandbox}
    try:
        code = run(assignment, options, settings, scheduler, as_json)
    except KeyboardInterrupt:
        typer.echo("Interrupted. What is finished is kept; the same command goes on.", err=True)
        code = 130
    sys.exit(code)


@app.command()
def verify(
    lab: Annotated[str, typer.Argument(metavar="LAB")],
    seeds: Annotated[
        int, typer.Option(min=0, help="Populations on which the model solution is tried.")
    ] = 200,
) -> None:
    """Grade all sample submissions of one of our labs, and compare with the points that they must get.

    The model solution is graded on many populations besides, and has to earn everything on each; for each hundred, each wrong one is graded
    again, and has to lose. For who writes or changes a lab. Exit code 1: some sample gets other points, or not for its reason.
    """
    import tempfile
    from pathlib import Path

    from rich.console import Console

    from gradewell.verify import matrix
    from gradewell.verify import verify as run

    console = Console(width=None if sys.stdout.isatty() else 160)
    with tempfile.TemporaryDirectory(prefix="gradewell-verify-") as scratch:
        report = run(lab, Path(scratch) / "course", console, seeds)
    console.print(matrix(report))
    console.print(
        f"The grading is right. The model solution was tried on {seeds} other populations."
        if report.right and not report.slow
        else "The grading is right, and too slow."
        if report.right
        else "The grading is not right."
    )
    sys.exit(int(not report.right or bool(report.slow)))


@app.command()
def rivals(
    assignment: Annotated[str, typer.Argument(metavar="ASSIGNMENT")],
) -> None:
    """Run each team's attack against the releases of others, and enter how each release stood in the gradebook.

    For the capstone, after it was graded. The same command again does it anew.
    """
    from rich.console import Console

    from gradewell.rivals import meet, shown

    console = Console(width=None if sys.stdout.isatty() else 110)
    try:
        outcomes = meet(assignment, console)
    except KeyboardInterrupt:
        typer.echo("Interrupted. Nothing was entered in the gradebook.", err=True)
        sys.exit(130)
    console.print(shown(outcomes))
    console.print(f"Feedback pages get it with: nbgrader generate_feedback {assignment} --force")


def main() -> None:
    """Run the command; errors that have an explanation are shown without a traceback."""
    from gradewell.runner.errors import RunnerError

    escape_foreign_characters()
    try:
        app()
    except (RunnerError, ValueError) as error:
        ours = type(error).__module__.partition(".")[0] in ("gradewell", "sharewell")
        if not ours:
            raise
        typer.echo(f"Error: {visible(str(error))}", err=True)
        sys.exit(2)
