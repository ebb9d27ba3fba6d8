"""Points for a released table of people, by the attacks that it stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import pandas as pd

from gradewell.checks.attacks import Attack
from gradewell.checks.result import Figure, Problem, Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def resists(
    attacks: Sequence[Attack],
    limits: Mapping[str, float],
    points: float,
    shown: bool = False,
    title: str = "what the release gives away",
) -> Result:
    """Points for a release by the attacks that it stands.

    A limit counts as broken when the lower end of the interval is above it, so that nobody loses points by chance. Then
    the share is the limit over the risk.

    Parameters
    ----------
    attacks : sequence of Attack
    limits : mapping of str to float
        By the attack's name ("inference of income"): the highest risk by attack, 0 to 1.
    shown : bool
        Whether the people are the student's own, so that messages may name them.
    """
    parts, problems = {}, []
    for attack in attacks:
        limit, (low, high) = limits[attack.name], attack.interval
        broken = low > limit
        parts[attack.name] = min(1.0, limit / attack.risk) if broken else 1.0
        if broken:
            who = ", ".join(map(str, attack.people[:5]))
            more = f" and {len(attack.people) - 5} more" if len(attack.people) > 5 else ""
            named = f" Given away: {who}{more}." if shown and who else ""
            problems.append(
                Problem(
                    f"disclosure.{attack.name}",
                    f"{attack.name.capitalize()}: {_SENTENCES[attack.name.partition(' of ')[0]]} {attack.risk:.1%} ({low:.1%} to {high:.1%}); "
                    f"at most {limit:.1%} may be.{named}",
                )
            )
    rows = tuple(
        (
            a.name,
            a.risk,
            "{:.3f} to {:.3f}".format(*a.interval),
            limits[a.name],
            f"{a.hits / a.claims:.0%}" if a.claims else "none made",
        )
        for a in attacks
    )
    return Result.from_parts(title, points, parts, problems).showing(
        _figure(attacks, limits),
        pd.DataFrame(
            rows, columns=["attack", "risk", "interval", "limit", "claims that are right"]
        ),
    )


_SENTENCES = {
    "linkage": "who knows these people finds their rows, beyond chance, for",
    "singling out": "the values of one row describe one single person, beyond chance, in",
    "inference": "the rows most like somebody give their sensitive value away, beyond what is "
    "true of people in general, for",
    "membership": "the release tells who is in it, beyond chance, for",
}


def _figure(attacks: Sequence[Attack], limits: Mapping[str, float]) -> Figure:
    def draw(axes: Axes) -> None:
        for place, attack in enumerate(attacks):
            low, high = attack.interval
            colour = "#D55E00" if low > limits[attack.name] else "#009E73"
            axes.plot([low, high], [place, place], color=colour, linestyle="-", linewidth=3)
            axes.plot([attack.risk], [place], color=colour, marker="o", linestyle="")
            axes.plot([limits[attack.name]], [place], color="black", marker="|", markersize=18)
        axes.set_yticks(range(len(attacks)), [attack.name for attack in attacks])
        axes.set_ylim(len(attacks) - 0.5, -0.5)
        axes.set_xlim(-0.01, 1)
        axes.set_xlabel("risk, with its interval (black: the limit)")

    said = "; ".join(f"{a.name} {a.risk:.0%}, limit {limits[a.name]:.0%}" for a in attacks)
    return Figure(draw, f"Risk by attack: {said}.")
