"""The one index of the course: what it names is there."""

import datapolis
import pytest
from sharewell import content

SYLLABUS = content.syllabus()
LESSONS = [lesson for module in SYLLABUS["modules"] for lesson in module["lessons"]]
LABS = [lab for module in SYLLABUS["modules"] for lab in module["labs"]]
LEVELS = ("remember", "understand", "apply", "analyse", "evaluate", "create")
CCDS = ("AI", "AP", "BDS", "CCF", "DG", "DM", "DP", "ML", "PDA", "PR", "SDM")


def name(part):
    return part.get("number") or part["name"]


@pytest.mark.parametrize("part", [*LESSONS, *LABS], ids=name)
def test_outcomes_and_datasets_exist(part):
    assert part["outcomes"]
    assert set(part["outcomes"]) <= set(SYLLABUS["outcomes"])
    assert set(part["datasets"]) <= set(datapolis.tables())


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


def test_what_a_lab_asks_for_is_taught_before_it():
    """But for the memo (O13), which each lab asks for and none teaches alone."""
    taught = set()
    for module in SYLLABUS["modules"]:
        for lesson in module["lessons"]:
            taught |= set(lesson["outcomes"])
        for lab in module["labs"]:
            assert lab["follows"] in {lesson["number"] for lesson in module["lessons"]}
            assert set(lab["outcomes"]) - {"O13"} <= taught, lab["name"]
