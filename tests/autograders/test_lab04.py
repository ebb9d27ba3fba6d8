"""Lab 4 on many populations: every right solution passes on each, every wrong one fails on each."""

import pytest
from gradewell import samples
from gradewell.checks import classification, profiling
from sharewell import content

LAB = "lab-04-classification"
NOTEBOOK = content.root() / "source" / LAB / f"{LAB}.ipynb"
SAMPLES = samples.load(content.submissions() / LAB)
RIGHT = [sample for sample in SAMPLES if sample.path.parent.name == "right"]
WRONG = [sample for sample in SAMPLES if sample.path.parent.name == "wrong"]
HIDDEN = {
    "profile-hidden": ("profile", profiling.hidden),
    "sets-hidden": ("risky_sets", profiling.risky_sets),
    "classify-cards": ("classify", classification.cards),
    "classify-properties": ("classify", classification.properties),
    "table-hidden": ("classify_table", classification.table),
}


def results(names, seed, cells=tuple(HIDDEN)):
    """What the hidden checks say of a submission's names on one population."""
    for cell in cells:
        function, check = HIDDEN[cell]
        yield check(names.get(function, missing), seed=seed)


def missing(*arguments):
    raise NameError("not defined")


@pytest.mark.parametrize("chunk", range(2))
def test_model_solution_passes_on_many_populations(chunk):
    (model,) = (sample for sample in RIGHT if sample.path.stem == "model")
    names = model.names(NOTEBOOK)
    for seed in range(chunk * 10, chunk * 10 + 10):
        for function, check in HIDDEN.values():
            result = check(names[function], seed=seed)
            assert result.passed, f"seed {seed}: {result}"


@pytest.mark.parametrize("sample", RIGHT, ids=lambda sample: sample.path.stem)
def test_other_right_solutions_pass_on_other_populations(sample):
    names = sample.names(NOTEBOOK)
    for seed in range(5_000, 5_005):
        for result in results(names, seed):
            assert result.passed, f"seed {seed}: {result}"


def hidden_losses(sample):
    """The hidden checks in which a wrong sample loses points; some mistakes cost visible checks only.

    A blank sample is left to test_samples.py: it needs the student version.
    """
    return [cell for cell in HIDDEN if cell in sample.points]


@pytest.mark.parametrize(
    "sample",
    [s for s in WRONG if hidden_losses(s) and not s.blank],
    ids=lambda sample: sample.path.stem,
)
def test_wrong_solutions_fail_on_every_population_for_the_reason_meant_for_them(sample):
    names = sample.names(NOTEBOOK)
    for seed in range(9_000, 9_002):
        found = list(results(names, seed, hidden_losses(sample)))
        assert not all(result.passed for result in found), f"seed {seed}"
        codes = {problem.code for result in found for problem in result.problems}
        meant = {code for code in sample.problems if code.split(".")[0] != "cases"}
        assert meant <= codes, f"seed {seed}: {meant - codes}"


def test_mistakes_that_cost_no_hidden_check_cost_a_visible_one():
    visible = {
        sample.path.stem: set(sample.points) for sample in WRONG if not hidden_losses(sample)
    }
    assert visible
    assert all(visible.values()), visible


def test_messages_about_unseen_tables_name_no_column_and_no_value():
    def wrong(table):
        return {column: ("sensitive", "", 0) for column in table}

    for problem in profiling.hidden(wrong, seed=77).problems:
        assert "an unseen table" in problem.message
        assert "column c" not in problem.message
        assert "practice" not in problem.message
