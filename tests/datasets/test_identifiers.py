"""Identifiers of Datapolis are well formed, and belong to nobody."""

import datapolis
import numpy as np
import phonenumbers
import pytest
from datapolis import identifiers
from stdnum import luhn
from stdnum.cn import ric
from stdnum.exceptions import InvalidComponent
from stdnum.iso7064 import mod_11_2


@pytest.fixture(scope="module")
def residents():
    return datapolis.load("residents", rows=20_000, seed=3)


def test_check_characters_agree_with_an_independent_implementation(residents):
    assert all(map(mod_11_2.is_valid, residents["id_number"]))
    assert residents["id_number"].str.endswith("X").mean() == pytest.approx(1 / 11, abs=0.01)


def test_no_identity_number_has_an_assigned_region(residents):
    for number in residents["id_number"].head(2_000):
        with pytest.raises(InvalidComponent):
            ric.get_birth_place(number)


def test_no_phone_number_can_be_called(residents):
    numbers = residents["phone"].dropna().head(1_000)
    for number in numbers:
        with pytest.raises(phonenumbers.NumberParseException):
            phonenumbers.parse(f"+999{number}")
        for region in ("CN", "US", "HK", "MO", "TW", "GB"):
            assert not _can_be_dialled(number, region), (number, region)


def _can_be_dialled(number, region):
    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(number, region))
    except phonenumbers.NumberParseException:
        return False


def test_mail_goes_nowhere(residents):
    assert residents["email"].dropna().str.endswith("example.org").all()


def test_payment_cards_pass_luhn_and_belong_to_no_issuer():
    accounts = np.random.default_rng(0).integers(0, 10**11, 2_000)
    cards = identifiers.payment_cards(accounts)
    assert all(luhn.is_valid(card) and len(card) == 16 for card in cards)
    assert all(card.startswith("9999") for card in cards)


def test_phone_numbers_do_not_repeat():
    people = np.concatenate([np.arange(200_000), np.arange(499_800_000, 500_000_000)])
    assert np.unique(identifiers.phone_numbers(people)).size == people.size


def test_identity_numbers_do_not_repeat_over_many_blocks():
    """The next person with one's office and serial number has another day of birth."""
    from datapolis import residents

    people = np.arange(0, 18_000_000, identifiers.OFFICES * identifiers.SERIALS)
    dates = residents._birth_dates(1, people, np.full(len(people), 40.5))
    assert np.unique(dates).size == people.size
