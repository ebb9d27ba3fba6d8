"""The names that a cell of Python binds, read off its text."""

from __future__ import annotations

import ast
import contextlib
import re
from collections.abc import Iterable
from itertools import pairwise

_OWN_NAMES = (ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_UNSEEN = {"exec", "eval", "globals", "locals", "vars", "setattr", "get_ipython"}


def python_lines(source: str) -> str:
    """A cell without its magics; a name that gets what one gives, as in ``files = !ls`` or ``%%capture said``, is None there."""
    lines = source.splitlines()
    first = next((line for line in lines if line.strip()), "")
    kept = [
        _ASSIGNED.sub(r"\1None", line) for line in lines if not line.lstrip().startswith(("%", "!"))
    ]
    if first.startswith("%%"):
        magic, *words = first[2:].split() or [""]
        if magic not in _OF_PYTHON:
            kept = []
        names = [w for w in words[:1] if magic == "capture"]
        names += [
            name for option, name in pairwise(words) if option in ("--out", "--err", "--proc")
        ]
        kept += [f"{name} = None" for name in names if name.isidentifier()]
    return "\n".join(kept)


_ASSIGNED = re.compile(r"^(\s*[^\s=!%#'\"][^=!%#'\"]*=\s*)[!%].*$")
_OF_PYTHON = {
    "capture",
    "debug",
    "memit",
    "memray_flamegraph",
    "mprun",
    "prun",
    "snakeviz",
    "time",
    "timeit",
}
"""Magics of a whole cell after which Python follows."""


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
        elif isinstance(node, _OWN_NAMES):  # but for what := binds in a comprehension
            if not isinstance(node, ast.Lambda):
                todo.extend(one.target for one in ast.walk(node) if isinstance(one, ast.NamedExpr))
        else:
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


def import_statements(cells: Iterable[str]) -> list[str]:
    """The import statements at the top level of cells, also those that are tried first, with cells left out that do not parse."""
    found = []
    for source in cells:
        with contextlib.suppress(SyntaxError, ValueError):
            body = ast.parse(python_lines(source)).body
            found += [ast.unparse(node) for node in body if _imports(node)]
    return found


def _imports(node: ast.stmt) -> bool:
    """Whether a statement imports and does nothing else: ``try: import polars``, ``except ImportError: polars = None``."""
    if not isinstance(node, ast.Try):
        return isinstance(node, ast.Import | ast.ImportFrom)
    parts = [*node.body, *node.orelse, *node.finalbody]
    parts += [part for handler in node.handlers for part in handler.body]
    return any(map(_imports, node.body)) and all(
        isinstance(part, ast.Pass)
        or (isinstance(part, ast.Assign) and isinstance(part.value, ast.Constant))
        or _imports(part)
        for part in parts
    )


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
