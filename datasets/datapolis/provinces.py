"""Three provinces that registered the same kind of thing in three ways, with mistakes.

Each has its own columns, codes, units, calendar and text encoding, and its own sloppiness. Some people moved
and are in two registers. Which resident a row is stands in ``_person_id``; every planted fault stands in
``_faults`` as ``column: kind: what it should have been``, several separated by a line break.

========== ============================ ============================= =============================
           north                        delta                         highland
========== ============================ ============================= =============================
columns    English                      abbreviations in capitals     Chinese
dates      2001-03-09                   09/03/2001                    year 30 of the Republic
sex        female, male                 2, 1                          女, 男
income     crowns a year                thousand crowns a year        crowns a month
height     centimetres                  feet and inches               metres
district   its name                     its code                      its Chinese name
encoding   UTF-8                        UTF-16                        GB 18030
========== ============================ ============================= =============================
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa

from datapolis import reference, residents
from datapolis.columns import Integers, decoded
from datapolis.country import Country

REPUBLIC = 1971
"""Year 1 of the highland calendar."""

PARAMETERS = {
    "share of people in a province": 0.14,
    "share of a province's people who moved in from another and are still registered there": 0.12,
    "duplicates": 0.03,
    "typing error in the family name": 0.05,
    "identity number in full-width digits": 0.06,
    "identity number missing": 0.04,
    "identity number mistyped": 0.02,
    "birth date contradicts the identity number": 0.02,
    "phone missing": 0.15,
    "address is an old one": 0.08,
}

_FULL_WIDTH = str.maketrans("0123456789X", "０１２３４５６７８９Ｘ")
_NEIGHBOURS = dict(zip("abcdefghijklmnopqrstuvwxyz", "sngfrdfhjkhnmjpqetrygbqzga", strict=False))


class _Rows:
    """Rows of one province as plain text, with the faults that were planted in them."""

    def __init__(self, country: Country, block: int, province: int) -> None:
        self.draw = country.draw(f"province {province}", block)
        some = residents.people(country, block)
        count = len(some.sex)
        home = np.searchsorted(
            np.cumsum([PARAMETERS["share of people in a province"]] * 3),
            country.draw("provinces", block)("home").random(count),
        )
        moved = country.draw("provinces", block)("moved").random(count)
        share = PARAMETERS[
            "share of a province's people who moved in from another and are still registered there"
        ]
        came = (home == (province + 1) % 3) & (moved < share)
        who = np.flatnonzero((home == province) | came)
        twice = who[self.draw("twice").random(len(who)) < PARAMETERS["duplicates"]]
        self.person = np.concatenate([who, twice])
        self.first_copy = np.arange(len(self.person)) < len(who)
        self.count = len(self.person)
        self.faults: list[list[str]] = [[] for _ in range(self.count)]
        for row in np.flatnonzero(~self.first_copy).tolist():
            self.faults[row].append("row: duplicate: ")
        self.some, self.country = some, country
        taken = residents.make(country, block).take(pa.array(self.person))
        self.register = {name: decoded(taken[name].combine_chunks()) for name in taken.column_names}
        self.height = np.where(some.sex == 0, 165, 177) + self.draw("height").normal(0, 7, count)
        grown = np.minimum(some.age / 17, 1) ** 0.6  # newborns are about 50 cm
        self.height = (50 + (self.height - 50) * grown)[self.person]

    def column(self, name: str) -> list[str]:
        return [value if value is not None else "" for value in self.register[name].to_pylist()]

    def plant(
        self, values: list[str], column: str, kind: str, change: Callable[[str, int], str]
    ) -> list[str]:
        """Change a share of the values (PARAMETERS says which) and record what stood there."""
        hit = self.draw(f"{column}: {kind}").random(self.count) < PARAMETERS[kind]
        numbers = self.draw(f"{column}: {kind}: how").integers(0, 1_000, self.count).tolist()
        for row in np.flatnonzero(hit).tolist():
            changed = change(values[row], numbers[row])
            if values[row] and changed != values[row]:
                self.faults[row].append(f"{column}: {kind}: {values[row]}")
                values[row] = changed
        return values

    def identity_numbers(self, column: str) -> list[str]:
        values = self.plant(self.column("id_number"), column, "identity number mistyped", _swap)
        values = self.plant(
            values,
            column,
            "identity number in full-width digits",
            lambda value, n: value.translate(_FULL_WIDTH),
        )
        return self.plant(values, column, "identity number missing", lambda value, n: "")

    def family_names(self, column: str) -> list[str]:
        return self.plant(
            self.column("family_name"), column, "typing error in the family name", _mistype
        )

    def phones(self, column: str, prefix: str = "") -> list[str]:
        values = [prefix + value if value else "" for value in self.column("phone")]
        return self.plant(values, column, "phone missing", lambda value, n: "")

    def birth_dates(self, column: str, write: Callable[[np.datetime64], str]) -> list[str]:
        dates = self.some.birth_date[self.person].astype("datetime64[D]")
        values = [write(date) for date in dates]
        other = [write(date) for date in dates + 31]
        kind = "birth date contradicts the identity number"
        hit = self.draw(kind).random(self.count) < PARAMETERS[kind]
        for row in np.flatnonzero(hit).tolist():
            self.faults[row].append(f"{column}: {kind}: {values[row]}")
            values[row] = other[row]
        return values

    def addresses(self, column: str) -> list[str]:
        values = self.column("address")
        older = values[1:] + values[:1]
        rows = iter(range(self.count))
        by_row = dict(zip(rows, older, strict=True))
        kind = "address is an old one"
        hit = self.draw(kind).random(self.count) < PARAMETERS[kind]
        for row in np.flatnonzero(hit).tolist():
            if by_row[row] != values[row]:
                self.faults[row].append(f"{column}: {kind}: {values[row]}")
                values[row] = by_row[row]
        return values

    def incomes(self) -> list[int | None]:
        return self.register["income"].to_pylist()

    def table(self, columns: dict[str, object]) -> pa.Table:
        """The rows in an order of their own, with the truth."""
        keys = self.some.keys.take(pa.array(self.person))
        faults = pa.array(["\n".join(of_row) for of_row in self.faults], pa.string())
        table = pa.table(
            {
                **{
                    name: _nothing_for_empty(values) if isinstance(values, list) else values
                    for name, values in columns.items()
                },
                "_person_id": keys,
                "_faults": faults,
            }
        )
        return table.take(pa.array(self.draw("order").permutation(self.count)))


def _nothing_for_empty(values: list[object]) -> pa.Array:
    return pa.array([None if value == "" else value for value in values])


def _swap(value: str, number: int) -> str:
    """Two neighbouring digits change places."""
    at = 8 + number % 8
    return (
        value[:at] + value[at + 1] + value[at] + value[at + 2 :] if len(value) > at + 1 else value
    )


def _mistype(value: str, number: int) -> str:
    if not value.isascii():
        return value + value[-1] if number % 2 else value[:-1]
    at = 1 + number % max(len(value) - 1, 1)
    if at >= len(value):
        return value + value[-1]
    if number % 3 == 0:
        return value[:at] + value[at + 1 :]
    return value[:at] + _NEIGHBOURS.get(value[at], "e") + value[at + 1 :]


def _day(date: np.datetime64) -> tuple[int, int, int]:
    year, month, day = str(date).split("-")
    return int(year), int(month), int(day)


def north(country: Country, block: int) -> pa.Table:
    rows = _Rows(country, block, 0)
    return rows.table(
        {
            "resident_no": _keys("N", rows, 7),
            "id_number": rows.identity_numbers("id_number"),
            "given_name": rows.column("given_name"),
            "family_name": rows.family_names("family_name"),
            "sex": rows.column("sex"),
            "date_of_birth": rows.birth_dates("date_of_birth", str),
            "district": rows.column("district"),
            "address": rows.addresses("address"),
            "phone": rows.phones("phone", "+999 "),
            "height_cm": pa.array(np.round(rows.height).astype(np.int64)),
            "income_per_year": pa.array(rows.incomes(), pa.int64()),
        }
    )


def delta(country: Country, block: int) -> pa.Table:
    rows = _Rows(country, block, 1)
    feet, inches = np.divmod(np.round(rows.height / 2.54).astype(np.int64), 12)
    codes = {
        name: f"99{d.code}00"
        for name, d in zip(
            reference.vocabulary(country.locale).districts, reference.DISTRICTS, strict=True
        )
    }
    names = [
        f"{family.upper()}, {given}"
        for family, given in zip(rows.family_names("NAME"), rows.column("given_name"), strict=True)
    ]

    def written(date: np.datetime64) -> str:
        year, month, day = _day(date)
        return f"{day:02}/{month:02}/{year}"

    return rows.table(
        {
            "REC": _keys("", rows, 8),
            "IDNO": rows.identity_numbers("IDNO"),
            "NAME": names,
            "SX": pa.array(2 - rows.some.sex[rows.person]),
            "DOB": rows.birth_dates("DOB", written),
            "DIST": [codes[name] for name in rows.column("district")],
            "ADDR": rows.addresses("ADDR"),
            "TEL": rows.phones("TEL"),
            "HT": [f"{f}'{i}\"" for f, i in zip(feet, inches, strict=True)],
            "INC_K": pa.array(
                [None if pay is None else round(pay / 1000, 1) for pay in rows.incomes()],
                pa.float64(),
            ),
        }
    )


def highland(country: Country, block: int) -> pa.Table:
    """The Chinese names of columns mean: number, identity number, name, sex, born, district, address, phone, height, pay."""
    rows = _Rows(country, block, 2)

    def written(date: np.datetime64) -> str:
        year, month, day = _day(date)
        era = f"{year - REPUBLIC + 1}" if year >= REPUBLIC else f"前{REPUBLIC - year}"
        return f"{era}年{month}月{day}日"

    chinese = {
        name: d.chinese
        for name, d in zip(
            reference.vocabulary(country.locale).districts, reference.DISTRICTS, strict=True
        )
    }
    families, given = rows.family_names("姓名"), rows.column("given_name")
    joint = "" if country.locale == "zh_CN" else " "
    return rows.table(
        {
            "编号": _keys("", rows, 6),
            "证件号码": rows.identity_numbers("证件号码"),
            "姓名": [f"{f}{joint}{g}" for f, g in zip(families, given, strict=True)],
            "性别": ["女" if sex == 0 else "男" for sex in rows.some.sex[rows.person]],
            "出生": rows.birth_dates("出生", written),
            "区": [chinese[name] for name in rows.column("district")],
            "地址": rows.addresses("地址"),
            "电话": rows.phones("电话"),
            "身高": pa.array(np.round(rows.height / 100, 2)),
            "月收入": pa.array(
                [None if pay is None else round(pay / 12) for pay in rows.incomes()], pa.int64()
            ),
        }
    )


def _keys(prefix: str, rows: _Rows, width: int) -> list[str]:
    """Record numbers, in the order of entry, which is not the register's."""
    block = int(rows.some.first // 65_536)
    order: Integers = rows.draw("entry").permutation(rows.count)
    return [f"{prefix}{block * 100_000 + n + 1:0{width}}" for n in order.tolist()]
