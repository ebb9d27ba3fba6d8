"""Lab 8's attacks find what they are for, and nothing where there is nothing to find. The samples: test_labs.py."""

import hashlib
import hmac

import numpy as np
import pandas as pd
import pytest
from gradewell.checks import exposure, hospital, pseudonyms, release
from gradewell.checks.hospital import AREAS, KNOWN


def codes(result):
    return {problem.code.partition(".")[2] for problem in result.problems}


def with_hmac(numbers, key):
    return [hmac.new(key.encode(), n.encode(), hashlib.sha256).hexdigest() for n in numbers]


@pytest.mark.parametrize("seed", range(30))
def test_pseudonyms_with_a_key_earn_all_points(seed):
    assert pseudonyms.pseudonyms(with_hmac, seed, 10).passed


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        (lambda numbers, key: [hashlib.md5(n.encode()).hexdigest() for n in numbers], "dictionary"),
        (lambda numbers, key: [n[::-1] for n in numbers], "dictionary"),
        (lambda numbers, key: [f"{place}{key}" for place in range(len(numbers))], "joins"),
        (lambda numbers, key: with_hmac(numbers, key[1:]), "whole key"),
        (lambda numbers, key: [made[:2] for made in with_hmac(numbers, key)], "one for each"),
        (lambda numbers, key: [made + with_hmac([n], "")[0][:8] for n, made in zip(numbers, with_hmac(numbers, key), strict=True)], "other keys"),
        (lambda numbers, key: [str(int(n) * 3 + sum(key.encode()) ** 4) for n in numbers], "nothing left"),
        (lambda numbers, key: with_hmac(numbers, key)[1:], "form"),
        (lambda numbers, key: set(with_hmac(numbers, key)), "form"),
        (lambda numbers, key: [int(made, 16) for made in with_hmac(numbers, key)], "form"),
    ],
)  # fmt: skip
def test_pseudonyms_that_can_be_undone_are_told_why(wrong, code):
    assert code in codes(pseudonyms.pseudonyms(wrong, 3, 10))


def test_a_prefix_that_is_the_same_for_all_joins_nothing():
    named = lambda numbers, key: [f"patient-{made}" for made in with_hmac(numbers, key)]  # noqa: E731
    assert pseudonyms.pseudonyms(named, 3, 10).passed


# -- exposure ---------------------------------------------------------------------------------------


def links(release, club):
    """Written for these tests."""
    of = {}
    for patient, *known, _ in release.to_numpy().tolist():
        of.setdefault(tuple(known), set()).add(patient)
    who = {}
    for member, *known in club.to_numpy().tolist():
        who.setdefault(tuple(known), []).append(member)
    return {
        members[0]: next(iter(of[known]))
        for known, members in who.items()
        if not any(pd.isna(v) for v in known) and len(members) == len(of.get(known, ())) == 1
    }


@pytest.mark.parametrize("seed", range(30))
def test_an_independent_attack_earns_all_points(seed):
    assert exposure.links(links, seed, 12).passed


@pytest.mark.parametrize("wrong", [None, [("M1", "A1")], "M1", 3])
def test_what_is_no_dict_of_people_is_told_so(wrong):
    assert codes(exposure.links(lambda release, club: wrong, 3, 12)) == {"form"}


def reports(table, known, model, context):
    sizes = pd.Series(list(map(str, table[known].to_numpy().tolist()))).value_counts()
    risks = 1 / sizes.to_numpy()
    above = (sizes < {"public": 20, "contract": 5, "enclave": 3}[model]).mean()
    overall = 1 if above else risks.max() if model == "public" else risks.mean() * context
    return {"DRa": above, "DRb": risks.max(), "DRc": risks.mean(), "R": overall}


@pytest.mark.parametrize("seed", range(30))
def test_an_independent_report_earns_all_points(seed):
    assert exposure.report(reports, seed, 12).passed


@pytest.mark.parametrize(
    ("sizes", "model", "above"),
    [
        ([19, 21], "public", 0.5), ([20, 21], "public", 0), ([21, 40], "public", 0),
        ([4, 9], "contract", 0.5), ([5, 9], "contract", 0), ([2, 3], "enclave", 0.5), ([3, 3], "enclave", 0),
    ],
)  # fmt: skip
def test_a_class_of_just_the_size_that_is_asked_for_is_not_above_the_threshold(sizes, model, above):
    assert exposure._report(sizes, model, 1.0)["DRa"] == above


