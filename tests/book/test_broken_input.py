"""What is wrong in a source stops the build, and is named."""

import json
import os
import shutil

import pytest
from sharewell import content

from .conftest import BOOK

pytestmark = pytest.mark.xdist_group("book")


@pytest.fixture
def sources(tmp_path):
    """A copy of the book and of the course, to break."""
    shutil.copytree(BOOK, tmp_path / "book", ignore=shutil.ignore_patterns("_build", "*.mo"))
    shutil.copytree(content.root(), tmp_path / "course")
    return tmp_path


def broken(build, with_outputs, folder):
    """What a build of these sources says, which has to fail."""
    environment = {**os.environ, "PYTHONPATH": str(folder / "course")}
    built = build(folder / "site", *with_outputs, source=folder / "book", env=environment)
    assert built.returncode != 0
    return built.stderr


def change(notebook, cell, source):
    found = json.loads(notebook.read_text(encoding="utf-8"))
    (one,) = [each for each in found["cells"] if each["id"] == cell]
    one["source"] = source
    notebook.write_text(json.dumps(found, ensure_ascii=False), encoding="utf-8")


def test_failing_lessons_missing_figures_dead_links_citations_and_modules_are_named(
    sources, build, with_outputs
):
    lesson = sources / "course/lessons/4-protection/4.5-computing-without-showing.ipynb"
    change(lesson, "quiz", "raise RuntimeError('the lesson stops here')")
    (sources / "book" / "making.md").write_text(
        "# How it is made\n\n![no such picture](figures/none.png)\n\n[nowhere](no-such-page.md)\n\n"
        "[no heading](#no-such-heading)\n\n{cite}`Nobody2099`\n",
        encoding="utf-8",
    )
    module = sources / "book" / "modules" / "1-fundamentals.md"
    module.write_text(module.read_text().replace("{outcomes} 1-fund", "{outcomes} 9-fund"))
    said = broken(build, with_outputs, sources)
    assert "course/syllabus.yml has no module '9-fundamentals'" in said
    assert "4.5-computing-without-showing" in said
    assert "the lesson stops here" in said
    for name in ("figures/none.png", "no-such-page.md", "no-such-heading", "Nobody2099"):
        assert name in said
        (line,) = [line for line in said.splitlines() if name in line and "WARNING" in line]
        assert "making.md" in line


def test_a_notebook_that_the_syllabus_does_not_know_is_named(sources, build, with_outputs):
    lesson = sources / "course/lessons/1-fundamentals/1.1-public-resource.ipynb"
    shutil.copyfile(lesson, lesson.with_name("1.9-forgotten.ipynb"))
    assert "1.9-forgotten.ipynb is not in course/syllabus.yml" in broken(
        build, with_outputs, sources
    )
