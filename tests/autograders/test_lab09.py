"""Lab 9's mechanisms are run and audited: the honest pass, however they are made, and each way to break the promise is seen. The samples: test_labs.py."""

import numpy as np
import pytest
from gradewell.checks import desk, mechanisms, privacy

RANDOM = np.random.default_rng(9)


def codes(result):
    return {problem.code for problem in result.problems}


def count(values, epsilon):
    return len(values) + RANDOM.laplace(0, 1 / epsilon)


def geometric(scale):
    """Two-sided, as the difference of two."""
    one, other = RANDOM.geometric(1 - np.exp(-1 / scale), 2)
    return int(one - other)


def bars(values, categories, epsilon):
    return {name: values.count(name) + geometric(1 / epsilon) for name in categories}


def mean(values, low, high, epsilon, spent=1.0):
    cut = np.clip(values, low, high) if len(values) else np.zeros(0)
    total = cut.sum() + RANDOM.laplace(0, 2 * max(abs(low), abs(high)) / (spent * epsilon))
    number = len(values) + RANDOM.laplace(0, 2 / (spent * epsilon))
    return float(np.clip(total / max(number, 1), low, high))


class Desk:
    """Written for these tests: an account for each value from 0 to 100."""

    def __init__(self, values, total):
        self.values, self.account, self.known = values, np.full(10_001, float(total)), {}

    left = property(lambda self: float(self.account.min()))

    def ask(self, low, high, epsilon):
        if (low, high, epsilon) not in self.known:
            where = slice(max(0, int(low * 100)), int(high * 100))
            if not epsilon > 0 or self.account[where].min() < epsilon:
                raise ValueError
            self.account[where] -= epsilon
            true = sum(low <= v < high for v in self.values)
            self.known[low, high, epsilon] = true + RANDOM.laplace(0, 1 / epsilon)
        return self.known[low, high, epsilon]


@pytest.mark.parametrize("seed", range(8))
def test_honest_mechanisms_earn_all_points_also_with_whole_numbers(seed):
    assert mechanisms.counts(lambda values, e: len(values) + geometric(1 / e), seed, 12).passed
    assert mechanisms.histograms(bars, seed, 12).passed
    assert mechanisms.means(mean, seed, 14).passed
    assert desk.keeps_account(Desk, seed, 20).passed


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        (lambda values, e: count(values, e) if len(values) else 0, "counts.nobody"),
        (lambda values, e: count(values, e) if RANDOM.random() < 0.97 else len(values), "noise.shape"),
        (lambda values, e: count(values, 1.3 * e), "noise.size"),
        (lambda values, e: str(count(values, e)), "counts.form"),
        (lambda values, e: float("nan"), "counts.form"),
        (lambda values, e: [count(values, e)], "counts.form"),
        (lambda values, e: len(values) > 3, "counts.form"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("seed", range(3))
def test_counts_that_are_not_private_are_told_why(wrong, code, seed):
    assert code in codes(mechanisms.counts(wrong, seed, 12))


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        (lambda v, c, e: {n: max(0, b) for n, b in bars(v, c, e).items()}, "histograms.empty bars"),
        (lambda v, c, e: bars(v, c, 2 * e), "noise.size"),
        (lambda v, c, e: bars(v, c, e / len(c)), "noise.size"),
        (lambda v, c, e: {**bars(v, c, e), "all": count(v, e)}, "histograms.form"),
        (lambda v, c, e: list(bars(v, c, e).values()), "histograms.form"),
        (lambda v, c, e: dict.fromkeys(c, "many"), "histograms.form"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("seed", range(3))
def test_histograms_that_are_not_private_are_told_why(wrong, code, seed):
    assert code in codes(mechanisms.histograms(wrong, seed, 12))


@pytest.mark.parametrize("seed", range(10))
def test_epsilon_spent_twice_is_seen_in_a_mean(seed):
    result = mechanisms.means(lambda *given: mean(*given, spent=2.0), seed, 14)
    assert result.points == 0
    assert "privacy.epsilon" in codes(result)


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        (lambda v, low, high, e: mean(v, low, high, e / 20), "means.accuracy"),
        (lambda v, low, high, e: mean(v, low, high, 0.5), "means.more for more"),
        (lambda v, low, high, e: (low + high) / 2, "means.cut"),
        (lambda v, low, high, e: None, "means.form"),
        (lambda v, low, high, e: float(np.mean(v)), "means.form"),
    ],
)
def test_means_that_are_of_no_use_are_told_why(wrong, code):
    assert code in codes(mechanisms.means(wrong, 3, 14))


def test_a_desk_without_what_a_desk_has_is_told_so():
    assert codes(desk.keeps_account(lambda values, total: None, 3, 20)) == {"desk.form"}
    assert "desk.fails when called" in codes(desk.keeps_account(lambda values: None, 3, 20))


def test_of_an_honest_mechanism_the_estimate_lies_within_its_interval_and_the_claim_too():
    for epsilon in (0.25, 0.5, 1.0, 2.0):
        table = list(range(40))
        found = privacy.audit(count, table, table[1:], confidence=0.9999, arguments=[epsilon])
        assert found.epsilon <= found.estimate <= found.high
        assert found.epsilon <= epsilon <= found.high
        half = privacy.audit(count, table, table[1:], 40_000, arguments=[2 * epsilon])
        assert half.epsilon > epsilon
