"""The same table as pandas, Polars, Arrow, DuckDB or Dask, and as a scan that need not fit."""

import json
import multiprocessing
import subprocess
import sys

import datapolis
import duckdb
import frictionless
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

HUNDRED_THOUSAND = 0.06  # of sales


def to_pandas(frame):
    if isinstance(frame, pd.DataFrame):
        return frame
    if isinstance(frame, pl.DataFrame):
        frame = frame.to_arrow()
    elif isinstance(frame, duckdb.DuckDBPyRelation):
        frame = frame.to_arrow_table()
    elif not isinstance(frame, pa.Table):
        frame = pa.Table.from_pandas(frame.compute(), preserve_index=False)
    return frame.to_pandas(date_as_object=False)


@pytest.fixture
def cache(tmp_path, monkeypatch):
    folder = tmp_path / "cache"
    monkeypatch.setenv("DATAPOLIS_CACHE", str(folder))
    return folder


@pytest.mark.parametrize("scale", [0.01, HUNDRED_THOUSAND], ids=["in memory", "on disk"])
@pytest.mark.parametrize("name", ["sales", "cases", "districts"])
def test_every_kind_of_frame_holds_the_same(name, scale, cache):
    expected = datapolis.load(name, scale=scale, seed=3).reset_index(drop=True)
    kinds = {
        "polars": pl.DataFrame,
        "arrow": pa.Table,
        "duckdb": duckdb.DuckDBPyRelation,
        "dask": object,
    }
    for kind, cls in kinds.items():
        frame = datapolis.load(name, scale=scale, seed=3, as_=kind)
        assert isinstance(frame, cls)
        got = to_pandas(frame).reset_index(drop=True)
        pd.testing.assert_frame_equal(got, expected, check_dtype=False, obj=kind)
    assert cache.exists() == (name == "sales" and scale == HUNDRED_THOUSAND)


@pytest.mark.parametrize("kind", ["pandas", "polars", "arrow", "duckdb"])
@pytest.mark.parametrize("scale", [0.01, HUNDRED_THOUSAND])
def test_rows_are_the_first_ones(kind, scale, cache):
    first = to_pandas(datapolis.load("sales", scale=scale, rows=700, as_=kind))
    whole = datapolis.load("sales", scale=scale)
    pd.testing.assert_frame_equal(first, whole.head(700), check_dtype=False)


def test_rows_alone_make_the_country_as_large_as_they_need():
    assert len(datapolis.load("sales", rows=300_000)) == 300_000
    assert len(datapolis.load("districts", rows=300_000)) == 12
    with pytest.raises(datapolis.DatapolisError, match="give scale or rows, not both"):
        datapolis.load("sales", rows=10, scale=1, as_="dask")


def test_dates_and_numbers_have_their_types():
    cases = datapolis.load("cases", scale=0.1)
    assert pd.api.types.is_datetime64_dtype(cases["reported_on"])
    assert datapolis.load("tests")["positive"].dtype == bool
    schema = datapolis.load("sales", scale=0.01, as_="polars").schema
    assert isinstance(schema["sold_at"], pl.Datetime) and schema["unit_price"] == pl.Float64


def test_scan_is_the_whole_table_in_order():
    lazy = datapolis.scan("sales", scale=0.5, seed=3)
    assert isinstance(lazy, pl.LazyFrame)
    whole = datapolis.load("sales", scale=0.5, seed=3, as_="polars")
    assert lazy.collect(engine="streaming").equals(whole)


def test_scan_makes_only_what_the_query_needs(monkeypatch):
    from datapolis import sales

    made, real = [], sales.sales
    monkeypatch.setattr(
        sales, "sales", lambda country, part: made.append(part) or real(country, part)
    )
    lazy = datapolis.scan("sales", scale=1)
    made.clear()
    assert lazy.head(5).collect().height == 5
    assert made == [0]
    made.clear()
    total = (
        lazy.filter(pl.col("promotion"))
        .select(pl.col("quantity").sum())
        .collect(engine="streaming")
    )
    assert made == list(range(12))
    whole = datapolis.load("sales", scale=1)
    assert total.item() == whole.loc[whole["promotion"], "quantity"].sum()


