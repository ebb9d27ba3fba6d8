"""Tables of Datapolis in the reader's own kind of frame, whole or part by part, and the truth about them."""

from __future__ import annotations

import errno
import json
from collections.abc import Iterator
from functools import cache
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from datapolis.country import Country
from datapolis.errors import DatapolisError
from datapolis.registry import TABLES, Table, find

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa

KEPT_ON_DISK = 100_000
"""Tables with at least this many rows are read back from Parquet the second time."""

LARGEST_SCALE = 1_000_000

_HERE = Path(__file__).parent
_USUAL_SCALE = 0.1
_SMALLEST_SCALE = 1e-5  # one resident


def tables() -> list[str]:
    """The names of the tables, in the order of the catalogue."""
    return list(TABLES)


def load(
    name: str,
    *,
    scale: float | None = None,
    rows: int | None = None,
    seed: int = 0,
    locale: str = "en_US",
    as_: Literal["pandas", "polars", "arrow", "duckdb", "dask"] = "pandas",
) -> Any:
    """One table of Datapolis.

    Parameters
    ----------
    name : str
        One of :func:`tables`.
    scale : float, optional
        How large the country is; at 1 it has 100,000 residents and about 5 million facts. 0.1 unless told.
    rows : int, optional
        Only the first ``rows``, fewer if the table ends before. With ``rows`` alone the country is
        as large as that many rows need.
    seed : int
        Which Datapolis: another seed is another population of the same country.
    locale : str
        Language of names, streets, jobs and codes: ``en_US`` or ``zh_CN``.
    as_ : str
        pandas, polars or arrow (a table in memory), duckdb (a relation; large tables stay on disk) or
        dask (a lazy frame, made part by part where it is used).

    Returns
    -------
    pandas.DataFrame, polars.DataFrame, pyarrow.Table, duckdb.DuckDBPyRelation or dask.dataframe.DataFrame
        Columns as :func:`schema` describes them. Tables of 100,000 rows and more are kept as Parquet in
        the user's cache (or in the folder that ``DATAPOLIS_CACHE`` names), all but for dask; where it is read-only, they are
        made in memory each time.

    Raises
    ------
    DatapolisError
        Unknown table, locale or kind of frame; a number of rows, a seed or a scale that cannot be.

    Examples
    --------
    >>> import datapolis
    >>> datapolis.load("residents", rows=3, seed=1)["person_id"].tolist()
    ['P000000000', 'P000000001', 'P000000002']
    """
    table, country = find(name), country_of(name, scale, rows, seed, locale)
    if as_ == "dask":
        if scale is not None and rows is not None:
            raise DatapolisError(
                "a dask frame has all rows of its scale: give scale or rows, not both"
            )
        return _dask(name, country)
    if as_ not in ("pandas", "polars", "arrow", "duckdb"):
        raise DatapolisError(f"as_ must be pandas, polars, arrow, duckdb or dask; got {as_!r}")
    files = _files(name, table, country, rows)
    if as_ == "duckdb":
        import duckdb

        if files:
            relation = duckdb.read_parquet([str(file) for file in files])
            return relation.limit(rows) if rows is not None else relation
        return duckdb.from_arrow(_made(table, country, rows))
    if as_ == "polars":
        import polars as pl

        if files:
            return pl.read_parquet(files, n_rows=rows)
        return pl.from_arrow(_made(table, country, rows))
    whole = _read(files, rows) if files else _made(table, country, rows)
    if as_ == "arrow":
        return whole.cast(shape(name, country).schema)
    return whole.to_pandas(date_as_object=False)


def scan(
    name: str, *, scale: float | None = None, seed: int = 0, locale: str = "en_US"
) -> pl.LazyFrame:
    """A table that need not fit into memory, as a Polars LazyFrame.

    Nothing is kept: the parts are made when the query runs, one after the other, and only as many as it needs.
    Collect with ``engine="streaming"``.

    Raises
    ------
    DatapolisError
        As for :func:`load`.

    Examples
    --------
    >>> import datapolis
    >>> datapolis.scan("sales", scale=1000).head(2).collect()["line"].to_list()
    [1, 2]
    """
    import polars as pl
    from polars.io.plugins import register_io_source

    table, country = find(name), country_of(name, scale, None, seed, locale)
    empty = pl.from_arrow(shape(name, country))
    assert isinstance(empty, pl.DataFrame)

    def source(
        columns: list[str] | None, predicate: pl.Expr | None, wanted: int | None, size: int | None
    ) -> Iterator[pl.DataFrame]:
        for number in range(table.part_count(country)):
            part = pl.from_arrow(public(table.make(country, number)))
            assert isinstance(part, pl.DataFrame)
            if wanted is not None:
                part, wanted = part.head(wanted), wanted - min(wanted, part.height)
            if predicate is not None:
                part = part.filter(predicate)
            yield part.select(columns) if columns is not None else part
            if wanted == 0:
                return

    return register_io_source(source, schema=empty.schema, validate_schema=True)


