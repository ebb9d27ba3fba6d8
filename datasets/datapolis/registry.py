"""The tables there are, and how each is cut into parts.

A part is what one worker makes at a time. How many parts a table has, and what each holds, depends on the
scale only, never on the number of workers.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from math import ceil
from typing import TYPE_CHECKING

from datapolis.errors import DatapolisError

if TYPE_CHECKING:
    import pyarrow as pa

    from datapolis.country import Country

STORES = 120
"""Stores at scale 1: one retail region."""
STORES_A_WAREHOUSE = 10


@dataclass(frozen=True)
class Table:
    """One table: where it is made, and how its size follows from the scale."""

    area: str
    maker: str  # module:function
    parts: str  # once | blocks (of people) | regions | warehouses
    rows: int  # at scale 1; at least, where chance has a say
    grows: bool = True  # with the scale

    def part_count(self, country: Country) -> int:
        stores = store_count(country)
        return {
            "once": 1,
            "blocks": country.blocks,
            "regions": ceil(stores / STORES),
            "warehouses": ceil(stores / STORES_A_WAREHOUSE),
        }[self.parts]

    def make(self, country: Country, part: int) -> pa.Table:
        """One part, with the columns of truth, whose names begin with an underscore."""
        module, function = self.maker.split(":")
        made: pa.Table = getattr(import_module(f"datapolis.{module}"), function)(country, part)
        return made


def store_count(country: Country) -> int:
    """Stores of the country, at least two."""
    return max(2, round(STORES * country.scale))


TABLES = {
    "districts": Table("people", "households:districts", "once", 12, grows=False),
    "households": Table("people", "households:make", "blocks", 41_000),
    "residents": Table("people", "residents:make", "blocks", 100_000),
    "sports_club": Table("people", "health:sports_club", "blocks", 1_900),
    "hospital_stays": Table("people", "health:hospital_stays", "blocks", 8_600),
    "unlabelled": Table("people", "unlabelled:make_table", "once", 100_000),
    "tests": Table("epidemic", "epidemic:tests", "blocks", 101_000),
    "cases": Table("epidemic", "epidemic:cases", "blocks", 29_000),
    "check_ins": Table("epidemic", "epidemic:check_ins", "blocks", 295_000),
    "vaccinations": Table("epidemic", "epidemic:vaccinations", "blocks", 102_000),
    "suppliers": Table("retail", "retail:suppliers", "regions", 3),
    "products": Table("retail", "retail:products", "once", 60, grows=False),
    "warehouses": Table("retail", "retail:warehouses", "regions", 12),
    "stores": Table("retail", "retail:stores", "regions", 120),
    "shipments": Table("retail", "retail:shipments", "regions", 390_000),
    "inventory": Table("retail", "retail:inventory", "regions", 478_800),
    "sales": Table("retail", "sales:sales", "warehouses", 2_600_000),
    "loyalty": Table("retail", "sales:loyalty", "regions", 40_000),
    "smart_meters": Table("public services", "services:smart_meters", "blocks", 260_000),
    "transit_taps": Table("public services", "services:transit_taps", "blocks", 255_000),
    "air_quality": Table("public services", "services:air_quality", "once", 210_240, grows=False),
    "business_register": Table("public services", "services:business_register", "blocks", 3_200),
    "agencies": Table("government", "government:agencies", "once", 18, grows=False),
    "catalogue_entries": Table("government", "government:catalogue", "once", 60, grows=False),
    "responsibilities": Table("government", "government:responsibilities", "once", 62, grows=False),
    "sharing_requests": Table("government", "government:requests", "once", 400, grows=False),
    "sharing_decisions": Table("government", "government:decisions", "once", 200, grows=False),
    "province_north": Table("three provinces", "provinces:north", "blocks", 15_500),
    "province_delta": Table("three provinces", "provinces:delta", "blocks", 15_500),
    "province_highland": Table("three provinces", "provinces:highland", "blocks", 15_500),
}
"""In the order of the catalogue. The rows at scale 1 are checked by a test."""


def find(name: str) -> Table:
    """The table called ``name``.

    Raises
    ------
    DatapolisError
        When there is none; the message names those that there are.
    """
    try:
        return TABLES[name]
    except KeyError:
        raise DatapolisError(f"no table {name!r}; there are: {', '.join(TABLES)}") from None
