"""Texts in encodings that nobody has named."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterator

MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # begins like the mark of UTF-16
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
ZEROS: dict[tuple[bool, ...], str] = {
    (False, True, True, True): "utf-32-le",
    (True, True, True, False): "utf-32-be",
    (False, True, False, True): "utf-16-le",
    (True, False, True, False): "utf-16-be",
}
"""Where the zeros are in the first four bytes of a text that begins with two ASCII characters."""
NAMES = {
    "utf-16-le": "UTF-16",
    "utf-16-be": "UTF-16",
    "utf-32-le": "UTF-32",
    "utf-32-be": "UTF-32",
    "gb18030": "GB18030",
    "big5": "Big5",
    "cp1252": "Windows-1252",
    "latin-1": "Latin-1",
}
SAMPLE = 2_000


def decodings(data: bytes) -> Iterator[tuple[str, str]]:
    """What bytes may say, likeliest first, each with a note on how they were saved; none for sound UTF-8."""
    names = ["utf-8"]
    for mark, name in MARKS:
        if data.startswith(mark):
            data = data[len(mark) :]
            names.insert(0, name)
            break
    else:
        if name := ZEROS.get(tuple(byte == 0 for byte in data[:4]), ""):
            names.insert(0, name)
    for name in names:
        try:
            text = data.decode(name)
        except UnicodeDecodeError:
            continue
        yield text, f"it was saved as {NAMES[name]}, not as UTF-8" if name in NAMES else ""
    if not _is_utf8(data):
        yield from _by_plausibility(data)


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _by_plausibility(data: bytes) -> list[tuple[str, str]]:
    """As encodings of which almost anything can be read as any: the better its letters fit, the earlier."""
    damaged = data.decode("utf-8", "replace")
    found = [(_share(damaged, _kept), damaged, "characters of it that were damaged are replaced")]
    for name, usual in PLAUSIBLE.items():
        try:
            text = data.decode(name)
        except UnicodeDecodeError:
            continue
        note = f"it was saved as {NAMES[name]}, not as UTF-8"
        found.append((_share(text, usual), text, note))
    found.sort(key=lambda one: one[0], reverse=True)
    return [(text, note) for _, text, note in found]


def _share(text: str, usual: Callable[[str], int]) -> float:
    """How many of the first characters beyond ASCII are usual ones."""
    stretches = re.findall(r"[^\x00-\x7f]+", text[: 50 * SAMPLE])[:SAMPLE]
    letters = sum(map(len, stretches))
    return sum(map(usual, stretches)) / letters if letters else 0.0


def _kept(stretch: str) -> int:
    return len(stretch) - stretch.count("\ufffd")


def _simplified(stretch: str) -> int:
    """Chinese punctuation, and what the standard calls level 1: the 3,755 characters that are used most."""
    leads = stretch.encode("gb2312", "ignore")[::2]
    return sum(0xA1 <= lead <= 0xA3 or 0xB0 <= lead <= 0xD7 for lead in leads)


def _traditional(stretch: str) -> int:
    """Likewise: punctuation, and the 5,401 characters of level 1."""
    leads = stretch.encode("big5", "ignore")[::2]
    return sum(0xA1 <= lead <= 0xC6 for lead in leads)


def _western(stretch: str) -> int:
    """One or two letters or signs between ASCII characters, as in 'naïve' and 'größer'."""
    alone = len(stretch) <= 2
    return sum(alone and (one.isalpha() or one in "‘’“”–—…€£°·«»§²³") for one in stretch)


PLAUSIBLE: dict[str, Callable[[str], int]] = {
    "gb18030": _simplified,
    "big5": _traditional,
    "cp1252": _western,
    "latin-1": _western,
}
