"""The log of an exchange: one record for each attempt, each sealed with the hash of the one before."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
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


class Log:
    """Records that can be added to and read, not changed."""

    def __init__(self) -> None:
        self._records: list[Record] = []

    def append(self, content: Mapping[str, Any]) -> None:
        """Add a record of what happened."""
        record = {"number": len(self._records) + 1, **content, "previous": self.head}
        self._records.append({**record, "hash": digest(record)})

    @property
    def head(self) -> str:
        """The hash of the last record: who keeps it elsewhere (an *anchor*) finds out when the log's end is cut off."""
        return str(self._records[-1]["hash"]) if self._records else START

    def __iter__(self) -> Iterator[Record]:
        return (dict(record) for record in self._records)

    def __len__(self) -> int:
        return len(self._records)


def digest(record: Mapping[str, Any]) -> str:
    """SHA-256 of a record, its own hash left out, as JSON with sorted keys."""
    content = {key: value for key, value in record.items() if key != "hash"}
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def verify(records: Sequence[Mapping[str, Any]], anchor: str | None = None) -> None:
    """Check that nothing in a log was changed, deleted, swapped or inserted.

    Parameters
    ----------
    records : sequence of mapping
        The whole log.
    anchor : str, optional
        The hash of a record that was the last at some time, kept elsewhere. Without one, nobody can tell that the end was cut off.

    Raises
    ------
    Tampered
        With the number of the first record that is wrong.
    """
    before = START
    hashes = set()
    for number, record in enumerate(records, start=1):
        if record.get("previous") != before or record.get("number") != number:
            raise Tampered(number, "it does not follow the one before it")
        before = digest(record)
        if record.get("hash") != before:
            raise Tampered(number, "its content is not what was sealed")
        hashes.add(before)
    if anchor is not None and anchor not in hashes and anchor != START:
        raise Tampered(len(records) + 1, "the log ends before the record that the anchor is of")
