"""What a campus installs: the built wheel, in an empty environment, away from the checkout."""

import os
import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import datapolis
import pytest

ROOT = Path(__file__).parents[1]
LAB = "lab-04-classification"
pytestmark = pytest.mark.xdist_group("wheel")


@pytest.fixture(scope="session")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--outdir", folder, ROOT],
        check=True,
        capture_output=True,
    )
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="session")
def installed(wheel, tmp_path_factory):
    """The wheel with its dependencies in a new environment. Returns its Python."""
    folder = tmp_path_factory.mktemp("campus")
    venv.create(folder / "env", with_pip=True)
    python = folder / "env" / "bin" / "python"
    locked = ROOT / "requirements.lock"
    uv = shutil.which("uv")
    # compiled when it is imported: most of it never is
    pip = (
        [uv, "pip", "install", "--python", python]
        if uv
        else [python, "-m", "pip", "install", "--no-compile"]
    )
    subprocess.run(
        [*pip, "--quiet", "-c", constraints(locked, folder), wheel], check=True, cwd=folder
    )
    return python


def constraints(locked, folder):
    """The locked versions, without hashes: pip allows no hashes in constraints for a local wheel."""
    lines = [line.split(" \\")[0] for line in locked.read_text().splitlines() if "==" in line]
    path = folder / "constraints.txt"
    path.write_text("\n".join(line for line in lines if not line.startswith(" ")) + "\n")
    return path


def test_the_wheel_carries_the_course_and_nothing_else(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    for needed in (
        "sharewell/content/nbgrader_config.py",
        "sharewell/content/syllabus.yml",
        "sharewell/content/lessons/2-management/2.4-classification.ipynb",
        f"sharewell/content/source/{LAB}/{LAB}.ipynb",
        f"sharewell/content/submissions/{LAB}/right/model.yml",
        *(f"sharewell/exchange/loop.{kind}" for kind in ("cedar", "cedarschema")),
        *(f"sharewell/exchange/page/{name}" for name in ("base.html", "style.css")),
        *(f"datapolis/schemas/{name}.json" for name in datapolis.tables()),
        *(f"datapolis/truth/{name}.json" for name in datapolis.tables() if name != "unlabelled"),
    ):
        assert needed in names
    roots = {name.split("/")[0] for name in names}
    assert {name for name in roots if ".dist-info" not in name} == {
        "sharewell",
        "datapolis",
        "gradewell",
    }
    assert not [
        n
        for n in names
        if "__pycache__" in n or "checkpoint" in n or n.endswith(("secret.txt", ".db"))
    ]
    assert wheel.stat().st_size < 1_500_000


def test_a_campus_needs_the_wheel_only(installed, tmp_path):
    """A course is made, a lab handed in and graded, with nothing of the checkout in reach."""
    clean = {
        k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "VIRTUAL", "SHAREWELL"))
    }

    def run(*command, folder=tmp_path):
        ran = subprocess.run(
            command, cwd=folder, env=clean, capture_output=True, text=True, check=False
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return ran.stdout

    where = run(
        installed, "-c", "import sharewell, datapolis, gradewell; print(sharewell.__file__)"
    )
    assert str(ROOT) not in where
    scripts = installed.parent
    assert "Ready." in run(scripts / "sharewell", "doctor")
    run(scripts / "sharewell", "init", "course")
    code = (
        "import nbformat; from pathlib import Path; from gradewell import samples; from sharewell import content\n"
        f"lab = '{LAB}'; path = Path('submitted/ada') / lab / f'{{lab}}.ipynb'; path.parent.mkdir(parents=True)\n"
        "source = Path('source') / lab / f'{lab}.ipynb'\n"
        "model = [s for s in samples.load(content.submissions() / lab) if s.name == 'right/model'][0]\n"
        "nbformat.write(model.notebook(source, source), path)"
    )
    run(installed, "-c", code, folder=tmp_path / "course")
    shown = run(scripts / "sharewell", "grade", LAB, folder=tmp_path / "course")
    assert "ada" in shown
    assert "Graded 1" in shown
    run(scripts / "sharewell", "start", "me", "--no-open")
    assert (tmp_path / "me" / "lessons" / "2-management" / "2.4-classification.quiz.json").is_file()
