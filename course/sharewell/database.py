"""DuckDB, as our own functions use it: for what may be larger than memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def in_memory() -> DuckDBPyConnection:
    """An empty database that prints nothing: DuckDB draws a progress bar into whatever the caller prints."""
    import duckdb  # it takes a moment, and few commands need it

    database = duckdb.connect()
    database.execute("SET enable_progress_bar = false")
    return database
