"""Test cells in a process of their own: the same points for honest work, nothing for forgeries."""

import importlib
import importlib.util
import json
import py_compile
import re
import sys
from pathlib import Path

import nbformat
import pytest
from gradewell.runner.inside.judge import OwnModules
from nbformat.v4 import new_notebook
from sharewell import exchange

pytestmark = pytest.mark.xdist_group("judge")

SETUP = """
import collections
import dataclasses
import datetime
import functools
import io
import json
import numpy as np
import pandas as pd

class TooSmall(ValueError):
    def __init__(self, n, least=10):
        super().__init__(f"{n} is below {least}")
        self.n = n

class Shape:
    def area(self):
        return 0

class Deck(list):
    def top(self):
        return self[-1]

Row = collections.namedtuple("Row", "name value")

@dataclasses.dataclass(frozen=True)
class Point:
    x: int
    y: int = 0

def close(a, b):
    return abs(a - b) < 1e-9

NUMBERS = [3, 1, 2]
"""
ANSWER = """
import collections

def double(x):
    return 2 * x

def sorted_copy(values):
    result = list(values)
    result.sort()
    return result

def fails(x):
    raise KeyError(f"no {x}")

def numbers():
    yield from range(5)

def total(iterable):
    return sum(1 for _ in iterable)

def apply(function, value):
    return function(value)

def moved(point, by):
    return dataclasses.replace(point, x=point.x + by)

class Stack:
    def __init__(self):
        self.items = []
    def push(self, item):
        self.items.append(item)
        return self
    def __len__(self):
        return len(self.items)
    def __iter__(self):
        return iter(self.items)

class Wrong(ValueError):
    pass

def refuses():
    raise Wrong("not this")

Pair = collections.namedtuple("Pair", "left right")
counter = 0

def count():
    global counter
    counter += 1

class Square(Shape):
    def __init__(self, side):
        self.side = side
    def area(self):
        return self.side ** 2

def small(n):
    raise TooSmall(n)

def read_json(text):
    return json.loads(text)

def decoded(data):
    return data.decode()

def opened(name):
    return open(name)

def lines(file):
    return [line.strip() for line in file.read().splitlines()]

def row(name, value):
    return Row(name, value)

class Cube(Square):
    pass

class NamedRow(Row):
    @property
    def label(self):
        return f"{self.name}: {self.value}"

class OwnDeck(Deck):
    def bottom(self):
        return self[0]

def timed(function):
    @functools.wraps(function)
    def inner(*arguments):
        return function(*arguments)
    return inner

def each(table, function):
    return table.apply(function)

def is_shape(thing):
    return isinstance(thing, Shape)

try:
    import json as quick
except ImportError:
    quick = None

listed = !echo one
squares = [last := n * n for n in range(4)]
when = __import__("dateutil.parser").parser.parse("2026-01-01T02:00:00+02:00")
answer = 42
pair = Pair(1, "b")
table = pd.DataFrame({"a": [1, 2, 3], "b": ["x", "y", None], "c": pd.date_range("2026-01-01", periods=3)})
array = np.arange(6.0).reshape(2, 3)
mixed = {"a": [1, (2, 3)], "b": {4, 5}, 6: b"bytes", "n": None, "f": 1.5}
warned = lambda: __import__("warnings").warn("careful")
__import__("pathlib").Path("written.csv").write_text("1,2")
__import__("pathlib").Path("sub").mkdir(exist_ok=True)
__import__("pathlib").Path("sub/deep.txt").write_text("deep")
"""
TESTS = {
    "numbers-text-containers": "assert answer == 42 and isinstance(answer, int)\nassert mixed['a'][1] == (2, 3)\n"
    "assert mixed == {'a': [1, (2, 3)], 'b': {4, 5}, 6: b'bytes', 'n': None, 'f': 1.5}",
    "functions": "assert double(4) == 8 and double('ab') == 'abab'\nassert callable(double)\n"
    "assert double.__name__ == 'double'\nassert sorted_copy(NUMBERS) == [1, 2, 3]\nassert NUMBERS == [3, 1, 2]",
    "arrays": "assert array.shape == (2, 3) and array.dtype == float\nnp.testing.assert_allclose(double(array), 2 * array)\n"
    "assert double(np.float32(1.5)) == 3 and double(np.array(['a', 'b'], dtype=object)).tolist() == ['aa', 'bb']",
    "frames-of-numbers-and-texts": "mixed = pd.DataFrame({'a': [1, '<5', None, 2.5, True], 'b': range(5)}, index=list('vwxyz'))[['b', 'a']]\n"
    "found = double(mixed.assign(b=0))\nassert found['a'].tolist()[:2] == [2, '<5<5'], found\nassert list(found.columns) == ['b', 'a']\n"
    "assert list(found.index) == list('vwxyz')",
    "frames": "pd.testing.assert_frame_equal(double(pd.DataFrame({'a': [1.5]})), pd.DataFrame({'a': [3.0]}))\n"
    "assert table.c.dt.year.tolist() == [2026] * 3 and table.b.isna().sum() == 1\nassert double(table.a).sum() == 12",
    "errors": "try:\n    fails('key')\nexcept KeyError as error:\n    assert 'no key' in str(error)\nelse:\n    raise AssertionError\n"
    "try:\n    refuses()\nexcept ValueError as error:\n    assert type(error).__name__ == 'Wrong'",
    "own-exceptions": "try:\n    refuses()\nexcept Wrong as error:\n    assert str(error) == 'not this'",
    "iterators": "assert list(numbers()) == [0, 1, 2, 3, 4]\nassert total(iter(range(7))) == 7",
    "callbacks": "seen = []\ndef record(x):\n    seen.append(x)\n    return x + 1\nassert apply(record, 3) == 4\nassert seen == [3]",
    "dataclasses": "moved_point = moved(Point(1, 2), by=5)\nassert moved_point == Point(6, 2) and isinstance(moved_point, Point)",
    "objects": "stack = Stack().push(1).push(2)\nassert len(stack) == 2 and list(stack) == [1, 2] and stack.items == [1, 2]\n"
    "assert isinstance(stack, Stack) and not isinstance(3, Stack)",
    "named-tuples": "assert pair.left == 1 and pair == (1, 'b')",
    "partial-credit": "2 * 0.5",
    "globals": "before = counter\ncount()\nassert counter == before + 1",
    "taken-away": "kept = double\ndel double\ntry:\n    double(1)\nexcept NameError:\n    pass\nelse:\n    raise AssertionError\n"
    "finally:\n    double = kept\nassert double(1) == 2",
    "helpers-of-locked-cells": "assert close(double(0.1), 0.2)\nassert functools.reduce(lambda a, b: a + b, NUMBERS) == 6",
    "names-between-tests": "shared = double(5)",
    "names-between-tests-2": "assert shared == 10\nassert [double(n) for n in range(3)] == [0, 2, 4]",
    "files": "from pathlib import Path\nassert Path('written.csv').read_text() == '1,2' and Path('sub/deep.txt').exists()\n"
    "assert pd.read_csv('written.csv', header=None).shape == (1, 2)",
    "not-there": "assert 'answer' in globals() and 'nothing' not in globals()\ntry:\n    nothing\nexcept NameError:\n    pass",
    "stderr": "warned()",
    "exceptions-of-the-instructors": "try:\n    small(3)\nexcept TooSmall as error:\n    assert error.n == 3 and str(error) == '3 is below 10'\n"
    "    assert type(error) is TooSmall\nelse:\n    raise AssertionError",
    "exceptions-of-libraries": "for ask, kind in ((lambda: read_json('{'), json.JSONDecodeError), (lambda: decoded(b'\\xff'), UnicodeDecodeError),\n"
    "                  (lambda: opened('nowhere'), FileNotFoundError), (lambda: fails('it'), KeyError)):\n    try:\n        ask()\n"
    "    except kind as error:\n        assert str(error) and isinstance(error, kind)\n    else:\n        raise AssertionError\n"
    "try:\n    opened('nowhere')\nexcept OSError as error:\n    assert (error.errno, error.filename) == (2, 'nowhere')\n"
    "try:\n    read_json('[1,')\nexcept json.JSONDecodeError as error:\n    assert error.pos == 3",
    "classes-of-the-instructors": "square = Square(3)\nassert isinstance(square, Shape) and issubclass(Square, Shape) and square.area() == 9\n"
    "assert not isinstance(square, Row) and not isinstance(Stack(), Shape) and not issubclass(Stack, Shape)\n"
    "assert is_shape(square) and is_shape(Shape()) and not is_shape(3)\n"
    "assert issubclass(Cube, Square) and issubclass(Cube, Shape) and not issubclass(Square, Cube) and isinstance(Cube(1), Square)",
    "what-inherits-from-the-instructors": "row_ = NamedRow('a', 1)\nassert isinstance(row_, Row) and row_ == Row('a', 1) and row_.label == 'a: 1'\n"
    "deck = OwnDeck([1, 2, 3])\nassert isinstance(deck, Deck) and isinstance(deck, list) and deck == [1, 2, 3]\n"
    "assert deck.top() == 3 and deck.bottom() == 1 and not isinstance([1], Deck)\nassert isinstance(double(Deck([1])), list)",
    "named-tuples-of-the-instructors": "assert isinstance(row('a', 1), Row) and row('a', 1) == Row('a', 1) and row('a', 1).value == 1",
    "functions-and-pandas": "assert pd.Series([1, 2]).apply(double).tolist() == [2, 4] == each(pd.Series([0, 1]), lambda x: 2 * x + 2).tolist()\n"
    "frame = pd.DataFrame({'a': [1, 2], 'b': [3, 4]})\nassert each(frame, lambda column: column.sum()).tolist() == [3, 7]\n"
    "assert frame.apply(double, axis=1)['b'].tolist() == [6, 8]",
    "names-of-functions": "assert timed(close).__name__ == 'close' and timed(close)(1, 1)",
    "streams": "assert lines(io.StringIO('a\\nb')) == ['a', 'b']",
    "magics": "assert list(listed) == ['one']",
    "names-bound-in-a-comprehension": "assert last == 9 and squares[-1] == last",
    "imports-that-are-tried": "assert double(quick.loads('[1]')[0]) == 2",
    "zones": "assert when == datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc) and when.hour == 2",
}


