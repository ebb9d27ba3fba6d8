"""Released files: what they say, and what becomes of those who change them."""

import json
import zipfile
from datetime import date

import frictionless
import polars as pl
import pytest
from sharewell import SharewellError
from sharewell.exchange import Exchange, File, Refused, packages
from sharewell.exchange.holdings import Holdings

PEOPLE = {"Ana": ["owner"], "Sten": ["steward"], "Kim": ["committee"], "Mara": ["consumer"]}


@pytest.fixture
def exchange(tmp_path):
    made = Exchange(PEOPLE, date(2026, 3, 2), File(tmp_path / "exchange.db"))
    made.catalogue("Sten", "cases", ["week", "count", "name"], owner="Ana")
    made.classify("Sten", "cases", "restricted")
    made.confirm("Kim", "cases")
    made.request("Mara", "cases", "planning 计划", ["week", "count"], date(2026, 12, 31))
    return made


@pytest.fixture
def data(tmp_path):
    path = tmp_path / "cases.parquet"
    table = {
        "week": [1, 2],
        "count": [3.5, 4.5],
        "name": ["Li", "Wu"],
        "day": [date(2026, 1, 1)] * 2,
    }
    pl.DataFrame(table).write_parquet(path)
    return path  # fmt: skip


@pytest.fixture
def key(tmp_path):
    return packages.signing_key(tmp_path / "exchange.key")


@pytest.fixture
def holdings(exchange, data, key, tmp_path):
    made = Holdings(tmp_path / "exchange.data", key)
    made.deposit(exchange, "Sten", "cases", data)
    return made


@pytest.fixture
def package(exchange, holdings, tmp_path):
    exchange.approve("Ana", "G1")
    path = tmp_path / "G1.zip"
    packages.release(exchange, "Sten", "G1", holdings, path)
    return path


def test_a_release_holds_the_approved_fields_and_says_what_may_be_done(package, key, tmp_path):
    found = packages.check(package, packages.public(key))
    assert found.conditions.consumer == "Mara"
    assert found.conditions.fields == ("count", "week")
    said = " ".join(found.conditions.in_words(date(2026, 12, 31)))
    assert "up to and including 2026-12-31: count, week of cases (restricted)" in said
    assert "planning 计划" in said
    assert "has passed" in " ".join(found.conditions.in_words(date(2027, 1, 1)))
    with zipfile.ZipFile(package) as archive:
        archive.extractall(tmp_path / "opened")
    table = pl.read_parquet(tmp_path / "opened" / packages.DATA)
    assert table.to_dict(as_series=False) == {"count": [3.5, 4.5], "week": [1, 2]}
    assert b"Wu" not in package.read_bytes()


def test_it_is_a_frictionless_package(package, tmp_path):
    with zipfile.ZipFile(package) as archive:
        archive.extractall(tmp_path / "opened")
    described = frictionless.Package(str(tmp_path / "opened" / packages.ABOUT))
    assert described.validate().valid, described.validate().flatten()
    fields = {field.name: field.type for field in described.resources[0].schema.fields}
    assert fields == {"count": "number", "week": "integer"}


def rewritten(package, **changes):
    """The package with members replaced."""
    with zipfile.ZipFile(package) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    members = {**members, **changes}
    with zipfile.ZipFile(package, "w") as archive:
        for name, content in members.items():
            if content is not None:
                archive.writestr(name, content)
    return members


def test_a_change_of_anything_is_found(package, key, tmp_path):
    with zipfile.ZipFile(package) as archive:
        about, data = archive.read(packages.ABOUT), archive.read(packages.DATA)
    longer = about.replace(b"2026-12-31", b"2036-12-31")
    assert longer != about
    for changes, said in (
        ({packages.ABOUT: longer}, "conditions are not those that were signed"),
        ({packages.DATA: data[:-1] + b"x"}, "data are not those that were signed"),
        ({packages.DATA: data + b"x"}, "data are not those that were signed"),
        ({packages.SIGNATURE: b"{}"}, "no release"),
        ({packages.SIGNATURE: None}, "no release"),
        ({packages.DATA: None}, "no release"),
        ({packages.ABOUT: b"\xff"}, "not those that were signed"),
    ):
        copy = tmp_path / "copy.zip"
        copy.write_bytes(package.read_bytes())
        rewritten(copy, **changes)
        with pytest.raises(SharewellError, match=said):
            packages.check(copy, packages.public(key))


