"""An exchange in a file: several processes, sudden ends, a full disk, and somebody who changes the log."""

import json
import random
import signal
import sqlite3
import subprocess
import sys
import time
from datetime import date

import pytest
from gradewell.checks.loop import FIRST, PEOPLE, breaches, stories
from gradewell.checks.loop.replay import attempt
from sharewell import SharewellError
from sharewell.exchange import Exchange, File, Refused, Tampered, verify

UNTIL = date(2026, 12, 31)


@pytest.fixture
def path(tmp_path):
    """A file with an exchange in which `cases` can be requested."""
    path = tmp_path / "exchange.db"
    listed(Exchange(PEOPLE, FIRST, File(path)))
    return path


def listed(exchange, label="restricted"):
    exchange.catalogue("Sten", "cases", ["week", "count"], owner="Ana")
    exchange.classify("Sten", "cases", label)
    exchange.confirm("Kim", "cases")


def again(path):
    return Exchange({}, date.min, File(path))


def process(code, path, *words):
    setup = (
        "import sys\nfrom datetime import date\nfrom pathlib import Path\n"
        "from sharewell.exchange import Exchange, File, Refused\n"
        "exchange = Exchange({}, date.min, File(Path(sys.argv[1])))\nuntil = date(2026, 12, 31)\n"
    )
    command = [sys.executable, "-c", setup + code, str(path), *map(str, words)]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True)


def check_whole(exchange):
    """The log is whole, breaks no rule, and what is stored is what it tells."""
    log = list(exchange.log)
    assert breaches(log) == []
    told = {r["subject"]: r["after"] for r in log if r["outcome"] == "allowed" and r["subject"]}
    kept = {**exchange.resources, **exchange.grants}
    assert {name: one.state for name, one in kept.items()} == told
    return log


def test_an_exchange_in_a_file_does_what_one_in_memory_does(tmp_path):
    for number, story in enumerate(stories(4, 12)):
        names, others = {}, {}
        kept = Exchange(PEOPLE, FIRST, File(tmp_path / f"{number}.db"))
        forgotten = Exchange(PEOPLE, FIRST)
        for one in story:
            assert attempt(kept, names, one) == attempt(forgotten, others, one)
        assert list(kept.log) == list(forgotten.log)
        assert dict(kept.grants) == dict(forgotten.grants)
        assert dict(kept.resources) == dict(forgotten.resources)
        kept.store.close()


def test_it_goes_on_where_it_was(path):
    grant = again(path).request("Mara", "cases", "planning", ["week"], UNTIL)
    later = again(path)
    assert later.today == FIRST
    assert later.people["Mara"] == ["consumer"]
    later.approve("Ana", grant)
    assert again(path).grants[grant].fields == {"week"}
    check_whole(again(path))


def test_a_refusal_is_written_down(path):
    with pytest.raises(Refused):
        again(path).request("Ana", "cases", "planning", ["week"], UNTIL)
    assert list(again(path).log)[-1]["outcome"] == "refused"


def test_an_error_leaves_nothing(path):
    exchange = again(path)
    before = len(exchange.log)
    with pytest.raises(ZeroDivisionError), exchange.store.transaction():
        exchange.request("Mara", "cases", "planning", ["week"], UNTIL)
        assert len(exchange.log) == before + 1
        len(exchange.log) / 0
    assert len(exchange.log) == before
    assert not exchange.grants


def test_two_processes_write_a_thousand_requests_at_once(path):
    code = (
        "print('ready', flush=True)\nsys.stdin.readline()\nfor n in range(500):\n"
        "    exchange.request(sys.argv[2], 'cases', f'{sys.argv[2]} {n}', ['week'], until)"
    )
    running = [process(code, path, who) for who in ("Mara", "Noor")]
    for one in running:
        assert one.stdout.readline() == "ready\n", one.stderr.read()
    for one in running:
        one.stdin.write("go\n")
        one.stdin.flush()
    for one in running:
        assert one.wait(120) == 0, one.stderr.read()
    exchange = again(path)
    asked = {(grant.consumer, grant.purpose) for grant in exchange.grants.values()}
    assert asked == {(who, f"{who} {n}") for who in ("Mara", "Noor") for n in range(500)}
    check_whole(exchange)


