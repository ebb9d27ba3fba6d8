"""What a check returns: points, and what to do about each thing that is wrong."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from html import escape
from textwrap import wrap
from typing import TYPE_CHECKING, Any

# Not where it draws: in a sandbox Matplotlib complains when it is first imported, and a word on stderr costs the points.
import matplotlib as mpl
import pandas as pd
from matplotlib.figure import Figure as Canvas
from sharewell.plots import use_style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MIME = "application/vnd.gradewell.result+json"
"""Where a graded notebook keeps a Result for machines to read (class tables, the book)."""


_DIGITS = "{:.3g}".format


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong.

    ``code`` is stable and short (``"cards.secret"``): class tables count by it, tests compare it.
    ``message`` tells the student which property failed and on what; it never shows a hidden value.
    """

    code: str
    message: str


@dataclass(frozen=True)
class Figure:
    """A picture of what a check found: ``draw`` puts it on Matplotlib axes, ``alt`` says it in words."""

    draw: Callable[[Axes], None]
    alt: str

    def png(self) -> bytes:
        """The picture, 7.2 by 4 inches, in the course's style."""
        with mpl.rc_context():
            use_style()
            canvas = Canvas()  # not of pyplot: nothing stays open, nothing is shown twice
            self.draw(canvas.subplots())
            png = io.BytesIO()
            canvas.savefig(png, format="png")
        return png.getvalue()


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
    figure : Figure, optional
        What was found, where looking beats reading.
    table : pandas.DataFrame, optional
        What was found, where the numbers matter: a few rows, shown to three digits and without the index.
    """

    title: str
    points: float
    possible: float
    problems: tuple[Problem, ...] = ()
    parts: Mapping[str, float] = field(default_factory=dict)
    figure: Figure | None = None
    table: pd.DataFrame | None = field(default=None, compare=False)

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

    @classmethod
    def failed(cls, title: str, possible: float, code: str, message: str) -> Result:
        """No points, for one reason that leaves nothing else to look at."""
        return cls(title, 0.0, possible, (Problem(code, message),))

    def showing(self, figure: Figure | None = None, table: pd.DataFrame | None = None) -> Result:
        """The same with a figure, a table or both."""
        return replace(self, figure=figure, table=table)

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
        if self.table is not None:
            lines += ["", self.table.to_string(index=False, float_format=_DIGITS)]
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
            "<td style='width:10em;text-align:left'>"
            f"<div style='background-color:{colour};height:.7em;width:{share:.0%}'></div></td>"
            f"<td style='text-align:right'>{int(share * 100)} %</td></tr>"
            for name, share in self.parts.items()
        )
        picture = ""
        if self.figure is not None:
            png = base64.b64encode(self.figure.png()).decode()
            alt = escape(self.figure.alt, quote=True)
            picture = f"<div><img src='data:image/png;base64,{png}' alt='{alt}' width='560'></div>"
        problems = "".join(f"<li>{escape(p.message)}</li>" for p in self.problems)
        return (
            f"<div><strong style='color:{colour}'>{mark} {escape(self.title)}: "
            f"{self.points:g} of {self.possible:g} points</strong>"
            + (f"<ul>{problems}</ul>" if problems else "")
            + (f"<table>{rows}</table>" if rows and not self.passed else "")
            + (
                ""
                if self.table is None
                else self.table.to_html(index=False, border=0, float_format=_DIGITS)
            )
            + picture
            + "</div>"
        )
