"""Every sample submission, handed in to a real gradebook, gets the points that it must get; and verify notices if not."""

import shutil
from functools import cache

import pytest
import yaml
from gradewell import samples
from gradewell.verify import STARTER, matrix, verify
from rich.console import Console
from sharewell import SharewellError, content

pytestmark = pytest.mark.xdist_group("samples")  # graded once

LAB = "lab-04-classification"
LABS = tuple(content.labs())
SAMPLES = {lab: samples.load(content.submissions() / lab) for lab in LABS}
WRONG = {LAB: 30}  # six of part A and twenty-four classifiers


WHOLE = ("lab-01-summaries", "lab-04-classification")
"""Of these all hostile and right samples go through the gradebook here; of the others the right ones and two hostile ones."""


def tried(sample):
    """All go through the gradebook by ``gradewell verify``. Here: the right and hostile ones; of the wrong ones those whose points the sandbox
    decides, those that lose a part of a visible check, and the empty one. The others are in test_labs.py and test_lab04.py."""
    lab, kind = sample.path.parents[1].name, sample.path.parent.name
    if kind == "wrong":
        partly = any(c.endswith("-check") and points for c, points in sample.points.items())
        return sample.blank or partly or "overview.memory" in sample.problems
    if lab in WHOLE or kind == "right":
        return True
    some = sorted(one.path.stem for one in SAMPLES[lab] if one.path.parent.name == "hostile")
    return kind == "hostile" and sample.path.stem in some[:2]


@pytest.fixture(scope="module")
def reports(tmp_path_factory, bubblewrap):
    # many more populations are in test_lab*.py, without notebooks around them, and in make verify
    @cache
    def report(lab):
        folder = tmp_path_factory.mktemp("samples") / "course"
        return verify(lab, folder, Console(quiet=True), seeds=0, only=tried)

    return report


@pytest.mark.parametrize("lab", LABS)
def test_there_are_enough_samples(lab):
    kinds = [sample.path.parent.name for sample in SAMPLES[lab]]
    assert kinds.count("right") >= 3
    assert kinds.count("wrong") >= WRONG.get(lab, 12)
    assert kinds.count("hostile") >= 4


@pytest.mark.parametrize(
    ("lab", "name"),
    [(lab, n) for lab in LABS for n in [*(s.name for s in SAMPLES[lab] if tried(s)), STARTER]],
)
def test_sample_gets_its_points_for_its_reasons(lab, name, reports):
    (row,) = [row for row in reports(lab).rows if row.sample == name]
    assert row.faults == ()
    assert row.earned == row.expected
    full = row.earned == row.possible
    assert full == name.startswith("right/")


@pytest.mark.parametrize("lab", LABS)
def test_what_holds_for_the_lab_as_a_whole_holds(lab, reports):
    assert reports(lab).faults == []
    assert reports(lab).right


def test_verify_notices_wrong_expectations_and_says_which(tmp_path, monkeypatch, bubblewrap):
    folder = tmp_path / "samples" / LAB
    for name in ("right/model", "wrong/r6-k-21"):
        (folder / name).parent.mkdir(parents=True)
        shutil.copy(content.submissions() / LAB / f"{name}.yml", folder / f"{name}.yml")
    path = folder / "wrong/r6-k-21.yml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("problems:", "problems:\n- cards.never-said"), encoding="utf-8")
    (folder / "wrong/not-wrong.yml").write_text("mistake: none", encoding="utf-8")
    (folder / "right/not-right.yml").write_text(
        "mistake: x\nedits: [{cell: parsons-answer, source: 'order = []'}]", encoding="utf-8"
    )
    monkeypatch.setattr(content, "submissions", lambda: tmp_path / "samples")
    found = verify(LAB, tmp_path / "course", Console(quiet=True), seeds=0)
    faults = {row.sample: " ".join(row.faults) for row in found.rows}
    assert faults["right/model"] == faults[STARTER] == ""
    assert "nobody is told of cards.never-said" in faults["wrong/r6-k-21"]
    assert "a wrong sample is to get all" in faults["wrong/not-wrong"]
    assert "other points than it must get" in faults["right/not-right"]
    assert found.faults == ["there is no hostile sample"]
    assert not found.right
    console = Console(width=160, record=True, quiet=False, file=(tmp_path / "out").open("w"))
    console.print(matrix(found))
    shown = console.export_text()
    assert "0 not 4" in shown
    assert "right/not-right: other points" in shown


def test_verify_notices_a_model_solution_that_is_right_by_luck(tmp_path, monkeypatch, bubblewrap):
    """Its grade depends on the population: its points are those of the class, and not those of other populations."""
    folder = tmp_path / "samples" / LAB / "right"
    folder.mkdir(parents=True)
    head = "def risky_sets(table, columns, share):"
    lucky = head + "\n    if len(table) > 6 and len(table) % 2:\n        return []"
    edit = {"cell": "sets-answer", "find": head, "put": lucky}
    (folder / "model.yml").write_text(yaml.safe_dump({"mistake": "luck", "edits": [edit]}))
    monkeypatch.setattr(content, "submissions", lambda: tmp_path / "samples")
    found = verify(LAB, tmp_path / "course", Console(quiet=True), seeds=4)
    blamed = [fault for fault in found.faults if "loses points in sets-hidden" in fault]
    assert 0 < len(blamed) < 4, found.faults


def test_verify_knows_what_it_cannot_do(tmp_path, monkeypatch):
    with pytest.raises(SharewellError, match="no lab 'lab-99'; there are: lab-01"):
        verify("lab-99", tmp_path / "course", Console(quiet=True))
    monkeypatch.setattr(content, "submissions", lambda: tmp_path)
    with pytest.raises(SharewellError, match="no samples"):
        verify(LAB, tmp_path / "course", Console(quiet=True))


def test_a_sample_that_does_not_fit_names_its_file_and_cell(tmp_path):
    lab = content.root() / "source" / LAB / f"{LAB}.ipynb"
    for text, said in (
        ("mistake: x\nedits: [{cell: nowhere, source: y}]", "no solution cell 'nowhere'"),
        ("mistake: x\nedits: [{cell: table-answer, find: zebra, put: y}]", "occurs 0 times"),
        ("mistake: x\nedits: [{cell: table-answer, find: decisions, put: y}]", "not once"),
    ):
        path = tmp_path / "sample.yml"
        path.write_text(text, encoding="utf-8")
        (sample,) = samples.load(tmp_path)
        with pytest.raises(samples.SampleError, match=said):
            sample.notebook(lab, lab)
    path.write_text("- not a sample", encoding="utf-8")
    with pytest.raises(samples.SampleError, match=r"sample\.yml"):
        samples.load(tmp_path)
