"""The population register: one row a person, grouped in households.

How it is made: households are drawn first (size, district, address, family name), then the people in
them (a head, perhaps a partner, children or other adults). Age decides schooling under way, schooling
finished follows the generation, occupation follows schooling, income follows schooling, age and
district. Every column draws from a stream of its own (:mod:`datapolis.blocks`).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from datapolis import identifiers, reference
from datapolis.blocks import BLOCK, stream
from datapolis.columns import Integers, coded, joined, numbered, pick, where
from datapolis.country import Country, Draw

TODAY = np.datetime64("2026-01-01")
"""The day the register was drawn up: ages are counted on it."""

_HOUSEHOLD_SIZES = np.array([1, 2, 3, 4, 5, 6])
_SIZE_SHARES = np.cumsum([0.29, 0.34, 0.16, 0.13, 0.05, 0.03])

# Shares of finished schooling (columns of reference.EDUCATION from "primary" on) by generation.
_SCHOOLING = {
    70: (0.22, 0.38, 0.24, 0.10, 0.05, 0.01),
    45: (0.06, 0.30, 0.32, 0.20, 0.10, 0.02),
    0: (0.02, 0.24, 0.27, 0.30, 0.14, 0.03),
}
_PAY = {  # median yearly income by schooling, in crowns
    "none yet": 0, "primary": 19_000, "secondary": 25_000, "vocational": 29_000,
    "bachelor": 38_000, "master": 47_000, "doctorate": 56_000,
}  # fmt: skip

_IDLE = CHILD, STUDENT, NOT_IN_WORK, RETIRED = range(4)
"""Where reference.NOT_IN_WORK stands in reference.occupations."""


@dataclass(frozen=True)
class People:
    """The people of one block, as numbers: what the other tables need to know about them.

    All arrays have one entry a person; ``household``, ``district``, ``education`` are indices.
    """

    first: int  # number of the first person in the country
    household: Integers  # counted from the block's first
    position: Integers  # 0 is the head of the household
    sex: Integers  # index into reference.SEXES
    age: NDArray[np.float64]  # years on TODAY
    birth_date: NDArray[np.datetime64]
    district: Integers
    education: Integers

    @property
    def person(self) -> Integers:
        """Numbers of the people in the country."""
        return self.first + np.arange(len(self.sex), dtype=np.int64)

    @property
    def head(self) -> Integers:
        """For each person, where the head of the household stands in the block."""
        return np.arange(len(self.sex)) - self.position

    @property
    def keys(self) -> pa.Array:
        return person_keys(self.person)

    @property
    def household_keys(self) -> pa.Array:
        """Keys of the block's households, shape (households,)."""
        return numbered("H", self.first + np.arange(self.household[-1] + 1, dtype=np.int64), 9)


def person_keys(person: Integers) -> pa.Array:
    """Register numbers of people given by their number in the country."""
    return numbered("P", person, 9)


@lru_cache(maxsize=4)
def people(country: Country, block: int) -> People:
    """The people of block ``block``."""
    rows = country.people_in(block)
    draw = country.draw("residents", block)
    size = _HOUSEHOLD_SIZES[np.searchsorted(_SIZE_SHARES, draw("household size").random(rows))]
    first = np.concatenate([[0], np.cumsum(size)])
    household = np.repeat(np.arange(rows), size)[:rows]
    position = np.arange(rows) - first[household]  # 0 is the head of the household
    number = block * BLOCK

    sex = _sexes(draw, position)
    age = _ages(draw, size[: household[-1] + 1], household, position)
    birth_date = _birth_dates(country.seed, number + np.arange(rows, dtype=np.int64), age)
    age = (TODAY - birth_date).astype(np.int64) / 365.25

    shares = np.cumsum([d.share for d in reference.DISTRICTS])
    district = pick(shares / shares[-1], draw("district").random(household[-1] + 1))[household]
    education = _education(draw("education").random(rows), age)
    return People(number, household, position, sex, age, birth_date, district, education)


