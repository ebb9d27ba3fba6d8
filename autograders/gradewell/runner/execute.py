"""nbgrader's Execute preprocessor, with notebooks run by a fork server.

The fork server returns the messages that a kernel would have sent, and nbclient's own code makes outputs of them. In
plain nbgrader, and behind formgrader's button, these lines of configuration do the same::

    from gradewell.runner.execute import preprocessors
    c.Autograde.autograde_preprocessors = preprocessors()
    c.Autograde.exporter_class = "gradewell.runner.exporter.Restored"
"""

from __future__ import annotations

import time
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import Any

from jupyter_core.utils import run_sync
from nbclient import NotebookClient
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbformat import NotebookNode
from nbgrader.converters import Autograde as NbgraderAutograde
from nbgrader.preprocessors import Execute as NbgraderExecute
from nbgrader.utils import is_grade, is_solution

from ..terminal import printable
from .changes import KEY
from .forkserver import Setting
from .inside.archive import unpack
from .job import Cell, CellRun, Job, Transcript, pack
from .replay import Replay, error_output, not_run
from .restore import restore
from .runner import Runner, runner_of
from .score import settle
from .submission import is_ours


def preprocessors() -> list[type]:
    """nbgrader's preprocessors for autograding, with our Execute in place of its."""
    theirs = NbgraderAutograde.autograde_preprocessors.default()
    return [Execute if one is NbgraderExecute else one for one in theirs]


