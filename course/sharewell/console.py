"""Where the command line writes to."""

from __future__ import annotations

import io
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


def escape_foreign_characters() -> None:
    """Let output go on at a character that its encoding lacks, as redirected output on Windows often does: as ``\\u2713``."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
