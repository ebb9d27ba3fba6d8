"""A nation, its provinces and their counties: what travels between exchanges, and what does not get through."""

import json
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace
from datetime import date

import polars as pl
import pytest
from gradewell.checks.loop import breaches
from sharewell import SharewellError
from sharewell.exchange import Exchange, File, Refused, letters, packages, verify
from sharewell.exchange.letters import Forged
from sharewell.exchange.levels import Node, carry, country

PEOPLE = {"Ana": ["owner"], "Sten": ["steward"], "Kim": ["committee"], "Mara": ["consumer"], "Noor": ["consumer"], "Otto": ["auditor"]}  # fmt: skip
ABOVE = {"north": "nation", "south": "nation", "lake": "north", "bay": "south"}
LAST = date(2026, 12, 31)
BEDS = "nation/north/lake:beds"
GRANT = "nation/north/lake:G1"
ASKED = {"purpose": "planning 计划", "fields": ["ward", "free"], "until": LAST}


class Country:
    """Five exchanges; the county lake has data, and Mara in the county bay wants some."""

    def __init__(self, folder):
        self.folder = folder
        for name in ("nation", *ABOVE):
            File(folder / f"{name}.db").close()
            Exchange(PEOPLE, date(2026, 3, 2), File(folder / f"{name}.db"))
            setattr(self, name, Node(folder / f"{name}.db"))
        self.nation.begin("nation")
        for name, above in ABOVE.items():
            getattr(self, name).join(getattr(self, above), name)
        table = {"ward": ["a", "b"] * 300, "free": [1, 2] * 300, "name": ["Theodora"] * 600}
        pl.DataFrame(table).write_parquet(folder / "beds.parquet")
        lake = self.lake.exchange
        lake.catalogue("Sten", "beds", ["ward", "free"], owner="Ana")
        self.lake.holdings.deposit(lake, "Sten", "beds", folder / "beds.parquet")
        lake.classify("Sten", "beds", "restricted", epsilon=2.0)
        lake.confirm("Kim", "beds")

    @property
    def nodes(self):
        return [self.nation, self.north, self.south, self.lake, self.bay]

    def carry(self):
        return carry(self.nodes)

    def ask(self, event, subject, who="Mara", **details):
        self.bay.send(who, event, subject, **details)
        return self.carry()

    def release(self, grant="G1"):
        self.lake.exchange.approve("Ana", grant)
        packages.hand_out(self.lake.exchange, "Sten", grant, self.lake.holdings, self.lake.released)
        return self.carry()

    @property
    def away(self):
        return list(self.bay.exchange.store.away.values())

    def last(self, node):
        return list(node.exchange.log)[-1]


@pytest.fixture
def land(tmp_path):
    return Country(tmp_path)


def test_a_request_travels_up_and_down_and_a_release_keeps_its_conditions(land):
    hops = land.ask("request", BEDS, **ASKED)
    assert [(hop.sender, hop.receiver) for hop in hops[:4]] == [
        ("nation/south/bay", "nation/south"),
        ("nation/south", "nation"),
        ("nation", "nation/north"),
        ("nation/north", "nation/north/lake"),
    ]
    assert (land.away[0].grant, land.away[0].state) == (GRANT, "requested")
    grant = land.lake.exchange.grants["G1"]
    assert grant.consumer == "Mara@nation/south/bay"
    land.lake.exchange.approve("Ana", "G1", ["ward"], date(2026, 6, 30))
    packages.hand_out(land.lake.exchange, "Sten", "G1", land.lake.holdings, land.lake.released)
    land.carry()
    found = packages.check(land.bay.package(GRANT), packages.public(land.lake.holdings.key))
    told = found.conditions
    assert (told.fields, told.until, told.purpose) == (
        ("ward",),
        date(2026, 6, 30),
        "planning 计划",
    )
    assert told.consumer == "Mara@nation/south/bay"
    assert land.away[0].state == "released"
    for node in (land.nation, land.north, land.south):  # who passes on keeps nothing
        assert [p for folder in (node.bag, node.received) for p in folder.iterdir()] == []


