"""The judge's namespace: a test cell's names, each from where it belongs.

What the instructor's cells define is defined here, by running those cells here, in their order, once one of their names is needed.
What answer cells define is asked for in the student's process. There is no third kind: any other name is not defined.
"""

from __future__ import annotations

import builtins
import contextlib
import importlib.util
import io
import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import TracebackType
from typing import Any

from .names import binds_unseen, bound
from .peer import Peer, Remote
from .values import CannotCross


@dataclass(frozen=True)
class Step:
    """One of the instructor's cells, in the judge's eyes."""

    kind: str
    """given: to be run here; import: likewise, and what cannot be imported here is the student's; answer: its names are the student's;
    test: a test cell."""
    source: str = ""
    names: tuple[str, ...] = ()
    """That an answer or a test binds."""
    test: str = ""
    """The name of a test cell."""


class Namespace(dict[str, Any]):
    """Looks up names in itself, in the instructor's cells, and with the student.

    Parameters
    ----------
    shell : IPython shell
        In which given cells are run.
    steps : sequence of Step
        The notebook's code cells, in order.
    declared : collection of str
        More names that the student was asked to define.
    """

    def __init__(self, shell: Any, steps: Sequence[Step], declared: Sequence[str] = ()) -> None:
        super().__init__()
        self.shell = shell
        self.peer: Peer | None = None
        self._steps = list(steps)
        self._students = set(declared)
        self._tests: set[str] = set()
        self._given: list[tuple[str, set[str], bool]] = []
        self._tried: set[str] = set()
        self._failed: dict[str, str] = {}
        self._seen: dict[str, Any] = {}

    def reach(self, test: str) -> None:
        """Go on to a test: what stands before it is there now."""
        self.forget()
        while self._steps:
            step = self._steps.pop(0)
            if step.kind in ("given", "import"):
                if step.kind == "import":
                    self._tried |= bound(step.source)
                self._give(step.source)
            elif step.kind == "answer":
                self._students.update(step.names)
                for name in step.names:
                    dict.pop(self, name, None)
            else:
                self._tests |= set(step.names) - self._students
                if step.test == test:
                    return

    def forget(self) -> None:
        """The student's values may have changed."""
        self._seen.clear()

    def __missing__(self, name: str) -> Any:
        if name in self._students:
            return self._asked(name)
        self._run_for(name)
        if dict.__contains__(self, name):
            return dict.__getitem__(self, name)
        if name in self._failed:
            if name in self._tried:  # of a module that student code has written
                return self._asked(name)
            raise NameError(f"name {name!r} is not defined: {self._failed[name]}")
        if hasattr(builtins, name) or name.startswith("__"):
            raise KeyError(name)
        if name in self._tests:
            raise NameError(
                f"name {name!r} is not defined: the test cell that defines it did not get so far"
            )
        raise NameError(
            f"name {name!r} is not defined: neither the instructor's cells define it, nor is it asked for in an answer cell"
        )

    def _asked(self, name: str) -> Any:
        if name in self._seen:
            return self._seen[name]
        if self.peer is None:
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
        except (KeyError, NameError):
            return False
        return True

    def __setitem__(self, name: str, value: Any) -> None:
        """A name that gets an object of the student's gets it there too, as when a test puts back what it took away."""
        if isinstance(value, Remote) and name in self._students and self.peer is not None:
            self.peer.ask("set", name, value)
            self._seen[name] = value
        else:
            dict.__setitem__(self, name, value)

    def __delitem__(self, name: str) -> None:
        if dict.__contains__(self, name):
            dict.__delitem__(self, name)
        elif name in self._students and self.peer is not None:
            self._seen.pop(name, None)
            self.peer.ask("delete", name)
        else:
            raise KeyError(name)

    def known_class(self, module: str, name: str) -> type:
        """A class that the instructor's cells define or import, by its name."""
        if any(name in names for _, names, _ in self._given):
            self._run_for(name)
        for value in self.values():
            if issubclass(type(value), type) and (value.__module__, value.__qualname__) == (
                module,
                name,
            ):
                return value
        raise CannotCross(f"a {name}, which no cell of the instructor's defines or imports")

    # -- the instructor's cells ---------------------------------------------------------------------

    def _give(self, source: str) -> None:
        """Remember a cell, to be run when one of its names is needed; at once, when it gives a name anew."""
        code = self.shell.transform_cell(source)
        names = bound(code)
        self._students -= names
        self._given.append((code, names, binds_unseen(code)))
        for name in names:
            self._failed.pop(name, None)
            if dict.__contains__(self, name):
                self._run_for(name)

    def _run_for(self, name: str) -> None:
        """Run the cells, in their order, that bind a name, or else those that may."""
        for sure in (True, False):
            while found := [g for g in self._given if (name in g[1] if sure else g[2])]:
                self._given.remove(found[0])
                self._run(*found[0][:2])
                if not sure and dict.__contains__(self, name):
                    return
            if dict.__contains__(self, name) or name in self._failed:
                return

    def _run(self, code: str, names: set[str]) -> None:
        said = io.StringIO()
        try:
            with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
                exec(compile(code, "<locked cell>", "exec"), self, self)
        except Exception as error:
            why = f"{type(error).__name__}: {error}".rstrip(": ").splitlines()[0][:300]
            for name in names:
                if not dict.__contains__(self, name):
                    self._failed[name] = f"the locked cell that defines it failed ({why})"
        for name in names & self._students:  # a later answer cell gives them anew
            dict.pop(self, name, None)