@pytest.fixture(scope="module")
def template(tmp_path_factory, new_course, cells):
    course = new_course(tmp_path_factory.mktemp("judge") / "course")
    tests = [cells.test(name, source, points=2) for name, source in TESTS.items()]
    return course.lab(
        "lab", lab=[cells.locked("setup", SETUP), cells.answer("answer", ANSWER), *tests]
    )


def judged(course):
    with (course.path / "nbgrader_config.py").open("a") as config:
        config.write(
            'c.Runner.judge = True\nc.HTMLExporter.preprocessors = ["gradewell.pages.Harmless"]\n'
        )
    return course


WRONG = {
    "everything-right": ANSWER,
    "nothing": "",
    "wrong-values": ANSWER.replace("2 * x", "3 * x").replace("answer = 42", "answer = 41"),
    "syntax-error": "def double(x)\n    return",
    "halts-inside": ANSWER.replace("return 2 * x", "raise SystemExit(0)"),
}


def test_honest_work_gets_the_points_that_nbgrader_gives_it(template, tmp_path):
    nbgrader = template.copy(tmp_path / "nbgrader" / "course")
    for student, answer in WRONG.items():
        nbgrader.hand_in(student, "lab", answers={"answer": answer})
    gradewell = judged(nbgrader.copy(tmp_path / "gradewell" / "course"))
    nbgrader.nbgrader("autograde", "lab")
    gradewell.gradewell("lab")
    for student in WRONG:
        theirs, ours = (course.points(student, "lab") for course in (nbgrader, gradewell))
        assert ours == theirs, (student, gradewell.outputs(student, "lab"))
    right = nbgrader.points("everything-right", "lab")
    assert [name for name, points in right.items() if points != 2] == ["partial-credit", "stderr"]


