"""Nothing on a red team's list gets a point without work: on a small course, and on labs of our own.

Here every forgery is tried on the small course, and a few on each lab. The variable ``FORGERIES`` names others to try on every lab, separated
by commas, or ``all`` of them, as ``make verify`` does.
"""

from __future__ import annotations

import json
import os
import random
import sqlite3
from functools import cache
from itertools import chain, zip_longest

import nbformat
import pytest
from sharewell import content
from sharewell.course import make

from .forged_code import PEER
from .forgeries import FORGERIES, KINDS, Lab

pytestmark = pytest.mark.xdist_group("forgeries")

CANARY = "204617"
"""A hidden value: no cell has it in its text, and nobody may see it."""
LABS = ("lab-04-classification", "lab-08-release", "lab-09-private-statistics", "lab-10-access", "capstone-closed-loop")  # fmt: skip
CHOSEN = os.environ.get("FORGERIES", "")
SAMPLE = 8
"""How many are tried on each lab, unless others are named."""
PATIENCE = ("--timeout", "10", "--Runner.call_timeout=3", "--Runner.notebook_timeout=120")
LITTLE_PATIENCE = ("--timeout", "4", "--Runner.call_timeout=2", "--Runner.notebook_timeout=40")
"""For the small course, in which nothing honest takes a second."""
UNTOUCHED, HONEST = "untouched", "honest"


def dealt():
    """Lab to the forgeries that are tried on it: a hand dealt from all kinds in turn, always the same."""
    if CHOSEN:
        names = list(FORGERIES) if CHOSEN == "all" else CHOSEN.split(",")
        return {lab: names for lab in LABS}
    shuffle = random.Random(22)
    decks = [shuffle.sample(names, len(names)) for names in KINDS.values()]
    cards = [name for name in chain(*zip_longest(*decks)) if name]
    return {lab: cards[n * SAMPLE : (n + 1) * SAMPLE] for n, lab in enumerate(LABS)}


DEALT = dealt()

# -- a small course --------------------------------------------------------------------------------

SETUP = """
import dataclasses
import functools
import pandas as pd
from subprocess import Popen
from math import *

@dataclasses.dataclass(frozen=True)
class Reading:
    value: int
    note: str = ""

def check(function):
    return function(10) == 20

def passes(function):
    return int(function(7) == 14)

NUMBERS = [3, 1, 2]
"""
ANSWERS = """
def double(x):
    return 2 * x

def half(x):
    return x / 2

def secret():
    return 204617

def ordered(rows):
    return sorted(rows)

def tidy(table):
    return table.dropna().reset_index(drop=True)

def measure(x):
    return Reading(x, "measured")

def apply(function, x):
    return function(x)
"""
RELEASED = """
def double(x):
    raise NotImplementedError

def half(x):
    raise NotImplementedError

def secret():
    raise NotImplementedError

def ordered(rows):
    raise NotImplementedError

def tidy(table):
    raise NotImplementedError

def measure(x):
    raise NotImplementedError

def apply(function, x):
    raise NotImplementedError
"""
AFTER_AN_ERROR = """
shown = double(1)

def agree(a, b):
    return a == b
"""
TESTS = {
    "plain": "assert double(2) == 4",
    "helper": "assert check(double) is True",
    "defines": "assert double(5) == 10\n\ndef near(a, b):\n    return abs(a - b) < 0.01\n\nlimit = 1.0",
    "uses": "assert near(half(9), 4.5)\nassert half(1) <= limit",
    "star": "assert isclose(half(3), 1.5)\nassert floor(half(3)) == 1",
    "after-an-error": "assert agree(double(3), 6)",
    "partly": "2.0 * passes(double)",
    "value": "assert total == 20\nassert abs(total - 20) < 0.1",
    "data": "assert spent == pd.read_csv('truth.csv')['amount'].sum()",
}
HIDDEN = {
    "hidden-value": "expected = int('2046' + '17')\nassert secret() == expected",
    "hidden-distance": "assert not abs(half(21) - 10.5) > 0.01\nassert double(21) == 42",
    "hidden-rows": "rows = [5, 3, 4]\nexpected = [3, 4, 5]\nfound = ordered(rows)\nassert len(found) == 3 and found == expected\n"
    "assert rows == [5, 3, 4] and NUMBERS == [3, 1, 2]",
    "hidden-table": "table = pd.DataFrame({'a': [1.0, None, 3.0], 'b': ['x', 'y', 'z']})\n"
    "expected = pd.DataFrame({'a': [1.0, 3.0], 'b': ['x', 'z']})\npd.testing.assert_frame_equal(tidy(table), expected)",
    "hidden-cells": "found = tidy(pd.DataFrame({'a': [1, 2, 3]}))\nassert isinstance(found, pd.DataFrame)\n"
    "assert [int(cell) for cell in found['a']] == [1, 2, 3]",
    "hidden-dataclass": "found = measure(5)\nassert isinstance(found, Reading) and found == Reading(5, 'measured')",
    "hidden-handed-over": "expected = int('2046' + '17')\nadd = functools.partial(lambda kept, x: x + kept - kept, expected)\n"
    "class Keeper:\n    def __init__(self):\n        self.kept = expected\n    def __call__(self, x):\n        return x\n"
    "@functools.wraps(add)\ndef wrapped(x, kept=expected):\n    return add(x)\n"
    "assert [apply(f, 4) for f in (add, wrapped, Keeper())] == [4, 4, 4]",
    "hidden-partly": "sum(0.5 for n in range(4) if double(n + 3) == 2 * (n + 3))",
}
SECOND = "def square(x):\n    return x * x"
RIGHT = {"answer": ANSWERS, "total-answer": "total = 20", "data-answer": "spent = 60"}


