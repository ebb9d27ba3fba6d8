"""Identifiers of Datapolis are well formed, and belong to nobody."""

import datapolis
import numpy as np
import phonenumbers
import pytest
from datapolis import identifiers
from stdnum import luhn
from stdnum.cn import ric, uscc
from stdnum.exceptions import InvalidComponent
from stdnum.iso7064 import mod_11_2

IDENTITY = ("id_number", "IDNO", "证件号码")
PHONE = ("phone", "TEL", "电话")
MAIL = ("email", "contact")


@pytest.fixture(scope="module")
def columns():
    """Every column that holds identifiers, of every table, in both languages: (table, column) and values."""
    found = {}
    for locale in ("en_US", "zh_CN"):
        for table in datapolis.tables():
            frame = datapolis.load(table, scale=0.02, seed=3, locale=locale)
            for column in (*IDENTITY, *PHONE, *MAIL, "firm_code"):
                if column in frame:
                    values = frame[column].dropna().str.normalize("NFKC")
                    found[table, column, locale] = values.str.removeprefix("+999 ").tolist()
    return found


def of(columns, names):
    return {where: values for where, values in columns.items() if where[1] in names}


def mistyped(table):
    """Where clerks swap digits on purpose."""
    return table.startswith("province")


def test_check_characters_agree_with_an_independent_implementation(columns):
    seen = of(columns, IDENTITY)
    assert len(seen) == 2 * 6
    for (table, *_), numbers in seen.items():
        valid = np.mean([mod_11_2.is_valid(number) for number in numbers])
        assert 0.95 < valid < 1 if mistyped(table) else valid == 1, table
    numbers = columns["residents", "id_number", "en_US"]
    assert np.mean([number.endswith("X") for number in numbers]) == pytest.approx(1 / 11, abs=0.02)


def test_no_identity_number_has_an_assigned_region(columns):
    for where, numbers in of(columns, IDENTITY).items():
        assert all(number.startswith("99") for number in numbers), where
        with pytest.raises(InvalidComponent):
            ric.get_birth_place(numbers[0])


def test_firm_codes_are_well_formed_and_name_no_region(columns):
    for codes in of(columns, ("firm_code",)).values():
        assert all(uscc.is_valid(code) and code.startswith("9199") for code in codes)
        assert len(set(codes)) == len(codes) > 0


def test_no_phone_number_can_be_called(columns):
    seen = of(columns, PHONE)
    assert len(seen) == 2 * 5
    for where, numbers in seen.items():
        for number in sorted(set(numbers))[:300]:
            with pytest.raises(phonenumbers.NumberParseException):
                phonenumbers.parse(f"+999{number}")
            for region in ("CN", "US", "HK", "MO", "TW", "GB"):
                assert not _can_be_dialled(number, region), (where, number, region)


def _can_be_dialled(number, region):
    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(number, region))
    except phonenumbers.NumberParseException:
        return False


def test_mail_and_addresses_of_pages_go_nowhere(columns):
    for where, addresses in of(columns, MAIL).items():
        assert addresses and all(a.endswith(".example.org") and a.isascii() for a in addresses), (
            where
        )
    urls = datapolis.load("catalogue_entries")["access_url"].dropna()
    assert urls.str.startswith("https://data.example.org/").all()


def test_payment_cards_pass_luhn_and_belong_to_no_issuer():
    accounts = np.random.default_rng(0).integers(0, 10**11, 2_000)
    cards = identifiers.payment_cards(accounts).to_pylist()
    assert all(luhn.is_valid(card) and len(card) == 16 for card in cards)
    assert all(card.startswith("9999") for card in cards)


def test_phone_numbers_do_not_repeat():
    people = np.concatenate([np.arange(200_000), np.arange(499_800_000, 500_000_000)])
    assert len(identifiers.phone_numbers(people).unique()) == people.size


def test_identity_numbers_do_not_repeat_over_many_blocks():
    """The next person with one's office and serial number has another day of birth."""
    from datapolis import residents

    people = np.arange(0, 18_000_000, identifiers.OFFICES * identifiers.SERIALS)
    dates = residents._birth_dates(1, people, np.full(len(people), 40.5))
    assert np.unique(dates).size == people.size
