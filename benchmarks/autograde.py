"""How fast gradewell grades: python benchmarks/autograde.py [SUBMISSIONS] [REPETITIONS] [LAB ...]

Grades the same submissions with ``nbgrader autograde``, with nbgrader set to ``shutdown_kernel = "immediate"`` (``plots`` only),
and with ``gradewell autograde``, in turn, each in a new course. Two labs of one notebook that import pandas and matplotlib:
``small`` has small cells, ``plots`` draws and computes. Prints medians end to end, without the start-up (a run that finds
everything graded), the ratios, and the limit: a bare fork's run of the same cells and nbgrader's own steps, over the cores.
"""

from __future__ import annotations

import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

import nbformat
from gradewell.runner.forkserver import ForkServer, Setting
from gradewell.runner.job import Cell, Job
from nbformat.v4 import new_code_cell, new_notebook
from rich.console import Console
from rich.table import Table

PLACE = "/srv/benchmark"  # exists inside the sandbox only
BIN = Path(sys.executable).parent
SMALL = [
    "import matplotlib.pyplot as plt\nimport numpy as np\nimport pandas as pd",
    "table = pd.DataFrame({'x': np.arange(1000), 'y': np.arange(1000) % 7})",
    ("mean", "def mean(table):\n    return table.groupby('y')['x'].mean()"),
    ("test-mean", "assert abs(mean(table)[0] - 500) < 5"),
    (
        "wide",
        "def wide(table):\n    return table.pivot_table(index='y', values='x', aggfunc='sum')",
    ),
    ("test-wide", "assert len(wide(table)) == 7"),
    "table.head()",
    "table.plot.scatter('x', 'y');",
]
PLOTS = [
    *SMALL[:-1],
    *[
        f"figure, axes = plt.subplots(2, 2, figsize=(9, 6))\nfor k, axis in enumerate(axes.flat):\n"
        f"    values = np.sort(np.random.default_rng({n}).normal(size=(200_000, 1)), axis=0)\n"
        "    axis.hist(values[:, 0], bins=100 + k)\n    axis.set_title('Histogram')"
        for n in range(2)
    ],
]
LABS = {"small": SMALL, "plots": PLOTS}


def main() -> None:
    arguments = sys.argv[1:]
    submissions = int(arguments[0]) if arguments else 100
    repetitions = int(arguments[1]) if len(arguments) > 1 else 5
    os.environ["PATH"] = str(BIN) + os.pathsep + os.environ["PATH"]
    console = Console(width=120)
    for lab in arguments[2:] or LABS:
        with tempfile.TemporaryDirectory() as scratch:
            console.print(compared(lab, Path(scratch), submissions, repetitions), "")
            sys.stdout.flush()
    console.print(
        f"Python {platform.python_version()}, nbgrader {version('nbgrader')}, pandas {version('pandas')}; "
        f"{os.cpu_count()} cores, {platform.machine()}, {platform.system()}"
    )


def compared(lab: str, scratch: Path, submissions: int, repetitions: int) -> Table:
    template = course(scratch / "course", LABS[lab], submissions)
    ways = {
        "nbgrader": ["nbgrader", "autograde", "lab"],
        "nbgrader, immediate": [
            "nbgrader", "autograde", "lab", "--Execute.shutdown_kernel=immediate",
        ],
        "gradewell": ["gradewell", "autograde", "lab"],
        "nbgrader, nothing executed": ["nbgrader", "autograde", "lab", "--no-execute"],
    }  # fmt: skip
    if lab == "small":  # it would take ten minutes more; plots shows what it gives
        del ways["nbgrader, immediate"]
    whole: dict[str, list[float]] = {way: [] for way in ways}
    start_up: dict[str, list[float]] = {way: [] for way in ways}
    imports = []
    for _ in range(repetitions):
        imports.append(timed([sys.executable, "-c", "import nbgrader.apps"], scratch))
        for way, command in ways.items():
            folder = scratch / "run"
            shutil.copytree(template, folder)
            whole[way].append(timed(command, folder))
            start_up[way].append(timed(command, folder))
            shutil.rmtree(folder)
    table = Table(
        title=f"{lab}: {submissions} submissions, medians of {repetitions} runs",
        title_justify="left",
    )
    for heading in (
        "",
        "s",
        "start-up, s",
        "s a submission",
        "nbgrader, as a multiple",
        "without start-up",
    ):
        table.add_column(heading, justify="right" if heading else "left")
    middle = {way: statistics.median(whole[way]) for way in ways}
    each = {
        way: statistics.median(a - b for a, b in zip(whole[way], start_up[way], strict=True))
        / submissions
        for way in ways
    }
    for way in ways:
        ratios = [a / b for a, b in zip(whole["nbgrader"], whole[way], strict=True)]
        table.add_row(
            way,
            f"{middle[way]:.1f}",
            f"{statistics.median(start_up[way]):.1f}",
            f"{each[way]:.3f}",
            f"{statistics.median(ratios):.1f}",
            f"{each['nbgrader'] / each[way]:.1f}",
        )
    cores = os.cpu_count() or 1
    bare, cells = forked(LABS[lab], max(repetitions, 5), sandboxed=False)
    boxed, _ = forked(LABS[lab], max(repetitions, 5), sandboxed=True)
    limit = (bare + each["nbgrader, nothing executed"]) / cores
    table.add_row("limit", "", "", f"{limit:.3f}", "", f"{each['nbgrader'] / limit:.1f}")
    besides = cores * each["gradewell"] - boxed
    table.caption = (
        f"gradewell takes {each['gradewell'] / limit:.2f} times the limit: a bare fork's {bare:.3f} s and nbgrader's own "
        f"steps' {each['nbgrader, nothing executed']:.3f} s over {cores} cores.\n"
        f"Where its time goes, seconds of one core a submission: cells {cells:.3f}, fork and messages "
        f"{bare - cells:.3f}, sandbox {boxed - bare:.3f}; all steps besides, and waiting for a core, {besides:.3f}.\n"
        f"import nbgrader.apps: {statistics.median(imports):.2f} s. "
        f"Memory of a submission in flight that does nothing: {overhead():.0f} MiB."
    )
    table.caption_justify = "left"
    return table


