"""Habits of notebooks in JupyterLab that nbgrader's kernel takes as they are meant: widgets, exit() and quit()."""

import pytest

OUTPUT = "import ipywidgets as w\nout = w.Output()\n"
LONGER = "import time; time.sleep(0.5)\n"  # IPython stops its loop a tenth of a second later
CODES = {
    "interact": "from ipywidgets import interact\n@interact(x=(0, 3))\ndef f(x):\n    return x",
    "interactive": "from ipywidgets import interactive\ninteractive(lambda x: x, x=5)",
    "slider": "import ipywidgets as w\nw.IntSlider()",
    "output": OUTPUT + "with out:\n    print('hello')\nout",
    "nested": OUTPUT + "with out:\n    with w.Output():\n        print('hello')",
    "capture": OUTPUT + "@out.capture()\ndef f():\n    print(1)\nf()",
    "cleared": OUTPUT + "with out:\n    print(1)\nout.clear_output()",
    "error": OUTPUT + "with out:\n    1 / 0",
    "left-open": OUTPUT + "out.__enter__()\nprint(1)",
    "exit": "exit()",
    "quit": "quit()",
    "quit-twice": "quit()\nquit()\nexit()",
    "quit-quietly": "%quit",
    "stops-the-loop": "import asyncio\nasyncio.get_running_loop().stop()",
}
SWALLOWS = OUTPUT + "for n in range(40):\n    w.Output().msg_id = f'cell-{n}'"


@pytest.fixture(scope="module", params=[False, True], ids=["alone", "judged"])
def graded(request, new_course, cells, tmp_path_factory):
    """A course in which each code was handed in before right answers. Returns (course, report)."""
    config = f"c.Runner.judge = {request.param}\n"
    course = new_course(tmp_path_factory.mktemp("habits") / "course", config).lab(
        "lab",
        lab=[
            cells.plain("# yours"),
            cells.answer("answer", "def double(x):\n    return 2 * x"),
            cells.test("first", "assert double(2) == 4"),
            cells.answer("more", "y = 1"),
            cells.test("second", "assert y == 1", points=2),
            cells.test("partly", "4 if double(3) == 6 else 1", points=4),
        ],
    )
    right = {"answer": LONGER + "def double(x):\n    return 2 * x", "more": LONGER + "y = 1"}
    for name, code in CODES.items():
        course.hand_in(name, "lab", answers=right, change=lambda nb, c=code: put(nb, c))
    wrong = {**right, "answer": "def double(x):\n    return 4"}
    course.hand_in("swallows", "lab", answers=wrong, change=lambda nb: put(nb, SWALLOWS))
    return course, course.report("lab")


def put(nb, code):
    nb.cells[0].source = code


@pytest.mark.parametrize("name", CODES)
def test_what_is_right_gets_all_points_beside_widgets_and_exits(name, graded):
    course, report = graded
    assert course.points(name, "lab") == {"first": 1, "second": 2, "partly": 4}
    assert (report[name]["status"], report[name]["reason"]) == ("graded", "")


def test_what_a_widget_captured_is_shown_in_it(graded):
    course, _ = graded
    assert "hello" not in course.outputs("output", "lab")
    states = course.graded("output", "lab").metadata.widgets
    assert "hello" in str(states)


def test_a_widget_cannot_swallow_the_score_of_a_test(graded):
    course, _ = graded
    assert course.points("swallows", "lab") == {"first": 1, "second": 2, "partly": 1}
