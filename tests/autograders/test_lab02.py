"""Lab 2's registers are what they claim to be, and its checks tell students what to mend. The samples: test_labs.py."""

import datetime

import numpy as np
import pytest
from gradewell.checks import cells, linkage, registers

WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)  # as GB 11643 gives them


def valid(text):
    if len(text) != 18 or not text.isascii() or not text[:17].isdigit():
        return False
    try:
        datetime.datetime.strptime(text[6:14], "%Y%m%d")
    except ValueError:
        return False
    total = sum(weight * int(digit) for weight, digit in zip(WEIGHTS, text, strict=False))
    return "10X98765432"[total % 11] == text[17]


def test_numbers_are_valid_as_an_independent_program_says():
    texts, right = registers.numbers(5, 10_000)
    assert [valid(text) for text in texts] == right
    assert 4_500 < sum(right) < 5_500
    assert sum(text.endswith("X") for text, good in zip(texts, right, strict=True) if good) > 300


def test_clerks_write_what_is_meant_in_ways_that_leave_it_readable():
    random = np.random.default_rng(3)
    register = registers.register(registers.residents(3), "R", registers.Clerk(), random)
    assert register.written["record"].tolist() == register.meant["record"].tolist()
    assert (register.written["family_name"] != register.meant["family_name"]).mean() > 0.3
    assert set(register.person) == set(register.written["record"])
    assert len(set(register.person.values())) < len(register.person)  # some stand there twice
    numbers = register.meant["id_number"].dropna()
    assert 0.9 < numbers.map(valid).mean() < 1  # some are mistyped


def test_a_namesake_shares_names_and_address_and_has_a_number_of_its_own():
    people = registers.with_namesakes(registers.residents(4), np.random.default_rng(4))
    same = people[people.duplicated(["given_name", "family_name", "address"], keep=False)]
    assert len(same) > 30
    assert same["id_number"].is_unique
    assert same["id_number"].map(valid).all()
    assert (same["id_number"].str[6:14] == same["birth_date"].str.replace("-", "")).all()


@pytest.fixture
def truth(monkeypatch):
    """What belongs together in the two registers that were made last."""
    made = []
    two = linkage._two

    def remembered(*arguments):
        made.append(two(*arguments))
        return made[-1]

    monkeypatch.setattr(linkage, "_two", remembered)
    return made


def test_links_that_are_all_right_earn_everything_and_none_or_all_earn_nothing(truth):
    def known(a, b):
        one, other = truth[-1]
        person = one.person | other.person
        return [(x, y) for x in a["record"] for y in b["record"] if person[x] == person[y]]

    assert linkage.link(known, 8, 26).passed
    for answer in (
        lambda a, b: [],
        lambda a, b: [(x, y) for x in a["record"] for y in b["record"]],
    ):
        assert linkage.link(answer, 8, 26).points == 0


def test_a_pair_against_two_valid_numbers_is_named_as_such(truth):
    def careless(a, b):
        one, other = truth[-1]
        person = one.person | other.person
        namesake = {record: who.removesuffix("-namesake") for record, who in person.items()}
        return [(x, y) for x in a["record"] for y in b["record"] if namesake[x] == namesake[y]]

    result = linkage.link(careless, 8, 26)
    assert "link.contradiction" in {problem.code for problem in result.problems}


@pytest.mark.parametrize("wrong", [None, 3, [1], [("A1",)], [("A1", 2)], "A1 B1", [["A1", "B1", "C1"]]])  # fmt: skip
def test_what_is_no_list_of_pairs_is_told_so(wrong):
    result = linkage.link(lambda a, b: wrong, 8, 26)
    assert (result.points, result.problems[0].code) == (0, "link.form")


@pytest.mark.parametrize("wrong", [None, [], [["A1"], ["A1", "B1"]], [[1]], {"A1": "B1"}, 7])
def test_groups_that_are_none_earn_nothing(wrong):
    earned = linkage.people(lambda records, links: wrong, 8, 8).points
    assert earned == (1.0 if wrong == [] else 0)  # no records, no people: that case is right


def test_visible_messages_show_the_cell_that_is_wrong():
    result = cells.clean(lambda table: table, 1, 4, shown=True)
    text = str(result)
    assert result.points == 0
    for column in ("id_number", "phone", "birth_date", "family_name"):
        assert f"{column}: " in text
    assert " is '" in text
    assert cells.clean(lambda table: table.iloc[:3], 1, 4).problems[0].code == "clean.form"
    assert cells.clean(lambda table: None, 1, 4).problems[0].code == "clean.form"


@pytest.mark.parametrize("always", [True, False, None, 1])
def test_an_answer_that_is_always_the_same_is_none(always):
    result = cells.valid_number(lambda text: always, 1, 12)
    assert (result.points, result.problems[0].code) == (0, "valid.always the same")
