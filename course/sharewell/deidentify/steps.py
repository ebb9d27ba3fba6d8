"""The steps that a recipe can have: what each does to a table, and how it is said."""

from __future__ import annotations

import inspect
import secrets
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from sharewell.deidentify.microaggregation import microaggregated
from sharewell.deidentify.pseudonyms import letters, pseudonym
from sharewell.errors import SharewellError

Keys = Mapping[str, str | bytes]
Vaults = Mapping[str, MutableMapping[str, str]]


def _drop(table: pl.DataFrame, held: Held, columns: Sequence[str]) -> pl.DataFrame:
    return table.drop(_there(table, columns))


def _pseudonymise(table: pl.DataFrame, held: Held, column: str, key: str) -> pl.DataFrame:
    if key not in held.keys:
        raise SharewellError(f"the key {key!r} was not given: apply(table, keys={{{key!r}: ...}})")
    secret = held.keys[key]
    return _renamed(table, column, lambda value: pseudonym(value, secret))


def _tokenise(table: pl.DataFrame, held: Held, column: str, vault: str) -> pl.DataFrame:
    if vault not in held.vaults:
        raise SharewellError(
            f"the vault {vault!r} was not given: apply(table, vaults={{{vault!r}: ...}})"
        )
    tokens = held.vaults[vault]

    def token(value: object) -> str:
        if str(value) not in tokens:
            tokens[str(value)] = letters(secrets.token_bytes(16))
        return tokens[str(value)]

    return _renamed(table, column, token)


def _renamed(table: pl.DataFrame, column: str, name: Callable[[object], str]) -> pl.DataFrame:
    """Each value, each time it occurs, by another name; what is missing stays so."""
    values = table[_one(table, column)]
    known = {value: name(value) for value in values.drop_nulls().unique()}
    names = pl.Series(list(known.values()), dtype=pl.String)
    replaced = values.replace_strict(list(known), names, default=None, return_dtype=pl.String)
    return table.with_columns(replaced.alias(column))


def _band(table: pl.DataFrame, held: Held, column: str, width: int) -> pl.DataFrame:
    if not isinstance(width, int) or width < 1:
        raise SharewellError(f"a band is a whole number of units wide, not {width!r}")
    low = (pl.col(_one(table, column)) // width * width).cast(pl.Int64)
    text = pl.format("{}-{}", low, low + width - 1) if width > 1 else low.cast(pl.String)
    return table.with_columns(text.alias(column))


def _generalise(
    table: pl.DataFrame,
    held: Held,
    column: str,
    along: Mapping[Any, Sequence[Any]],
    level: int,
) -> pl.DataFrame:
    levels = {str(value): [str(value), *map(str, above)] for value, above in along.items()}

    def group(value: object) -> str:
        above = levels.get(str(value))
        if above is None:
            raise SharewellError(f"the hierarchy does not have {value!r}")
        if not 0 <= level < len(above):
            raise SharewellError(
                f"above {value!r} the hierarchy has {len(above) - 1} levels, not {level}"
            )
        return above[level]

    return _renamed(table, column, group)


def _truncate(table: pl.DataFrame, held: Held, column: str, to: str) -> pl.DataFrame:
    if to not in _UNITS:
        raise SharewellError(f"a date is given to its {', '.join(_UNITS)}, not to its {to!r}")
    return table.with_columns(pl.col(_one(table, column)).dt.strftime(_UNITS[to]).alias(column))


def _round(table: pl.DataFrame, held: Held, column: str, to: float) -> pl.DataFrame:
    if not to > 0:
        raise SharewellError(f"numbers are rounded to a positive number, not to {to!r}")
    kind = table.schema[_one(table, column)]
    made = (pl.col(column) / to).round() * to
    whole = kind.is_integer() and float(to).is_integer()
    return table.with_columns((made.cast(kind) if whole else made).alias(column))


def _cap(table: pl.DataFrame, held: Held, column: str, at: float) -> pl.DataFrame:
    return table.with_columns(pl.col(_one(table, column)).clip(upper_bound=at))


def _microaggregate(table: pl.DataFrame, held: Held, column: str, k: int) -> pl.DataFrame:
    values = table[_one(table, column)].cast(pl.Float64).fill_nan(None)
    known = values.is_not_null()
    made = np.full(len(values), np.nan)
    made[known.to_numpy()] = microaggregated(values.drop_nulls().to_numpy(), k)
    return table.with_columns(pl.Series(column, made).fill_nan(None))


def _suppress(
    table: pl.DataFrame, held: Held, quasi_identifiers: Sequence[str], k: int
) -> pl.DataFrame:
    return table.filter(pl.len().over(_there(table, quasi_identifiers)) >= k)


def _shuffle(table: pl.DataFrame, held: Held) -> pl.DataFrame:
    # of the system's randomness: who can repeat it can undo it
    return table.sample(fraction=1.0, shuffle=True, seed=secrets.randbits(63))


@dataclass(frozen=True)
class Held:
    """What whoever applies a recipe keeps to themselves."""

    keys: Keys
    vaults: Vaults


@dataclass(frozen=True)
class Step:
    """What a step does, how it is said, and its settings."""

    apply: Callable[..., pl.DataFrame]
    words: Callable[..., str]
    alone: str = ""
    """The setting that a plain list stands for."""

    @property
    def settings(self) -> frozenset[str]:
        return frozenset(inspect.signature(self.words).parameters)


_UNITS = {"year": "%Y", "month": "%Y-%m", "day": "%Y-%m-%d"}
STEPS: dict[str, Step] = {
    "drop": Step(_drop, lambda columns: f"Leave out {_listed(columns)}", "columns"),
    "pseudonymise": Step(
        _pseudonymise,
        lambda column, key: f"Replace {column} by a pseudonym made with the key {key!r}",
    ),
    "tokenise": Step(
        _tokenise,
        lambda column, vault: f"Replace {column} by random tokens, kept in the vault {vault!r}",
    ),
    "band": Step(
        _band,
        lambda column, width: f"Give {column} in bands of {width}",
    ),
    "generalise": Step(
        _generalise,
        lambda column, along, level: (
            f"Replace {column} by what it belongs to, level {level} of its hierarchy"
        ),
    ),
    "truncate": Step(_truncate, lambda column, to: f"Give {column} to its {to}"),
    "round": Step(_round, lambda column, to: f"Round {column} to {to}"),
    "cap": Step(_cap, lambda column, at: f"Give {column} above {at} as {at}"),
    "microaggregate": Step(
        _microaggregate,
        lambda column, k: f"Replace {column} by the mean of {k} or more neighbours",
    ),
    "suppress": Step(
        _suppress,
        lambda quasi_identifiers, k: (
            f"Leave out the rows of which fewer than {k} agree in {_listed(quasi_identifiers)}"
        ),
    ),
    "shuffle": Step(_shuffle, lambda: "Shuffle the rows"),
}


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


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names)