def truth(
    name: str,
    about: Literal["columns", "identities", "faults", "parameters"] = "columns",
    *,
    scale: float | None = None,
    rows: int | None = None,
    seed: int = 0,
    locale: str = "en_US",
) -> pd.DataFrame:
    """What the data do not say. Graders read it; notebooks given to students do not.

    Parameters
    ----------
    about : str
        ``columns``: what each column is: ``role`` (identifier, quasi-identifier, sensitive, statistic), ``sharing``
        (between public bodies) and ``opening`` (to society), each public, restricted or non-sharing, and ``reason``.
        ``unlabelled`` has ``role`` (direct, quasi, sensitive, none), ``kind``, and ``rows``, in how many
        rows an identifier stands.
        ``identities``: for every row of the table, who or what it really is, and other hidden values.
        ``faults``: one line for each planted fault: ``row``, ``column``, ``kind`` and ``should_be``.
        ``parameters``: the true parameters of the model that made the table.
    scale, rows, seed, locale
        As for :func:`load`: the truth about that table.

    Raises
    ------
    DatapolisError
        As for :func:`load`, and when the table has no truth of that sort.
    """
    import pandas as pd

    table, country = find(name), country_of(name, scale, rows, seed, locale)
    if about == "columns":
        if name == "unlabelled":
            from datapolis import unlabelled

            return unlabelled.make(country.population, seed)[1]
        text = (_HERE / "truth" / f"{name}.json").read_text(encoding="utf-8")
        return pd.DataFrame(json.loads(text)).set_index("column")
    if about == "parameters":
        return _parameters(name, table)
    if about not in ("identities", "faults"):
        raise DatapolisError(
            f"about must be columns, identities, faults or parameters; got {about!r}"
        )
    hidden = [column for column in table.make(country, 0).column_names if column.startswith("_")]
    wanted = [c for c in hidden if (c == "_faults") == (about == "faults")]
    if not wanted:
        raise DatapolisError(f"{name} has no hidden {about}")
    parts = (part.select(wanted) for part in _parts(table, country, rows))
    frame: pd.DataFrame = _joined(parts).to_pandas(date_as_object=False)
    frame.columns = frame.columns.str.removeprefix("_")
    return _one_line_a_fault(frame["faults"]) if about == "faults" else frame


def _parameters(name: str, table: Table) -> pd.DataFrame:
    from importlib import import_module

    import pandas as pd

    module = import_module(f"datapolis.{table.maker.split(':')[0]}")
    if not hasattr(module, "PARAMETERS"):
        raise DatapolisError(f"{name} has no hidden parameters")
    return pd.DataFrame({"value": pd.Series(module.PARAMETERS)}).rename_axis("parameter")


def _one_line_a_fault(faults: pd.Series) -> pd.DataFrame:
    import pandas as pd

    lines = faults[faults != ""].str.split("\n").explode()
    found = [(row, *f"{line}: : ".split(": ")[:3]) for row, line in lines.items()]
    return pd.DataFrame(found, columns=["row", "column", "kind", "should_be"])


@cache
def schema(name: str) -> dict[str, Any]:
    """The table's Frictionless Table Schema: fields with type, description, unit and constraints.

    ``card`` holds what the data card says: purpose, how it is made, what is realistic and what is not.
    """
    find(name)
    text = (_HERE / "schemas" / f"{name}.json").read_text(encoding="utf-8")
    described: dict[str, Any] = json.loads(text)
    return described


