"""Which Datapolis: how large, which population, in which language; and where its random numbers come from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil

import numpy as np

from datapolis.blocks import BLOCK, stream

Draw = Callable[[str], np.random.Generator]
"""A stream by name. Each is used for one call, so that its first values do not depend on how many follow."""

RESIDENTS = 100_000
"""People at scale 1."""


@dataclass(frozen=True)
class Country:
    """One Datapolis. Every row of every table follows from these three and the row's own place."""

    seed: int
    scale: float
    locale: str = "en_US"

    @property
    def population(self) -> int:
        """How many residents; at least one."""
        return max(1, round(RESIDENTS * self.scale))

    @property
    def blocks(self) -> int:
        """In how many blocks the people are made."""
        return ceil(self.population / BLOCK)

    def people_in(self, block: int) -> int:
        """How many people block ``block`` holds."""
        return min(BLOCK, self.population - block * BLOCK)

    def draw(self, table: str, part: int) -> Draw:
        """The streams of one part of one table."""
        return lambda name: stream(self.seed, table, name, part)
