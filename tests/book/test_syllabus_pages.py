"""A notebook that the syllabus does not know, or that it knows and nobody wrote, stops the build by its name."""

import shutil

import course_pages
import pytest
from sharewell import content
from sphinx.errors import ExtensionError


@pytest.fixture
def course(tmp_path, monkeypatch):
    root = content.root()
    for part in ("lessons", "source"):
        shutil.copytree(root / part, tmp_path / part)
    monkeypatch.setattr(content, "root", lambda: tmp_path)
    return tmp_path


def test_a_lesson_outside_of_the_syllabus_is_named(course):
    lesson = course / "lessons" / "1-fundamentals" / "1.1-public-resource.ipynb"
    shutil.copy(lesson, lesson.with_name("1.9-forgotten.ipynb"))
    with pytest.raises(
        ExtensionError, match=r"1\.9-forgotten\.ipynb is not in course/syllabus\.yml"
    ):
        course_pages.lessons()
    lesson.with_name("1.9-forgotten.ipynb").unlink()
    lesson.unlink()
    with pytest.raises(ExtensionError, match=r"1\.1-public-resource\.ipynb .* is not there"):
        course_pages.lessons()


def test_a_lab_outside_of_the_syllabus_is_named(course, tmp_path):
    shutil.copytree(course / "source" / "lab-03-catalogue", course / "source" / "lab-99-forgotten")
    folder = course / "source" / "lab-99-forgotten"
    (folder / "lab-03-catalogue.ipynb").rename(folder / "lab-99-forgotten.ipynb")
    with pytest.raises(ExtensionError, match="lab-99-forgotten is not in"):
        course_pages.labs(tmp_path / "student")


def test_a_lab_is_made_anew_when_its_source_has_changed(tmp_path):
    folder = tmp_path / "student"
    made = course_pages.labs(folder)["labs/lab-03-catalogue"]
    before = made.stat().st_mtime_ns
    course_pages.labs(folder)
    assert made.stat().st_mtime_ns == before
    digests = folder / ".sharewell-student" / "digests.json"
    digests.write_text(
        digests.read_text().replace('"lab-03-catalogue": "', '"lab-03-catalogue": "0')
    )
    made.write_text("what an earlier source gave", encoding="utf-8")
    course_pages.labs(folder)
    assert made.read_text(encoding="utf-8") != "what an earlier source gave"