def test_the_loop_goes_round_from_elsewhere_and_every_log_is_true(land):
    land.ask("request", BEDS, **ASKED)
    land.release()
    use = {"purpose": ASKED["purpose"], "fields": ["ward"]}
    assert land.ask("use", GRANT, **use)[-1].what.startswith(f"{GRANT} is released")
    said = land.ask("use", GRANT, **{**use, "purpose": "advertising"})[-1].what
    assert said == "refused: it was released for another purpose"
    assert land.away[0].said == said
    assert "somebody else" in land.ask("use", GRANT, who="Noor", **use)[-1].what
    land.lake.exchange.clock(date(2027, 1, 1))
    land.carry()
    assert land.away[0].state == "expired"
    assert not land.bay.package(GRANT).exists()
    land.ask("dispose", GRANT, certificate="deleted, 1 copy")
    land.lake.exchange.audit("Otto", "G1", "nothing was kept")
    land.ask("feedback", GRANT, text="beds by ward would do")
    assert land.away[0].state == "closed"
    assert land.lake.exchange.grants["G1"].state == "closed"
    for node in land.nodes:
        verify(node.exchange.log)
        assert breaches(list(node.exchange.log)) == []
    passed = [r["event"] for r in land.nation.exchange.log if r["event"] == "pass on"]
    assert len(passed) == 15


def test_a_rejection_is_told_and_taken_to_the_committee_there(land):
    land.ask("request", BEDS, **ASKED)
    land.lake.exchange.reject("Ana", "G1", "too many fields")
    land.carry()
    assert land.away[0].state == "rejected"
    land.ask("appeal", GRANT)
    assert land.lake.exchange.grants["G1"].state == "escalated"
    land.lake.exchange.approve("Kim", "G1")
    land.carry()
    assert land.away[0].state == "approved"


def test_a_question_is_answered_from_afar(land):
    land.ask("request", BEDS, **ASKED, epsilon=2.0)
    land.release()
    assert not land.bay.package(GRANT).exists()
    words = {"statistic": "count", "where": ["free >= 2"]}
    said = land.ask("query", GRANT, purpose=ASKED["purpose"], epsilon=1.5, **words)[-1].what
    assert int(re.match(r"count: ([\d,]+), and", said)[1]) == pytest.approx(300, abs=12)
    assert land.away[0].said == said
    said = land.ask("query", GRANT, purpose=ASKED["purpose"], epsilon=1.5, **words)[-1].what
    assert "more than was granted" in said
    said = land.ask("query", GRANT, purpose=ASKED["purpose"], epsilon=0.1, statistic="median")[
        -1
    ].what
    assert "count, sum, mean" in said
    assert land.lake.exchange.grants["G1"].spent == 1.5


def test_what_is_refused_there_is_told_here(land):
    for subject, details, said in (
        ("nation/north/lake:wards", ASKED, "the catalogue does not have it"),
        (BEDS, {**ASKED, "fields": ["name"]}, "does not have these fields"),
        (BEDS, {**ASKED, "until": "tomorrow"}, "nobody can do so"),
        (BEDS, {**ASKED, "colour": "red"}, "nobody can do so"),
        (BEDS, {**ASKED, "fields": [1]}, "fields is several names"),
        (BEDS, {}, "nobody can do so"),
    ):
        before = len(land.lake.exchange.log)
        assert said in land.ask("request", subject, **details)[-1].what
        assert len(land.lake.exchange.log) > before
        assert land.away[-1].state == "refused"
        assert said in land.away[-1].said
    assert not land.lake.exchange.grants
    assert breaches(list(land.lake.exchange.log)) == []


def test_only_consumers_ask_elsewhere_and_only_what_can_be_asked(land):
    with pytest.raises(Refused, match="only a consumer may ask elsewhere"):
        land.bay.send("Ana", "request", BEDS, **ASKED)
    assert land.last(land.bay)["outcome"] == "refused"
    for event, subject in (("approve", GRANT), ("request", "beds"), ("request", "nation/south/bay:beds"), ("request", "nation/north/lake:")):  # fmt: skip
        with pytest.raises(SharewellError, match="nobody elsewhere can be asked"):
            land.bay.send("Mara", event, subject, **ASKED)
    with pytest.raises(SharewellError, match="no exchange other/lake"):
        land.bay.send("Mara", "request", "other/lake:beds", **ASKED)
    assert land.carry() == []


def test_nobody_here_can_be_taken_for_somebody_elsewhere(tmp_path):
    with pytest.raises(SharewellError, match="people of other exchanges are named so"):
        Exchange({"Mara@nation/south/bay": ["owner"]}, date(2026, 3, 2))


def test_an_exchange_that_is_not_known_is_told_from_where_the_way_ends(land):
    hops = land.ask("request", "nation/north/hill:beds", **ASKED)
    assert hops[-1].what == "refused: there is no exchange nation/north/hill"
    assert land.away[0].state == "refused"
    assert "no exchange nation/west" in land.ask("request", "nation/west:beds", **ASKED)[-1].what


