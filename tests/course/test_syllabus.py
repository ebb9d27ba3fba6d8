"""The one index of the course: what it names is there, and it leaves nothing out."""

import json
import re

import datapolis
import nbformat
import pytest
from sharewell import content

SYLLABUS = content.syllabus()
MODULES = SYLLABUS["modules"]
LESSONS = [lesson for module in MODULES for lesson in module["lessons"]]
LABS = [lab for module in MODULES for lab in module["labs"]]
LEVELS = ("remember", "understand", "apply", "analyse", "evaluate", "create")
CCDS = ("AI", "AP", "BDS", "CCF", "DG", "DM", "DP", "ML", "PDA", "PR", "SDM")


def name(part):
    return part.get("number") or part["name"]


THERE = {name(part) for part in [*LESSONS, *LABS]}


def read(part):
    place = part.get("notebook") or f"source/{part['name']}/{part['name']}.ipynb"
    return nbformat.read(content.root() / place, as_version=4)


def words(cells):
    return sum(len(cell.source.split()) for cell in cells if cell.cell_type == "markdown")


@pytest.mark.parametrize("part", [*LESSONS, *LABS], ids=name)
def test_outcomes_and_datasets_exist(part):
    assert part["outcomes"]
    assert set(part["outcomes"]) <= set(SYLLABUS["outcomes"])
    assert set(part.get("datasets", ())) <= set(datapolis.tables())


@pytest.mark.parametrize("lesson", LESSONS, ids=name)
def test_the_datasets_of_a_lesson_are_those_that_it_loads(lesson):
    text = (content.root() / lesson["notebook"]).read_text(encoding="utf-8")
    for table in datapolis.tables():
        used = f'"{table}\\"' in text or f'\\"{table}\\"' in text
        assert used == (table in lesson["datasets"]), table


@pytest.mark.parametrize("outcome", SYLLABUS["outcomes"].values(), ids=list(SYLLABUS["outcomes"]))
def test_an_outcome_says_what_a_student_can_do_at_which_level(outcome):
    assert set(outcome) == {"can", "level", "ccds", "edison"}
    assert outcome["level"] in LEVELS
    assert outcome["ccds"]
    assert set(outcome["ccds"]) <= set(CCDS)


@pytest.mark.parametrize("outcome", SYLLABUS["outcomes"])
def test_every_outcome_is_taught_and_graded(outcome):
    parts = [*LESSONS, *LABS]
    where = [name(part) for part in parts if outcome in part["outcomes"]]
    assert any(re.fullmatch(r"\d\.\d", one) for one in where), "taught in no lesson"
    assert any(not re.fullmatch(r"\d\.\d", one) for one in where), "graded in no lab"


@pytest.mark.parametrize("lab", LABS, ids=name)
def test_each_task_of_a_lab_grades_an_outcome(lab):
    """With hidden tests, or read by a person; and but for the memo and the students' own cases, with a check that students run."""
    graded = [task for tasks in lab["outcomes"].values() for task in tasks]
    assert set(graded) == set(lab["tasks"])
    cells = {cell.id for cell in read(lab).cells if cell.metadata.nbgrader.grade}
    for task in lab["tasks"]:
        assert {f"{task}-check", f"{task}-answer"} & cells, task
    assert lab["outcomes"]["O13"] == ["memo"]


@pytest.mark.parametrize("lab", LABS, ids=name)
def test_what_a_lab_asks_for_is_taught_before_it(lab):
    taught = set()
    for module in MODULES:
        for lesson in module["lessons"]:
            taught |= set(lesson["outcomes"])
        if lab in module["labs"]:
            assert lab["follows"] in {lesson["number"] for lesson in module["lessons"]}
            assert set(lab["outcomes"]) <= taught
            return


@pytest.mark.parametrize("lesson", LESSONS, ids=name)
def test_a_lesson_needs_what_it_says_and_what_comes_before_it(lesson):
    numbers = [one["number"] for one in LESSONS]
    assert numbers == sorted(numbers)
    for needed in lesson["needs"]:
        assert numbers.index(needed) < numbers.index(lesson["number"])
    (said,) = re.findall(r"You need (.*)", read(lesson).cells[0].source)
    assert re.findall(r"\d\.\d", said) == lesson["needs"]


@pytest.mark.parametrize("proposal", SYLLABUS["proposals"], ids=lambda one: one["says"][:30])
def test_every_proposal_of_the_article_is_taught(proposal):
    assert proposal["where"]
    for part in proposal["where"]:
        assert part in THERE, part


def test_the_weeks_add_up():
    assert sum(module["weeks"] for module in MODULES) + 2 == SYLLABUS["weeks"]


@pytest.mark.parametrize("lesson", LESSONS, ids=name)
def test_the_minutes_of_a_lesson_fit_what_there_is_to_read_and_do(lesson):
    """A reckoning, not a measurement: 170 words or 8 lines of code a minute, a minute and a half for each prediction and question."""
    cells = read(lesson).cells
    code = sum(len(c.source.splitlines()) for c in cells if c.cell_type == "code")
    stops = sum("Predict, then run" in cell.source for cell in cells)
    stops += len(json.loads((content.root() / lesson["notebook"]).with_suffix(".quiz.json").read_text(encoding="utf-8")))  # fmt: skip
    reckoned = words(cells) / 170 + code / 8 + 1.5 * stops
    assert lesson["minutes"] == pytest.approx(reckoned, rel=0.25)
    assert 30 <= lesson["minutes"] <= 45
    assert f"About {lesson['minutes']} minutes." in cells[0].source


@pytest.mark.parametrize("lab", LABS, ids=name)
def test_the_hours_of_a_lab_fit_its_tasks(lab):
    """A reckoning, not a measurement: 150 words a minute, 2.2 minutes for a line of the solution, 75 for the memo."""
    cells = read(lab).cells
    solution = "\n".join(c.source for c in cells if c.metadata.nbgrader.solution and c.cell_type == "code")  # fmt: skip
    written = re.findall(r"### BEGIN SOLUTION\n(.*?)### END SOLUTION", solution, re.DOTALL)
    lines = sum(1 for part in written for line in part.splitlines() if line.strip())
    told = words([cell for cell in cells if not cell.metadata.nbgrader.solution])
    reckoned = (told / 150 + 2.2 * lines + 75) / 60
    assert lab["hours"] == pytest.approx(reckoned, rel=0.25)
    number = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight")[lab["hours"]]
    assert f"Plan about {number} hours" in cells[0].source
