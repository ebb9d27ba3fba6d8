"""Every test cell of every lab meets the model solution with something strange in place of what it answers: it tells so, and gives no full points.

What is strange keeps its shape: numbers, texts and truth values in lists, dicts, arrays, tables and objects are exchanged, containers stay.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from functools import cache
from types import FunctionType
from typing import Any

import nbformat
import numpy as np
import pandas as pd
import pytest
from gradewell import samples
from gradewell.checks import CheckFailed
from gradewell.checks.population import VARIABLE, population_seed
from sharewell import content


class Agrees:
    """Equal to everything, within every limit, and a number where one is asked for."""

    def _agrees(self, *_: Any) -> bool:
        return True

    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = __contains__ = __bool__ = _agrees

    def _itself(self, *_: Any) -> Agrees:
        return self

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = _itself
    __mod__ = __abs__ = __round__ = __neg__ = _itself

    def __hash__(self) -> int:
        return 1

    def __float__(self) -> float:
        return 1.0

    def __int__(self) -> int:
        return 1

    __index__ = __int__


WAYS: dict[str, Callable[[], Any]] = {
    "NaN": lambda: math.nan,
    "an object that agrees": Agrees,
    "True": lambda: True,
    "a complex number": lambda: 3 + 0j,
    "infinity": lambda: math.inf,
    "a whole number beyond all floats": lambda: 10**400,
}
LARGE = {"overview-hidden"}  # 20 million rows: see test_lab01.py


def spoiled(value: Any, strange: Callable[[], Any]) -> Any:
    if isinstance(value, dict):
        return {name: spoiled(one, strange) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return type(value)([spoiled(one, strange) for one in value])
    if isinstance(value, set | frozenset):
        return type(value)({strange() for _ in value})
    if isinstance(value, np.ndarray):
        made = np.empty(value.size, dtype=object)
        made[:] = [strange() for _ in range(value.size)]
        return made.reshape(value.shape)
    if isinstance(value, pd.DataFrame):
        columns = {name: spoiled(value[name], strange) for name in value}
        return pd.DataFrame(columns, index=value.index)
    if isinstance(value, pd.Series):
        return pd.Series([strange() for _ in value], index=value.index, dtype=object)
    if is_dataclass(value) and not isinstance(value, type):
        made = object.__new__(type(value))
        for one in fields(value):
            object.__setattr__(made, one.name, spoiled(getattr(value, one.name), strange))
        return made
    if isinstance(value, FunctionType):
        return lambda *given, **named: spoiled(value(*given, **named), strange)
    if isinstance(value, type):
        return lambda *given, **named: Spoiled(value(*given, **named), strange)
    return strange()


class Spoiled:
    """An object of a student's class, whose attributes, and what its methods return, are strange."""

    def __init__(self, own: Any, strange: Callable[[], Any]) -> None:
        self._own, self._strange = own, strange

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._own, name)
        if not callable(found):
            return spoiled(found, self._strange)
        return lambda *given, **named: spoiled(found(*given, **named), self._strange)


@cache
def notebook(lab: str) -> nbformat.NotebookNode:
    return nbformat.read(content.root() / "source" / lab / f"{lab}.ipynb", as_version=4)


def answers(lab: str) -> set[str]:
    """The names that a student's cells define."""
    solutions = (c.source for c in notebook(lab).cells if c.metadata.get("nbgrader", {}).get("solution") and c.cell_type == "code")  # fmt: skip
    found = set()
    for node in (node for source in solutions for node in ast.parse(source).body):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Assign):
            found |= {one.id for target in node.targets for one in ast.walk(target) if isinstance(one, ast.Name)}  # fmt: skip
    return found


def asked(source: str, names: dict[str, Any], own: set[str]) -> set[str]:
    """Those of a student's names that a cell uses; what was put together from lines is one of them."""
    used = {node.id for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name)}
    made = {
        name
        for name in used
        if isinstance(names.get(name), FunctionType)
        and names[name].__code__.co_filename == "<your lines>"
    }
    return used & own | made


@cache
def model(lab: str) -> dict[str, Any]:
    (sample,) = (s for s in samples.load(content.submissions() / lab) if s.path.stem == "model")
    return sample.names(content.root() / "source" / lab / f"{lab}.ipynb")


CELLS = [
    pytest.param(lab, cell.id, cell.source, id=f"{lab[:6]}-{cell.id}")
    for lab in content.labs()
    for cell in notebook(lab).cells
    if cell.cell_type == "code"
    and cell.metadata.get("nbgrader", {}).get("grade")
    and not cell.metadata.nbgrader.solution
    and cell.id not in LARGE
]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("lab", "cell", "source"), CELLS)
def test_strange_answers_lose_points(lab, cell, source, way, monkeypatch):
    monkeypatch.setenv(VARIABLE, "strange")
    names = dict(model(lab)) | {
        "population_seed": population_seed
    }  # which an earlier test cell has
    theirs = asked(source, names, answers(lab))
    assert theirs, "the cell asks for nothing that a student has made"
    names |= {name: spoiled(names[name], WAYS[way]) for name in theirs}
    *before, last = ast.parse(source).body
    try:
        exec(compile(ast.Module(before, []), cell, "exec"), names)
        result = eval(compile(ast.Expression(last.value), cell, "eval"), names)
    except CheckFailed as failure:
        assert str(failure)
        return
    assert result.points < result.possible, f"{result}"
    assert result.problems
