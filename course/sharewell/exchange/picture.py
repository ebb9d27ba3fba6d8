"""The loop as a picture (SVG): where a grant has been, and where it is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

from sharewell.exchange.states import GRANT

WIDTH, HEIGHT = 560, 300
_BOX = 92, 32
_PLACES: dict[str, tuple[int, int]] = {
    "requested": (60, 40),
    "escalated": (130, 150),
    "rejected": (60, 260),
    "approved": (200, 40),
    "released": (350, 40),
    "suspended": (275, 120),
    "revoked": (430, 150),
    "expired": (505, 95),
    "disposed": (480, 210),
    "audited": (350, 270),
    "closed": (205, 270),
}


def loop(state: str, log: Iterable[Mapping[str, Any]]) -> str:
    """An SVG element.

    Parameters
    ----------
    state : str
        Where the grant is now.
    log : iterable of records
        Those of this grant.
    """
    moves = [(r["before"], r["after"]) for r in log if r["outcome"] == "allowed"]
    been = {after for _, after in moves}
    arrows = {(before, after) for (before, _), after in GRANT.items() if before and before != after}
    lines = [
        _arrow(*pair, 5 if pair[::-1] in arrows else 0, pair in moves)
        for pair in sorted(arrows, key=lambda pair: pair in moves)
    ]
    boxes = [
        _box(name, "now" if name == state else "been" if name in been else "") for name in _PLACES
    ]
    said = " to ".join([*(before for before, _ in moves if before), state])
    return (
        f'<svg class="loop" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="From {escape(said)}">'
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="9" markerHeight="9" markerUnits="userSpaceOnUse" orient="auto">'
        '<polygon points="0,0 8,4 0,8" fill="#6b747c"/></marker></defs>'
        + "".join(lines + boxes)
        + "</svg>"
    )


def _box(name: str, kind: str) -> str:
    (x, y), (width, height) = _PLACES[name], _BOX
    return (
        f'<g class="{kind}"><rect x="{x - width / 2}" y="{y - height / 2}" width="{width}" height="{height}" rx="6"/>'
        f'<text x="{x}" y="{y}">{name}</text></g>'
    )


def _arrow(before: str, after: str, aside: float, been: bool) -> str:
    """From edge to edge of two boxes; a little to one side where there is a way back, which is another line."""
    (x, y), (u, v) = _PLACES[before], _PLACES[after]
    length = ((u - x) ** 2 + (v - y) ** 2) ** 0.5
    aside_x, aside_y = aside * (v - y) / length, -aside * (u - x) / length
    starts, ends = _edge(u - x, v - y), _edge(x - u, y - v)
    points = (
        x + starts[0] + aside_x,
        y + starts[1] + aside_y,
        u + ends[0] + aside_x,
        v + ends[1] + aside_y,
    )
    line = "M{:.0f},{:.0f} L{:.0f},{:.0f}".format(*points)
    return f'<path class="{"been" if been else ""}" d="{line}" marker-end="url(#tip)"/>'


def _edge(right: float, down: float) -> tuple[float, float]:
    """Where a line from the middle of a box in this direction leaves it."""
    width, height = _BOX
    scale = min(
        width / 2 / abs(right) if right else float("inf"),
        height / 2 / abs(down) if down else float("inf"),
    )
    return right * scale, down * scale
