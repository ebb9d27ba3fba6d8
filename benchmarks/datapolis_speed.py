"""How fast Datapolis is made and read: python benchmarks/datapolis_speed.py [--large]

Prints tables, every comparison side by side in one run, medians of five:

- residents against Faker called row by row, and against merely writing the same columns to Parquet;
- sales against ``tpchgen-cli parquet`` (TPC-H lineitem), in cells a second, as many rows each;
- time and peak memory of ``sharewell data make sales`` as the table grows (``--large``: up to 100 million rows);
- ``import datapolis``, and ``load`` from the cache against Polars reading the same files.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import datapolis
import polars as pl
import psutil
import pyarrow.parquet as pq
from datapolis import cache, store
from datapolis.country import Country
from datapolis.registry import find
from faker import Faker
from rich.console import Console
from rich.table import Table

REPETITIONS = 5
BIN = Path(sys.executable).parent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--large", action="store_true", help="grow sales to 100 million rows")
    large = parser.parse_args().large
    console = Console(width=110)
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        os.environ["DATAPOLIS_CACHE"] = str(scratch / "cache")
        for table in (residents(scratch), sales(scratch), reading(), growth(scratch, large)):
            console.print(table, "")
    console.print(
        f"Python {platform.python_version()}, NumPy {version('numpy')}, PyArrow {version('pyarrow')}, "
        f"Polars {version('polars')}; {os.cpu_count()} cores, {platform.machine()}, {platform.system()}"
    )


def seconds(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def in_turn(works: dict[str, Callable[[], object]]) -> dict[str, float]:
    """The median seconds of each: REPETITIONS times one after the other, and once to warm up.

    Every other round goes backwards, so that none always follows the same one.
    """
    taken: dict[str, list[float]] = {name: [] for name in works}
    for repetition in range(REPETITIONS + 1):
        for name in list(works)[:: -1 if repetition % 2 else 1]:
            measured = seconds(works[name])
            if repetition:
                taken[name].append(measured)
    return {name: statistics.median(values) for name, values in taken.items()}


def table_of(title: str, *headings: str) -> Table:
    table = Table(title=title, title_justify="left")
    for n, heading in enumerate(headings):
        table.add_column(heading, justify="right" if n else "left")
    return table


def residents(scratch: Path) -> Table:
    country, blocks, by_row = Country(1, 6.0), range(8), 1_000
    find("residents").make(country, 8)  # vocabulary
    ready = [store.public(find("residents").make(country, n)) for n in blocks]
    rows = sum(part.num_rows for part in ready)
    fake = Faker("en_US")

    def write(part: object, n: int) -> None:
        pq.write_table(part, scratch / f"r{n}.parquet", store_schema=False)

    def one_by_one() -> list[tuple[object, ...]]:
        return [
            (
                fake.bothify("P#########"), fake.bothify("H#########"), fake.first_name(), fake.last_name(),
                fake.random_element(("female", "male")), fake.date_of_birth(), fake.bothify("99################"),
                fake.bothify("1##########"), fake.email(), fake.city(), fake.street_address(),
                fake.random_element(("primary", "secondary")), fake.job(), fake.random_int(0, 90_000),
            )
            for _ in range(by_row)
        ]  # fmt: skip

    def make_and_write() -> None:
        for n in blocks:
            write(store.public(find("residents").make(country, n)), n)

    taken = in_turn(
        {
            "made and written": make_and_write,
            "written only": lambda: [write(part, n) for n, part in enumerate(ready)],
            "Faker, row by row": one_by_one,
        }
    )
    taken["Faker, row by row"] *= rows / by_row
    table = table_of(
        f"residents, {rows:,} rows of 14 columns, one process", "", "rows/s", "ours, as a multiple"
    )
    for name, needed in taken.items():
        table.add_row(name, f"{rows / needed:,.0f}", f"{needed / taken['made and written']:,.2f}")
    return table


def sales(scratch: Path) -> Table:
    scale, workers = 2.2, 2

    def ours() -> None:
        shutil.rmtree(scratch / "sales", ignore_errors=True)
        datapolis.write("sales", scratch / "sales", scale=scale, workers=workers)

    def theirs() -> None:
        shutil.rmtree(scratch / "tpch", ignore_errors=True)
        command = [
            BIN / "tpchgen-cli",
            "parquet",
            "-s",
            "1",
            "--tables=lineitem",
            "-o",
            scratch / "tpch",
        ]
        subprocess.run(command, check=True, capture_output=True)

    taken = in_turn({"sales": ours, "lineitem": theirs})
    table = table_of(
        f"Parquet on {workers} cores, start-up of the workers included",
        "",
        "rows",
        "columns",
        "s",
        "million cells/s",
        "ratio",
    )
    cells = {}
    for name, files in (("sales", scratch / "sales" / "data"), ("lineitem", scratch / "tpch")):
        metadata = [pq.read_metadata(file) for file in files.glob("*.parquet")]
        rows, columns = sum(m.num_rows for m in metadata), metadata[0].num_columns
        cells[name] = rows * columns / taken[name] / 1e6
        table.add_row(
            name,
            f"{rows:,}",
            str(columns),
            f"{taken[name]:.2f}",
            f"{cells[name]:.1f}",
            f"{cells[name] / cells.get('sales', cells[name]):.2f}",
        )
    return table


def reading() -> Table:
    datapolis.load("sales", scale=1)
    files = cache.files("sales", Country(0, 1.0, "en_US"))
    bare = [sys.executable, "-c", "pass"]
    taken = in_turn(
        {
            "load(as_='polars') from the cache": lambda: datapolis.load(
                "sales", scale=1, as_="polars"
            ),
            "polars.read_parquet of its files": lambda: pl.read_parquet(files),
            "load(as_='arrow') from the cache": lambda: datapolis.load(
                "sales", scale=1, as_="arrow"
            ),
            "load() as pandas from the cache": lambda: datapolis.load("sales", scale=1),
            "polars.read_parquet(...).to_pandas()": lambda: pl.read_parquet(files).to_pandas(),
            "load('residents', scale=0.01)": lambda: datapolis.load("residents", scale=0.01),
            "load('sales', scale=0.01)": lambda: datapolis.load("sales", scale=0.01),
            "python -c 'import datapolis'": lambda: subprocess.run(
                [*bare[:2], "import datapolis"], check=True
            ),
            "python -c pass": lambda: subprocess.run(bare, check=True),
        }
    )
    table = table_of("Reading; sales has about 2.8 million rows", "", "s", "of Polars' reading")
    for name, needed in taken.items():
        table.add_row(
            name, f"{needed:.3f}", f"{needed / taken['polars.read_parquet of its files']:.2f}"
        )
    return table


def growth(scratch: Path, large: bool) -> Table:
    table = table_of(
        "sharewell data make sales --workers 2",
        "scale",
        "rows",
        "s",
        "rows/s",
        "peak memory, MiB",
        "GB on disk",
    )
    for scale in (0.36, 3.6, 36) if large else (0.36, 3.6):
        folder = scratch / "growing"
        command = [
            BIN / "sharewell",
            "data",
            "make",
            "sales",
            "--scale",
            str(scale),
            "--workers",
            "2",
            "--out",
            folder,
        ]
        begun = time.perf_counter()
        process = psutil.Popen(command, stdout=subprocess.DEVNULL)
        peak = 0
        while process.poll() is None:
            peak = max(peak, _memory(process))
            time.sleep(0.05)
        needed = time.perf_counter() - begun
        files = list((folder / "data").iterdir())
        rows = sum(pq.read_metadata(file).num_rows for file in files)
        size = sum(file.stat().st_size for file in files)
        table.add_row(
            f"{scale:g}",
            f"{rows:,}",
            f"{needed:.1f}",
            f"{rows / needed:,.0f}",
            f"{peak / 2**20:,.0f}",
            f"{size / 1e9:.2f}",
        )
        shutil.rmtree(folder)
    ahead = datapolis.plan("sales", scale=420)
    table.add_row("420", f"{ahead.rows:,}", "planned", "", "", f"{ahead.bytes / 1e9:.1f}")
    return table


def _memory(process: psutil.Process) -> int:
    """Resident memory of a process and its children together, bytes; shared pages count for each."""
    total = 0
    for one in [process, *process.children(recursive=True)]:
        try:
            total += one.memory_info().rss
        except psutil.NoSuchProcess:
            continue
    return total


if __name__ == "__main__":
    main()
