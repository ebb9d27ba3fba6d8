"""Lab 10's engine and agreement, with rules written once more. The samples: test_labs.py."""

import itertools

import pytest
from gradewell.checks import agreement, engine
from gradewell.checks.access import ABSENT


def codes(result):
    return {problem.code for problem in result.problems}


def applies(policy, request):
    """Written for these tests."""
    lacking = object()
    asked = [(request.get(name, lacking), values) for name, values in policy["where"].items()]
    if policy["until"]:
        day = request.get("day", lacking)
        asked.append((day, [day] if day is not lacking and day <= policy["until"] else []))
    known = [value in values for value, values in asked if value is not lacking]
    return all(known) and (policy["effect"] == "forbid" or len(known) == len(asked))


def decide(policies, request):
    effects = [(one["effect"], one["duties"]) for one in policies if applies(one, request)]
    if {effect for effect, _ in effects} == {"permit"}:
        return "allow", set(itertools.chain(*(duties for _, duties in effects)))
    return "deny", set()


@pytest.mark.parametrize("seed", range(30))
def test_an_engine_written_otherwise_earns_all_points(seed):
    assert engine.applies(applies, seed, 12).passed
    assert engine.decides(decide, seed, 20).passed


@pytest.mark.parametrize("wrong", [None, "yes", 1, []])
def test_what_is_no_answer_is_told_so(wrong):
    assert codes(engine.applies(lambda policy, request: wrong, 3, 12)) == {"applies.form"}
    assert "policies.fails when called" in codes(engine.decides(lambda p, r: wrong, 3, 20))


@pytest.mark.parametrize("constant", [True, False])
def test_the_same_for_all_is_no_answer(constant):
    assert engine.applies(lambda policy, request: constant, 3, 12).points == 0


def written(request):
    """The agreement once more, clause by clause."""
    role, purpose, data, place, day, treats, emergency, staff = (
        request.get(name) for name in agreement.ATTRIBUTES
    )
    if place in (None, "abroad") or (staff in (None, True) and treats is not True):
        return "deny", set()
    if role == "doctor" and purpose == "treatment" and treats:
        return "allow", {"log"}
    if (
        role == "researcher"
        and purpose == "study"
        and data == "de-identified"
        and place == "enclave"
        and day
        and day <= 20261231
    ):
        return "allow", {"log", "check what is taken out"}
    if role == "health office" and purpose == "epidemic" and emergency:
        return "allow", {"log", "tell the patient"}
    return "deny", set()  # fmt: skip


def test_the_agreement_is_what_its_clauses_say_on_every_request_there_is():
    count = 0
    for values in itertools.product(*agreement.ATTRIBUTES.values()):
        pairs = zip(agreement.ATTRIBUTES, values, strict=True)
        request = {name: value for name, value in pairs if value != ABSENT}
        found = agreement.agreement(request)
        assert (found.decision, set(found.duties)) == written(request)
        count += found.decision == "allow"
    assert count > 50


@pytest.mark.parametrize("wrong", [None, 3, "", " ", "permit everything", "permit (principal);"])
def test_what_is_no_cedar_is_told_so(wrong):
    result = agreement.kept(wrong, 3, 30)
    assert (result.points, codes(result)) == (0, {"agreement.form"})


def test_a_hole_costs_more_than_its_share_of_the_requests():
    hole = 'permit (principal, action, resource) when { context.role == "doctor" && context.purpose == "treatment" && context.treats };'
    result = agreement.kept(hole, 3, 30)
    assert {"agreement.place", "agreement.study", "agreement.epidemic"} <= codes(result)
    assert result.points < 12


def test_no_request_is_shown_where_it_must_not_be():
    text = str(agreement.kept("permit (principal, action, resource);", 3, 30))
    assert "For example" not in text
    assert "{" not in text
    assert "For example" in str(
        agreement.kept("permit (principal, action, resource);", 3, 4, shown=True)
    )
