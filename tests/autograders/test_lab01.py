"""Lab 1's overview, and what students are told. The rest of it: test_labs.py."""

import pytest
from gradewell import samples
from gradewell.checks import tills
from sharewell import content

LAB = "lab-01-summaries"
NOTEBOOK = content.root() / "source" / LAB / f"{LAB}.ipynb"
SAMPLES = samples.load(content.submissions() / LAB)
RIGHT = [sample for sample in SAMPLES if sample.path.parent.name == "right"]
WRONG = [
    sample
    for sample in SAMPLES
    if "overview-hidden" in sample.points
    and sample.path.parent.name == "wrong"
    and not sample.blank
    and sample.problems != ("overview.memory",)  # seen with 20 million rows only: test_samples.py
]


def overview(names, seed):
    return tills.overview(names["overview"], seed, 22, 400_000)


@pytest.mark.parametrize("sample", RIGHT, ids=lambda sample: sample.path.stem)
def test_right_overviews_pass_on_20_populations(sample):
    names = sample.names(NOTEBOOK)
    for seed in range(20):
        result = overview(names, seed)
        assert result.passed, f"seed {seed}: {result}"


@pytest.mark.parametrize("sample", WRONG, ids=lambda sample: sample.path.stem)
def test_wrong_overviews_fail_on_every_population_for_the_reason_meant_for_them(sample):
    names = sample.names(NOTEBOOK)
    for seed in range(9_000, 9_005):
        result = overview(names, seed)
        assert not result.passed, f"seed {seed}"
        told = {problem.code for problem in result.problems}
        assert {code for code in sample.problems if code.startswith("overview.")} <= told


def test_an_overview_that_takes_too_much_is_told_so_and_one_that_is_wrong_too():
    (model,) = (sample for sample in RIGHT if sample.path.stem == "model")
    names = model.names(NOTEBOOK)

    def wasteful(folder):
        kept = bytearray(600 << 20)
        kept[::4096] = bytes(len(kept[::4096]))  # touched, so that it is there
        return names["overview"](folder)

    result = tills.overview(wasteful, 1, 22, 10_000_000)
    assert (result.points, [p.code for p in result.problems]) == (0, ["overview.memory"])
    assert "512 MiB are allowed" in result.problems[0].message
    assert tills.overview(names["overview"], 1, 22, 10_000_000).passed
    for wrong in (lambda folder: None, lambda folder: {}, lambda folder: {"rows": "many"}):
        assert tills.overview(wrong, 1, 22).points == 0


def test_the_parsons_problem_is_told_on_the_smallest_parts():
    result = tills.merged(lambda a, b: (a[0] + b[0], (a[1] + b[1]) / 2, a[2] + b[2]))
    assert not result.passed
    assert "With two parts: (2, 4.0, 2.0) and (3, 12.0, 8.0) give (5, 8.8, 86.8)" in str(result)


def test_messages_about_hidden_rows_show_none_of_them():
    seen = []

    def summarise(rows):
        seen.extend(rows := list(rows))
        raise ValueError(rows)

    result = tills.moments(summarise, None, None, 77, 22)
    assert seen
    assert not any(str(value) in str(result) for value in seen if value > 10)
