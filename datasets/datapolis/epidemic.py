"""One epidemic, held in parts by three agencies that share no key.

The curve comes first: a deterministic SEIR model over the districts, whose people meet at home and where
they work (Kermack and McKendrick 1927; mobility as in Sattenspiel and Dietz 1995). Residents then fall ill one by
one, on days drawn from their district's curve. Laboratories know identity numbers, the health office knows
names and birth dates, venues know phone numbers.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from datapolis import identifiers, reference, residents
from datapolis.columns import Floats, Integers, coded, numbered
from datapolis.country import Country, Draw

FIRST_DAY = np.datetime64("2025-01-06")  # a Monday
DAYS = 182

PARAMETERS = {
    "R0": 2.6,
    "latent period, days": 3.0,
    "infectious period, days": 5.0,
    "share of contacts outside the own district": 0.15,
    "infected on day 0, of 100,000 in the first district": 60.0,
    "contacts while restricted, of the usual": 0.36,
    "restricted from day": 42,
    "restricted until day": 119,
    "share with symptoms": 0.65,
    "share of people with symptoms who are tested": 0.8,
    "tests without symptoms, a resident a day": 0.004,
    "sensitivity": 0.92,
    "specificity": 0.995,
    "median days from onset to sampling": 2.0,
    "median days from a positive result to the report": 2.0,
    "vaccination: from day": 70,
    "vaccination: share of people protected after 14 days": 0.6,
    "check-ins a resident a day": 0.03,
}

LABORATORIES = ("Central Laboratory", "Harbour Laboratory", "University Laboratory")
VENUES = (
    "café",
    "cinema",
    "gym",
    "library",
    "market hall",
    "restaurant",
    "swimming pool",
    "theatre",
)
OUTCOMES = ("recovered at home", "hospital", "intensive care", "died")
PRODUCTS = ("Immunal", "Protexa")

_STEPS = 8  # a day


@cache
def curve() -> Floats:
    """New infections a day as shares of each district's people, shape (DAYS, districts)."""
    share = np.array([d.share for d in reference.DISTRICTS])
    share = share / share.sum()
    place = np.array([(d.north, d.east * np.cos(np.radians(24.5))) for d in reference.DISTRICTS])
    distance = np.linalg.norm(place[:, None] - place[None], axis=2) * 111  # km
    pull = share[None] / (3 + distance) ** 2  # gravity: larger and nearer districts attract more
    np.fill_diagonal(pull, 0)
    outside = PARAMETERS["share of contacts outside the own district"]
    mobility = outside * pull / pull.sum(axis=1, keepdims=True) + (1 - outside) * np.eye(len(share))

    gamma = 1 / PARAMETERS["infectious period, days"]
    sigma = 1 / PARAMETERS["latent period, days"]
    susceptible, exposed = np.ones(len(share)), np.zeros(len(share))
    infectious = np.zeros(len(share))
    exposed[0] = PARAMETERS["infected on day 0, of 100,000 in the first district"] / 100_000
    susceptible[0] -= exposed[0]
    new = np.zeros((DAYS, len(share)))
    for day in range(DAYS):
        closed = PARAMETERS["restricted from day"] <= day < PARAMETERS["restricted until day"]
        contacts = PARAMETERS["contacts while restricted, of the usual"] if closed else 1.0
        for _ in range(_STEPS):
            present = mobility.T @ (infectious * share) / (mobility.T @ share)
            force = PARAMETERS["R0"] * gamma * contacts * (mobility @ present)
            infected = susceptible * -np.expm1(-force / _STEPS)
            fallen_ill, recovered = exposed * sigma / _STEPS, infectious * gamma / _STEPS
            susceptible = susceptible - infected
            exposed = exposed + infected - fallen_ill
            infectious = infectious + fallen_ill - recovered
            new[day] += infected
    return new


class Course(NamedTuple):
    """What happened to each person of a block; days count from FIRST_DAY, -1 is never."""

    infected: Integers
    onset: Integers
    first_dose: Integers


def _course(country: Country, block: int) -> Course:
    some, draw = residents.people(country, block), country.draw("epidemic", block)
    rows = len(some.sex)
    first_dose = _first_doses(draw, some.age)
    total = np.cumsum(curve(), axis=0)
    uniform, infected = draw("infected").random(rows), np.full(rows, -1)
    for district in range(len(reference.DISTRICTS)):
        here = np.flatnonzero(some.district == district)
        day = np.searchsorted(total[:, district], uniform[here])
        infected[here] = np.where(day < DAYS, day, -1)
    protected = (first_dose >= 0) & (first_dose + 14 <= infected)
    works = PARAMETERS["vaccination: share of people protected after 14 days"]
    infected[protected & (draw("protected").random(rows) < works)] = -1
    symptoms = (infected >= 0) & (draw("symptoms").random(rows) < PARAMETERS["share with symptoms"])
    incubation = np.round(draw("incubation").gamma(4.0, 1.3, rows)).astype(np.int64)
    return Course(infected, np.where(symptoms, infected + incubation, -1), first_dose)