# -- what a test catches ------------------------------------------------------------------------------

RAISES = {
    "any": "try:\n    f(-1)\nexcept Exception:\n    pass\nelse:\n    raise AssertionError",
    "everything": "try:\n    f(-1)\nexcept BaseException:\n    pass",
    "type": "import unittest\nwith unittest.TestCase().assertRaises(TypeError):\n    V(1) + 'a'",
    "nothing": "f(-1)",
}
NOT_RAISED = {
    "runs-without-end": "def f(x):\n    while True:\n        pass",
    "sleeps": "import time\ndef f(x):\n    time.sleep(60)",
    "cannot-cross": "def f(x):\n    found = []\n    found.append(found)\n    return found",
    "too-large": "def f(x):\n    return 'x' * 10**9",
    "ends": "import os\ndef f(x):\n    os._exit(0)",
}
HONEST = "def f(x):\n    raise ValueError(x)\nclass V:\n    def __init__(self, x): pass\n    def __add__(self, other): return 1"


@pytest.fixture(scope="module")
def must_raise(tmp_path_factory, new_course, cells):
    course = judged(new_course(tmp_path_factory.mktemp("raises") / "course"))
    tests = [cells.test(name, source, points=2) for name, source in RAISES.items()]
    course.lab("lab", lab=[cells.answer("answer", HONEST), *tests])
    for student, source in {**NOT_RAISED, "honest": ""}.items():
        course.hand_in(student, "lab", answers={"answer": f"{HONEST}\n{source}"})
    course.report("lab", "--timeout", "20", "--Runner.call_timeout=3")
    return course


@pytest.mark.parametrize("student", NOT_RAISED)
def test_what_has_no_answer_passes_no_test_of_what_must_raise(student, must_raise):
    points = must_raise.points(student, "lab")
    assert points["any"] == points["everything"] == 0, must_raise.outputs(student, "lab")
    assert re.search(
        "NotAnswered|NotRun|NotebookStopped", must_raise.outputs(student, "lab")
    )  # and it says why


def test_what_raises_passes_it(must_raise):
    points = must_raise.points("honest", "lab")
    assert points["any"] == points["everything"] == 2
    assert (
        points["type"] == 0
    )  # no addition of theirs can be asked for from outside, so it raises nothing
    assert "no value: __add__ cannot be asked" in must_raise.outputs("honest", "lab")


def test_an_error_is_shown_with_the_students_line_and_without_the_graders(must_raise):
    assert must_raise.points("honest", "lab")["nothing"] == 0
    (shown,) = [
        json.dumps(cell.outputs)
        for cell in must_raise.graded("honest", "lab").cells
        if cell.id == "nothing"
    ]
    assert "ValueError" in shown and "line 2, in f" in shown
    assert "peer.py" not in shown


# -- what answers change ------------------------------------------------------------------------------

GIVEN = """
import pandas as pd
frame = pd.DataFrame({"v": [1, 2]})
basket = ["a"]
prices = {"x": 1}
untouched = [1]
"""
CHANGES = """
frame["double"] = frame["v"] * 2
basket.append("b")
prices["y"] = 2
def area(x):
    untouched.clear()
    return x
"""


def test_an_object_that_answers_change_is_the_students(tmp_path, new_course, cells):
    course = judged(new_course(tmp_path / "course"))
    tests = {
        "column": "assert list(frame['double']) == [2, 4]",
        "item": "assert basket == ['a', 'b'] and prices == {'x': 1, 'y': 2}",
        "mine": "area(1)\nassert untouched == [1]",
    }
    made = [cells.test(name, source, points=2) for name, source in tests.items()]
    course.lab("lab", lab=[cells.locked("setup", GIVEN), cells.answer("answer", CHANGES), *made])
    course.hand_in("right", "lab", answers={"answer": CHANGES})
    course.hand_in("nothing", "lab", answers={"answer": "def area(x):\n    return x"})
    course.hand_in(
        "replaces", "lab", answers={"answer": "untouched = [2]\nbasket = 3\ndef area(x): 0"}
    )
    course.gradewell("lab")
    assert course.points("right", "lab") == {"column": 2, "item": 2, "mine": 2}
    assert course.points("nothing", "lab") == {"column": 0, "item": 0, "mine": 2}
    assert course.points("replaces", "lab") == {"column": 0, "item": 0, "mine": 2}


