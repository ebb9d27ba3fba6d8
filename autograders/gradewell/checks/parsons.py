"""Parsons problems: a function put together from given lines, some of which do not belong."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from gradewell.checks import compare
from gradewell.checks.result import CheckFailed


def assemble(
    pieces: Mapping[str, str], order: Sequence[str], name: str, names: Mapping[str, Any]
) -> Callable[..., Any]:
    """The function ``name`` that the pieces make in this order.

    Parameters
    ----------
    pieces : mapping of str to str
        Lines of Python by letter.
    order : sequence of str
        The letters chosen.
    name : str
        The function that the lines define.
    names : mapping
        What the lines may use (modules, constants).

    Raises
    ------
    CheckFailed
        For an unknown letter, lines that are no Python, or lines that define nothing by that name.
    """
    order = list(order) if isinstance(order, str) else compare.contents(order) or []
    unknown = [letter for letter in order if not compare.among(letter, pieces)]
    if unknown:
        raise CheckFailed(f"There is no line {unknown[0]!r}. The lines are {', '.join(pieces)}.")
    if not order:
        raise CheckFailed("Your order is empty: put the letters of the lines into the list.")
    try:
        tree = ast.parse("\n".join(pieces[letter] for letter in order), "<your lines>")
        used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        scope = {word: names[word] for word in used if word in names}  # own: the course's
        exec(compile(tree, "<your lines>", "exec"), scope)
    except SyntaxError as error:
        line = order[(error.lineno or 1) - 1 : error.lineno] or order[-1:]
        raise CheckFailed(f"Python stops at line {line[0]}: {error.msg}.") from None
    if not callable(scope.get(name)):
        raise CheckFailed(f"These lines define no function {name}.")
    function: Callable[..., Any] = scope[name]
    return function