def make(country: Country, block: int) -> pa.Table:
    """One block of the register."""
    some, draw = people(country, block), country.draw("residents", block)
    words, person, rows = reference.vocabulary(country.locale), some.person, len(some.sex)
    occupation = _occupations(draw, some.age, some.education)
    income = _incomes(draw("income"), some, occupation)
    has_phone = (some.age >= 10) & (draw("phone").random(rows) < 0.97)
    has_mail = (some.age >= 12) & (draw("email").random(rows) < 0.9)
    given, family = names(country, block)
    return pa.table(
        {
            "person_id": some.keys,
            "household_id": coded(some.household_keys, some.household),
            "given_name": given,
            "family_name": family,
            "sex": coded(words.sexes, some.sex),
            "birth_date": pa.array(some.birth_date.astype("datetime64[D]")),
            "id_number": identity_numbers(some),
            "phone": where(has_phone, identifiers.phone_numbers(person)),
            "email": where(has_mail, _mail(country, given, family, person)),
            "district": coded(words.districts, some.district),
            "address": coded(addresses(country, block), some.household),
            "education": coded(words.education, some.education),
            "occupation": coded(reference.occupations(country.locale), occupation),
            "income": pa.array(income, mask=some.age < 16),
        }
    )


def identity_numbers(some: People) -> pa.Array:
    """The identity number of every person of the block."""
    office, serial = np.divmod(
        some.person % (identifiers.OFFICES * identifiers.SERIALS), identifiers.SERIALS
    )
    codes = np.array([int(d.code) for d in reference.DISTRICTS])
    return identifiers.identity_numbers(
        codes[some.district], office, some.birth_date, 2 * serial % 1000 + some.sex
    )


def _sexes(draw: Draw, position: NDArray[np.int64]) -> NDArray[np.int64]:
    """0 female, 1 male; partners are mostly of the other sex."""
    sex = (draw("sex").random(len(position)) >= 0.505).astype(np.int64)
    other = np.flatnonzero((position == 1) & (draw("sex of partner").random(len(position)) < 0.96))
    sex[other] = 1 - sex[other - 1]
    return sex


