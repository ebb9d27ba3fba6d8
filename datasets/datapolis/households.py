"""Households and the districts they live in."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from datapolis import reference, residents
from datapolis.columns import coded
from datapolis.country import Country

TENURES = ("owned", "rented", "social housing")


def districts(country: Country, part: int) -> pa.Table:
    """The twelve districts, with the people counted on residents.TODAY."""
    words = reference.vocabulary(country.locale)
    counted = np.zeros(len(reference.DISTRICTS), dtype=np.int64)
    for block in range(min(country.blocks, 16)):  # a million people tell the shares well enough
        counted += np.bincount(residents.people(country, block).district, minlength=len(counted))
    people = counted / max(counted.sum(), 1) * country.population
    area = np.array([d.area for d in reference.DISTRICTS])
    return pa.table(
        {
            "district": pa.array(words.districts),
            "code": [f"99{d.code}00" for d in reference.DISTRICTS],
            "north": [d.north for d in reference.DISTRICTS],
            "east": [d.east for d in reference.DISTRICTS],
            "area": area,
            "residents": np.round(people).astype(np.int64),
            "density": np.round(people / area, 1),
            "income_index": [d.income for d in reference.DISTRICTS],
        }
    )


def make(country: Country, block: int) -> pa.Table:
    """The households of one block of people."""
    some, draw = residents.people(country, block), country.draw("households", block)
    count, heads = int(some.household[-1]) + 1, np.flatnonzero(some.position == 0)
    size = np.bincount(some.household, minlength=count)
    children = np.bincount(some.household, weights=some.age < 18, minlength=count).astype(np.int64)
    register = residents.make(country, block)
    pay = register["income"].fill_null(0).to_numpy()
    income = np.bincount(some.household, weights=pay, minlength=count).astype(np.int64)
    # richer and older households own, poorer ones rent from the city
    standing = income / np.sqrt(np.maximum(size, 1)) / 25_000 + (some.age[heads] - 45) / 60
    standing = standing + draw("tenure").normal(0, 0.7, count)
    tenure = np.select([standing > 1.05, standing > 0.25], [0, 1], 2)
    area = 24 + 17 * size + 9 * np.clip(standing, -1, 3) + draw("floor area").normal(0, 9, count)
    words = reference.vocabulary(country.locale)
    return pa.table(
        {
            "household_id": some.household_keys,
            "district": coded(words.districts, some.district[heads]),
            "address": residents.addresses(country, block),
            "size": size,
            "children": children,
            "age_of_head": some.age[heads].astype(np.int64),
            "income": income,
            "tenure": coded(TENURES, tenure),
            "floor_area": np.maximum(np.round(area), 16).astype(np.int64),
            "cars": draw("cars").poisson(0.25 + 0.25 * np.minimum(size, 3), count),
        }
    )