class OwnModules:
    """Finds modules in the judge's folder: the instructor's own, and none that student code has put there.

    It is asked after all others (see sys.meta_path): nothing there stands for a module that is installed. Each module is the very file that
    the instructor gave, never a folder, a compiled file or a library of the same name beside it.
    """

    def __init__(self, files: Collection[str]) -> None:
        self.files = frozenset(files)

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        """See importlib.abc.MetaPathFinder."""
        place = name.replace(".", "/")
        for file, within in (
            (f"{place}/__init__.py", [f"{_PLACE}/{place}"]),
            (f"{place}.py", None),
        ):
            if file in self.files and (path is None or _PLACE in str(list(path)[:1])):
                whole = os.path.join(os.getcwd(), file)
                return importlib.util.spec_from_file_location(
                    name, whole, loader=_Source(name, whole), submodule_search_locations=within
                )
        return None


_PLACE = "<the instructor's files>"
"""Where packages say that their modules are: other finders look there, and find nothing."""


class _Source(SourceFileLoader):
    """Compiles the source, and looks at no file that says what came of it before."""

    def path_stats(self, path: str) -> Any:
        """See importlib."""
        raise OSError("what was compiled before is not asked for")

    def set_data(self, path: str, data: Any, *, _mode: int = 0o666) -> None:
        """See importlib; nothing is kept."""


def become(kernel: Any, steps: Sequence[Step], declared: Sequence[str]) -> Namespace:
    """Let a kernel's cells find their names here."""
    shell = kernel.shell
    names = Namespace(shell, steps, declared)
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
    shell.set_custom_exc((Exception, KeyboardInterrupt), _show_error)
    return names


def _show_error(
    shell: Any,
    kind: type[BaseException],
    error: BaseException,
    frames: TracebackType | None,
    tb_offset: int | None = None,
) -> None:
    """Show an error up to where the student's process was asked: what is below is the grader's, and the student's line is in a note."""
    last = None
    here = frames
    while here is not None:
        if not here.tb_frame.f_code.co_filename.startswith(_HERE):
            last = here
        here = here.tb_next
    if last is not None:
        last.tb_next = None
    shell.showtraceback((kind, error, frames), tb_offset=tb_offset, running_compiled_code=True)


_HERE = str(Path(__file__).parent)