class Execute(NbgraderExecute):  # type: ignore[misc]
    """Executes a notebook in a fork of a process that has imported its libraries, in a sandbox."""

    _watch: Any = None
    """Over an ordinary kernel."""
    _runs_of_cells: list[CellRun]
    """One for each cell that was begun in it."""

    def preprocess(
        self, nb: NotebookNode, resources: Any = None, km: Any = None
    ) -> tuple[NotebookNode, Any]:
        """Run all code cells; same arguments and result as nbclient's.

        A notebook that had to be stopped keeps what its cells put out before; each later cell gets an error that
        says why.
        """
        converter = self.parent.parent
        runner = runner_of(converter)
        about = resources["nbgrader"]
        nb, _ = restore(
            nb, runner.original(about["notebook"])
        )  # whatever came here: this is what runs
        nb.metadata[KEY] = runner.marks(about["student"], about["notebook"], converter)
        waiting = getattr(converter, "waiting", nullcontext)
        setting = runner.setting(nb)
        running = [cell for cell in nb.cells if self._runs(cell)]
        if setting is None:
            with waiting():
                transcript = self._in_ordinary_kernel(runner, nb, resources, km)
        else:
            transcript = self._in_fork(runner, setting, nb, resources, km, waiting)
        ran = dict(zip((cell.id for cell in running), transcript.cells, strict=False))
        invalid = [
            cell.metadata.nbgrader.grade_id for cell in nb.cells if settle(cell, ran.get(cell.id))
        ]
        if hasattr(converter, "finished"):
            converter.finished(about["notebook"], running, transcript, invalid)
        return nb, self.resources

    def _in_fork(
        self,
        runner: Runner,
        setting: Setting,
        nb: NotebookNode,
        resources: Any,
        km: Any,
        waiting: Any,
    ) -> Transcript:
        NotebookClient.__init__(self, nb, km)
        self.reset_execution_trackers()
        self._check_assign_resources(resources)
        here = Path(resources["metadata"]["path"] or ".")
        notebooks = frozenset(path.name for path in here.glob("*.ipynb"))
        others = [path.name for path in here.iterdir() if path.name not in notebooks]
        running = [cell for cell in nb.cells if self._runs(cell)]
        student = resources["nbgrader"]["student"]
        judge = runner.judge_of(resources["nbgrader"]["notebook"])
        job = Job(
            cells=tuple(
                Cell(cell.source, self._get_timeout(cell), test=_test(cell) if judge else "")
                for cell in running
            ),
            judge=judge,
            folder=runner.folder_seen(student, resources["nbgrader"]["assignment"]),
            files=pack(here, others),
            keep_out=notebooks,
            limits=runner.limits,
            variables=runner.variables_of(student),
        )
        with waiting():
            transcript = runner.execute(setting, job)
        if transcript.files:
            _replace(here, [name for name in others if not is_ours(name)], transcript.files)
        self._replay(nb, transcript)
        return transcript

    def _in_ordinary_kernel(
        self, runner: Runner, nb: NotebookNode, resources: Any, km: Any
    ) -> Transcript:
        from .kernels import Watch, kernel_manager

        self._watch, self._runs_of_cells = Watch(runner), []
        own = runner.variables_of(resources["nbgrader"]["student"])
        self.kernel_manager_class = kernel_manager(runner, self._watch, own)
        self.on_cell_executed = self._ended
        begun = time.monotonic()
        transcript = Transcript()
        try:
            super().preprocess(nb, resources, km)
        except (DeadKernelError, CellTimeoutError) as error:
            died = isinstance(error, DeadKernelError)
            transcript.stopped = self._watch.stopped or (
                "its kernel died" if died else "a cell did not react to being interrupted"
            )
            here = len(self._runs_of_cells) - 1
            for index, cell in enumerate(nb.cells):
                if index >= here and self._runs(cell):
                    cell.outputs.append(
                        error_output(*not_run(transcript.stopped, begun=index == here))
                    )
        transcript.cells = [
            run
            for cell, run in zip(nb.cells, self._runs_of_cells, strict=False)
            if self._runs(cell)
        ]
        transcript.seconds = time.monotonic() - begun
        return transcript

    def preprocess_cell(self, cell: NotebookNode, resources: Any, index: int) -> Any:
        """See nbconvert, which calls it for ordinary kernels only."""
        self._runs_of_cells.append(CellRun())
        begun = time.monotonic()
        try:
            return super().preprocess_cell(cell, resources, index)
        finally:
            self._runs_of_cells[-1].seconds = time.monotonic() - begun

    def _ended(self, cell: NotebookNode, cell_index: int, execute_reply: dict[str, Any]) -> None:
        """Called by nbclient with the reply to a cell."""
        self._runs_of_cells[-1].reply = execute_reply

    async def _async_handle_timeout(self, timeout: int, cell: NotebookNode | None = None) -> Any:
        self._runs_of_cells[-1].timed_out = True
        return await super()._async_handle_timeout(timeout, cell)

    def handle_comm_msg(self, outs: Any, msg: Any, cell_index: int) -> None:
        """See nbclient. A widget's message that is none costs itself only: a student's process may have written it."""
        with suppress(Exception):
            super().handle_comm_msg(outs, msg, cell_index)

    def output(self, outs: Any, msg: Any, display_id: Any, cell_index: int) -> Any:
        """See nbclient. Output beyond the limit is not kept."""
        if self._watch and not self._watch.put_out(len(str(msg["content"]))):
            return None
        return super().output(outs, msg, display_id, cell_index)

    def _runs(self, cell: NotebookNode) -> bool:
        """Whether nbclient would execute this cell."""
        return (
            cell.cell_type == "code"
            and bool(cell.source.strip())
            and self.skip_cells_with_tag not in cell.metadata.get("tags", [])
        )

    def _replay(self, nb: NotebookNode, transcript: Transcript) -> None:
        """Let nbclient make outputs of the messages."""
        self.iopub_timeout = 600  # there is no kernel that could hang
        self.kc = Replay(transcript, self.error_on_timeout)
        if transcript.language:
            nb.metadata["language_info"] = transcript.language

        async def every_cell() -> None:
            for index, cell in enumerate(nb.cells):
                await self.async_execute_cell(cell, index, store_history=True)

        run_sync(every_cell)()  # behind formgrader's button a loop is running already
        self.set_widgets_metadata()


def _test(cell: NotebookNode) -> str:
    """The name of a cell that tests others; empty for any other."""
    return str(cell.metadata.nbgrader.grade_id) if is_grade(cell) and not is_solution(cell) else ""


def _replace(folder: Path, names: list[str], packed: bytes) -> None:
    """Put what the notebook left in its folder in the place of what was there, but for what is the grader's."""
    from nbgrader.utils import remove, rmtree

    for name in names:
        path = folder / name
        rmtree(path) if path.is_dir() and not path.is_symlink() else remove(path)
    unpack(packed, folder, is_ours, renamed=lambda name: printable(name) or "_")
