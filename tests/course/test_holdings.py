"""The data that an exchange holds: who may put them there, what lies on the disk, and what becomes of who meddles with it."""

import secrets
from datetime import date

import polars as pl
import pytest
from sharewell import SharewellError
from sharewell.exchange import Exchange, File, Refused, packages
from sharewell.exchange.holdings import Holdings

PEOPLE = {"Ana": ["owner"], "Sten": ["steward"], "Kim": ["committee"], "Mara": ["consumer"]}
NAME = "Maximiliane-Theodora"


@pytest.fixture
def exchange(tmp_path):
    made = Exchange(PEOPLE, date(2026, 3, 2), File(tmp_path / "exchange.db"))
    for resource in ("cases", "wards"):
        made.catalogue("Sten", resource, ["name", "week"], owner="Ana")
    return made


@pytest.fixture
def holdings(tmp_path):
    return Holdings.of(tmp_path / "exchange.db")


@pytest.fixture
def data(tmp_path):
    path = tmp_path / "cases.parquet"
    pl.DataFrame({"name": [NAME] * 3, "week": [1, 2, 3], "who": [7, 7, 8]}).write_parquet(path)
    return path


def table(holdings, exchange, *fields):
    return holdings.read(exchange, "cases", fields or ("name", "week")).read_all().to_pydict()


def test_what_is_deposited_is_read_back_by_column(exchange, holdings, data):
    holdings.deposit(exchange, "Sten", "cases", data, person="who")
    assert table(holdings, exchange) == {"name": [NAME] * 3, "week": [1, 2, 3]}
    assert table(holdings, exchange, "week") == {"week": [1, 2, 3]}
    found = exchange.resources["cases"]
    assert (found.rows, found.rows_per_person) == (3, 2)


def test_a_csv_file_will_do_and_an_empty_one_too(exchange, holdings, tmp_path):
    path = tmp_path / "cases.csv"
    path.write_text("week,name\n1,李\n2,\n", encoding="utf-8")
    holdings.deposit(exchange, "Sten", "cases", path)
    assert table(holdings, exchange) == {"name": ["李", None], "week": [1, 2]}
    path.write_text("week,name\n")
    holdings.deposit(exchange, "Sten", "cases", path, person="name")
    assert table(holdings, exchange) == {"name": [], "week": []}
    assert exchange.resources["cases"].rows_per_person == 1


def test_on_the_disk_nothing_can_be_read(exchange, holdings, data, tmp_path):
    assert NAME.encode() in data.read_bytes()
    holdings.deposit(exchange, "Sten", "cases", data)
    (kept,) = holdings.folder.iterdir()
    assert NAME.encode() not in kept.read_bytes()
    assert b"week" not in kept.read_bytes()
    assert holdings.folder.stat().st_mode & 0o077 == 0
    with pytest.raises(Exception, match="encrypted"):
        pl.read_parquet(kept)
    for file in tmp_path.rglob("*"):
        assert file.is_dir() or file == data or NAME.encode() not in file.read_bytes(), file


def test_a_new_deposit_takes_the_place_of_the_old(exchange, holdings, data):
    holdings.deposit(exchange, "Sten", "cases", data)
    first = exchange.resources["cases"].held
    pl.DataFrame({"name": ["B"], "week": [9]}).write_parquet(data)
    holdings.deposit(exchange, "Sten", "cases", data)
    assert table(holdings, exchange) == {"name": ["B"], "week": [9]}
    assert [file.stem for file in holdings.folder.iterdir()] != [first]
    assert len(list(holdings.folder.iterdir())) == 1


def test_a_change_of_any_byte_or_of_the_file_is_found(exchange, holdings, data):
    for resource in ("cases", "wards"):
        holdings.deposit(exchange, "Sten", resource, data)
    mine, other = (
        holdings.folder / f"{exchange.resources[r].held}.parquet" for r in ("cases", "wards")
    )
    whole = mine.read_bytes()
    changed = [whole[:n] + bytes([whole[n] ^ 1]) + whole[n + 1 :] for n in range(0, len(whole), 97)]
    for content in (*changed, whole[:-1], b"", other.read_bytes(), data.read_bytes()):
        mine.write_bytes(content)
        try:
            found = table(holdings, exchange)
        except SharewellError as error:
            assert "not as they were put there" in str(error)
        else:  # a byte that says nothing, such as one between two pages
            assert content in changed
            assert found == {"name": [NAME] * 3, "week": [1, 2, 3]}
    mine.unlink()
    with pytest.raises(SharewellError, match="not as they were put there"):
        table(holdings, exchange)


def test_another_key_opens_nothing(exchange, holdings, data, tmp_path):
    holdings.deposit(exchange, "Sten", "cases", data)
    other = Holdings(
        holdings.folder, packages.signing_key(tmp_path / f"{secrets.token_hex(4)}.key")
    )
    with pytest.raises(SharewellError, match="or the key is another"):
        table(other, exchange)


def test_only_a_steward_deposits_and_only_what_is_catalogued(exchange, holdings, data):
    for who, resource in (("Ana", "cases"), ("Mara", "cases"), ("Sten", "beds"), ("Sten", "../x")):
        before = len(exchange.log)
        with pytest.raises(Refused):
            holdings.deposit(exchange, who, resource, data)
        assert len(exchange.log) == before + 1
    assert not list(holdings.folder.glob("*"))
    with pytest.raises(SharewellError, match="a steward deposits them first"):
        table(holdings, exchange)


def test_what_cannot_be_taken_over_has_not_happened(exchange, holdings, data, tmp_path):
    holdings.deposit(exchange, "Sten", "cases", data)
    before = exchange.resources["cases"], len(exchange.log)
    other, broken, late = (tmp_path / name for name in ("o.csv", "b.parquet", "late.csv"))
    other.write_text("week\n1\n")
    broken.write_bytes(b"PAR1")
    late.write_text("name,week\n" + "a,1\n" * 300_000 + "b,many\n")
    for source, person, said in (
        (other, "", "has no column 'name'"),
        (data, "whom", "has no column 'whom'"),
        (broken, "", "cannot be read"),
        (late, "", "cannot be read"),
        (tmp_path / "nothing.parquet", "", "have to be a Parquet or CSV file"),
        (tmp_path / "*.parquet", "", "have to be a Parquet or CSV file"),
    ):
        with pytest.raises(SharewellError, match=said):
            holdings.deposit(exchange, "Sten", "cases", source, person)
        assert (exchange.resources["cases"], len(exchange.log)) == before
        assert len(list(holdings.folder.iterdir())) == 1
    assert table(holdings, exchange)["week"] == [1, 2, 3]
