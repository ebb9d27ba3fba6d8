"""Checks that attack: releases of people, tables with suppressed cells, private mechanisms, policies."""

import itertools
import math

import datapolis
import numpy as np
import pandas as pd
import pytest
from gradewell.checks import (
    access,
    attacks,
    budget,
    coding,
    disclosure,
    noise,
    privacy,
    tables,
    utility,
)
from gradewell.checks.interval import clopper_pearson
from gradewell.checks.shrink import shorter, simpler
from hypothesis import given, settings
from hypothesis import strategies as st

KNOWN = ["sex", "age", "district"]
LIMITS = {"linkage": 0.05, "singling out": 0.1, "inference of income": 0.1, "membership": 0.2}


@pytest.fixture(scope="module")
def country():
    """People who will be released, and people who will not."""
    table = datapolis.load("residents", rows=1_600, seed=3).dropna(subset=["income"])
    table = table.assign(age=2026 - pd.to_datetime(table["birth_date"]).dt.year)
    table = table[[*KNOWN, "education", "income"]].sample(frac=1, random_state=0)
    return table.iloc[:600], table.iloc[600:1200]


def generalised(people):
    return people.assign(
        age=[f"{age // 20 * 20}-{age // 20 * 20 + 19}" for age in people["age"]],
        district="*",
        income=[
            pd.Interval(i // 20_000 * 20_000, i // 20_000 * 20_000 + 20_000, "left")
            for i in people["income"]
        ],
    )


def attacked(release, people, others):
    return [
        attacks.linkage(release, people, KNOWN, others=others),
        attacks.singling_out(release, people, seed=1, attempts=200),
        attacks.inference(release, people, others, KNOWN, "income"),
        attacks.membership(release, people, others, list(people), seed=1),
    ]


# -- releases ---------------------------------------------------------------------------------------


def test_a_release_of_everything_falls_to_every_attack_and_names_who_gave_way(country):
    people, others = country
    result = disclosure.resists(attacked(people, people, others), LIMITS, 8, shown=True)
    assert {p.code for p in result.problems} == {f"disclosure.{name}" for name in LIMITS}
    assert result.points < 4
    named = [p.message for p in result.problems if "Given away" in p.message]
    assert any(str(label) in named[0] for label in people.index)
    assert result.figure.png().startswith(b"\x89PNG")


def test_a_release_of_groups_stands_them(country):
    people, others = country
    assert disclosure.resists(attacked(generalised(people), people, others), LIMITS, 8).passed


def test_a_release_of_nothing_and_one_of_independent_columns_give_nothing_away(country):
    people, others = country
    random = np.random.default_rng(0)
    independent = pd.DataFrame({name: random.permutation(people[name]) for name in people})
    for release in (people.iloc[:0], independent):
        assert disclosure.resists(attacked(release, people, others), LIMITS, 8).passed


def test_hidden_people_are_not_named(country):
    people, others = country
    result = disclosure.resists(attacked(people, people, others), LIMITS, 8)
    assert result.problems
    assert not any("Given away" in problem.message for problem in result.problems)


def test_what_is_true_of_people_in_general_is_no_disclosure(country):
    people, others = country
    people, others = (some.assign(answer=some["age"] > 50) for some in (people, others))
    found = attacks.inference(people, people, others, KNOWN, "answer")
    assert found.hits / found.tries > 0.95
    assert found.interval[0] < 0.9


@pytest.mark.parametrize(
    ("said", "true", "fits"),
    [
        ("30-39", 39, True), ("30-39", 40, False), ("[30, 40)", 40, False), ("(30, 40]", 30, False),
        ("65+", 65, True), ("<18", 18, False), ("<18", 17, True), (">=18", 18, True), ("≤5", 5, True),
        (pd.Interval(0, 5, "left"), 5, False), (30, 30.0, True), ("30", 30, True), (-3, -3, True),
        ("47**", "4711", True), ("47**", "4811", False), ("*", "anything", True), (None, "anything", True),
        (math.nan, 3, True), ("flu|cold", "cold", True), ("flu|cold", "gout", False), ("North", "Oldtown", True),
        ("1985", pd.Timestamp("1985-03-02"), True), ("1980-1989", pd.Timestamp("1990-01-01"), False),
        (True, True, True), (False, True, False),
    ],
)  # fmt: skip
def test_released_values_stand_for_what_a_reader_takes_them_for(said, true, fits):
    coarser = {"Oldtown": ["North"]}
    assert bool(coding.between([said], [true, 0, 100], coarser)[0, 0] == 0) is fits


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 60), st.integers(1, 60))
def test_the_interval_holds_the_share_and_narrows_with_tries(hits, tries):
    hits = min(hits, tries)
    low, high = clopper_pearson(hits, tries)
    assert 0 <= low <= hits / tries <= high <= 1
    wide = clopper_pearson(hits, tries, 0.999)
    assert wide[0] <= low and high <= wide[1]
    more = clopper_pearson(hits * 10, tries * 10)
    assert more[1] - more[0] <= high - low