def test_a_scan_of_what_fits_nowhere_answers_at_once():
    first = datapolis.scan("sales", scale=100_000).head(3).collect()
    assert first.height == 3


def test_importing_datapolis_imports_nothing_heavy():
    code = (
        "import sys, datapolis; datapolis.__all__\n"
        "print([m for m in ('numpy', 'pandas', 'pyarrow', 'polars', 'faker', 'dask') if m in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


def test_names_that_are_not_there_are_said_so():
    with pytest.raises(AttributeError, match="no attribute 'lode'"):
        datapolis.lode  # noqa: B018
    assert set(dir(datapolis)) == set(datapolis.__all__)
    assert all(getattr(datapolis, name) for name in datapolis.__all__)


# -- the cache --------------------------------------------------------------------------------------


def only_folder(cache):
    (folder,) = [path for path in cache.iterdir() if not path.name.startswith(".")]
    return folder


def test_a_large_table_is_made_once(cache):
    first = datapolis.load("sales", scale=HUNDRED_THOUSAND)
    files = sorted(only_folder(cache).rglob("*.parquet"))
    stamps = [file.stat().st_mtime_ns for file in files]
    pd.testing.assert_frame_equal(datapolis.load("sales", scale=HUNDRED_THOUSAND), first)
    assert [file.stat().st_mtime_ns for file in files] == stamps


@pytest.mark.parametrize(
    "damage",
    [
        lambda file: file.write_bytes(file.read_bytes()[:-100]),
        lambda file: file.write_bytes(b"PAR1 but not really"),
        lambda file: file.write_bytes(file.read_bytes().replace(b"G001", b"G002")),
        lambda file: file.unlink(),
        lambda file: (file.parents[1] / "datapackage.json").write_text("{"),
        lambda file: (file.parents[1] / "datapackage.json").unlink(),
    ],
    ids=[
        "cut off",
        "overwritten",
        "one value changed",
        "deleted",
        "manifest broken",
        "manifest deleted",
    ],
)
def test_a_damaged_table_is_made_again(damage, cache):
    expected = datapolis.load("sales", scale=HUNDRED_THOUSAND)
    damage(next(only_folder(cache).rglob("*.parquet")))
    pd.testing.assert_frame_equal(datapolis.load("sales", scale=HUNDRED_THOUSAND), expected)


def test_a_copied_cache_is_checked_and_used(cache, tmp_path, monkeypatch):
    """Times of change differ in a copy; what counts is the content."""
    expected = datapolis.load("sales", scale=HUNDRED_THOUSAND)
    file = next(only_folder(cache).rglob("*.parquet"))
    file.touch()
    stamp = file.stat().st_mtime_ns
    pd.testing.assert_frame_equal(datapolis.load("sales", scale=HUNDRED_THOUSAND), expected)
    assert file.stat().st_mtime_ns == stamp


def _load(number):
    frame = datapolis.load("sales", scale=0.3, seed=number % 2)
    return int(pd.util.hash_pandas_object(frame).sum() % 2**62)


def test_processes_that_fill_the_cache_at_once_do_not_disturb_each_other(cache):
    with multiprocessing.get_context("fork").Pool(6) as pool:
        hashes = pool.map(_load, range(12), chunksize=1)
    assert len(set(hashes)) == 2
    kept = {path.name for path in cache.iterdir() if not path.name.startswith(".")}
    assert len(kept) == 2
    assert {path.name for path in cache.iterdir()} - kept == {f".{name}.lock" for name in kept}


def test_a_table_that_was_half_made_is_not_loaded(cache):
    """As a killed process leaves it: parts in the hidden folder, none under the table's name."""
    expected = datapolis.load("sales", scale=0.3)
    folder = only_folder(cache)
    partial = folder.with_name(f".{folder.name}.partial")
    folder.rename(partial)
    (partial / "datapackage.json").unlink()
    sorted(partial.rglob("*.parquet"))[-1].unlink()
    pd.testing.assert_frame_equal(datapolis.load("sales", scale=0.3), expected)


def test_a_cache_that_cannot_be_written_is_said_so(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("DATAPOLIS_CACHE", str(tmp_path / "file"))
    with pytest.raises(datapolis.DatapolisError, match="cannot write"):
        datapolis.load("sales", scale=HUNDRED_THOUSAND)
    assert len(datapolis.load("sales", scale=0.01)) > 0  # small tables need none


def test_where_nothing_can_be_kept_a_table_is_made_in_memory(cache, bubblewrap):
    command = "import datapolis; print(len(datapolis.load('sales', scale=0.3)))"
    sandbox = ["bwrap", "--ro-bind", "/", "/", sys.executable, "-c", command]
    run = subprocess.run(sandbox, capture_output=True, text=True, check=True)
    assert int(run.stdout) == len(datapolis.load("sales", scale=0.3))


# -- packages ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [n for n in datapolis.tables() if n != "unlabelled"])
def test_packages_are_valid_for_the_reference_implementation(name, tmp_path):
    folder = datapolis.write(name, tmp_path / "p", scale=0.004, format="csv")
    report = frictionless.validate(str(folder / "datapackage.json"))
    assert report.valid, report.flatten(["title", "message"])[:3]


@pytest.mark.parametrize("name", ["province_north", "province_delta", "province_highland"])
def test_csv_has_the_encoding_of_its_province(name, tmp_path):
    folder = datapolis.write(name, tmp_path / "p", scale=0.02, format="csv")
    resource = json.loads((folder / "datapackage.json").read_text())["resources"][0]
    assert resource["encoding"] == {"delta": "utf-16", "highland": "gb18030"}.get(name[9:], "utf-8")
    (file,) = [folder / path for path in resource["path"]]
    read = pd.read_csv(file, encoding=resource["encoding"], dtype="str")
    expected = datapolis.load(name, scale=0.02)
    assert list(read.columns) == list(expected.columns)
    for column in expected.select_dtypes("str"):
        assert (read[column].fillna("") == expected[column].fillna("")).all(), column


def test_a_package_says_what_it_is(tmp_path):
    folder = datapolis.write("residents", tmp_path / "r", scale=0.8, seed=9)
    package = json.loads((folder / "datapackage.json").read_text(encoding="utf-8"))
    (resource,) = package["resources"]
    assert package["datapolis"]["seed"] == 9 and package["datapolis"]["scale"] == 0.8
    assert [field["name"] for field in resource["schema"]["fields"]][:2] == [
        "person_id",
        "household_id",
    ]
    assert resource["bytes"] == sum((folder / path).stat().st_size for path in resource["path"])
    assert len(resource["path"]) == 2
    assert (folder / "README.md").read_text(encoding="utf-8").startswith("## residents")
    assert (
        json.loads((folder / "dcat.jsonld").read_text())["dcat:dataset"][0]["dct:identifier"]
        == "residents"
    )
    got = pd.read_parquet(folder / "data")
    expected = datapolis.load("residents", rows=80_000, seed=9)
    pd.testing.assert_frame_equal(
        got.astype({"birth_date": expected["birth_date"].dtype}), expected
    )


def test_a_plan_is_close(tmp_path):
    ahead = datapolis.plan("sales", scale=0.5)
    folder = datapolis.write("sales", tmp_path / "s", scale=0.5)
    files = list((folder / "data").iterdir())
    assert ahead.parts == len(files)
    assert ahead.rows == pytest.approx(len(pd.read_parquet(folder / "data")), rel=0.3)
    assert ahead.bytes == pytest.approx(sum(file.stat().st_size for file in files), rel=0.3)
    assert datapolis.plan("sales", scale=420).rows > 1_000_000_000


def test_what_cannot_be_written_is_said_and_leaves_nothing(tmp_path):
    for how, message in (
        ({"format": "xlsx"}, "format must be parquet or csv"),
        ({"workers": 0}, "workers must be 1 or more"),
        ({"scale": -1}, "scale must be"),
    ):
        with pytest.raises(datapolis.DatapolisError, match=message):
            datapolis.write("residents", tmp_path / "r", **how)
    assert list(tmp_path.iterdir()) == []
