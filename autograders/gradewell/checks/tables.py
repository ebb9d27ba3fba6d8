"""What can be worked out of a published table of counts with suppressed cells: each one's lowest and highest value.

Totals that were published are equations over what was not. An intruder solves them, and so does this module, with linear
programming (the attacker's problem of Fischetti and Salazar 2001), with whole numbers where that makes a difference.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gradewell.checks import compare
from gradewell.checks.coding import bounds
from gradewell.checks.result import Figure, Problem, Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes

TOTAL = "total"
"""How a row names the sum over all values of a dimension."""


Cell = tuple[Any, ...]
"""Which cell of a table it is: its place along each dimension."""


class Contradiction(ValueError):
    """Published numbers that cannot all be true."""


@dataclass(frozen=True)
class _System:
    """Equations and bounds over the inner cells of a table."""

    dimensions: tuple[str, ...]
    inner: pd.MultiIndex
    matrix: Any
    low: np.ndarray
    high: np.ndarray
    whole: bool


def intervals(
    published: pd.DataFrame | Sequence[pd.DataFrame],
    dimensions: Sequence[str],
    value: str = "count",
    total: str = TOTAL,
) -> pd.DataFrame:
    """The lowest and highest count that each suppressed cell can have.

    Parameters
    ----------
    published : pandas.DataFrame, or several
        A row for each cell, sums included. Its value is a number; null where it was suppressed; or a text that leaves a
        range (``"<5"``, ``"10-14"``). Cells without a row were not published. Several tables on the same cells are solved
        together, as an intruder would who kept last week's.
    dimensions : sequence of str
        The columns that say which cell it is.
    value : str
    total : str
        How a dimension names its sum.

    Returns
    -------
    pandas.DataFrame
        Indexed by the dimensions, a row for each cell that some table suppressed: ``low`` and ``high``, infinite where
        nothing limits it.

    Raises
    ------
    Contradiction
        No counts fit what was published.
    ValueError
        A table without one of the columns.
    """
    tables = [published] if isinstance(published, pd.DataFrame) else list(published)
    for table in tables:
        _check_columns(table, dimensions, value)
    system = _system(tables, tuple(dimensions), value, total)
    _extremes(system, np.zeros(len(system.inner)))  # also where nothing is hidden
    hidden = {
        cell: None
        for table in tables
        for cell, said in _cells(table, dimensions, value)
        if not _single(said)
    }
    rows = [(*cell, *_extremes(system, _members(system, cell, total))) for cell in hidden]
    frame = pd.DataFrame(rows, columns=[*dimensions, "low", "high"])
    return frame.set_index(list(dimensions))


def _check_columns(table: pd.DataFrame, dimensions: Sequence[str], value: str) -> None:
    if absent := [c for c in (*dimensions, value) if not has_columns(table, [c])]:
        raise ValueError(f"the table has no column {absent[0]!r}, or more than one of that name")


def has_columns(table: Any, columns: Sequence[str]) -> bool:
    """Whether this is a table that has these columns, each of them once."""
    return isinstance(table, pd.DataFrame) and all(
        list(table.columns).count(name) == 1  # own: of a table that was made plain
        for name in columns
    )


def _check_cells(table: pd.DataFrame, dimensions: Sequence[str], value: str) -> None:
    for cell, said in _cells(table, dimensions, value):
        if not all(isinstance(name, Hashable) for name in cell):
            raise ValueError("the cells of a table are named by texts")
        readable = said is None or isinstance(said, str | pd.Interval)
        if not readable and compare.number(said) is None:
            raise ValueError(f"a {value} is a number, a range such as '<5', or missing")


def _cells(table: pd.DataFrame, dimensions: Sequence[str], value: str) -> list[tuple[Cell, Any]]:
    names = list(table[list(dimensions)].itertuples(index=False, name=None))
    return list(
        zip(names, table[value].astype(object).where(table[value].notna(), None), strict=True)
    )


def _count(said: Any) -> float:
    """A count of the truth."""
    if (found := compare.number(said)) is None:
        raise ValueError(f"the truth has {said!r} where a count should be")
    return found


def _single(said: Any) -> bool:
    found = _range(said)
    return found[0] == found[1]


def _range(said: Any) -> tuple[float, float]:
    """The ends of what a published value leaves; counts are whole numbers and not negative."""
    found = None if said is None else bounds(said)
    if found is None:
        return 0.0, np.inf
    low, high, open_low, open_high = found
    if open_low:
        low = np.floor(low) + 1
    if open_high:
        high = np.ceil(high) - 1
    return max(0.0, low), high


def _system(
    tables: Sequence[pd.DataFrame], dimensions: tuple[str, ...], value: str, total: str
) -> _System:
    from scipy.sparse import csr_array

    everything = pd.concat([table[list(dimensions)] for table in tables])
    levels = [[v for v in everything[d].drop_duplicates() if v != total] for d in dimensions]
    inner = pd.MultiIndex.from_product(levels, names=dimensions)
    empty = _System(dimensions, inner, None, np.zeros(0), np.zeros(0), False)
    rows, low, high = [], [], []
    sums: set[int] = set()
    for table in tables:
        for cell, said in _cells(table, dimensions, value):
            ends = _range(said)
            if ends != (0.0, np.inf):
                rows.append(_members(empty, cell, total))
                low.append(ends[0])
                high.append(ends[1])
            sums |= {place for place, name in enumerate(cell) if name == total and said is not None}
    matrix = csr_array(np.array(rows, dtype=float).reshape(len(rows), len(inner)))
    # Sums along two dimensions make a network, whose corners are whole numbers anyway.
    whole = len(sums) > 2 or len(tables) > 1
    return _System(dimensions, inner, matrix, np.array(low), np.array(high), whole)


def _members(system: _System, cell: Cell, total: str) -> np.ndarray:
    """Which inner cells add up to a cell."""
    inside = np.ones(len(system.inner), dtype=bool)
    for place, name in enumerate(cell):
        if not compare.same(name, total):
            levels = system.inner.get_level_values(place)
            inside &= np.array([compare.same(name, level) for level in levels], dtype=bool)
    return inside.astype(float)


def _extremes(system: _System, cost: np.ndarray) -> tuple[float, float]:
    from scipy.optimize import Bounds, LinearConstraint, milp

    limits = LinearConstraint(system.matrix, system.low, system.high)
    ends = []
    for sign in (1, -1):
        found = milp(
            sign * cost,
            integrality=np.full(len(cost), int(system.whole)),
            bounds=Bounds(0, np.inf),
            constraints=limits if len(system.low) else (),
        )
        if found.status == 2:
            raise Contradiction("no counts fit all published numbers")
        unlimited = found.status in (3, 4) or found.fun is None
        ends.append(np.inf if unlimited else round(sign * float(found.fun), 6))
    return (0.0 if np.isinf(ends[0]) else ends[0]) + 0.0, ends[1] + 0.0


def protects(
    published: Any,
    truth: pd.DataFrame,
    dimensions: Sequence[str],
    points: float,
    value: str = "count",
    total: str = TOTAL,
    small: Callable[[float], bool] = lambda count: 1 <= count <= 4,  # own: of the truth
    width: float = 5,
    most: int | None = None,
    shown: bool = True,
    title: str = "the published table",
) -> Result:
    """Points for a table whose small counts cannot be worked out, and which says the truth and enough of it.

    Parameters
    ----------
    published : pandas.DataFrame
        The student's, as for ``intervals``.
    truth : pandas.DataFrame
        The same cells without suppression.
    small : callable
        Which counts must not become known: an interval at least ``width`` wide has to be left for each.
    most : int, optional
        Suppressed cells that still earn all points, such as the model solution's; beyond, points go down to none at twice as
        many.
    shown : bool
        Whether messages may name cells and what they give away.
    """
    published = compare.plain(published)
    if not isinstance(published, pd.DataFrame):
        message = f"a table (a pandas DataFrame) is needed, not {compare.kind_of(published)}"
        return Result.failed(title, points, "tables.form", f"{message}.")
    true = {cell: _count(count) for cell, count in _cells(truth, dimensions, value)}
    try:
        published = _completed(published, list(true), dimensions, value)
        _check_cells(published, dimensions, value)
        left = intervals(published, dimensions, value, total)
    except Contradiction:
        message = (
            "The published numbers contradict each other: no counts fit them all. Noise and "
            "rounding have to be declared, for example as a range, and totals have to fit."
        )
        return Result.failed(title, points, "tables.contradiction", message)
    except ValueError as error:
        return Result.failed(title, points, "tables.form", f"{error}.")
    said = dict(_cells(published, dimensions, value))
    untrue = [cell for cell, v in said.items() if not _holds(v, true.get(cell))]
    secret = [cell for cell, count in true.items() if small(count)]
    open_cells = [cell for cell in secret if _single(said[cell])]
    found: dict[Cell, tuple[float, float]] = {}
    for cell, ends in zip(left.index, left.to_numpy(dtype=float), strict=True):
        found[cell if isinstance(cell, tuple) else (cell,)] = (ends[0], ends[1])
    room = {cell: found[cell][1] - found[cell][0] for cell in secret if cell not in open_cells}
    exact = [cell for cell in room if room[cell] == 0]
    narrow = [cell for cell in room if 0 < room[cell] < width]
    hidden = sum(not _single(said[cell]) for cell in true)
    weak = len(open_cells) + len(exact) + len(narrow)
    parts = {
        "small counts": 1 - weak / len(secret) if secret else 1.0,
        "true": 1 - len(untrue) / max(1, len(said)),
    }
    if weak:  # one weak cell is a person: half of it is lost at once
        parts["small counts"] = min(parts["small counts"], 0.5)
    if most is not None:
        parts["enough is published"] = 1 - min(1.0, max(0, hidden - most) / max(1, most))
    if hidden == len(true):
        parts = dict.fromkeys(parts, 0.0)
    problems = []

    def tell(code: str, cells: list[Cell], sentence: str, ends: bool = False) -> None:
        if cells:
            first = ", ".join(map(str, cells[0]))
            range_ = f" ({found[cells[0]][0]:g} to {found[cells[0]][1]:g})" if ends else ""
            example = f" For example {first}{range_}." if shown else ""
            problems.append(Problem(f"tables.{code}", sentence.format(n=len(cells)) + example))

    tell("open", open_cells, "{n} small counts are published as they are.")
    tell("determined", exact, "{n} suppressed small counts follow from the totals, exactly.", True)
    tell("narrow", narrow, f"{{n}} suppressed small counts are known to within less than {width:g}.", True)  # fmt: skip
    tell("untrue", untrue, "{n} published numbers are not the true ones.")
    if most is not None and hidden > most:
        problems.append(
            Problem("tables.too much", f"{hidden} cells are suppressed; {most} are enough.")
        )
    if hidden == len(true):
        problems.append(Problem("tables.nothing", "Nothing is published: that helps nobody."))
    figure = _figure(found, true, secret) if shown and found else None
    return Result.from_parts(title, points, parts, problems).showing(figure)


def _completed(
    published: pd.DataFrame, cells: list[Cell], dimensions: Sequence[str], value: str
) -> pd.DataFrame:
    """The table with a suppressed row for each cell that it leaves out: totals may still give it away."""
    _check_columns(published, dimensions, value)
    there = {cell for cell, _ in _cells(published, dimensions, value)}
    rows = [(*cell, None) for cell in cells if cell not in there]  # own: of plain labels
    if not rows:
        return published
    return pd.concat([published, pd.DataFrame(rows, columns=[*dimensions, value])])


def _holds(said: Any, true: float | None) -> bool:
    """Whether a published value is true of a count; of a cell that does not exist only silence is."""
    low, high = _range(said)
    return said is None if true is None else low <= true <= high


def _figure(
    found: dict[Cell, tuple[float, float]],
    true: dict[Cell, float],
    secret: Sequence[Cell],
) -> Figure:
    cells = sorted((c for c in secret if c in found), key=lambda c: found[c][1] - found[c][0])[:20]
    tops = [found[c][1] for c in cells if np.isfinite(found[c][1])]
    end = max(tops, default=10.0) * 1.1 + 1

    def draw(axes: Axes) -> None:
        for place, cell in enumerate(cells):
            low, high = found[cell]
            axes.plot([low, min(high, end)], [place, place], color="#0072B2", linestyle="-", linewidth=4)  # fmt: skip
            axes.plot([true[cell]], [place], "o", color="#D55E00")
        axes.set_yticks(range(len(cells)), [", ".join(map(str, c)) for c in cells], fontsize=8)
        axes.set_ylim(len(cells) - 0.5, -0.5)
        axes.set_xlabel("count: what the totals leave (bar), and the truth (dot)")

    return Figure(
        draw, f"The {len(cells)} suppressed small counts of which the totals leave least."
    )