def country_of(name: str, scale: float | None, rows: int | None, seed: int, locale: str) -> Country:
    """The country that was asked for, checked."""
    from datapolis.reference import LOCALES

    table = find(name)
    for what, value in (("rows", rows), ("seed", seed)):
        whole = hasattr(value, "__index__") and not isinstance(value, bool)
        if value is not None and (not whole or value < 0):
            raise DatapolisError(f"{what} must be a whole number, 0 or larger; got {value!r}")
    if locale not in LOCALES:
        raise DatapolisError(f"no locale {locale!r}; there are: {', '.join(LOCALES)}")
    if scale is None:
        needed = (rows or 0) / table.rows if table.grows else 0
        # the people are the same at every scale, so make no more of them than asked for
        exact = table.maker in ("residents:make", "unlabelled:make_table") and rows is not None
        scale = max(needed, _SMALLEST_SCALE) if exact else max(_USUAL_SCALE, needed)
    number = isinstance(scale, int | float) and not isinstance(scale, bool) and isfinite(scale)
    if not number or scale <= 0:
        raise DatapolisError(f"scale must be a number larger than 0; got {scale!r}")
    if scale > LARGEST_SCALE:
        raise DatapolisError(
            f"scale {scale:g} is more than Datapolis has numbers for; the largest is {LARGEST_SCALE:,}"
        )
    return Country(int(seed), float(scale), locale)


def public(made: pa.Table) -> pa.Table:
    """A part as its readers see it: without the truth, codes written out, times as Parquet keeps them."""
    import pyarrow as pa

    seen = made.select([name for name in made.column_names if not name.startswith("_")])
    types = []
    for kind in seen.schema.types:
        plain = kind.value_type if pa.types.is_dictionary(kind) else kind
        types.append(pa.timestamp("ms") if pa.types.is_timestamp(plain) else plain)
    return seen.cast(pa.schema(zip(seen.column_names, types, strict=True)))


def shape(name: str, country: Country) -> pa.Table:
    """The table without rows, for its columns and their types."""
    small = Country(country.seed, min(country.scale, 0.01), country.locale)
    return public(find(name).make(small, 0)).slice(0, 0)


def _parts(table: Table, country: Country, rows: int | None) -> Iterator[pa.Table]:
    """All parts with their truth, up to ``rows`` rows together."""
    left = rows
    for number in range(table.part_count(country)):
        made = table.make(country, number)
        yield made if left is None else made.slice(0, left)
        if left is not None:
            left -= min(left, made.num_rows)
            if not left:
                return


def _made(table: Table, country: Country, rows: int | None) -> pa.Table:
    return _joined(public(part) for part in _parts(table, country, rows))


def _joined(parts: Iterator[pa.Table]) -> pa.Table:
    import pyarrow as pa

    return pa.concat_tables(list(parts)).unify_dictionaries()


def _files(name: str, table: Table, country: Country, rows: int | None) -> list[Path]:
    """The table's files in the cache; none when it is small enough to be made each time, or when nothing can be kept here."""
    expected = table.rows * (country.scale if table.grows else 1)
    if (expected if rows is None else min(rows, expected)) < KEPT_ON_DISK:
        return []
    from datapolis import cache

    try:
        return cache.files(name, country)
    except DatapolisError as error:
        reason = error.__cause__.errno if isinstance(error.__cause__, OSError) else None
        if reason in (errno.EROFS, errno.EACCES, errno.EPERM):  # as where submissions are graded
            return []
        raise


def _read(files: list[Path], rows: int | None) -> pa.Table:
    """Arrow reads strings twice as fast when it may keep them as codes; unlike Polars it survives a fork."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    written = pq.read_schema(files[0])
    strings = [field.name for field in written if pa.types.is_string(field.type)]
    parts, left = [], rows
    for file in files:
        part = pq.read_table(file, read_dictionary=strings)
        parts.append(public(part if left is None else part.slice(0, left)))
        if left is not None:
            left -= min(left, part.num_rows)
            if not left:
                break
    return pa.concat_tables(parts)


def _dask(name: str, country: Country) -> Any:
    import dask.dataframe as dd

    meta = shape(name, country).to_pandas(date_as_object=False)
    numbers = range(find(name).part_count(country))
    return dd.from_map(part_frame, numbers, name=name, country=country, meta=meta)


def part_frame(number: int, name: str, country: Country) -> pd.DataFrame:
    """One part as a pandas frame."""
    frame: pd.DataFrame = public(find(name).make(country, number)).to_pandas(date_as_object=False)
    return frame
