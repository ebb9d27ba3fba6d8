"""What all commands of ``sharewell exchange`` share."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer

from sharewell.console import say
from sharewell.errors import SharewellError
from sharewell.exchange.loop import Exchange
from sharewell.exchange.store import File

BY_HAND = "time passes by hand"

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Run the closed loop of sharing by hand: an exchange that is kept in one file.",
)
FileOption = Annotated[
    Path,
    typer.Option("--exchange", envvar="SHAREWELL_EXCHANGE", help="The exchange's file."),
]
HERE = Path("exchange.db")
DAY = ["%Y-%m-%d"]
AsOption = Annotated[str, typer.Option("--as", help="Who does it.")]
PersonOption = Annotated[
    str, typer.Option(help="The column that says whom a row is about, if they may have several.")
]


def opened(path: Path) -> Exchange:
    if not path.is_file():
        raise SharewellError(
            f"there is no {path}. Make an exchange with: sharewell exchange new {path}"
        )
    found = Exchange({}, date.min, File(path))
    if BY_HAND not in found.store.settings and date.today() > found.today:
        told(found, lambda: found.clock(date.today()))
    return found


def told(exchange: Exchange, attempt: Callable[[], Any]) -> None:
    """Attempt something, and say what came of it, by itself too."""
    before = len(exchange.log)
    attempt()
    for record in exchange.log.since(before):
        if record["subject"]:
            was = record["before"] or "new"
            say(
                f"{record['subject']}: {was} → {record['after']} ({record['event']}, {record['actor']})"
            )


def names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def listed(value: Any) -> str:
    if isinstance(value, dict):
        return "; ".join(f"{name}: {listed(one)}" for name, one in value.items())
    return ", ".join(sorted(value)) if isinstance(value, list | frozenset) else str(value)
