"""Counter-based randomness: every column of every block of a table has a stream of its own.

A table is made in blocks of :data:`BLOCK` rows. The stream of a block depends on the seed, the table,
the column and the block's number only (Salmon and others, "Parallel random numbers: as easy as
1, 2, 3", 2011), so blocks can be made in any order, on any number of processes, and a row never changes.
"""

from __future__ import annotations

import hashlib

import numpy as np

BLOCK = 65_536
"""Rows a block. Changing it changes every table."""


def stream(seed: int, table: str, column: str, block: int) -> np.random.Generator:
    """The random stream of one column in one block.

    Parameters
    ----------
    seed : int
        The population's seed, 0 or larger.
    table, column : str
        Whose values are drawn. A column's stream does not move when another column is added.
    block : int
        The block's number, from 0.
    """
    digest = hashlib.blake2b(f"{seed}/{table}/{column}".encode(), digest_size=16).digest()
    key = np.frombuffer(digest, dtype=np.uint64)
    return np.random.Generator(np.random.Philox(key=key, counter=[0, 0, 0, block]))


def blocks(rows: int) -> list[tuple[int, int]]:
    """The blocks of a table of ``rows`` rows, as pairs (block number, rows kept of it)."""
    return [(n, min(BLOCK, rows - start)) for n, start in enumerate(range(0, rows, BLOCK))]
