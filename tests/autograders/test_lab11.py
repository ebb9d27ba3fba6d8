"""Lab 11: what says nothing is told from what says something, and each way to tamper with a log is tried. The samples: test_labs.py."""

import hashlib
import hmac
import json
import secrets

import pytest
from gradewell.checks import evidence, secret_sharing


def codes(result):
    return {problem.code.partition(".")[2] for problem in result.problems}


def share(secret, parties, p):
    """Written for these tests: the free pieces last."""
    free = [secrets.randbelow(p) for _ in range(parties - 1)]
    return [(secret - sum(free)) % p, *free]


def points(secret, t, n, p):
    free = [secrets.randbelow(p) for _ in range(t - 1)]
    values = []
    for x in range(1, n + 1):
        y = 0
        for coefficient in (*free, secret):
            y = (y * x + coefficient) % p
        values.append((x, y))
    return values


def rebuild(some, p):
    total = 0
    for x, y in some:
        above, below = 1, 1
        for z, _ in some:
            if z != x:
                above, below = above * -z % p, below * (x - z) % p
        total += y * above * pow(below, -1, p)
    return total % p


@pytest.mark.parametrize("seed", range(10))
def test_other_ways_of_sharing_earn_all_points(seed):
    assert secret_sharing.pieces(share, seed, 14).passed
    assert secret_sharing.shamir(points, rebuild, seed, 22).passed


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        (lambda s, n, p: [secrets.randbelow(p) for _ in range(n)], "adds up"),
        (lambda s, n, p: [*([0] * (n - 1)), s], "tells nothing"),
        (lambda s, n, p: [*([p // 3] * (n - 1)), (s - (n - 1) * (p // 3)) % p], "tells nothing"),
        (lambda s, n, p: share(s, n - 1, p) if n > 2 else share(s, n, p), "form"),
        (lambda s, n, p: tuple(map(str, share(s, n, p))), "form"),
        (lambda s, n, p: [True] * n, "form"),
        (lambda s, n, p: None, "form"),
    ],
)
def test_pieces_that_are_none_are_told_why(wrong, code):
    assert code in codes(secret_sharing.pieces(wrong, 3, 14))


def test_the_first_parties_see_nothing_but_the_last_sees_what_lies_near_the_secret():
    def narrow(secret, parties, p):  # a range that is a little too small
        free = [secrets.randbelow(p - 1) for _ in range(parties - 1)]
        return [*free, (secret - sum(free)) % p]

    assert "tells nothing" in codes(secret_sharing.pieces(narrow, 3, 14))


@pytest.mark.parametrize(
    ("make", "again", "code"),
    [
        (lambda s, t, n, p: points(s, min(t, 2), n, p), rebuild, "fewer"),
        (lambda s, t, n, p: [(x, s) for x in range(1, n + 1)], rebuild, "tells nothing"),
        (points, lambda some, p: float(rebuild(some, p)), "rebuilds"),
        (points, lambda some, p: some[0][1], "rebuilds"),
        (lambda s, t, n, p: dict(points(s, t, n, p)), rebuild, "form"),
        (lambda s, t, n, p: points(s, t, n + 1, p), rebuild, "form"),
    ],
)
def test_points_that_are_none_are_told_why(make, again, code):
    assert code in codes(secret_sharing.shamir(make, again, 3, 22))


# -- the log ----------------------------------------------------------------------------------------


def sealed(record):
    body = {name: value for name, value in record.items() if name != "mac"}
    return hashlib.sha512(json.dumps(body, sort_keys=True).encode()).hexdigest()


def append(log, event, actor, patient, key):
    """Written for these tests, with other names than the lab's."""
    name = hmac.new(key.encode(), patient.encode(), "sha256").hexdigest()
    link = log[-1]["mac"] if log else ""
    record = {"a": event, "b": actor, "c": name, "link": link, "at": len(log)}
    return [*log, {**record, "mac": sealed(record)}]


def anchor(log):
    return log[-1]["mac"] if log else ""


def verify(log, kept=None):
    link = ""
    for number, record in enumerate(log, 1):
        if record["link"] != link or record["at"] != number - 1 or record["mac"] != sealed(record):
            return number
        link = record["mac"]
    return 0 if kept in (None, "", *(one["mac"] for one in log)) else len(log) + 1


@pytest.mark.parametrize("seed", range(30))
def test_a_log_with_other_names_earns_all_points(seed):
    assert evidence.log(append, verify, anchor, seed, 26).passed


WITHOUT = {
    "the link": lambda log, kept=None: next((n for n, r in enumerate(log, 1) if r["at"] != n - 1 or r["mac"] != sealed(r)), verify([*log], kept) if kept and verify(log) == 0 else 0),
    "the number": lambda log, kept=None: verify([{**r, "at": n} for n, r in enumerate(log)], kept),
    "the anchor": lambda log, kept=None: verify(log),
    "the first": lambda log, kept=None: verify(log, kept) if verify(log, kept) != 1 else 0,
    "anything": lambda log, kept=None: 0,
}  # fmt: skip


@pytest.mark.parametrize(("left_out", "found"), [("the link", "exchange"), ("the number", "edit"), ("the anchor", "cut"), ("the first", "first"), ("anything", "edit")])  # fmt: skip
def test_each_part_of_a_chain_is_needed(left_out, found):
    assert found in codes(evidence.log(append, WITHOUT[left_out], anchor, 3, 26))


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        (lambda log, e, a, patient, key: append(log, e, a, patient, "one key for all"), "personal"),
        (lambda log, e, a, patient, key: append(log, f"{e} of {patient}", a, patient, key), "personal"),
        (lambda log, e, a, patient, key: append(log, e, a, secrets.token_hex(8), key), "followed"),
        (lambda log, e, a, patient, key: append(log, "event", a, patient, key), "kept"),
        (lambda log, e, a, patient, key: append([], e, a, patient, key), "form"),
        (lambda log, e, a, patient, key: None, "form"),
    ],
)  # fmt: skip
def test_what_stands_in_a_log_is_looked_at(wrong, code):
    assert code in codes(evidence.log(wrong, verify, anchor, 3, 26))


def test_who_calls_everything_wrong_earns_nothing():
    assert evidence.log(append, lambda log, kept=None: 1, anchor, 3, 26).points == 0
