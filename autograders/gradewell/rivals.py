"""Teams against each other: the attack that each handed in, run against the releases of others.

Every team's code runs in the sandbox, as when it is graded, with one more test cell behind it: first the team publishes a hospital that
is the same for all, then its attack gets the releases of others, and what is known of the patients. The truth is in the judge's
process alone.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from nbgrader.api import Gradebook
from nbgrader.utils import is_grade, is_solution
from rich.console import Console
from rich.progress import track
from rich.table import Table

from gradewell.runner.app import load
from gradewell.runner.errors import RunnerError
from gradewell.runner.job import Cell, Job, pack
from gradewell.runner.runner import Runner

RIVALS = 3
"""By how many other teams each release is attacked."""
SAFE, LOST = 0.01, 0.1
"""The share of patients up to which a release keeps all points, and from which on it has none."""
_CELL = "stood-answer"
"""The cell that gets the points: it is graded by hand, and this is the hand."""


@dataclass(frozen=True)
class Outcome:
    """How a team's release stood: by whom it was attacked, and the share of patients that the best attack found."""

    team: str
    found: Mapping[str, float]
    """Attacker to share; without entries where there was no release or nobody to attack it."""
    released: bool

    @property
    def worst(self) -> float:
        return max(self.found.values(), default=0.0) if self.released else 1.0

    @property
    def share(self) -> float:
        """Of the points, 0 to 1."""
        return min(1.0, max(0.0, (LOST - self.worst) / (LOST - SAFE)))


def meet(assignment: str, console: Console) -> list[Outcome]:
    """Let the teams' attacks meet the teams' releases, and enter how each release stood in the gradebook.

    Every team attacks the next three in the order of their names. Whoever has no release that can be read gets nothing.

    Parameters
    ----------
    assignment : str
        One whose students write ``publish`` and ``attack``, and that was graded, in the course of the current folder.

    Raises
    ------
    RunnerError
        Fewer than two teams were graded, or nothing can run here.
    """
    app = load([], {})
    runner = app.begin(assignment)
    step = app.coursedir.autograded_directory
    with Gradebook(app.coursedir.db_url) as gradebook:
        teams = sorted(student.id for student in gradebook.students)
    folders = {team: Path(app.coursedir.format_path(step, team, assignment)) for team in teams}
    notebooks = {team: folder / f"{assignment}.ipynb" for team, folder in folders.items()}
    graded = {team: notebook for team, notebook in notebooks.items() if notebook.is_file()}
    if len(graded) < 2:
        raise RunnerError(
            f"{len(graded)} submissions of {assignment} are graded: it takes two teams, and sharewell grade {assignment} first"
        )
    try:
        runner.start()
        releases: dict[str, str] = {}
        for team, path in track(graded.items(), "Releases", console=console, transient=True):
            text = _asked(runner, assignment, team, path, "capstone.handed_out(publish)")
            if isinstance(text, str) and text:
                releases[team] = text
        found: dict[str, dict[str, float]] = {team: {} for team in graded}
        for team, path in track(graded.items(), "Attacks", console=console, transient=True):
            others = {one: releases[one] for one in _next(team, list(graded)) if one in releases}
            shares = _asked(
                runner, assignment, team, path, f"capstone.attacked(attack, {others!r})"
            )
            for rival in others:
                share = shares.get(rival, 0.0) if isinstance(shares, dict) else 0.0
                found[rival][team] = float(share)
    finally:
        runner.close()
    outcomes = [Outcome(team, found[team], team in releases) for team in graded]
    _enter(app.coursedir.db_url, assignment, outcomes)
    return outcomes


def _next(team: str, teams: list[str]) -> list[str]:
    """The teams that a team attacks: the next ones, in a circle."""
    place = teams.index(team)
    circle = teams[place + 1 :] + teams[:place]
    return circle[:RIVALS]


def _asked(runner: Runner, assignment: str, team: str, path: Path, question: str) -> Any:
    """What a question in the judge's words comes to, after a team's own cells have run; None where it comes to nothing."""
    nb = nbformat.read(path, as_version=4)
    setting = runner.setting(nb)
    if setting is None:
        raise RunnerError("teams meet only where notebooks run in a sandbox: on Linux")
    cells = [
        Cell(cell.source, 60)
        for cell in nb.cells
        if cell.cell_type == "code" and not (is_grade(cell) and not is_solution(cell))
    ]
    mark = secrets.token_hex(16)  # what the team's code prints does not begin so
    ask = f"import json\nfrom gradewell.checks import capstone\nprint('\\n{mark}' + json.dumps({question}))"
    job = Job(
        cells=(*cells, Cell(ask, 120, test="rivals")),
        folder=runner.folder_seen(team, assignment),
        files=pack(path.parent, [one.name for one in path.parent.iterdir() if one != path]),
        limits=runner.limits,
        variables=runner.variables_of(team),
        judge=runner.judge_of(assignment),
    )
    last = runner.execute(setting, job).cells[-1]
    said = "".join(
        message["content"].get("text", "")
        for message in (last.messages if last else ())
        if message.get("msg_type", message["header"]["msg_type"]) == "stream"
        and message["content"].get("name") == "stdout"
    )
    _, _, answer = said.rpartition(f"\n{mark}")
    try:
        return json.loads(answer.splitlines()[0]) if answer else None
    except ValueError:
        return None


def _enter(database: str, assignment: str, outcomes: list[Outcome]) -> None:
    with Gradebook(database) as gradebook:
        for one in outcomes:
            grade = gradebook.find_grade(_CELL, assignment, assignment, one.team)
            grade.manual_score = round(one.share * grade.max_score * 4) / 4
            grade.needs_manual_grade = False
            comment = gradebook.find_comment(_CELL, assignment, assignment, one.team)
            comment.manual_comment = _told(one)
        gradebook.db.commit()


def _told(one: Outcome) -> str:
    if not one.released:
        return "There was no release that could be attacked."
    if not one.found:
        return "Nobody attacked your release."
    return (
        f"{len(one.found)} other teams attacked your release. The best attack told the illness of {one.worst:.1%} of the patients; "
        f"up to {SAFE:.0%} all points are kept, from {LOST:.0%} on there are none."
    )


def shown(outcomes: list[Outcome]) -> Table:
    """The outcomes as a table, the weakest release first."""
    table = Table(title="Releases against other teams' attacks", title_justify="left")
    for name in ("team", "attacked by", "found, in 100", "points, in 100"):
        table.add_column(name, justify="left" if name == "team" else "right")
    for one in sorted(outcomes, key=lambda one: (-one.worst, one.team)):
        by = f"{len(one.found)}" if one.released else "no release"
        table.add_row(one.team, by, f"{100 * one.worst:.1f}", f"{100 * one.share:.0f}")
    return table