def test_a_letter_waits_for_an_exchange_that_is_away(land):
    land.bay.send("Mara", "request", BEDS, **ASKED)
    here = [node for node in land.nodes if node is not land.north]
    assert carry(here)[-1].what == "waits: the way is not there"
    assert not land.lake.exchange.grants
    land.carry()
    assert land.away[0].state == "requested"


def test_a_letter_that_comes_twice_is_taken_once(land):
    number = land.bay.send("Mara", "request", BEDS, **ASKED)
    letter = land.bay.exchange.store.letters[number]
    for _ in range(3):
        land.bay.exchange.store.letters[number] = letter  # as if it had not gone
        land.carry()
    assert land.north.take(letter, land.nation) == "was here before"
    assert list(land.lake.exchange.grants) == ["G1"]


def forged(land):
    """Letters that somebody on the way may try, and what is said of them."""
    number = land.bay.send("Mara", "request", BEDS, **ASKED)
    letter = land.bay.exchange.store.letters[number]
    told = json.loads(letter.text)
    other = json.dumps({**told, "body": {**told["body"], "actor": "Noor"}}, ensure_ascii=False)
    body = {"event": "request", "actor": "Mara", "subject": "beds", "details": {}}
    south, bay = land.south.holdings.key, land.bay.holdings.key
    proof = "does not prove that it is from nation/south/bay"
    chain = letter.chain
    fake = letters.certificate(south, "nation/north/lake", packages.public(south))
    half = json.dumps({**told, "body": {"event": "\ud800"}})
    alone = [letters.certificate(bay, "nation/south/bay")]
    return {
        "changed": (replace(letter, text=other), proof),
        "to another": (replace(letter, target="nation/north"), "not the one that was signed"),
        "as if from another": (replace(letter, origin="nation/north/lake"), "not the one that was"),
        "without a signature": (replace(letter, signature=""), proof),
        "with another's signature": (replace(letter, signature=south.sign(letter.text.encode()).hex()), proof),
        "no text": (replace(letter, text="{}"), proof),
        "no letter": (replace(letter, text="Dear all"), proof),
        "a body that is none": (letters.write(bay, chain, "nation", "hello"), "not the one"),
        "half a character": (replace(letter, text=half, signature=bay.sign(half.encode()).hex()), proof),
        "written in the name of one below": (letters.write(south, chain, "nation/north/lake", body), proof),
        "a province vouches for another's county": (
            letters.write(south, [*chain[:2], fake], "nation", body), "cannot vouch for nation/north/lake"),
        "vouched for by nobody": (letters.write(bay, alone, "nation", body), proof),
        "without a chain": (replace(letter, text=json.dumps({**told, "chain": []})), proof),
        "something else enclosed": (letters.write(bay, chain, "nation", body, "00"), "not what was enclosed"),
    }  # fmt: skip


FORGERIES = (
    "changed", "to another", "as if from another", "without a signature", "with another's signature", "no text", "no letter",
    "a body that is none", "half a character", "written in the name of one below", "a province vouches for another's county",
    "vouched for by nobody", "without a chain", "something else enclosed",
)  # fmt: skip


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forged_letter_is_refused_at_the_next_exchange_and_written_down(land, name):
    letter, said = forged(land)[name]
    before = len(land.nation.exchange.store.letters)
    with pytest.raises(Forged, match=said):
        land.nation.take(letter, land.south)
    assert len(land.nation.exchange.store.letters) == before
    record = land.last(land.nation)
    assert (record["event"], record["outcome"]) == ("take", "refused")
    assert said in record["reason"]


def test_all_forgeries_are_tried(land):
    assert set(forged(land)) == set(FORGERIES)


def test_a_letter_comes_from_the_side_on_which_its_writer_is(land):
    number = land.bay.send("Mara", "request", BEDS, **ASKED)
    letter = land.bay.exchange.store.letters[number]
    with pytest.raises(Forged, match="does not come from nation/north"):
        land.nation.take(letter, land.north)
    with pytest.raises(Forged, match="does not come from nation"):
        land.south.take(letter, land.nation)


def test_a_forged_letter_does_not_stop_the_others(land):
    bad = letters.write(land.bay.holdings.key, land.bay._chain, "nation/north/lake", {"event": "x"})
    land.bay.exchange.store.letters["bad"] = replace(bad, signature="00")
    hops = land.ask("request", BEDS, **ASKED)
    assert any("does not prove" in hop.what for hop in hops)
    assert land.away[0].state == "requested"
    assert land.carry() == []


