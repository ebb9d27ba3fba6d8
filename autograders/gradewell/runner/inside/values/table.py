"""The table of all kinds of values that cross between the student's process and the judge's. Whatever else there is stays where it is."""

from __future__ import annotations

from . import arrays, frames, made, plain, tables
from .kind import Kind

KINDS: tuple[Kind, ...] = (*plain.KINDS, *arrays.KINDS, *frames.KINDS, *tables.KINDS, *made.KINDS)
"""A class is of the first kind that takes it: exact classes first, then libraries', then what inherits from them."""
BY_TAG: dict[str, Kind] = {kind.tag: kind for kind in KINDS}
assert len(BY_TAG) == len(KINDS)
