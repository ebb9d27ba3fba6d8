"""Lab 7's tables isolate one difficulty each, its thresholds are exact, its games pin one rule. The samples: test_labs.py."""

from itertools import pairwise, permutations

import numpy as np
import pytest
from gradewell.checks import export, revenue
from gradewell.checks.export import CONSENT, EXEMPT_PURPOSES, MECHANISMS


def codes(result):
    return {problem.code.partition(".")[2] for problem in result.problems}


def people(transfers, today):
    """Written for these tests."""
    seen = {(p, s) for d, p, s, why, _ in transfers.to_numpy().tolist() if d[:4] == today[:4] and d <= today and why not in EXEMPT_PURPOSES}  # fmt: skip
    return sum(not s for _, s in seen), sum(s for _, s in seen)


DIFFERENT = {
    "people, not rows": lambda t, today: (int((~t["sensitive"].astype(bool)).sum()), int(t["sensitive"].sum())),
    "since 1 January": lambda t, today: people(t.assign(day=t["day"].mask(t["day"].str[:4] < today[:4], today)), today),
    "until today": lambda t, today: people(t, today[:4] + "-12-31"),
    "exempt purposes": lambda t, today: people(t.assign(purpose="analysis"), today),
    "apart": lambda t, today: people(t.sort_values("sensitive").drop_duplicates("person", keep="last"), today),
}  # fmt: skip


@pytest.mark.parametrize("difficulty", DIFFERENT)
@pytest.mark.parametrize("seed", range(10))
def test_each_table_tells_who_has_its_difficulty_from_who_has_not(difficulty, seed):
    for number in range(4):
        table, today = export._transfers(np.random.default_rng([seed, number]), difficulty, number)
        assert people(table, today) != DIFFERENT[difficulty](table, today)


@pytest.mark.parametrize("seed", range(30))
def test_an_independent_count_earns_all_points(seed):
    assert export.people(people, seed, 14).passed


@pytest.mark.parametrize("wrong", [None, 3, (1,), (1, 2, 3), ("a", "b"), (0.5, 1), (float("nan"), 1)])  # fmt: skip
def test_what_is_no_pair_of_numbers_is_told_so(wrong):
    result = export.people(lambda transfers, today: wrong, 3, 14)
    assert (result.points, codes(result)) == (0, {"form"})


def test_nothing_counted_earns_nothing():
    assert export.people(lambda transfers, today: (0, 0), 3, 14).points == 0


DECISIONS = [
    # ciio, important, purpose, ordinary, sensitive, mechanism: from the table in FACTS, by hand
    (False, False, "analysis", 99_999, 0, "exempt"),
    (False, False, "analysis", 100_000, 0, "contract or certification"),
    (False, False, "analysis", 999_999, 0, "contract or certification"),
    (False, False, "analysis", 1_000_000, 0, "assessment"),
    (False, False, "analysis", 0, 0, "exempt"),
    (False, False, "analysis", 0, 1, "contract or certification"),
    (False, False, "analysis", 0, 9_999, "contract or certification"),
    (False, False, "analysis", 0, 10_000, "assessment"),
    (False, False, "analysis", 999_999, 9_999, "contract or certification"),
    (False, False, CONSENT, 100_000, 0, "contract or certification"),
    (False, False, "emergency", 5_000_000, 50_000, "exempt"),
    (False, True, "emergency", 0, 0, "assessment"),
    (True, False, "emergency", 1, 0, "assessment"),
    (True, False, "analysis", 0, 1, "assessment"),
    (True, False, "analysis", 0, 0, "exempt"),
]


@pytest.mark.parametrize("decision", DECISIONS, ids=str)
def test_the_mechanism_at_and_beside_each_threshold(decision):
    names = ("ciio", "important", "purpose", "ordinary", "sensitive")
    assert export.mechanism(dict(zip(names, decision[:5], strict=True))) == decision[5]


