"""How fast the measures of sharewell.risk are: python benchmarks/risk.py [ROWS] [REPETITIONS]

On 1,000,000 rows with 4 quasi-identifiers, each in turn with the bare Polars group-by that counts the classes; and on 20,000
rows against pycanon, installed into a virtual environment of its own (its pins conflict with ours). Medians.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import numpy as np
import polars as pl
from rich.console import Console
from rich.table import Table
from sharewell import risk

KEYS = ["age", "sex", "district", "occupation"]
PYCANON = """
import json, sys, time
import pandas as pd
from pycanon import anonymity
table, keys, seconds = pd.read_parquet(sys.argv[1]), json.loads(sys.argv[2]), {}
for name, call in (
    ("k", lambda: anonymity.k_anonymity(table, keys)),
    ("l, distinct", lambda: anonymity.l_diversity(table, keys, ["illness"])),
    ("l, entropy", lambda: anonymity.entropy_l_diversity(table, keys, ["illness"])),
    ("t, equal", lambda: anonymity.t_closeness(table, keys, ["illness"])),
    ("t, ordered", lambda: anonymity.t_closeness(table, keys, ["income"])),
):
    begun = time.perf_counter()
    value = call()
    seconds[name] = (time.perf_counter() - begun, float(value))
print(json.dumps(seconds))
"""


def main() -> None:
    rows, repetitions = [*map(int, sys.argv[1:]), *[1_000_000, 5][len(sys.argv) - 1 :]]
    console = Console(width=110)
    console.print(measured(population(rows), repetitions), "")
    # pycanon takes minutes for the ordered distance between 500 incomes: it gets 50
    small = population(20_000).with_columns(pl.col("income") // 1_000 * 1_000)
    console.print(compared(small, repetitions), "")
    console.print(
        f"Python {platform.python_version()}, polars {version('polars')}; {os.cpu_count()} cores, "
        f"{platform.machine()}, {platform.system()}"
    )


def population(rows: int) -> pl.DataFrame:
    rng = np.random.default_rng(7)
    return pl.DataFrame(
        {
            "age": rng.integers(0, 100, rows),
            "sex": rng.choice(["f", "m"], rows),
            "district": rng.choice([f"district {n}" for n in range(20)], rows),
            "occupation": rng.choice([f"occupation {n}" for n in range(15)], rows),
            "illness": rng.choice([f"illness {n}" for n in range(30)], rows),
            "income": rng.integers(0, 500, rows) * 100,
        }
    )


def ways(table: pl.DataFrame) -> dict[str, Callable[[], float]]:
    return {
        "k": lambda: risk.k_anonymity(table, KEYS),
        "l, distinct": lambda: risk.l_diversity(table, KEYS, "illness"),
        "l, entropy": lambda: risk.l_diversity(table, KEYS, "illness", "entropy"),
        "l, recursive": lambda: risk.l_diversity(table, KEYS, "illness", "recursive"),
        "t, equal": lambda: risk.t_closeness(table, KEYS, "illness"),
        "t, ordered": lambda: risk.t_closeness(table, KEYS, "income", "ordered"),
        "uniqueness": lambda: risk.uniqueness(table, KEYS),
        "each record": lambda: float(risk.record_risk(table, KEYS).mean()),  # type: ignore[arg-type]
    }


def measured(table: pl.DataFrame, repetitions: int) -> Table:
    shown = Table(title=f"{len(table):,} rows, 4 quasi-identifiers", title_justify="left")
    for heading in ("", "s", "bare group-by, s", "times the group-by"):
        shown.add_column(heading, justify="right" if heading else "left")
    for name, call in ways(table).items():
        pairs = [(timed(bare(table)), timed(call)) for _ in range(repetitions + 1)][1:]
        group, own = (statistics.median(column) for column in zip(*pairs, strict=True))
        ratio = statistics.median(b / a for a, b in pairs)
        shown.add_row(name, f"{own:.3f}", f"{group:.3f}", f"{ratio:.2f}")
    return shown


def bare(table: pl.DataFrame) -> Callable[[], object]:
    return lambda: table.group_by(KEYS).len()["len"].min()


def compared(table: pl.DataFrame, repetitions: int) -> Table:
    shown = Table(title=f"{len(table):,} rows, against pycanon", title_justify="left")
    for heading in ("", "s", "pycanon, s", "times faster", "value", "pycanon's value"):
        shown.add_column(heading, justify="right" if heading else "left")
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "table.parquet"
        table.write_parquet(path)
        venv.create(Path(scratch) / "venv", with_pip=True)
        python = Path(scratch) / "venv" / "bin" / "python"
        install = [python, "-m", "pip", "install", "--quiet", "pycanon", "pyarrow"]
        subprocess.run(install, check=True)
        runs = []
        for _ in range(repetitions):
            command = [python, "-c", PYCANON, path, json.dumps(KEYS)]
            ran = subprocess.run(command, capture_output=True, text=True, check=True)
            runs.append(json.loads(ran.stdout.splitlines()[-1]))
    for name, call in ways(table).items():
        if name in runs[0]:
            own = statistics.median(timed(call) for _ in range(repetitions))
            theirs = statistics.median(run[name][0] for run in runs)
            values = f"{call():.4g}", f"{runs[0][name][1]:.4g}"
            shown.add_row(name, f"{own:.4f}", f"{theirs:.2f}", f"{theirs / own:.0f}", *values)
    return shown


def timed(call: Callable[[], object]) -> float:
    begun = time.perf_counter()
    call()
    return time.perf_counter() - begun


if __name__ == "__main__":
    main()
