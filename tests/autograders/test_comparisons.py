"""Whatever a student's value is compared with, is compared by ``gradewell.checks.compare``: the source of the checks is read for the rest.

The rule. In a function of a check, a name is *the student's* if it is a parameter that may be anything (``Any``), or if it is made of
what ``call``, ``mapped``, ``repeated``, ``measured``, ``run``, ``plain`` or ``contents`` return, or of another such name. What a function of the checks
makes of it, ``len``, or a comparison, is the check's own again: that function is read by the same rule. A comparison by order, by ``==`` or
by ``in`` in which a student's name stands, and a ``max``, ``min`` or ``sorted`` or one of NumPy's of it, is bare. Beside the line of one that is sound all the
same stands ``# own:`` and why.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TypeGuard

import gradewell.checks
import pytest

CHECKS = Path(gradewell.checks.__file__).parent
MODULES = sorted(path for path in CHECKS.rglob("*.py") if path.name != "compare.py")
FROM_STUDENTS = {"call", "mapped", "repeated", "measured", "run", "plain", "contents"}
BARE_OPERATORS = (ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Eq, ast.NotEq, ast.In, ast.NotIn)
BARE_CALLS = {
    "max", "min", "sorted", "sort", "index", "count", "remove", "isclose", "allclose", "array_equal", "array_equiv", "equals",
    "float", "int", "round", "asarray", "maximum", "minimum", "clip", "argmax", "argmin", "unique", "searchsorted", "isin", "eq", "ne", "lt", "le", "gt", "ge", "between",
}  # fmt: skip
HARMLESS = {"len", "isinstance", "type", "id", "callable"}


@cache
def own_functions() -> frozenset[str]:
    """The functions and methods of the checks, by name."""
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in CHECKS.rglob("*.py")]
    outer = [tree for tree in trees] + [
        node for tree in trees for node in tree.body if isinstance(node, ast.ClassDef)
    ]
    return frozenset(
        node.name for one in outer for node in one.body if isinstance(node, ast.FunctionDef)
    )


def name_of(function: ast.expr) -> str:
    return getattr(function, "attr", getattr(function, "id", ""))


class Reader:
    """One function of a check, with those inside of it."""

    def __init__(self, function: ast.FunctionDef) -> None:
        self.function = function
        inner = [
            node
            for node in ast.walk(function)
            if isinstance(node, ast.FunctionDef) and node is not function
        ]
        self.inner = {node.name: may_be_anything(node.returns) for node in inner} | {
            argument.arg: may_be_anything(argument.annotation.slice.elts[1])
            for argument in function.args.args
            if is_callable(argument.annotation)
        }
        self.students = {
            argument.arg
            for node in ast.walk(function)
            if isinstance(node, ast.FunctionDef)
            for argument in ast.walk(node.args)
            if isinstance(argument, ast.arg)
            and argument.arg not in ("self", "cls")
            and may_be_anything(argument.annotation)
        }
        before = -1
        while before != len(self.students):  # until nothing is added
            before = len(self.students)
            for node in ast.walk(function):
                for target, value in bindings(node):
                    self.bind(target, value)

    def bind(self, target: ast.expr, value: ast.expr) -> None:
        parallel = getattr(value, "elts", None) or getattr(value, "args", [])
        if isinstance(value, ast.Call) and name_of(value.func) not in (
            "zip",
            "enumerate",
            "product",
        ):
            parallel = []
        if isinstance(value, ast.Call) and name_of(value.func) == "enumerate":
            parallel = [ast.Constant(0), parallel[0]]
        if isinstance(target, ast.Tuple | ast.List) and len(parallel) == len(target.elts):
            for one, other in zip(target.elts, parallel, strict=True):
                self.bind(one, other)
        elif self.is_students(value):
            while isinstance(target, ast.Subscript | ast.Starred):
                target = target.value
            self.students |= {node.id for node in ast.walk(target) if isinstance(node, ast.Name)}

    def is_students(self, value: ast.AST) -> bool:
        if isinstance(value, ast.Name):
            return value.id in self.students
        if isinstance(value, ast.Compare | ast.JoinedStr | ast.Lambda):
            return False
        if isinstance(value, ast.Call):
            name = name_of(value.func)
            if name in FROM_STUDENTS or self.inner.get(name):
                return True
            if name in HARMLESS or name in self.inner or name in own_functions():
                return False
        if isinstance(value, ast.IfExp):
            return self.is_students(value.body) or self.is_students(value.orelse)
        if isinstance(value, ast.ListComp | ast.SetComp | ast.GeneratorExp):
            return self.is_students(value.elt)
        if isinstance(value, ast.DictComp):
            return self.is_students(value.key) or self.is_students(value.value)
        return any(self.is_students(child) for child in ast.iter_child_nodes(value))

    def bare(self) -> Iterator[ast.expr]:
        for node in ast.walk(self.function):
            if isinstance(node, ast.Compare):
                sides = [node.left, *node.comparators]
                if any(isinstance(operator, BARE_OPERATORS) for operator in node.ops) and any(
                    map(self.is_students, sides)
                ):
                    yield node
            elif isinstance(node, ast.Call) and name_of(node.func) in BARE_CALLS:
                of = [node.func.value] if isinstance(node.func, ast.Attribute) else []
                if any(map(self.is_students, [*of, *node.args])):
                    yield node


def may_be_anything(annotation: ast.AST | None) -> bool:
    """Whether ``Any`` stands in it, but for what a function takes and gives."""
    if annotation is None:
        return True
    if is_callable(annotation):
        return False
    return getattr(annotation, "id", "") == "Any" or any(
        may_be_anything(child) for child in ast.iter_child_nodes(annotation)
    )


def is_callable(annotation: ast.AST | None) -> TypeGuard[ast.Subscript]:
    return isinstance(annotation, ast.Subscript) and name_of(annotation.value) == "Callable"


def bindings(node: ast.AST) -> Iterator[tuple[ast.expr, ast.expr]]:
    """The names that a statement gives, and to what."""
    if isinstance(node, ast.Assign):
        yield from ((target, node.value) for target in node.targets)
    elif isinstance(node, ast.AnnAssign | ast.AugAssign | ast.NamedExpr) and node.value:
        yield node.target, node.value
    elif isinstance(node, ast.For | ast.comprehension):
        yield node.target, node.iter


def bare(source: str) -> list[str]:
    """The bare comparisons in the source of a module: line, and what stands there."""
    lines = source.splitlines()
    return [
        f"{node.lineno}: {ast.unparse(node)}"
        for function in ast.walk(ast.parse(source))
        if isinstance(function, ast.FunctionDef)
        for node in Reader(function).bare()
        if not any("# own:" in line for line in lines[node.lineno - 1 : node.end_lineno])
    ]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(CHECKS)))
def test_no_value_of_a_student_is_compared_bare(path):
    assert sorted(set(bare(path.read_text(encoding="utf-8")))) == []


PLANTED = {
    "a distance that NaN passes": "if not abs(found - 3) > 0.1: points = 1",
    "the worst of some errors": "if max(abs(one - 3) for one in found) < 0.1: points = 1",
    "what an object agrees with": "if found != expected: points = 0",
    "an object that agrees, among others": "if found in ('allow', 'deny'): points = 1",
    "what is made of it on the way": "half = [one / 2 for one in found]\n    points = half == expected",
    "in an array": "points = np.isclose(found, expected).all()",
    "by way of a dict": "kept = {}\n    kept['it'] = found\n    points = kept['it'] <= 3",
    "in a loop": "for place, one in enumerate(found):\n        points = one == place",
    "in a function inside": "def right(said: Any) -> bool:\n        return said == expected\n    points = right(found)",
    "a number that need not be one": "points = expected - float(found)",
}  # fmt: skip
SOUND = {
    "by this module": "points = compare.same(found, expected)",
    "a number of it that is known to be one": "good = compare.number(found)\n    points = good is not None and good < 3",
    "its length": "points = len(found) == 3",
    "what is the check's own": "points = expected == 3",
    "with a reason": "points = found == 3  # own: for this test",
}


@pytest.mark.parametrize("lines", PLANTED.values(), ids=PLANTED)
def test_a_bare_comparison_is_found(lines):
    assert bare(f"def check(function, expected: int):\n    found = call(function)\n    {lines}\n")


@pytest.mark.parametrize("lines", SOUND.values(), ids=SOUND)
def test_a_sound_comparison_is_left_alone(lines):
    source = "def check(function, expected: int):\n    found = call(function)\n    "
    assert bare(f"{source}{lines}\n") == []


def test_a_parameter_that_may_be_anything_is_the_students():
    assert bare("def check(given: Any) -> bool:\n    return given == 3\n")
    assert not bare("def check(given: int) -> bool:\n    return given == 3\n")
