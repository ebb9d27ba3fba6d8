"""Public services: some of it is safe to open, and some only looks so."""

from __future__ import annotations

from itertools import accumulate

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from datapolis import identifiers, reference, residents
from datapolis.columns import Floats, coded, joined, numbered
from datapolis.country import Country

FIRST_METER_DAY, METER_DAYS = np.datetime64("2025-01-13"), 28  # a Monday
FIRST_TAP_DAY, TAP_DAYS = np.datetime64("2025-09-01"), 28  # a Monday
STATIONS_A_DISTRICT = 2
SECTORS = ("construction", "crafts", "health", "hospitality", "logistics", "software", "trade")

PARAMETERS = {
    "households with a smart meter": 0.01,
    "residents whose rider cards are in the sample": 0.06,
    "share of riders who commute": 0.7,
    "air: share of hours missing": 0.015,
    "firms a resident": 0.04,
    "one-person firms": 0.35,
}


def smart_meters(country: Country, block: int) -> pa.Table:
    """Hourly readings. The meter number is a pseudonym of the household."""
    some, draw = residents.people(country, block), country.draw("smart_meters", block)
    heads = np.flatnonzero(some.position == 0)
    chosen = heads[draw("chosen").random(len(heads)) < PARAMETERS["households with a smart meter"]]
    size = (
        np.bincount(some.household, minlength=1)[some.household[chosen]] if len(heads) else chosen
    )
    home = some.age[chosen] > 62  # at home by day
    hours = METER_DAYS * 24
    hour, weekday = np.arange(hours) % 24, (np.arange(hours) // 24) % 7
    morning, evening = (
        np.exp(-0.5 * ((hour - peak) / width) ** 2) for peak, width in ((7.5, 1.2), (19, 2.2))
    )
    noon = np.exp(-0.5 * ((hour - 13) / 2.5) ** 2)
    base = 0.09 + 0.05 * size[:, None]
    use = base + 0.25 * size[:, None] ** 0.6 * (morning + 1.9 * evening)
    use = use + 0.4 * noon * np.where(home[:, None] | (weekday >= 5), 1.0, 0.15)
    away = _absences(draw("away"), len(chosen))
    use = np.where(np.repeat(away, 24, axis=1), 0.07, use)
    kwh = use * np.exp(draw("noise").normal(0, 0.35, use.shape))
    rows, words = len(chosen) * hours, reference.vocabulary(country.locale)
    meter = np.repeat(np.arange(len(chosen)), hours)
    keys = numbered("E", some.person[chosen] * 69_621 % 99_999_989, 8)
    when = FIRST_METER_DAY.astype("datetime64[s]") + np.tile(np.arange(hours) * 3600, len(chosen))
    return pa.table(
        {
            "meter": coded(keys, meter),
            "district": coded(words.districts, some.district[chosen][meter]),
            "read_at": pa.array(when.astype("datetime64[s]")),
            "kwh": np.round(kwh, 3).reshape(rows),
            "_household_id": coded(some.household_keys, some.household[chosen][meter])
            if rows
            else pa.array([], pa.string()).dictionary_encode(),
        }
    )


def _absences(draw: np.random.Generator, meters: int) -> NDArray[np.bool_]:
    """One household in four is away for some days, which its meter gives away; shape (meters, days)."""
    begin, length, goes = draw.random((3, meters))
    start = (begin * METER_DAYS).astype(np.int64)
    days = np.arange(METER_DAYS)[None]
    end = start + 2 + (length * 8).astype(np.int64)
    return (goes < 0.25)[:, None] & (days >= start[:, None]) & (days < end[:, None])


def transit_taps(country: Country, block: int) -> pa.Table:
    """Taps at the barriers, in and out. Names are gone; home and work are not."""
    some, draw = residents.people(country, block), country.draw("transit_taps", block)
    rows = len(some.sex)
    share = PARAMETERS["residents whose rider cards are in the sample"]
    rider = np.flatnonzero((draw("rider").random(rows) < share) & (some.age >= 10))
    commutes = draw("commutes").random(len(rider)) < PARAMETERS["share of riders who commute"]
    shares = np.cumsum([d.share * d.income**2 for d in reference.DISTRICTS])
    work = np.searchsorted(shares / shares[-1], draw("work").random(len(rider)))
    stop = draw("stop").integers(0, 4, (len(rider), 2))  # of home and of work
    hour = draw("hour").normal(7.8, 0.9, len(rider))

    # who rides on which day: commuters on most weekdays, others now and then
    weekday = (np.arange(TAP_DAYS) % 7 < 5)[None]
    chance = np.where(commutes[:, None] & weekday, 0.85, 0.14)
    who, day = np.nonzero(draw("rides").random((len(rider), TAP_DAYS)) < chance)
    trips = len(who)
    free = ~(commutes[who] & (day % 7 < 5))
    there = np.where(free, draw("place").integers(0, 12, trips), work[who])
    at = np.where(free, draw("stop there").integers(0, 4, trips), stop[who, 1])
    out = np.where(free, draw("free hour").uniform(9, 17, trips), hour[who]) * 60
    out = out + draw("minute").normal(0, 9, trips)
    back = out + np.where(free, 150, 8.6 * 60) + draw("way back").normal(0, 35, trips)
    home = some.district[rider][who]
    ride = 9 + 3 * np.abs(home - there) + draw("ride").gamma(2, 2, trips)
    station = np.stack(
        [home * 4 + stop[who, 0], there * 4 + at, there * 4 + at, home * 4 + stop[who, 0]]
    )
    minute = np.stack([out, out + ride, back, back + ride]).astype(np.int64)
    when = (FIRST_TAP_DAY + day).astype("datetime64[m]")[None] + np.clip(minute, 240, 1439)
    card, way = np.tile(who, 4), np.repeat([0, 1, 0, 1], trips)
    order = np.argsort(when.reshape(-1), kind="stable")
    keys = numbered("R", some.person[rider] * 92_821 % 999_999_893, 9)
    named = some.keys.take(pa.array(rider))
    return pa.table(
        {
            "rider": coded(keys, card[order]),
            "station": coded(_stations(), station.reshape(-1)[order]),
            "tapped_at": pa.array(when.reshape(-1)[order].astype("datetime64[s]")),
            "way": coded(("in", "out"), way[order]),
            "_person_id": coded(named, card[order]),
        }
    )


def _stations() -> list[str]:
    return [f"{d.code}-{stop}" for d in reference.DISTRICTS for stop in "NESW"]


def air_quality(country: Country, part: int) -> pa.Table:
    """A year of hourly means at 24 stations: safe to open, and worth having."""
    draw, words = country.draw("air_quality", part), reference.vocabulary(country.locale)
    stations, hours = len(reference.DISTRICTS) * STATIONS_A_DISTRICT, 365 * 24
    hour, day = np.arange(hours) % 24, np.arange(hours) // 24
    winter = 1 + 0.35 * np.cos(2 * np.pi * (day - 15) / 365)
    weekend = np.where(day % 7 >= 4, 0.75, 1.0)  # 1 January 2025 is a Wednesday
    rush = 1 + 0.5 * sum(np.exp(-0.5 * ((hour - peak) / 1.8) ** 2) for peak in (8, 18)) * weekend
    sun = np.maximum(np.sin((hour - 6) / 12 * np.pi), 0) * (
        1 - 0.55 * np.cos(2 * np.pi * (day - 15) / 365)
    )
    weather = np.exp(0.35 * _slow(draw("weather").normal(0, 1, hours), 0.97))
    density = np.array([d.share / d.area for d in reference.DISTRICTS]) ** 0.35
    site = np.repeat(density / density.mean(), STATIONS_A_DISTRICT)
    site = (site * np.tile([1.25, 0.8], len(reference.DISTRICTS)))[:, None]  # at a road, in a park
    noise = np.exp(draw("noise").normal(0, 0.16, (3, stations, hours)))
    no2 = 24 * site * (winter * rush * weather)[None] * noise[0]
    pm25 = 11 * site**0.5 * (winter**1.5 * weather)[None] * noise[1]
    ozone = np.maximum(52 + 55 * sun[None] - 0.45 * no2, 2) * noise[2]
    missing = draw("missing").random((stations, hours)) < PARAMETERS["air: share of hours missing"]
    names = [f"{d.code}-{kind}" for d in reference.DISTRICTS for kind in ("road", "park")]
    when = np.datetime64("2025-01-01", "s") + np.arange(hours) * 3600
    gone = missing.reshape(-1)
    return pa.table(
        {
            "station": coded(names, np.repeat(np.arange(stations), hours)),
            "district": coded(words.districts, np.repeat(np.arange(stations) // 2, hours)),
            "measured_at": pa.array(np.tile(when, stations)),
            **{
                name: pa.array(np.round(values, 1).reshape(-1), mask=gone)
                for name, values in (("no2", no2), ("pm25", pm25), ("ozone", ozone))
            },
        }
    )


def _slow(noise: Floats, keep: float) -> Floats:
    """Weather changes slowly: an autoregressive series of variance 1."""
    steps = noise * np.sqrt(1 - keep**2)
    return np.array(list(accumulate(steps.tolist(), lambda before, step: keep * before + step)))


def business_register(country: Country, block: int) -> pa.Table:
    """Firms. Name, code and representative are published by law; turnover is a secret of the firm."""
    some, draw = residents.people(country, block), country.draw("business_register", block)
    rows = len(some.sex)
    founder = (draw("founder").random(rows) < PARAMETERS["firms a resident"] / 0.72) & (
        some.age >= 21
    )
    who = np.flatnonzero(founder & (some.age < 75))
    firms = len(who)
    given, family = (name.take(pa.array(who)) for name in residents.names(country, block))
    words = reference.vocabulary(country.locale)
    alone = draw("alone").random(firms) < PARAMETERS["one-person firms"]
    staff = 1 + np.where(alone, 0, np.exp(draw("staff").normal(1.7, 1.15, firms))).astype(np.int64)
    turnover = staff * 62_000 * np.exp(draw("turnover").normal(0, 0.7, firms))
    codes = np.array([int(d.code) for d in reference.DISTRICTS])
    # a third of the one-person firms have their seat at home, most others in a district of offices
    seat = np.where(
        draw("seat").random(firms) < 0.6,
        some.district[who],
        draw("elsewhere").integers(0, 12, firms),
    )
    age = np.minimum(draw("age").gamma(1.6, 6, firms), some.age[who] - 20).astype(np.int64)
    joint = "" if country.locale == "zh_CN" else " "
    return pa.table(
        {
            "firm_code": identifiers.firm_codes(codes[seat], some.person[who] % 10**9),
            "name": joined(
                family,
                joint,
                coded(words.company_ends, draw("end").integers(0, len(words.company_ends), firms)),
            ),
            "representative": joined(family, given) if not joint else joined(given, " ", family),
            "district": coded(words.districts, seat),
            "sector": coded(SECTORS, draw("sector").integers(0, len(SECTORS), firms)),
            "founded": pa.array(2025 - age),
            "employees": staff,
            "turnover": (np.round(turnover / 1000) * 1000).astype(np.int64),
            "_person_id": some.keys.take(pa.array(who)),
        }
    )
