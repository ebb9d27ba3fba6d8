"""The capstone: labels, service, attacks and the audit by rules written once more; and teams that meet in a real gradebook. The samples: test_labs.py."""

import io
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from gradewell import rivals, samples
from gradewell.checks import capstone, hospital, loop
from gradewell.checks.capstone import AUDIENCES, REQUESTERS, RESOURCES, catalogue
from gradewell.checks.capstone import attack as attacks
from gradewell.checks.coding import distances
from gradewell.checks.hospital import KNOWN, WITHIN
from rich.console import Console
from sharewell import content
from sharewell.course import Course, make
from sharewell.exchange import Exchange
from sharewell.exchange.unfinished import STEPS, Unfinished
from sharewell.grading import grade

LAB = "capstone-closed-loop"
LABELS = {
    # by hand, from the decision rules of the curriculum: gov, partner, society
    "timetable": ("public", "public", "public"),  # R0
    "bus positions": ("restricted", "restricted", "restricted"),  # R9
    "register": ("restricted", "non-sharing", "non-sharing"),  # R5
    "stays": ("restricted", "restricted", "non-sharing"),  # R6: k is 8
    "case counts": ("restricted", "restricted", "restricted"),  # R7
    "baskets": ("restricted", "restricted", "non-sharing"),  # R6 and R8
    "road plan": ("non-sharing", "non-sharing", "non-sharing"),  # R1
    "air": ("public", "public", "public"),
}
CITED = dict.fromkeys(
    ["register", "stays", "baskets", "road plan"], "State Secrets Law, article 64"
)


def codes(result):
    return {problem.code for problem in result.problems}


def given(**changed):
    rows = {name: dict(zip(AUDIENCES, some, strict=True)) for name, some in LABELS.items()}
    return rows | changed


def test_the_labels_are_those_of_the_rules():
    assert set(LABELS) == set(RESOURCES)
    assert capstone.labels(given(), 8, CITED).passed
    assert capstone.catalogued(given(), CITED, 2).passed


@pytest.mark.parametrize(
    ("labels", "cited", "code"),
    [
        (given(air={**dict.fromkeys(AUDIENCES, "public"), "society": "restricted"}), CITED, "labels.labels"),
        (given(register={"gov": "non-sharing", "partner": "non-sharing", "society": "public"}), CITED, "labels.looser"),
        (given(), {**CITED, "road plan": "internal policy"}, "labels.citations"),
        (given(), None, "labels.citations"),
        ({}, CITED, "labels.form"),
        (None, CITED, "labels.form"),
        (given(air="public"), CITED, "labels.form"),
    ],
)  # fmt: skip
def test_other_labels_are_told(labels, cited, code):
    assert code in codes(capstone.labels(labels, 8, cited))


@pytest.mark.parametrize("label", ["public", "restricted", "non-sharing"])
def test_the_same_label_for_all_earns_nothing(label):
    same = {name: dict.fromkeys(AUDIENCES, label) for name in RESOURCES}
    assert capstone.labels(same, 8, dict.fromkeys(RESOURCES, CITED["stays"])).points == 0


def test_the_visible_check_does_not_give_labels_away():
    wrong = given(air=dict.fromkeys(AUDIENCES, "restricted"))
    assert capstone.catalogued(wrong, CITED, 2).passed


def answer(request):
    """Written for these tests."""
    audience, abroad = REQUESTERS[request["requester"]]
    label = LABELS[request["resource"]][AUDIENCES.index(audience)]
    resource = RESOURCES[request["resource"]]
    if label == "public":
        return "approve", request["fields"]
    ground = request["ground"] == ("duty" if audience == "gov" else "contract")
    if label == "non-sharing" or not ground or (abroad and resource.about_people):
        return "reject", "no"
    fields = set(resource.needs.get(request["purpose"], ())) & set(request["fields"])
    return ("approve", fields) if fields else ("reject", "no")


@pytest.mark.parametrize("seed", range(20))
def test_a_desk_by_the_rules_earns_all_points_and_every_rule_is_put_to_the_test(seed):
    assert capstone.service(answer, seed, 10).passed
    lenient = capstone.service(lambda request: ("approve", request["fields"]), seed, 10)
    strict = capstone.service(lambda request: ("reject", "no"), seed, 10)
    assert (lenient.points, strict.points) == (0, 0)
    told = codes(lenient) | codes(strict)
    assert told == {f"service.{name}" for name in catalogue._SERVED}


@pytest.mark.parametrize("wrong", [None, "approve", ("approve",), ("approve", "all"), ("reject", " "), ("reject", None), ("perhaps", [])])  # fmt: skip
def test_what_is_no_answer_is_told_so(wrong):
    assert codes(capstone.service(lambda request: wrong, 3, 10)) == {"service.form"}


def attack(table, known):
    fits = distances(table, known, [n for n in KNOWN if n in table], WITHIN) == 0
    said = [set(table["illness"][row]) for row in fits]
    return {who: some.pop() for who, some in zip(known.index, said, strict=True) if len(some) == 1}