def small_course(path, new_course, cells):
    """Everything that a lab may have, in two notebooks."""
    course = new_course(path, "c.Runner.judge = True\n")

    def answer(name, solution, released):
        cell = cells.answer(name, solution)
        cell.source = f"{released}\n{cell.source}"
        return cell

    tests = [cells.test(name, source, points=2) for name, source in TESTS.items()]
    essay_in_code = cells.answer("by-hand", "def plot():\n    return 1")
    essay_in_code.metadata["nbgrader"].update(grade=True, points=5)
    first = [
        cells.locked("setup", SETUP),
        answer("answer", ANSWERS, RELEASED.strip()),
        cells.locked("late", AFTER_AN_ERROR),
        answer("total-answer", "total = 20", "total = None"),
        answer("data-answer", "spent = 60", "spent = None"),
        *tests,
        essay_in_code,
        *[cells.hidden(name, source, points=2) for name, source in HIDDEN.items()],
        cells.essay("essay"),
    ]
    second = [
        cells.locked("second-setup", "def is_square(function):\n    return function(3) == 9"),
        answer("square-answer", SECOND, "def square(x):\n    raise NotImplementedError"),
        cells.test("square-test", "assert is_square(square)", points=3),
        cells.hidden("square-hidden", "assert square(12) == 144", points=4),
    ]
    course.lab("lab", files={"truth.csv": "amount\n20\n40\n"}, first=first, second=second)
    return course


def own_course(path, at, lab):
    """One of our labs, with a secret that nobody may see."""
    make(path)
    (path / "secret.txt").write_text(f"hidden-{CANARY}", encoding="utf-8")
    course = at(path)
    course.nbgrader("generate_assignment", lab)
    return course


def forge(course, student, lab, name):
    """Hand in every notebook of the lab, forged."""
    folder = course.path / "submitted" / student / lab
    folder.mkdir(parents=True, exist_ok=True)
    for path in sorted((course.path / "release" / lab).glob("*.ipynb")):
        forged = Lab.of(nbformat.read(path, as_version=4))
        notebook = FORGERIES[name](forged) or forged.notebook
        (folder / path.name).write_text(json.dumps(notebook), encoding="utf-8")
        for file, text in forged.files.items():
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            (folder / file).write_text(text, encoding="utf-8")