def test_the_interval_covers_as_often_as_it_says():
    draws = np.random.default_rng(0).binomial(40, 0.2, 2_000)
    covered = [low <= 0.2 <= high for low, high in (clopper_pearson(int(d), 40) for d in draws)]
    assert np.mean(covered) >= 0.95


# -- utility ----------------------------------------------------------------------------------------


def test_loss_grows_from_the_truth_over_groups_to_nothing(country):
    people, _ = country
    columns = [*KNOWN, "income"]
    releases = (people, generalised(people), people.iloc[:0])
    nothing, some, everything = (utility.loss(r, people, columns, seed=1).total for r in releases)
    assert nothing == 0
    assert 0.02 < some < 0.6
    assert everything == 1


def test_rows_left_out_and_columns_left_out_are_lost(country):
    people, _ = country
    columns = [*KNOWN, "income"]
    half = utility.loss(people.iloc[::2], people, columns, seed=1)
    assert half.marginals > 0.4
    without = utility.loss(people.drop(columns="income"), people, columns, seed=1)
    assert without.total > utility.loss(generalised(people), people, ["sex"], seed=1).total


def test_the_score_needs_both_safety_and_use():
    best = [(0.1, 0.2), (0.05, 0.5)]
    assert utility.frontier(0.1, 0.2, best, 6).passed
    assert utility.frontier(0.0, 0.1, best, 6).passed
    for risk, lost in ((1.0, 0.0), (0.0, 1.0)):
        result = utility.frontier(risk, lost, best, 6)
        assert result.points == 0
        assert "10%" in result.problems[0].message
    middle = utility.frontier(0.4, 0.4, best, 6)
    assert 2 <= middle.points <= 4
    assert middle.figure.png().startswith(b"\x89PNG")


# -- private mechanisms -----------------------------------------------------------------------------

ALL = list(range(100))
FEWER = ALL[:-1]


def laplace(scale, seed=0):
    random = np.random.default_rng(seed)
    return lambda table: len(table) + random.laplace(0, scale)


def randomised_response(table, random=np.random.default_rng(5)):  # noqa: B008
    truthful = random.random() < 0.75
    return "yes" if truthful == (len(table) == len(ALL)) else "no"


@pytest.mark.parametrize(
    ("mechanism", "least", "most"),
    [
        (laplace(1.0), 0.4, 1.0),
        (laplace(0.25), 2.0, 4.0),
        (len, 4.0, math.inf),
        (randomised_response, 0.6, math.log(3)),
        (lambda table: 7.0, 0.0, 0.0),
    ],
)
def test_an_audit_bounds_epsilon_from_below(mechanism, least, most):
    found = privacy.audit(mechanism, ALL, FEWER)
    assert least <= found.epsilon <= most


def test_an_audit_sees_the_one_number_of_many_that_has_no_noise():
    for seed in range(20):
        random = np.random.default_rng(seed)
        noisy = lambda table: [*random.laplace(0, 4, 9), len(table)]  # noqa: B023, E731
        found = privacy.audit(noisy, ALL, FEWER, times=2_000)
        assert found.epsilon > 3
        assert found.event.startswith("number 10 of the output")


