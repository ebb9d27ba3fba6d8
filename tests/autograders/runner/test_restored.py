"""The notebook that is graded is the instructor's, with the student's answers in it; and no run, no points."""

import copy
import json

import nbformat
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

pytestmark = pytest.mark.xdist_group("restored")

ALL = {"first": 1, "helped": 1, "second": 2, "third": 4, "words": 0, "drawing": None}
WRITTEN = {
    "answer": "def double(x):\n    return 2 * x",
    "more": "y = 1",
    "words": "My own thoughts.",
}


def of(nb, name):
    """The last cell of a name."""
    return [c for c in nb["cells"] if c["metadata"].get("nbgrader", {}).get("grade_id") == name][-1]


def own(source, make=new_code_cell):
    return json.loads(json.dumps(make(source)))


def each(nb, change):
    for cell in nb["cells"]:
        change(cell)


def move(nb, name, to):
    cell = of(nb, name)
    nb["cells"].remove(cell)
    nb["cells"].insert(to, cell)


def older(nb):
    """As nbformat 4.4 keeps it: no ids."""
    nb["nbformat_minor"] = 4
    each(nb, lambda cell: cell.pop("id"))


def without_names_and_ids(nb):
    older(nb)
    each(nb, lambda cell: cell["metadata"].clear())


def retype(nb, name):
    cell = of(nb, name)
    cell["cell_type"] = "markdown" if cell["cell_type"] == "code" else "code"
    if cell["cell_type"] == "code":
        cell.update(outputs=[], execution_count=None)
    else:
        cell.pop("outputs"), cell.pop("execution_count")


def backup(nb):
    """The student keeps an older answer in a copy of the cell, before it."""
    cell = copy.deepcopy(of(nb, "answer"))
    cell.update(id="backup", source="def double(x):\n    return 0")
    nb["cells"].insert(1, cell)


def stub_after(nb):
    """A copy of the cell as it was handed out, after the answer."""
    cell = copy.deepcopy(of(nb, "more"))
    cell.update(id="stub", source="# YOUR CODE HERE\nraise NotImplementedError()")
    nb["cells"].append(cell)


CHANGES = {  # what became of a notebook with right answers: (change, words of what is said, or none)
    "nothing": (lambda nb: None, ""),
    "own-cells": (
        lambda nb: (
            nb["cells"].insert(3, own("helper = 3")),
            nb["cells"].append(own("# Notes", new_markdown_cell)),
        ),
        "",
    ),
    "test-deleted": (lambda nb: nb["cells"].remove(of(nb, "third")), "third was missing"),
    "all-but-answers-deleted": (
        lambda nb: nb.update(cells=[of(nb, "answer"), of(nb, "more"), of(nb, "words")]),
        "were missing",
    ),
    "locked-deleted": (lambda nb: nb["cells"].remove(of(nb, "setup")), "setup was missing"),
    "imports-deleted": (
        lambda nb: nb["cells"].remove(next(c for c in nb["cells"] if "import" in c["source"])),
        "“import math” was missing",
    ),
    "test-first": (lambda nb: move(nb, "third", 0), "third was moved"),
    "locked-last": (lambda nb: move(nb, "setup", 99), "setup was moved"),
    "backwards": (lambda nb: nb["cells"].reverse(), "moved"),
    "skip-execution": (
        lambda nb: each(nb, lambda cell: cell["metadata"].update(tags=["skip-execution"])),
        "marked otherwise",
    ),
    "raises-exception": (
        lambda nb: each(nb, lambda cell: cell["metadata"].update(tags=["raises-exception"])),
        "",
    ),
    "test-rewritten": (lambda nb: of(nb, "third").update(source="pass"), "third was changed"),
    "locked-rewritten": (
        lambda nb: of(nb, "setup").update(source="def check(f): return True"),
        "setup was changed",
    ),
    "test-retyped": (lambda nb: retype(nb, "third"), "third was of another type"),
    "answer-retyped": (lambda nb: retype(nb, "answer"), "answer was of another type"),
    "essay-retyped": (lambda nb: retype(nb, "words"), "words was of another type"),
    "names-stripped": (lambda nb: each(nb, lambda c: c["metadata"].clear()), "without a name"),
    "names-and-ids-stripped": (without_names_and_ids, "without a name"),
    "old-format": (older, ""),
    "same-ids": (lambda nb: each(nb, lambda cell: cell.update(id="same")), ""),
    "a-backup-of-the-answer": (backup, "answer was there more than once"),
    "the-stub-again": (stub_after, "more was there more than once"),
    "test-copied": (
        lambda nb: nb["cells"].insert(0, copy.deepcopy(of(nb, "third"))),
        "third was there more than once",
    ),
    "flags-changed": (
        lambda nb: of(nb, "third")["metadata"]["nbgrader"].update(grade=False, solution=True),
        "third was marked otherwise",
    ),
    "points-changed": (
        lambda nb: of(nb, "third")["metadata"]["nbgrader"].update(points=1000),
        "",
    ),
    "names-swapped": (
        lambda nb: (
            of(nb, "first")["metadata"]["nbgrader"].update(grade_id="x"),
            of(nb, "third")["metadata"]["nbgrader"].update(grade_id="first"),
            of(nb, "x")["metadata"]["nbgrader"].update(grade_id="third"),
        ),
        "first, third were moved",
    ),
    "other-kernel": (
        lambda nb: nb["metadata"].update(
            kernelspec={"name": "bash", "display_name": "Bash", "language": "bash"}
        ),
        "",
    ),
    "outputs-planted": (
        lambda nb: of(nb, "third").update(
            outputs=[
                {
                    "output_type": "execute_result",
                    "data": {"text/plain": "4.0"},
                    "metadata": {},
                    "execution_count": 1,
                }
            ]
        ),
        "",
    ),
    "digests-planted": (
        lambda nb: nb["metadata"].update(gradewell={"handed_in": "x", "graded_with": "y"}),
        "",
    ),
}


