"""One look for all figures of the course, readable in grey and for colour-blind readers; and the figures that are drawn again and again.

Each figure is drawn into ``axes``, or into new ones, which are returned.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from sharewell.risk import Table

LABEL_STYLE: dict[str, dict[str, Any]] = {
    "public": {"facecolor": "#cfe8e0", "edgecolor": "#0b6e4f", "hatch": ""},
    "restricted": {"facecolor": "#f2c14e", "edgecolor": "#5c4300", "hatch": "//"},
    "non-sharing": {"facecolor": "#7a1f3d", "edgecolor": "#2b0714", "hatch": "xx"},
}
"""How the three labels are drawn: told apart by lightness and by hatching, not by colour alone."""


def use_style() -> None:
    """Set Matplotlib to the course's look, for the rest of the session."""
    import matplotlib as mpl
    from cycler import cycler

    mpl.rcParams.update(
        {
            "figure.figsize": (7.2, 4.0),
            "figure.dpi": 110,
            "figure.constrained_layout.use": True,
            "font.size": 11,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.titlelocation": "left",
            "axes.titleweight": "bold",
            "axes.prop_cycle": cycler(  # Okabe and Ito 2008, with dashes for grey printers
                color=["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#000000"]
            )
            + cycler(linestyle=["-", "--", "-.", ":", (0, (5, 1)), (0, (1, 1))]),
            "hatch.linewidth": 0.6,
            "legend.frameon": False,
        }
    )


def class_sizes(
    table: Table, quasi_identifiers: Sequence[str], k: int = 0, axes: Axes | None = None
) -> Axes:
    """How many rows are in equivalence classes of which size; those smaller than ``k`` stand out.

    Parameters
    ----------
    table : table, or path of Parquet files
    quasi_identifiers : sequence of str
    k : int
        Smaller classes are drawn as too small; 0 for none.
    """
    from sharewell import risk

    sizes = risk.classes(table, quasi_identifiers)["size"].to_numpy()
    starts = np.unique([1, 2, 3, 5, 10, 20, 50, 100, *([k] if k else [])])
    rows = np.add.reduceat(
        np.append(np.bincount(sizes) * np.arange(sizes.max() + 1), np.zeros(int(starts.max()))),
        starts,
    )
    share = 100 * rows / rows.sum()
    axes = axes or _new()
    for place, (start, height) in enumerate(zip(starts, share, strict=True)):
        small = bool(start < k)
        kind: dict[str, Any] = (
            {"facecolor": "#D55E00", "hatch": "//"} if small else {"facecolor": "#9ecae1"}
        )
        named = f"fewer than k = {k}" if small and place == 0 else None
        axes.bar(place, height, edgecolor="black", linewidth=0.6, label=named, **kind)
        if height:
            axes.annotate(
                f"{height:.3g}", (place, height), (0, 2), textcoords="offset points", ha="center"
            )
    ends = [*(f"{b - 1}" for b in starts[1:]), ""]
    words = [
        f"{a}" if f"{a}" == b else f"{a}–{b}" if b else f"{a}+"
        for a, b in zip(starts, ends, strict=True)
    ]
    axes.set_xticks(range(len(starts)), words)
    axes.set(xlabel="people who agree in the quasi-identifiers", ylabel="rows [%]")
    if k > 1:
        axes.legend()
    return axes


def before_and_after(
    before: Iterable[Any], after: Iterable[Any], unit: str, axes: Axes | None = None
) -> Axes:
    """A column before and after its protection: what a reader of the release would take for its distribution.

    Parameters
    ----------
    before, after : iterables of numbers, or of texts
        Of texts, the most frequent 20 are drawn. What is missing is left out.
    unit : str
        What the values are, with their unit: ``income [crowns a year]``.
    """
    import pandas as pd

    one, other = (pd.Series(list(values)).dropna() for values in (before, after))
    axes = axes or _new()
    if pd.api.types.is_numeric_dtype(one) and pd.api.types.is_numeric_dtype(other):
        edges = np.histogram_bin_edges(one, bins="auto" if one.nunique() > 40 else 20)
        edges = edges if len(edges) < 60 else np.linspace(edges[0], edges[-1], 60)
        edges[0], edges[-1] = min(edges[0], other.min()), max(edges[-1], other.max())
        for values, style in ((one, {"color": "0.75", "fill": True}), (other, {"linewidth": 1.8})):
            weights = np.full(len(values), 100 / max(len(values), 1))
            heights = np.histogram(values, edges, weights=weights)[0]
            axes.stairs(heights, edges, label="after" if values is other else "before", **style)
        axes.set(xlabel=unit, ylabel="rows [%]")
    else:
        shares = pd.DataFrame(
            {
                n: 100 * v.astype(str).value_counts(normalize=True)
                for n, v in (("before", one), ("after", other))
            }
        )
        shares = shares.fillna(0).sort_values(["before", "after"], ascending=False).head(20)
        places = np.arange(len(shares))
        axes.barh(places, shares["before"], color="0.75", label="before")
        axes.barh(places, shares["after"], height=0.4, color="#0072B2", label="after")
        axes.set_yticks(places, list(shares.index))
        axes.invert_yaxis()
        axes.set(xlabel="rows [%]", ylabel=unit)
    axes.legend()
    return axes


