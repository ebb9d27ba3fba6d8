"""The Chinese book is complete and fits the English one: every message stands there, has a translation, and keeps its markup."""

import json
import re
import subprocess
import sys
from pathlib import Path

import languages
import nbformat
import pytest
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from kernel_language import template
from markdown_it import MarkdownIt
from sphinx.errors import ExtensionError

from .conftest import BOOK, LESSONS

pytestmark = pytest.mark.xdist_group("book")
HOME = BOOK / "locale" / "zh_CN" / "LC_MESSAGES"
CATALOGUES = sorted(HOME.rglob("*.po"))
OUTPUTS = ("figures", "questions")  # what lessons show, beside the text of their pages
ENGLISH_ONLY = ("api", "data")  # folders: reference made of the packages' own texts


def messages(path):
    with path.open("rb") as file:
        return {message.id: message for message in read_po(file) if message.id}


@pytest.fixture(scope="module")
def extracted(build, tmp_path_factory):
    folder = tmp_path_factory.mktemp("gettext")
    ran = build(folder, "-b", "gettext", "-D", "nb_execution_mode=off")
    assert ran.returncode == 0, ran.stderr
    return folder


def marks(text):
    """Code, formulas and emphasis, which a translation keeps."""
    tokens = [child.type for token in MarkdownIt().parseInline(text) for child in token.children]
    emphasis = tokens.count("strong_open"), tokens.count("em_open")
    return emphasis, sorted(re.findall(r"(?<!\})`[^`]*`|\$[^$]+\$|</?(?:span|a|b|i)\b", text))


def test_every_page_has_a_catalogue(extracted):
    pages = {path.relative_to(extracted).with_suffix("") for path in extracted.rglob("*.pot")}
    pages = {page for page in pages if page.parts[0] not in ENGLISH_ONLY or len(page.parts) == 1}
    there = {path.relative_to(HOME).with_suffix("") for path in CATALOGUES}
    assert pages == there - {Path(name) for name in OUTPUTS}


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.stem)
def test_nothing_is_untranslated_or_fuzzy_and_markup_is_kept(path):
    for source, message in messages(path).items():
        assert message.string, source
        assert not message.fuzzy, source
        if re.search(r"[A-Za-z]{2,}", source) and path.stem not in OUTPUTS:
            assert marks(message.string) == marks(source), source
        assert sorted(re.findall(r"\{\}", source)) == sorted(re.findall(r"\{\}", message.string))


@pytest.mark.parametrize(
    "path",
    [path for path in CATALOGUES if path.stem not in OUTPUTS],
    ids=lambda path: path.stem,
)
def test_a_catalogue_has_the_messages_of_its_page_and_no_others(path, extracted):
    page = path.relative_to(HOME).with_suffix(".pot")
    assert set(messages(path)) == set(messages(extracted / page))


def words(text):
    """Whether there is anything to translate: a word outside of formulas."""
    return bool(re.search(r"[A-Za-z]{2,}", re.sub(r"\\mathdefault|\$[^$]*\$", "", text)))


def test_what_lessons_show_is_translated(lessons):
    """Labels of figures as they were drawn, their alternatives, questions and answers; and nothing that is gone."""
    shown = {"one is right", "more than one may be right", "✓ Right.", "✗ No."}
    shown |= {"Show what comes out", "Hide what comes out"}  # conf.py
    written = ""
    for path in LESSONS:
        notebook = nbformat.read(path, as_version=4)
        if path.stem.startswith("1.3-"):
            written += "".join(cell.source for cell in notebook.cells)
        images = [cell.metadata.get("mystnb", {}).get("image", {}) for cell in notebook.cells]
        shown |= {image["alt"] for image in images if "alt" in image}
        for question in json.loads(path.with_suffix(".quiz.json").read_text(encoding="utf-8")):
            shown.add(question["question"])
            for answer in question["answers"]:
                shown |= {answer["answer"], answer["feedback"]}
    drawn = set().union(*(run.texts for run in lessons.values()))
    shown |= {template(text) for text in drawn if words(text)}
    known = set().union(*(messages(HOME / f"{name}.po") for name in OUTPUTS))
    # lesson 1.3 does not draw what takes too long on this machine, nor Spark where it is not installed
    gone = {text for text in known - shown if text not in written}
    assert shown - known == set()
    assert gone == set()


SHOWN = """
import kernel_language
kernel_language.set_up({home!r}, "zh_CN")
import matplotlib
matplotlib.use("agg")
import matplotlib.pyplot as plt
from sharewell.quiz import Quiz
figure, axes = plt.subplots()
axes.set(xlabel="rows", title="1,335 cells", ylabel="not in the catalogue")
figure.canvas.draw()
print(axes.get_xlabel(), axes.get_title(), axes.get_ylabel(), sep="|")
print(Quiz({quiz!r})._repr_html_())
"""


def test_a_kernel_in_chinese_draws_and_asks_in_chinese(tmp_path):
    """With glyphs for it (matplotlib warns of those that it lacks), its own numbers, and the rest as it is."""
    folder = tmp_path / "locale" / "zh_CN" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    try:
        languages.chinese_fonts(tmp_path / "fonts")
    except ExtensionError as missing:
        pytest.skip(str(missing))
    for name in OUTPUTS:
        with (HOME / f"{name}.po").open("rb") as file, (folder / f"{name}.mo").open("wb") as made:
            write_mo(made, read_po(file))
    quiz = LESSONS[0].with_suffix(".quiz.json")
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", SHOWN.format(home=str(tmp_path), quiz=str(quiz))],
        cwd=BOOK / "extensions",
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.startswith("行数|1,335 格|not in the catalogue\n")
    assert "1854 年" in ran.stdout
    assert "✓ 对。" in ran.stdout
    assert "Right" not in ran.stdout


def test_without_chinese_fonts_the_build_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setattr(languages, "findSystemFonts", lambda: [])
    with pytest.raises(ExtensionError, match="apt install fonts-noto-cjk"):
        languages.chinese_fonts(tmp_path)