@pytest.mark.parametrize("seed", range(5))
def test_an_attack_that_says_only_what_is_sure_earns_all_points(seed):
    assert capstone.attacks(attack, seed, 8).passed


def test_an_attack_that_guesses_counts_for_nothing_against_a_release():
    people = hospital.patients(3)
    table = people.drop(columns="phone")
    assert attacks.found_by(attack, table, people) > 0.9
    assert attacks.found_by(lambda table, known: dict.fromkeys(known.index, "other"), table, people) == 0  # fmt: skip
    assert attacks.found_by(lambda table, known: None, table, people) == 0


def test_each_log_breaks_one_rule_that_can_be_found():
    logs = capstone.logs()
    first = {name: loop.breaches(log)[0] for name, log in logs.items()}
    assert {one.code for one in first.values()} == {"I2", "I5", "I9"}
    right = {name: (one.number, one.code) for name, one in first.items()}
    assert capstone.audited(right, 6).passed
    assert capstone.audited({**right, "west": (right["west"][0], "I1")}, 6).points == 5
    for wrong in (None, {}, {"north": 3}, {"north": (None, None)}):
        assert capstone.audited(wrong, 6).points == 0


def test_the_finished_exchange_and_an_unwritten_one_earn_nothing():
    assert codes(capstone.closes(Exchange, 3, 14, 5)) == {"loop.copied"}
    assert capstone.closes(Unfinished, 3, 14, 5).points == 0
    with pytest.raises(NotImplementedError):
        Unfinished(loop.PEOPLE, loop.FIRST).approve("Ana", "G1")
    assert all(step in vars(Unfinished) for step in STEPS)


# -- teams against each other -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def met(tmp_path_factory, bubblewrap):
    """A course in which four teams handed in, were graded, and met; the outcomes by team, and the course."""
    folder = tmp_path_factory.mktemp("rivals") / "course"
    make(folder)
    course = Course(folder)
    loaded = {sample.name: sample for sample in samples.load(content.submissions() / LAB)}
    chosen = {
        "able": "right/model",
        "bare": "wrong/release-as-it-is",
        "crew": "wrong/attack-nobody",
        "dead": "hostile/exits-before-the-tests",
    }
    from sharewell.grading import prepare

    prepare(course, LAB)
    source, given = (folder / step / LAB / f"{LAB}.ipynb" for step in ("source", "release"))
    for team, name in chosen.items():
        path = folder / "submitted" / team / LAB / f"{LAB}.ipynb"
        path.parent.mkdir(parents=True)
        nbformat.write(loaded[name].notebook(source, given), path)
    grade(course, LAB)
    ran = subprocess.run(
        [Path(sys.executable).with_name("gradewell"), "rivals", LAB],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return course, ran


@pytest.mark.xdist_group("rivals")
def test_attacks_meet_releases_and_the_gradebook_says_how_they_stood(met):
    course, ran = met
    assert ran.returncode == 0, ran.stderr
    stood = {}
    with course.gradebook() as gradebook:
        for team in ("able", "bare", "crew", "dead"):
            points = gradebook.find_grade("stood-answer", LAB, LAB, team)
            comment = gradebook.find_comment("stood-answer", LAB, LAB, team).manual_comment
            assert not points.needs_manual_grade
            stood[team] = (points.manual_score, comment)
    assert stood["able"][0] == stood["crew"][0] == 8
    assert stood["bare"][0] == 0
    assert "9" in stood["bare"][1]
    assert "3 other teams attacked" in stood["able"][1]
    assert stood["dead"][0] == 0
    assert "no release" in stood["dead"][1]
    assert "bare" in ran.stdout


@pytest.mark.xdist_group("rivals")
def test_it_takes_two_teams(tmp_path, bubblewrap):
    make(tmp_path / "course")
    ran = subprocess.run(
        [Path(sys.executable).with_name("gradewell"), "rivals", LAB],
        cwd=tmp_path / "course", capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.returncode == 2
    assert "it takes two teams" in ran.stderr


@pytest.mark.parametrize(
    ("found", "released", "share"),
    [({}, True, 1), ({"a": 0.01}, True, 1), ({"a": 0.0, "b": 0.055}, True, 0.5), ({"a": 0.1}, True, 0), ({"a": 0.9}, True, 0), ({}, False, 0)],
)  # fmt: skip
def test_points_fall_from_one_to_ten_in_a_hundred(found, released, share):
    assert rivals.Outcome("t", found, released).share == pytest.approx(share)


def test_every_team_attacks_the_next_three_in_a_circle():
    teams = list("abcde")
    attacked = [one for team in teams for one in rivals._next(team, teams)]
    assert rivals._next("d", teams) == ["e", "a", "b"]
    assert all(attacked.count(team) == rivals.RIVALS for team in teams)
    assert rivals._next("a", ["a", "b"]) == ["b"]


def test_outcomes_are_shown_the_weakest_first():
    some = [rivals.Outcome("one", {"b": 0.0}, True), rivals.Outcome("two", {}, False)]
    console = Console(width=80, record=True, file=io.StringIO())
    console.print(rivals.shown(some))
    text = console.export_text()
    assert text.index("two") < text.index("one")
    assert "no release" in text
