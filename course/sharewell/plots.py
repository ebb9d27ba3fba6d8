"""One look for all figures of the course: readable in grey, and for colour-blind readers."""

from __future__ import annotations

from typing import Any

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
