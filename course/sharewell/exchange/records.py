"""The log of an exchange: one record for each attempt, each sealed with the hash of the one before."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from sharewell.errors import SharewellError

Record = dict[str, Any]
"""What JSON can hold: ``number`` from 1, ``previous`` and ``hash`` in hexadecimal, and what happened."""
START = "0" * 64
"""What the first record has in the place of the hash before it."""


class Tampered(SharewellError):
    """A log that is not as it was written.

    Attributes
    ----------
    number : int
        The first record, counted from 1, that is not what or where it was; one more than there are when the end is missing.
    """

    def __init__(self, number: int, what: str) -> None:
        super().__init__(f"record {number}: {what}")
        self.number = number


class Refused(SharewellError):
    """What was attempted is not allowed; the message says why. Nothing has changed but the log, which has a record of it."""


class Log:
    """Records that can be added to and read, not changed."""

    def __init__(self) -> None:
        self._records: list[Record] = []

    def append(self, content: Mapping[str, Any]) -> None:
        """Add a record of what happened."""
        number, head = self._last()
        record = {"number": number + 1, **content, "previous": head}
        self._add({**record, "hash": digest(record)})

    @property
    def head(self) -> str:
        """The hash of the last record: who keeps it elsewhere (an *anchor*) finds out when the log's end is cut off."""
        return self._last()[1]

    def __iter__(self) -> Iterator[Record]:
        return self.since(0)

    def since(self, number: int) -> Iterator[Record]:
        """The records after the one of this number."""
        return (dict(record) for record in self._records[number:])

    def about(self, subject: str) -> Iterator[Record]:
        """The records of one resource or grant."""
        return (record for record in self if record["subject"] == subject)

    def __len__(self) -> int:
        return self._last()[0]

    def _add(self, record: Record) -> None:
        self._records.append(record)

    def _last(self) -> tuple[int, str]:
        """Number and hash of the last record."""
        return (len(self._records), self._records[-1]["hash"]) if self._records else (0, START)


def digest(record: Mapping[str, Any]) -> str:
    """SHA-256 of a record, its own hash left out, as JSON with sorted keys."""
    content = {key: value for key, value in record.items() if key != "hash"}
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def verify(
    records: Iterable[Mapping[str, Any]],
    anchor: str | None = None,
    after: tuple[int, str] = (0, START),
) -> tuple[int, str]:
    """Check that nothing in a log was changed, deleted, swapped or inserted.

    Parameters
    ----------
    records : iterable of mapping
        The whole log, or all of it after a record that was checked before; it is read once, and not kept.
    anchor : str, optional
        The hash of a record that was the last at some time, kept elsewhere. Without one, nobody can tell that the end was cut off.
    after : tuple of int and str
        Number and hash of the record that was checked before.

    Returns
    -------
    tuple of int and str
        Number and hash of the last record.

    Raises
    ------
    Tampered
        With the number of the first record that is wrong.
    """
    number, before = after
    found = anchor in (None, before)
    for record in records:
        number += 1
        if record.get("previous") != before or record.get("number") != number:
            raise Tampered(number, "it does not follow the one before it")
        before = digest(record)
        if record.get("hash") != before:
            raise Tampered(number, "its content is not what was sealed")
        found = found or before == anchor
    if not found:
        raise Tampered(number + 1, "the log ends before the record that the anchor is of")
    return number, before