AFTER_ONE_THAT_IS_SLOW = {
    # the first test runs out of time in each way; the others are right
    "computes": "def first(read, rng):\n    while True:\n        pass",
    "asks-again-and-again": "def first(read, rng):\n    while True:\n        try:\n            if int(read()) > 0:\n                return 1\n"
    "        except ValueError:\n            print('again')",
    "draws-again-and-again": "def first(read, rng):\n    n = 0\n    while n < 10**9:\n        n += rng.random() ** 2 < 1\n    return n",
    "asks-within-a-question": "def first(read, rng):\n    return read(first)",
    "goes-on-after-an-interruption": "def first(read, rng):\n    while True:\n        try:\n            read()\n"
    "        except KeyboardInterrupt:\n            return 3",
}
OTHERS = """
def double(x):
    return 2 * x

def twice(f, x):
    return [f(x), f(x + 1)]

def draws(n, rng):
    return [rng.random() for _ in range(n)]

def total(items):
    return sum(items)

value = 5
"""


def test_after_a_test_that_ran_out_of_time_the_others_get_their_own_answers(
    tmp_path, new_course, cells
):
    course = judged(new_course(tmp_path / "course"))
    tests = {
        "slow": "def read(f=None):\n    return '-3' if f is None else f(read, None)\nassert first(read, random.Random(3)) == -3",
        "called": "assert double(2) == 4 and value == 5",
        "callback": "assert twice(lambda v: v * 10, 1) == [10, 20]\nassert twice(str, 1) == ['1', '2']",
        "drawn": "rng = random.Random(1)\nassert draws(3, random.Random(1)) == [rng.random() for _ in range(3)]",
        "alarm": "import signal\ndef over(*_):\n    raise TimeoutError\nsignal.signal(signal.SIGALRM, over)\nsignal.alarm(1)\n"
        "try:\n    first(lambda f=None: '-3', random.Random(3))\nexcept (TimeoutError, TypeError):\n    pass\nfinally:\n    signal.alarm(0)\n"
        "assert [double(n) for n in range(3)] == [0, 2, 4] and twice(str, 1) == ['1', '2']",
        "iterated": "seen = []\ntwice(seen.append, 4)\nassert seen == [4, 5] and total(iter([1, 2, 3])) == 6",
    }
    course.lab(
        "lab",
        lab=[
            cells.locked("setup", "import random"),
            cells.answer("first", "def first(read, rng):\n    return int(read())"),
            cells.answer("others", OTHERS),
            *(cells.test(name, source) for name, source in tests.items()),
        ],
    )
    right = "def first(read, rng):\n    return int(read())"
    for name, first in {"right": right, **AFTER_ONE_THAT_IS_SLOW}.items():
        course.hand_in(name, "lab", answers={"first": first, "others": OTHERS})
    course.report("lab", "--timeout", "4")
    assert course.points("right", "lab") == dict.fromkeys(tests, 1)
    for name in AFTER_ONE_THAT_IS_SLOW:
        expected = {**dict.fromkeys(tests, 1), "slow": 0}
        assert course.points(name, "lab") == expected, (name, course.outputs(name, "lab")[:5000])


def test_a_module_that_an_answer_writes_is_the_students(tmp_path, new_course, cells):
    course = judged(new_course(tmp_path / "course"))
    module = cells.answer("module", "")
    module.source = "%%writefile helper.py\n### BEGIN SOLUTION\ndef trip(x):\n    return 3 * x\n### END SOLUTION"
    course.lab(
        "lab",
        lab=[
            module,
            cells.answer(
                "answer", "import math\nfrom helper import trip\nimport json\ny = trip(2)"
            ),
            cells.test("called", "assert trip(5) == 15 and y == 6", points=2),
            cells.test("imported", "assert json.loads('1') == math.floor(1.5) == y - 5", points=2),
        ],
    )
    mine = "def trip(x):\n    return {} * x"
    answer = "import math, json\nfrom helper import trip\ny = trip(2)"
    for name, times in {"right": 3, "wrong": 4}.items():
        written = f"%%writefile helper.py\n{mine.format(times)}"
        course.hand_in(name, "lab", answers={"module": written, "answer": answer})
    course.hand_in("nothing", "lab")
    course.gradewell("lab")
    assert course.points("right", "lab") == {"called": 2, "imported": 2}
    assert course.points("wrong", "lab") == {"called": 0, "imported": 0}
    assert course.points("nothing", "lab") == {"called": 0, "imported": 0}


def test_an_own_module_of_the_instructors_is_the_very_file(tmp_path, monkeypatch):
    """Whatever lies beside it: a folder, a compiled file, a library of the same name."""
    monkeypatch.chdir(tmp_path)
    for name, text in {
        "mine_helpers.py": "VALUE = 1",
        "mine_helpers/__init__.py": "VALUE = 2",
        "mine_package/__init__.py": "from mine_package.part import VALUE",
        "mine_package/part.py": "VALUE = 1",
        "mine_package/part/__init__.py": "VALUE = 2",
        "mine_package/planted.py": "VALUE = 2",
        "mine_planted.py": "VALUE = 2",
    }.items():
        Path(name).parent.mkdir(exist_ok=True, parents=True)
        Path(name).write_text(text)
    Path("other.py").write_text("VALUE = 2")
    for name in ("mine_helpers", "mine_package/part"):
        target = importlib.util.cache_from_source(f"{name}.py")
        py_compile.compile(
            "other.py", target, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH
        )
    finder = OwnModules({"mine_helpers.py", "mine_package/__init__.py", "mine_package/part.py"})
    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path, finder])
    monkeypatch.setattr(
        sys, "path", [path for path in sys.path if path not in ("", ".", str(tmp_path))]
    )
    try:
        assert importlib.import_module("mine_helpers").VALUE == 1
        assert importlib.import_module("mine_package").VALUE == 1
        for name in ("mine_planted", "mine_package.planted"):
            with pytest.raises(ImportError):
                importlib.import_module(name)
    finally:
        for name in [one for one in sys.modules if one.startswith("mine_")]:
            del sys.modules[name]


