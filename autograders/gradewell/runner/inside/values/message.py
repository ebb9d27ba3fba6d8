"""One message: a head in JSON, and bytes beside it. Values in it are written and read by the table of kinds."""

from __future__ import annotations

import contextlib
import json
import struct
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

from .kind import CannotCross, Kind, fits, named
from .table import BY_TAG, KINDS

DEPTH = 120
"""How deeply containers may be nested."""
_LENGTH = struct.Struct(">I")
_kinds: dict[type, Kind | None] = {}


class Ends(Protocol):
    """What reading and writing have to know of the connection's two ends."""

    trusted: bool
    known_class: Callable[[str, str], type]

    def give(self, value: Any) -> Any:
        """The content for an object that stays here, or that belongs to the other side."""

    def own(self, number: int) -> Any:
        """The object of this side that has a number."""

    def remote(self, number: int, about: str, sort: str, classes: Sequence[str]) -> Any:
        """What stands here for an object of the other side."""

    def made(self, number: int, make: Callable[[], type]) -> type:
        """The class that stands here for a class of the other side: made once."""

    def attribute(self, owner: Any, name: str) -> Any:
        """What a name leads to on the other side."""


class Writer:
    """Writes one message.

    Parameters
    ----------
    ends : Ends
    largest : int
        How many bytes the other side accepts.
    arguments : sequence
        What came with the question that is answered: the other side has it already.
    """

    def __init__(self, ends: Ends, largest: int, arguments: Sequence[Any] = ()) -> None:
        self.ends, self.largest = ends, largest
        self.blobs: list[bytes] = []
        self.shared: list[Any] = []
        self._size = self._depth = 0
        self._place = ""
        self._known: dict[int, list[Any]] = {
            id(value): ["argument", number]
            for number, value in enumerate(arguments)
            if changeable(value)
        }

    def message(self, content: dict[str, Any]) -> bytes:
        """The message's bytes; values in it have been written with ``value``."""
        head = json.dumps({**content, "blobs": [len(blob) for blob in self.blobs]}).encode()
        if len(head) + self._size > self.largest:
            raise _too_large(self.largest)
        return b"".join([_LENGTH.pack(len(head)), head, *self.blobs])

    def value(self, value: Any) -> Any:
        """A value as JSON."""
        kind = kind_of(type(value))
        if kind is not None and kind.as_json is not None and kind.as_json(value):
            return value
        if kind is not None and kind.shared and id(value) in self._known:
            return self._known[id(value)]
        content = self.part(value)
        if kind is not None and kind.shared:
            self._known[id(value)] = ["again", len(self.shared)]
            self.shared.append(value)  # kept, so that its id stays its own
        return content

    def part(self, value: Any) -> Any:
        """A value that nobody else knows of, as a column of a table."""
        kind = kind_of(type(value))
        if kind is None:
            return self.handle(value)
        if self._depth >= DEPTH:
            raise CannotCross(f"a value is nested more than {DEPTH} deep, or contains itself")
        self._depth += 1
        place = self._place
        if kind.closed and not place:
            self._place = f"{'an' if kind.tag[0] in 'aeiouAEIOU' else 'a'} {kind.tag}"
        payload = kind.write(self, value)
        self._place = place
        self._depth -= 1
        return self.handle(value) if payload is NotImplemented else [kind.tag, payload]

    def handle(self, value: Any) -> Any:
        """What stands for an object that stays here."""
        if self._place:
            what = named(value if isinstance(value, type) else type(value))
            raise CannotCross(
                f"{self._place} holds a {what}; what is in tables and arrays must be plain values"
            )
        return self.ends.give(value)

    @property
    def in_table(self) -> bool:
        """Whether what is written now is part of a table or an array."""
        return bool(self._place)

    @contextlib.contextmanager
    def at(self, place: str) -> Iterator[None]:
        """Where in a table the writing is, for the message about what cannot cross."""
        before, self._place = self._place, f"{place} of {self._place}" if self._place else place
        yield
        self._place = before

    def blob(self, content: bytes) -> int:
        """Put bytes beside the head; their number."""
        self.room(len(content))
        self._size += len(content)
        self.blobs.append(content)
        return len(self.blobs) - 1

    def room(self, size: int) -> None:
        """Raises CannotCross when so many bytes more would be too many."""
        if self._size + size > self.largest:
            raise _too_large(self.largest)


class Reader:
    """Reads one message.

    Parameters
    ----------
    arguments : sequence
        What went with the question that this message answers.
    """

    def __init__(self, message: bytes, ends: Ends, arguments: Sequence[Any] = ()) -> None:
        self.ends = ends
        self.arguments: Sequence[Any] = arguments
        (length,) = _LENGTH.unpack(message[: _LENGTH.size])
        head = json.loads(message[_LENGTH.size : _LENGTH.size + length])
        self.content: dict[str, Any] = {**head}
        self.blobs = []
        self.shared: list[Any] = []
        self._closed = 0
        start = _LENGTH.size + length
        for size in head["blobs"]:
            self.blobs.append(message[start : start + size])
            start += size

    def value(self, content: Any) -> Any:
        """The value of JSON that ``Writer.value`` made."""
        if type(content) is not list:
            return self.part(content)
        made = self.part(content)
        if BY_TAG[content[0]].shared:
            self.shared.append(made)
        return made

    def part(self, content: Any, expected: type | tuple[type, ...] = object) -> Any:
        """The value of JSON that ``Writer.part`` made, of an expected class."""
        if type(content) is not list:
            if type(content) is dict:
                raise CannotCross("a value without a kind")
            made = content
        else:
            if len(content) != 2 or not isinstance(content[0], str) or content[0] not in BY_TAG:
                raise CannotCross("a value of a kind that there is not")
            kind, payload = BY_TAG[content[0]], content[1]
            if not (self.ends.trusted or fits(kind.form, payload)):
                raise CannotCross(f"what should be a {kind.tag} is none")
            self._closed += kind.closed
            made = kind.read(self, payload)
            self._closed -= kind.closed
        if not isinstance(made, expected):
            raise CannotCross(f"a {named(type(made))} where another kind of value belongs")
        return made

    @property
    def in_table(self) -> bool:
        """Whether what is read now is part of a table or an array."""
        return self._closed > 0

    def blob(self, number: int) -> bytes:
        """The bytes of a number."""
        if not 0 <= number < len(self.blobs):
            raise CannotCross("bytes that did not come")
        return self.blobs[number]


def kind_of(cls: type) -> Kind | None:
    """The kind of a class's values; None for those that stay where they are."""
    try:
        return _kinds[cls]
    except KeyError:
        kind = next((kind for kind in KINDS if kind.takes(cls)), None)
        return _kinds.setdefault(cls, kind)


def changeable(value: Any) -> bool:
    """Whether a function may change a value in place, and it is seen."""
    kind = kind_of(type(value))
    return kind is not None and kind.change is not None


def _too_large(largest: int) -> CannotCross:
    return CannotCross(f"a value is larger than {largest / 2**20:,.0f} MiB")
