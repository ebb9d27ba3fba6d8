"""What a person sees of a run: a line for every submission, a bar, and a summary."""

from __future__ import annotations

from types import TracebackType

from rich.console import Console, Group, RenderableType
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar
from rich.table import Table
from rich.text import Text

from gradewell.terminal import visible

from .submission import Submission

_STYLE = {"graded": "green", "unchanged": "dim", "stopped": "yellow", "failed": "red"}
_SHOWN = 5


class Progress:
    """A line for every submission that is finished, and on a terminal a bar with rate and time left."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.bar = Bar(
            TextColumn("Grading"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self.task = self.bar.add_task("", total=None, rate="")

    def __call__(self, submission: Submission, total: int) -> None:
        """Show a submission that is finished."""
        if submission.status != "unchanged":
            style = _STYLE[submission.status]
            line = f"{escape(visible(submission.student)):<24} [{style}]{submission.status}[/]"
            if submission.seconds:
                line += f" in {submission.seconds:.1f} s"
            if submission.reason:
                line += f": {escape(visible(submission.reason))}"
            self.console.print(line, highlight=False, soft_wrap=True)
        task = self.bar.tasks[0]
        rate = f"{task.speed * 60:,.0f} a minute" if task.speed else ""
        self.bar.update(self.task, total=total, advance=1, rate=rate)

    def __enter__(self) -> Progress:
        self.bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.bar.stop()


def summary(done: list[Submission], seconds: float) -> RenderableType:
    """How many were graded, what took longest, and what a person has to look at."""
    by_status = {status: [s for s in done if s.status == status] for status in _STYLE}
    graded = len(by_status["graded"]) + len(by_status["stopped"])
    words = [f"Graded {graded}"]
    if by_status["unchanged"]:
        words.append(f"{len(by_status['unchanged'])} had been graded before")
    timed_out = sum(1 for one in done if any(n.timed_out for n in one.notebooks))
    for count, text in (
        (len(by_status["stopped"]), "of them stopped before their end"),
        (timed_out, "with cells that ran out of time"),
        (len(by_status["failed"]), "could not be graded"),
    ):
        if count:
            words.append(f"{count} {text}")
    rate = f" ({graded / seconds * 60:,.0f} a minute)" if graded else ""
    parts: list[RenderableType] = [Text(f"{', '.join(words)}, in {seconds:.1f} s{rate}.")]
    notebooks = [(n, one.student) for one in done for n in one.notebooks]
    slowest = sorted(notebooks, key=lambda pair: -pair[0].seconds)[:_SHOWN]
    if len(notebooks) > 1:
        table = Table(title="Slowest notebooks", title_justify="left")
        for heading in ("student", "notebook", "s", "slowest cell", "s"):
            table.add_column(heading, justify="right" if heading == "s" else "left")
        for notebook, student in slowest:
            table.add_row(
                escape(visible(student)),
                escape(notebook.name),
                f"{notebook.seconds:.1f}",
                escape(visible(notebook.slowest_cell)),
                f"{notebook.slowest_seconds:.1f}",
            )
        parts.append(table)
    for one in by_status["failed"]:
        parts.append(Text(visible(f"{one.student}: {one.reason}"), style="red"))
    return Group(*parts)
