"""Recipes: steps of de-identification that are data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import polars as pl
import yaml

from sharewell.deidentify.steps import STEPS, Held, Keys, Vaults
from sharewell.errors import SharewellError

if TYPE_CHECKING:
    import pandas as pd

Frame = TypeVar("Frame", pl.DataFrame, "pd.DataFrame")


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

    def apply(self, table: Frame, keys: Keys | None = None, vaults: Vaults | None = None) -> Frame:
        """The table after all steps; a new one, of the kind that was given.

        Parameters
        ----------
        table : polars.DataFrame or pandas.DataFrame
        keys : mapping of str to str or bytes, optional
            The keys that the recipe names. They are no part of it: a recipe may be published.
        vaults : mapping of str to mutable mapping, optional
            The vaults that the recipe names: from values to tokens. New tokens are added; who holds the vault can go back.

        Raises
        ------
        SharewellError
            A column that is not there, a key or vault that is missing, a key that is too short, values that a step cannot work with; the
            message names the step.
        """
        held = Held(keys or {}, vaults or {})
        made = table if isinstance(table, pl.DataFrame) else pl.from_pandas(table)
        for number, (name, settings) in enumerate(self.steps, start=1):
            try:
                made = STEPS[name].apply(made, held, **settings)
            except (pl.exceptions.PolarsError, TypeError, ValueError) as error:
                raise SharewellError(f"step {number}, {name}: {error}") from error
        return made if isinstance(table, pl.DataFrame) else made.to_pandas()

    def __str__(self) -> str:
        lines = (f"{n}. {STEPS[name].words(**s)}." for n, (name, s) in enumerate(self.steps, 1))
        return "\n".join(lines)


def _checked(number: int, step: Any) -> tuple[str, Mapping[str, Any]]:
    if isinstance(step, str):
        step = {step: {}}
    if not isinstance(step, Mapping) or len(step) != 1:
        raise SharewellError(f"step {number} is no step: write one name with its settings")
    ((name, settings),) = step.items()
    if name not in STEPS:
        raise SharewellError(f"step {number}: there is no {name!r}; there are: {', '.join(STEPS)}")
    known = STEPS[name]
    if known.alone and isinstance(settings, list):
        settings = {known.alone: settings}
    if not isinstance(settings, Mapping) or set(settings) != known.settings:
        wanted = ", ".join(sorted(known.settings)) or "none"
        raise SharewellError(f"step {number}, {name}: its settings are: {wanted}")
    return name, dict(settings)