@pytest.mark.parametrize("wrong", [None, {}, {"DRa": 0, "DRb": 0, "DRc": 0}, {"DRa": 0, "DRb": 0, "DRc": 0, "R": np.nan}, (0, 0, 0, 0)])  # fmt: skip
def test_what_is_no_report_is_told_so(wrong):
    assert codes(exposure.report(lambda *_: wrong, 3, 12)) == {"form"}


# -- the release ------------------------------------------------------------------------------------


def bands(column, width):
    low = column // width * width
    return low.astype(str) + "-" + (low + width - 1).astype(str)


def coarse(people, age=20, nights=8, k=5, varied=2):
    made = people[[*KNOWN, "illness"]].assign(
        age=bands(people["age"], age),
        nights=bands(people["nights"], nights),
        district=people["district"].map(AREAS),
    )
    classes = made.groupby(list(KNOWN))["illness"]
    return made[(classes.transform("size") >= k) & (classes.transform("nunique") >= varied)]


def mixed(table):
    return table.sample(frac=1, random_state=1).reset_index(drop=True)


def test_a_crowd_with_variety_in_another_order_stands_all_attacks():
    result = release.published(lambda people: mixed(coarse(people)), 5, 24, shown=True)
    assert result.passed
    assert "yours 0%" in result.figure.alt


@pytest.mark.parametrize(
    ("publish", "found"),
    [
        (lambda people: mixed(people.drop(columns="phone")), {"crowd", "linkage", "variety"}),
        (lambda people: mixed(coarse(people, k=2)), {"crowd"}),
        (lambda people: mixed(coarse(people, age=10, varied=1)), {"variety"}),
        (lambda people: coarse(people), {"order"}),
        (lambda people: coarse(people).reset_index(drop=True), {"order"}),
        (lambda people: coarse(people)[::-1].reset_index(drop=True), {"order"}),
        (lambda people: mixed(coarse(people).assign(row=lambda t: t.index)), {"two releases"}),
        (lambda people: mixed(coarse(people)).head(900), {"rows", "utility"}),
        (lambda people: mixed(coarse(people).assign(illness="cancer")), {"true"}),
        (lambda people: mixed(people[["sex", "illness"]]), {"utility"}),
        (lambda people: people.drop(columns="phone").head(0), {"rows", "utility"}),
        (lambda people: people.assign(age=30), {"identifiers"}),
        (lambda people: mixed(coarse(people)).drop(columns="illness"), {"form"}),
        (lambda people: mixed(people[["illness"]]), {"form"}),
        (lambda people: people.to_dict(), {"form"}),
    ],
)  # fmt: skip
def test_each_attack_finds_what_it_is_for(publish, found):
    assert found <= codes(release.published(publish, 5, 24))


@pytest.mark.parametrize("seed", range(20))
def test_rows_in_an_order_of_chance_are_not_taken_for_the_hospitals(seed):
    people = hospital.patients(seed)
    mixed_up = coarse(people).sample(frac=1, random_state=seed).reset_index(drop=True)
    assert release._in_order(mixed_up, hospital.read(mixed_up, people)[0]) < 0.3


def test_utility_is_lost_by_coarser_values_left_out_columns_and_left_out_rows():
    people = hospital.patients(5)
    whole = hospital.utility_lost(people, people, 5)
    some, more = (hospital.utility_lost(coarse(people, age=age), people, 5) for age in (20, 40))
    without = hospital.utility_lost(coarse(people).drop(columns="age"), people, 5)
    half = hospital.utility_lost(coarse(people).head(800), people, 5)
    assert whole == pytest.approx(0, abs=1e-6)
    assert whole < some < more < without < 1
    assert half > some
    assert hospital.utility_lost(people.head(0), people, 5) == pytest.approx(1)


def test_patients_are_others_with_another_seed_and_nobodys_real_numbers():
    one, other = hospital.patients(5), hospital.patients(6)
    assert not set(one["phone"]) & set(other["phone"]) or len(one) != len(other)
    assert one["phone"].is_unique
    assert hospital.patients(5).equals(one)
