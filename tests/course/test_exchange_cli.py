"""``sharewell exchange``: the loop by hand, as the README shows it."""

import json
import os
import re
from datetime import date, timedelta

import pytest


@pytest.fixture
def run(sharewell, tmp_path):
    def command(*words, code=0):
        done = sharewell("exchange", *words, cwd=tmp_path)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    return command


@pytest.fixture
def ready(run):
    run("new", "--today", "2026-03-02")
    run("catalogue", "beds", "--as", "Sten", "--fields", "ward, free", "--owner", "Ana")
    run("classify", "beds", "--as", "Sten", "--label", "restricted")
    run("confirm", "beds", "--as", "Kim")
    return run


REQUEST = ("request", "beds", "--as", "Mara", "--purpose", "planning", "--fields", "ward")


def test_the_loop_goes_round_by_hand(ready, tmp_path):
    (tmp_path / "beds.csv").write_text("ward,free,nurse\na,1,Li\nb,2,Wu\n")
    said = ready("deposit", "beds", "--as", "Sten", "--data", "beds.csv")
    assert "holds 2 rows of beds" in said
    assert "G1: new → requested" in ready(*REQUEST, "--until", "2026-12-31")
    assert "Error: nobody decides on their own request" in ready("approve", "G1", "--as", "Mara", code=1)  # fmt: skip
    assert "requested → approved" in ready("approve", "G1", "--as", "Ana")
    (tmp_path / "there.zip").touch()
    there = ("release", "G1", "--as", "Sten", "--to", "there.zip")
    assert "is there already" in ready(*there, code=1)
    said = ready("release", "G1", "--as", "Sten", "--to", "G1.zip")
    key = re.search(r"signature of ([0-9a-f]{64})", said.replace("\n", " "))[1]
    said = ready("check", "G1.zip", "--key", key)
    assert "up to and including 2026-12-31: ward of beds" in said
    assert "As it was signed by" in said
    assert "signed by somebody else" in ready("check", "G1.zip", "--key", "00", code=1)
    ready("use", "G1", "--as", "Mara", "--purpose", "planning", "--fields", "ward")
    assert "released → expired (expire, platform)" in ready("clock", "2027-01-01")
    ready("dispose", "G1", "--as", "Mara", "--certificate", "deleted, 1 copy")
    ready("audit", "G1", "--as", "Otto", "--finding", "nothing was kept")
    assert "audited → closed" in ready("feedback", "G1", "--as", "Mara", "--text", "thanks")
    shown = ready("show")
    assert "Friday, 01 January 2027" in shown
    assert "closed" in shown
    log = ready("log")
    assert "nobody decides" in log
    anchor = re.search(r"keep elsewhere:\s+([0-9a-f]{64})", log)[1]
    ready("log", "--anchor", anchor)
    assert "ends before" in ready("log", "--anchor", "00", code=1)


def test_a_question_goes_to_the_data(run, tmp_path):
    rows = "".join(f"{ward},{n % 90}\n" for n in range(3_000) for ward in "ab")
    (tmp_path / "beds.csv").write_text("ward,age\n" + rows)
    run("new", "--today", "2026-03-02")
    said = run("catalogue", "beds", "--as", "Sten", "--owner", "Ana", "--data", "beds.csv")
    assert "beds: draft → catalogued" in said
    run("classify", "beds", "--as", "Sten", "--label", "restricted", "--epsilon", "20")
    run("confirm", "beds", "--as", "Kim")
    asked = ("--as", "Mara", "--purpose", "planning")
    run("request", "beds", *asked, "--fields", "ward,age", "--until", "2026-12-31", "--epsilon", "15")  # fmt: skip
    run("approve", "G1", "--as", "Ana", "--epsilon", "10")
    said = run("release", "G1", "--as", "Sten", "--to", "G1.zip")
    assert "approved → released" in said
    assert "Only answers leave" in said
    assert not list(tmp_path.rglob("*.zip"))
    said = run("query", "G1", *asked, "--epsilon", "4", "--by", "ward = a, b, z", "--where", "age >= 65")  # fmt: skip
    assert "where ward is z: withheld" in said
    counts = [int(n.replace(",", "")) for n in re.findall(r"where ward is [ab]: ([\d,]+),", said)]
    assert counts == pytest.approx([825, 825], abs=8)
    assert "This cost an epsilon of 4; 6 are left." in said
    said = run("query", "G1", *asked, "--epsilon", "4", "--statistic", "mean", "--of", "age", "--between", "0,100")  # fmt: skip
    assert float(re.search(r"mean of age: ([\d.]+)", said)[1]) == pytest.approx(44.5, abs=2)
    assert "more than was granted" in run("query", "G1", *asked, "--epsilon", "4", code=1)
    assert "is no condition" in run("query", "G1", *asked, "--epsilon", "0.1", "--where", "age", code=1)  # fmt: skip
    assert "needs bounds" in run("query", "G1", *asked, "--epsilon", "0.1", "--statistic", "sum", "--of", "age", code=1)  # fmt: skip


def test_a_changed_log_is_an_error(ready, tmp_path):
    import sqlite3

    with sqlite3.connect(tmp_path / "exchange.db") as database:
        database.execute("UPDATE log SET record = replace(record, 'Sten', 'Ines')")
    assert "record 1: its content is not what was sealed" in ready("log", code=1)


