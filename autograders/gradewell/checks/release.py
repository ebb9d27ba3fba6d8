"""Lab 8: a hospital's table is published, and attacked in five ways."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from sharewell import plots
from sharewell.deidentify import recoded

from gradewell.checks import hospital
from gradewell.checks.calls import COPIED, CallFailed, Function, call, runs_code_of
from gradewell.checks.coding import distances
from gradewell.checks.hospital import (
    AREAS,
    KNOWN,
    SECRET,
    WITHIN,
    K,
    certain,
    coarse,
    patients,
    read,
    utility_lost,
)
from gradewell.checks.result import Figure, Problem, Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_ROWS, _ENOUGH = 0.9, 1.25
"""The share of the rows to keep, and how many times the loss of the best releases that we know earns all."""
_HALF = 0.5


_PROTECTED = {
    "crowd": "In each row at least {k} people have to agree in all of {known} that you publish. {share:.1%} of your rows are in a smaller class.",
    "linkage": "Who knows these facts of somebody finds a single row that can be theirs, for {share:.1%} of the patients.",
    "variety": "For {share:.1%} of the patients all rows that can be theirs say the same illness: it is known without knowing the row.",
    "order": "Your rows stand in the order of the hospital's table, or carry its row numbers: {share:.0%} of them fit when both are read line by line.",
    "two releases": "The table was published again, with more patients. For {share:.1%} of those who are in both, only one illness stands in both crowds, or the rows of both can be joined.",
}  # fmt: skip
_USEFUL = {
    "rows": "At least {rows:.0%} of the patients have to be kept; yours are {share:.1%}.",
    "true": "{share:.1%} of your rows say of a class what is not true of as many patients: rows may be left out and made coarser, not changed.",
    "utility": "Your table says too little: it loses {share:.1%} of the utility, and {reference:.1%} are possible.",
}  # fmt: skip


def published(publish: Function, seed: int, points: float, shown: bool = False) -> Result:
    """Points for ``publish(patients)``: five attacks on its release, and what the release is still good for.

    What protects without being of use earns nothing, and neither does what is of use without protecting.

    Parameters
    ----------
    publish : callable
        From a table as ``patients`` gives it to the table that everybody may have.
    shown : bool
        Whether the release is drawn beside others.
    """
    title, people = "the release", patients(seed)
    if any(runs_code_of(m, publish, people.head(50).copy()) for m in (__name__, hospital.__name__)):
        return Result.failed(title, points, "release.copied", COPIED)
    more = patients(seed + 1).head(len(people) // 10)
    grown = pd.concat([people, more], ignore_index=True)
    try:
        first, second = (call(publish, some.copy()) for some in (people, grown))
    except CallFailed as failure:
        return Result.failed(title, points, "release.fails when called", f"{failure}.")
    if message := _no_release(first) or _no_release(second):
        return Result.failed(title, points, "release.form", message)
    if any(set(people["phone"]) & set(map(str, cells)) for _, cells in first.items()):
        message = "Phone numbers of patients stand in your release."
        return Result.failed(title, points, "release.identifiers", message)
    fits, counts = read(first, people)
    shares = {
        "crowd": float((_class_sizes(first) < K).mean()) if len(first) else 0.0,
        "linkage": float((fits.sum(axis=1) == 1).mean()),
        "variety": float(certain(counts, people).mean()),
        "order": _in_order(first, fits),
        "two releases": _by_both(first, second, counts, people),
    }
    lost = utility_lost(first, people, seed)
    reference = min(utility_lost(one(people), people, seed) for one in _REFERENCES)
    untrue = _untrue(first, people)
    kept = len(first) / len(people)
    parts = {name: max(0.0, _HALF - 5 * share) if share else 1.0 for name, share in shares.items()}
    parts["order"] = float(shares["order"] < _HALF)
    useful = {
        "rows": 1.0 if kept >= _ROWS else max(0.0, kept / _ROWS - _HALF),
        "true": 1.0 if not untrue else max(0.0, _HALF - 5 * untrue),
        "utility": _share_of(lost, reference),
    }
    problems = [
        Problem(f"release.{name}", text.format(k=K, known=", ".join(KNOWN), share=shares[name]))
        for name, text in _PROTECTED.items()
        if parts[name] < 1
    ]
    numbers = {"rows": kept, "true": untrue, "utility": lost}
    problems += [
        Problem(
            f"release.{name}", text.format(rows=_ROWS, share=numbers[name], reference=reference)
        )
        for name, text in _USEFUL.items()
        if useful[name] < 1
    ]
    least = min(sum(parts.values()) / len(parts), sum(useful.values()) / len(useful))
    if min(least, useful["utility"]) < _HALF:
        parts, useful = dict.fromkeys(parts, 0.0), dict.fromkeys(useful, 0.0)
    result = Result.from_parts(title, points, {**parts, **useful}, problems)
    if not shown:
        return result
    yours = (shares["variety"], lost)
    return result.showing(_plane({"yours": yours, **_of_the_class(people, seed)}))


def _no_release(release: Any) -> str:
    """What is wrong with the form of a release; empty when nothing is."""
    if not isinstance(release, pd.DataFrame):
        return "publish returns a DataFrame."
    if SECRET not in list(release.columns):  # own: labels that `call` made plain
        return f"The release needs the column {SECRET}: it is what everybody asks for."
    if not release.columns.is_unique:
        return "Two columns of the release have the same name."
    if not set(KNOWN) & set(release.columns):
        return f"The release has none of {', '.join(KNOWN)}."
    return ""


def _class_sizes(release: pd.DataFrame) -> np.ndarray:
    """How many rows agree with each; what is suppressed is a value like any other."""
    keys = [
        release[name].astype(object).where(release[name].notna(), "*").astype(str).to_numpy()
        for name in KNOWN
        if name in release
    ]
    sizes: np.ndarray = (
        pd.DataFrame(dict(enumerate(keys)))
        .groupby(list(range(len(keys))))[0]
        .transform("size")
        .to_numpy()
    )
    return sizes


def _in_order(release: pd.DataFrame, fits: np.ndarray) -> float:
    """The share of the rows that fit somebody when both tables are read line by line, forwards or backwards."""
    if not len(release):
        return 0.0
    if list(release.index) not in (list(range(len(release))), list(range(1, len(release) + 1))):
        return 1.0
    best = 0
    for way in (fits, fits[:, ::-1]):
        row = 0
        for person in way:
            row += bool(row < len(release) and person[row])
        best = max(best, row)
    return best / len(release)


def _by_both(
    first: pd.DataFrame, second: pd.DataFrame, counts: np.ndarray, people: pd.DataFrame
) -> float:
    """The share of the people whose illness two releases together give away, and one did not; 1 where their rows can be joined."""
    for name in set(first) & set(second) - {*KNOWN, SECRET}:
        common = set(first[name]) & set(second[name])
        if len(common) > _HALF * len(first):
            return 1.0
    _, again = read(second, people)
    both = np.where((counts > 0) & (again > 0), counts, 0)
    in_both = (counts.sum(axis=1) > 0) & (again.sum(axis=1) > 0)
    return float((certain(both, people) & in_both & ~certain(counts, people)).mean())


def _untrue(release: pd.DataFrame, people: pd.DataFrame) -> float:
    """The share of the rows that say more often of a class what is true of fewer people who fit it."""
    if not len(release):
        return 0.0
    fits = distances(release, people, KNOWN, WITHIN) == 0
    keys = [*(name for name in KNOWN if name in release), SECRET]
    text = release[keys].astype(object).where(release[keys].notna(), "*").astype(str)
    number = text.groupby(keys).cumcount().to_numpy()
    true = people[SECRET].to_numpy(dtype=object)[:, None] == release[SECRET].to_numpy(dtype=object)
    return float((number >= (fits & true).sum(axis=0)).mean())


def _share_of(lost: float, reference: float) -> float:
    """1 up to ``_ENOUGH`` times the best loss, 0 from twice the best on."""
    return float(np.clip((2 - lost / reference) / (2 - _ENOUGH), 0, 1))


_REFERENCES = (coarse(40, 4, True), coarse(20, 8, True))


def _of_the_class(people: pd.DataFrame, seed: int) -> dict[str, tuple[float, float]]:
    """What others have published of such a table: risk and loss, measured on this one."""
    along = {
        "sex": {"female": [], "male": []},
        "age": [5, 10, 20, 40],
        "district": {name: [area] for name, area in AREAS.items()},
        "nights": [2, 4, 8, 16],
    }
    made = {
        "without phones": people.drop(columns="phone"),
        "ages in tens": people.assign(age=people["age"] // 10 * 10),
        "best k = 5": recoded(people, along, K, 0.08).recipe.apply(people),  # type: ignore[arg-type]
        "20 years, 8 nights, areas": coarse(20, 8, True)(people),
        "illness only": people[["sex", SECRET]],
        "nothing": people.head(0),
    }
    return {
        name: (
            float(certain(read(release, people)[1], people).mean()),
            utility_lost(release, people, seed),
        )
        for name, release in made.items()
    }


def _plane(releases: Mapping[str, tuple[float, float]]) -> Figure:
    def draw(axes: Axes) -> None:
        plots.frontier(releases, risk="patients whose illness is given away", axes=axes)
        axes.scatter([releases["yours"][0]], [releases["yours"][1]], marker="*", s=180, color="#D55E00", zorder=3)  # fmt: skip

    said = "; ".join(f"{name} {risk:.0%} and {lost:.0%}" for name, (risk, lost) in releases.items())
    return Figure(draw, f"Releases by risk and lost utility: {said}.")
