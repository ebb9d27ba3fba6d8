"""Tables that lost their labels: columns with meaningless names, for practice in telling what they hold.

Each seed makes another table: which columns, in which order, under which names and in which of several
written forms. Identifiers are planted in free text; decoys look like identifiers and are not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from datapolis import identifiers, reference, residents
from datapolis.blocks import BLOCK, stream
from datapolis.columns import decoded
from datapolis.country import Country
from datapolis.errors import DatapolisError

_FULL_WIDTH = str.maketrans("0123456789", "０１２３４５６７８９")
_NOTES = (
    "called back, nothing to add",
    "form {n} came by post",
    "moved to desk {d}",
    "see ticket {n}",
    "parcel {long} handed over",
    "waits for a reply",
    "second visit, all in order",
    "sent to department {d}, batch {long}",
)
_HARMLESS = (
    "product code", "serial number", "order number", "timestamp", "contract date", "sensor", "quantity",
    "reading", "company", "clean notes",
)  # fmt: skip
_MISLEADING = ("phone", "name", "birth_date", "temperature", "id", "value", "remark", "code")


def make_table(country: Country, part: int) -> pa.Table:
    """The table of the country's seed, in English, as long as the country has people."""
    return pa.Table.from_pandas(make(country.population, country.seed)[0], preserve_index=False)


