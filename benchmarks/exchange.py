"""How fast the exchange is: python benchmarks/exchange.py [ENTRIES] [REPETITIONS]

Decisions of the policies alone, attempts in memory and in a file, checking a log, and opening a file with a long log. Medians.
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

from rich.console import Console
from rich.progress import track
from rich.table import Table
from sharewell.exchange import Exchange, File, verify
from sharewell.exchange.policies import Entity

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
    shown.add_row(f"open a file with {size:,} entries in its log", "", f"{opened:.5f}")
    shown.add_row("open it and attempt one thing", "", f"{added:.5f}")
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
    context = {"fields": ["week"], "until": LAST, "today": FIRST}
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
