"""Each student's own variant: codes, where they are kept, and what follows from them."""

import subprocess
import sys

import pytest
from sharewell import SharewellError, my_seed, variant

SECRET = "a secret"


@pytest.fixture(autouse=True)
def nowhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(variant.VARIABLE, raising=False)


def test_a_code_gives_each_student_and_each_lab_a_seed_of_its_own(tmp_path):
    seeds = set()
    for student in ("ada", "bob", "Ada", "ada "):
        variant.keep(variant.code_of(student, SECRET), tmp_path)
        seeds |= {my_seed("lab-a"), my_seed("lab-b")}
        assert my_seed("lab-a") == my_seed("lab-a")
    assert len(seeds) == 8
    assert all(0 <= seed < 2**63 for seed in seeds)


def test_codes_follow_from_the_secret_and_the_student_and_stay_the_same():
    assert variant.code_of("ada", SECRET) == variant.code_of("ada", SECRET)
    assert variant.code_of("ada", SECRET) != variant.code_of("ada", "another secret")
    assert variant.code_of("李雷", SECRET) != variant.code_of("韩梅梅", SECRET)
    # written down once: a new release must not change the variants of a running course
    assert variant.code_of("ada", SECRET) == "45WD-6TWK-EXXJ-2QTB-HZ45"


def test_the_grader_derives_the_same(tmp_path, monkeypatch):
    variant.keep(variant.code_of("ada", SECRET), tmp_path)
    own = my_seed("lab")
    (tmp_path / variant.FILE).unlink()
    for name, value in variant.environment(SECRET)("ada").items():
        monkeypatch.setenv(name, value)
    assert my_seed("lab") == own


@pytest.mark.parametrize(
    "way", [str.lower, lambda c: c.replace("-", ""), lambda c: f"  {c.replace('-', ' ')}\n",
            lambda c: c.replace("O", "0").replace("I", "1").replace("B", "8")]
)  # fmt: skip
def test_a_code_may_be_typed_in_other_ways(way, tmp_path):
    for student in map(str, range(20)):
        code = variant.code_of(student, SECRET)
        variant.keep(way(code), tmp_path)
        assert variant.my_code() == code


def test_a_typing_error_is_found():
    code = variant.code_of("ada", SECRET)
    letters = [n for n, letter in enumerate(code) if letter != "-"]
    for n in letters:
        other = "A" if code[n] != "A" else "C"
        with pytest.raises(SharewellError, match="is no code"):
            variant.checked(code[:n] + other + code[n + 1 :])
    for wrong in ("", "ada", code[:-1], code + "A", "-".join(["AAAA"] * 5)):
        with pytest.raises(SharewellError, match="five groups of four"):
            variant.checked(wrong)


def test_a_code_holds_for_folders_below(tmp_path, monkeypatch):
    variant.keep(variant.code_of("ada", SECRET), tmp_path)
    own = my_seed("lab")
    below = tmp_path / "labs" / "lab"
    below.mkdir(parents=True)
    monkeypatch.chdir(below)
    assert my_seed("lab") == own


def test_without_a_code_it_is_the_practice_variant_and_said_once(tmp_path):
    code = "from sharewell import my_seed; print(my_seed('a') == my_seed('a'), my_seed('a') != my_seed('b'))"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.count("You see the practice variant") == 2  # once a lab
    assert ran.stdout.splitlines()[-1] == "True True"


def test_a_damaged_code_is_said_to_be_so(tmp_path, monkeypatch):
    monkeypatch.setenv(variant.VARIABLE, "AAAA-BBBB")
    with pytest.raises(SharewellError, match="'AAAA-BBBB' is no code"):
        my_seed("lab")
