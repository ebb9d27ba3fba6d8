"""Making tables, and keeping the large ones on disk as Parquet."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Iterator
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd
import platformdirs
import pyarrow as pa
import pyarrow.parquet as pq

from datapolis import residents, unlabelled
from datapolis.blocks import blocks
from datapolis.errors import DatapolisError

KEPT_ON_DISK = 100_000
"""Tables with at least this many rows are read back from Parquet the second time."""

_HERE = Path(__file__).parent


def tables() -> list[str]:
    """The names of the tables that :func:`load` makes."""
    return ["residents", "unlabelled"]


def load(name: str, *, rows: int = 10_000, seed: int = 0) -> pd.DataFrame:
    """One table of Datapolis as a pandas frame.

    Parameters
    ----------
    name : str
        One of :func:`tables`.
    rows : int
        How many rows. The first 100 rows of ``residents`` are the same whatever ``rows`` is.
    seed : int
        Which Datapolis: another seed is another population of the same country.

    Returns
    -------
    pandas.DataFrame, shape (rows, columns)
        Columns as :func:`schema` describes them. Tables of 100,000 rows and more are kept as Parquet in
        the user's cache (or in the folder that ``DATAPOLIS_CACHE`` names).

    Raises
    ------
    DatapolisError
        Unknown table, or a number of rows or seed below zero.

    Examples
    --------
    >>> import datapolis
    >>> datapolis.load("residents", rows=3, seed=1)["person_id"].tolist()
    ['P000000000', 'P000000001', 'P000000002']
    """
    _check(name, rows, seed)
    if rows < KEPT_ON_DISK:
        table = pa.concat_tables(_parts(name, rows, seed))
    else:
        table = _from_disk(name, rows, seed)
    frame: pd.DataFrame = table.to_pandas(date_as_object=False)
    return frame


def write(name: str, path: str | Path, *, rows: int = 10_000, seed: int = 0) -> Path:
    """Write one table to a Parquet file, a block at a time.

    The file appears when it is complete; an interruption leaves nothing behind. Returns the path.

    Raises
    ------
    DatapolisError
        As for :func:`load`, and when the file's folder does not exist or cannot be written to.
    """
    _check(name, rows, seed)
    path = Path(path)
    try:
        handle, temporary = tempfile.mkstemp(
            suffix=".part", prefix=f".{path.name}-", dir=path.parent
        )
    except OSError as error:
        raise DatapolisError(
            f"cannot write {path}: {error.strerror}. Choose an existing folder that you may write to."
        ) from error
    os.close(handle)
    try:
        parts = _parts(name, rows, seed)
        first = next(parts)
        with pq.ParquetWriter(temporary, first.schema) as writer:
            writer.write_table(first)
            for part in parts:
                writer.write_table(part)
        Path(temporary).replace(path)
    finally:
        Path(temporary).unlink(missing_ok=True)
    return path


def schema(name: str) -> dict[str, Any]:
    """The table's Frictionless Table Schema: fields with type, description, unit and constraints."""
    _known(name)
    if name == "unlabelled":
        return {"fields": [], "description": "Columns without names; their number and order vary."}
    text = (_HERE / "schemas" / f"{name}.json").read_text(encoding="utf-8")
    described: dict[str, Any] = json.loads(text)
    return described


def truth(name: str, *, rows: int = 10_000, seed: int = 0) -> pd.DataFrame:
    """What each column really is. Graders read it; notebooks given to students do not.

    Returns
    -------
    pandas.DataFrame, one row a column
        ``residents``: ``role`` (identifier, quasi-identifier, sensitive, statistic), ``sharing`` (between
        public bodies) and ``opening`` (to society), each public, restricted or non-sharing, and
        ``reason``. ``unlabelled``: ``role`` (direct, quasi, sensitive, none), ``kind``, and ``rows``, in
        how many rows an identifier stands.
    """
    _check(name, rows, seed)
    if name == "unlabelled":
        return unlabelled.make(rows, seed)[1]
    text = (_HERE / "truth" / f"{name}.json").read_text(encoding="utf-8")
    return pd.DataFrame(json.loads(text)).set_index("column")


def _check(name: str, rows: int, seed: int) -> None:
    _known(name)
    for what, value in (("rows", rows), ("seed", seed)):
        if isinstance(value, bool) or not hasattr(value, "__index__") or value < 0:
            raise DatapolisError(f"{what} must be a whole number, 0 or larger; got {value!r}")


def _known(name: str) -> None:
    if name not in tables():
        raise DatapolisError(f"no table {name!r}; there are: {', '.join(tables())}")


def _parts(name: str, rows: int, seed: int) -> Iterator[pa.Table]:
    """The table in pieces, at least one (an empty table has its columns too)."""
    if name == "unlabelled":
        yield pa.Table.from_pandas(unlabelled.make(rows, seed)[0], preserve_index=False)
        return
    for number, kept in blocks(rows) or [(0, 0)]:
        yield residents.block(seed, number, max(kept, 1)).slice(0, kept)


def _from_disk(name: str, rows: int, seed: int) -> pa.Table:
    default = platformdirs.user_cache_path("sharewell") / "datapolis"
    folder = Path(os.environ.get("DATAPOLIS_CACHE", default))
    path = folder / f"{name}-{rows}-{seed}-{_edition()}.parquet"
    try:
        return pq.read_table(path)
    except (OSError, pa.ArrowInvalid):  # not there yet, or damaged: make it (again)
        folder.mkdir(parents=True, exist_ok=True)
        return pq.read_table(write(name, path, rows=rows, seed=seed))


@cache
def _edition() -> str:
    """Changes whenever the tables could: with our code, NumPy or Faker's vocabulary."""
    digest = hashlib.sha256(f"{version('numpy')} {version('faker')}".encode())
    for source in sorted(_HERE.glob("*.py")):
        digest.update(source.read_bytes())
    return digest.hexdigest()[:12]