def make(rows: int, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The table of ``seed``, and the truth about each column.

    Returns
    -------
    table : pandas.DataFrame, shape (rows, 11 to 14)
    truth : pandas.DataFrame
        Index: the columns. ``role``: direct, quasi, sensitive or none. ``kind``: what the column holds.
        ``rows``: for direct columns, the number of rows in which an identifier stands, else 0.
    """
    if rows > BLOCK:
        raise DatapolisError(f"an unlabelled table has at most {BLOCK:,} rows; got {rows:,}")
    draw = stream(seed, "unlabelled", "table", 0)
    people = _people().sample(n=rows, replace=rows > len(_people()), random_state=draw)
    people = people.reset_index(drop=True)

    columns: list[tuple[str, str, pd.Series, int]] = []
    for role, kind in choose(seed):
        values = pd.Series(_MAKERS[kind](people, draw)).convert_dtypes()
        values = values.mask(draw.random(rows) < draw.choice([0.0, 0.03]))
        columns.append((role, kind, values, int(values.notna().sum()) * (role == "direct")))
    columns.append(_notes_with_an_identifier(people, draw))

    order = draw.permutation(len(columns))
    names = [f"c{n:02}" for n in range(1, len(columns) + 1)]
    for place in draw.choice(
        len(columns), 3, replace=False
    ):  # some names are wrong, as in real life
        names[place] = f"{draw.choice(_MISLEADING)}_{place}"
    shuffled = [columns[n] for n in order]
    table = pd.DataFrame(
        {name: values for name, (_, _, values, _) in zip(names, shuffled, strict=True)}
    )
    truth = pd.DataFrame(
        [(role, kind, found) for role, kind, _, found in shuffled],
        index=pd.Index(names, name="column"),
        columns=["role", "kind", "rows"],
    )
    return table, truth


def choose(seed: int) -> list[tuple[str, str]]:
    """The (role, kind) of the columns that the table of ``seed`` has, beside its notes."""
    draw = stream(seed, "unlabelled", "choice", 0)
    return [
        (role, str(kind))
        for role, always, kinds, count in (
            ("direct", [], ["identity number", "phone", "e-mail", "name"], 2),
            ("quasi", ["birth date"], ["sex", "district", "education", "occupation"], 3),
            ("sensitive", [], ["diagnosis", "payment card", "whereabouts"], 2),
            ("none", [], _HARMLESS, int(draw.integers(4, 7))),
        )
        for kind in [*always, *draw.choice(kinds, count, replace=False)]
    ]


@cache
def _people() -> pd.DataFrame:
    """Residents with a phone and an e-mail address, from whom every table draws."""
    register = residents.make(Country(0, 0.2), 0)
    plain = {name: decoded(register[name].combine_chunks()) for name in register.column_names}
    people: pd.DataFrame = pa.table(plain).to_pandas(date_as_object=False)
    return people[people["phone"].notna() & people["email"].notna()]


def _identity_numbers(people: pd.DataFrame, draw: np.random.Generator) -> list[str]:
    return _written(people["id_number"], draw, group=(6, 14))


def _phones(people: pd.DataFrame, draw: np.random.Generator) -> list[str]:
    form = draw.integers(0, 3)
    phones = [f"+999 {p}" if form == 1 else p for p in people["phone"]]
    return phones if form else _written(pd.Series(phones), draw, group=(3, 7))


def _written(values: pd.Series, draw: np.random.Generator, group: tuple[int, int]) -> list[str]:
    """As typed by clerks: some in full-width digits, some in groups."""
    style = draw.random(len(values))
    first, second = group
    written = []
    for value, how in zip(values, style, strict=True):
        if how < 0.2:
            value = value.translate(_FULL_WIDTH)
        elif how < 0.3:
            value = f"{value[:first]} {value[first:second]} {value[second:]}"
        written.append(value)
    return written


def _names(people: pd.DataFrame, draw: np.random.Generator) -> list[str]:
    turned = draw.random() < 0.5
    pairs = zip(people["given_name"], people["family_name"], strict=True)
    return [f"{family}, {given}" if turned else f"{given} {family}" for given, family in pairs]


def _birth_dates(people: pd.DataFrame, draw: np.random.Generator) -> list[str] | pd.Series:
    form = draw.integers(0, 3)
    if form == 0:
        return people["birth_date"]
    return people["birth_date"].dt.strftime("%Y-%m-%d" if form == 1 else "%Y%m%d").tolist()


def _whereabouts(people: pd.DataFrame, draw: np.random.Generator) -> list[str]:
    """Positions in the sea off the fictional coast, degrees north and east."""
    north, east = draw.normal(24.5, 0.08, len(people)), draw.normal(134.2, 0.1, len(people))
    return [f"{n:.4f}, {e:.4f}" for n, e in zip(north, east, strict=True)]


def _payment_cards(people: pd.DataFrame, draw: np.random.Generator) -> list[str]:
    cards = identifiers.payment_cards(draw.integers(0, 10**11, len(people))).to_pylist()
    spaced = draw.random() < 0.5
    return [" ".join(c[i : i + 4] for i in (0, 4, 8, 12)) if spaced else c for c in cards]


def _wrong_last(numbers: Iterable[str], draw: np.random.Generator) -> list[str]:
    """Well-formed numbers whose check character is always wrong."""
    texts = list(numbers)
    return [
        number[:-1] + str((int(number[-1].replace("X", "0")) + shift) % 10)
        for number, shift in zip(texts, draw.integers(1, 10, len(texts)).tolist(), strict=True)
    ]


def _serial_numbers(people: pd.DataFrame, draw: np.random.Generator) -> list[str]:
    return _wrong_last(people["id_number"].str.replace("X", "9"), draw)


def _order_numbers(people: pd.DataFrame, draw: np.random.Generator) -> list[str]:
    cards = identifiers.payment_cards(draw.integers(0, 10**11, len(people)))
    return _wrong_last(cards.to_pylist(), draw)


def _product_codes(people: pd.DataFrame, draw: np.random.Generator) -> NDArray[np.int64]:
    """Eleven digits, as phones have, but no phone prefix."""
    return draw.integers(2 * 10**10, 9 * 10**10, len(people))


def _timestamps(people: pd.DataFrame, draw: np.random.Generator) -> pd.Series:
    seconds = np.sort(draw.integers(0, 364 * 86_400, len(people)))
    return pd.Series(np.datetime64("2025-01-01", "s") + seconds.astype("timedelta64[s]"))


def _contract_dates(people: pd.DataFrame, draw: np.random.Generator) -> list[str]:
    days = np.datetime64("2023-01-01") + draw.integers(0, 1095, len(people)).astype(
        "timedelta64[D]"
    )
    return days.astype(str).tolist()


def _sensors(people: pd.DataFrame, draw: np.random.Generator) -> list[str]:
    return [f"SN-{n:06X}" for n in draw.integers(0, 16**6, len(people)).tolist()]


def _companies(people: pd.DataFrame, draw: np.random.Generator) -> list[str]:
    names = people["family_name"].to_numpy()
    partners = draw.permutation(names)
    ends = draw.choice(["and Sons", "Trading Ltd", "& {}", "Transport"], len(names))
    return [f"{n} {e.format(p)}" for n, e, p in zip(names, ends, partners, strict=True)]


def _notes(people: pd.DataFrame, draw: np.random.Generator) -> list[str]:
    """Free text. The long numbers contain an eleven-digit run that looks like a phone number."""
    texts = draw.integers(0, len(_NOTES), len(people)).tolist()
    phones = people["phone"].sample(frac=1, random_state=draw)
    numbers = draw.integers(1_000, 99_999, (len(people), 2)).tolist()
    return [
        _NOTES[t].format(n=n, d=d % 40, long=f"4{phone}7")
        for t, (n, d), phone in zip(texts, numbers, phones, strict=True)
    ]


def _notes_with_an_identifier(
    people: pd.DataFrame, draw: np.random.Generator
) -> tuple[str, str, pd.Series, int]:
    """Notes in which one to three rows, late in the table, hold an identifier."""
    notes = pd.Series(_notes(people, draw), dtype=object)
    late = np.arange(len(people) * 5 // 6, len(people))
    planted = draw.choice(late, min(len(late), int(draw.integers(1, 4))), replace=False)
    kind = str(draw.choice(["phone", "identity number", "e-mail"]))
    column = {"phone": "phone", "identity number": "id_number", "e-mail": "email"}[kind]
    for row in planted:
        value = people.loc[row, column]
        if kind != "e-mail" and draw.random() < 0.3:
            value = value.translate(_FULL_WIDTH)
        notes[row] = f"please call back, reach at {value}, after six"
    return "direct", f"notes with {kind}", notes.astype("str"), len(planted)


_MAKERS: dict[str, Callable[[pd.DataFrame, np.random.Generator], object]] = {
    "identity number": _identity_numbers,
    "phone": _phones,
    "e-mail": lambda people, draw: people["email"],
    "name": _names,
    "birth date": _birth_dates,
    "sex": lambda people, draw: people["sex"],
    "district": lambda people, draw: people["district"],
    "education": lambda people, draw: people["education"],
    "occupation": lambda people, draw: people["occupation"],
    "diagnosis": lambda people, draw: draw.choice(reference.DIAGNOSES, len(people)).tolist(),
    "payment card": _payment_cards,
    "whereabouts": _whereabouts,
    "product code": _product_codes,
    "serial number": _serial_numbers,
    "order number": _order_numbers,
    "timestamp": _timestamps,
    "contract date": _contract_dates,
    "sensor": _sensors,
    "quantity": lambda people, draw: draw.integers(1, 60, len(people)),
    "reading": lambda people, draw: draw.normal(20, 4, len(people)).round(3),
    "company": _companies,
    "clean notes": _notes,
}
