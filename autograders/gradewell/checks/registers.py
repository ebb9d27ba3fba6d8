"""Lab 2: registers as clerks write them, made from people who are known: identity numbers, cells to clean, and two registers to link."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import datapolis
import numpy as np
import pandas as pd
from stdnum.iso7064 import mod_11_2

COLUMNS = ("id_number", "given_name", "family_name", "birth_date", "address", "phone")
BLANKS = ("", "-", "n/a", "none", "null")
"""What clerks write where they know no number, in small letters."""

_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_FULL_WIDTH = str.maketrans("0123456789X+", "０１２３４５６７８９Ｘ＋")


@dataclass(frozen=True)
class Clerk:
    """How often a clerk makes which mistake."""

    number_missing: float = 0.3
    number_mistyped: float = 0.03
    name_mistyped: float = 0.08
    family_name_changed: float = 0.02
    birth_date_wrong: float = 0.03
    address_old: float = 0.12
    phone_missing: float = 0.3
    phone_changed: float = 0.05


@dataclass(frozen=True)
class Register:
    """A register: as it is written, what stands there when it is read well, and who each record is."""

    written: pd.DataFrame  # record, COLUMNS
    meant: pd.DataFrame  # the same records, cleaned: mistakes stay, ways of writing go
    person: dict[str, str]  # by record


def residents(seed: int, count: int = 350) -> pd.DataFrame:
    """The people of some households, with ``person_id`` and the columns of a register as text.

    The birthday of one in three was never registered: such people are born on 1 January, as in many a register.
    """
    table = datapolis.load("residents", rows=count, seed=seed)
    random = np.random.default_rng([seed, count])
    unknown = random.random(len(table)) < 1 / 3
    table["birth_date"] = table["birth_date"].dt.strftime("%Y-%m-%d")
    first = table["birth_date"].str[:4] + "-01-01"
    table["birth_date"] = table["birth_date"].where(~unknown, first)
    table["id_number"] = [
        _number(number, day)
        for number, day in zip(table["id_number"], table["birth_date"], strict=True)
    ]
    chosen = table[["person_id", *COLUMNS]].astype(object)
    return chosen.where(chosen.notna(), None)


def _number(number: str, day: str, serial: str = "") -> str:
    """A number like this one for somebody who was born on another day."""
    stem = number[:6] + day.replace("-", "") + (serial or number[14:17])
    return stem + str(mod_11_2.calc_check_digit(stem))


def with_namesakes(people: pd.DataFrame, random: np.random.Generator) -> pd.DataFrame:
    """The same people, and for one in twelve a child or parent who has their names and their address."""
    some = people[random.random(len(people)) < 1 / 12].copy()
    born = [datetime.date.fromisoformat(day) for day in some["birth_date"]]
    apart = random.integers(20, 40, len(some)).tolist()
    other = [
        day.replace(year=day.year + (-years if day.year > 1970 else years), day=min(day.day, 28))
        for day, years in zip(born, apart, strict=True)
    ]
    some["id_number"] = [
        _number(number, str(day), f"{random.integers(0, 1000):03}")
        for number, day in zip(some["id_number"], other, strict=True)
    ]
    some["person_id"] += "-namesake"
    some["birth_date"] = [str(day) for day in other]
    some["phone"] = None
    return pd.concat([people, some], ignore_index=True)


def register(people: pd.DataFrame, prefix: str, clerk: Clerk, random: np.random.Generator) -> Register:  # fmt: skip
    """The register of one office, whose records are in no order; one person in thirty stands in it twice."""
    twice = people[random.random(len(people)) < 1 / 30]
    entered = pd.concat([people, twice], ignore_index=True)
    others = {name: entered[name].tolist() for name in COLUMNS}
    rows = []
    for given in entered.to_dict("records"):
        row: dict[str, str | None] = {name: given[name] for name in COLUMNS}
        _mistake(row, others, clerk, random)
        rows.append(row)
    order = random.permutation(len(rows))
    keys = [f"{prefix}{n:04}" for n in random.permutation(10_000)[: len(rows)]]
    typed = [rows[n] for n in order]
    person = [str(entered["person_id"][n]) for n in order]
    return Register(
        written=_table(keys, [written(row, random) for row in typed]).astype("str"),
        meant=_table(keys, [_meant(row) for row in typed]),
        person=dict(zip(keys, person, strict=True)),
    )


def _table(keys: Sequence[str], rows: Sequence[dict[str, str | None]]) -> pd.DataFrame:
    table = pd.DataFrame(list(rows), columns=list(COLUMNS), dtype=object)
    table.insert(0, "record", list(keys))
    return table


def _mistake(
    row: dict[str, str | None],
    others: dict[str, list[Any]],
    clerk: Clerk,
    random: np.random.Generator,
) -> None:
    """What a clerk gets wrong about a person: it stands there, in whatever way it is written."""

    def happens(share: float) -> bool:
        return bool(random.random() < share)

    def another(name: str) -> str | None:
        values: list[str | None] = others[name]
        return values[int(random.integers(len(values)))]

    number = str(row["id_number"])
    if happens(clerk.number_missing):
        row["id_number"] = None
    elif happens(clerk.number_mistyped):
        row["id_number"] = swapped(number, int(random.integers(6, 16)))
    for name in ("given_name", "family_name"):
        if happens(clerk.name_mistyped / 2):
            row[name] = _mistyped(str(row[name]), random)
    if happens(clerk.family_name_changed):
        row["family_name"] = another("family_name")
    if happens(clerk.birth_date_wrong):
        day = datetime.date.fromisoformat(str(row["birth_date"]))
        row["birth_date"] = str(day + datetime.timedelta(int(random.integers(1, 40))))
    if happens(clerk.address_old):
        row["address"] = another("address")
    if happens(clerk.phone_missing):
        row["phone"] = None
    elif row["phone"] is not None and happens(clerk.phone_changed):
        row["phone"] = another("phone")


def swapped(number: str, at: int) -> str:
    """A number in which two neighbouring characters have changed places."""
    return number[:at] + number[at + 1] + number[at] + number[at + 2 :]


def _mistyped(name: str, random: np.random.Generator) -> str:
    at, letter = int(random.integers(len(name))), _LETTERS[int(random.integers(26))]
    way = int(random.integers(3))
    if way == 0 and len(name) > 3:
        return name[:at] + name[at + 1 :]
    return name[:at] + letter + name[at + (way == 1) :]


def written(row: dict[str, str | None], random: np.random.Generator) -> dict[str, str | None]:
    """The same values in the ways in which clerks write them."""

    def one_of(*ways: Callable[[str], str]) -> Callable[[str], str]:
        return ways[int(random.integers(len(ways)))]

    def plain(text: str) -> str:
        return text

    def spaced(text: str) -> str:
        return f" {text.replace(' ', '  ')} "

    blank = (None, "", " ", *(word.upper() for word in BLANKS), "None", " n/a ")
    result = dict(row)
    number, phone = row["id_number"], row["phone"]
    if number is None:
        result["id_number"] = blank[int(random.integers(len(blank)))]
    else:
        result["id_number"] = one_of(
            plain,
            plain,
            str.lower,
            lambda text: text.translate(_FULL_WIDTH),
            lambda text: f"{text[:6]} {text[6:14]} {text[14:]} ",
        )(number)
    if phone is None:
        result["phone"] = blank[int(random.integers(len(blank)))]
    else:
        result["phone"] = one_of(
            plain,
            plain,
            lambda text: f"+999 {text}",
            lambda text: f"{text[:3]}-{text[3:7]}-{text[7:]}",
            lambda text: f"+999{text}".translate(_FULL_WIDTH),
        )(phone)
    for name in ("given_name", "family_name", "address"):
        result[name] = one_of(plain, plain, str.upper, str.lower, spaced)(str(row[name]))
    year, month, day = str(row["birth_date"]).split("-")
    result["birth_date"] = one_of(
        plain,
        lambda _: f"{day}/{month}/{year}",
        lambda _: f"{year}{month}{day}",
        lambda date: f" {date} ",
    )(str(row["birth_date"]))
    return result


def _meant(row: dict[str, str | None]) -> dict[str, str | None]:
    return {
        name: text.upper() if text and name in ("given_name", "family_name", "address") else text
        for name, text in row.items()
    }


def numbers(seed: int, count: int) -> tuple[list[str], list[bool]]:
    """Strings that might be identity numbers, and which of them are valid: half of them, a tenth of those with an X."""
    random = np.random.default_rng(seed)
    texts, valid = [], []
    for n in range(count):
        day = datetime.date(1920, 1, 1) + datetime.timedelta(int(random.integers(0, 38_000)))
        stem = f"99{random.integers(1, 13):02}{random.integers(0, 100):02}{day:%Y%m%d}{random.integers(0, 1000):03}"
        number = stem + mod_11_2.calc_check_digit(stem)
        made, right = _strange(number, n % 18, random) if n % 2 else (number, True)
        texts.append(made)
        valid.append(right)
    return texts, valid


def _strange(number: str, way: int, random: np.random.Generator) -> tuple[str, bool]:
    """A string that resembles an identity number, and whether it is one all the same."""
    at = int(random.integers(6, 17))
    digit = str(random.integers(0, 10))
    stem = number[:17]
    no_day = stem[:10] + ("0230", "1301", "0431", "0600")[at % 4] + stem[14:]
    short = stem[:6] + stem[8:]  # two digits for the year, as numbers once had
    made = {
        1: number[:at] + digit + number[at + 1 :],
        3: swapped(number, min(at, 15)),
        5: no_day + mod_11_2.calc_check_digit(no_day),
        7: short + mod_11_2.calc_check_digit(short),
        9: number.translate(_FULL_WIDTH),
        11: number[:17] + "x" if number[17] == "X" else number[:17] + "X",
        13: stem + " " + number[17],
        15: number + digit,
        17: "" if at % 2 else "X" * 18,
    }[way]
    return made, made == number
