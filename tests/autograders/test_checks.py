"""The checks of lab 4 on many populations: no false alarm, and no wrong classifier that passes."""

import os
import subprocess
import sys
import time
from dataclasses import replace

import datapolis
import pytest
from gradewell.checks import CheckFailed, assemble, classification, population_seed, profiling
from gradewell.checks.calls import CallFailed, call, runs_code_of
from hypothesis import given, settings
from hypothesis import strategies as st
from sharewell.classify import Decision, Item
from sharewell.classify import classify as reference
from sharewell.classify import classify_table as reference_table

SEEDS = range(1_000, 1_060)


@pytest.fixture
def own_work(monkeypatch):
    """The toolkit's rules stand in for a right solution here: do not take them for copied ones."""
    monkeypatch.setattr(classification, "_copied", lambda *arguments: None)


def test_right_classifier_gets_full_points_on_60_populations(own_work):
    for seed in SEEDS:
        assert classification.cards(reference, seed, mixed=60).passed
        assert classification.properties(reference, seed, each=20).passed
        assert classification.table(reference_table, seed).passed
    assert classification.examples(reference).passed
    assert classification.table(reference_table, points=2).passed


@pytest.mark.parametrize("name", classification.WRONG)
def test_wrong_classifier_is_caught_on_every_population(name, own_work):
    wrong = classification.WRONG[name]
    for seed in range(20):
        result = classification.cards(wrong, seed)
        assert not result.passed
        assert result.problems


@pytest.mark.parametrize("label", ["public", "restricted", "non-sharing"])
def test_always_the_same_answer_earns_next_to_nothing(label, own_work):
    def constant(item):
        return Decision(
            label, frozenset({"log"}) if label == "restricted" else frozenset(), ("so",), "law 1"
        )

    assert classification.cards(constant, 1).points <= 1.5
    assert classification.properties(constant, 1).points == 0
    table = classification.table(lambda columns, joint: constant(joint), 1)
    assert table.points <= 0.5 * table.possible


def test_properties_are_shown_on_the_smallest_item(own_work):
    result = classification.properties(classification.WRONG["secrets are ignored"], 5)
    (problem,) = (p for p in result.problems if p.code == "properties.P11")
    assert "Item(secret=" in problem.message
    assert problem.message.count("=") == 1
    result = classification.properties(classification.WRONG["an unknown k is taken for large"], 5)
    (problem,) = (p for p in result.problems if p.code == "properties.P9")
    assert "Item(audience='society', personal='deidentified')" in problem.message


def test_hidden_cards_are_not_shown(own_work):
    for name, wrong in classification.WRONG.items():
        for problem in classification.cards(wrong, 3).problems:
            assert "Item(" not in problem.message, name


def test_the_toolkit_is_not_the_students_work():
    for check in (classification.cards, classification.properties):
        result = check(reference, 1)
        assert (result.points, result.problems[0].code) == (0, "copied")
    assert (
        classification.table(lambda columns, joint: reference_table(columns, joint), 1).points == 0
    )
    assert classification.examples(lambda item: reference(item)).points < 6


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (lambda item: "public", "got str"),
        (lambda item: None, "got NoneType"),
        (lambda item: Decision("open"), "another label"),
        (lambda item: 1 / 0, "ZeroDivisionError"),
    ],
)
def test_answers_of_the_wrong_kind_are_explained(function, said):
    for result in (
        classification.examples(function),
        classification.cards(function, 1),
        classification.properties(function, 1),
        classification.table(lambda columns, joint, function=function: function(joint), 1),
    ):
        assert result.points == 0
        assert said in result.problems[0].message


def test_own_cases_are_judged_by_right_and_wrong_classifiers():
    sharp = [
        (Item(audience="society", personal="deidentified", k=19), "non-sharing"),
        (Item(audience="society", personal="deidentified", k=20), "public"),
        (Item(audience="partner", personal="deidentified", sensitive=True, k=5), "restricted"),
        (Item(audience="partner", personal="identified", basis="duty"), "non-sharing"),
        (Item(grade="core"), "non-sharing"),
        (Item(secret="work"), "non-sharing"),
    ]
    assert classification.cases(sharp).passed
    assert classification.cases(sharp[:1] * 5).points < 4
    assert classification.cases([]).points == 0
    assert classification.cases(None).points == 0
    wrong = classification.cases([(item, "public") for item, _ in sharp])
    assert {problem.code for problem in wrong.problems} >= {"cases.wrong", "cases.few"}


