"""Where the notebooks of a course run: its settings, and the fork servers that they need."""

from __future__ import annotations

import ast
import contextlib
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import nbformat
from jupyter_client.kernelspec import NATIVE_KERNEL_NAME, KernelSpecManager, NoSuchKernel
from nbformat import NotebookNode
from nbgrader.coursedir import CourseDirectory
from traitlets import Bool, Callable, Enum, Instance, Integer, List, Unicode
from traitlets.config import LoggingConfigurable

from . import sandbox
from .errors import RunnerError
from .forkserver import ForkServers, Setting
from .inside.judge import bound
from .job import Job, Judge, Limits, Transcript


class Runner(LoggingConfigurable):
    """Runs notebooks for nbgrader; configured as ``c.Runner`` in ``nbgrader_config.py``."""

    coursedir = Instance(CourseDirectory)
    jobs = Integer(os.cpu_count() or 1, min=1, help="How many notebooks run at the same time.").tag(
        config=True
    )
    notebook_timeout = Integer(
        600,
        min=1,
        help="Seconds that a whole notebook may take; c.Execute.timeout is for one cell.",
    ).tag(config=True)
    memory = Integer(
        2048, min=16, help="MiB of memory that a notebook may use beyond its imported libraries."
    ).tag(config=True)
    processes = Integer(128, min=1, help="How many processes a notebook may have.").tag(config=True)
    open_files = Integer(1024, min=16, help="How many files each process may have open.").tag(
        config=True
    )
    disk = Integer(512, min=1, max=2048, help="MiB that a notebook may write.").tag(config=True)
    output = Integer(20, min=1, help="MiB of output of a notebook that are kept.").tag(config=True)
    notebook_size = Integer(
        100, min=1, help="MiB that a handed-in notebook may have; a larger one is not graded."
    ).tag(config=True)
    sandbox = Enum(
        ("auto", "bubblewrap", "none"),
        default_value="auto",
        help="auto: bubblewrap where it works, and a refusal where it does not. none: limits only.",
    ).tag(config=True)
    readable = List(
        Unicode(), help="More files and folders that notebooks may read, such as shared data."
    ).tag(config=True)
    hidden = List(Unicode(), help="More folders that notebooks may not see.").tag(config=True)
    environment = List(
        Unicode(), help="More environment variables that notebooks get, by name."
    ).tag(config=True)
    student_environment = Callable(
        None,
        allow_none=True,
        help="From a student's id to environment variables (a dict) for this student's notebooks alone.",
    ).tag(config=True)
    judge = Bool(
        False,
        help="Whether test cells run apart from the student's code, in a process that only asks it for values.",
    ).tag(config=True)
    call_timeout = Integer(
        10, min=1, help="With the judge: seconds that one call of the student's code may take."
    ).tag(config=True)
    answer_size = Integer(
        64, min=1, max=1024, help="With the judge: MiB that a value may have that crosses to it."
    ).tag(config=True)
    preload = List(
        Unicode(),
        allow_none=True,
        default_value=None,
        help="Modules to import once for all notebooks. Unless given, those that source/ imports.",
    ).tag(config=True)

    def __init__(self, **traits: Any) -> None:
        super().__init__(**traits)
        self._imports: dict[str, tuple[str, ...]] = {}
        self._judges: dict[str, Judge] = {}
        self.servers: Any = ForkServers()

    @property
    def limits(self) -> Limits:
        """What one notebook may use."""
        return Limits(
            seconds=self.notebook_timeout,
            memory=self.memory << 20,
            processes=self.processes,
            files=self.open_files,
            disk=self.disk << 20,
            output=self.output << 20,
        )

    @property
    def sandboxed(self) -> bool:
        """Whether notebooks run in bubblewrap.

        Raises
        ------
        RunnerError
            They should, and cannot.
        """
        if self.sandbox == "none":
            return False
        if why := sandbox.unavailable():
            raise RunnerError(
                f"student code cannot be sandboxed: {why}. With --sandbox none it runs with your rights, under "
                "limits of time, memory and files only; do that in a container or a virtual machine of its own"
            )
        return True

    def start(self) -> None:
        """Start the fork servers of the assignment, to be ready when its first notebook is.

        Raises
        ------
        RunnerError
            Notebooks cannot run here.
        """
        for _, nb in self._source():
            if setting := self.setting(nb):
                self.servers.start(setting)

    def setting(self, nb: NotebookNode) -> Setting | None:
        """What the fork server of this notebook has to be like.

        None when it needs an ordinary kernel: where its kernel is not Python's, and where a process that has imported
        much cannot be forked safely, which is everywhere but on Linux.

        Raises
        ------
        RunnerError
            Its kernel is not installed, or it should be sandboxed and cannot be.
        """
        found = python_of(nb.metadata.get("kernelspec", {}).get("name", "python3"))
        if found is None or not sys.platform.startswith("linux"):
            return None
        python, variables = found
        root = str(Path(self.coursedir.root).resolve())
        named = {} if self.judge else self._named()
        return Setting(
            root=root,
            writable=self._writable(),
            python=python,
            preload=self._preloaded(),
            sandboxed=self.sandboxed,
            readable=tuple(os.path.abspath(path) for path in self.readable),
            hidden=tuple(os.path.abspath(path) for path in self.hidden),
            variables={**variables, **named},
        )

    def judge_of(self, notebook: str) -> Judge | None:
        """What the judge has to know of a notebook of the assignment, by its name; none without a judge."""
        if not self.judge:
            return None
        if notebook not in self._judges:
            code: dict[str, list[str]] = {"solution": [], "locked": [], "open": []}
            for name, nb in self._source():
                for cell in nb.cells if name == notebook else ():
                    if cell.cell_type == "code":
                        about = cell.metadata.get("nbgrader", {})
                        kind = "solution" if about.get("solution") else "locked"
                        code[kind if about else "open"].append(python_lines(cell.source))
            own = set().union(*(bound(cell, ("import", "define")) for cell in code["locked"]))
            answers = set().union(*(bound(cell) for cell in code["solution"])) - own
            self._judges[notebook] = Judge(
                answers=tuple(sorted(answers)),
                prelude=import_statements(code["open"]),
                variables=self._named(),
                seconds=float(self.call_timeout),
                largest=self.answer_size << 20,
            )
        return self._judges[notebook]

    def execute(self, setting: Setting, job: Job) -> Transcript:
        """Run one notebook, on the fork server for its setting, and wait for it."""
        return self.servers.execute(setting, job)

    def variables_of(self, student: str) -> dict[str, str]:
        """The environment variables that only this student's notebooks get."""
        give = self.student_environment
        return {} if give is None else dict(give(student))

    def folder_seen(self, student: str, assignment: str) -> str:
        """The path that a notebook sees as its folder: where nbgrader would have run it."""
        step = self.coursedir.autograded_directory
        return os.path.abspath(self.coursedir.format_path(step, student, assignment))

    def close(self) -> None:
        """End everything that runs."""
        self.servers.close()

    def _named(self) -> dict[str, str]:
        return {name: os.environ[name] for name in self.environment if name in os.environ}

    def _writable(self) -> str:
        """The folder that holds everything below which notebooks find their own."""
        one, other = (self.folder_seen(name, name) for name in ("a", "b"))
        return os.path.commonpath([os.path.dirname(one), os.path.dirname(other)])

    def _preloaded(self) -> tuple[str, ...]:
        """What was asked for, or what the instructor's notebooks of the assignment import."""
        if self.preload is not None:
            return tuple(self.preload)
        assignment = self.coursedir.assignment_id
        if assignment not in self._imports:
            cells = [cell for _, nb in self._source() for cell in nb.cells]
            code = [cell.source for cell in cells if cell.cell_type == "code"]
            imported = imports_of(code)
            # tables cross as Arrow
            self._imports[assignment] = (*imported, "pyarrow") if self.judge else imported
        return self._imports[assignment]

    def _source(self) -> Iterator[tuple[str, NotebookNode]]:
        """The names and contents of the assignment's notebooks as the instructor wrote them, as far as they can be read."""
        folder = self.coursedir.format_path(
            self.coursedir.source_directory, ".", self.coursedir.assignment_id
        )
        for path in sorted(Path(folder).glob("*.ipynb")):
            with contextlib.suppress(Exception):  # nbgrader says so when it is generated
                yield path.stem, nbformat.read(path, as_version=4)


