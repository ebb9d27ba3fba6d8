"""How long grading takes: python benchmarks/grading.py [SUBMISSIONS] [REPETITIONS]

Grades the same submissions of lab 4 with ``sharewell grade`` and with ``nbgrader autograde`` followed by
``nbgrader generate_feedback``, in turn, each in a new course, and prints the seconds and their ratio. Both use
the course's configuration. Also: how long ``sharewell --help`` takes, beside ``python -c pass``.
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
from gradewell import samples
from rich.console import Console
from rich.table import Table
from sharewell import content, course, grading

LAB = "lab-04-classification"


def main() -> None:
    submissions, repetitions = (int(a) for a in (sys.argv[1:] + ["8", "5"][len(sys.argv) - 1 :]))
    os.environ["PATH"] = str(Path(sys.executable).parent) + os.pathsep + os.environ["PATH"]
    with tempfile.TemporaryDirectory() as scratch:
        template = prepared(Path(scratch) / "course", submissions)
        ways = {
            "sharewell grade": [["sharewell", "grade", LAB]],
            "nbgrader": [["nbgrader", "autograde", LAB], ["nbgrader", "generate_feedback", LAB]],
        }
        seconds: dict[str, list[float]] = {way: [] for way in ways}
        for repetition in range(repetitions + 1):
            for way, commands in ways.items():
                folder = Path(scratch) / "run"
                shutil.copytree(template, folder)
                seconds[way].append(sum(timed(command, folder) for command in commands))
                shutil.rmtree(folder)
            if repetition == 0:  # a warm-up
                seconds = {way: [] for way in ways}
        helps = [timed(["sharewell", "--help"], template) for _ in range(15)]
        bare = [timed([sys.executable, "-c", "pass"], template) for _ in range(15)]

    table = Table(
        title=f"{submissions} submissions of {LAB}, {repetitions} runs each, in turn",
        title_justify="left",
    )
    for heading in ("", "seconds: median", "least", "most", "a submission", "ratio to nbgrader"):
        table.add_column(heading, justify="left" if not heading else "right")
    for way, measured in seconds.items():
        middle = statistics.median(measured)
        ratios = [a / b for a, b in zip(measured, seconds["nbgrader"], strict=True)]
        table.add_row(
            way,
            *(
                f"{value:.1f}"
                for value in (middle, min(measured), max(measured), middle / submissions)
            ),
            f"{statistics.median(ratios):.2f}",
        )
    console = Console(width=110)
    console.print(table)
    console.print(
        f"sharewell --help: median {statistics.median(helps):.2f} s of 15; python -c pass: "
        f"{statistics.median(bare):.2f} s"
    )
    packages = ", ".join(f"{name} {version(name)}" for name in ("nbgrader", "nbclient", "pandas"))
    console.print(
        f"{os.cpu_count()} processors, {platform.platform()}, Python {platform.python_version()}, {packages}"
    )


def prepared(folder: Path, submissions: int) -> Path:
    """A course in which samples of every kind have been handed in."""
    course.make(folder)
    (folder / "secret.txt").write_text("benchmark", encoding="utf-8")
    grading.prepare(course.Course(folder), LAB)
    source, release = (folder / step / LAB / f"{LAB}.ipynb" for step in ("source", "release"))
    chosen = samples.load(content.submissions() / LAB)
    for number in range(submissions):
        path = folder / "submitted" / f"s{number:03}" / LAB / f"{LAB}.ipynb"
        path.parent.mkdir(parents=True)
        sample = chosen[number * 7 % len(chosen)]
        nbformat.write(sample.notebook(source, release), path)
    return folder


def timed(command: list[str], folder: Path) -> float:
    begun = time.perf_counter()
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return time.perf_counter() - begun


if __name__ == "__main__":
    main()