@pytest.fixture(scope="module")
def template(tmp_path_factory, new_course, cells):
    course = new_course(tmp_path_factory.mktemp("restored") / "course")
    return course.lab(
        "lab",
        lab=[
            new_markdown_cell("# The lab", id="title"),
            new_code_cell("import math", id="imports"),
            cells.locked(
                "setup", "def check(function):\n    return function(math.floor(3.5)) == 6"
            ),
            cells.answer("answer", "def double(x):\n    return 2 * x"),
            cells.test("first", "assert double(2) == 4"),
            cells.test("helped", "assert check(double)"),
            cells.answer("more", "y = 1"),
            cells.test("second", "assert y == 1", points=2),
            cells.hidden("third", "assert double(21) == 42", points=4),
            cells.essay("words"),
            cells.task("drawing"),
        ],
    )


@pytest.fixture(scope="module", params=[True, False], ids=["judge", "one-process"])
def changed(request, template, tmp_path_factory):
    """Right answers in notebooks that were changed in each way, and the same without a line of work."""
    course = template.copy(tmp_path_factory.mktemp("changed") / "course")
    with (course.path / "nbgrader_config.py").open("a") as config:
        config.write(f"c.Runner.judge = {request.param}\n")
    for name, (change, _) in CHANGES.items():
        for student, answers in ((name, WRITTEN), (f"{name}-idle", {})):
            folder = course.hand_in(student, "lab", answers=answers).parent
            nb = json.loads((folder / "lab.ipynb").read_text())
            change(nb)
            (folder / "lab.ipynb").write_text(json.dumps(nb))
    return course, course.report("lab")


@pytest.mark.parametrize("name", CHANGES)
def test_right_answers_get_all_points_whatever_became_of_the_other_cells(name, changed):
    course, report = changed
    got = course.points(name, "lab")
    assert got == {**ALL, "words": None}, report[name]["reason"]
    graded = course.graded(name, "lab").cells
    assert of({"cells": graded}, "words").source == "My own thoughts."
    names = [c.metadata.nbgrader.grade_id for c in graded if "nbgrader" in c.metadata]
    assert names == [
        "setup", "answer", "first", "helped", "more", "second", "third", "words", "drawing",
    ]  # fmt: skip


@pytest.mark.parametrize("name", CHANGES)
def test_no_change_of_the_notebook_gives_a_point_without_work(name, changed):
    course, _ = changed
    points = course.points(f"{name}-idle", "lab")
    assert {points[test] for test in ("first", "helped", "second", "third")} == {0}


@pytest.mark.parametrize("name", CHANGES)
def test_what_was_restored_is_said_to_student_and_instructor(name, changed):
    course, report = changed
    _, words = CHANGES[name]
    first = course.graded(name, "lab").cells[0].source
    if words:
        assert words in report[name]["reason"] or f"{words[:-4]}were" in report[name]["reason"]
        assert first.startswith("**Before grading.** Cells of the lab were put back")
    else:
        assert report[name]["reason"] == ""
        assert not first.startswith("**Before grading.**")


