"""Large tables on disk: made once, checked when read, safe when two processes fill them at once."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.metadata import version
from pathlib import Path

import locket

from datapolis.country import Country
from datapolis.errors import DatapolisError
from datapolis.export import HASH, MANIFEST, digest, write_folder


def folder() -> Path:
    """Where tables are kept: what ``DATAPOLIS_CACHE`` names, else the user's cache."""
    import platformdirs

    default = platformdirs.user_cache_path("sharewell") / "datapolis"
    return Path(os.environ.get("DATAPOLIS_CACHE", default))


def files(name: str, country: Country) -> list[Path]:
    """The Parquet files of a table, made now if they are not there or are damaged."""
    key = f"{name}-{country.scale:g}-{country.seed}-{country.locale}-{edition()}"
    kept = folder() / key
    if found := _sound(kept):
        return found
    with _alone(kept):
        if found := _sound(kept):  # another process made it while this one waited
            return found
        shutil.rmtree(kept, ignore_errors=True)
        write_folder(name, kept, country)
        if found := _sound(kept):
            return found
    raise OSError(5, "what was just written reads back damaged", str(kept))


@contextmanager
def _alone(kept: Path) -> Iterator[None]:
    """One process at a time fills a folder; the others wait for it. A process that ends gives its place up."""
    lock = locket.lock_file(str(kept.with_name(f".{kept.name}.lock")))
    try:
        kept.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except OSError as error:
        raise DatapolisError(
            f"cannot write to {kept.parent}: {error.strerror}. Name a folder that you may write to in DATAPOLIS_CACHE."
        ) from error
    try:
        yield
    finally:
        lock.release()


def _sound(kept: Path) -> list[Path]:
    """The files if all of them are as they were written.

    As git does with its index, a file whose size and time of change are known is trusted; any other is
    read and compared with its SHA-256.
    """
    try:
        resource = json.loads((kept / MANIFEST).read_text(encoding="utf-8"))["resources"][0]
        paths = [kept / name for name in resource["path"]]
        now = {path.name: [path.stat().st_size, path.stat().st_mtime_ns] for path in paths}
        stamps = kept / "checked.json"
        if stamps.exists() and json.loads(stamps.read_text(encoding="utf-8")) == now:
            return paths
        if [digest(path) for path in paths] != resource[HASH]:
            return []
        fresh = stamps.with_suffix(f".{os.getpid()}")
        fresh.write_text(json.dumps(now), encoding="utf-8")
        fresh.replace(stamps)
        return paths
    except (OSError, ValueError, KeyError, IndexError, TypeError):
        return []


@cache
def edition() -> str:
    """Changes whenever the tables could: with our code, NumPy or Faker's vocabulary."""
    changing = hashlib.sha256(f"{version('numpy')} {version('faker')}".encode())
    for source in sorted(Path(__file__).parent.glob("*.py")):
        changing.update(source.read_bytes())
    return changing.hexdigest()[:12]
