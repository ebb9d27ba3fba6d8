"""Every sample submission, handed in to a real gradebook, gets the points that it must get."""

import nbformat
import pytest
from gradewell import samples
from sharewell import content, course, grading

LAB = "lab-04-classification"
MIME = "application/vnd.gradewell.result+json"
SAMPLES = samples.load(content.submissions() / LAB)
PARTS = 2  # graded side by side, each in a course of its own
PARAMETERS = [
    pytest.param(
        sample, n % PARTS, marks=pytest.mark.xdist_group(f"samples-{n % PARTS}"), id=sample.name
    )
    for n, sample in enumerate(SAMPLES)
]


@pytest.fixture(scope="session")
def graded(tmp_path_factory, bubblewrap):
    """Grade one part of the samples, once. Returns the course."""
    courses = {}

    def grade(part):
        if part not in courses:
            folder = tmp_path_factory.mktemp("samples") / "course"
            course.make(folder)
            (folder / "secret.txt").write_text("tests", encoding="utf-8")
            made = course.Course(folder)
            grading.prepare(made, LAB)
            source = folder / "source" / LAB / f"{LAB}.ipynb"
            release = folder / "release" / LAB / f"{LAB}.ipynb"
            for sample in SAMPLES[part::PARTS]:
                submitted = folder / "submitted" / student(sample) / LAB / f"{LAB}.ipynb"
                submitted.parent.mkdir(parents=True)
                nbformat.write(sample.notebook(source, release), submitted)
            outcome = grading.grade(made, LAB)
            assert outcome.failed == {}
            courses[part] = made
        return courses[part]

    return grade


def student(sample):
    return sample.name.replace("/", "-")


def test_there_are_enough_samples():
    kinds = [sample.path.parent.name for sample in SAMPLES]
    assert kinds.count("right") >= 3
    assert kinds.count("wrong") >= 30  # six of part A and twenty-four classifiers


@pytest.mark.parametrize(("sample", "part"), PARAMETERS)
def test_sample_gets_its_points_for_its_reasons(sample, part, graded):
    made = graded(part)
    with made.gradebook() as gradebook:
        submission = gradebook.find_submission(LAB, student(sample))
        grades = {
            g.name: (g.auto_score, g.max_score) for n in submission.notebooks for g in n.grades
        }
    assert grades.pop("memo-answer")[1] == 20
    earned = {cell: points for cell, (points, _) in grades.items()}
    expected = {cell: sample.points.get(cell, most) for cell, (_, most) in grades.items()}
    assert earned == expected
    assert set(sample.points) <= set(expected)
    right = sample.path.parent.name == "right"
    assert (earned == {cell: most for cell, (_, most) in grades.items()}) == right
    path = made.root / "autograded" / student(sample) / LAB / f"{LAB}.ipynb"
    assert set(sample.problems) <= problem_codes(path)
    assert (made.root / "feedback" / student(sample) / LAB / f"{LAB}.html").is_file()


def problem_codes(path):
    return {
        problem["code"]
        for cell in nbformat.read(path, as_version=4).cells
        for output in cell.get("outputs", [])
        for problem in output.get("data", {}).get(MIME, {}).get("problems", [])
    }


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