def test_the_notebook_is_kept_as_it_was_handed_in(changed):
    course, _ = changed
    for name in ("backwards", "nothing"):
        kept = course.path / "autograded" / name / "lab" / "handed-in" / "lab.ipynb"
        assert (
            kept.read_bytes() == (course.path / "submitted" / name / "lab/lab.ipynb").read_bytes()
        )


def test_own_cells_run_where_they_stood(template, tmp_path):
    course = template.copy(tmp_path / "course")

    def write(nb):
        at = [c.id for c in nb.cells].index("more")
        nb.cells.insert(at, new_code_cell("z = 40", id="before"))
        nb.cells.insert(at + 2, new_code_cell("y = z + 2", id="after"))

    course.hand_in("ada", "lab", answers={**WRITTEN, "more": "y = z"}, change=write)
    course.gradewell("lab")
    assert course.points("ada", "lab")["second"] == 0
    ids = [cell.id for cell in course.graded("ada", "lab").cells]
    assert ids[ids.index("before") : ids.index("after") + 1] == ["before", "more", "after"]


@given(data=st.data())
@settings(
    max_examples=150, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)
def test_any_rearrangement_keeps_the_instructors_cells_and_every_answer(data):
    from gradewell.runner.original import Original, grade_id
    from gradewell.runner.restore import restore

    nb = _lab()
    solutions = {f"answer-{n}": f"def f{n}(x):\n    return x" for n in range(3)}
    original = Original("lab", nb, {cell.id: cell.source for cell in nb.cells}, solutions)
    theirs = copy.deepcopy(nb)
    for n in range(3):
        of(theirs, f"answer-{n}").source = f"def f{n}(x):\n    return x + {n}"
    cells = data.draw(st.permutations(theirs.cells)) if data.draw(st.booleans()) else theirs.cells
    kept = []
    for cell in cells:
        fate = data.draw(st.sampled_from(["keep", "keep", "drop", "double", "strip", "own"]))
        if fate == "drop" and not grade_id(cell).startswith("answer"):
            continue
        if fate == "strip" and cell.id != "same":
            cell.metadata.pop("nbgrader", None)
        kept.append(cell)
        if fate == "double":
            kept.append(copy.deepcopy(cell))
            kept[-1]["id"] = f"copy-{len(kept)}"
        if fate == "own":
            kept.append(new_code_cell("own = 1", id=f"own-{len(kept)}"))
    handed_in = new_notebook(cells=kept)
    restored, _ = restore(handed_in, original)
    nbformat.validate(restored)
    assert [grade_id(c) for c in restored.cells if grade_id(c)] == [
        grade_id(c) for c in nb.cells if grade_id(c)
    ]
    for n in range(3):
        assert of(restored, f"answer-{n}").source == f"def f{n}(x):\n    return x + {n}"
    for cell in restored.cells:
        if grade_id(cell) and not cell.metadata.nbgrader.solution:
            assert cell.source == of(nb, grade_id(cell)).source
    again, said = restore(restored, original)
    assert (again, said) == (restored, "")


def test_of_answers_without_a_name_only_so_much_is_read_as_anybody_writes():
    from gradewell.runner.original import Original
    from gradewell.runner.restore import restore

    nb = _lab()
    solutions = {f"answer-{n}": f"def f{n}(x):\n    return x" for n in range(3)}
    original = Original("lab", nb, {cell.id: cell.source for cell in nb.cells}, solutions)
    own = ["1" + "<1" * 700_000, "def f1(x):\n    return 1"]  # the first takes Python half a minute
    cells = [new_code_cell(source, id=f"own-{n}") for n, source in enumerate(own)]
    restored, said = restore(new_notebook(cells=cells), original)
    assert of(restored, "answer-1").source == own[1]
    assert "answer-1" in said and "without a name" in said


def _lab():
    def marked(name, source, **about):
        cell = new_code_cell(source, id=name)
        flags = {"grade": False, "solution": False, "locked": False, "task": False}
        cell.metadata["nbgrader"] = {**flags, **about, "grade_id": name, "schema_version": 3}
        return cell

    cells = [new_markdown_cell("# Lab", id="title"), new_code_cell("import re", id="imports")]
    for n in range(3):
        cells += [
            new_markdown_cell(f"## Task {n}", id=f"task-{n}"),
            marked(f"given-{n}", f"GIVEN_{n} = {n}", locked=True),
            marked(f"answer-{n}", "# YOUR CODE HERE\nraise NotImplementedError()", solution=True),
            marked(f"test-{n}", f"assert f{n}(1) == 1", grade=True, locked=True, points=1),
        ]
    return new_notebook(cells=cells)


