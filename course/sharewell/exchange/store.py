"""Where an exchange keeps what it knows: in memory, or in a file that several processes may use at once.

In a file (SQLite, write-ahead log) an attempt, what follows from it by itself and the records of both are one transaction: whenever
the process ends, all of it has happened or nothing.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, MutableMapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, fields
from datetime import date
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from sharewell.errors import SharewellError
from sharewell.exchange.letters import Letter
from sharewell.exchange.records import START, Log, Record, Refused

T = TypeVar("T")

_WAIT = 30.0
"""Seconds that a process waits for others that write."""
_SCHEMA = """
CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS log (
  number INTEGER PRIMARY KEY, subject TEXT NOT NULL, record TEXT NOT NULL, hash TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS log_by_subject ON log (subject);
"""
_FORMAT = "2"


@dataclass(frozen=True)
class Resource:
    """Something that can be shared.

    ``version`` counts the classifications: a grant holds for the version under which it was approved. ``epsilon`` is how much the
    answers to queries may tell in all, over all grants, ``spent`` how much they have told, and ``minimum`` the number of people
    that an answer is about at least. ``held`` is the name of the data that the exchange holds, ``rows`` how many rows these are,
    ``rows_per_person`` how many of one person at most.
    """

    owner: str
    fields: frozenset[str]
    state: str = "catalogued"
    label: str = ""
    citation: str = ""
    classified_by: str = ""
    version: int = 0
    epsilon: float = 0.0
    spent: float = 0.0
    minimum: int = 10
    held: str = ""
    rows: int = 0
    rows_per_person: int = 1


@dataclass(frozen=True)
class Grant:
    """A consumer's access to fields of a resource, for one purpose, up to and including a day.

    ``requested``, ``longest`` and ``most`` are the fields, the last day and the epsilon that were asked for; ``fields``, ``until`` and
    ``epsilon`` are what is granted, ``version`` the classification for which it is. With an epsilon, only answers leave: ``spent`` is
    how much they have told.
    """

    resource: str
    consumer: str
    purpose: str
    requested: frozenset[str]
    longest: date
    most: float
    asked_on: date
    fields: frozenset[str]
    until: date
    epsilon: float
    spent: float = 0.0
    state: str = "requested"
    version: int = 0
    appealed: bool = False


@dataclass(frozen=True)
class Away:
    """What somebody here has with another exchange.

    ``resource`` and ``grant`` begin with the name of that exchange and a colon; ``grant`` is empty until there is an answer.
    ``state`` is as far as it is known here, and ``said`` what the last answer was.
    """

    consumer: str
    resource: str
    purpose: str
    grant: str = ""
    state: str = "asked"
    said: str = ""


class Store(Protocol):
    """What an exchange needs."""

    resources: MutableMapping[str, Resource]
    grants: MutableMapping[str, Grant]
    letters: MutableMapping[str, Letter]
    away: MutableMapping[str, Away]
    settings: MutableMapping[str, str]
    log: Log

    def transaction(self) -> AbstractContextManager[Any]:
        """Everything inside happens wholly or not at all, and alone. May be nested."""

    def close(self) -> None:
        """Nothing more is asked of it."""


class Memory:
    """Kept as long as the process lives."""

    def __init__(self) -> None:
        self.resources: MutableMapping[str, Resource] = {}
        self.grants: MutableMapping[str, Grant] = {}
        self.letters: MutableMapping[str, Letter] = {}
        self.away: MutableMapping[str, Away] = {}
        self.settings: MutableMapping[str, str] = {}
        self.log = Log()

    def transaction(self) -> AbstractContextManager[Any]:
        return nullcontext()

    def close(self) -> None:
        pass


class File:
    """Kept in a file, which is made when it is not there.

    Raises
    ------
    SharewellError
        It cannot be written, or is no exchange's.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._db = sqlite3.connect(path, timeout=_WAIT, isolation_level=None)
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = FULL")
            self._db.executescript(_SCHEMA)
        except sqlite3.Error as error:
            raise SharewellError(
                f"{path} is no exchange's file, or cannot be written: {error}"
            ) from error
        self.resources: MutableMapping[str, Resource] = _Rows(self._db, "resources", Resource)
        self.grants: MutableMapping[str, Grant] = _Rows(self._db, "grants", Grant)
        self.letters: MutableMapping[str, Letter] = _Rows(self._db, "letters", Letter)
        self.away: MutableMapping[str, Away] = _Rows(self._db, "away", Away)
        self.settings: MutableMapping[str, str] = _Settings(self._db)
        self.log: Log = _FileLog(self._db)
        with self.transaction():
            if self.settings.setdefault("format", _FORMAT) != _FORMAT:
                raise SharewellError(
                    f"{path} was made by another version of Sharewell (format {self.settings['format']}, not {_FORMAT})"
                )

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """See ``Store``. A refusal (``Refused``) is something that happened: its record is kept.

        Raises
        ------
        SharewellError
            Others have been writing for too long, or the disk is full; nothing has happened then.
        """
        if self._db.in_transaction:
            with self._part():
                yield
            return
        try:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
            except Refused:
                self._db.execute("COMMIT")
                raise
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")
        except sqlite3.OperationalError as error:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise SharewellError(
                f"{self.path} cannot be written, and nothing has changed: {error}"
            ) from error

    @contextmanager
    def _part(self) -> Iterator[None]:
        """A part of a transaction, which may fail alone."""
        self._db.execute("SAVEPOINT part")
        try:
            yield
        except Refused:
            raise
        except BaseException:
            if self._db.in_transaction:  # else a full disk has ended all of it
                self._db.execute("ROLLBACK TO part")
            raise
        finally:
            if self._db.in_transaction:
                self._db.execute("RELEASE part")

    def close(self) -> None:
        self._db.close()


class _Rows(MutableMapping[str, T], Generic[T]):
    """A table as a mapping from names to dataclasses, in the order in which they came."""

    def __init__(self, db: sqlite3.Connection, table: str, kind: type[T]) -> None:
        self._db, self._table, self._kind = db, table, kind
        self._types = {field.name: str(field.type) for field in fields(kind)}  # type: ignore[arg-type]
        columns = ", ".join(f"{name} {_sql(kind)} NOT NULL" for name, kind in self._types.items())
        db.execute(
            f"CREATE TABLE IF NOT EXISTS {table} (place INTEGER PRIMARY KEY, name TEXT UNIQUE NOT NULL, {columns}) STRICT"
        )

    def __getitem__(self, name: str) -> T:
        columns = ", ".join(self._types)
        found = self._db.execute(
            f"SELECT {columns} FROM {self._table} WHERE name = ?", (name,)
        ).fetchone()
        if found is None:
            raise KeyError(name)
        return self._read(found)

    def __setitem__(self, name: str, value: T) -> None:
        columns = list(self._types)
        marks = ", ".join("?" * (len(columns) + 1))
        changes = ", ".join(f"{column} = excluded.{column}" for column in columns)
        self._db.execute(
            f"INSERT INTO {self._table} (name, {', '.join(columns)}) VALUES ({marks}) ON CONFLICT (name) DO UPDATE SET {changes}",
            (name, *(_written(getattr(value, column)) for column in columns)),
        )

    def __delitem__(self, name: str) -> None:
        raise TypeError("nothing is deleted from an exchange")

    def __contains__(self, name: object) -> bool:
        found = self._db.execute(f"SELECT 1 FROM {self._table} WHERE name = ?", (name,))
        return found.fetchone() is not None

    def __iter__(self) -> Iterator[str]:
        found = self._db.execute(f"SELECT name FROM {self._table} ORDER BY place").fetchall()
        return (name for (name,) in found)

    def __len__(self) -> int:
        # nothing is ever deleted, and counting would look at each row
        return int(
            self._db.execute(f"SELECT coalesce(max(place), 0) FROM {self._table}").fetchone()[0]
        )

    def _read(self, row: tuple[Any, ...]) -> T:
        values = (
            _PARSED.get(kind, _same)(v) for kind, v in zip(self._types.values(), row, strict=True)
        )
        return self._kind(*values)


class _Settings(MutableMapping[str, str]):
    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def __getitem__(self, name: str) -> str:
        found = self._db.execute("SELECT value FROM settings WHERE name = ?", (name,)).fetchone()
        if found is None:
            raise KeyError(name)
        return str(found[0])

    def __setitem__(self, name: str, value: str) -> None:
        self._db.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", (name, value))

    def __delitem__(self, name: str) -> None:
        self._db.execute("DELETE FROM settings WHERE name = ?", (name,))

    def __iter__(self) -> Iterator[str]:
        return (name for (name,) in self._db.execute("SELECT name FROM settings").fetchall())

    def __len__(self) -> int:
        return int(self._db.execute("SELECT count(*) FROM settings").fetchone()[0])


class _FileLog(Log):
    """The log, kept in the file; it is read as it is needed."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def _add(self, record: Record) -> None:
        text = json.dumps(record, ensure_ascii=False)
        self._db.execute(
            "INSERT INTO log VALUES (?, ?, ?, ?)",
            (record["number"], record["subject"], text, record["hash"]),
        )

    def _last(self) -> tuple[int, str]:
        found = self._db.execute(
            "SELECT number, hash FROM log ORDER BY number DESC LIMIT 1"
        ).fetchone()
        return found or (0, START)

    def since(self, number: int) -> Iterator[Record]:
        later = "SELECT record FROM log WHERE number > ? ORDER BY number"
        for (text,) in self._db.execute(later, (number,)):
            yield json.loads(text)

    def about(self, subject: str) -> Iterator[Record]:
        own = "SELECT record FROM log WHERE subject = ? ORDER BY number"
        for (text,) in self._db.execute(own, (subject,)):
            yield json.loads(text)


def _sql(kind: str) -> str:
    return {"int": "INTEGER", "bool": "INTEGER", "float": "REAL"}.get(kind, "TEXT")


def _written(value: Any) -> Any:
    if isinstance(value, frozenset):
        return json.dumps(sorted(value), ensure_ascii=False)
    return value.isoformat() if isinstance(value, date) else value


def _same(value: Any) -> Any:
    return value


_PARSED: dict[str, Any] = {
    "frozenset[str]": lambda text: frozenset(json.loads(text)),
    "date": date.fromisoformat,
    "bool": bool,
}