def test_more_people_never_get_a_lighter_mechanism():
    numbers = [0, 1, 9_999, 10_000, 99_999, 100_000, 999_999, 1_000_000]
    for ordinary, sensitive in pairwise(numbers):
        for fixed in numbers:
            made = [
                {"ciio": False, "important": False, "purpose": "analysis", "ordinary": o, "sensitive": s}
                for o, s in ((ordinary, fixed), (sensitive, fixed), (fixed, ordinary), (fixed, sensitive))
            ]  # fmt: skip
            a, b, c, d = (MECHANISMS.index(export.mechanism(case)) for case in made)
            assert a >= b
            assert c >= d


def decides(case):
    """The rules once more, without calling the grader's."""
    o, s = case["ordinary"], case["sensitive"]
    level = max((o >= 100_000) + (o >= 1_000_000), (s >= 1) + (s >= 10_000))
    level = 0 if case["purpose"] in EXEMPT_PURPOSES else level
    level = 2 if case["important"] or (case["ciio"] and o + s) else level
    return MECHANISMS[2 - level]


@pytest.mark.parametrize("seed", range(5))
def test_independent_rules_earn_all_points(seed):
    assert export.mechanisms(decides, people, seed, 24).passed


@pytest.mark.parametrize("limit", ["batches counted by day", "by contract"])
def test_batches_that_are_counted_by_themselves_are_found(limit):
    column = "day" if "day" in limit else "contract"

    def apart(transfers, today):
        pairs = [people(own, today) for _, own in transfers.groupby(column)]
        return tuple(max(one) for one in zip(*pairs, strict=True)) if pairs else (0, 0)

    assert "batches" in codes(export.mechanisms(decides, apart, 3, 24))


def test_the_same_for_all_is_no_decision():
    for answer in MECHANISMS:
        assert export.mechanisms(lambda case, answer=answer: answer, people, 3, 24).points == 0


@pytest.mark.parametrize("wrong", [None, "contract", 2, ["exempt"]])
def test_other_words_are_told_so(wrong):
    result = export.mechanisms(lambda case: wrong, people, 3, 24)
    assert (result.points, codes(result)) == (0, {"form"})


# -- revenue ----------------------------------------------------------------------------------------


def shapley(names, value):
    paid = dict.fromkeys(names, 0.0)
    orders = list(permutations(names))
    for order in orders:
        for place, name in enumerate(order):
            paid[name] += value["+".join(sorted(order[: place + 1]))] / len(orders)
            paid[name] -= value["+".join(sorted(order[:place]))] / len(orders)
    return paid


@pytest.mark.parametrize("seed", range(10))
def test_the_mean_of_all_orders_earns_all_points(seed):
    assert revenue.split(shapley, seed, 24).passed


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("moved", [0.01, -1.0])
def test_whatever_differs_from_it_loses(seed, moved):
    """Only one rule has all four properties: any other fails at least one of them."""

    def other(names, value):
        paid = shapley(names, value)
        ordered = sorted(names, key=lambda name: -value[name])
        paid[ordered[0]] += moved
        paid[ordered[-1]] -= moved
        return paid

    assert revenue.split(other, seed, 24).points <= 24 / 3


def test_games_have_a_key_for_each_group_and_more_people_never_earn_less():
    names = ["E1", "A2", "D3"]
    worth = revenue.game(np.random.default_rng(3), names)
    assert set(worth) == {"", "A2", "D3", "E1", "A2+D3", "A2+E1", "D3+E1", "A2+D3+E1"}
    assert worth[""] == 0
    assert worth["A2+D3+E1"] >= worth["A2+E1"] >= worth["E1"] >= 0


@pytest.mark.parametrize("wrong", [None, [1, 2], {}, {"A": 1}])
def test_what_is_no_dict_of_money_is_told_so(wrong):
    result = revenue.split(lambda names, value: wrong, 3, 24)
    assert (result.points, codes(result)) == (0, {"form"})


def test_nan_is_no_money():
    result = revenue.split(lambda names, value: dict.fromkeys(names, float("nan")), 3, 24)
    assert codes(result) == {"form"}


def test_a_function_that_changes_its_arguments_spoils_no_case_and_is_shown_the_one_it_misses():
    def greedy(transfers, today):
        people = {person for day, person, exempt in transfers if not exempt and day <= today}
        transfers.clear()
        return len(people)

    result = export.counted(greedy, 6)
    assert codes(result) == {"last year"}
    assert "greedy([('2025-12-31', 'P1', False)" in str(result)
