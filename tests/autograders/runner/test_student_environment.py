"""Environment variables that differ from student to student: in the notebook, in its judge, and nowhere else."""

import pytest
from sharewell import variant

pytestmark = pytest.mark.xdist_group("environment")

SAYS = "import os\nmine = os.environ.get('MINE', '')\nprint('MINE', mine)"
CONFIG = "c.Runner.student_environment = lambda student: {'MINE': f'of {student}'}\n"
TEST = "import os\nassert mine == os.environ['MINE'] == 'of ' + who"


def course_with(new_course, cells, path, config, **options):
    course = new_course(path, config)
    course.lab(
        "lab",
        lab=[
            cells.answer("answer", SAYS),
            cells.answer("who", "who = ''"),
            cells.test("test", TEST),
        ],
        **options,
    )
    for student in ("ada", "bob"):
        course.hand_in(student, "lab", answers={"answer": SAYS, "who": f"who = {student!r}"})
    return course  # fmt: skip


@pytest.mark.parametrize("way", ["forked", "forked, with a judge", "ordinary kernel"])
def test_each_notebook_and_its_judge_get_their_own(way, new_course, cells, tmp_path, another):
    config = CONFIG + f"c.Runner.judge = {'judge' in way}\n"
    options = {"kernel": another} if "ordinary" in way else {}
    course = course_with(new_course, cells, tmp_path / "course", config, **options)
    course.gradewell("lab")
    for student in ("ada", "bob"):
        assert course.points(student, "lab") == {"test": 1}, course.outputs(student, "lab")


def test_nbgrader_itself_gives_them_with_our_preprocessors(new_course, cells, tmp_path):
    ours = (
        "from gradewell.runner.execute import preprocessors\n"
        "c.Autograde.autograde_preprocessors = preprocessors()\n"
    )
    course = course_with(new_course, cells, tmp_path / "course", CONFIG + ours)
    course.nbgrader("autograde", "lab")
    assert course.scores("lab") == {"ada": 1, "bob": 1}


def test_without_it_there_are_none(new_course, cells, tmp_path):
    course = course_with(new_course, cells, tmp_path / "course", "")
    course.gradewell("lab")
    assert course.scores("lab") == {"ada": 0, "bob": 0}


def test_a_number_copied_from_a_neighbour_is_wrong(new_course, cells, tmp_path):
    """The whole way: my_seed in the notebook, and in the judge's test."""
    config = (
        "from sharewell import variant\nc.Runner.student_environment = variant.environment('secret')\n"
        "c.Runner.judge = True\n"
    )
    course = new_course(tmp_path / "course", config)
    own = "answer = my_seed('lab') % 1_000_000"
    course.lab(
        "lab",
        lab=[
            cells.locked("setup", "from sharewell import my_seed"),
            cells.answer("answer", own),
            cells.test("test", "assert answer == my_seed('lab') % 1_000_000"),
        ],
    )
    key = variant.environment("secret")("ada")[variant.VARIABLE]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(variant.VARIABLE, key)
        number = variant.my_seed("lab") % 1_000_000
    course.hand_in("ada", "lab", answers={"answer": f"answer = {number}"})
    course.hand_in("bob", "lab", answers={"answer": f"answer = {number}"})
    course.hand_in("cy", "lab", answers={"answer": own})
    course.gradewell("lab")
    assert course.scores("lab") == {"ada": 1, "bob": 0, "cy": 1}