def test_an_honest_claim_stands_on_many_seeds_and_a_false_one_falls():
    for seed in range(40):
        assert privacy.claims(laplace(1.0, seed), 1.0, [(ALL, FEWER)], 5, times=2_000).passed
        caught = privacy.claims(laplace(0.3, seed), 1.0, [(ALL, FEWER)], 5)
        assert caught.problems[0].code == "privacy.epsilon"


@pytest.mark.parametrize(
    "wrong",
    [lambda table: None, lambda table: [1, 2][: len(table) % 2 + 1], lambda table: 1 / 0,
     lambda table: math.nan, lambda table: {"a": 1}, lambda table: []],
)  # fmt: skip
def test_outputs_of_the_wrong_kind_are_explained(wrong):
    result = privacy.claims(wrong, 1.0, [(ALL, FEWER)], 5, times=200)
    assert result.points < 5 or wrong(ALL) is None


def test_noise_of_the_right_scale_passes_and_every_other_is_named():
    random = np.random.default_rng(2)
    scale, n = 2.0, 5_000
    for _ in range(200):
        assert noise.laplace(10 + random.laplace(0, scale, n), 10, scale, 4).passed
    p = 1 - math.exp(-1 / scale)
    whole = random.geometric(p, n) - random.geometric(p, n)
    assert noise.laplace(10 + whole, 10, scale, 4).passed
    wrong = {
        "size": [random.laplace(0, factor * scale, n) for factor in (0.5, 0.8, 1.2, 2)],
        "shape": [random.normal(0, scale * math.sqrt(math.pi / 2), n), random.uniform(-4, 4, n)],
        "both sides": [abs(random.laplace(0, scale, n))],
        "none": [np.zeros(n)],
    }
    for name, draws in wrong.items():
        for drawn in draws:
            codes = {problem.code for problem in noise.laplace(10 + drawn, 10, scale, 4).problems}
            assert f"noise.{name}" in codes


class Budget:
    def __init__(self, total):
        self.left = total

    def spend(self, epsilon):
        if not epsilon > 0 or epsilon > self.left:
            raise ValueError("refused")
        self.left -= epsilon


class Charges(Budget):
    def spend(self, epsilon):
        self.left -= abs(epsilon) / 2 if epsilon == epsilon else 0
        super().spend(epsilon)


class NeverRefuses(Budget):
    def spend(self, epsilon):
        self.left -= epsilon


class Forgets(Budget):
    def spend(self, epsilon):
        if not epsilon > 0 or epsilon > self.left:
            raise ValueError("refused")


class Strict(Budget):
    def spend(self, epsilon):
        if not epsilon > 0 or epsilon >= self.left:
            raise ValueError("refused")
        self.left -= epsilon


class TakesGifts(Budget):
    def spend(self, epsilon):
        if epsilon > self.left:
            raise ValueError("refused")
        self.left -= epsilon


@pytest.mark.parametrize(
    ("kind", "codes"),
    [(Budget, set()), (Charges, {"refusals"}), (NeverRefuses, {"refuses", "positive"}), (Forgets, {"adds up"}),
     (Strict, {"allows"}), (TakesGifts, {"positive"})],
)  # fmt: skip
def test_a_budget_adds_up_and_a_refusal_changes_nothing(kind, codes):
    found = {problem.code for problem in budget.accounting(kind, 1, 4).problems}
    assert {f"budget.{code}" for code in codes} <= found
    assert bool(found) == bool(codes)


# -- tables -----------------------------------------------------------------------------------------


def with_totals(counts):
    dimensions = [f"d{n}" for n in range(counts.ndim)]
    rows = []
    for cell in itertools.product(*[[*range(n), "total"] for n in counts.shape]):
        part = counts
        for axis in range(counts.ndim - 1, -1, -1):
            part = part.sum(axis) if cell[axis] == "total" else part.take(cell[axis], axis)
        rows.append((*map(str, cell), int(part)))
    return pd.DataFrame(rows, columns=[*dimensions, "count"]), dimensions


