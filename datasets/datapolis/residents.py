"""The population register: one row a person, grouped in households.

How it is made: households are drawn first (size, district, address, family name), then the people in
them (a head, perhaps a partner, children or other adults). Age decides schooling under way, schooling
finished follows the generation, occupation follows schooling, income follows schooling, age and
district. Every column draws from a stream of its own (:mod:`datapolis.blocks`).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from datapolis import identifiers, reference
from datapolis.blocks import BLOCK, stream

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


Draw = Callable[[str], np.random.Generator]
"""A stream by name. Each is used for one call, so that its first values do not depend on how many follow."""


def block(seed: int, number: int, rows: int = BLOCK) -> pa.Table:
    """The first ``rows`` rows of one block, at most :data:`~datapolis.blocks.BLOCK`."""

    def draw(column: str) -> np.random.Generator:
        return stream(seed, "residents", column, number)

    size = _HOUSEHOLD_SIZES[np.searchsorted(_SIZE_SHARES, draw("household size").random(rows))]
    first = np.concatenate([[0], np.cumsum(size)])
    household = np.repeat(np.arange(rows), size)[:rows]
    position = np.arange(rows) - first[household]  # 0 is the head of the household
    person = number * BLOCK + np.arange(rows, dtype=np.int64)

    sex = _sexes(draw, position)
    couple = (draw("couple").random(rows) < 0.82)[household]
    age = _ages(draw, size, household, position, couple)
    birth_date = _birth_dates(seed, person, age)
    age = (TODAY - birth_date).astype(np.int64) / 365.25

    shares = np.cumsum([d.share for d in reference.DISTRICTS])
    district = np.searchsorted(shares / shares[-1], draw("district").random(rows))[household]
    education = _education(draw("education").random(rows), age)
    occupation = _occupations(draw, age, education)
    income = _incomes(draw("income"), age, education, occupation, district)

    given, family = _names(draw, sex, position)
    office, serial = np.divmod(
        person % (identifiers.OFFICES * identifiers.SERIALS), identifiers.SERIALS
    )
    has_phone = (age >= 10) & (draw("phone").random(rows) < 0.97)
    has_mail = (age >= 12) & (draw("email").random(rows) < 0.9)
    mail_name = np.strings.lower(np.strings.add(np.strings.add(given, "."), family))
    mail = np.strings.add(np.strings.add(mail_name, "."), person.astype(str))
    codes = np.array([int(d.code) for d in reference.DISTRICTS])

    return pa.table(
        {
            "person_id": _numbered("P", person, 9),
            "household_id": _numbered("H", number * BLOCK + household.astype(np.int64), 9),
            "given_name": pa.array(given),
            "family_name": pa.array(family),
            "sex": _take(reference.SEXES, sex),
            "birth_date": pa.array(birth_date.astype("datetime64[D]")),
            "id_number": pa.array(
                identifiers.identity_numbers(
                    codes[district], office, birth_date, 2 * serial % 1000 + sex
                )
            ),
            "phone": pa.array(identifiers.phone_numbers(person), mask=~has_phone),
            "email": pa.array(np.strings.add(mail, f"@{identifiers.MAIL_DOMAIN}"), mask=~has_mail),
            "district": _take([d.name for d in reference.DISTRICTS], district),
            "address": pa.array(_addresses(draw, rows)[household]),
            "education": _take(reference.EDUCATION, education),
            "occupation": pa.array(occupation),
            "income": pa.array(income, mask=age < 16),
        }
    )


def _take(values: tuple[str, ...] | list[str], index: NDArray[np.int64]) -> pa.Array:
    return pa.array(values).take(pa.array(index))


def _numbered(prefix: str, numbers: NDArray[np.int64], width: int) -> pa.Array:
    return pa.array(np.strings.add(prefix, np.strings.zfill(numbers.astype(str), width)))


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
    couple: NDArray[np.bool_],
) -> NDArray[np.float64]:
    """Ages in years, 0 to 105: heads first, the others seen from the head."""
    rows = len(size)
    family = 24 + 36 * draw("age of parent").beta(2.0, 2.2, rows)  # three and more: mostly parents
    small = 20 + 78 * draw("age of head").beta(1.5, 1.6, rows)
    head = np.where(size >= 3, family, small)[household]
    partner = np.clip(head + draw("age of partner").normal(-1, 4, rows), 18, 105)
    child = draw("age of child").random(rows) * np.clip(head - 19, 1, 27)
    flatmate = np.clip(head + draw("age of flatmate").normal(0, 12, rows), 18, 105)
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
    starts = (year - 1970).astype("datetime64[Y]").astype("datetime64[D]")
    leap = (starts + 59).astype("datetime64[M]").astype(np.int64) % 12 == 1
    # the 365 days of a leap year leave 29 February out
    dates: NDArray[np.datetime64] = starts + day + (leap & (day >= 59))
    return dates


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
    draw: Draw, age: NDArray[np.float64], education: NDArray[np.int64]
) -> NDArray[np.str_]:
    which, idle = draw("occupation").random(len(age)), draw("not in work").random(len(age))
    jobs = reference.occupations()
    result = np.full(len(age), "not in work", dtype="U64")
    for level, name in enumerate(reference.EDUCATION):
        titles = jobs["secondary" if name in ("none yet", "primary") else name]
        # common jobs and rare ones: the square puts more people on the first titles
        rows = np.flatnonzero(education == level)
        result[rows] = titles[(which[rows] ** 2 * len(titles)).astype(np.int64)]
    result[idle < 0.12] = "not in work"
    result[(age < 18) | ((age < 25) & (idle < 0.55))] = "pupil or student"
    result[age < 6] = "child"
    result[age >= 60 + 8 * which] = "retired"
    return result


def _incomes(
    draw: np.random.Generator,
    age: NDArray[np.float64],
    education: NDArray[np.int64],
    occupation: NDArray[np.str_],
    district: NDArray[np.int64],
) -> NDArray[np.int64]:
    """Yearly income in crowns, to the nearest hundred."""
    pay = np.array(list(_PAY.values()), dtype=float)[education]
    experience = 0.62 + 0.5 * np.clip((age - 18) / 30, 0, 1)
    place = np.array([d.income for d in reference.DISTRICTS])[district]
    status = np.select(
        [occupation == "retired", occupation == "not in work", occupation == "pupil or student"],
        [0.58, 0.32, 0.2],
        1.0,
    )
    spread = np.exp(draw.normal(0, 0.38, len(age)))
    income = np.maximum(pay, 12_000) * experience * place * status * spread
    return (np.round(income / 100) * 100).astype(np.int64)


def _names(
    draw: Draw, sex: NDArray[np.int64], position: NDArray[np.int64]
) -> tuple[NDArray[np.str_], NDArray[np.str_]]:
    """Given and family names; a household has its head's family name, but some partners keep theirs."""
    uniform = draw("given name").random(len(sex))
    given = np.empty(len(sex), dtype="U24")
    for code, name in enumerate(reference.SEXES):
        names, shares = reference.given_names(name)
        given[sex == code] = names[np.searchsorted(shares, uniform[sex == code])]
    names, shares = reference.family_names()
    own = np.searchsorted(shares, draw("family name").random(len(sex)))
    keeps = (position == 1) & (draw("own name").random(len(sex)) < 0.4)
    head = np.arange(len(sex)) - position
    return given, names[np.where(keeps, own, own[head])]


def _addresses(draw: Draw, rows: int) -> NDArray[np.str_]:
    """Number, street name and kind of street: one a household."""
    names, shares = reference.family_names()
    street = names[np.searchsorted(shares, draw("street").random(rows))]
    suffix = np.array(reference.STREET_SUFFIXES)[draw("kind of street").integers(0, 60, rows)]
    number = draw("house number").integers(1, 240, rows).astype(str)
    place = np.strings.add(np.strings.add(number, " "), street)
    return np.strings.add(np.strings.add(place, " "), suffix)