def _first_doses(draw: Draw, age: Floats) -> Integers:
    """The old are invited first; not everybody comes."""
    rows = len(age)
    invited = PARAMETERS["vaccination: from day"] + np.clip((85 - age) * 1.1, 0, 90)
    comes = draw("vaccinated").random(rows) < np.select(
        [age >= 60, age >= 18, age >= 12], [0.86, 0.7, 0.5], 0
    )
    day = (invited + draw("day of dose").gamma(2.0, 5.0, rows)).astype(np.int64)
    return np.where(comes & (day < DAYS), day, -1)


class _Tested(NamedTuple):
    person: Integers  # place in the block
    sampled: Integers
    resulted: Integers
    positive: NDArray[np.bool_]


def _tested(country: Country, block: int) -> _Tested:
    some, what = residents.people(country, block), _course(country, block)
    draw, rows = country.draw("tests", block), len(some.sex)
    share = PARAMETERS["share of people with symptoms who are tested"]
    ill = np.flatnonzero((what.onset >= 0) & (draw("tested").random(rows) < share))
    wait = draw("wait").gamma(2.2, 1.05, rows)[ill].astype(np.int64)
    often = PARAMETERS["tests without symptoms, a resident a day"] * DAYS
    others = np.repeat(np.arange(rows), draw("other tests").poisson(often, rows))
    day = draw("day of test").integers(0, DAYS, len(others))
    person = np.concatenate([ill, others])
    sampled = np.concatenate([what.onset[ill] + wait, day])
    infected = what.infected[person]
    carrying = (infected >= 0) & (sampled >= infected + 1) & (sampled <= infected + 14)
    chance = np.where(carrying, PARAMETERS["sensitivity"], 1 - PARAMETERS["specificity"])
    positive = draw("result").random(len(person)) < chance
    resulted = sampled + 1 + draw("laboratory delay").poisson(0.6 + _load(sampled), len(person))
    kept = np.flatnonzero(sampled < DAYS)
    order = kept[np.argsort(sampled[kept], kind="stable")]
    return _Tested(person[order], sampled[order], resulted[order], positive[order])


def _load(day: Integers) -> Floats:
    """Laboratories and offices fall behind when the wave is high: extra days, by day."""
    daily = curve().mean(axis=1)
    return 2.2 * (daily / daily.max())[np.clip(day, 0, DAYS - 1)]


def tests(country: Country, block: int) -> pa.Table:
    """What the laboratories hold: one row a sample."""
    some, what = residents.people(country, block), _tested(country, block)
    who = pa.array(what.person)
    laboratory = country.draw("tests", block)("laboratory").integers(0, 3, len(what.person))
    return pa.table(
        {
            "sample_no": numbered("T", block * 10_000_000 + np.arange(len(who)), 11),
            "id_number": residents.identity_numbers(some).take(who),
            "laboratory": coded(LABORATORIES, laboratory),
            "sampled_on": _dates(what.sampled),
            "result_on": _dates(what.resulted),
            "positive": pa.array(what.positive),
            "_person_id": some.keys.take(who),
        }
    )


def cases(country: Country, block: int) -> pa.Table:
    """What the health office holds: the first positive test of each person, as it was reported."""
    some, tested = residents.people(country, block), _tested(country, block)
    what, draw = _course(country, block), country.draw("cases", block)
    positive = np.flatnonzero(tested.positive)
    who, first = np.unique(tested.person[positive], return_index=True)
    resulted = tested.resulted[positive[first]]
    delay = draw("report").gamma(1.6, 1.3, len(who)) * (1 + _load(resulted))
    reported = resulted + delay.astype(np.int64)
    reported += np.select([(reported % 7) == 5, (reported % 7) == 6], [2, 1], 0)  # not at weekends
    # some onsets are forgotten or were never there
    known = (what.onset[who] >= 0) & (draw("onset known").random(len(who)) < 0.9)
    risk = 0.012 * np.exp((some.age[who] - 40) / 17)
    outcome = np.digitize(
        draw("outcome").random(len(who)) / np.minimum(risk, 0.6), [0.12, 0.3, 1.0]
    )
    given, family = residents.names(country, block)
    words, order = reference.vocabulary(country.locale), np.argsort(reported, kind="stable")
    taken = pa.array(who[order])
    return pa.table(
        {
            "case_no": numbered("C", block * 10_000_000 + np.arange(len(who)), 11),
            "given_name": given.take(taken),
            "family_name": family.take(taken),
            "birth_date": pa.array(some.birth_date[who[order]].astype("datetime64[D]")),
            "sex": coded(words.sexes, some.sex[who[order]]),
            "district": coded(words.districts, some.district[who[order]]),
            "onset_on": _dates(what.onset[who[order]], known[order]),
            "result_on": _dates(resulted[order]),
            "reported_on": _dates(reported[order]),
            "outcome": coded(OUTCOMES, 3 - outcome[order]),
            "_person_id": some.keys.take(taken),
            "_infected_on": _dates(what.infected[who[order]], what.infected[who[order]] >= 0),
        }
    )


