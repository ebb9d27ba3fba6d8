"""Grading on a Dask cluster: python benchmarks/autograde_cluster.py [SUBMISSIONS] [REPETITIONS] [WORKERS ...]

Grades a lab of small cells (that of ``autograde.py``) on clusters of single-threaded workers on 127.0.0.1. Prints seconds, the processor time of the client, which alone writes the gradebook, and from that a reckoning for
100,000 submissions: how long the client needs at least, and how many workers keep it busy.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from autograde import BIN, SMALL, course
from distributed import LocalCluster
from rich.console import Console
from rich.table import Table

MANY = 100_000


def main() -> None:
    numbers = [int(word) for word in sys.argv[1:]]
    submissions, repetitions = [*numbers[:2], *[1000, 5][len(numbers[:2]) :]]
    os.environ["PATH"] = str(BIN) + os.pathsep + os.environ["PATH"]
    table = Table(
        title=f"{submissions} submissions, medians of {repetitions} runs", title_justify="left"
    )
    for heading in (
        "workers",
        "s",
        "s a submission",
        "client's processor, s a submission",
        f"client alone for {MANY:,}",
        "workers that keep it busy",
    ):
        table.add_column(heading, justify="right")
    with tempfile.TemporaryDirectory() as scratch:
        template = course(Path(scratch) / "course", SMALL, submissions)
        for workers in numbers[2:] or [1, 2]:
            runs = [graded(template, Path(scratch) / "run", workers) for _ in range(repetitions)]
            seconds, client = (statistics.median(column) for column in zip(*runs, strict=True))
            each, own = seconds / submissions, client / submissions
            busy = each * workers / own
            table.add_row(
                *(f"{workers}", f"{seconds:.1f}", f"{each:.3f}", f"{own:.3f}"),
                *(f"{own * MANY / 3600:.1f} h", f"{busy:.1f}"),
            )
    Console(width=120).print(table, f"{os.cpu_count()} cores, which client and workers share")


def graded(template: Path, folder: Path, workers: int) -> tuple[float, float]:
    """Wall seconds without the start-up, and processor seconds of the client without its start-up."""
    shutil.copytree(template, folder)
    with LocalCluster(
        n_workers=workers, threads_per_worker=1, host="127.0.0.1", dashboard_address=None
    ) as cluster:
        words = ["--scheduler", cluster.scheduler_address]
        whole, busy = run(words, folder)
        again, idle = run(words, folder)
    shutil.rmtree(folder)
    return whole - again, busy - idle


def run(words: list[str], folder: Path) -> tuple[float, float]:
    begun = time.perf_counter()
    command = ["gradewell", "autograde", "lab", *words]
    with (
        tempfile.TemporaryFile("w+") as said,
        subprocess.Popen(command, cwd=folder, stdout=said) as process,
    ):
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        assert process.returncode == 0 and "stopped" not in said.read()
    return time.perf_counter() - begun, usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    main()
