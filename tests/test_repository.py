"""What may be committed, and what must not."""

import json
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def committed():
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listed.returncode:
        pytest.skip("not a git checkout, so there is no list of committed files")
    return [ROOT / name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


def test_no_generated_data_is_committed(committed):
    large = [path.name for path in committed if path.stat().st_size > 100_000]
    assert large == ["requirements.lock"]
    assert not [
        p for p in committed if p.suffix in (".parquet", ".db", ".csv") or p.name == "secret.txt"
    ]


def test_the_lock_file_names_no_index():
    text = (ROOT / "requirements.lock").read_text()
    assert not re.search(r"https?://|file://|--(extra-)?index-url|--find-links", text)
    assert "--hash=sha256:" in text
    assert not (ROOT / "uv.lock").exists()


def test_the_readme_begins_with_a_way_in_for_each_reader():
    opening = (ROOT / "README.md").read_text(encoding="utf-8")[:1_500]
    for words in (
        "a student",
        "an instructor",
        "a campus",
        "sharewell start",
        "sharewell init",
        "sharewell doctor",
    ):
        assert words in opening


def test_links_in_the_documents_lead_somewhere(committed):
    for path in committed:
        if path.suffix == ".md":
            for target in re.findall(r"\]\(([^)#]+)\)", path.read_text(encoding="utf-8")):
                assert target.startswith("http") or (path.parent / target).exists(), (
                    path.name,
                    target,
                )


def test_version_is_the_same_everywhere():
    from importlib.metadata import version

    import sharewell

    cited = re.search(r"^version: (\S+)$", (ROOT / "CITATION.cff").read_text(), re.MULTILINE)
    assert sharewell.__version__ == version("sharewell") == cited[1]


def test_the_makefile_explains_every_command():
    ran = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True)
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert [f"make {target}" in ran.stdout for target in targets] == [True] * len(targets)


def test_notebook_metadata_names_no_machine(committed):
    for path in committed:
        if path.suffix == ".ipynb":
            metadata = json.loads(path.read_text(encoding="utf-8"))["metadata"]
            assert set(metadata) <= {"kernelspec", "language_info"}, path.name