def test_another_signature_is_seen_by_the_key(package, key, tmp_path):
    other = packages.signing_key(tmp_path / "other.key")
    with zipfile.ZipFile(package) as archive:
        about = archive.read(packages.ABOUT).replace(b"2026-12-31", b"2036-12-31")
    signature = {"key": packages.public(other), "signature": other.sign(about).hex()}
    rewritten(package, **{packages.ABOUT: about, packages.SIGNATURE: json.dumps(signature)})
    assert packages.check(package).signed_by == packages.public(other)
    with pytest.raises(SharewellError, match="signed by somebody else"):
        packages.check(package, packages.public(key))


def test_what_is_no_package_is_said_to_be_none(tmp_path, package):
    for content in (b"", b"PK\x03\x04", b"text" * 100, package.read_bytes()[:-20]):
        (tmp_path / "x.zip").write_bytes(content)
        with pytest.raises(SharewellError, match="no release of an exchange"):
            packages.check(tmp_path / "x.zip")
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name in (packages.ABOUT, packages.SIGNATURE, packages.DATA):
            archive.writestr(name, b"0" * 50_000_000)
    with pytest.raises(SharewellError, match="compressed"):
        packages.check(tmp_path / "bomb.zip")
    with pytest.raises(SharewellError, match="cannot be read"):
        packages.check(tmp_path / "nowhere.zip")


def test_what_is_refused_leaves_a_record_and_no_file(exchange, holdings, tmp_path):
    path = tmp_path / "G1.zip"
    for who, grant in (("Sten", "G1"), ("Mara", "G1"), ("Sten", "G9"), ("Sten", "../G1")):
        before = len(exchange.log)
        with pytest.raises(Refused):
            packages.release(exchange, who, grant, holdings, path)
        assert len(exchange.log) == before + 1
    assert not path.exists()
    assert not list(tmp_path.glob(".release-*"))


def test_what_cannot_be_written_has_not_happened(exchange, holdings, key, tmp_path):
    exchange.approve("Ana", "G1")
    before = len(exchange.log)
    for source, target, said in (
        (holdings, "exchange.db", "is there already"),
        (holdings, "nowhere/G1.zip", "No such file"),
        (Holdings(tmp_path / "empty", key), "G1.zip", "not as they were put there"),
        (
            Holdings(holdings.folder, packages.signing_key(tmp_path / "b.key")),
            "G1.zip",
            "not as they",
        ),
    ):
        with pytest.raises((SharewellError, OSError), match=said):
            packages.release(exchange, "Sten", "G1", source, tmp_path / target)
        assert exchange.grants["G1"].state == "approved"
        assert len(exchange.log) == before
        assert not (tmp_path / "G1.zip").exists()


def test_the_key_is_made_once_and_kept_to_its_owner(tmp_path):
    path = tmp_path / "exchange.key"
    first = packages.signing_key(path)
    assert packages.public(packages.signing_key(path)) == packages.public(first)
    assert path.stat().st_mode & 0o077 == 0
    path.write_text("no key")
    with pytest.raises(SharewellError, match="no signing key"):
        packages.signing_key(path)


def test_the_keys_may_lie_elsewhere_and_each_exchange_has_its_own(tmp_path, monkeypatch):
    (tmp_path / "keys").mkdir()
    monkeypatch.setenv("SHAREWELL_EXCHANGE_KEYS", str(tmp_path / "keys"))
    lake, bay = (packages.key_of(tmp_path / f"{name}.db") for name in ("lake", "bay"))
    assert sorted(path.name for path in (tmp_path / "keys").iterdir()) == ["bay.key", "lake.key"]
    assert not list(tmp_path.glob("*.key"))
    assert packages.public(lake) != packages.public(bay)
    assert packages.public(packages.key_of(tmp_path / "lake.db")) == packages.public(lake)
