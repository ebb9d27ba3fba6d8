"""The book in both languages, built once for the tests as ``make book`` does, with what came out of the lessons."""

import shutil
import subprocess
import sys
from importlib.util import find_spec
from itertools import product
from pathlib import Path
from types import SimpleNamespace

import course_pages
import languages
import nbformat
import pytest
from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn
from sharewell import content

BOOK = Path(__file__).parents[2] / "book"

SPARK = find_spec("pyspark") is not None and shutil.which("java") is not None
LESSONS = sorted((content.root() / "lessons").rglob("*.ipynb"))


@pytest.fixture(scope="session")
def lessons(executed):
    """Each lesson by its name, after it ran."""
    return {
        path.stem: executed(path) for path in LESSONS if SPARK or not path.stem.endswith("-spark")
    }


@pytest.fixture(scope="session")
def build(tmp_path_factory):
    """Build the book into a folder, as ``make book`` does. Returns the finished process."""

    def run(target, *options, source=BOOK, **keywords):
        command = [sys.executable, "-m", "sphinx", "--quiet", "--fail-on-warning", *options]
        return subprocess.run(
            [*command, str(source), str(target)],
            capture_output=True,
            text=True,
            check=False,
            **keywords,
        )

    return run


@pytest.fixture(scope="session")
def with_outputs(lessons, tmp_path_factory):
    """Options with which a build shows the lessons as they ran here, instead of running them again.

    MyST-NB knows a notebook by its code and the metadata of its cells, as the book's extensions prepare them.
    """
    folder = tmp_path_factory.mktemp("outputs")
    cache = get_cache(folder)
    for path, language in product(LESSONS, ("en", "zh_CN")):
        if path.stem not in lessons:
            continue
        page = path.relative_to(content.root()).with_suffix("").as_posix()
        app = SimpleNamespace(
            srcdir=BOOK,
            env=SimpleNamespace(note_dependency=lambda path: None),
            config=SimpleNamespace(language=language),
            project=SimpleNamespace(notebooks={page: path}),
        )
        source = [path.read_text(encoding="utf-8")]
        course_pages.prepare(app, page, source)
        languages.translate_alternatives(app, page, source)
        notebook = nbformat.reads(source[0], as_version=4)
        for cell, after in zip(notebook.cells, lessons[path.stem].notebook.cells, strict=True):
            cell.update({key: after[key] for key in ("outputs", "execution_count") if key in after})
        bundle = CacheBundleIn(notebook, f"{language}/{path.name}")
        cache.cache_notebook_bundle(bundle, check_validity=False, overwrite=True)
    return ["-D", "nb_execution_mode=cache", "-D", f"nb_execution_cache_path={folder}"]


@pytest.fixture(scope="session")
def doctrees(tmp_path_factory):
    return tmp_path_factory.mktemp("doctrees")


@pytest.fixture(scope="session")
def site(build, with_outputs, doctrees, tmp_path_factory):
    folder = tmp_path_factory.mktemp("book") / "site"
    for language, target in (("en", folder), ("zh_CN", folder / "zh")):
        options = ["-D", f"language={language}", "-d", str(doctrees / language)]
        built = build(target, *with_outputs, *options)
        assert built.returncode == 0, built.stdout + built.stderr
        assert built.stderr == ""
    return folder