def frontier(
    points: Mapping[str, tuple[float, float]], risk: str = "risk", axes: Axes | None = None
) -> Axes:
    """Releases by what can be found out from them and what is lost: lower left is better. A line joins those that none is better than.

    Parameters
    ----------
    points : mapping of str to (float, float)
        The name of a release, its risk and its lost utility, each 0 to 1.
    risk : str
        What the risk is.
    """
    axes = axes or _new()
    best = [
        (r, lost)
        for r, lost in sorted(points.values())
        if not any(a <= r and b <= lost and (a, b) != (r, lost) for a, b in points.values())
    ]
    if best:
        axes.step(*zip(*best, strict=True), where="post", color="0.6", linestyle="-", zorder=1)
    labels: list[tuple[float, float]] = []
    for name, (r, lost) in sorted(points.items(), key=lambda point: point[1][1]):
        axes.scatter(
            [r],
            [lost],
            color="#0072B2" if (r, lost) in best else "white",
            edgecolor="black",
            zorder=2,
        )
        # above its point, and above the labels of its neighbours
        height = max([lost + 0.02, *(below + 0.055 for x, below in labels if abs(x - r) < 0.3)])
        labels.append((r, height))
        axes.text(r + 0.015, height, name, size=9)
    axes.set(xlim=(-0.03, 1.03), ylim=(-0.03, 1.03), xlabel=risk, ylabel="utility lost")
    return axes


def decisions(labels: pd.DataFrame, axes: Axes | None = None) -> Axes:
    """Labels as tiles: a row for each item, a column for each audience.

    Parameters
    ----------
    labels : pandas.DataFrame of str
        ``public``, ``restricted`` or ``non-sharing``; its index and columns are written at the sides.
    """
    from matplotlib.patches import Rectangle

    rows, columns = labels.shape
    axes = axes or _new((7.2, 0.6 + 0.3 * rows))
    for row in range(rows):
        for column in range(columns):
            label = str(labels.iat[row, column])
            style = LABEL_STYLE[label]
            axes.add_patch(Rectangle((column, row), 0.94, 0.88, **style))
            ink = "white" if label == "non-sharing" else "black"
            box = {"facecolor": style["facecolor"], "edgecolor": "none", "pad": 1.5}
            middle = column + 0.47, row + 0.44
            axes.text(*middle, label, color=ink, size=8, ha="center", va="center", bbox=box)
    axes.set(xlim=(0, columns), ylim=(rows, 0))
    axes.set_xticks([column + 0.47 for column in range(columns)], [str(c) for c in labels.columns])
    axes.set_yticks([row + 0.44 for row in range(rows)], [str(name) for name in labels.index])
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    return axes


def flows(
    plan: np.ndarray,
    sources: np.ndarray,
    sinks: np.ndarray,
    demand: np.ndarray,
    axes: Axes | None = None,
) -> Axes:
    """Who sends how much to whom, on a map: squares are sources, circles sinks: the darker, the more of their demand is met.

    Parameters
    ----------
    plan : array, shape (m, n)
        Units from each source to each sink; lines are as thick as they are large.
    sources, sinks : array, shape (m, 2) and (n, 2)
        Where they are, in kilometres to the east and to the north.
    demand : array, shape (n,)
    """
    axes = axes or _new()
    thick = 7 / max(float(plan.max()), 1e-9)
    for source, sink in zip(*np.nonzero(plan), strict=True):
        ends = np.stack([sources[source], sinks[sink]])
        axes.plot(*ends.T, color="0.55", linestyle="-", linewidth=plan[source, sink] * thick)
    met = plan.sum(axis=0) / np.maximum(demand, 1e-9)
    axes.scatter(
        sources[:, 0],
        sources[:, 1],
        marker="s",
        s=130,
        color="#D55E00",
        edgecolor="black",
        zorder=3,
        label="source",
    )
    axes.scatter(
        sinks[:, 0],
        sinks[:, 1],
        s=110,
        c=met,
        cmap="Greys",
        vmin=0,
        vmax=1.15,
        edgecolor="black",
        zorder=3,
        label="sink: the darker, the more of its demand is met",
    )
    axes.set(xlabel="east [km]", ylabel="north [km]", aspect="equal")
    return axes


def loop(log: Iterable[Mapping[str, Any]], axes: Axes | None = None) -> Axes:
    """The way of each resource and grant through the closed loop, day by day; what was refused as crosses.

    Parameters
    ----------
    log : iterable of records
        That of an exchange, or a part of it.
    """
    records = [record for record in log if record["after"] or record["before"]]
    states = list(dict.fromkeys(s for r in records for s in (r["before"], r["after"]) if s))
    subjects = list(dict.fromkeys(record["subject"] for record in records))
    axes = axes or _new()
    shift = {one: 0.24 * (n / max(len(subjects) - 1, 1) - 0.5) for n, one in enumerate(subjects)}
    for subject in subjects:
        own = [record for record in records if record["subject"] == subject]
        gone = [record for record in own if record["outcome"] == "allowed"]
        days = _days(gone)
        heights = [states.index(record["after"]) + shift[subject] for record in gone]
        axes.step(days, heights, where="post", marker="o", markersize=4, label=subject)
        no = [record for record in own if record["outcome"] == "refused"]
        if no:
            places = [
                states.index(r["before"]) + shift[subject] if r["before"] else -0.5 for r in no
            ]
            axes.scatter(
                _days(no),
                places,
                marker="x",
                color="#D55E00",
                zorder=3,
            )
    axes.scatter([], [], marker="x", color="#D55E00", label="refused")
    axes.set_yticks(range(len(states)), states)
    axes.set(xlabel="day", ylabel="state")
    axes.tick_params(axis="x", rotation=25)
    axes.legend(fontsize=9)
    return axes


def _days(records: Iterable[Mapping[str, Any]]) -> np.ndarray:
    return np.array([record["on"] for record in records], dtype="datetime64[D]")


def _new(size: tuple[float, float] | None = None) -> Axes:
    import matplotlib.pyplot as plt

    return plt.subplots(figsize=size)[1]
