"""A hospital's records under pseudonyms, and a sports club's public list: what a linkage attack needs."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from datapolis import reference, residents
from datapolis.columns import Floats, Integers, coded, numbered
from datapolis.country import Country

SPORTS = ("athletics", "badminton", "cycling", "football", "rowing", "swimming", "table tennis")
WARDS = ("internal", "surgery", "cardiology", "oncology", "psychiatry", "infectious diseases")

PARAMETERS = {
    "stays a resident a year": 0.1,
    "club members among residents of 12 to 70": 0.03,
}


def hospital_stays(country: Country, block: int) -> pa.Table:
    """One row a stay in 2025. The pseudonym is a patient's own; who that is stands in ``_person_id``."""
    some, draw = residents.people(country, block), country.draw("hospital_stays", block)
    rate = PARAMETERS["stays a resident a year"] * (0.45 + (some.age / 55) ** 2)
    stays = draw("stays").poisson(rate * 0.8)
    who = np.repeat(np.arange(len(some.sex)), stays)
    day = draw("admitted").integers(0, 365, len(who))
    diagnosis = _diagnoses(draw("diagnosis").random(len(who)), some.age[who])
    length = 1 + draw("length").gamma(1.3, 3.2, len(who)).astype(np.int64)
    cost = (900 + 640 * length) * np.exp(draw("cost").normal(0, 0.35, len(who)))
    order = draw("order").permutation(len(who))  # the file is not in the register's order
    number = (some.person[who] * 48_271 + 7_919 * (country.seed % 997 + 1)) % 999_999_937
    words = reference.vocabulary(country.locale)
    table = pa.table(
        {
            "patient": numbered("A", number, 9),
            "sex": coded(words.sexes, some.sex[who]),
            "birth_date": pa.array(some.birth_date[who].astype("datetime64[D]")),
            "district": coded(words.districts, some.district[who]),
            "admitted": pa.array(np.datetime64("2025-01-01") + day),
            "nights": length,
            "ward": coded(WARDS, draw("ward").integers(0, len(WARDS), len(who))),
            "diagnosis": coded(reference.DIAGNOSES, diagnosis),
            "cost": np.round(cost).astype(np.int64),
            "_person_id": some.keys.take(pa.array(who)),
        }
    )
    return table.take(pa.array(order))


def _diagnoses(uniform: Floats, age: Floats) -> Integers:
    """Few diagnoses are common and many are rare; which are common changes every 25 years of age."""
    shares = 1 / np.arange(2, len(reference.DIAGNOSES) + 2)
    rank = np.searchsorted(np.cumsum(shares) / shares.sum(), uniform)
    shift = (age // 25).astype(np.int64) * 11
    order = np.argsort([_hash(name) for name in reference.DIAGNOSES], kind="stable")
    return order[(rank + shift) % len(reference.DIAGNOSES)]


def _hash(word: str) -> int:
    """A number that looks random and is the same everywhere."""
    return sum((n + 7) * ord(letter) * 2_654_435_761 for n, letter in enumerate(word)) % 2**32


def sports_club(country: Country, block: int) -> pa.Table:
    """The members' list that the club puts on its web page."""
    some, draw = residents.people(country, block), country.draw("sports_club", block)
    rows = len(some.sex)
    chance = PARAMETERS["club members among residents of 12 to 70"]
    member = (draw("member").random(rows) < chance) & (some.age >= 12) & (some.age < 70)
    who = np.flatnonzero(member)
    given, family = residents.names(country, block)
    words = reference.vocabulary(country.locale)
    joined = draw("joined").integers(2008, 2026, rows)[who]
    sport = draw("sport").integers(0, len(SPORTS), rows)[who]
    order = pa.array(draw("order").permutation(len(who)))
    return pa.table(
        {
            "member_no": numbered("M", some.person[who] * 7 % 10_000_019, 8),
            "given_name": given.take(pa.array(who)),
            "family_name": family.take(pa.array(who)),
            "sex": coded(words.sexes, some.sex[who]),
            "birth_date": pa.array(some.birth_date[who].astype("datetime64[D]")),
            "district": coded(words.districts, some.district[who]),
            "sport": coded(SPORTS, sport),
            "member_since": joined,
            "_person_id": some.keys.take(pa.array(who)),
        }
    ).take(order)
