"""The data that an exchange holds: encrypted where they lie, read by column, handed to nobody but through the loop.

Each deposit is a Parquet file with modular encryption (AES-256-GCM, https://parquet.apache.org/docs/file-format/data-pages/encryption/),
under a key of its own that follows from the exchange's key (HKDF, RFC 5869), the resource, and the name of the deposit. Who copies the
folder without the key has noise, and a file that was changed, or put in another's place, cannot be read.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

import pyarrow as pa
import pyarrow.parquet as pq
import pyarrow.parquet.encryption as pe
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from sharewell.database import in_memory
from sharewell.errors import SharewellError
from sharewell.exchange.loop import Exchange
from sharewell.exchange.packages import key_of

T = TypeVar("T")

_BAD = (OSError, pa.ArrowException)
"""What Arrow raises, whatever is wrong."""
_ROWS = 100_000
"""Rows that are in memory at a time."""


@dataclass(frozen=True)
class Holdings:
    """A folder of data, and the exchange's key."""

    folder: Path
    key: Ed25519PrivateKey

    @classmethod
    def of(cls, exchange: Path) -> Holdings:
        """Those of the exchange in a file, which lie beside it."""
        return cls(exchange.with_suffix(".data"), key_of(exchange))

    def deposit(
        self, exchange: Exchange, actor: str, resource: str, source: Path, person: str = ""
    ) -> None:
        """Take over the data of a resource, in the place of those that were held before.

        Parameters
        ----------
        source : path
            A Parquet or CSV file with the fields that the catalogue names. Others are not taken over.
        person : str
            The column that says whom a row is about. It is needed where somebody may have several rows, and only to count them: it is not
            kept, unless it is a field.

        Raises
        ------
        Refused
            The exchange does not allow it.
        SharewellError
            The file cannot be read, or lacks a field, or there is no room for it; nothing has happened then.
        """
        if not exchange.may(actor, "deposit", resource):
            exchange.deposit(actor, resource, "nothing", 0)  # which is refused, and written down
        held = secrets.token_hex(16)
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        before = exchange.resources[resource].held
        try:
            with exchange.store.transaction():
                fields = sorted(exchange.resources[resource].fields)
                with reading(source, fields, person) as (batches, most):
                    rows = self._write(resource, held, batches)
                exchange.deposit(actor, resource, held, rows, most)
        except BaseException:
            self._path(held).unlink(missing_ok=True)
            raise
        if before:
            self._path(before).unlink(missing_ok=True)

    def read(
        self, exchange: Exchange, resource: str, fields: Collection[str]
    ) -> pa.RecordBatchReader:
        """Some fields of what is held, in batches.

        Raises
        ------
        SharewellError
            There are no such data, or they are not what was put there.
        """
        held = exchange.resources[resource].held
        if not held:
            raise SharewellError(
                f"the exchange has no data of {resource}: a steward deposits them first"
            )
        try:
            unlocked = pe.create_decryption_properties(
                self._key(resource, held), aad_prefix=held.encode()
            )
            file = pq.ParquetFile(self._path(held), decryption_properties=unlocked)
            schema = pa.schema([file.schema_arrow.field(name) for name in sorted(fields)])
            batches = _told(
                file.iter_batches(_ROWS, columns=sorted(fields)), partial(_spoilt, resource)
            )
            return pa.RecordBatchReader.from_batches(schema, batches)
        except _BAD as error:
            raise _spoilt(resource, error) from error

    def schema(self, exchange: Exchange, resource: str) -> pa.Schema:
        """The types of what is held."""
        with self.read(exchange, resource, exchange.resources[resource].fields) as found:
            return found.schema

    def _write(self, resource: str, held: str, batches: pa.RecordBatchReader) -> int:
        locked = pe.create_encryption_properties(
            self._key(resource, held), aad_prefix=held.encode(), store_aad_prefix=False
        )
        rows = 0
        try:
            with pq.ParquetWriter(
                self._path(held), batches.schema, encryption_properties=locked
            ) as file:
                for batch in _told(batches, _unreadable):
                    file.write_batch(batch)
                    rows += batch.num_rows
            with self._path(held).open("rb+") as written:
                os.fsync(written.fileno())
        except OSError as error:
            raise SharewellError(f"the data cannot be kept in {self.folder}: {error}") from error
        return rows

    def _path(self, held: str) -> Path:
        return self.folder / f"{held}.parquet"

    def _key(self, resource: str, held: str) -> bytes:
        raw = self.key.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
        about = b"data at rest: " + resource.encode()
        return HKDF(SHA256(), 32, salt=held.encode(), info=about).derive(raw)


@contextmanager
def reading(
    source: Path, fields: Collection[str] = (), person: str = ""
) -> Iterator[tuple[pa.RecordBatchReader, int]]:
    """These fields of a Parquet or CSV file (all of them, when none is named), and how many rows a person has at most.

    Raises
    ------
    SharewellError
        It is no such file, or lacks a field.
    """
    import duckdb

    read = {".parquet": "read_parquet", ".csv": "read_csv"}.get(source.suffix)
    if read is None or not source.is_file() or set("*?[") & set(str(source)):  # a pattern is many
        raise SharewellError(f"the data have to be a Parquet or CSV file, which {source} is not")
    try:
        with in_memory() as database:
            found = getattr(database, read)(str(source))
            wanted = [*fields, *([person] if person else [])]
            if missing := [name for name in wanted if name not in found.columns]:
                raise SharewellError(f"{source} has no column {missing[0]!r}")
            most = 1
            if person:
                counted = found.aggregate(f"{quoted(person)}, count(*) AS n", quoted(person))
                most = counted.aggregate("coalesce(max(n), 1)").fetchall()[0][0]
            chosen = found.project(", ".join(map(quoted, fields or found.columns)))
            yield chosen.to_arrow_reader(_ROWS), most
    except duckdb.Error as error:
        raise SharewellError(f"{source} cannot be read: {error}") from error


def quoted(name: str) -> str:
    """A column's name as SQL has it."""
    return '"' + name.replace('"', '""') + '"'


def _told(batches: Iterable[T], what: Callable[[Exception], SharewellError]) -> Iterator[T]:
    """The batches; when one cannot be had, ``what`` says so."""
    try:
        yield from batches
    except _BAD as error:
        raise what(error) from error


def _unreadable(error: Exception) -> SharewellError:
    return SharewellError(f"the data cannot be read: {str(error).splitlines()[0]}")


def _spoilt(resource: str, error: Exception) -> SharewellError:
    return SharewellError(
        f"the data of {resource} are not as they were put there, or the key is another: {error}"
    )
