"""Arrow columns from NumPy arrays, a whole column at once: no Python object for each value."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]
Bytes = NDArray[np.uint8]
Mask = NDArray[np.bool_]


def coded(
    values: Sequence[str] | pa.Array, index: NDArray[Any], missing: Mask | None = None
) -> Any:
    """``values[index]`` as a dictionary column; None where ``missing``."""
    words = values if isinstance(values, pa.Array) else pa.array(list(values), pa.string())
    return pa.DictionaryArray.from_arrays(pa.array(index.astype(np.int32), mask=missing), words)


@cache
def _four_digits() -> NDArray[np.uint32]:
    """The digits of 0 to 9999 as four ASCII characters each, shape (10000,)."""
    numbers = np.arange(10_000)[:, None] // np.array([1000, 100, 10, 1]) % 10
    return (numbers + ord("0")).astype(np.uint8).view(np.uint32).reshape(-1)


def digits(numbers: Integers, width: int) -> Bytes:
    """Decimal digits with leading zeros as ASCII, shape (n, width)."""
    groups = -(-width // 4)
    out = np.empty((len(numbers), groups), dtype=np.uint32)
    rest = numbers
    for group in range(groups - 1, 0, -1):
        higher = rest // 10_000
        out[:, group] = _four_digits()[rest - higher * 10_000]
        rest = higher
    out[:, 0] = _four_digits()[rest % 10_000]
    return out.view(np.uint8)[:, groups * 4 - width :]


def pick(cumulative: NDArray[np.float64], uniform: NDArray[np.float64]) -> Integers:
    """Which share each uniform number falls into: ``np.searchsorted(cumulative, uniform)``, faster.

    A guide table gives the first candidate (Chen and Asau 1974). ``cumulative`` ends with 1.
    """
    size = 8 * len(cumulative)
    guide = np.searchsorted(cumulative, np.arange(size) / size)
    found = guide[(uniform * size).astype(np.int64)]
    late = np.flatnonzero(cumulative[found] < uniform)
    while len(late):
        found[late] += 1
        late = late[cumulative[found[late]] < uniform[late]]
    return found


def text(characters: Bytes) -> pa.Array:
    """Rows of ASCII characters, shape (n, width), as a string column of n values."""
    rows, width = characters.shape
    offsets = np.arange(rows + 1, dtype=np.int32) * np.int32(width)
    data = np.ascontiguousarray(characters)
    return pa.StringArray.from_buffers(rows, pa.py_buffer(offsets), pa.py_buffer(data))


def numbered(prefix: str, numbers: Integers, width: int) -> pa.Array:
    """Keys such as ``P000000017``: a prefix and ``width`` digits."""
    head = np.tile(np.frombuffer(prefix.encode(), dtype=np.uint8), (len(numbers), 1))
    return text(np.hstack([head, digits(numbers, width)]))


def joined(*parts: pa.Array | str) -> pa.Array:
    """The parts of each row, one after the other."""
    plain = [pa.scalar(p) if isinstance(p, str) else decoded(p) for p in parts]
    return pc.binary_join_element_wise(*plain, "")


def decoded(column: Any) -> Any:
    """A dictionary column as plain strings; any other as it is."""
    if pa.types.is_dictionary(column.type):
        return column.cast(column.type.value_type)
    return column


def where(keep: Mask, column: pa.Array) -> pa.Array:
    """The column with None where ``keep`` is False."""
    if pa.types.is_dictionary(column.type):
        kept = pc.if_else(pa.array(keep), column.indices, pa.scalar(None, column.indices.type))
        return pa.DictionaryArray.from_arrays(kept, column.dictionary)
    return pc.if_else(pa.array(keep), column, pa.scalar(None, column.type))
