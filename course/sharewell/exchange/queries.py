"""Use without release: a question travels to the data, and an answer comes back that tells no more than was granted.

An answer is differentially private (Dwork and others 2006; OpenDP's discrete Laplace mechanism, exact in whole numbers): who it is about
is one person, with all their rows. The noise is that of the epsilon with which the question is asked, whatever the data; a part of the
answer that is about too few people, as far as its noisy count tells, is withheld. What an answer leaves open is how long it took.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

import pyarrow as pa

from sharewell.database import in_memory
from sharewell.errors import SharewellError
from sharewell.exchange.holdings import Holdings, quoted
from sharewell.exchange.loop import Exchange

Statistic = Literal["count", "sum", "mean"]
Value = str | int | float | bool
COMPARISONS = ("<=", ">=", "!=", "=", "<", ">")
_STEPS = 1 << 20
"""Into so many steps the values between the bounds are divided, so as to be added up as whole numbers."""
_SURE = 0.95


@dataclass(frozen=True)
class Query:
    """A question about many rows.

    Attributes
    ----------
    statistic : str
        ``count`` of rows, or ``sum`` or ``mean`` of the values of a field.
    of : str
        That field, which holds numbers; rows without a value do not count.
    between : tuple of float
        Bounds of its values. What lies outside counts as the bound. They have to be known without looking at the data.
    where : sequence of tuples
        Conditions that all hold for the rows: a field, one of ``=``, ``!=``, ``<``, ``<=``, ``>``, ``>=``, and a value.
    by : mapping of str to sequence
        A field, and those of its values for which there is to be an answer each. They, too, have to be known without looking.
    """

    statistic: Statistic
    of: str = ""
    between: tuple[float, float] = (0.0, 0.0)
    where: Sequence[tuple[str, str, Value]] = ()
    by: Mapping[str, Sequence[Value]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.statistic not in get_args(Statistic):
            raise SharewellError(f"a question is for one of: {', '.join(get_args(Statistic))}")
        if (self.statistic == "count") == bool(self.of):
            raise SharewellError("a sum or mean is of a field, and a count of none")
        low, high = self.between
        if self.of and not (math.isfinite(low) and math.isfinite(high) and low < high):
            raise SharewellError(
                f"{self.of} needs bounds, the lower first, that are known without looking at the data"
            )
        if len(self.by) > 1:
            raise SharewellError("answers are by one field")
        for values in self.by.values():
            if len(set(values)) < len(values) or not values:
                raise SharewellError("answers are by values, each named once")
        for _, comparison, _ in self.where:
            if comparison not in COMPARISONS:
                raise SharewellError(f"a condition compares by one of: {' '.join(COMPARISONS)}")

    @property
    def fields(self) -> frozenset[str]:
        """All fields that are looked at."""
        return frozenset(
            {*([self.of] if self.of else []), *(f for f, _, _ in self.where), *self.by}
        )


@dataclass(frozen=True)
class Answer:
    """What a query told.

    Attributes
    ----------
    values : list of float or None
        One, or one for each value of ``by``; None where the answer is withheld.
    within : list of float or None
        So far it is from the truth at most, 95 times in 100.
    epsilon, left : float
        What it cost, and what is left of the grant's.
    """

    values: list[float | None]
    within: list[float | None]
    epsilon: float
    left: float


def in_words(
    statistic: str, of: str = "", between: str = "", where: Sequence[str] = (), by: str = ""
) -> Query:
    """A query as people write it: between ``0, 100``, where ``age >= 65``, by ``ward = a, b``.

    Raises
    ------
    SharewellError
        It cannot be read.
    """
    conditions = []
    for words in where:
        found = re.fullmatch(r"(.+?)\s*(<=|>=|!=|=|<|>)\s*(.+)", words.strip())
        if not found:
            raise SharewellError(f"{words!r} is no condition: write one like age >= 65")
        conditions.append((found[1], found[2], found[3]))
    name, _, values = (one.strip() for one in by.partition("="))
    listed = [one.strip() for one in values.split(",") if one.strip()]
    if by.strip() and not (name and listed):
        raise SharewellError(f"{by!r} names no values: write them like ward = a, b")
    try:
        low, high = (float(one) for one in between.split(",")) if between.strip() else (0.0, 0.0)
    except ValueError:
        raise SharewellError(f"{between!r} are no bounds: write them like 0, 100") from None
    return Query(statistic, of, (low, high), conditions, {name: listed} if listed else {})  # type: ignore[arg-type]


def ask(
    exchange: Exchange,
    holdings: Holdings,
    actor: str,
    grant: str,
    purpose: str,
    query: Query,
    epsilon: float,
) -> Answer:
    """Ask, and be charged for it: ``epsilon`` of the grant's and of the resource's.

    The same question asked again is charged again: its noise is drawn anew.

    Raises
    ------
    Refused
        The exchange does not allow it; nothing was computed then.
    SharewellError
        The data have no such values as the question is about. Nothing is charged for that: it is told from their types alone.
    """
    with exchange.store.transaction():
        known = exchange.grants.get(grant)
        if not known or not query.fields <= known.fields or not exchange.may(actor, "query", grant):
            fields = query.fields or (known.fields if known else {"everything"})
            exchange.query(actor, grant, purpose, fields, epsilon)  # which is refused
        resource = exchange.grants[grant].resource
        typed = _typed(query, holdings.schema(exchange, resource))
        # a count of all rows looks at no field, and is charged as a look at one that was granted
        fields = query.fields or {min(exchange.grants[grant].fields)}
        exchange.query(actor, grant, purpose, fields, epsilon)
        with holdings.read(exchange, resource, fields) as data:
            counts, sums = _true(typed, data)
    of, found = exchange.resources[resource], exchange.grants[grant]
    values, within = _noisy(query, counts, sums, of.rows_per_person, of.minimum, epsilon)
    return Answer(values, within, epsilon, found.epsilon - found.spent)


def told(query: Query, answer: Answer) -> list[str]:
    """An answer as sentences."""
    parts = [f" where {name} is {value}" for name, values in query.by.items() for value in values]
    what = f"{query.statistic} of {query.of}" if query.of else "count"
    said = []
    for part, value, within in zip(parts or [""], answer.values, answer.within, strict=True):
        if value is None or within is None:
            said.append(f"{what}{part}: withheld, too few people")
        else:
            number = f"{value:,.0f}" if query.statistic == "count" else f"{value:,.6g}"
            said.append(
                f"{what}{part}: {number}, and 95 times in 100 not more than {within:,.3g} from the truth"
            )
    return [*said, f"This cost an epsilon of {answer.epsilon:g}; {answer.left:g} are left."]


def _true(query: Query, data: pa.RecordBatchReader) -> tuple[list[int], list[int]]:
    """The count, and the sum in steps from the middle of the bounds, of each part."""
    with in_memory() as database:
        rows = database.from_arrow(data)
        kinds = dict(zip(rows.columns, map(str, rows.types), strict=True))
        given: list[Value] = []
        where = []
        for name, comparison, value in query.where:
            where.append(f"{quoted(name)} {comparison} CAST(? AS {kinds[name]})")
            given.append(value)
        total = "0"
        if query.of:
            column, (low, high) = quoted(query.of), query.between
            where.append(f"{column} IS NOT NULL AND NOT isnan(CAST({column} AS DOUBLE))")
            clipped = f"least(greatest(CAST({column} AS DOUBLE), ?), ?)"
            total = f"coalesce(sum(CAST(round(({clipped} - ?) / ?) AS BIGINT)), 0)"
            given = [low, high, (low + high) / 2, (high - low) / _STEPS, *given]
        chosen = " AND ".join(where) or "true"
        key = next((quoted(name) for name in query.by), "true")
        sql = f"SELECT {key}, count(*), {total} FROM rows WHERE {chosen} GROUP BY 1"
        found = {part: (n, s) for part, n, s in database.execute(sql, given).fetchall()}
    parts = next(iter(query.by.values()), [True])
    pairs = [found.get(part, (0, 0)) for part in parts]
    return [int(n) for n, _ in pairs], [int(s) for _, s in pairs]


def _typed(query: Query, schema: pa.Schema) -> Query:
    """The query with its values as the columns have them, told from nothing but their types."""
    if query.of:
        kind = schema.field(query.of).type
        if not (
            pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
        ):
            raise SharewellError(f"{query.of} holds no numbers")

    def fitting(name: str, value: Value) -> Any:
        kind = schema.field(name).type
        try:
            plain = (
                pa.scalar(value).cast(kind)
                if not isinstance(value, str)
                else pa.array([value]).cast(kind)[0]
            )
            return plain.as_py()
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            raise SharewellError(f"{name} holds no values like {value!r}, but {kind}") from None

    where = [(name, comparison, fitting(name, value)) for name, comparison, value in query.where]
    by = {name: [fitting(name, value) for value in values] for name, values in query.by.items()}
    return Query(query.statistic, query.of, query.between, where, by)


def _noisy(
    query: Query, counts: list[int], sums: list[int], rows: int, minimum: int, epsilon: float
) -> tuple[list[float | None], list[float | None]]:
    """Noise on what is true, for a person who has up to so many rows anywhere."""
    noises = 1 if query.statistic == "count" else 2  # of the count, and of the sum
    share, doubt = epsilon / noises, (1 - _SURE) / noises
    noisy_counts, count_within = _laplace(counts, rows, share, doubt)
    kept = [n >= minimum * rows for n in noisy_counts]
    if query.statistic == "count":
        found: list[float] = [float(n) for n in noisy_counts]
        within = [count_within] * len(found)
    else:
        low, high = query.between
        step, middle = (high - low) / _STEPS, (low + high) / 2
        noisy_sums, sum_within = _laplace(sums, rows * (_STEPS // 2), share, doubt)
        from_middle = [s * step for s in noisy_sums]
        sizes = [max(n, 1) for n in noisy_counts]
        if query.statistic == "sum":
            found = [d + middle * n for d, n in zip(from_middle, noisy_counts, strict=True)]
            within = [sum_within * step + abs(middle) * count_within] * len(found)
        else:
            found = [
                min(max(middle + d / n, low), high) for d, n in zip(from_middle, sizes, strict=True)
            ]
            within = [(sum_within * step + count_within * (high - low) / 2) / n for n in sizes]
    return (
        [value if keep else None for value, keep in zip(found, kept, strict=True)],
        [value if keep else None for value, keep in zip(within, kept, strict=True)],
    )


def _laplace(
    values: list[int], sensitivity: int, epsilon: float, doubt: float
) -> tuple[list[int], float]:
    """The values with noise, and what each noise stays below but for this probability."""
    import opendp.prelude as dp

    dp.enable_features("contrib")
    scale = sensitivity / epsilon
    space = dp.vector_domain(dp.atom_domain(T="i64")), dp.l1_distance(T="i64")
    mechanism: Any = dp.m.make_laplace(*space, scale=scale)
    if mechanism.map(sensitivity) > epsilon * (1 + 1e-9):
        raise SharewellError(f"an epsilon of {epsilon} is too small to be kept to")
    return mechanism(values), dp.laplacian_scale_to_accuracy(scale, doubt)