# -- scores -----------------------------------------------------------------------------------------

VALUES = {  # what the test's last line comes to: (points of 2, words of the error)
    "0.5": (0.5, ""),
    "np.float64(0.5)": (0.5, ""),
    "np.int32(2)": (2, ""),
    "1": (1, ""),
    "0": (0, ""),
    "2": (2, ""),
    "1e-3": (0.001, ""),
    "None": (2, ""),
    "-1": (0, "no score between 0 and 2: it is -1"),
    "2.5": (0, "no score between 0 and 2: it is 2.5"),
    "float('nan')": (0, "it is nan"),
    "float('inf')": (0, "it is inf"),
    "True": (0, "it is True"),
    "np.True_": (0, "it is np.True_"),
    "'2'": (0, "it is '2'"),
    "[2]": (0, "it is [2]"),
    "2 + 0j": (0, "it is (2+0j)"),
    "pd.Series([2])": (0, "no score"),
}


@pytest.mark.parametrize("judge", [True, False])
def test_points_come_only_from_a_number_of_points_or_from_assertions(
    judge, new_course, cells, tmp_path
):
    course = new_course(tmp_path / "course", f"c.Runner.judge = {judge}\n")
    imports = cells.locked("setup", "import numpy as np\nimport pandas as pd")
    tests = [cells.test(f"t{n}", value, points=2) for n, value in enumerate(VALUES)]
    course.lab("lab", lab=[imports, *tests])
    course.hand_in("ada", "lab")
    course.gradewell("lab")
    points, nb = course.points("ada", "lab"), course.graded("ada", "lab")
    for n, (value, (right, words)) in enumerate(VALUES.items()):
        assert points[f"t{n}"] == right, value
        assert words in json.dumps([o.get("evalue", "") for o in of(nb, f"t{n}").outputs]), value


def test_a_test_that_the_instructor_has_skipped_gives_nothing(new_course, cells, tmp_path):
    course = new_course(tmp_path / "course")
    skipped = cells.test("skipped", "assert False")
    skipped.metadata["tags"] = ["skip-execution"]
    course.lab("lab", lab=[skipped, cells.test("run", "pass")])
    course.hand_in("ada", "lab")
    course.gradewell("lab")
    assert course.points("ada", "lab") == {"skipped": 0, "run": 1}
    assert "This test was not run" in course.outputs("ada", "lab")


@pytest.mark.parametrize("source", ["source", "release", "gradebook"])
def test_without_a_source_the_release_or_the_gradebook_tells_what_is_graded(
    source, template, tmp_path
):
    import shutil

    course = template.copy(tmp_path / "course")
    course.hand_in("ada", "lab", answers=WRITTEN)
    course.hand_in(
        "bob", "lab", answers=WRITTEN, change=lambda nb: nb.cells.__delitem__(slice(4, 8))
    )
    course.hand_in("cyd", "lab")
    for step in {"source": [], "release": ["source"], "gradebook": ["source", "release"]}[source]:
        shutil.rmtree(course.path / step / "lab")
    course.gradewell("lab")
    assert course.points("ada", "lab") == {**ALL, "words": None}
    assert course.points("bob", "lab")["third"] == 4
    assert sum(points or 0 for points in course.points("cyd", "lab").values()) == 0


def test_a_source_that_changed_since_it_was_generated_is_said(template, tmp_path):
    course = template.copy(tmp_path / "course")
    path = course.path / "source/lab/lab.ipynb"
    nb = nbformat.read(path, as_version=4)
    of(nb, "second").source = "assert False"
    nbformat.write(nb, path)
    course.hand_in("ada", "lab", answers=WRITTEN)
    said = course.gradewell("lab").stdout
    assert course.points("ada", "lab")["second"] == 2
    assert "the source of second has changed since nbgrader generate_assignment" in " ".join(
        said.split()
    )


LABS = ("lab (a)", "what? (x", "lab^2 $5 C#", "作业 1", "a'b {y} %41", "*")


@pytest.mark.parametrize("lab", LABS)
def test_a_lab_may_have_any_name(lab, new_course, cells, tmp_path):
    course = new_course(tmp_path / "course (1)")
    test = cells.test("check", "assert x == 1")
    course.lab(lab, **{lab: [cells.answer("answer", "x = 1"), test]})
    for student in ("ada", "[t] (1)", "李 雷"):
        course.hand_in(student, lab, answers={"answer": "x = 1"})
    course.gradewell(lab)
    assert course.scores(lab) == {"ada": 1, "[t] (1)": 1, "李 雷": 1}