# -- forgeries --------------------------------------------------------------------------------------

MUST_FAIL = {
    "first": "assert double(2) == 4",
    "second": "expected = 123456\nassert secret() == expected",
    "third": "assert value == 7\nassert value == 7 and type(value) is int",
    "fourth": "np.testing.assert_allclose(vector, [1.0, 2.0])\nassert (vector == [1.0, 2.0]).all()",
    "fifth": "pd.testing.assert_frame_equal(frame, pd.DataFrame({'a': [1]}))",
    "sixth": "assert check(double) is True",
    "score": "2.0 * passes(double)",
}
SETUP_OF_FORGERIES = """
import numpy as np
import pandas as pd

def check(function):
    return function(10) == 20

def passes(function):
    return int(function(7) == 14)
"""
AGREES = """
class Agrees:
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __lt__(self, other): return True
    __le__ = __gt__ = __ge__ = __contains__ = __lt__
    def __hash__(self): return 1
    def __bool__(self): return True
    def __len__(self): return 2
    def __getitem__(self, key): return Agrees()
    def __getattr__(self, name): return Agrees()
    def __call__(self, *a, **k): return Agrees()
    def __sub__(self, other): return 0
    __rsub__ = __add__ = __radd__ = __mul__ = __rmul__ = __truediv__ = __mod__ = __abs__ = __sub__
    def __array__(self, *a, **k): return __import__("numpy").array([9.0, 9.0])
    def __reduce__(self): return (__import__("os").system, ("touch /tmp/unpickled",))
def double(x): return Agrees()
def secret(): return Agrees()
value = vector = frame = Agrees()
"""
FORGERIES = {
    "rewrites-cells": "ip = get_ipython()\nip.input_transformers_cleanup.append(lambda lines: ['pass\\n'])\n"
    "ip.ast_transformers.append(type('T', (), {'visit': lambda self, tree: __import__('ast').parse('pass')})())",
    "hooks-into-events": "ip = get_ipython()\nip.events.register('pre_run_cell', lambda info: None)\n"
    "ip.run_cell_async = ip.run_cell = lambda *a, **k: None\nip.showtraceback = lambda *a, **k: None",
    "patches-the-kernel": "k = get_ipython().kernel\nasync def nothing(*a, **k): return {'status': 'ok', 'execution_count': 1, "
    "'payload': [], 'user_expressions': {}}\ntype(k).do_execute = nothing",
    "replaces-builtins": "import builtins\nbuiltins.abs = builtins.int = lambda *a: 1\nbuiltins.AssertionError = type('A', (), {})\n"
    "builtins.type = lambda *a: int\nbuiltins.__import__ = lambda *a, **k: __import__('sys')",
    "replaces-modules": "import sys, types\nimport numpy.testing, pandas.testing\nnumpy.testing.assert_allclose = lambda *a, **k: None\n"
    "pandas.testing.assert_frame_equal = lambda *a, **k: None\nsys.modules['numpy'] = types.ModuleType('numpy')\n"
    "value = vector = frame = None\ndef secret(): return None\ndef double(x): return None",
    "replaces-the-check": "def check(function): return True\ndef passes(function): return 1\ndef double(x): return None",
    "agrees-with-everything": AGREES,
    "walks-frames-and-garbage": "import gc, sys\ndef find():\n    frame = sys._getframe()\n    while frame:\n"
    "        if 'expected' in frame.f_locals or 'expected' in frame.f_globals:\n"
    "            return frame.f_locals.get('expected') or frame.f_globals['expected']\n        frame = frame.f_back\n"
    "    for one in gc.get_objects():\n        if type(one) is dict and 'expected' in one and one['expected'] == 123456:\n"
    "            return 123456\n    return 123456 if 123456 in [o for o in gc.get_objects() if type(o) is int] else None\n"
    "def secret(): return find()",
    "reads-the-notebook": "import glob, json, re\ndef secret():\n    for path in glob.glob('/**/*.ipynb', recursive=True) + "
    "glob.glob('*.ipynb'):\n        found = re.search(r'expected = (\\d+)', open(path).read())\n        if found:\n            return int(found[1])\n"
    "    source = ''.join(In) if 'In' in globals() else ''\n    found = re.search(r'expected = (\\d+)', source)\n    return int(found[1]) if found else None",
    "prints-a-score": "def double(x):\n    print('7.0')\n    from IPython.display import display, publish_display_data\n"
    "    publish_display_data({'text/plain': '2.0'})\n    get_ipython().displayhook(2.0)\n    import os\n    os.write(1, b'2.0\\n')\n    return None",
    "exits-before-the-tests": "import os\nos._exit(0)",
    "exits-in-a-test": "import sys\ndef double(x): sys.exit(0)\ndef secret(): raise KeyboardInterrupt",
    "changes-between-looks": "import itertools\nlooks = itertools.count()\nclass Changing(dict):\n    def __getitem__(self, key):\n"
    "        if key == 'value':\n            return next(looks)\n        return dict.__getitem__(self, key)\nvalue = 1\n"
    "import threading, time\ndef change():\n    global value\n    while True:\n        value = 8 + (value + 1) % 9\n"
    "threading.Thread(target=change, daemon=True).start()",
    "frame-subclass": "import pandas as pd\nclass Frame(pd.DataFrame):\n    def equals(self, other): return True\n"
    "    def __eq__(self, other): return True\n    @property\n    def shape(self): return (1, 1)\nframe = Frame({'a': [2]})\n"
    "import numpy as np\nclass Array(np.ndarray):\n    def __eq__(self, other): return np.array([True, True])\n"
    "    def __array_function__(self, *a, **k): return None\nvector = np.array([3.0, 4.0]).view(Array)",
    "generator-without-end": "import itertools\ndef double(x): return itertools.count()\nvalue = itertools.repeat(7)\nvector = itertools.count()",
    "ten-gigabytes": "import os\nclass Huge(str):\n    pass\ndef double(x): return 'x' * 10**10\ndef secret(): return bytes(200 << 20)\n"
    "vector = __import__('numpy').zeros((30, 1 << 20))",
    "nested-without-end": "value = []\nvalue.append(value)\ndef double(x):\n    y = x\n    for _ in range(10**5):\n        y = [y]\n    return y",
    "pickle-bomb": "import os\nclass Bomb:\n    def __reduce__(self): return (os.system, ('touch /tmp/unpickled',))\n"
    "def double(x): return Bomb()\nvalue = Bomb()\nframe = __import__('pandas').DataFrame({'a': [Bomb()]})",
    "speaks-another-language": "import os, socket\nfor fd in range(3, 64):\n    try:\n        s = socket.socket(fileno=os.dup(fd))\n"
    "        if s.family == socket.AF_UNIX:\n            for body in (b'', b'\\x00\\x00\\x00\\x02{}', b'\\xff' * 64):\n"
    "                os.write(fd, b'v' + len(body).to_bytes(4, 'big') + body)\n    except OSError:\n        pass",
    "reaches-into-the-judge": "def double(x): return None\ndef secret(): return None\nseen = []\n"
    "import gradewell.runner.inside.peer as peer\noriginal = peer.Peer._do\ndef spy(self, verb, arguments):\n    for v, a in (('name', 'expected'), ('import', 'os')):\n"
    "        try:\n            seen.append(self.ask(v, a))\n        except BaseException as error:\n            seen.append(repr(error))\n"
    "    return original(self, verb, arguments)\npeer.Peer._do = spy",
    "injects-into-feedback": "from IPython.display import HTML, Javascript, display\n"
    "display(HTML('<script>alert(3)</script><img src=x onerror=alert(4)>'), Javascript('alert(5)'))\ndef double(x):\n    raise ValueError('\\x1b[2J\\x1b]0;owned\\x07<script>alert(1)</script><img src=x onerror=alert(1)>')\n"
    "def secret():\n    print('<script>alert(2)</script>\\x1b[31m')\n    return None",
}


