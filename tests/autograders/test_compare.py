"""The comparisons of the checks: what is equal is told as equal, and neither NaN nor an object that agrees passes anything."""

from __future__ import annotations

import math
from collections import Counter, OrderedDict, defaultdict, namedtuple
from decimal import Decimal
from enum import IntEnum, StrEnum
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from gradewell.checks import compare
from hypothesis import given
from hypothesis import strategies as st


def agreed(*_):
    return True


class Agrees:
    """Equal to everything, within every limit, and whatever a check may ask of a number."""

    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = __contains__ = __bool__ = agreed

    def itself(self, *_):
        return self

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = (
        itself
    )
    __mod__ = __rmod__ = __neg__ = __pos__ = __abs__ = __round__ = itself

    def __hash__(self):
        return hash("allow")

    def __len__(self):
        return 3

    def __float__(self):
        return 3.0

    def __int__(self):
        return 3

    __index__ = __int__

    def __str__(self):
        return "allow"


class AgreeingText(str):
    __slots__ = ()
    __eq__ = agreed

    def __hash__(self):
        return hash("allow")


class AgreeingNumber(float):
    __eq__ = __le__ = __ge__ = __lt__ = __gt__ = agreed

    def __hash__(self):
        return 3

    def __float__(self):
        return 3.0


STRANGE = {
    "NaN": math.nan, "NumPy's NaN": np.float64("nan"), "a small NaN": np.float32("nan"), "a Decimal NaN": Decimal("NaN"),
    "a signalling NaN": Decimal("sNaN"), "NaT": pd.NaT, "NA": pd.NA, "a complex number": 3 + 0j, "an object that agrees": Agrees(),
    "a number that agrees": AgreeingNumber("nan"), "an array": np.array([3.0]), "two numbers": np.array([3.0, 3.0]), "a Series": pd.Series([3.0]),
    "a list": [3.0], "a table": pd.DataFrame({"a": [3.0]}), "a class": Agrees, "a function": agreed, "the text": "3", "None": None,
    "True": True, "NumPy's True": np.True_,
}  # fmt: skip
INFINITE = {
    "infinity": math.inf,
    "minus infinity": -math.inf,
    "a whole number beyond all floats": 10**400,
}

numbers = st.one_of(
    st.integers(-(10**6), 10**6), st.floats(-1e6, 1e6), st.fractions(-9, 9), st.decimals(-9, 9)
)
plain_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(), st.binary(), st.dates()),
    lambda inner: st.one_of(
        st.lists(inner), st.tuples(inner, inner), st.dictionaries(st.text(), inner)
    ),
    max_leaves=12,
)  # fmt: skip


@pytest.mark.parametrize(
    "value", [*STRANGE.values(), *INFINITE.values()], ids=[*STRANGE, *INFINITE]
)
@given(limit=st.floats(-1e9, 1e9))
def test_what_is_no_finite_number_passes_no_limit(value, limit):
    assert compare.number(value) is None
    assert not compare.at_most(value, limit)
    assert not compare.at_least(value, limit)
    assert not compare.within(value, -math.inf, math.inf)
    assert not compare.close(value, limit, relative=1.0, absolute=1e12)
    assert not compare.close(limit, value, relative=1.0, absolute=1e12)
    assert compare.worst([limit, value]) == compare.worst([value, limit]) == math.inf
    assert compare.numbers([limit, value], (2,)) is None


@pytest.mark.parametrize("value", STRANGE.values(), ids=STRANGE)
@given(expected=st.one_of(st.integers(), st.floats(), st.text(), st.just("allow"), st.lists(st.integers())))  # fmt: skip
def test_what_is_of_another_kind_is_the_same_as_nothing(value, expected):
    if type(value) is type(expected):
        return
    for found, meant in ((value, expected), ([value], [expected]), ({"a": value}, {"a": expected})):
        assert not compare.same(found, meant)
        assert not compare.same(meant, found)
    assert not compare.among(value, [expected])


@pytest.mark.parametrize("value", [math.nan, Decimal("NaN"), pd.NaT, Agrees(), 3 + 0j])
def test_what_is_equal_to_nothing_is_not_the_same_as_itself(value):
    assert not compare.same(value, value)
    assert not compare.same([value], [value])
    assert not compare.same({value}, {value})


@given(plain_values)
def test_a_plain_value_is_the_same_as_its_copy_and_stays_as_it_is(value):
    assert compare.same(value, value)
    assert compare.plain(value) == value
    assert type(compare.plain(value)) is type(value)
    assert repr(compare.plain(value)) == repr(value)


