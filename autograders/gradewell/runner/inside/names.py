"""The names that a cell of Python binds, read off its text."""

from __future__ import annotations

import ast
import contextlib
from collections.abc import Iterable

_OWN_NAMES = (ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_UNSEEN = {"exec", "eval", "globals", "locals", "vars", "setattr", "get_ipython"}


def python_lines(source: str) -> str:
    """A cell without its magics."""
    lines = [line for line in source.splitlines() if not line.lstrip().startswith(("%", "!"))]
    return "\n".join(lines)


def bound(code: str, kinds: tuple[str, ...] = ("import", "define", "assign")) -> set[str]:
    """The names that a cell gets at its top level, by import, by def or class, by assignment."""
    try:
        todo: list[ast.AST] = list(ast.parse(code).body)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return set()
    found: dict[str, set[str]] = {"import": set(), "define": set(), "assign": set()}
    while todo:
        node = todo.pop()
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [alias.asname or alias.name.partition(".")[0] for alias in node.names]
            found["import"].update(name for name in names if name != "*")
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found["define"].add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found["assign"].add(node.id)
        elif isinstance(node, ast.MatchAs | ast.MatchStar) and node.name:
            found["assign"].add(node.name)
            todo.extend(ast.iter_child_nodes(node))
        elif not isinstance(node, _OWN_NAMES):
            todo.extend(ast.iter_child_nodes(node))
    return set().union(*(found[kind] for kind in kinds))


def changed(code: str) -> set[str]:
    """The names of objects that a cell changes in place at its top level: ``table["x"] = 1``, ``basket.append(2)``, ``del prices["y"]``."""
    try:
        todo: list[ast.AST] = list(ast.parse(code).body)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return set()
    found = set()
    while todo:
        node = todo.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            continue
        if isinstance(node, ast.Subscript | ast.Attribute) and not isinstance(node.ctx, ast.Load):
            found.add(_root(node))
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            called = node.value.func
            in_place = any(
                word.arg == "inplace" and isinstance(word.value, ast.Constant) and word.value.value
                for word in node.value.keywords
            )
            if isinstance(called, ast.Attribute) and (called.attr in _IN_PLACE or in_place):
                found.add(_root(called))
        todo.extend(ast.iter_child_nodes(node))
    return found - {""}


_IN_PLACE = {
    "append", "extend", "insert", "remove", "pop", "clear", "sort", "reverse", "add", "discard", "update", "setdefault", "popitem",
    "appendleft", "extendleft", "popleft", "rotate", "fill", "resize", "put", "move_to_end", "subtract", "difference_update",
    "intersection_update", "symmetric_difference_update", "insert_column", "drop_in_place",
}  # fmt: skip
"""Methods of Python's, NumPy's, pandas' and Polars' containers that change them."""


def _root(node: ast.AST) -> str:
    """The name with which a chain of attributes and subscripts begins; empty where it is none."""
    while isinstance(node, ast.Subscript | ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def binds_unseen(code: str) -> bool:
    """Whether a cell may bind names that its text does not tell: ``import *``, ``exec``, magics."""
    try:
        nodes = list(ast.walk(ast.parse(code)))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return any(
        (isinstance(node, ast.ImportFrom) and node.names[0].name == "*")
        or (isinstance(node, ast.Name) and node.id in _UNSEEN)
        for node in nodes
    )


def import_statements(cells: Iterable[str]) -> str:
    """The import statements at the top level of cells, with those left out that do not parse."""
    found = []
    for source in cells:
        with contextlib.suppress(SyntaxError, ValueError):
            body = ast.parse(python_lines(source)).body
            found += [ast.unparse(n) for n in body if isinstance(n, ast.Import | ast.ImportFrom)]
    return "\n".join(found)


def imports_of(sources: Iterable[str]) -> tuple[str, ...]:
    """The modules that code imports, with cells that do not parse left out."""
    found: set[str] = set()
    for source in sources:
        try:
            tree = ast.parse(python_lines(source))
        except (SyntaxError, ValueError):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                found.update(alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.add(node.module)
    return tuple(sorted(found))
