"""De-identification: make a table say less about each person, in steps that are data.

A recipe is a list of steps. It can be written in YAML, read by people who do not program, kept beside the release, and
applied again to next year's table:

>>> import polars as pl
>>> from sharewell.deidentify import Recipe
>>> recipe = Recipe.parse('''
... - drop: [name]
... - pseudonymise: {column: id, key: hospital}
... - band: {column: age, width: 10}
... - round: {column: income, to: 1000}
... ''')
>>> table = pl.DataFrame({"name": ["Li", "Wu"], "id": ["a", "b"], "age": [34, 47], "income": [51_499, 20_500]})
>>> recipe.apply(table, keys={"hospital": "a key of sixteen characters or more"})["age", "income"].rows()
[('30-39', 51000), ('40-49', 20000)]
>>> print(recipe)
1. Leave out name.
2. Replace id by a pseudonym made with the key 'hospital'.
3. Give age in bands of 10.
4. Round income to 1000.

What none of the steps promises: that nobody can be found. ``sharewell.risk`` measures it, ``gradewell.checks`` attacks it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import polars as pl
import yaml

from sharewell.errors import SharewellError

if TYPE_CHECKING:
    import pandas as pd

Frame = TypeVar("Frame", pl.DataFrame, "pd.DataFrame")
Keys = Mapping[str, str | bytes]

SHORTEST_KEY = 16
"""Bytes: whoever guesses the key makes the pseudonyms of everybody."""


@dataclass(frozen=True)
class Recipe:
    """Steps of de-identification, in their order.

    Parameters
    ----------
    steps : tuple of (str, mapping)
        The name of each step, and its settings.
    """

    steps: tuple[tuple[str, Mapping[str, Any]], ...]

    @classmethod
    def parse(cls, text: str) -> Recipe:
        """A recipe from YAML: a list of steps, each a name with its settings.

        Raises
        ------
        SharewellError
            No such list, an unknown step, or settings that it does not have.
        """
        try:
            found = yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise SharewellError(f"the recipe is no YAML: {error}") from error
        if not isinstance(found, list):
            raise SharewellError("a recipe is a list of steps, such as '- drop: [name]'")
        return cls.of(found)

    @classmethod
    def of(cls, steps: Iterable[Mapping[str, Any]]) -> Recipe:
        """A recipe from dictionaries, each with one step. Errors as for ``parse``."""
        return cls(tuple(_checked(number, step) for number, step in enumerate(steps, 1)))

    def apply(self, table: Frame, keys: Keys | None = None) -> Frame:
        """The table after all steps; a new one, of the kind that was given.

        Parameters
        ----------
        table : polars.DataFrame or pandas.DataFrame
        keys : mapping of str to str or bytes, optional
            The keys that the recipe names. They are no part of it: a recipe may be published.

        Raises
        ------
        SharewellError
            A column that is not there, a key that is missing or too short, values that a step cannot work with; the
            message names the step.
        """
        made = table if isinstance(table, pl.DataFrame) else pl.from_pandas(table)
        for number, (name, settings) in enumerate(self.steps, start=1):
            try:
                made = _STEPS[name].apply(made, keys or {}, **settings)
            except (pl.exceptions.PolarsError, TypeError, ValueError) as error:
                raise SharewellError(f"step {number}, {name}: {error}") from error
        return made if isinstance(table, pl.DataFrame) else made.to_pandas()

    def __str__(self) -> str:
        lines = (f"{n}. {_STEPS[name].words(**s)}." for n, (name, s) in enumerate(self.steps, 1))
        return "\n".join(lines)


def pseudonym(value: object, key: str | bytes) -> str:
    """What stands for a value: HMAC-SHA256 with the key (RFC 2104), 128 bits of it, 26 letters and digits.

    The same value and key give the same pseudonym, so that tables can be joined; other keys give others, so that two releases
    cannot. A plain hash would protect nothing: all phone numbers can be tried in seconds.

    Raises
    ------
    SharewellError
        A key that is too short.
    """
    digest = hmac.new(_key(key), str(value).encode(), hashlib.sha256).digest()
    return base64.b32encode(digest[:16]).decode().rstrip("=").lower()


def microaggregated(values: np.ndarray, k: int) -> np.ndarray:
    """Each value replaced by the mean of a group of at least k neighbours, with the least possible loss.

    The groups are those with the smallest sum of squared errors (Hansen and Mukherjee 2003): in sorted order every best grouping has
    runs of k to 2k - 1 values, so that the best one is a shortest path. Takes n times k steps.

    Parameters
    ----------
    values : array of float, shape (n,)
        Without missing ones.
    k : int
        1 to n.

    Returns
    -------
    array of float, shape (n,)

    Raises
    ------
    SharewellError
        Fewer than k values, or a k below 1.
    """
    n = len(values)
    if not 1 <= k <= n:
        raise SharewellError(f"groups of {k} cannot be made of {n} values")
    order = np.argsort(values, kind="stable")
    ordered = np.asarray(values, dtype=float)[order]
    centred = ordered - ordered.mean()  # squares of large numbers would lose their digits
    sums = np.concatenate([[0.0], np.cumsum(centred)])
    squares = np.concatenate([[0.0], np.cumsum(centred**2)])
    best, start = np.full(n + 1, np.inf), np.zeros(n + 1, dtype=int)
    best[0] = 0.0
    for end in range(k, n + 1):
        begins = np.arange(max(0, end - 2 * k + 1), end - k + 1)
        total = sums[end] - sums[begins]
        loss = squares[end] - squares[begins] - total**2 / (end - begins)
        costs = best[begins] + loss
        chosen = int(costs.argmin())
        best[end], start[end] = costs[chosen], begins[chosen]
    made, end = np.empty(n), n
    while end > 0:
        made[start[end] : end] = ordered[start[end] : end].mean()
        end = int(start[end])
    back = np.empty(n)
    back[order] = made
    return back


def _drop(table: pl.DataFrame, keys: Keys, columns: Sequence[str]) -> pl.DataFrame:
    return table.drop(_there(table, columns))


def _pseudonymise(table: pl.DataFrame, keys: Keys, column: str, key: str) -> pl.DataFrame:
    if key not in keys:
        raise SharewellError(f"the key {key!r} was not given: apply(table, keys={{{key!r}: ...}})")
    values = table[_one(table, column)]
    known = {value: pseudonym(value, keys[key]) for value in values.drop_nulls().unique()}
    old, new = list(known), pl.Series(list(known.values()), dtype=pl.String)
    replaced = values.replace_strict(old, new, default=None, return_dtype=pl.String)
    return table.with_columns(replaced.alias(column))


def _band(table: pl.DataFrame, keys: Keys, column: str, width: int) -> pl.DataFrame:
    if not isinstance(width, int) or width < 1:
        raise SharewellError(f"a band is a whole number of units wide, not {width!r}")
    low = (pl.col(_one(table, column)) // width * width).cast(pl.Int64)
    text = pl.format("{}-{}", low, low + width - 1) if width > 1 else low.cast(pl.String)
    return table.with_columns(text.alias(column))


def _generalise(
    table: pl.DataFrame, keys: Keys, column: str, to: Mapping[Any, Any]
) -> pl.DataFrame:
    values = table[_one(table, column)]
    missing = sorted(set(map(str, values.drop_nulls().unique())) - set(map(str, to)))
    if missing:
        raise SharewellError(f"nothing is said of what {missing[0]!r} belongs to")
    coarser = {str(value): str(group) for value, group in to.items()}
    made = values.cast(pl.String).replace_strict(coarser, default=None, return_dtype=pl.String)
    return table.with_columns(made.alias(column))


def _truncate(table: pl.DataFrame, keys: Keys, column: str, to: str) -> pl.DataFrame:
    if to not in _UNITS:
        raise SharewellError(f"a date is given to its {', '.join(_UNITS)}, not to its {to!r}")
    return table.with_columns(pl.col(_one(table, column)).dt.strftime(_UNITS[to]).alias(column))


def _round(table: pl.DataFrame, keys: Keys, column: str, to: float) -> pl.DataFrame:
    if not to > 0:
        raise SharewellError(f"numbers are rounded to a positive number, not to {to!r}")
    kind = table.schema[_one(table, column)]
    made = (pl.col(column) / to).round() * to
    whole = kind.is_integer() and float(to).is_integer()
    return table.with_columns((made.cast(kind) if whole else made).alias(column))


def _cap(table: pl.DataFrame, keys: Keys, column: str, at: float) -> pl.DataFrame:
    return table.with_columns(pl.col(_one(table, column)).clip(upper_bound=at))


def _microaggregate(table: pl.DataFrame, keys: Keys, column: str, k: int) -> pl.DataFrame:
    values = table[_one(table, column)].cast(pl.Float64).fill_nan(None)
    known = values.is_not_null()
    made = np.full(len(values), np.nan)
    made[known.to_numpy()] = microaggregated(values.drop_nulls().to_numpy(), k)
    return table.with_columns(pl.Series(column, made).fill_nan(None))


def _suppress(
    table: pl.DataFrame, keys: Keys, quasi_identifiers: Sequence[str], k: int
) -> pl.DataFrame:
    return table.filter(pl.len().over(_there(table, quasi_identifiers)) >= k)


def _shuffle(table: pl.DataFrame, keys: Keys) -> pl.DataFrame:
    # of the system's randomness: who can repeat it can undo it
    return table.sample(fraction=1.0, shuffle=True, seed=secrets.randbits(63))


@dataclass(frozen=True)
class _Step:
    apply: Callable[..., pl.DataFrame]
    words: Callable[..., str]
    settings: frozenset[str]
    alone: str = ""
    """The setting that a plain list stands for."""


_UNITS = {"year": "%Y", "month": "%Y-%m", "day": "%Y-%m-%d"}
_STEPS: dict[str, _Step] = {
    "drop": _Step(
        _drop, lambda columns: f"Leave out {_listed(columns)}", frozenset({"columns"}), "columns"
    ),
    "pseudonymise": _Step(
        _pseudonymise,
        lambda column, key: f"Replace {column} by a pseudonym made with the key {key!r}",
        frozenset({"column", "key"}),
    ),
    "band": _Step(
        _band,
        lambda column, width: f"Give {column} in bands of {width}",
        frozenset({"column", "width"}),
    ),
    "generalise": _Step(
        _generalise,
        lambda column, to: (
            f"Replace {column} by what it belongs to, one of {len(set(to.values()))} groups"
        ),
        frozenset({"column", "to"}),
    ),
    "truncate": _Step(
        _truncate, lambda column, to: f"Give {column} to its {to}", frozenset({"column", "to"})
    ),
    "round": _Step(
        _round, lambda column, to: f"Round {column} to {to}", frozenset({"column", "to"})
    ),
    "cap": _Step(
        _cap, lambda column, at: f"Give {column} above {at} as {at}", frozenset({"column", "at"})
    ),
    "microaggregate": _Step(
        _microaggregate,
        lambda column, k: f"Replace {column} by the mean of {k} or more neighbours",
        frozenset({"column", "k"}),
    ),
    "suppress": _Step(
        _suppress,
        lambda quasi_identifiers, k: (
            f"Leave out the rows of which fewer than {k} agree in {_listed(quasi_identifiers)}"
        ),
        frozenset({"quasi_identifiers", "k"}),
    ),
    "shuffle": _Step(_shuffle, lambda: "Shuffle the rows", frozenset()),
}


def _checked(number: int, step: Any) -> tuple[str, Mapping[str, Any]]:
    if isinstance(step, str):
        step = {step: {}}
    if not isinstance(step, Mapping) or len(step) != 1:
        raise SharewellError(f"step {number} is no step: write one name with its settings")
    ((name, settings),) = step.items()
    if name not in _STEPS:
        raise SharewellError(f"step {number}: there is no {name!r}; there are: {', '.join(_STEPS)}")
    known = _STEPS[name]
    if known.alone and isinstance(settings, list):
        settings = {known.alone: settings}
    if not isinstance(settings, Mapping) or set(settings) != known.settings:
        wanted = ", ".join(sorted(known.settings)) or "none"
        raise SharewellError(f"step {number}, {name}: its settings are: {wanted}")
    return name, dict(settings)


def _one(table: pl.DataFrame, column: str) -> str:
    return _there(table, [column])[0]


def _there(table: pl.DataFrame, columns: Sequence[str]) -> list[str]:
    if isinstance(columns, str):
        raise SharewellError(f"columns are a list: [{columns}]")
    for column in columns:
        if column not in table.columns:
            raise SharewellError(
                f"there is no column {column!r}; there are: {', '.join(table.columns)}"
            )
    return list(columns)


def _key(key: str | bytes) -> bytes:
    raw = key.encode() if isinstance(key, str) else key
    if len(raw) < SHORTEST_KEY:
        raise SharewellError(
            f"a key has {SHORTEST_KEY} bytes or more, not {len(raw)}: a short one is guessed"
        )
    return raw


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names)
