"""What a check returns is read by nbgrader, by people, and by machines."""

import math

import pytest
from gradewell.checks import CheckFailed, Problem, Result
from hypothesis import given
from hypothesis import strategies as st
from nbformat.v4 import new_code_cell, new_output
from nbgrader.utils import determine_grade

shares = st.dictionaries(st.text(max_size=5), st.floats(0, 1), min_size=1, max_size=5)


def as_graded_cell(result):
    cell = new_code_cell(outputs=[new_output("execute_result", data=result._repr_mimebundle_())])
    cell.metadata["nbgrader"] = {"grade": True, "points": result.possible, "solution": False}
    return cell


@given(shares, st.integers(1, 40))
def test_nbgrader_reads_the_points(parts, possible):
    result = Result.from_parts("a check", possible, parts, [])
    assert determine_grade(as_graded_cell(result)) == (result.points, possible)


@given(shares, st.integers(1, 40))
def test_full_points_only_when_every_part_is_complete(parts, possible):
    result = Result.from_parts("a check", possible, parts, [])
    assert (result.points == possible) == all(share == 1 for share in parts.values())
    assert math.isclose(result.points * 4 % 1, 0)


def test_a_problem_costs_something_even_when_every_part_is_complete():
    result = Result.from_parts("a check", 4, {"all": 1.0}, [Problem("a.b", "but")])
    assert result.points < 4


def test_points_beyond_the_possible_are_a_mistake_of_the_check():
    with pytest.raises(ValueError, match="cannot be"):
        Result("a check", 5, 4)


def test_require_passes_or_says_everything_that_is_wrong():
    good = Result("a check", 4, 4)
    assert good.require() is good
    bad = Result("a check", 1, 4, (Problem("a", "first"), Problem("b", "second " * 40)))
    with pytest.raises(CheckFailed) as caught:
        bad.require()
    assert "first" in str(caught.value)
    assert all(len(line) <= 84 for line in str(caught.value).splitlines())
    assert caught.value._render_traceback_() == [str(caught.value)]


def test_what_students_write_cannot_become_markup():
    result = Result("a check", 0, 1, (Problem("a", "<img src=x onerror=alert(1)>"),), {"<b>": 0.5})
    html = result._repr_mimebundle_()["text/html"]
    assert "<img" not in html
    assert "<b>" not in html