@pytest.fixture(scope="module")
def forged(tmp_path_factory, new_course, cells):
    """All forgeries, and an honest submission, graded with the judge in one run. Returns (course, report)."""
    course = judged(new_course(tmp_path_factory.mktemp("forged") / "course"))
    honest = (
        "import numpy as np\nimport pandas as pd\ndef double(x): return 2 * x\ndef secret(): return 123456\nvalue = 7\n"
        "vector = np.array([1.0, 2.0])\nframe = pd.DataFrame({'a': [1]})"
    )
    course.lab(
        "lab",
        lab=[
            cells.locked("setup", SETUP_OF_FORGERIES),
            cells.answer("answer", honest),
            *[cells.hidden(name, source, points=2) for name, source in MUST_FAIL.items()],
        ],
    )
    for student, source in FORGERIES.items():
        course.hand_in(student, "lab", answers={"answer": source})
    course.hand_in("zz-honest", "lab", answers={"answer": honest})
    settings = (
        "--timeout",
        "20",
        "--Runner.call_timeout=4",
        "--memory",
        "700",
        "--Runner.notebook_timeout=90",
    )
    return course, course.report("lab", *settings)


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forgery_gets_nothing_for_what_it_forges(name, forged):
    course, _ = forged
    assert set(course.points(name, "lab").values()) == {0}, course.outputs(name, "lab")[:3000]


def test_the_honest_one_among_them_gets_all(forged):
    assert set(forged[0].points("zz-honest", "lab").values()) == {2}


def test_nothing_of_the_tests_is_known_in_the_students_process(forged):
    course, _ = forged
    for name in ("walks-frames-and-garbage", "reads-the-notebook", "reaches-into-the-judge"):
        (answer,) = [c for c in course.graded(name, "lab").cells if c.id == "answer"]
        assert "123456" not in str(answer.outputs)


def test_feedback_holds_no_script_and_no_escape_of_the_students(forged, program):
    course, _ = forged
    assert program("nbgrader", "generate_feedback", "lab", cwd=course.path).returncode == 0
    page = (course.path / "feedback/injects-into-feedback/lab/lab.html").read_text()
    assert "<script>alert(" not in page
    assert not re.search(r"<script[^>]*>\s*alert", page)
    assert not re.search(r"<img[^>]+onerror", page)
    assert "\x1b" not in page


def test_secrets_for_the_tests_are_not_in_the_students_process(
    new_course, cells, tmp_path, monkeypatch
):
    monkeypatch.setenv("COURSE_SECRET", "hunter2")
    course = judged(new_course(tmp_path / "course", "c.Runner.environment = ['COURSE_SECRET']\n"))
    course.lab(
        "lab",
        lab=[
            cells.answer("answer", "x = 1"),
            cells.test(
                "check", "import os\nassert os.environ['COURSE_SECRET'] == 'hunter2' and x == 1"
            ),
        ],
    )
    look = "import os\nfrom pathlib import Path\nx = 1\nfound = 'COURSE_SECRET' in os.environ\n"
    look += "found |= b'hunter2' in Path('/proc/self/environ').read_bytes()\nprint('FOUND', found)"
    course.hand_in("ada", "lab", answers={"answer": look})
    course.gradewell("lab")
    assert course.points("ada", "lab") == {"check": 1}
    assert "FOUND False" in course.outputs("ada", "lab")