@given(plain_values, plain_values)
def test_values_that_python_tells_apart_are_not_the_same(one, other):
    if one != other:
        assert not compare.same(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [(True, 1), (False, 0), (1, "1"), ("a", b"a"), ([1], (1,)), ([], {}), (None, False), ([True], [1]), ({1: 2}, {True: 2}),
     (np.array([1]), [1]), (math.inf, 10**400)],
)  # fmt: skip
def test_kinds_are_told_apart(one, other):
    assert not compare.same(one, other)
    assert not compare.same(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [(1, 1.0), (np.int64(3), 3), (np.float32(0.5), 0.5), (np.True_, True), (np.str_("a"), "a"), (Fraction(1, 2), 0.5),
     (Decimal("0.5"), 0.5), ({1, 2}, frozenset({2, 1})), (defaultdict(int, a=1), {"a": 1}), (Counter("a"), {"a": 1}),
     (OrderedDict(b=1, a=2), {"a": 2, "b": 1}), (namedtuple("Pair", "a b")(1, 2), (1, 2)), (10**400, 10**400),
     (StrEnum("Word", ["allow"]).allow, "allow"), (IntEnum("Place", ["first"]).first, 1), (np.array(3.0), 3)],
)  # fmt: skip
def test_ways_to_say_the_same_are_the_same(one, other):
    assert compare.same(one, other)
    assert compare.same([one], [other])


def test_a_text_or_a_number_that_agrees_becomes_what_it_is():
    assert not compare.same(AgreeingText("wrong"), "allow")
    assert compare.same(AgreeingText("allow"), "allow")
    assert compare.plain({AgreeingText("wrong")}) == {"wrong"}
    assert not compare.at_most(AgreeingNumber(9), 5)


@given(numbers, numbers)
def test_numbers_are_compared_as_numbers(one, limit):
    one_, limit_ = float(one), float(limit)
    assert compare.number(one) == one_
    assert compare.at_most(one, limit_) == (one_ <= limit_)
    assert compare.at_least(one, limit_) == (one_ >= limit_)
    assert compare.close(one, limit_, absolute=0.5) == (abs(one_ - limit_) <= 0.5)
    assert compare.worst([abs(one), abs(limit)]) == max(abs(one_), abs(limit_))


def test_nothing_of_a_students_class_is_left_in_a_table():
    table = pd.DataFrame(
        {"a": [1.5, 2.5], "b": [Agrees(), AgreeingText("wrong")], "c": pd.Categorical(["x", "y"])},
        index=pd.Index([Agrees(), "one"], dtype=object),
    )
    made = compare.plain(table)
    assert [type(cell).__name__ for cell in (*made["b"], *made.index)] == ["Strange", "str", "Strange", "str"]  # fmt: skip
    pd.testing.assert_frame_equal(made[["a", "c"]].reset_index(drop=True), table[["a", "c"]].reset_index(drop=True))  # fmt: skip


@pytest.mark.parametrize(
    "table",
    [
        pd.DataFrame({"n": pd.array([1, None], dtype="Int64"), "t": ["a", None], "d": pd.to_datetime(["2026-01-01", None])}),
        pd.DataFrame([[1, "a"], [2, "b"]], columns=["x", "x"]),
        pd.DataFrame({"a": [[1], {"b": 2}]}, index=pd.MultiIndex.from_tuples([("x", 1), ("y", 2)], names=["p", "q"])),
        pd.DataFrame(index=[3, 4]),
        pd.DataFrame({"a": pd.Categorical(["low", "high"], ["low", "high"], ordered=True)}, index=pd.interval_range(0, 2)),
    ],
)  # fmt: skip
def test_an_honest_table_stays_as_it_is(table):
    pd.testing.assert_frame_equal(compare.plain(table), table)
    if table.shape[1]:
        pd.testing.assert_series_equal(compare.plain(table.iloc[:, 0]), table.iloc[:, 0])


def test_a_value_that_defends_itself_is_strange():
    class Raises(dict):
        def __repr__(self):
            raise ValueError("a secret")

        def items(self):
            raise ValueError("a secret")

    class Never:
        def __repr__(self):
            raise ValueError("a secret")

    assert repr(compare.plain([10**5000])) == "[<int>]"
    round_and_round = []
    round_and_round.append(round_and_round)
    assert compare.plain(Raises(a=1)) == {"a": 1}
    assert repr(compare.plain(Never())) == "<object>"
    assert isinstance(compare.plain(round_and_round), compare.Strange)


@pytest.mark.parametrize("value", [math.nan, 3 + 0j, Agrees(), pd.NA, np.array([True, False]), 1.0])
def test_what_is_no_truth_value_is_neither_true_nor_false(value):
    assert compare.truth(value) is None
    assert compare.truthy(value) is None


def test_a_whole_number_is_whole():
    assert [compare.whole(one) for one in (3, np.int64(3), 10**400)] == [3, 3, 10**400]
    assert [compare.whole(one) for one in (3.0, True, "3", math.nan, Agrees())] == [None] * 5


def test_what_holds_something_is_read_once():
    assert compare.contents(iter([1, Agrees()]))[0] == 1
    assert compare.contents(one for one in "ab") == ["a", "b"]
    assert compare.contents({"a": 1}) == ["a"]
    assert [compare.contents(one) for one in ("text", 3, None, Agrees())] == [None] * 4
