"""What stands for a value that must not be seen: pseudonyms that follow from a key."""

from __future__ import annotations

import base64
import hashlib
import hmac

from sharewell.errors import SharewellError

SHORTEST_KEY = 16
"""Bytes: whoever guesses the key makes the pseudonyms of everybody."""


def pseudonym(value: object, key: str | bytes) -> str:
    """What stands for a value: HMAC-SHA256 with the key (RFC 2104), 128 bits of it, 26 letters and digits.

    The same value and key give the same pseudonym, so that tables can be joined; other keys give others, so that two releases
    cannot. A plain hash would protect nothing: all phone numbers can be tried in seconds.

    Raises
    ------
    SharewellError
        A key that is too short.
    """
    digest = hmac.new(_key(key), str(value).encode(), hashlib.sha256).digest()
    return letters(digest[:16])


def letters(raw: bytes) -> str:
    """Bytes as small letters and digits."""
    return base64.b32encode(raw).decode().rstrip("=").lower()


def _key(key: str | bytes) -> bytes:
    raw = key.encode() if isinstance(key, str) else key
    if len(raw) < SHORTEST_KEY:
        raise SharewellError(
            f"a key has {SHORTEST_KEY} bytes or more, not {len(raw)}: a short one is guessed"
        )
    return raw