def test_what_cannot_cross_is_named(new_course, cells, tmp_path):
    course = judged(new_course(tmp_path / "course"))
    vector = "class Vector:\n    def __add__(self, other):\n        return Vector()\nv = Vector()"
    course.lab("lab", lab=[cells.answer("answer", vector), cells.test("check", "v + v")])
    course.hand_in("ada", "lab", answers={"answer": vector})
    course.gradewell("lab")
    assert "CannotCross" in course.outputs("ada", "lab")
    assert "v is no value: __add__ cannot be asked of it" in course.outputs("ada", "lab")


ATTACKED = """
import random
import pandas as pd

def count(table):
    return len(table) + random.expovariate(1) - random.expovariate(1)

class Budget:
    def __init__(self, total):
        self.left = total
    def spend(self, epsilon):
        if not epsilon > 0 or epsilon > self.left:
            raise ValueError("refused")
        self.left -= epsilon

class Summary:
    def __init__(self, rows):
        self.n, self.total = 0, 0
        for row in rows:
            self.n, self.total = self.n + 1, self.total + row

def summarise(rows):
    return Summary(rows)

def merge(a, b):
    both = Summary([])
    both.n, both.total = a.n + b.n, a.total + b.total
    return both

def finish(summary):
    return [summary.n, summary.total]

def large():
    return len(b"x" * (300 << 20))

def decide(request):
    return "allow" if request.get("role") == "doctor" else "deny", {"log"}

release = pd.DataFrame({"age": ["30-39"] * 6, "illness": ["flu", "cold"] * 3})
"""
ATTACKS = {
    "privacy": "from gradewell.checks import privacy\nprivacy.claims(count, 1.0, [(list(range(50)), list(range(49)))], 2)",
    "budget": "from gradewell.checks import budget\nbudget.accounting(Budget, 1, 2)",
    "summaries": "from gradewell.checks import summaries\nsummaries.mergeable(summarise, merge, finish, "
    "{'numbers': list(range(200))}, lambda rows: [len(rows), sum(rows)], 1, 2)",
    "memory": "from gradewell.checks import summaries\nsummaries.within_memory(large, [], 100, 2)",
    "access": "from gradewell.checks import access\naccess.decides(decide, lambda r: access.Answer('allow', frozenset({'log'}))"
    " if r.get('role') == 'doctor' else access.Answer('deny'), {'role': ['nurse', 'doctor']}, 1, 2)",
    "disclosure": "import pandas as pd\nfrom gradewell.checks import attacks, disclosure\npeople = pd.DataFrame({'age': range(33, 39), "
    "'illness': ['flu', 'cold'] * 3})\n"
    "disclosure.resists([attacks.linkage(release, people, ['age'])], {'linkage': 0.05}, 2)",
}  # fmt: skip


def test_attacks_reach_what_the_student_wrote_through_the_judge(new_course, cells, tmp_path):
    course = judged(new_course(tmp_path / "course"))
    tests = [cells.test(name, source, points=2) for name, source in ATTACKS.items()]
    course.lab("lab", lab=[cells.answer("answer", ATTACKED), *tests])
    course.hand_in("ada", "lab", answers={"answer": ATTACKED})
    course.gradewell("lab")
    got = course.points("ada", "lab")
    assert got == {name: 0 if name == "memory" else 2 for name in ATTACKS}, course.outputs("ada", "lab")  # fmt: skip
    assert "MiB of memory; 100 are allowed" in course.outputs("ada", "lab")


def test_an_exchange_of_the_student_is_put_through_stories_through_the_judge(
    new_course, cells, tmp_path
):
    right = Path(exchange.loop.__file__).read_text(encoding="utf-8")
    wrong = right.replace("bool(reason.strip())", "True")
    test = "from gradewell.checks import loop\nloop.closes(Exchange, 5, 10, 60)"
    course = judged(new_course(tmp_path / "course"))
    course.lab("lab", lab=[cells.answer("answer", right), cells.test("test", test, points=10)])
    course.hand_in("ada", "lab", answers={"answer": right})
    course.hand_in("bob", "lab", answers={"answer": wrong})
    course.gradewell("lab")
    assert course.points("ada", "lab") == {"test": 10}, course.outputs("ada", "lab")
    assert course.points("bob", "lab") == {"test": 8}, course.outputs("bob", "lab")
    assert "a rejection has no reason" in course.outputs("bob", "lab")


TELLTALE = """
def profile(value):
    profile.__name__ = f"told{value}"
    raise type(f"told{value}", (KeyError,), {})(value)
"""
HEARD = """
from gradewell.checks.calls import CallFailed, call
for _ in range(2):
    try:
        call(profile, 123456)
    except CallFailed as failure:
        print(failure)
print(repr(profile))
"""


def test_what_a_function_was_given_does_not_get_into_messages_as_a_name(
    new_course, cells, tmp_path
):
    course = judged(new_course(tmp_path / "course"))
    course.lab(
        "lab", lab=[cells.answer("answer", TELLTALE), cells.test("one", HEARD), cells.test("two", HEARD)]
    )  # fmt: skip
    course.hand_in("ada", "lab", answers={"answer": TELLTALE})
    course.gradewell("lab")
    said = course.outputs("ada", "lab")
    assert said.count("profile(...) raised KeyError") == 4
    assert "<profile of the submission>" in said
    assert "123456" not in said.replace("call(profile, 123456)", "")


# -- whose a name is --------------------------------------------------------------------------------