@pytest.mark.parametrize("seed", range(0, 200, 8))
def test_hidden_tables_hold_every_kind_that_wrong_solutions_stumble_over(seed):
    seen = []

    def watching(table):
        seen.append(table)
        return {column: ("none", "", 0) for column in table}

    result = profiling.hidden(watching, seed)
    assert result.points == 0
    assert len(seen) == profiling.HIDDEN_TABLES + 1
    codes = {problem.code for problem in result.problems}
    assert {
        "profile.missed.identity number",
        "profile.missed.notes",
        "profile.missed.phone",
    } <= codes


def test_practice_tables_hold_every_kind():
    from datapolis.unlabelled import _MAKERS, choose

    kinds = {kind for seed in profiling.PRACTICE_SEEDS for _, kind in choose(seed)}
    assert kinds == set(_MAKERS)


def test_profiles_of_the_wrong_form_are_explained():
    for said in (None, [], {"c01": "direct"}, {}):
        result = profiling.practice(lambda table, said=said: said, seed=4)
        assert result.points == 0
        assert "profile" in result.problems[0].message


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**40))
def test_risky_sets_agree_with_counting_by_hand(seed):
    table = datapolis.load("residents", rows=60, seed=seed)
    table = table.assign(year=table["birth_date"].dt.year // 20, job=table["occupation"].str[:1])
    columns = ["sex", "year", "job"]
    found = profiling.smallest_risky_sets(table, columns, 0.2)
    rows = list(table[columns].itertuples(index=False, name=None))
    for members in found:
        places = [columns.index(name) for name in members]
        seen = [tuple(row[place] for place in places) for row in rows]
        assert sum(seen.count(row) == 1 for row in seen) / len(seen) > 0.2
    assert not any(a < b for a in found for b in found)


def test_assembled_lines_run_and_bad_ones_are_named():
    lines = {"A": "def f(x):", "B": "    return x + 1", "C": "return 0"}
    assert assemble(lines, ["A", "B"], "f", {})(1) == 2
    for order, said in (
        ([], "empty"),
        (["Z"], "no line 'Z'"),
        (["A", "C"], "stops at line C"),
        (["A"], "stops at line A"),
    ):
        with pytest.raises(CheckFailed, match=said):
            assemble(lines, order, "f", {})
    with pytest.raises(CheckFailed, match="no function g"):
        assemble(lines, ["A", "B"], "g", {})


def test_calls_are_quiet_and_errors_become_messages(capsys):
    def noisy(x):
        print("out")
        print("err", file=sys.stderr)
        raise KeyError("secret value")

    with pytest.raises(CallFailed, match=r"noisy\(...\) raised KeyError$"):
        call(noisy, 1)
    with pytest.raises(CallFailed, match="secret value"):
        call(noisy, 1, shown="1")
    assert capsys.readouterr() == ("", "")


def test_watching_a_call_finds_code_of_a_module():
    assert runs_code_of("sharewell.classify", lambda: reference(Item()))
    assert not runs_code_of("sharewell.classify", lambda: replace(Item(), k=3))
    assert not runs_code_of("sharewell.classify", time.time)


def test_the_secret_decides_the_population(monkeypatch):
    monkeypatch.setenv("SHAREWELL_SECRET", "one")
    first = population_seed("lab-a"), population_seed("lab-b")
    assert first == (population_seed("lab-a"), population_seed("lab-b"))
    assert first[0] != first[1]
    monkeypatch.setenv("SHAREWELL_SECRET", "two")
    assert population_seed("lab-a") != first[0]
    monkeypatch.delenv("SHAREWELL_SECRET")
    assert population_seed("lab-a") != population_seed("lab-a")


def test_checks_import_without_the_secret_or_a_display():
    environment = {k: v for k, v in os.environ.items() if k not in ("SHAREWELL_SECRET", "DISPLAY")}
    code = "from gradewell.checks import classification, profiling"
    subprocess.run([sys.executable, "-c", code], env=environment, check=True)