def test_who_passes_a_package_on_can_neither_read_nor_change_it(land):
    land.ask("request", BEDS, **ASKED)
    land.lake.exchange.approve("Ana", "G1")
    packages.hand_out(land.lake.exchange, "Sten", "G1", land.lake.holdings, land.lake.released)
    carry([land.lake, land.north])
    (sealed,) = land.north.bag.iterdir()
    content = sealed.read_bytes()
    assert b"PAR1" not in content
    assert b"planning" not in content
    with pytest.raises(Forged, match="for somebody else"):
        letters.unseal(content, land.north.holdings.key)
    sealed.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    hops = land.carry()
    assert any("not what was enclosed" in hop.what for hop in hops)
    assert land.away[0].state == "requested"
    assert not list(land.bay.received.iterdir())


def test_answers_that_nobody_asked_for_change_nothing(land):
    number = land.ask("request", BEDS, **ASKED) and next(iter(land.bay.exchange.store.away))
    before = land.away

    def told(node, **body):
        written = letters.write(node.holdings.key, node._chain, "nation/south/bay", body)
        node.exchange.store.letters[written.number] = written
        return land.carry()[-1].what

    for body in (
        {"answer": number, "grant": "G1", "state": "released", "said": "take it"},
        {"answer": "", "grant": "G1", "state": "closed"},
        {"answer": "", "grant": ""},
        {"answer": "nothing"},
        {"answer": [1]},
    ):
        assert told(land.nation, **body) == "refused: nobody asked them"
        assert land.away == before
        assert land.last(land.bay)["outcome"] == "refused"
    assert told(land.lake, answer="", grant="G9", state="released") == "refused: nobody asked them"


def test_a_package_for_somebody_else_or_of_somebody_else_is_not_kept(land):
    land.ask("request", BEDS, **ASKED)
    land.ask("request", BEDS, who="Noor", **ASKED)
    lake = land.lake.exchange
    for grant in ("G1", "G2"):
        lake.approve("Ana", grant)
    packages.hand_out(lake, "Sten", "G2", land.lake.holdings, land.lake.released)
    land.carry()
    noor = land.lake.released / "G2.zip"
    lake.release("Sten", "G1")
    (land.lake.released / "G1.zip").write_bytes(noor.read_bytes())
    assert "released it to Noor" in land.carry()[-1].what
    assert land.away[0].state == "approved"
    lake.revoke("Kim", "G1")
    land.carry()
    assert not land.bay.package(GRANT).exists()


def test_a_place_is_taken_once_and_there_are_three_levels(land, tmp_path):
    for name in ("other", "hut"):
        Exchange(PEOPLE, date(2026, 3, 2), File(tmp_path / f"{name}.db"))
    other, hut = Node(tmp_path / "other.db"), Node(tmp_path / "hut.db")
    with pytest.raises(SharewellError, match="has no place itself yet"):
        hut.join(other, "hut")
    with pytest.raises(SharewellError, match="is a county: there is no level below it"):
        hut.join(land.lake, "hut")
    with pytest.raises(SharewellError, match="has a lake already"):
        hut.join(land.north, "lake")
    with pytest.raises(SharewellError, match="has a place already: nation/north/lake"):
        land.lake.join(land.south, "lake")
    for name in ("a/b", "a:b", "a@b", ""):
        with pytest.raises(SharewellError, match="is no name for an exchange"):
            hut.join(land.north, name)
    with pytest.raises(SharewellError, match="has no place among others"):
        hut.send("Mara", "request", BEDS, **ASKED)
    land.lake.join(land.north, "lake")  # a second time changes nothing
    assert [node.name for node in country(land.bay.file)] == [
        "nation", "nation/north", "nation/south", "nation/north/lake", "nation/south/bay"]  # fmt: skip


def test_killed_at_any_moment_nothing_is_lost_or_done_twice(land):
    for n in range(30):
        land.bay.send("Mara", "request", BEDS, **{**ASKED, "purpose": f"purpose {n}"})
    code = (
        "import sys; from pathlib import Path; from sharewell.exchange.levels import carry, country\n"
        "nodes = country(Path(sys.argv[1])); print('ready', flush=True); carry(nodes)"
    )
    for n in range(20):
        one = subprocess.Popen(
            [sys.executable, "-c", code, land.bay.file], stdout=subprocess.PIPE, text=True
        )
        assert one.stdout.readline() == "ready\n"
        time.sleep(0.02 + 0.03 * n)
        one.send_signal(signal.SIGKILL)
        one.wait()
    land.carry()
    purposes = [grant.purpose for grant in land.lake.exchange.grants.values()]
    assert sorted(purposes) == sorted(f"purpose {n}" for n in range(30))
    assert {one.state for one in land.away} == {"requested"}
    assert len({one.grant for one in land.away}) == 30
    for node in land.nodes:
        verify(node.exchange.log)
