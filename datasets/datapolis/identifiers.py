"""Identifiers that are well formed and can belong to nobody.

============ ============================================ =======================================
identifier   form                                         why nobody has it
============ ============================================ =======================================
identity no. 99 district(2) office(2) birth date(8)       region codes that begin with 99 are not
             serial(3) check character                    assigned
phone        11 digits, prefixes in PHONE_PREFIXES;       country code 999 is not assigned, and no
             country code +999                            Chinese or North American number begins so
e-mail       name.number@post.example.org                 example.org is reserved (RFC 2606)
payment card 16 digits from 9999, Luhn check digit        ISO/IEC 7812 gives 9 to national bodies,
                                                          and country 999 does not exist
firm code    91 99 district(2) 00 number(9)               region codes that begin with 99 are not
             check character                              assigned
============ ============================================ =======================================

The check character of identity numbers is ISO 7064 MOD 11-2, as in GB 11643; python-stdnum has it as
``stdnum.iso7064.mod_11_2``. Here it is computed for whole arrays.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from datapolis.columns import Integers, digits, text

PHONE_PREFIXES = ("103", "105", "107", "113", "117")
MAIL_DOMAIN = "post.example.org"

OFFICES, SERIALS = 100, 500
"""An office and a serial number (odd for men, even for women) tell people of one day and district apart."""

_WEIGHTS = np.array([7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2])
_CHECK_CHARACTERS = np.frombuffer(b"10X98765432", dtype="S1")

_FIRM_ALPHABET = np.frombuffer(b"0123456789ABCDEFGHJKLMNPQRTUWXY", dtype=np.uint8)
_FIRM_WEIGHTS = np.array([1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28])


def identity_numbers(
    district: Integers, office: Integers, birth_date: NDArray[np.datetime64], serial: Integers
) -> pa.Array:
    """Identity numbers with their check character.

    Parameters
    ----------
    district, office : array of int, shape (n,)
        Two-digit codes.
    birth_date : array of datetime64, shape (n,)
    serial : array of int, shape (n,)
        0 to 999; odd for men, even for women.
    """
    office_code, serial_code, day = 100 * district + office, serial, birth_date.astype(np.int64)
    (offices, office_sums), (days, day_sums), (serials, serial_sums) = _identity_tables()
    numbers = np.empty(len(day), dtype="S6, S8, S3, S1")
    numbers["f0"] = offices[office_code]
    numbers["f1"] = days[day - _FIRST_DAY]
    numbers["f2"] = serials[serial_code]
    total = office_sums[office_code] + day_sums[day - _FIRST_DAY] + serial_sums[serial_code]
    numbers["f3"] = _CHECK_CHARACTERS[total % 11]
    return text(numbers.view(np.uint8).reshape(len(day), 18))


_FIRST_DAY, _LAST_DAY = (
    int(np.datetime64(day, "D").astype(np.int64)) for day in ("1900-01-01", "2050-01-01")
)


@cache
def _identity_tables() -> list[tuple[NDArray[np.bytes_], Integers]]:
    """Characters of each office, day and serial number, and what they add to the weighted sum."""
    dates = np.arange(_FIRST_DAY, _LAST_DAY).astype("datetime64[D]")
    days = np.char.replace(dates.astype(str), "-", "").astype("S8").view(np.uint8).reshape(-1, 8)
    tables = []
    for characters, weights in (
        (digits(990_000 + np.arange(10_000), 6), _WEIGHTS[:6]),
        (days, _WEIGHTS[6:14]),
        (digits(np.arange(1_000), 3), _WEIGHTS[14:]),
    ):
        joined = np.ascontiguousarray(characters).view(f"S{len(weights)}").reshape(-1)
        tables.append((joined, (characters.astype(np.int64) - ord("0")) @ weights))
    return tables


def phone_numbers(person: Integers) -> pa.Array:
    """A phone number for each person number; no two of the first 500 million share one."""
    total = len(PHONE_PREFIXES) * 10**8
    scrambled = (person * 312_680_617 + 77_003_281) % total  # the factor has no divisor 2 or 5
    prefixes = np.array([int(prefix) for prefix in PHONE_PREFIXES], dtype=np.int64)
    return text(digits(prefixes[scrambled // 10**8] * 10**8 + scrambled % 10**8, 11))


def payment_cards(account: Integers) -> pa.Array:
    """Payment card numbers for 11-digit account numbers (ISO/IEC 7812, Luhn)."""
    characters = np.empty((len(account), 16), dtype=np.uint8)
    characters[:, :4] = ord("9")
    characters[:, 4:15] = digits(account, 11)
    values = characters[:, :15].astype(np.int64) - ord("0")
    doubled = values[:, ::2] * 2
    total = (doubled - 9 * (doubled > 9)).sum(axis=1) + values[:, 1::2].sum(axis=1)
    characters[:, 15] = ord("0") + (-total) % 10
    return text(characters)


def firm_codes(district: Integers, firm: Integers) -> pa.Array:
    """Unified codes of firms, 18 characters (as GB 32100; python-stdnum has it as ``stdnum.cn.uscc``).

    Parameters
    ----------
    district : array of int, shape (n,)
        Two-digit codes.
    firm : array of int, shape (n,)
        Number of the firm, below one billion.
    """
    characters = np.empty((len(firm), 18), dtype=np.uint8)
    characters[:, :2] = np.frombuffer(b"91", dtype=np.uint8)  # kept by a commerce office, a firm
    characters[:, 2:8] = digits((99 * 100 + district) * 100, 6)
    characters[:, 8:17] = digits(firm, 9)
    values = characters[:, :17].astype(np.int64) - ord("0")
    characters[:, 17] = _FIRM_ALPHABET[-(values @ _FIRM_WEIGHTS) % 31]
    return text(characters)