def check_ins(country: Country, block: int) -> pa.Table:
    """What the venues hold: visits, with the phone number that visitors left."""
    some, draw = residents.people(country, block), country.draw("check_ins", block)
    grown = np.flatnonzero(some.age >= 14)
    visits = draw("visits").poisson(PARAMETERS["check-ins a resident a day"] * DAYS, len(grown))
    who = np.repeat(grown, visits)
    rows = len(who)
    day = draw("day").integers(0, DAYS, rows)
    closed = (day >= PARAMETERS["restricted from day"]) & (day < PARAMETERS["restricted until day"])
    met = PARAMETERS["contacts while restricted, of the usual"]
    kept = np.flatnonzero(~closed | (draw("still goes").random(rows) < met))
    who, day = who[kept], day[kept]
    order = np.argsort(day, kind="stable")
    who, day, rows = who[order], day[order], len(who)
    minute = np.clip(draw("hour").normal(17.5, 3.2, rows), 8, 22.5) * 60
    entered = (FIRST_DAY + day).astype("datetime64[m]") + minute.astype(np.int64)
    stay = 12 + draw("stay").gamma(2.0, 32, rows).astype(np.int64)
    away = draw("away").random(rows) < PARAMETERS["share of contacts outside the own district"]
    elsewhere = draw("elsewhere").integers(0, len(reference.DISTRICTS), rows)
    district = np.where(away, elsewhere, some.district[who])
    number = (draw("venue").random(rows) ** 2 * 40).astype(np.int64)
    words = reference.vocabulary(country.locale)
    return pa.table(
        {
            "venue": coded(_venues(), district * 40 + number),
            "kind": coded(VENUES, number % len(VENUES)),
            "district": coded(words.districts, district),
            "phone": identifiers.phone_numbers(some.person[who]),
            "entered_at": pa.array(entered.astype("datetime64[s]")),
            "left_at": pa.array((entered + stay).astype("datetime64[s]")),
            "_person_id": some.keys.take(pa.array(who)),
        }
    )


def _venues() -> list[str]:
    return [f"V{district + 1:02}-{n + 1:02}" for district in range(12) for n in range(40)]


def vaccinations(country: Country, block: int) -> pa.Table:
    """What the vaccination centres hold: one row a dose."""
    some, what = residents.people(country, block), _course(country, block)
    draw = country.draw("vaccinations", block)
    first = np.flatnonzero(what.first_dose >= 0)
    second_day = what.first_dose + 28 + draw("second dose").integers(0, 7, len(some.sex))
    comes = draw("comes again").random(len(some.sex)) < 0.93
    second = first[comes[first] & (second_day[first] < DAYS)]
    who = np.concatenate([first, second])
    day = np.concatenate([what.first_dose[first], second_day[second]])
    dose = np.repeat([1, 2], [len(first), len(second)])
    product = (draw("product").random(len(some.sex)) < 0.3).astype(np.int64)[who]
    order = np.argsort(day, kind="stable")
    words, taken = reference.vocabulary(country.locale), pa.array(who[order])
    return pa.table(
        {
            "id_number": residents.identity_numbers(some).take(taken),
            "dose": pa.array(dose[order]),
            "given_on": _dates(day[order]),
            "product": coded(PRODUCTS, product[order]),
            "centre": coded(words.districts, some.district[who[order]]),
            "_person_id": some.keys.take(taken),
        }
    )


def _dates(day: Integers, known: NDArray[np.bool_] | None = None) -> pa.Array:
    """Days since FIRST_DAY as dates, None where not ``known``."""
    return pa.array(FIRST_DAY + day, mask=None if known is None else ~known)
