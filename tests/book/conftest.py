"""The book, built once for the tests: all pages, without running the lessons (test_notebooks.py runs them)."""

import subprocess
import sys
from pathlib import Path

import pytest

BOOK = Path(__file__).parents[2] / "book"


@pytest.fixture(scope="session")
def build():
    """Build the book into a folder, as ``make book`` does. Returns the finished process."""

    def run(target, *options, source=BOOK):
        command = [sys.executable, "-m", "sphinx", "--quiet", "--fail-on-warning", *options]
        return subprocess.run(
            [*command, str(source), str(target)], capture_output=True, text=True, check=False
        )

    return run


@pytest.fixture(scope="session")
def site(build, tmp_path_factory):
    folder = tmp_path_factory.mktemp("book") / "site"
    built = build(folder, "-D", "nb_execution_mode=off")
    assert built.returncode == 0, built.stdout + built.stderr
    assert built.stderr == ""
    return folder