def untouched(course, lab):
    folder = course.path / "submitted" / UNTOUCHED / lab
    folder.mkdir(parents=True)
    for path in (course.path / "release" / lab).glob("*.ipynb"):
        (folder / path.name).write_bytes(path.read_bytes())


def got(course, student, lab):
    """Cell to (points without a person, most points), in the gradebook."""
    query = """
        SELECT base_cell.name, COALESCE(grade.auto_score, 0) + COALESCE(grade.extra_credit, 0), grade_cells.max_score
        FROM grade JOIN base_cell ON base_cell.id = grade.cell_id JOIN grade_cells ON grade_cells.id = base_cell.id
        JOIN submitted_notebook ON submitted_notebook.id = grade.notebook_id
        JOIN submitted_assignment ON submitted_assignment.id = submitted_notebook.assignment_id
        JOIN assignment ON assignment.id = submitted_assignment.assignment_id
        WHERE submitted_assignment.student_id = ? AND assignment.name = ? AND grade.manual_score IS NULL"""
    with sqlite3.connect(course.path / "gradebook.db") as database:
        rows = database.execute(query, (student, lab))
        return {name: (points, most) for name, points, most in rows}


def gained(course, student, lab):
    """Cells in which a student has more, or could have other points, than somebody who wrote nothing."""
    nothing, theirs = got(course, UNTOUCHED, lab), got(course, student, lab)
    assert nothing, "the run did not get as far as the untouched notebook"
    assert set(nothing) >= set(theirs), "cells that the instructor does not have"
    return {
        name: points
        for name, (points, most) in theirs.items()
        if not points <= nothing[name][0] or most != nothing[name][1]
    }


def shown(course, student, lab):
    """All that a student is given back: graded notebooks and what their code left."""
    folder = course.path / "autograded" / student / lab
    files = [path for path in folder.rglob("*") if path.is_file()] if folder.exists() else []
    return "".join(path.read_text(encoding="utf-8", errors="replace") for path in files)


@pytest.fixture(scope="module")
def small(tmp_path_factory, new_course, cells):
    """The small course with all forgeries, an untouched notebook and an honest one, graded in one run."""
    course = small_course(tmp_path_factory.mktemp("small") / "course", new_course, cells)
    for name in FORGERIES:
        forge(course, name, "lab", name)
    untouched(course, "lab")
    honest(course, HONEST)
    course.hand_in("by-hand", "lab", "first", answers={"answer": BY_HAND})
    course.gradewell("lab", *LITTLE_PATIENCE, "--memory", "700", code=None)
    print(f"small course: {len(FORGERIES)} forgeries of {len(KINDS)} kinds")
    return course


BY_HAND = (
    PEER
    + """
def answer(question):
    return {"ok": 20 if question["a"] == ["total"] else None}
"""
)


def honest(course, student):
    course.hand_in(student, "lab", "first", answers=RIGHT)
    course.hand_in(student, "lab", "second", answers={"square-answer": SECOND})


@pytest.fixture(scope="module")
def labs(tmp_path_factory, at):
    @cache
    def graded(lab):
        course = own_course(tmp_path_factory.mktemp(lab) / "course", at, lab)
        for name in DEALT[lab]:
            forge(course, name, lab, name)
        untouched(course, lab)
        course.gradewell(lab, *PATIENCE, code=None)
        print(f"{lab}: {len(DEALT[lab])} forgeries")
        return course

    return graded


@pytest.mark.parametrize("name", FORGERIES)
def test_no_point_without_work_in_a_small_course(name, small):
    assert gained(small, name, "lab") == {}, small.outputs(name, "lab", "first")[:3000]


@pytest.mark.parametrize("name", FORGERIES)
def test_no_hidden_value_is_shown_in_a_small_course(name, small):
    assert CANARY not in shown(small, name, "lab")