def suppressed(table, cells):
    names = [",".join(row[:-1]) for row in table.astype(str).itertuples(index=False)]
    return table.assign(count=table["count"].astype(object).where(~np.isin(names, cells), None))


def test_a_single_suppressed_cell_follows_from_its_row():
    table, dimensions = with_totals(np.array([[3, 20, 30], [20, 25, 30]]))
    result = tables.protects(suppressed(table, ["0,0"]), table, dimensions, 6)
    assert "tables.determined" in {p.code for p in result.problems}
    assert "(3 to 3)" in result.problems[0].message
    assert "3 to 3" not in str(
        tables.protects(suppressed(table, ["0,0"]), table, dimensions, 6, shown=False)
    )


def test_complementary_suppression_protects_it():
    table, dimensions = with_totals(np.array([[3, 20, 30], [20, 25, 30]]))
    release = suppressed(table, ["0,0", "0,1", "1,0", "1,1"])
    assert tables.protects(release, table, dimensions, 6, most=4).passed
    found = tables.intervals(release, dimensions)
    assert tuple(found.loc[("0", "0")]) == (0, 23)
    assert tables.protects(release, table, dimensions, 6, most=2).points < 6


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6))
def test_intervals_are_those_of_trying_every_table(seed):
    random = np.random.default_rng(seed)
    counts = random.integers(0, 4, (2, 3))
    table, dimensions = with_totals(counts)
    hidden = [",".join(map(str, cell)) for cell in np.ndindex(2, 3) if random.random() < 0.6]
    found = tables.intervals(suppressed(table, hidden), dimensions)
    fitting = []
    rows, columns = counts.sum(axis=1), counts.sum(axis=0)
    for values in itertools.product(range(10), repeat=2):  # two free cells fix a 2 by 3 table
        first = [*values, rows[0] - sum(values)]
        trial = np.array([first, columns - first])
        known = all(
            ",".join(map(str, c)) in hidden or trial[c] == counts[c] for c in np.ndindex(2, 3)
        )
        if trial.min() >= 0 and known:
            fitting.append(trial)
    for name in hidden:
        cell = tuple(map(int, name.split(",")))
        expected = min(t[cell] for t in fitting), max(t[cell] for t in fitting)
        assert tuple(found.loc[tuple(name.split(","))]) == expected


def test_last_weeks_table_gives_this_weeks_new_case_away():
    one, dimensions = with_totals(np.array([[3, 9], [8, 9]]))
    hidden = suppressed(one, ["0,0", "0,1", "1,0", "1,1"])
    assert tuple(tables.intervals(hidden, dimensions).loc[("0", "0")]) == (0, 11)
    leak = hidden.assign(count=[*["2-4"], *hidden["count"].iloc[1:]])
    assert tuple(tables.intervals([hidden, leak], dimensions).loc[("0", "0")]) == (2, 4)


def test_tables_that_lie_that_contradict_themselves_or_say_nothing_are_told_so():
    table, dimensions = with_totals(np.array([[7, 20], [20, 25]]))
    wrong = table.assign(count=[8, *table["count"].iloc[1:]])
    empty = table.assign(count=None)
    for release, code in (
        (wrong, "contradiction"),
        (empty, "nothing"),
        ([1], "form"),
        (table[["d0"]], "form"),
    ):
        result = tables.protects(release, table, dimensions, 6)
        assert result.points == 0
        assert f"tables.{code}" in {p.code for p in result.problems}


# -- policies ---------------------------------------------------------------------------------------

REQUESTS = {
    "role": ["visitor", "doctor", "nurse", access.ABSENT],
    "purpose": ["care", "research", "research-ads", access.ABSENT],
    "day": [9, 10, 11, 12],
    "urgent": [False, True],
}


def intended(request):
    if request.get("role") != "doctor" or request["day"] >= 11:
        return access.Answer("deny")
    if request.get("purpose") == "research":
        return access.Answer("allow", frozenset({"log"}))
    return access.Answer("allow" if request.get("purpose") == "care" else "deny")