def _ages(
    draw: Draw,
    size: NDArray[np.int64],
    household: NDArray[np.int64],
    position: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Ages in years, 0 to 105: heads first, the others seen from the head.

    ``size`` has one entry a household, ``household`` and ``position`` one a person.
    """
    rows, persons = len(size), len(household)
    couple = (draw("couple").random(rows) < 0.82)[household]
    family = 24 + 36 * draw("age of parent").beta(2.0, 2.2, rows)  # three and more: mostly parents
    small = 20 + 78 * draw("age of head").beta(1.5, 1.6, rows)
    head = np.where(size >= 3, family, small)[household]
    partner = np.clip(head + draw("age of partner").normal(-1, 4, persons), 18, 105)
    child = draw("age of child").random(persons) * np.clip(head - 19, 1, 27)
    flatmate = np.clip(head + draw("age of flatmate").normal(0, 12, persons), 18, 105)
    second = np.where(couple, partner, np.where(head > 60, flatmate, np.minimum(child, head - 17)))
    age = np.where(position == 0, head, np.where(position == 1, second, child))
    return np.clip(age, 0, 105)


@cache
def _first_days(seed: int) -> NDArray[np.int64]:
    people = identifiers.OFFICES * identifiers.SERIALS
    return stream(seed, "residents", "day of birth", 0).integers(0, 365, people)


def _birth_dates(
    seed: int, person: NDArray[np.int64], age: NDArray[np.float64]
) -> NDArray[np.datetime64]:
    """Dates of birth whose day of the year keeps identity numbers apart.

    People whose number is the same modulo OFFICES x SERIALS share an office and a serial number. Each of
    them gets the next day of the year, so that no two of the first 18 million have one identity number.
    """
    repeat, code = np.divmod(person, identifiers.OFFICES * identifiers.SERIALS)
    day = (_first_days(seed)[code] + repeat) % 365
    year = 2026 - np.ceil(np.maximum(age, 1e-9)).astype(np.int64)
    starts, leap = _years()
    # the 365 days of a leap year leave 29 February out
    days = starts[year - 1900] + day + (leap[year - 1900] & (day >= 59))
    dates: NDArray[np.datetime64] = days.astype("datetime64[D]")
    return dates


@cache
def _years() -> tuple[Integers, NDArray[np.bool_]]:
    """First day of each year from 1900, in days since 1970, and whether it is a leap year."""
    starts = (
        np.arange("1900", "2031", dtype="datetime64[Y]").astype("datetime64[D]").astype(np.int64)
    )
    return starts[:-1], np.diff(starts) == 366


_REACHABLE = ((13, 0), (18, 1), (21, 2), (24, 3), (27, 4), (31, 5))
"""Below an age, the highest level of reference.EDUCATION that can be finished."""


def _education(uniform: NDArray[np.float64], age: NDArray[np.float64]) -> NDArray[np.int64]:
    level = np.zeros(len(age), dtype=np.int64)
    for oldest, (youngest, shares) in zip((200, 70, 45), _SCHOOLING.items(), strict=True):
        of_generation = (age >= youngest) & (age < oldest)
        level[of_generation] = 1 + np.searchsorted(np.cumsum(shares[:-1]), uniform[of_generation])
    below, highest = zip(*_REACHABLE, strict=True)
    reachable = np.select([age < limit for limit in below], highest, len(reference.EDUCATION) - 1)
    return np.minimum(level, reachable)


def _occupations(
    draw: Draw, age: NDArray[np.float64], education: Integers, locale: str = "en_US"
) -> Integers:
    """Indices into reference.occupations(locale)."""
    which, idle = draw("occupation").random(len(age)), draw("not in work").random(len(age))
    sizes = [len(titles) for titles in reference.vocabulary(locale).jobs.values()]
    begins = np.cumsum([len(reference.NOT_IN_WORK), *sizes])[:-1]
    level = np.maximum(education - 2, 0)  # without schooling: the jobs that ask for the least
    # common jobs and rare ones: the square puts more people on the first titles
    result = begins[level] + (which**2 * np.array(sizes)[level]).astype(np.int64)
    result[idle < 0.12] = NOT_IN_WORK
    result[(age < 18) | ((age < 25) & (idle < 0.55))] = STUDENT
    result[age < 6] = CHILD
    result[age >= 60 + 8 * which] = RETIRED
    return result


def _incomes(draw: np.random.Generator, some: People, occupation: Integers) -> Integers:
    """Yearly income in crowns, to the nearest hundred."""
    pay = np.array(list(_PAY.values()), dtype=float)[some.education]
    experience = 0.62 + 0.5 * np.clip((some.age - 18) / 30, 0, 1)
    place = np.array([d.income for d in reference.DISTRICTS])[some.district]
    status = np.array([1.0, 0.2, 0.32, 0.58, 1.0])[np.minimum(occupation, len(_IDLE))]
    spread = np.exp(draw.normal(0, 0.38, len(some.age)))
    income = np.maximum(pay, 12_000) * experience * place * status * spread
    return (np.round(income / 100) * 100).astype(np.int64)


def names(country: Country, block: int) -> tuple[pa.Array, pa.Array]:
    """Given and family names; a household has its head's family name, but some partners keep theirs."""
    some, draw = people(country, block), country.draw("residents", block)
    words, rows = reference.vocabulary(country.locale), len(some.sex)
    uniform = draw("given name").random(rows)
    female, male = (pick(shares, uniform) for _, shares in words.given_names)
    offset = len(words.given_names[0][0])
    both = pa.array(np.concatenate([listed for listed, _ in words.given_names]))
    given = coded(both, np.where(some.sex == 0, female, offset + male))

    family, shares = words.family_names
    own = pick(shares, draw("family name").random(rows))
    keeps = (some.position == 1) & (draw("own name").random(rows) < 0.4)
    return given, coded(pa.array(family), np.where(keeps, own, own[some.head]))


def _mail(country: Country, given: pa.Array, family: pa.Array, person: Integers) -> pa.Array:
    number = pa.array(person).cast(pa.string())
    if country.locale == "zh_CN":  # an address keeps to Latin letters
        return joined("resident.", number, f"@{identifiers.MAIL_DOMAIN}")
    lower = [
        pa.DictionaryArray.from_arrays(name.indices, pc.utf8_lower(name.dictionary))
        for name in (given, family)
    ]
    return joined(lower[0], ".", lower[1], ".", number, f"@{identifiers.MAIL_DOMAIN}")


def addresses(country: Country, block: int) -> pa.Array:
    """The address of each household of the block: number, street and kind of street."""
    draw, words = country.draw("residents", block), reference.vocabulary(country.locale)
    rows = int(people(country, block).household[-1]) + 1
    street = pick(words.street_shares, draw("street").random(rows))
    kind = draw("kind of street").integers(0, 60, rows) % len(words.street_suffixes)
    number = pa.array(draw("house number").integers(1, 240, rows)).cast(pa.string())
    names = coded(pa.array(words.streets), street), coded(words.street_suffixes, kind)
    if country.locale == "zh_CN":
        return joined(*names, number, "号")
    return joined(number, " ", names[0], " ", names[1])
