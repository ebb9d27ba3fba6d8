"""How much a table of people gives away: measures of disclosure risk, fast, on tables of any size.

Every function takes a pandas, Polars or Arrow table, a Polars LazyFrame, or the path of Parquet files, which may be larger
than memory (only the columns that are named are read, and only counts are kept). Rows that agree in all
*quasi-identifiers* form an **equivalence class**.

A null (pandas: NaN too) in a quasi-identifier is a value like any other: suppressed cells equal each other, as a reader of the
release sees them. A null in the sensitive attribute tells nothing, and is not counted as a value: a class
of one diagnosis and one null has a single diagnosis.

>>> import polars as pl
>>> from sharewell import risk
>>> release = pl.DataFrame({"age": ["3*", "3*", "4*", "4*", "4*"], "illness": ["flu", "flu", "flu", "gout", "cold"]})
>>> risk.k_anonymity(release, ["age"])
2
>>> risk.l_diversity(release, ["age"], "illness")
1
>>> risk.record_risk(release, ["age"]).round(2).to_list()
[0.5, 0.5, 0.33, 0.33, 0.33]
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypeVar

import numpy as np
import polars as pl

from sharewell.database import in_memory
from sharewell.errors import SharewellError

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

Table: TypeAlias = "pl.DataFrame | pl.LazyFrame | pd.DataFrame | pa.Table | str | Path"


def classes(table: Table, quasi_identifiers: Sequence[str]) -> pl.DataFrame:
    """The equivalence classes of a table, the smallest first.

    Parameters
    ----------
    table : table, or path of Parquet files
    quasi_identifiers : sequence of str
        Columns; without any, the whole table is one class.

    Returns
    -------
    polars.DataFrame
        The quasi-identifiers, and ``size``: how many rows agree in them. A row for each class.

    Raises
    ------
    SharewellError
        A column that is not there, or a table without rows, whose risk is not defined.
    """
    sizes = _sizes(table, quasi_identifiers).sort("size")
    names = dict(zip(_keys(quasi_identifiers), quasi_identifiers, strict=False))
    return sizes.rename(names).select(*names.values(), "size")


def k_anonymity(table: Table, quasi_identifiers: Sequence[str]) -> int:
    """The size of the smallest equivalence class (Sweeney 2002).

    A release is k-anonymous for every k up to this number. It says nothing of what the rows of a class have in
    common: see ``l_diversity``. Parameters and errors as for ``classes``.
    """
    return int(_sizes(table, quasi_identifiers)["size"].min())  # type: ignore[arg-type]


def l_diversity(
    table: Table,
    quasi_identifiers: Sequence[str],
    sensitive: str,
    kind: Literal["distinct", "entropy", "recursive"] = "distinct",
    c: float = 2.0,
) -> float:
    """How varied the sensitive attribute is in the least varied class (Machanavajjhala and others 2007).

    Parameters
    ----------
    sensitive : str
        A column of any type. Numbers count as different when they are not equal, however near.
    kind : {"distinct", "entropy", "recursive"}
        ``distinct``: how many values occur. ``entropy``: exp(H), H the entropy of the values in nats; at most the
        distinct number, and less where some values are rare. ``recursive``: the largest l for which the most
        frequent value occurs less than ``c`` times as often as the l-th and all rarer ones together.
    c : float
        For ``recursive``; greater than 0.

    Returns
    -------
    int, or float for ``entropy``
        The least of all classes; classes in which the attribute is always null are passed over. ``recursive`` is
        0 where not even l = 1 holds, which takes a ``c`` of 1 or less.

    Raises
    ------
    SharewellError
        As for ``classes``; an attribute that is null in every row; an unknown kind; c not positive.
    """
    count = pl.col("count")
    ordered = count.sort(descending=True)
    tails = (
        ordered.reverse().cum_sum().reverse()
    )  # of the l-th and all rarer ones, for l = 1, 2, ...
    measures = {
        "entropy": (count.sum().log() - (count * count.log()).sum() / count.sum()).exp(),
        "recursive": (ordered.first() < c * tails).sum(),  # tails fall: it holds up to some l
    }
    if kind not in ("distinct", *measures):
        raise SharewellError(f"kind is {', '.join(['distinct', *measures])}, not {kind!r}")
    if not c > 0:
        raise SharewellError(f"c is greater than 0, not {c!r}")
    if kind == "distinct":  # which needs no counts
        return int(_distinct(table, quasi_identifiers, sensitive).min())  # type: ignore[arg-type]
    counts = _counts(table, quasi_identifiers, sensitive)
    least = counts.lazy().group_by(_keys(quasi_identifiers)).agg(measures[kind].alias("l"))
    found = least.select(pl.col("l").min()).collect().item()
    return max(1.0, float(found)) if kind == "entropy" else int(found)


def t_closeness(
    table: Table,
    quasi_identifiers: Sequence[str],
    sensitive: str,
    distance: Literal["equal", "ordered"] = "equal",
) -> float:
    """How far a class's distribution of the sensitive attribute is from the whole table's (Li and others 2007).

    The earth mover's distance: how much of the distribution has to be moved, and how far.

    Parameters
    ----------
    sensitive : str
        For ``ordered`` a column whose values have an order, such as numbers, dates or ordered categories.
    distance : {"equal", "ordered"}
        ``equal``: all values are 1 apart, for categories. ``ordered``: neighbours among the m values that
        occur are 1 / (m - 1) apart, for numbers: it is their rank that counts.

    Returns
    -------
    float
        The largest distance of all classes, from 0 (each is like the table) to 1. Rows in which the attribute is null do
        not count.

    Raises
    ------
    SharewellError
        As for ``l_diversity``; values without an order for ``ordered``.
    """
    if distance not in ("equal", "ordered"):
        raise SharewellError(f"distance is equal or ordered, not {distance!r}")
    keys = _keys(quasi_identifiers)
    counts = _counts(table, quasi_identifiers, sensitive)
    whole = counts.group_by("value").agg(pl.col("count").sum().alias("overall"))
    whole = whole.with_columns(q=pl.col("overall") / pl.col("overall").sum())
    if distance == "equal":
        joined = counts.lazy().join(whole.lazy(), on="value", nulls_equal=True)
        p, q = pl.col("count") / pl.col("count").sum(), pl.col("q")
        # values that a class lacks add their share of the table
        moved = ((p - q).abs().sum() + 1 - q.sum()) / 2
        found = joined.group_by(keys).agg(moved.alias("t")).select(pl.col("t").max()).collect()
        return max(0.0, float(found.item()))
    return _ordered_distance(counts, whole, keys, sensitive)


def uniqueness(
    table: Table, quasi_identifiers: Sequence[str], population: Table | None = None
) -> float:
    """The share of rows that nobody shares their quasi-identifiers with.

    Parameters
    ----------
    population : table, optional
        Everybody who could be in the table, with the same quasi-identifiers in the same coding. Without it,
        sample uniqueness: the share of rows unique in the table. With it, population uniqueness: the share of rows whose
        combination occurs just once in the population, which is what an intruder needs to be sure.

    Returns
    -------
    float
        0 to 1.

    Raises
    ------
    SharewellError
        As for ``classes``.
    """
    sizes = _sizes(table, quasi_identifiers)
    rows = int(sizes["size"].sum())
    if population is None:
        return int((sizes["size"] == 1).sum()) / rows
    keys = _keys(quasi_identifiers)
    single = _sizes(population, quasi_identifiers).filter(pl.col("size") == 1)
    found = sizes.join(single.select(keys), on=keys, how="semi", nulls_equal=True)
    return int(found["size"].sum()) / rows


def match_probability(table: Table, quasi_identifiers: Sequence[str], fraction: float) -> float:
    """The chance that a unique match with a sample is right, without knowing the population (Skinner and Elliot 2002).

    Data intrusion simulation: from how many classes of one and of two rows a sample has, it is estimated how
    often somebody who matches a row that is unique in the sample really is that person.

    Parameters
    ----------
    fraction : float
        The share of the population that is in the table, greater than 0 and at most 1.

    Returns
    -------
    float
        0 to 1; 0 where no row is unique.

    Raises
    ------
    SharewellError
        As for ``classes``; a fraction outside its range.
    """
    if not 0 < fraction <= 1:
        raise SharewellError(f"fraction is greater than 0 and at most 1, not {fraction!r}")
    sizes = _sizes(table, quasi_identifiers)["size"]
    singles, pairs = int((sizes == 1).sum()), int((sizes == 2).sum())
    if not singles:
        return 0.0
    return fraction * singles / (fraction * singles + 2 * (1 - fraction) * pairs)


def delta_presence(
    release: Table, population: Table, quasi_identifiers: Sequence[str]
) -> tuple[float, float]:
    """Between which bounds an intruder knows that somebody is in the release (Nergiz and others 2007).

    For each class of the population, the share of its people who are in the release.

    Parameters
    ----------
    release, population : table
        With the same quasi-identifiers in the same coding; the release holds people of the population.

    Returns
    -------
    tuple of float
        The least and the greatest share of all classes of the population.

    Raises
    ------
    SharewellError
        As for ``classes``; a release with more people in some class than the population has.
    """
    keys = _keys(quasi_identifiers)
    inside = _sizes(release, quasi_identifiers)
    outside = _sizes(population, quasi_identifiers).rename({"size": "people"})
    both = outside.join(inside, on=keys, how="full", coalesce=True, nulls_equal=True)
    both = both.with_columns(pl.col("people", "size").fill_null(0))
    if (both["size"] > both["people"]).any():
        raise SharewellError(
            "the release has more people in some class than the population: are the quasi-identifiers coded alike?"
        )
    share = both["size"] / both["people"]
    return float(share.min()), float(share.max())  # type: ignore[arg-type]


def record_risk(
    table: Table, quasi_identifiers: Sequence[str], population: Table | None = None
) -> pl.Series:
    """The chance that an intruder who looks for the person of a row picks the right one, row by row.

    Parameters
    ----------
    population : table, optional
        Without it, the intruder knows that the person is in the table (prosecutor risk): 1 over the size of the row's
        class. With it, the intruder does not (journalist risk): 1 over the size of the class in the population, and 0
        for a row whose combination nobody in the population has.

    Returns
    -------
    polars.Series
        0 to 1, in the order of the rows. Its maximum is the risk of the worst case, its mean that of somebody who
        tries everyone (marketer risk).

    Raises
    ------
    SharewellError
        As for ``classes``.
    """
    keys = _keys(quasi_identifiers)
    rows = _lazy(table, quasi_identifiers)
    if population is None:
        risks = rows.select(risk=1 / pl.len().over(keys))
    else:
        sizes = _sizes(population, quasi_identifiers).lazy()
        joined = rows.join(sizes, on=keys, how="left", nulls_equal=True, maintain_order="left")
        risks = joined.select(risk=(1 / pl.col("size")).fill_null(0.0))
    return _some(risks.collect())["risk"]


def _ordered_distance(
    counts: pl.DataFrame, whole: pl.DataFrame, keys: list[str], sensitive: str
) -> float:
    """The largest earth mover's distance by rank.

    The distance is the area between two cumulative distributions. A class's is constant between the values that it
    has, and the table's rises, so that the area over such a stretch follows from prefix sums and the place where
    they cross: it takes one step for each value of each class, and no table of classes by values.
    """
    if not whole["value"].dtype.is_numeric() and not _has_order(whole["value"].dtype):
        raise SharewellError(f"the values of {sensitive!r} have no order: use distance='equal'")
    whole = whole.sort("value").with_row_index("rank")
    values = len(whole)
    if values == 1:
        return 0.0
    cumulative = whole["q"].cum_sum().to_numpy()
    before = np.concatenate([[0.0], np.cumsum(cumulative)])  # sums of the first ranks' values
    steps = counts.join(whole.select("value", "rank"), on="value").sort(*keys, "rank")
    steps = steps.with_columns(
        level=(pl.col("count").cum_sum() / pl.col("count").sum()).over(keys),
        first=pl.col("rank") == pl.col("rank").first().over(keys),
        until=pl.col("rank").shift(-1, fill_value=values).over(keys),
        number=pl.struct(keys).rle_id(),
    )
    start, end = (steps[name].cast(pl.Int64).to_numpy() for name in ("rank", "until"))
    level, number = steps["level"].to_numpy(), steps["number"].to_numpy()
    cross = np.clip(np.searchsorted(cumulative, level), start, end)
    below = level * (cross - start) - (before[cross] - before[start])
    above = before[end] - before[cross] - level * (end - cross)
    ahead = np.where(steps["first"].to_numpy(), before[start], 0.0)  # before a class's first value
    area = np.bincount(number, below + above + ahead)
    return float(max(0.0, area.max()) / (values - 1))


def _has_order(kind: Any) -> bool:
    return bool(kind.is_temporal() or kind in (pl.Boolean, pl.Enum, pl.Categorical))


def _keys(quasi_identifiers: Sequence[str]) -> list[str]:
    """The names of the quasi-identifiers inside of this module, where they cannot clash with others."""
    return [f"key {n}" for n in range(max(1, len(quasi_identifiers)))]


def _lazy(table: Table, quasi_identifiers: Sequence[str], sensitive: str = "") -> pl.LazyFrame:
    """The columns wanted: ``key 0``, ``key 1`` ... and ``value``."""
    if isinstance(quasi_identifiers, str):
        raise SharewellError(f"quasi-identifiers are a list: [{quasi_identifiers!r}]")
    wanted = [*quasi_identifiers, *([sensitive] if sensitive else [])]
    frame = _read(table, wanted)
    schema = frame.collect_schema()
    missing = [name for name in wanted if name not in schema]
    if missing:
        raise SharewellError(
            f"there is no column {missing[0]!r}; there are: {', '.join(schema.names())}"
        )

    def column(name: str) -> pl.Expr:
        found = pl.col(name)
        return found.fill_nan(None) if schema[name].is_float() else found

    keys = [
        column(name).alias(key)
        for name, key in zip(quasi_identifiers, _keys(quasi_identifiers), strict=False)
    ]
    if not keys:
        keys = [pl.lit(0).alias("key 0")]
    values = [column(sensitive).alias("value")] if sensitive else []
    return frame.select(*keys, *values) if quasi_identifiers else frame.with_columns(*keys, *values)


def _read(table: Table, wanted: list[str]) -> pl.LazyFrame:
    if isinstance(table, pl.LazyFrame):
        return table
    if isinstance(table, pl.DataFrame):
        return table.lazy()
    if isinstance(table, str | Path):
        return pl.scan_parquet(table)
    if hasattr(table, "column_names"):  # Arrow
        arrow: Any = table
        known = [name for name in wanted if name in arrow.column_names]
        return pl.DataFrame(pl.from_arrow(arrow.select(known or arrow.column_names))).lazy()
    if hasattr(table, "iloc"):  # pandas
        known = [name for name in wanted if name in table.columns]
        return pl.from_pandas(table[known] if known else table).lazy()
    raise SharewellError(
        f"a table is a pandas, Polars or Arrow table or the path of Parquet files, not {type(table).__name__}"
    )


def _sizes(table: Table, quasi_identifiers: Sequence[str]) -> pl.DataFrame:
    """A row for each class: its keys and its ``size``."""
    return _some(_grouped(table, quasi_identifiers).rename({"count": "size"}))


def _distinct(table: Table, quasi_identifiers: Sequence[str], sensitive: str) -> pl.Series:
    """For each class how many values it has, but for classes without any."""
    keys = _keys(quasi_identifiers)
    if isinstance(table, str | Path):
        return _counts(table, quasi_identifiers, sensitive).group_by(keys).len()["len"]
    values = pl.col("value").drop_nulls().n_unique()
    rows = _lazy(table, quasi_identifiers, sensitive).group_by(keys).agg(l=values)
    found = _some(rows.collect(engine=_engine(table)))["l"]
    return _known(found.filter(found > 0), sensitive)


def _counts(table: Table, quasi_identifiers: Sequence[str], sensitive: str) -> pl.DataFrame:
    """A row for each value of each class: keys, ``value``, and its ``count``."""
    found = _some(_grouped(table, quasi_identifiers, sensitive))
    return _known(found.filter(pl.col("value").is_not_null()), sensitive)


def _grouped(table: Table, quasi_identifiers: Sequence[str], sensitive: str = "") -> pl.DataFrame:
    """How often each combination of the columns occurs: ``key 0`` ..., ``value``, ``count``."""
    rows = _lazy(table, quasi_identifiers, sensitive)
    by = [*_keys(quasi_identifiers), *(["value"] if sensitive else [])]
    if not isinstance(table, str | Path):
        return rows.group_by(by).agg(count=pl.len()).collect(engine=_engine(table))
    columns = [*quasi_identifiers, *([sensitive] if sensitive else [])]
    counted = _counted(table, columns)
    # the same rules as for every table: what is not a number is null
    named = _lazy(counted, quasi_identifiers, sensitive).with_columns(count=counted[_ROWS])
    return named.group_by(by).agg(pl.col("count").sum()).collect()


_ROWS = "how many rows"


def _counted(path: str | Path, columns: list[str]) -> pl.DataFrame:
    """The combinations of columns that occur in Parquet files, and in how many rows.

    DuckDB moves to disk what does not fit into memory. Polars' streaming engine keeps rows of rare combinations: it took
    more memory than the table has.
    """
    kinds = pl.scan_parquet(path).collect_schema()
    found = str(Path(path) / "**" / "*.parquet") if Path(path).is_dir() else str(path)
    names = ", ".join('"' + name.replace('"', '""') + '"' for name in columns)
    with in_memory() as database:
        files = database.read_parquet(found)
        counts = files.aggregate(f'{names + ", " if names else ""}count(*) AS "{_ROWS}"', names)
        counted = pl.DataFrame(pl.from_arrow(counts.to_arrow_table()))
    return counted.cast({name: kinds[name] for name in columns})


def _engine(table: Table) -> Literal["streaming", "in-memory"]:
    """The one that is faster for a table in memory, or that needs less of it."""
    return "streaming" if isinstance(table, pl.LazyFrame) else "in-memory"


Found = TypeVar("Found", pl.DataFrame, pl.Series)


def _known(found: Found, sensitive: str) -> Found:
    if found.is_empty():
        raise SharewellError(f"{sensitive!r} is null in every row: there is nothing to disclose")
    return found


def _some(found: pl.DataFrame) -> pl.DataFrame:
    if found.is_empty():
        raise SharewellError("the table has no rows: its risk is not defined")
    return found
