"""Submissions on a real Dask cluster of two workers on 127.0.0.1."""

import os
import re
import signal
import subprocess
import sys
import threading
import time

import pytest
from distributed import Client, LocalCluster

pytestmark = pytest.mark.xdist_group("cluster")

GOOD = {"answer": "import time\ntime.sleep(0.3)\ndef double(x):\n    return 2 * x", "more": "y = 1"}


@pytest.fixture
def cluster():
    with LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, host="127.0.0.1", dashboard_address=None
    ) as made:
        yield made


def test_the_gradebook_is_the_same_and_every_worker_takes_part(cluster, fresh, tmp_path):
    for number in range(8):
        more = f"y = {number % 2}\nimport os\nprint('WORKER', os.environ.get('HOME'))"
        fresh.hand_in(f"s{number}", "lab", answers={**GOOD, "more": more}, files={"d.txt": "1"})
    alone = fresh.copy(tmp_path / "alone" / "course")
    fresh.gradewell("lab", "--scheduler", cluster.scheduler_address)
    alone.gradewell("lab")
    assert fresh.scores("lab") == alone.scores("lab")
    assert fresh.outputs("s1", "lab").replace(str(fresh.path), "") == alone.outputs(
        "s1", "lab"
    ).replace(str(alone.path), "")
    with Client(cluster.scheduler_address) as client:
        used = client.run(lambda dask_worker: hasattr(dask_worker, "gradewell_servers"))
    assert list(used.values()) == [True, True]


def test_a_worker_that_dies_half_way_costs_nothing(cluster, fresh):
    students = [f"s{number:02}" for number in range(20)]
    for student in students:
        fresh.hand_in(student, "lab", answers=GOOD)

    def kill():
        while len(list(fresh.path.glob("autograded/*"))) < 4:
            time.sleep(0.02)
        with Client(cluster.scheduler_address) as client:
            os.kill(next(iter(client.run(os.getpid).values())), signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    report = fresh.report("lab", "--scheduler", cluster.scheduler_address)
    killer.join()
    assert {one["status"] for one in report.values()} == {"graded"}
    assert fresh.scores("lab") == dict.fromkeys(students, 7)


def test_a_submission_that_kills_its_worker_twice_is_recorded_as_such(cluster, fresh):
    for student in ("a", "b", "c"):
        fresh.hand_in(student, "lab", answers=GOOD)
    deadly = "import psutil\nfor one in psutil.Process().parents():\n    if 'dask' in ' '.join(one.cmdline()) or "
    deadly += "'spawn_main' in ' '.join(one.cmdline()):\n        one.kill()\n        break"
    fresh.hand_in("bad", "lab", answers={**GOOD, "more": deadly})
    report = fresh.report("lab", "--scheduler", cluster.scheduler_address, "--sandbox", "none")
    assert report["bad"]["status"] == "stopped"
    assert "lost twice" in report["bad"]["reason"]
    assert "lost twice" in fresh.outputs("bad", "lab")
    scores = fresh.scores("lab")
    assert {scores[s] for s in "abc"} == {7}
    assert scores["bad"] == 0


def test_a_cluster_that_goes_away_ends_the_run_in_a_sentence_and_loses_nothing(fresh):
    students = [f"s{number:02}" for number in range(12)]
    for student in students:
        fresh.hand_in(student, "lab", answers=GOOD)
    code = (
        "from distributed import LocalCluster\nif __name__ == '__main__':\n"
        "    c = LocalCluster(n_workers=1, threads_per_worker=1, host='127.0.0.1', dashboard_address=None)\n"
        "    print(c.scheduler_address, flush=True)\n    input()\n"
    )
    script = fresh.path.parent / "cluster.py"
    script.write_text(code)
    outside = subprocess.Popen(
        [sys.executable, str(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    address = outside.stdout.readline().strip()
    assert re.match(r"tcp://127\.0\.0\.1:\d+", address)

    def end():
        while len(list(fresh.path.glob("autograded/*"))) < 2:
            time.sleep(0.02)
        outside.communicate("\n", timeout=180)

    ender = threading.Thread(target=end)
    ender.start()
    ran = fresh.gradewell("lab", "--scheduler", address, code=2)
    ender.join()
    assert "cluster" in ran.stderr
    fresh.gradewell("lab")
    assert fresh.scores("lab") == dict.fromkeys(students, 7)
