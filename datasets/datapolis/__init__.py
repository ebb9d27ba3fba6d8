"""Datapolis: a synthetic country to practise data sharing on.

No person in it exists. Every table is deterministic: the same name, scale and seed give the same table on
every machine, whatever the number of workers.

>>> import datapolis
>>> residents = datapolis.load("residents", rows=1_000, seed=7)
>>> list(residents.columns[:3])
['person_id', 'household_id', 'given_name']
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from datapolis.errors import DatapolisError

if TYPE_CHECKING:
    from datapolis.cards import catalogue, describe
    from datapolis.export import Plan, plan, write
    from datapolis.reference import codelist, codelists
    from datapolis.store import load, scan, schema, tables, truth

_HOMES = {
    **dict.fromkeys(("load", "scan", "schema", "tables", "truth"), "store"),
    **dict.fromkeys(("Plan", "plan", "write"), "export"),
    **dict.fromkeys(("catalogue", "describe"), "cards"),
    **dict.fromkeys(("codelist", "codelists"), "reference"),
}

__all__ = [
    "DatapolisError", "Plan", "catalogue", "codelist", "codelists", "describe", "load", "plan", "scan",
    "schema", "tables", "truth", "write",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    """Import a part of the library when it is first used: ``import datapolis`` itself costs nothing."""
    if name not in _HOMES:
        raise AttributeError(f"module 'datapolis' has no attribute {name!r}")
    found = getattr(import_module(f"datapolis.{_HOMES[name]}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return __all__