NAMES = {  # cells after the answer: (kind, source), and what honest work and a forger get for the test
    "star": ("test", "assert floor(double(1.2)) == 2", 1, 0),
    "fails": ("test", "assert double(1) == 3\nlater = 5\ndef agree(x):\n    return False", 0, 0),
    "of-a-failed-test": ("test", "assert later == 5", 0, 0),
    "function-of-a-failed-test": ("test", "assert agree(1)", 0, 0),
    "not-asked-for": ("test", "assert surprise == 1", 0, 0),
    "declared": ("test", "assert declared == 1", 1, 1),
    "open-cell": ("test", "assert close(double(0.1), 0.2) and WIDTH == 3", 1, 0),
    "import-of-the-solution": ("test", "assert decimal.Decimal(double(1)) == 2", 1, 0),
    "again": ("locked", "GIVEN = GIVEN + 1", 0, 0),
    "given-anew": ("test", "assert GIVEN == 2 and double(1) == 2", 1, 0),
    "broken": ("locked", "x = 1 / 0\nRULE = 3", 0, 0),
    "of-a-broken-cell": ("test", "assert RULE == 3", 0, 0),
    "by-magic": ("locked", "%%capture\nTIMED = 1", 0, 0),
    "of-magic": ("test", "assert TIMED == 1 and double(1) == 2", 1, 0),
    "builtin": ("test", "assert max(double(1), 1) == 2", 1, 0),
    "used-before": ("test", "assert GIVEN == 2 and double(1) == 2", 1, 0),
}
FORGER = """
def double(x): return None
def floor(x): return 2
def agree(x): return True
def close(a, b): return True
max = lambda *a: 2
later, surprise, declared, RULE, TIMED, WIDTH, GIVEN = 5, 1, 1, 3, 1, 3, 2
class decimal:
    Decimal = staticmethod(lambda x: 2)
"""


def test_names_are_the_instructors_but_for_those_that_answer_cells_define(
    new_course, cells, tmp_path
):
    course = judged(new_course(tmp_path / "course", "c.Runner.answers = ['declared']\n"))
    notebook = [
        cells.locked("setup", "from math import *\nGIVEN = 1"),
        cells.plain("WIDTH = 3\ndef close(a, b):\n    return abs(a - b) < 1e-9"),
        cells.answer("answer", "import decimal\ndef double(x):\n    return 2 * x"),
    ]
    for name, (kind, source, *_) in NAMES.items():
        notebook.append(cells.test(name, source) if kind == "test" else cells.locked(name, source))
    course.lab("lab", lab=notebook)
    honest = "import decimal\ndef double(x):\n    return 2 * x\ndeclared = 1\nlater = surprise = 5"
    course.hand_in("honest", "lab", answers={"answer": honest})
    course.hand_in("forger", "lab", answers={"answer": FORGER})
    course.gradewell("lab")
    tests = {name: rest for name, (kind, _, *rest) in NAMES.items() if kind == "test"}
    said = course.outputs("honest", "lab")
    assert course.points("honest", "lab") == {name: rest[0] for name, rest in tests.items()}, said
    assert course.points("forger", "lab") == {name: rest[1] for name, rest in tests.items()}
    assert "neither the instructor's cells define it, nor is it asked for in an answer cell" in said
    assert "the locked cell that defines it failed (ZeroDivisionError: division by zero)" in said
    assert "the test cell that defines it did not get so far" in said


PLANTED = """
from pathlib import Path

Path("data.csv").write_text("7")
Path("helper.py").write_text("def right(x): return True")
Path("colorsys.py").write_text("ONE_THIRD = 5")
Path("numexpr.py").write_text("planted = 1")
Path("mine.csv").write_text("3")
Path("pack").mkdir(exist_ok=True)
Path("pack/more.csv").unlink()
Path("pack/more.csv").mkdir()
answer = 7
"""


def test_in_the_judge_nothing_that_student_code_wrote_stands_for_the_instructors_files(
    new_course, cells, tmp_path
):
    course = judged(new_course(tmp_path / "course"))
    tests = {
        "data": "assert int(open('data.csv').read()) == answer",
        "helper": "import helper\nassert helper.right(answer)",
        "library": "import colorsys\nassert colorsys.ONE_THIRD < 1",
        "planted": "import importlib.util\nassert importlib.util.find_spec('numexpr') is None",
        "written": "assert open('mine.csv').read() == '3'",
        "below": "assert open('pack/more.csv').read() == '2'",
    }
    (course.path / "source/lab/pack").mkdir(parents=True)
    (course.path / "source/lab/pack/more.csv").write_text("2")
    files = {"data.csv": "1", "helper.py": "def right(x): return x == 1"}
    notebook = [cells.answer("answer", "answer = 1"), *(cells.test(*one) for one in tests.items())]
    _lab_into(course, files, notebook)
    course.hand_in("forger", "lab", answers={"answer": PLANTED})
    honest = "answer = 1\nopen('mine.csv', 'w').write('3')\nimport helper\nassert helper.right(1)"
    course.hand_in("honest", "lab", answers={"answer": honest})
    course.gradewell("lab")
    said = course.outputs("forger", "lab")
    assert course.points("honest", "lab") == dict.fromkeys(tests, 1), course.outputs("honest", "lab")  # fmt: skip
    assert course.points("forger", "lab") == {**dict.fromkeys(tests, 1), "data": 0, "helper": 0}, said  # fmt: skip
    assert (course.path / "autograded/forger/lab/data.csv").read_text() == "7"


def _lab_into(course, files, notebook):
    folder = course.path / "source/lab"
    for name, text in files.items():
        (folder / name).write_text(text)
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(
        new_notebook(cells=notebook, metadata={"kernelspec": kernel}), folder / "lab.ipynb"
    )
    course.nbgrader("generate_assignment", "lab")
