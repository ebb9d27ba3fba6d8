"""Where the notebooks of a course run: its settings, and the fork servers that they need."""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
from jupyter_client.kernelspec import NATIVE_KERNEL_NAME, KernelSpecManager, NoSuchKernel
from nbformat import NotebookNode
from nbgrader.coursedir import CourseDirectory
from nbgrader.utils import find_all_files, is_grade, is_solution
from traitlets import Bool, Callable, Enum, Instance, Integer, List, Unicode
from traitlets.config import LoggingConfigurable

from . import sandbox
from .changes import combined, of_files, of_settings
from .errors import RunnerError
from .forkserver import ForkServers, Setting
from .inside.judge import Step
from .inside.names import bound, changed, import_statements, imports_of, python_lines
from .job import Job, Judge, Limits, Transcript
from .original import Original, grade_id, original


class Runner(LoggingConfigurable):
    """Runs notebooks for nbgrader; configured as ``c.Runner`` in ``nbgrader_config.py``."""

    coursedir = Instance(CourseDirectory)
    jobs = Integer(os.cpu_count() or 1, min=1, help="How many notebooks run at the same time.").tag(
        config=True
    )
    notebook_timeout = Integer(
        600,
        min=1,
        help="Seconds of processor time that a whole notebook may take; c.Execute.timeout is for one cell.",
    ).tag(config=True)
    memory = Integer(
        2048, min=16, help="MiB of memory that a notebook may use beyond its imported libraries."
    ).tag(config=True)
    processes = Integer(128, min=1, help="How many processes a notebook may have.").tag(config=True)
    open_files = Integer(1024, min=16, help="How many files each process may have open.").tag(
        config=True
    )
    disk = Integer(512, min=1, max=2048, help="MiB that a notebook may write.").tag(config=True)
    inodes = Integer(
        20_000,
        min=100,
        help="How many files and folders a notebook may have in each place that it can write to.",
    ).tag(config=True)
    output = Integer(20, min=1, help="MiB of output of a notebook that are kept.").tag(config=True)
    notebook_size = Integer(
        100, min=1, help="MiB that a handed-in notebook may have; a larger one is not graded."
    ).tag(config=True)
    sandbox = Enum(
        ("auto", "bubblewrap", "none"),
        default_value="auto",
        help="auto: bubblewrap where it works, and a refusal where it does not. none: limits only.",
    ).tag(config=True)
    control_groups = Bool(
        True,
        help="Whether the system's control groups bound notebooks, where it has them. Otherwise what they use is added up.",
    ).tag(config=True)
    filter_calls = Bool(
        True,
        help="Whether system calls that no notebook needs are taken away, where the system can do that.",
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
        30,
        min=1,
        help="With the judge: seconds of processor time that one call of the student's code may take.",
    ).tag(config=True)
    answer_size = Integer(
        64, min=1, max=1024, help="With the judge: MiB that a value may have that crosses to it."
    ).tag(config=True)
    answers = List(
        Unicode(),
        help="With the judge: names that students are asked to define, beside those that the source's answer cells define.",
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
        self._originals: dict[tuple[str, str], Original] = {}
        self._settings = ""
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
            inodes=self.inodes,
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
        named = {} if self.judge else self.named_variables()
        return Setting(
            root=root,
            writable=self._writable(),
            python=python,
            preload=self._preloaded(),
            sandboxed=self.sandboxed,
            grouped=self.control_groups,
            filtered=self.filter_calls,
            readable=tuple(os.path.abspath(path) for path in self.readable),
            hidden=tuple(os.path.abspath(path) for path in self.hidden),
            variables={**variables, **named},
        )

    def original(self, notebook: str) -> Original:
        """The instructor's version of a notebook of the assignment, by its name.

        Raises
        ------
        nbgrader.api.MissingEntry
            The gradebook does not know it.
        """
        assignment = self.coursedir.assignment_id
        if (assignment, notebook) not in self._originals:
            found = original(self.coursedir, assignment, notebook, self.parent)
            self._originals[assignment, notebook] = found
        return self._originals[assignment, notebook]

    def marks(self, student: str, notebook: str, converter: Any) -> dict[str, str]:
        """Digests of what a student handed in, and of how a notebook is graded."""
        folder = self.coursedir.format_path
        assignment = self.coursedir.assignment_id
        if not self._settings:
            files = of_files(
                Path(folder(self.coursedir.source_directory, ".", assignment)), [".ipynb"]
            )
            steps = (*converter.sanitize_preprocessors, *converter.autograde_preprocessors)
            self._settings = combined(files, of_settings(self, converter.config, steps))
        own = json.dumps(self.variables_of(student), sort_keys=True)
        handed_in = Path(folder(self.coursedir.submitted_directory, student, assignment))
        return {
            "handed_in": of_files(handed_in),
            "graded_with": combined(self.original(notebook).digest, self._settings, own),
        }

    def renew(self) -> None:
        """Forget what was read of the course: it may have changed."""
        self._originals.clear()
        self._settings = ""

    def judge_of(self, notebook: str) -> Judge | None:
        """What the judge has to know of a notebook of the assignment, by its name; none without a judge."""
        if not self.judge:
            return None
        return Judge(
            steps=steps(self.original(notebook)),
            answers=tuple(self.answers),
            files=self._own_files(),
            variables=self.named_variables(),
            seconds=float(self.call_timeout),
            largest=self.answer_size << 20,
        )

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

    def named_variables(self) -> dict[str, str]:
        """The environment variables that are named in the configuration, as they are here."""
        return {name: os.environ[name] for name in self.environment if name in os.environ}

    def _own_files(self) -> tuple[str, ...]:
        """The files that the instructor gives with the assignment, and that students are not to write."""
        assignment = self.coursedir.assignment_id
        folder = self.coursedir.format_path(self.coursedir.source_directory, ".", assignment)
        found = find_all_files(folder, [*self.coursedir.ignore, "*.ipynb"])
        names = {Path(os.path.relpath(path, folder)).as_posix() for path in found}
        theirs = self.config.get("Autograde", {}).get("exclude_overwriting", {})
        return tuple(sorted(names - set(theirs.get(assignment, ()))))

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
            imported = (*imports_of(code), *_FONTS)
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


def runner_of(converter: Any) -> Runner:
    """The runner of a converter. nbgrader's own knows of none: one is made once, and closed with the process."""
    if hasattr(converter, "runner"):
        found: Runner = converter.runner
        return found
    name = (converter.coursedir.root, converter.coursedir.assignment_id)
    if name not in _alone:
        for other in list(_alone):
            _alone.pop(other).close()
        _alone[name] = Runner(coursedir=converter.coursedir, parent=converter)
        atexit.register(_alone[name].close)
    if _last.get("converter") is not converter:  # another run, and the course may have changed
        _last["converter"] = converter
        _alone[name].renew()
    return _alone[name]


_alone: dict[tuple[str, str], Runner] = {}
_last: dict[str, Any] = {}


_FONTS = ("matplotlib.font_manager",)
"""Loaded for all: a notebook would make the list of fonts anew, which takes seconds, and would say so where a test is graded."""


def steps(notebook: Original) -> tuple[Step, ...]:
    """The code cells of an instructor's notebook, in the judge's eyes.

    What is not locked is the instructor's as well; only its imports go first, so that nothing else of it is run for a module's name.
    """
    found: list[Step] = []
    given: set[str] = set()  # names of objects, not of modules, functions or classes
    for cell in notebook.nb.cells:
        if cell.cell_type != "code":
            continue
        if is_solution(cell):
            solution = python_lines(notebook.solutions[grade_id(cell)])
            imported = bound("\n".join(import_statements([solution])))
            names = bound(solution, ("define", "assign")) | bound(cell.source, ("define", "assign"))
            names |= changed(solution) & given
            found += [Step("import", source=one) for one in import_statements([solution])]
            found.append(Step("answer", names=tuple(sorted(names - imported))))
            given |= names
        elif is_grade(cell):
            names = bound(python_lines(cell.source))
            found.append(Step("test", names=tuple(sorted(names)), test=grade_id(cell)))
        else:
            if not grade_id(cell):
                found += [Step("given", source=one) for one in import_statements([cell.source])]
            found.append(Step("given", source=cell.source))
            given |= bound(python_lines(cell.source), ("assign",))
    return tuple(step for step in found if step.kind in ("answer", "test") or step.source.strip())


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
