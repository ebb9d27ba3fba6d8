"""The judge's namespace: a test cell's names, each from where it belongs.

What the instructor's locked cells define is defined here, by running those cells here, once one of their names is needed. What
the student was asked to write is asked for in the student's process, and so is every other name.
"""

from __future__ import annotations

import ast
import builtins
import contextlib
import io
from typing import Any

from .peer import Peer, Remote
from .values import CannotCross


class Namespace(dict[str, Any]):
    """Looks up names in itself, in locked cells, and with the student.

    Parameters
    ----------
    shell : IPython shell
        In which locked cells are run.
    answers : set of str
        The names that the student was asked to define.
    """

    def __init__(self, shell: Any, answers: set[str]) -> None:
        super().__init__()
        self.shell, self.answers = shell, answers
        self.peer: Peer | None = None
        self._locked: list[tuple[str, set[str]]] = []
        self._seen: dict[str, Any] = {}

    def lock(self, source: str) -> None:
        """Remember a locked cell, to be run when one of its names is needed."""
        code = self.shell.transform_cell(source)
        self._locked.append((code, bound(code)))

    def forget(self) -> None:
        """The student's values may have changed."""
        self._seen.clear()

    def __missing__(self, name: str) -> Any:
        if name in self._seen:
            return self._seen[name]
        if name not in self.answers:
            for number in range(len(self._locked) - 1, -1, -1):
                if name in self._locked[number][1]:
                    self._run(self._locked.pop(number)[0])
                    if dict.__contains__(self, name):
                        return self[name]
        if hasattr(builtins, name) or name.startswith("__") or self.peer is None:
            raise KeyError(name)
        try:
            value = self.peer.ask("name", name)
        except NameError:
            raise KeyError(name) from None
        if isinstance(value, Remote):
            value = value.known_as(name)
        self._seen[name] = value
        return value

    def __contains__(self, name: object) -> bool:
        if dict.__contains__(self, name):
            return True
        try:
            self[name]  # type: ignore[index]
        except KeyError:
            return False
        return True

    def __setitem__(self, name: str, value: Any) -> None:
        """A name that gets an object of the student's gets it there too, as when a test puts back what it took away."""
        if isinstance(value, Remote) and name in self.answers and self.peer is not None:
            self.peer.ask("set", name, value)
            self._seen[name] = value
        else:
            dict.__setitem__(self, name, value)

    def __delitem__(self, name: str) -> None:
        if dict.__contains__(self, name):
            dict.__delitem__(self, name)
        elif self.peer is not None:
            self._seen.pop(name, None)
            self.peer.ask("delete", name)

    def dataclass(self, module: str, name: str) -> type:
        """The class of a dataclass that arrives: one that the instructor's cells named."""
        for value in self.values():
            if isinstance(value, type) and (value.__module__, value.__qualname__) == (module, name):
                return value
        for _, names in self._locked:
            if (
                name in names
                and isinstance(found := self[name], type)
                and found.__module__ == module
            ):
                return found
        raise CannotCross(f"a {name}, which no cell of the instructor's imports")

    def _run(self, code: str) -> None:
        said = io.StringIO()
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            exec(compile(code, "<locked cell>", "exec"), self, self)
        for name in self.answers:
            dict.pop(self, name, None)


def bound(code: str, kinds: tuple[str, ...] = ("import", "define", "assign")) -> set[str]:
    """The names that a cell gets at its top level, by import, by def or class, by assignment."""
    try:
        todo: list[ast.AST] = list(ast.parse(code).body)
    except SyntaxError:
        return set()
    found: dict[str, set[str]] = {"import": set(), "define": set(), "assign": set()}
    own_names = (ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
    while todo:
        node = todo.pop()
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [alias.asname or alias.name.partition(".")[0] for alias in node.names]
            found["import"].update(names)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found["define"].add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found["assign"].add(node.id)
        elif not isinstance(node, own_names):
            todo.extend(ast.iter_child_nodes(node))
    return set().union(*(found[kind] for kind in kinds))


def become(kernel: Any, answers: set[str]) -> Namespace:
    """Let a kernel's cells find their names here."""
    shell = kernel.shell
    names = Namespace(shell, answers)
    names.update(
        {
            k: v
            for k, v in shell.user_ns.items()
            if k.startswith("_") or k in ("In", "Out", "get_ipython")
        }
    )

    class Module:
        """In whose namespace cells run."""

    module = Module()
    module.__dict__ = names
    shell.user_module, shell.user_ns = module, names
    return names
