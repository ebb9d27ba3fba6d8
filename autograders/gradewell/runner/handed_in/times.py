"""When something was handed in: ``timestamp.txt`` in any of the usual forms."""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path

import dateutil.parser
import dateutil.tz

from .decoding import decodings

LARGEST = 1_000
REWRITTEN = (
    (r"^(.*?)\(?北京时间\)?(.*)$", r"\1 \2 +08:00"),
    (r"(?<!\d)(\d{4})\s*年\s*(\d{1,2})\s*月\s*(\d{1,2})\s*[日号]?", r"\1-\2-\3 "),
    (r"[时時点點](?!\s*\d)", ":00"),
    (r"\s*[时時点點]\s*(\d{1,2})\s*分?", r":\1"),
    (r"(:\d{1,2})\s*(\d{1,2})\s*秒", r"\1:\2"),
    (r"\(?(星期|周|週|礼拜)[一二三四五六日天]\)?", " "),
    (r"^(\d{4}-\d\d-\d\d)[-_](\d\d)[-:.](\d\d)", r"\1 \2:\3"),
    (r"^(\S+ \d\d:\d\d)[-.](\d\d)\b", r"\1:\2"),
    (r"\(?\b(?:UTC|GMT)\s*([+-])(\d{2}):?(\d{2})\)?", r" \1\2:\3"),
    (r"\(?\b(?:UTC|GMT)\s*([+-])(\d{1,2})\b\)?", r" \1\2:00"),
    (r"\([^)]*\)$", ""),
)
"""Forms that dateutil does not know, or misreads: for it GMT+8 is west of Greenwich."""
HALF = re.compile("(凌晨|早上|上午)|(中午|下午|晚上)")
REGION = re.compile(r"\s*\[?\b([A-Z][A-Za-z]+(?:/[A-Za-z0-9_+-]+)+)\]?$")
OF_NBGRADER = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:\d\d(\.\d+)?)?")
"""What nbgrader means as UTC, and so do those who write files for it."""
TWO_WAYS = re.compile(r"(?<![\d/.-])(\d{1,2})([/.-])(\d{1,2})\2(?:\d{4}|\d{2})(?!\d)")
ABBREVIATIONS = {
    "EDT": -4, "CDT": -5, "MDT": -6, "PDT": -7, "PST": -8, "AKST": -9, "AKDT": -8, "BST": 1,
    "WEST": 1, "CEST": 2, "EEST": 3, "MSK": 3, "HKT": 8, "SGT": 8, "JST": 9, "KST": 9, "AEST": 10,
    "AEDT": 11, "NZST": 12, "NZDT": 13,
}  # fmt: skip
"""Those that mean one thing, in hours; dateutil knows some more. CST is said in Chicago and in Beijing."""


def time(folder: Path) -> tuple[datetime | None, str]:
    """When a submission was handed in.

    Returns
    -------
    datetime
        In UTC and without a time zone, as nbgrader has them; none where there is no ``timestamp.txt`` or nobody can read it.
    str
        What is doubtful about it, as a sentence without capital and full stop.
    """
    path = folder / "timestamp.txt"
    try:
        if not path.is_file():
            return None, ""
        with path.open("rb") as file:
            data = file.read(LARGEST)
    except OSError as error:
        return None, f"timestamp.txt cannot be read ({error.strerror})"
    for text, _ in decodings(data):
        text = text.replace("\0", "").strip().strip("\"'")
        for reading in (_since_1970, _written):
            try:
                return reading(text)
            except (ValueError, OverflowError, ArithmeticError, AttributeError, TypeError):
                continue
    return None, "timestamp.txt says no time that can be read: write it as 2026-10-05 18:30:00 UTC"


def _since_1970(text: str) -> tuple[datetime, str]:
    """Seconds or milliseconds."""
    if not re.fullmatch(r"[0-9]{9,13}(\.[0-9]+)?", text):
        raise ValueError("no such number")
    number = float(text)
    seconds = number / 1000 if number >= 1e11 else number
    return datetime(1970, 1, 1) + timedelta(seconds=seconds), ""


def _written(text: str) -> tuple[datetime, str]:
    """A date and a clock, in words or figures."""
    plain = unicodedata.normalize("NFKC", text)  # full-width figures, and spaces of all kinds
    for pattern, replacement in REWRITTEN:
        plain = re.sub(pattern, replacement, plain).strip()
    half = HALF.search(plain)
    plain = HALF.sub(" ", plain)
    region = REGION.search(plain)
    unknown: list[str] = []

    def zone(name: str | None, offset: int | None) -> tzinfo | None:
        if offset is not None:
            return dateutil.tz.tzoffset(name, offset)
        if name in ABBREVIATIONS:
            return dateutil.tz.tzoffset(name, 3600 * ABBREVIATIONS[name])
        found = dateutil.tz.gettz(name) if name else None
        if name and found is None:
            unknown.append(name)
        return found

    # what a text leaves out is taken from the default, so that two of them differ where there is no whole date
    moment, other = (
        dateutil.parser.parse(REGION.sub("", plain), default=default, tzinfos=zone)
        for default in (datetime(2001, 1, 1), datetime(2004, 2, 2))
    )
    if moment != other:
        raise ValueError("no whole date")
    if half and half[2] and moment.hour < 12:
        moment += timedelta(hours=12)
    elif half and half[1] and moment.hour == 12:
        moment -= timedelta(hours=12)
    if region and moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone(region[1], None))
    note = _doubt(plain, moment, unknown)
    if moment.tzinfo is not None:
        moment = moment.astimezone(UTC).replace(tzinfo=None)
    return moment, note


def _doubt(plain: str, moment: datetime, unknown: list[str]) -> str:
    """What could be meant otherwise."""
    days = TWO_WAYS.search(plain)
    if days and days[1] != days[3] and int(days[1]) <= 12 and int(days[3]) <= 12:
        return f"{days[0]} in timestamp.txt can be two days; it was read as {moment:%Y-%m-%d}"
    if unknown:
        return f"the time zone {unknown[0]} in timestamp.txt may be several; it was read as UTC"
    if moment.tzinfo is None and not OF_NBGRADER.fullmatch(plain):
        return "timestamp.txt names no time zone, and was read as UTC"
    return ""
