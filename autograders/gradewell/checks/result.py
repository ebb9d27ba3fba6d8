"""What a check returns: points, and what to do about each thing that is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from textwrap import wrap
from typing import Any

MIME = "application/vnd.gradewell.result+json"
"""Where a graded notebook keeps a Result for machines to read (class tables, the book)."""


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong.

    ``code`` is stable and short (``"cards.secret"``): class tables count by it, tests compare it.
    ``message`` tells the student which property failed and on what; it never shows a hidden value.
    """

    code: str
    message: str


class CheckFailed(AssertionError):
    """A visible check did not pass. Shown without a traceback: the message is all there is to know."""

    def _render_traceback_(self) -> list[str]:
        return [str(self)]


@dataclass(frozen=True)
class Result:
    """Points earned of points possible, with problems.

    Parameters
    ----------
    title : str
        What was checked.
    points, possible : float
        0 <= points <= possible.
    problems : tuple of Problem
        Empty when every point was earned.
    parts : mapping of str to float
        Share (0 to 1) reached in each part of the check; drawn as bars.
    """

    title: str
    points: float
    possible: float
    problems: tuple[Problem, ...] = ()
    parts: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not 0 <= self.points <= self.possible:
            raise ValueError(f"{self.title}: {self.points} points of {self.possible} cannot be")

    @classmethod
    def from_parts(
        cls, title: str, possible: float, parts: Mapping[str, float], problems: list[Problem]
    ) -> Result:
        """Points in proportion to the mean share of the parts, to the quarter point below.

        Full points need every part complete: a share of 0.99 never rounds up to 1.
        """
        share = sum(parts.values()) / len(parts) if parts else 0.0
        complete = all(part >= 1 for part in parts.values()) and not problems
        points = possible if complete else min(int(share * possible * 4) / 4, possible - 0.25)
        return cls(title, max(points, 0.0), possible, tuple(problems), dict(parts))

    @property
    def passed(self) -> bool:
        return self.points == self.possible

    def require(self) -> Result:
        """Itself when all points were earned.

        Raises
        ------
        CheckFailed
            Otherwise, with the messages. Jupyter shows them without a traceback.
        """
        if not self.passed:
            raise CheckFailed(self._text(f"Not yet: {self.title}"))
        return self

    def _text(self, heading: str) -> str:
        # 84 columns: the Validate dialogue of nbgrader cuts longer lines
        lines = [heading]
        for problem in self.problems:
            lines += wrap(problem.message, 84, initial_indent="  - ", subsequent_indent="    ")
        return "\n".join(lines)

    def __str__(self) -> str:
        return self._text(f"{self.title}: {self.points:g} of {self.possible:g} points")

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        # nbgrader reads partial credit from text/plain; people see text/html
        return {
            "text/plain": f"{self.points:g}",
            "text/html": self._html(),
            MIME: {
                "title": self.title,
                "points": self.points,
                "possible": self.possible,
                "problems": [{"code": p.code, "message": p.message} for p in self.problems],
                "parts": dict(self.parts),
            },
        }

    def _html(self) -> str:
        mark, colour = ("✓", "#0b6e4f") if self.passed else ("○", "#8a5a00")
        rows = "".join(
            "<tr>"
            f"<th scope='row' style='text-align:left;font-weight:normal'>{escape(name)}</th>"
            "<td style='min-width:8em;text-align:left'>"
            f"<div style='background:{colour};height:.7em;width:{share:.0%};min-width:1px'></div></td>"
            f"<td style='text-align:right'>{int(share * 100)} %</td></tr>"
            for name, share in self.parts.items()
        )
        problems = "".join(f"<li>{escape(p.message)}</li>" for p in self.problems)
        return (
            f"<div><strong style='color:{colour}'>{mark} {escape(self.title)}: "
            f"{self.points:g} of {self.possible:g} points</strong>"
            + (f"<ul>{problems}</ul>" if problems else "")
            + (f"<table>{rows}</table>" if rows and not self.passed else "")
            + "</div>"
        )