def course(root: Path, cells: list[str | tuple[str, str]], submissions: int) -> Path:
    """A course with one lab, generated, and its submissions."""
    notebook = new_notebook(
        metadata={
            "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}
        }
    )
    for cell in cells:
        name, source = cell if isinstance(cell, tuple) else ("", cell)
        code = new_code_cell(source)
        if name:
            test = name.startswith("test-")
            code.metadata["nbgrader"] = {
                "grade": test, "solution": not test, "locked": test, "task": False,
                "grade_id": name, "schema_version": 3, **({"points": 2} if test else {}),
            }  # fmt: skip
            if not test:
                code.source = f"### BEGIN SOLUTION\n{source}\n### END SOLUTION"
        notebook.cells.append(code)
    path = root / "source" / "lab" / "lab.ipynb"
    path.parent.mkdir(parents=True)
    nbformat.write(notebook, path)
    (root / "nbgrader_config.py").write_text(
        "c = get_config()\nc.CourseDirectory.course_id = 'c'\n"
    )
    subprocess.run(
        ["nbgrader", "generate_assignment", "lab"], cwd=root, check=True, capture_output=True
    )
    for number in range(submissions):
        folder = root / "submitted" / f"student{number:04}" / "lab"
        folder.mkdir(parents=True)
        shutil.copy(path, folder)
    return root


def forked(
    cells: list[str | tuple[str, str]], repetitions: int, sandboxed: bool
) -> tuple[float, float]:
    """Seconds that a fork takes to run the cells, one after the other, and those of the cells alone; medians."""
    sources = tuple(Cell(cell if isinstance(cell, str) else cell[1]) for cell in cells)
    whole, within = [], []
    with server(sandboxed) as forks:
        for _ in range(5 * repetitions):
            begun = time.perf_counter()
            ran = forks.execute(Job(sources, PLACE))
            whole.append(time.perf_counter() - begun)
            assert not ran.stopped, ran.stopped
            within.append(sum(cell.seconds for cell in ran.cells))
    return statistics.median(whole), statistics.median(within)


def overhead() -> float:
    """MiB that a notebook's processes have for themselves, beside what they share with the fork server."""
    code = """
import os
def own(pid):
    lines = open(f"/proc/{pid}/smaps_rollup").read().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Private_"))
print(own("self") + own(os.getppid()))
"""
    with server(sandboxed=False) as forks:  # in a sandbox the warden cannot be looked at
        ran = forks.execute(Job((Cell("pass"), Cell(code)), PLACE))
        (said,) = [
            message["content"]["text"]
            for message in ran.cells[1].messages
            if message["msg_type"] == "stream"
        ]
    return int(said) / 1024


def server(sandboxed: bool) -> ForkServer:
    """A fork server, when it is ready."""
    preload = ("matplotlib.pyplot", "numpy", "pandas")
    setting = Setting(root=PLACE, writable=PLACE, preload=preload, sandboxed=sandboxed)
    forks = ForkServer(setting)
    forks.ready()
    return forks


def timed(command: list[str], folder: Path) -> float:
    begun = time.perf_counter()
    ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert ran.returncode == 0 and "stopped" not in ran.stdout, ran.stdout + ran.stderr
    return time.perf_counter() - begun


if __name__ == "__main__":
    main()
