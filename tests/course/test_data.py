"""``sharewell data``: tables listed, shown and written; interrupted, killed, refused."""

import json
import resource
import signal
import subprocess
import sys
import time

import datapolis
import pandas as pd
import pytest

SALES = ("data", "make", "sales", "--scale", "1.6", "--seed", "3")  # 20 parts


def test_list_names_every_table(sharewell):
    listed = sharewell("data", "list").stdout
    for name in datapolis.tables():
        assert f"\n{name} " in listed


def test_show_explains_the_columns(sharewell):
    shown = sharewell("data", "show", "residents", "--rows", "2", "--seed", "5").stdout
    assert "crowns a year" in shown
    chinese = sharewell("data", "show", "residents", "--locale", "zh_CN").stdout
    assert "号" in chinese


def test_make_writes_a_package(tmp_path, sharewell):
    ran = sharewell("data", "make", "residents", "--rows", "70000", cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr
    assert "70,000 rows written" in ran.stdout
    files = sorted((tmp_path / "residents").glob("data/*.parquet"))
    assert len(pd.read_parquet(files)) == 70_000
    assert "rows/s" in ran.stdout


def test_a_plan_makes_nothing(tmp_path, sharewell):
    ran = sharewell("data", "make", "sales", "--scale", "400", "--plan", cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr
    assert "4,800 parts" in ran.stdout and "GB" in ran.stdout
    assert list(tmp_path.iterdir()) == []


def test_what_is_wrong_is_said(tmp_path, sharewell, fails):
    def make(*arguments):
        return sharewell("data", "make", *arguments, cwd=tmp_path)

    fails(sharewell("data", "show", "people"), "no table 'people'", "residents")
    fails(make("residents", "--rows", "-1"), "rows must be")
    fails(make("residents", "--scale", "0"), "scale must be a number larger than 0")
    fails(make("residents", "--scale", "1", "--rows", "5"), "not both")
    fails(make("residents", "--workers", "0"), "workers must be 1 or more")
    fails(make("residents", "--out", "no/such/folder"), "there is no folder no/such")
    fails(make("sales", "--scale", "900000"), "GB free", "smaller scale")
    fails(
        make("residents", "--scheduler", "127.0.0.1:9"), "no Dask scheduler answers at 127.0.0.1:9"
    )
    assert [path for path in tmp_path.iterdir() if not path.name.startswith(".")] == []
    (tmp_path / "residents").write_text("mine")
    fails(make("residents"), "exists", "nothing was changed")
    assert (tmp_path / "residents").read_text() == "mine"


def until_parts(process, folder, count):
    end = time.monotonic() + 180
    while len(list(folder.glob("data/*.parquet"))) < count:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end
        time.sleep(0.01)


def digests(folder):
    return json.loads((folder / "datapackage.json").read_text())["resources"][0]["sha256"]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory, sharewell):
    folder = tmp_path_factory.mktemp("undisturbed") / "sales"
    ran = sharewell(*SALES, "--out", folder)
    assert ran.returncode == 0, ran.stderr
    return digests(folder)


@pytest.mark.parametrize(("workers", "end"), [(1, signal.SIGINT), (2, signal.SIGKILL)])
def test_a_run_that_ended_half_way_is_gone_on_with(
    end, workers, tmp_path, sharewell, start_interruptible, undisturbed
):
    folder, partial = tmp_path / "sales", tmp_path / ".sales.partial"
    command = [*SALES, "--out", folder, "--workers", workers]
    process = start_interruptible([sys.executable, "-m", "sharewell", *map(str, command)])
    until_parts(process, partial, 3)
    process.send_signal(end)
    out, err = process.communicate(timeout=180)
    assert not folder.exists()
    if end == signal.SIGINT:
        assert process.returncode == 130, err
        assert "the same command goes on from here" in out
        assert "Traceback" not in err
    before = {path.name: path.stat().st_mtime_ns for path in partial.glob("data/*.parquet")}
    again = sharewell(*command)
    assert again.returncode == 0, again.stderr
    assert digests(folder) == undisturbed
    after = {path.name: path.stat().st_mtime_ns for path in folder.glob("data/*.parquet")}
    assert before.items() <= after.items()
    assert not partial.exists()
    assert list(folder.rglob(".part-*")) == []


def test_parts_of_another_order_are_not_used(tmp_path, sharewell, start_interruptible):
    folder, partial = tmp_path / "sales", tmp_path / ".sales.partial"
    command = [sys.executable, "-m", "sharewell", *SALES, "--out", str(folder)]
    process = start_interruptible(command)
    until_parts(process, partial, 2)
    process.kill()
    process.communicate()
    other = sharewell("data", "make", "sales", "--scale", "0.1", "--seed", "4", "--out", folder)
    assert other.returncode == 0, other.stderr
    expected = datapolis.load("sales", scale=0.1, seed=4)
    pd.testing.assert_frame_equal(pd.read_parquet(sorted(folder.glob("data/*.parquet"))), expected)


def test_a_full_disk_is_one_message_and_a_clean_resume(tmp_path, sharewell, fails):
    """The system itself refuses files above a size, as a full disk refuses all."""

    def small_files():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))

    command = [
        sys.executable,
        "-m",
        "sharewell",
        "data",
        "make",
        "sales",
        "--out",
        str(tmp_path / "s"),
    ]
    ran = subprocess.run(
        command, capture_output=True, text=True, preexec_fn=small_files, timeout=120, check=False
    )
    fails(ran, "What was made is kept", "the same command goes on")
    assert not (tmp_path / "s").exists()
    assert not list((tmp_path / ".s.partial").rglob(".part-*"))
    again = sharewell(*command[3:])
    assert again.returncode == 0, again.stderr
    assert len(pd.read_parquet(tmp_path / "s" / "data")) == len(datapolis.load("sales"))
