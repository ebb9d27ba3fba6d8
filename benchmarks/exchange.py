"""How fast the exchange is: python benchmarks/exchange.py [ENTRIES] [REPETITIONS]

Decisions of the policies alone, attempts in memory and in a file, checking a log, data taken over and asked about, letters between
counties, and a file with a long log. Medians.
"""

from __future__ import annotations

import itertools
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date
from importlib.metadata import version
from pathlib import Path

import numpy as np
import polars as pl
from rich.console import Console
from rich.progress import track
from rich.table import Table
from sharewell.exchange import Exchange, File, packages, queries, verify
from sharewell.exchange.holdings import Holdings
from sharewell.exchange.levels import Node, carry
from sharewell.exchange.policies import Entity
from sharewell.exchange.queries import Query

PEOPLE = {"Ana": ["owner"], "Sten": ["steward"], "Kim": ["committee"], "Mara": ["consumer"]}
FIRST, LAST = date(2026, 3, 2), date(2026, 12, 31)


def main() -> None:
    entries, repetitions = [*map(int, sys.argv[1:]), *[1_000_000, 5][len(sys.argv) - 1 :]]
    shown = Table(title="The exchange", title_justify="left")
    for heading in ("", "a second", "s"):
        shown.add_column(heading, justify="right" if heading else "left")
    with tempfile.TemporaryDirectory() as scratch:
        for name, count, call in ways(Path(scratch)):
            seconds = statistics.median(timed(call) for _ in range(repetitions))
            shown.add_row(name, f"{count / seconds:,.0f}", f"{seconds:.3f}")
        path = Path(scratch) / "long.db"
        size = long(path, entries)
        opened = statistics.median(timed(lambda: again(path)) for _ in range(repetitions))
        checked = timed(lambda: verify(again(path).log))
        added = statistics.median(
            timed(lambda: request(again(path), 1)) for _ in range(repetitions)
        )
        one = statistics.median(
            timed(lambda: [*again(path).log.about("cases")]) for _ in range(repetitions)
        )
    with tempfile.TemporaryDirectory() as scratch:
        for name, call in data(Path(scratch)):
            shown.add_row(
                name, "", f"{statistics.median(timed(call) for _ in range(repetitions)):.3f}"
            )
    shown.add_row(f"open a file with {size:,} entries in its log", "", f"{opened:.5f}")
    shown.add_row("open it and attempt one thing", "", f"{added:.5f}")
    shown.add_row("open it and read the records of one resource", "", f"{one:.5f}")
    shown.add_row("check that log, once", f"{size / checked:,.0f}", f"{checked:.1f}")
    console = Console(width=110)
    console.print(shown)
    console.print(
        f"Python {platform.python_version()}, cedarpy {version('cedarpy')}; {os.cpu_count()} cores, {platform.machine()}, "
        f"{platform.system()}"
    )


def ways(folder: Path) -> list[tuple[str, int, Callable[[], object]]]:
    """What is measured, how many there are of it, and how it is done."""
    grant = listed(Exchange(PEOPLE, FIRST))
    name = request(grant, 1)
    asked, mara = (
        grant._grant(name),
        Entity("Person", "Mara", {"name": "Mara", "roles": ["consumer"]}),
    )
    context = {"fields": ["week"], "until": LAST, "epsilon": 0.0, "today": FIRST}
    log = listed(Exchange(PEOPLE, FIRST))
    request(log, 20_000)
    records = list(log.log)
    files = (File(folder / f"{n}.db") for n in itertools.count())
    return [
        ("decisions by the policies alone", 5_000,
         lambda: [grant.policies.refusal(mara, "approve", asked, context) for _ in range(5_000)]),
        ("attempts in memory", 2_000, lambda: request(listed(Exchange(PEOPLE, FIRST)), 2_000)),
        ("attempts in a file, each on the disk before the next", 1_000,
         lambda: request(listed(Exchange(PEOPLE, FIRST, next(files))), 1_000)),
        ("entries of a log checked", len(records), lambda: verify(records)),
    ]  # fmt: skip