def test_a_kill_at_any_moment_leaves_all_of_an_attempt_or_nothing(tmp_path):
    path = tmp_path / "exchange.db"
    listed(Exchange(PEOPLE, FIRST, File(path)), "public")  # each request is followed by an approval
    code = (
        "print('ready', flush=True)\nfor n in range(100_000):\n"
        "    exchange.request('Mara', 'cases', f'{n}', ['week'], until)\n"
        "    if n % 10 == 9:\n"
        "        exchange.classify('Sten', 'cases', 'public')\n        exchange.confirm('Kim', 'cases')\n"
    )
    dice = random.Random(3)
    records = 0
    for _ in range(20):
        writing = process(code, path)
        assert writing.stdout.readline() == "ready\n", writing.stderr.read()
        time.sleep(dice.uniform(0.01, 0.15))
        writing.send_signal(signal.SIGKILL)
        assert writing.wait(20) == -signal.SIGKILL
        exchange = again(path)
        with_consequences = check_whole(exchange)
        assert len(with_consequences) >= records
        records = len(with_consequences)
        if exchange.resources["cases"].state != "listed":
            exchange.confirm("Kim", "cases")
        exchange.store.close()
    assert records > 200


def test_a_full_disk_is_said_to_be_one_and_nothing_is_lost(path):
    code = (
        "import resource\nresource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, 2_000_000))\n"
        "for n in range(100_000):\n    exchange.request('Mara', 'cases', 'x' * 1000, ['week'], until)\n"
    )
    writing = process(code, path)
    _, said = writing.communicate(timeout=180)
    assert writing.returncode == 1
    assert "SharewellError" in said
    assert "cannot be written, and nothing has changed" in said
    exchange = again(path)
    log = check_whole(exchange)
    assert len(exchange.grants) == sum(record["event"] == "request" for record in log) > 5
    exchange.request("Noor", "cases", "planning", ["week"], UNTIL)  # there is room again


CHANGES = {
    "changed": ("UPDATE log SET record = replace(record, '\"Sten\"', '\"Ines\"') WHERE number = 3", 3),
    "changed with its hash": (None, 4),
    "deleted": ("DELETE FROM log WHERE number = 2", 2),
    "swapped": ("UPDATE log SET number = CASE number WHEN 2 THEN 30 WHEN 3 THEN 2 END WHERE number IN (2, 3);"
                "UPDATE log SET number = 3 WHERE number = 30", 2),
    "inserted": ("INSERT INTO log SELECT 99, subject, record, hash FROM log WHERE number = 2", 5),
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_log_is_found_and_located(change, path):
    sql, number = CHANGES[change]
    with sqlite3.connect(path) as database:
        if sql:
            database.executescript(sql)
        else:
            from sharewell.exchange.records import digest

            (text,) = database.execute("SELECT record FROM log WHERE number = 3").fetchone()
            record = {**json.loads(text), "actor": "Ines"}
            record["hash"] = digest(record)
            database.execute(
                "UPDATE log SET record = ?, hash = ? WHERE number = 3",
                (json.dumps(record), record["hash"]),
            )
    with pytest.raises(Tampered) as found:
        verify(again(path).log)
    assert found.value.number == number


def test_a_log_that_was_cut_off_is_found_by_its_anchor(path):
    anchor = again(path).log.head
    with sqlite3.connect(path) as database:
        database.execute("DELETE FROM log WHERE number = 4")
    verify(again(path).log)
    with pytest.raises(Tampered, match="ends before") as found:
        verify(again(path).log, anchor)
    assert found.value.number == 4


def test_what_is_no_exchange_is_not_touched(tmp_path):
    path = tmp_path / "letter.txt"
    path.write_text("Dear reader, " * 100)
    with pytest.raises(SharewellError, match=r"letter\.txt is no exchange's file"):
        File(path)
    assert path.read_text() == "Dear reader, " * 100
    with pytest.raises(SharewellError, match="cannot be written"):
        File(tmp_path / "nowhere" / "exchange.db")
    another = tmp_path / "another.db"
    Exchange(PEOPLE, FIRST, File(another))
    with sqlite3.connect(another) as database:
        database.execute("UPDATE settings SET value = '7' WHERE name = 'format'")
    with pytest.raises(SharewellError, match="another version of Sharewell"):
        File(another)


def test_nobody_takes_the_platforms_place(path):
    exchange = again(path)
    grant = exchange.request("Mara", "cases", "planning", ["week"], UNTIL)
    with pytest.raises(SharewellError, match="nobody who could attempt"):
        exchange.approve("platform", grant)
    with pytest.raises(SharewellError, match="nobody can be named"):
        Exchange({"platform": ["owner"]}, FIRST)
    for name in (
        "",
        "Mara\n",
        'Ana" ',
        "Ana\x00",
        "ana",
        "Platform::platform",
        "'; DROP TABLE log; --",
    ):
        with pytest.raises(Refused):
            exchange.approve(name, grant)
    check_whole(exchange)


def test_names_are_values_not_queries(path):
    exchange = again(path)
    name = "x'; DELETE FROM log; -- \" \n 病例"
    exchange.catalogue("Sten", name, ["a"], owner="Ana")
    assert exchange.resources[name].fields == {"a"}
    check_whole(again(path))
