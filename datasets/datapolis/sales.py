"""Till lines and loyalty cards: the largest table, and the one that is linkable to people."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pyarrow as pa

from datapolis import reference, residents
from datapolis.blocks import BLOCK
from datapolis.columns import Floats, Integers, coded, digits, text
from datapolis.country import Country
from datapolis.registry import STORES, STORES_A_WAREHOUSE
from datapolis.retail import (
    FIRST_MONDAY,
    PARAMETERS,
    PRODUCTS,
    WEEKS,
    product_keys,
    promotions,
    simulate,
    store_keys,
)

CARDS_A_RESIDENT = 0.4
PAYMENTS = ("card", "cash", "phone")

_BY_DAY = np.cumsum([0.12, 0.12, 0.13, 0.14, 0.19, 0.22, 0.08])  # Monday to Sunday
_BY_HOUR = np.cumsum([2, 3, 5, 6, 8, 7, 6, 6, 8, 12, 14, 12, 7, 4]) / 100  # from 8 to 22 o'clock


def sales(country: Country, part: int) -> pa.Table:
    """Every line of every till of one warehouse's stores, in the order of time within each store."""
    region, place = divmod(part, STORES // STORES_A_WAREHOUSE)
    first = place * STORES_A_WAREHOUSE
    sold = simulate(country, region).stores.sold[:, first : first + STORES_A_WAREHOUSE]
    stores = sold.shape[1]
    draw = country.draw("sales", part)

    # a line is one or two units; 3 of 10 units are the second of a line
    by_store = sold.transpose(1, 0, 2).reshape(-1)  # store, week, product
    doubles = (by_store * 3) // 10
    lines = by_store - doubles
    cell = np.repeat(np.arange(len(by_store), dtype=np.int32), lines)
    rows = len(cell)
    begins = np.cumsum(lines) - lines
    quantity = 1 + (np.arange(rows) - np.repeat(begins, lines) < np.repeat(doubles, lines))

    # sort the lines of each store and week by a random second of the week
    day = np.searchsorted(_BY_DAY, draw("day").random(rows)).astype(np.int32)
    hour = np.searchsorted(_BY_HOUR, draw("hour").random(rows)).astype(np.int32)
    second = (day * 24 + 8 + hour) * 3600 + draw("second").integers(0, 3600, rows, dtype=np.int32)
    store_week = cell // len(PRODUCTS)
    order = np.argsort(store_week.astype(np.int64) * 604_800 + second, kind="stable")
    cell, quantity, store_week = cell[order], quantity[order], store_week[order]
    when = second[order].astype(np.int64)

    # neighbours in time are one customer
    starts = draw("new customer").random(rows) < 0.38
    starts[:1] = True
    starts[1:] |= store_week[1:] != store_week[:-1]
    receipt = np.cumsum(starts) - 1
    opening = np.flatnonzero(starts)
    when = when[opening][receipt]
    store, week = np.divmod(store_week, WEEKS)
    product = cell % len(PRODUCTS)
    promoted = promotions(country)[week, product]
    usual = np.array([price for _, _, _, price in PRODUCTS])
    reduced = np.round(usual * PARAMETERS["promotion: price, of the usual"], 2)
    card = _shoppers(
        country, region, store[opening] + first, draw("card").random((len(opening), 3))
    )
    payment = (draw("payment").random(len(opening)) * 2.4).astype(np.int32) % len(PAYMENTS)
    till = 1 + draw("till").integers(0, 4, len(opening))
    return (
        pa.table(
            {
                "receipt": pa.array(part * 10_000_000 + receipt),
                "line": pa.array((np.arange(rows) - opening[receipt] + 1).astype(np.int16)),
                "store_id": coded(store_keys(country, region), store + first),
                "till": pa.array(till[receipt].astype(np.int16)),
                "sold_at": pa.array(
                    (FIRST_MONDAY + 7 * np.arange(WEEKS)).astype("datetime64[s]")[week] + when
                ),
                "product_id": coded(product_keys(), product),
                "quantity": pa.array(quantity.astype(np.int16)),
                "unit_price": pa.array(np.where(promoted, reduced[product], usual[product])),
                "promotion": pa.array(promoted),
                "payment": coded(PAYMENTS, payment[receipt]),
                "card": _card_column(country, region, card[receipt]),
            },
        )
        if stores
        else pa.table({})
    )


def _cards_in(country: Country, region: int) -> tuple[int, int]:
    """First card of the region, and how many."""
    each = round(CARDS_A_RESIDENT * 100_000)
    everybody = round(CARDS_A_RESIDENT * country.population)
    return region * each, max(0, min(each, everybody - region * each))


def _shoppers(country: Country, region: int, store: Integers, uniform: Floats) -> Integers:
    """Which card of the region was shown, or -1: four customers of ten have none; most shop nearby."""
    _, cards = _cards_in(country, region)
    stores = len(simulate(country, region).size)
    segment = cards // stores
    if not segment:
        return np.full(len(store), -1, dtype=np.int64)
    nearby = store * segment + (uniform[:, 1] ** 2 * segment).astype(np.int64)
    anywhere = (uniform[:, 1] * cards).astype(np.int64)
    card = np.where(uniform[:, 2] < 0.85, nearby, anywhere)
    return np.where(uniform[:, 0] < 0.6, card, -1)


@lru_cache(maxsize=2)
def _card_numbers(country: Country, region: int) -> pa.Array:
    """Numbers of the region's cards; they do not tell in which order the cards were given out."""
    first, cards = _cards_in(country, region)
    scrambled = (
        np.arange(first, first + cards, dtype=np.int64) * 314_606_869 + 271_828_183
    ) % 10**9
    characters = np.empty((cards, 10), dtype=np.uint8)
    characters[:, 0] = ord("8")
    characters[:, 1:] = digits(scrambled, 9)
    return text(characters)


def _card_column(country: Country, region: int, card: Integers) -> pa.Array:
    return coded(_card_numbers(country, region), np.maximum(card, 0), card < 0)


def loyalty(country: Country, region: int) -> pa.Table:
    """The card holders of a region. The card number is a pseudonym; the rest is what they filled in."""
    first, cards = _cards_in(country, region)
    resident = ((first + np.arange(cards)) / CARDS_A_RESIDENT).astype(np.int64)
    draw, words = country.draw("loyalty", region), reference.vocabulary(country.locale)
    blocks = np.unique(resident // BLOCK).tolist() or [0]
    pieces = []
    for block in blocks:
        some = residents.people(country, block)
        here = resident[resident // BLOCK == block] - block * BLOCK
        holder = np.where(
            some.age[here] >= 18, here, some.head[here]
        )  # children have their parent's
        pieces.append(
            (
                some.first + holder,
                some.sex[holder],
                some.birth_date[holder].astype("datetime64[D]"),
                some.district[holder],
            )
        )
    person, sex, born, district = (np.concatenate(piece) for piece in zip(*pieces, strict=True))
    joined = np.datetime64("2019-01-01") + draw("joined").integers(0, 2_100, cards)
    told = draw("birth month").random(cards) < 0.8
    order = pa.array(draw("order").permutation(cards))
    table = pa.table(
        {
            "card": _card_numbers(country, region),
            "joined_on": pa.array(joined),
            "sex": coded(words.sexes, sex),
            "birth_month": pa.array(born.astype("datetime64[M]").astype(str), mask=~told),
            "district": coded(words.districts, district),
            "newsletter": pa.array(draw("newsletter").random(cards) < 0.35),
            "_person_id": residents.person_keys(person),
        }
    )
    return table.take(order)