def data(folder: Path) -> list[tuple[str, Callable[[], object]]]:
    """What is done with 1,000,000 rows that the exchange holds, and between five exchanges."""
    rng, rows = np.random.default_rng(1), 1_000_000
    columns = {"week": rng.integers(1, 53, rows), "count": rng.integers(0, 500, rows)}
    pl.DataFrame(columns).write_parquet(folder / "cases.parquet")
    exchange = Exchange(PEOPLE, FIRST, File(folder / "held.db"))
    exchange.catalogue("Sten", "cases", [*columns], owner="Ana")
    holdings = Holdings.of(folder / "held.db")
    holdings.deposit(exchange, "Sten", "cases", folder / "cases.parquet")
    exchange.classify("Sten", "cases", "restricted", epsilon=1e6)
    exchange.confirm("Kim", "cases")
    for n, epsilon in enumerate((1e5, 0.0), start=1):
        exchange.request("Mara", "cases", "planning", [*columns], LAST, epsilon)
        exchange.approve("Ana", f"G{n}")
    exchange.release("Sten", "G1")
    mean = Query("mean", "count", (0, 500), by={"week": list(range(1, 53))})
    packed = (folder / f"{n}.zip" for n in itertools.count())

    def pack() -> None:
        packages.release(exchange, "Sten", "G2", holdings, next(packed))
        exchange.classify("Sten", "cases", "restricted", epsilon=1e6)
        exchange.confirm("Kim", "cases")
        exchange.approve("Ana", "G2")

    def ask() -> None:
        queries.ask(exchange, holdings, "Mara", "G1", "planning", mean, 0.1)

    return [
        ("take over 1,000,000 rows, 2 columns, and lock them",
         lambda: holdings.deposit(exchange, "Sten", "cases", folder / "cases.parquet")),
        ("a question about them: the mean in each of 52 weeks", ask),
        ("release them as a signed package", pack),
        ("100 requests from county to county, and back", counties(folder)),
    ]  # fmt: skip


def counties(folder: Path) -> Callable[[], object]:
    nodes = {}
    for name, above in (
        ("nation", ""),
        ("north", "nation"),
        ("south", "nation"),
        ("lake", "north"),
        ("bay", "south"),
    ):
        Exchange(PEOPLE, FIRST, File(folder / f"{name}.db"))
        nodes[name] = Node(folder / f"{name}.db")
        nodes[name].join(nodes[above], name) if above else nodes[name].begin(name)
    listed(nodes["lake"].exchange)

    def travel() -> None:
        asked = {"purpose": "planning", "fields": ["week"], "until": LAST}
        for _ in range(100):
            nodes["bay"].send("Mara", "request", "nation/north/lake:cases", **asked)
        carry(list(nodes.values()))

    return travel


def listed(exchange: Exchange) -> Exchange:
    exchange.catalogue("Sten", "cases", ["week", "count"], owner="Ana")
    exchange.classify("Sten", "cases", "restricted")
    exchange.confirm("Kim", "cases")
    return exchange


def request(exchange: Exchange, times: int) -> str:
    return [exchange.request("Mara", "cases", "planning", ["week"], LAST) for _ in range(times)][-1]


def long(path: Path, entries: int) -> int:
    """A file with so many entries in its log, written in one transaction."""
    exchange = listed(Exchange(PEOPLE, FIRST, File(path)))
    with exchange.store.transaction():
        name = request(exchange, 1)
        exchange.approve("Ana", name)
        exchange.release("Sten", name)
        for _ in track(range(entries - len(exchange.log)), "Writing a long log", transient=True):
            exchange.use("Mara", name, "planning", ["week"])
    size = len(exchange.log)
    exchange.store.close()
    return size


def again(path: Path) -> Exchange:
    return Exchange({}, FIRST, File(path))


def timed(call: Callable[[], object]) -> float:
    begun = time.perf_counter()
    call()
    return time.perf_counter() - begun


if __name__ == "__main__":
    main()
