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
============ ============================================ =======================================

The check character of identity numbers is ISO 7064 MOD 11-2, as in GB 11643; python-stdnum has it as
``stdnum.iso7064.mod_11_2``. Here it is computed for whole arrays.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]
Strings = NDArray[np.str_]

PHONE_PREFIXES = ("103", "105", "107", "113", "117")
MAIL_DOMAIN = "post.example.org"

OFFICES, SERIALS = 100, 500
"""An office and a serial number (odd for men, even for women) tell people of one day and district apart."""

_WEIGHTS = np.array([7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2], dtype=np.int64)
_CHECK_CHARACTERS = np.array(list("10X98765432"))


def _digits(numbers: Integers, width: int) -> Integers:
    """The decimal digits of each number, shape (n, width)."""
    return (numbers[:, None] // 10 ** np.arange(width - 1, -1, -1, dtype=np.int64)) % 10


def _join(digits: Integers) -> Strings:
    """Rows of digits as strings, shape (n,)."""
    characters = np.ascontiguousarray(digits.astype(np.uint32) + ord("0"))
    return characters.view(f"<U{digits.shape[1]}").reshape(-1)


def identity_numbers(
    district: Integers, office: Integers, birth_date: NDArray[np.datetime64], serial: Integers
) -> Strings:
    """Identity numbers with their check character.

    Parameters
    ----------
    district, office : array of int, shape (n,)
        Two-digit codes.
    birth_date : array of datetime64, shape (n,)
    serial : array of int, shape (n,)
        0 to 999; odd for men, even for women.
    """
    years = birth_date.astype("datetime64[Y]")
    months = birth_date.astype("datetime64[M]")
    date = (
        (years.astype(np.int64) + 1970) * 10_000
        + (months - years.astype("datetime64[M]")).astype(np.int64) * 100
        + 100
        + (birth_date.astype("datetime64[D]") - months.astype("datetime64[D]")).astype(np.int64)
        + 1
    )
    body = (99 * 100 + district) * 100 + office
    digits = np.hstack([_digits(body, 6), _digits(date, 8), _digits(serial, 3)])
    check = _CHECK_CHARACTERS[(digits @ _WEIGHTS) % 11]
    return np.strings.add(_join(digits), check)


def phone_numbers(person: Integers) -> Strings:
    """A phone number for each person number; no two of the first 500 million share one."""
    total = len(PHONE_PREFIXES) * 10**8
    scrambled = (person * 312_680_617 + 77_003_281) % total  # the factor has no divisor 2 or 5
    prefixes = np.array([int(prefix) for prefix in PHONE_PREFIXES], dtype=np.int64)
    return _join(_digits(prefixes[scrambled // 10**8] * 10**8 + scrambled % 10**8, 11))


def payment_cards(account: Integers) -> Strings:
    """Payment card numbers for 11-digit account numbers (ISO/IEC 7812, Luhn)."""
    digits = np.hstack([np.full((len(account), 4), 9, dtype=np.int64), _digits(account, 11)])
    doubled = digits[:, ::2] * 2
    total = (doubled - 9 * (doubled > 9)).sum(axis=1) + digits[:, 1::2].sum(axis=1)
    return _join(np.hstack([digits, ((-total) % 10)[:, None]]))
