"""Each lab on many populations: every right solution passes on each, every wrong one fails on each, for the reason meant for it.

The hidden test cells themselves run, in this process, with one secret after the other. ``gradewell verify`` does the same through the gradebook.
Lab 4's parts are in test_lab04.py; lab 1's overview, whose hidden test reads 20 million rows, in test_lab01.py.
"""

import ast

import nbformat
import pytest
from gradewell import samples
from gradewell.checks import CheckFailed
from gradewell.checks.population import VARIABLE
from sharewell import content

ELSEWHERE = {"lab-04-classification", "overview-hidden"}
POPULATIONS = {
    "lab-01-summaries": 60,
    "lab-02-linkage": 6,
    "lab-03-catalogue": 30,
    "lab-05-matching": 30,
    "lab-06-epidemic-tables": 10,
    "lab-07-export": 30,
    "lab-08-release": 4,
    "lab-09-private-statistics": 4,
    "lab-10-access": 10,
    "lab-11-evidence": 10,
    "capstone-closed-loop": 2,
}
LABS = [lab for lab in content.labs() if lab not in ELSEWHERE]
SAMPLES = [
    pytest.param(lab, sample, id=f"{lab[:6]}-{sample.name}")
    for lab in LABS
    for sample in samples.load(content.submissions() / lab)
]


def of(kind):
    return [one for one in SAMPLES if one.values[1].path.parent.name == kind]


def lost(sample):
    """The hidden test cells in which a sample loses points."""
    return [cell for cell in sample.points if cell.endswith("-hidden") and cell not in ELSEWHERE]


def notebook(lab):
    return content.root() / "source" / lab / f"{lab}.ipynb"


@pytest.fixture
def graded(monkeypatch):
    """The results of hidden test cells, by cell, for one secret after the other."""

    def results(lab, sample, secrets, wanted=lambda cell: True):
        names = sample.names(notebook(lab))
        cells = {
            cell.id: ast.parse(cell.source).body
            for cell in nbformat.read(notebook(lab), as_version=4).cells
            if cell.id.endswith("-hidden") and cell.id not in ELSEWHERE and wanted(cell.id)
        }
        for secret in secrets:
            monkeypatch.setenv(VARIABLE, secret)
            found = {}
            for cell, (*before, last) in cells.items():
                exec(compile(ast.Module(before, []), cell, "exec"), names)
                found[cell] = eval(compile(ast.Expression(last.value), cell, "eval"), names)
            yield secret, found

    return results


@pytest.mark.parametrize("lab", LABS)
def test_the_model_solution_passes_on_many_populations(lab, graded):
    (model,) = (s for s in samples.load(content.submissions() / lab) if s.path.stem == "model")
    for secret, found in graded(lab, model, (f"m{n}" for n in range(POPULATIONS[lab]))):
        for result in found.values():
            assert result.passed, f"secret {secret}: {result}"


@pytest.mark.parametrize(("lab", "sample"), of("right"))
def test_other_right_solutions_pass_on_other_populations(lab, sample, graded):
    count = min(3, POPULATIONS[lab])
    for secret, found in graded(lab, sample, (f"r{n}" for n in range(count))):
        for result in found.values():
            assert result.passed, f"secret {secret}: {result}"


@pytest.mark.parametrize(
    ("lab", "sample"),
    [one for one in of("wrong") if lost(one.values[1]) and not one.values[1].blank],
)
def test_wrong_solutions_fail_on_every_population_for_the_reason_meant_for_them(
    lab, sample, graded
):
    count = min(3, max(1, POPULATIONS[lab] // 2))
    for secret, found in graded(
        lab, sample, (f"w{n}" for n in range(count)), lost(sample).__contains__
    ):
        results = found.values()
        assert not all(result.passed for result in results), f"secret {secret}"
        codes = {problem.code for result in results for problem in result.problems}
        missing = {code for code in sample.problems if not code.startswith("overview.")} - codes
        assert not missing, f"secret {secret}: {missing}"


@pytest.mark.parametrize(
    ("lab", "sample"),
    [
        one
        for one in of("wrong")
        if all(cell.endswith("-check") for cell in one.values[1].points) and not one.values[1].blank
    ],
)
def test_mistakes_that_no_hidden_test_looks_at_fail_in_their_visible_check(lab, sample):
    names = sample.names(notebook(lab))
    cells = {cell.id: cell.source for cell in nbformat.read(notebook(lab), as_version=4).cells}
    assert sample.points
    for cell, points in sample.points.items():
        assert points == 0
        with pytest.raises(CheckFailed):
            exec(cells[cell], names)