def python_lines(source: str) -> str:
    """A cell without its magics."""
    lines = [line for line in source.splitlines() if not line.lstrip().startswith(("%", "!"))]
    return "\n".join(lines)


def import_statements(cells: Iterable[str]) -> str:
    """The import statements at the top level of cells, with those left out that do not parse."""
    found = []
    for source in cells:
        with contextlib.suppress(SyntaxError):
            body = ast.parse(source).body
            found += [ast.unparse(n) for n in body if isinstance(n, ast.Import | ast.ImportFrom)]
    return "\n".join(found)


def imports_of(sources: Iterable[str]) -> tuple[str, ...]:
    """The modules that code imports, with cells that do not parse left out."""
    found: set[str] = set()
    for source in sources:
        try:
            tree = ast.parse(python_lines(source))
        except SyntaxError:
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                found.update(alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.add(node.module)
    return tuple(sorted(found))


def python_of(kernel: str) -> tuple[str, dict[str, str]] | None:
    """The Python of a kernel (empty: this one) and its variables. None for a kernel that is not ipykernel.

    Raises
    ------
    RunnerError
        The kernel is not installed.
    """
    if kernel == "python":  # as jupyter_client does
        kernel = NATIVE_KERNEL_NAME
    try:
        spec = KernelSpecManager().get_kernel_spec(kernel)
    except NoSuchKernel as error:
        raise RunnerError(f"there is no kernel named {kernel!r} on this machine") from error
    if spec.language != "python" or "ipykernel_launcher" not in spec.argv:
        return None
    major, minor = sys.version_info[:2]
    python = spec.argv[0]
    if python in (sys.executable, "python", f"python{major}", f"python{major}.{minor}"):
        python = ""  # as jupyter_client does
    return python, dict(spec.env)
