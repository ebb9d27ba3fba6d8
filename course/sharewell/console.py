"""Where the command line writes to."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from rich.console import Console


def console() -> Console:
    """For tables and progress."""
    from rich.console import Console

    width = None if sys.stdout.isatty() else 110  # a log file is not 80 columns wide
    return Console(width=width)


def say(text: str) -> None:
    """For a sentence."""
    typer.echo(text)
