"""Faults that were found, and links that were made, against those that are really there."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from gradewell.checks import compare
from gradewell.checks.result import Problem, Result

Fault = tuple[Hashable, str, str]
"""A row, a column and the kind of fault."""


def faults(
    found: Any,
    planted: Collection[Fault],
    points: float,
    recall: float = 1.0,
    precision: float = 1.0,
    shown: bool = False,
    title: str = "faults in the data",
) -> Result:
    """Points for the faults that were found, kind by kind, less false alarms.

    Each kind counts the same, however often it was planted: a rare fault is not a small one. A kind earns its recall in parts of
    ``recall``; all of it is multiplied by the precision in parts of ``precision``, so that reporting everything earns little.

    Parameters
    ----------
    found : collection of (row, column, kind)
    planted : collection of (row, column, kind)
        What is really there.
    recall, precision : float
        What earns full points; greater than 0, at most 1.
    shown : bool
        Whether messages may name a row and a column.
    """
    listed = compare.contents(found)
    if listed is None or not _are_of(3, listed):
        message = "Faults are a collection of triples: (row, column, kind)."
        return Result.failed(title, points, "quality.form", message)
    reported = {(row, str(column), str(kind)) for row, column, kind in listed}
    truth = set(planted)
    kinds: dict[str, set[Fault]] = {}
    for fault in truth:
        kinds.setdefault(fault[2], set()).add(fault)
    right = len(reported & truth) / len(reported) if reported else 1.0
    factor = min(1.0, right / precision)
    parts, problems, rows = {}, [], []
    for kind, there in sorted(kinds.items()):
        hit = len(there & reported) / len(there)
        parts[kind] = min(1.0, hit / recall) * factor
        rows.append((kind, len(there & reported), len(there)))
        if hit < recall:
            row, column, _ = sorted(there - reported, key=str)[0]  # own: by their text
            example = f" For example row {row}, column {column}." if shown else ""
            problems.append(
                Problem(
                    f"quality.missed.{kind}",
                    f"{kind}: {hit:.0%} of them were found; {recall:.0%} are asked for.{example}",
                )
            )
    if right < precision:
        row, column, kind = sorted(reported - truth, key=str)[0]  # own: by their text
        example = f" For example {kind} in row {row}, column {column}." if shown else ""
        problems.append(
            Problem(
                "quality.false alarms",
                f"{right:.0%} of what was reported is really there; {precision:.0%} are asked for.{example}",
            )
        )
    return Result.from_parts(title, points, parts, problems).showing(
        table=pd.DataFrame(tuple(rows), columns=["kind", "found", "there are"]) if shown else None
    )


def _are_of(size: int, listed: list[Any]) -> bool:
    """Whether all are tuples, or the like, of so many values that can be looked up."""
    return all(
        isinstance(one, list | tuple | np.ndarray)
        and len(one) == size
        and all(isinstance(part, Hashable) for part in one)
        for one in listed
    )


def links(
    made: Any,
    true: Collection[tuple[Hashable, Hashable]],
    points: float,
    f1: float = 0.9,
    least: float = 0.0,
    forbidden: Mapping[str, Collection[tuple[Hashable, Hashable]]] | None = None,
    title: str = "links between records",
) -> Result:
    """Points for pairs of records that belong to the same person, by the harmonic mean of precision and recall.

    Parameters
    ----------
    made : collection of pairs
        A record of one table and one of another.
    true : collection of pairs
    f1, least : float
        What earns full points, and what nothing yet; between them in proportion.
    forbidden : mapping of str to pairs, optional
        Pairs that must not be linked whatever the score, by the reason, such as two valid identity numbers that differ.
    """
    listed = compare.contents(made)
    if listed is None or not _are_of(2, listed):
        return Result.failed(
            title, points, "links.form", "Links are a collection of pairs of records."
        )
    pairs = {(one, other) for one, other in listed}
    truth = set(true)
    hits = len(pairs & truth)
    precision = hits / len(pairs) if pairs else 0.0
    recall = hits / len(truth) if truth else 1.0
    reached = 2 * precision * recall / (precision + recall) if hits else 0.0
    parts, problems = {"F1": min(1.0, max(0.0, (reached - least) / (f1 - least)))}, []
    if reached < f1:
        weak = "Many links are wrong" if precision < recall else "Many links are missing"
        problems.append(
            Problem(
                "links.f1",
                f"{weak}: precision {precision:.0%}, recall {recall:.0%}, F1 {reached:.2f}; {f1:g} is asked for.",
            )
        )
    for reason, never in (forbidden or {}).items():
        broken = len(pairs & set(never))
        parts[reason] = float(broken == 0) if hits else 0.0
        if broken:
            problems.append(Problem(f"links.{reason}", f"{broken} links are impossible: {reason}."))
    rows = (("precision", precision), ("recall", recall), ("F1", reached))
    return Result.from_parts(title, points, parts, problems).showing(
        table=pd.DataFrame(rows, columns=["", ""])
    )