def changed(**mistakes):
    def decide(request):
        return intended({**request, **{k: f(request) for k, f in mistakes.items()}})

    return decide


def test_the_intended_policy_passes_in_every_form_of_answer():
    assert access.decides(intended, intended, REQUESTS, 1, 8).passed
    pairs = lambda request: [intended(request).decision, list(intended(request).duties)]  # noqa: E731
    assert access.decides(pairs, intended, REQUESTS, 1, 8).passed


@pytest.mark.parametrize(
    ("decide", "code", "example"),
    [
        (changed(day=lambda r: r["day"] - 1), "too free", "'day': 11"),
        (changed(purpose=lambda r: (r.get("purpose") or "")[:8]), "too free", "'purpose': 'research-ads'"),
        (changed(role=lambda r: r.get("role", "doctor")), "too free", "{'purpose': 'care', 'day': 9, 'urgent': False}"),
        (changed(day=lambda r: r["day"] + 1), "too strict", "'day': 10"),
        (lambda request: intended(request).decision, "duties", "'purpose': 'research'"),
    ],
)  # fmt: skip
def test_each_difference_is_shown_on_the_smallest_request(decide, code, example):
    result = access.decides(decide, intended, REQUESTS, 1, 8)
    messages = {problem.code: problem.message for problem in result.problems}
    assert example in messages[f"access.{code}"]
    assert "'urgent': True" not in messages[f"access.{code}"]
    hidden = access.decides(decide, intended, REQUESTS, 1, 8, shown=False)
    assert hidden.points == result.points < 8
    assert "smallest" not in str(hidden)


@pytest.mark.parametrize("constant", ["allow", "deny", True, None, "perhaps"])
def test_always_the_same_answer_is_no_policy(constant):
    result = access.decides(lambda request: constant, intended, REQUESTS, 1, 8)
    assert result.points == 0


POLICIES = [("permit", "doctor"), ("permit", "nurse"), ("forbid", "doctor"), ("forbid", "visitor")]
ROLES = {"role": ["visitor", "doctor", "nurse"], "urgent": [False, True]}


def prohibition_wins(policies, request):
    said = {kind for kind, role in policies if role == request.get("role")}
    return access.Answer("allow" if said == {"permit"} else "deny")


def first_match(policies, request):
    said = [kind for kind, role in policies if role == request.get("role")]
    return "allow" if said and said[0] == "permit" else "deny"


def default_allow(policies, request):
    return "deny" if ("forbid", request.get("role")) in policies else "allow"


def combined(decide):
    prohibits = lambda policy: policy[0] == "forbid"  # noqa: E731
    return access.combines(
        decide, prohibition_wins, POLICIES, ROLES, 1, 8, prohibits=prohibits, count=400
    )


def test_policies_together_have_the_laws_of_a_policy_engine():
    assert combined(prohibition_wins).passed
    first = combined(first_match)
    assert {p.code for p in first.problems} >= {"policies.intended", "policies.order"}
    assert "The smallest: policies [('" in first.problems[0].message
    default = combined(default_allow)
    assert "policies.deny by default" in {p.code for p in default.problems}
    assert "policies []" in default.problems[0].message
    assert combined(lambda policies, request: "deny").points < 8


# -- shrinking --------------------------------------------------------------------------------------


@given(
    st.lists(st.integers(0, 30), max_size=40), st.sets(st.integers(0, 30), min_size=1, max_size=3)
)
def test_nothing_can_be_left_out_of_a_shrunk_sequence(items, culprits):
    items = [*items, *culprits]
    found = shorter(items, lambda part: culprits <= set(part))
    assert set(found) == culprits
    assert len(found) == len(culprits)


def test_a_shrunk_request_has_the_plainest_values_that_still_fail():
    options = {"a": [0, 1, 2], "b": ["x", "y"]}
    assert simpler({"a": 2, "b": "y"}, options, lambda r: r["a"] >= 1) == {"a": 1, "b": "x"}