def test_every_event_has_a_command_that_explains_itself(run):
    said = run("--help")
    for event in ("catalogue", "deposit", "query", "classify", "confirm", "withdraw", "request", "approve", "reject", "appeal", "release",
                  "use", "revoke", "dispose", "audit", "feedback", "clock"):  # fmt: skip
        assert re.search(rf"│ {event} ", said), event
    said = run("request", "--help")
    for option in ("--as", "--purpose", "--fields", "--until", "--exchange"):
        assert option in said


def test_what_is_wrong_is_said_in_a_sentence(run, tmp_path):
    assert "there is no exchange.db. Make an exchange with: sharewell exchange new" in run("show", code=1)  # fmt: skip
    run("new", "--today", "2026-03-02")
    assert "is there already" in run("new", code=1)
    assert "'Ana=boss' is no person: write NAME=ROLE" in run("new", "b.db", "--person", "Ana=boss", code=1)  # fmt: skip
    assert not (tmp_path / "b.db").exists()
    assert "time does not go back" in run("clock", "2026-03-01", code=1)
    (tmp_path / "letter.zip").write_text("Dear reader")
    assert "no release of an exchange" in run("check", "letter.zip", code=1)


def test_time_passes_by_itself_unless_one_plays(run, tmp_path):
    from sharewell.exchange import Exchange, File

    run("new", "live.db")
    exchange = Exchange({}, date.min, File(tmp_path / "live.db"))
    assert exchange.today == date.today()
    exchange.today = date.today() - timedelta(9)
    exchange.store.close()
    run("show", "--exchange", "live.db")
    assert Exchange({}, date.min, File(tmp_path / "live.db")).today == date.today()


def test_people_of_ones_own(run):
    run(
        "new",
        "--person",
        "李雷=owner,consumer",
        "--person",
        "韩梅梅=steward",
        "--today",
        "2026-03-02",
    )
    assert "catalogued" in run(
        "catalogue", "床位", "--as", "韩梅梅", "--fields", "病房", "--owner", "李雷"
    )
    assert "床位" in run("show")


def test_a_request_goes_to_another_county_and_a_package_comes_back(run, tmp_path):
    (tmp_path / "beds.csv").write_text("ward,free\na,1\nb,2\n")
    assert "There is nothing to carry" not in run("new", "nation.db", "--today", "2026-03-02")
    for name, above in (
        ("north", "nation"),
        ("south", "nation"),
        ("lake", "north"),
        ("bay", "south"),
    ):
        run("new", f"{name}.db", "--today", "2026-03-02")
        said = run("join", f"{name}.db", f"{above}.db")
    assert "bay.db is nation/south/bay, a county" in said
    lake, bay = ("--exchange", "lake.db"), ("--exchange", "bay.db")
    assert "There is nothing to carry" in run("carry", *bay)
    run("catalogue", "beds", "--as", "Sten", "--owner", "Ana", "--data", "beds.csv", *lake)
    run("classify", "beds", "--as", "Sten", "--label", "restricted", *lake)
    run("confirm", "beds", "--as", "Kim", *lake)
    asked = ("--as", "Mara", "--purpose", "planning", "--fields", "ward")
    elsewhere = ("nation/north/lake:beds", *asked, "--until", "2026-12-31", *bay)
    assert "A letter to nation/north/lake is on its way" in run("request", *elsewhere)
    said = run("carry", *bay)
    assert "nation/south/bay → nation/south: is passed on" in said
    assert "nation/north/lake:G1 is requested" in said
    run("approve", "G1", "--as", "Ana", *lake)
    run("release", "G1", "--as", "Sten", *lake)
    said = run("carry", *lake).replace("\n", "")
    package = re.search(r"is released, in (\S+\.zip)", said)[1]
    assert "Only for this purpose: planning" in run("check", package)
    assert "nation/north/lake:G1" in run("show", *bay)
    run("use", "nation/north/lake:G1", "--as", "Mara", "--purpose", "ads", "--fields", "ward", *bay)
    assert "refused: it was released for another purpose" in run("carry", *bay)
    assert "is a county" in run("join", "nation.db", "bay.db", code=1)
    assert "there is no hut.db" in run("join", "hut.db", "bay.db", code=1)


@pytest.mark.parametrize("encoding", ["utf-8", "gbk", "cp1252", "ascii"])
def test_the_catalogue_is_json_in_every_encoding(encoding, run, sharewell, tmp_path):
    run("new", "--today", "2026-03-02")
    name = "Zoë 数据 \U0001f600"
    run("catalogue", name, "--as", "Sten", "--fields", "ward", "--owner", "Ana")
    run("classify", name, "--as", "Sten", "--label", "restricted")
    run("confirm", name, "--as", "Kim")
    outside = {**os.environ, "PYTHONIOENCODING": encoding}
    ran = sharewell("exchange", "dcat", cwd=tmp_path, env=outside, encoding=encoding)
    assert ran.returncode == 0, ran.stderr
    assert name in json.dumps(json.loads(ran.stdout), ensure_ascii=False)
