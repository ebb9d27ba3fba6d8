"""Writing a table of any size to a folder: in parts, by many hands, and going on where it stopped.

The folder is a Frictionless data package with a DCAT record and a data card. Workers (processes of this
machine, or a Dask cluster) only make parts, as bytes; one writer puts them into a folder beside the
final one, which gets its name when it is complete. So a half-written table is never found under its name.
"""

from __future__ import annotations

import hashlib
import io
import json
import multiprocessing.connection
import os
import shutil
import signal
import tempfile
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    Executor,
    Future,
    ProcessPoolExecutor,
    wait,
)
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Literal

from datapolis import store
from datapolis.country import Country
from datapolis.errors import DatapolisError
from datapolis.registry import find

Format = Literal["parquet", "csv"]
Progress = Callable[[int, int, int], None]
"""Called with (parts done, parts in all, rows written now)."""

MANIFEST = "datapackage.json"
DATA = "data"
HASH = "sha256"
_ELSEWHERE = ("card", "encoding", "foreignKeys")
_AHEAD = 3
"""Parts under way for each worker: enough to keep it busy, few enough for any memory."""


@dataclass(frozen=True)
class Plan:
    """What writing a table will come to. Rows and bytes follow from one part that was made."""

    parts: int
    rows: int
    bytes: int


def plan(
    name: str,
    *,
    scale: float | None = None,
    seed: int = 0,
    locale: str = "en_US",
    format: Format = "parquet",
) -> Plan:
    """How many parts, about how many rows and about how many bytes a table has.

    Raises
    ------
    DatapolisError
        As for :func:`datapolis.load`.
    """
    table, country = find(name), store.country_of(name, scale, None, seed, locale)
    parts = table.part_count(country)
    content, rows = make_part(name, country, 0, format)
    last = rows if parts == 1 else make_part(name, country, parts - 1, format)[1]
    total = rows * (parts - 1) + last
    return Plan(parts, total, round(len(content) / max(rows, 1) * total))


def write(
    name: str,
    to: str | Path,
    *,
    scale: float | None = None,
    rows: int | None = None,
    seed: int = 0,
    locale: str = "en_US",
    format: Format = "parquet",
    workers: int = 1,
    scheduler: str | None = None,
    progress: Progress | None = None,
) -> Path:
    """Write a table to the new folder ``to``, and return it.

    The folder holds the table in parts (in ``data``), ``datapackage.json`` (Frictionless), ``dcat.jsonld`` (DCAT 3) and
    ``README.md`` (the data card). It appears when it is complete. Until then its parts are in a
    hidden folder beside it, and after an interruption the same call goes on from there.

    Parameters
    ----------
    scale, rows, seed, locale
        As for :func:`datapolis.load`; ``rows`` says how large the country is, and the table is whole.
    format : str
        parquet, or csv in the table's own encoding.
    workers : int
        Processes that make parts.
    scheduler : str, optional
        Address of a Dask scheduler whose workers make the parts instead.
    progress : callable, optional
        Called after each part with (parts done, parts in all, rows written now).

    Raises
    ------
    DatapolisError
        As for :func:`datapolis.load`; when ``to`` exists, its parent does not or cannot be written; too
        little space on the disk; a scheduler that does not answer.
    OSError
        When the disk fails or fills up on the way. What was made is kept.
    """
    country = store.country_of(name, scale, rows, seed, locale)
    if format not in ("parquet", "csv"):
        raise DatapolisError(f"format must be parquet or csv; got {format!r}")
    if not isinstance(workers, int) or workers < 1:
        raise DatapolisError(f"workers must be 1 or more; got {workers!r}")
    to = Path(to)
    if to.exists():
        raise DatapolisError(f"{to} exists. Name another folder; nothing was changed.")
    if not to.parent.is_dir():
        raise DatapolisError(f"there is no folder {to.parent}. Make it first, or name another.")
    write_folder(name, to, country, format, workers, scheduler, progress, check_space=True)
    return to


def write_folder(
    name: str,
    to: Path,
    country: Country,
    format: Format = "parquet",
    workers: int = 1,
    scheduler: str | None = None,
    progress: Progress | None = None,
    check_space: bool = False,
) -> None:
    """What :func:`write` does when all is in order. Folders above ``to`` are made too."""
    partial = to.with_name(f".{to.name}.partial")
    order = json.dumps({"name": name, "format": format, **asdict(country), "edition": _edition()})
    try:
        noted = partial / "order.json"
        if partial.is_dir() and (not noted.exists() or noted.read_text("utf-8") != order):
            shutil.rmtree(partial)
        (partial / DATA).mkdir(parents=True, exist_ok=True)
        noted.write_text(order, encoding="utf-8")
    except OSError as error:
        raise DatapolisError(
            f"cannot write {to}: {error.strerror}. Choose a folder that you may write to."
        ) from error
    parts, there = (
        find(name).part_count(country),
        {file.name for file in (partial / DATA).iterdir()},
    )
    if check_space:
        _check_space(name, to, country, format, 1 - len(there) / parts)
    missing = [n for n in range(parts) if _file(name, n, format) not in there]
    with _pool(workers, scheduler) as (pool, hands):
        done = parts - len(missing)
        if progress and done:
            progress(done, parts, 0)
        for number, (content, rows) in _in_turn(pool, hands, name, country, missing, format):
            _put(partial / DATA / _file(name, number, format), content)
            done += 1
            if progress:
                progress(done, parts, rows)
    _describe(partial, name, country, format, parts)
    partial.rename(to)