@pytest.mark.parametrize(("lab", "name"), [(lab, name) for lab in LABS for name in DEALT[lab]])
def test_no_point_without_work_in_our_labs(lab, name, labs):
    course = labs(lab)
    assert gained(course, name, lab) == {}
    assert CANARY not in shown(course, name, lab)


def test_work_gets_its_points_in_the_small_course(small):
    """Otherwise nothing of the above would say anything."""
    points = got(small, HONEST, "lab")
    tests = [*TESTS, *HIDDEN, "square-test", "square-hidden"]
    assert {name: points[name][0] for name in tests} == {name: points[name][1] for name in tests}
    assert sum(points for points, _ in got(small, UNTOUCHED, "lab").values()) == 0


def test_who_answers_the_judge_by_hand_is_heard(small):
    """Otherwise what other hands say in its language would not be tried at all."""
    assert got(small, "by-hand", "lab")["value"] == (2, 2)


# -- handing in again ------------------------------------------------------------------------------

AGAIN = ("tests-are-deleted", "tests-are-stripped", "tests-are-renamed", "tests-are-skipped", "without-cells")  # fmt: skip
UNREADABLE, STARTER, ONE_MISSING = "unreadable", "starter", "one-missing"
"""A file that is no notebook, the notebook as it was released, and only one of the two notebooks."""
TWICE = (*AGAIN, UNREADABLE, STARTER, ONE_MISSING)
WAYS = ("newer", "same-time")
"""A later time of handing in, or a file that took the place of the old one, with its time."""


@pytest.fixture(scope="module")
def again(tmp_path_factory, new_course, cells):
    """The small course, in which everybody handed in what is right, was graded, handed in something else, and was graded again."""
    course = small_course(tmp_path_factory.mktemp("again") / "course", new_course, cells)
    untouched(course, "lab")
    students = {f"{way}-{what}": (way, what) for way in WAYS for what in TWICE}
    for student in students:
        honest(course, student)
        stamp(course, student, "2026-10-05 10:00:00")
    course.gradewell("lab")
    before = {student: got(course, student, "lab") for student in students}
    for student, (way, what) in students.items():
        folder = course.path / "submitted" / student / "lab"
        times = {path.name: path.stat() for path in folder.glob("*")}
        for path in folder.glob("*.ipynb"):
            path.unlink()
        if what in AGAIN:
            forge(course, student, "lab", what)
        elif what == UNREADABLE:
            for name in ("first", "second"):
                (folder / f"{name}.ipynb").write_text('{"cells": [', encoding="utf-8")
        else:
            for name in ("first", "second")[: 1 if what == ONE_MISSING else 2]:
                course.hand_in(student, "lab", name)
        if way == "newer":
            stamp(course, student, "2026-10-06 10:00:00")
        else:
            for path in folder.glob("*"):
                os.utime(path, ns=(times[path.name].st_atime_ns, times[path.name].st_mtime_ns))
    course.gradewell("lab", code=None)
    return course, before


def stamp(course, student, time):
    path = course.path / "submitted" / student / "lab" / "timestamp.txt"
    path.write_text(time, encoding="utf-8")


@pytest.mark.parametrize("what", TWICE)
@pytest.mark.parametrize("way", WAYS)
def test_a_second_hand_in_keeps_no_points_of_the_first(way, what, again):
    course, before = again
    assert before[f"{way}-{what}"]["plain"] == (2, 2)
    assert gained(course, f"{way}-{what}", "lab") == {}


@pytest.mark.skipif(
    bool(CHOSEN), reason="FORGERIES names what is tried, in place of the hand dealt from all kinds"
)
def test_every_kind_is_tried_on_some_lab():
    tried = set().union(*DEALT.values())
    assert all(tried & set(names) for names in KINDS.values())
    assert set(LABS) <= set(content.labs())
    assert len(FORGERIES) >= 40
