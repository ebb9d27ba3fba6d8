"""``sharewell exchange``: the closed loop by hand, on an exchange that is kept in a file."""

from sharewell.exchange.cli import loop, whole
from sharewell.exchange.cli.app import app

__all__ = ["app", "loop", "whole"]