def make_part(name: str, country: Country, number: int, format: Format) -> tuple[bytes, int]:
    """One part as the content of a file, and its rows. Runs in workers."""
    made = store.public(find(name).make(country, number))
    out = io.BytesIO()
    if format == "parquet":
        import pyarrow.parquet as pq

        pq.write_table(made, out, store_schema=False)
        return out.getvalue(), made.num_rows
    import pyarrow.csv as pc

    pc.write_csv(made, out)
    return out.getvalue().decode().encode(_encoding(name)), made.num_rows


def _encoding(name: str) -> str:
    return str(store.schema(name).get("encoding", "utf-8"))


@contextmanager
def _pool(workers: int, scheduler: str | None) -> Iterator[tuple[Executor | None, int]]:
    """Who makes the parts: a Dask cluster, processes, or (None) we ourselves; and how many they are."""
    if scheduler is not None:
        from distributed import Client

        try:
            client = Client(scheduler, timeout=10)
        except (OSError, TimeoutError, ValueError) as error:
            raise DatapolisError(
                f"no Dask scheduler answers at {scheduler}. Start one with: dask scheduler"
            ) from error
        with client:
            hands = sum(client.nthreads().values())
            if not hands:
                raise DatapolisError(
                    f"the scheduler at {scheduler} has no workers. Start one: dask worker {scheduler}"
                )
            yield client.get_executor(retries=3, pure=False), hands
    elif workers > 1:
        pool = ProcessPoolExecutor(
            workers,
            mp_context=multiprocessing.get_context("spawn"),
            initializer=_begin_worker,
        )
        try:
            yield pool, workers
        finally:
            pool.shutdown(cancel_futures=True)
    else:
        yield None, 1


def _begin_worker() -> None:
    """Leave Ctrl-C to the writer, and end when it is gone, even if it was killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    assert parent is not None

    def watch() -> None:
        multiprocessing.connection.wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _in_turn(
    pool: Executor | None,
    hands: int,
    name: str,
    country: Country,
    numbers: list[int],
    format: Format,
) -> Iterator[tuple[int, tuple[bytes, int]]]:
    """The parts as they are finished, with a bounded number of them under way."""
    if pool is None:
        for number in numbers:
            yield number, make_part(name, country, number, format)
        return
    waiting = iter(numbers)
    under_way: dict[Future[tuple[bytes, int]], int] = {}
    try:
        while True:
            for number in islice(waiting, _AHEAD * hands - len(under_way)):
                under_way[pool.submit(make_part, name, country, number, format)] = number
            if not under_way:
                return
            done, _ = wait(under_way, return_when=FIRST_COMPLETED)
            for future in done:
                yield under_way.pop(future), future.result()
    except BrokenExecutor as error:
        raise DatapolisError(
            "a worker process ended before it was done, perhaps for want of memory. What was made is kept: "
            "ask for the same again, with fewer workers."
        ) from error


def _file(name: str, number: int, format: Format) -> str:
    return f"{name}-{number:06}.{format}"


def _put(path: Path, content: bytes) -> None:
    """The file is there whole or not at all."""
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".part-", delete=False) as out:
        written = Path(out.name)
        try:
            out.write(content)
            out.close()
            written.replace(path)
        except BaseException:
            written.unlink(missing_ok=True)
            raise


def _check_space(name: str, to: Path, country: Country, format: Format, share: float) -> None:
    needed = (
        share
        * plan(
            name, scale=country.scale, seed=country.seed, locale=country.locale, format=format
        ).bytes
    )
    free = shutil.disk_usage(to.parent).free
    if needed > free:
        raise DatapolisError(
            f"{name} needs about {needed / 1e9:,.1f} GB and {to.parent.absolute()} has {free / 1e9:,.1f} GB free. "
            "Ask for a smaller scale, or name a folder on another disk."
        )


def _describe(partial: Path, name: str, country: Country, format: Format, parts: int) -> None:
    """Add what says what the files are."""
    from datapolis import cards

    described = store.schema(name)
    files = [partial / DATA / _file(name, number, format) for number in range(parts)]
    resource = {
        "name": name.replace("_", "-"),
        "path": [f"{DATA}/{file.name}" for file in files],
        "format": format,
        "mediatype": "text/csv" if format == "csv" else "application/vnd.apache.parquet",
        "encoding": _encoding(name) if format == "csv" else "utf-8",
        "bytes": sum(file.stat().st_size for file in files),
        HASH: [digest(file) for file in files],
        # keys into tables of other packages would make this one invalid; they are named below
        "schema": {k: v for k, v in described.items() if k not in _ELSEWHERE},
    }
    package = {
        "$schema": "https://datapackage.org/profiles/2.0/datapackage.json",
        "name": f"datapolis-{resource['name']}",
        "title": described["title"],
        "description": described["description"],
        "licenses": [{"name": "CC-BY-4.0", "path": "https://creativecommons.org/licenses/by/4.0/"}],
        "datapolis": {
            **asdict(country),
            "edition": _edition(),
            "foreignKeys": described.get("foreignKeys", []),
        },
        "resources": [resource],
    }
    _put(partial / "dcat.jsonld", _json(cards.catalogue([name])))
    _put(partial / "README.md", cards.card(name).encode())
    _put(partial / MANIFEST, _json(package))
    (partial / "order.json").unlink(missing_ok=True)


def _json(content: dict[str, Any]) -> bytes:
    return (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode()


def digest(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, HASH).hexdigest()


def _edition() -> str:
    from datapolis import cache

    return cache.edition()
