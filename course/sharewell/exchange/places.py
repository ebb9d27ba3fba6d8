"""Where an exchange is among others: a nation, its provinces, their counties. The one above vouches for the keys of those below."""

from __future__ import annotations

import json
import os
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sharewell.errors import SharewellError
from sharewell.exchange import letters, packages
from sharewell.exchange.holdings import Holdings
from sharewell.exchange.loop import Exchange
from sharewell.exchange.store import File

LEVELS = ("nation", "province", "county")


class Place:
    """An exchange that is kept in a file, and its place among the others.

    Parameters
    ----------
    file : path
        The exchange's. Its key, data, releases, and what is enclosed in letters, lie beside it.
    """

    def __init__(self, file: Path) -> None:
        self.file = file.resolve()
        self.exchange = Exchange({}, date.min, File(file))
        self.holdings = Holdings.of(file)
        self.released, self.received, self.bag = (
            file.with_suffix(suffix) for suffix in (".released", ".received", ".letters")
        )
        for folder in (self.released, self.received, self.bag):
            folder.mkdir(mode=0o700, exist_ok=True)

    @property
    def name(self) -> str:
        """Its way from the top; empty as long as it has no place."""
        return self._chain[-1]["name"] if self._chain else ""

    @property
    def level(self) -> str:
        """Nation, province or county."""
        return LEVELS[self.name.count("/")]

    def begin(self, name: str) -> None:
        """Become the top of a country."""
        self._settle(name, [letters.certificate(self.holdings.key, _plain(name))])

    def join(self, above: Place, name: str) -> None:
        """Take a place under another exchange, which vouches for this one from now on.

        Raises
        ------
        SharewellError
            One of them has no such place to take or to give.
        """
        if not above.name:
            raise SharewellError(f"{above.file.name} has no place itself yet")
        if above.level == LEVELS[-1]:
            raise SharewellError(f"{above.name} is a {above.level}: there is no level below it")
        below = json.loads(above._settings.get("below", "{}"))
        if name in below and below[name] != self._way(above.file, self.file):
            raise SharewellError(f"{above.name} has a {name} already")
        mine, theirs = self.holdings.key, above.holdings.key
        full = f"{above.name}/{_plain(name)}"
        own = letters.certificate(theirs, full, packages.public(mine), letters.public_box(mine))
        self._settle(full, [*above._chain, own])
        with self.exchange.store.transaction():
            self._settings["above"] = self._way(self.file, above.file)
        with above.exchange.store.transaction():
            below[name] = self._way(above.file, self.file)
            above._settings["below"] = json.dumps(below, ensure_ascii=False)
            above.exchange.note(above.name, "vouch", name=full, key=packages.public(mine))

    def way(self, target: str) -> Path | None:
        """The file of the exchange that is next on the way; None where there is none."""
        if target.startswith(f"{self.name}/"):
            below = json.loads(self._settings.get("below", "{}"))
            found = below.get(target[len(self.name) + 1 :].partition("/")[0])
        else:
            found = self._settings.get("above")
        return (self.file.parent / found).resolve() if found else None

    def package(self, grant: str) -> Path:
        """Where a package that came from elsewhere is: ``grant`` begins with the exchange's name."""
        return received(self.file, grant)

    @property
    def _settings(self) -> Any:
        return self.exchange.store.settings

    @property
    def _chain(self) -> list[letters.Certificate]:
        found: list[letters.Certificate] = json.loads(self._settings.get("chain", "[]"))
        return found

    def _settle(self, name: str, chain: list[letters.Certificate]) -> None:
        if self.name and self.name != name:
            raise SharewellError(f"{self.file.name} has a place already: {self.name}")
        with self.exchange.store.transaction():
            self._settings["chain"] = json.dumps(chain, ensure_ascii=False)

    @staticmethod
    def _way(of: Path, to: Path) -> str:
        return os.path.relpath(to, of.parent)


def received(exchange: Path, grant: str) -> Path:
    """Where the package of a grant that came from elsewhere is, beside the exchange's file."""
    return exchange.with_suffix(".received") / f"{quote(grant, safe='')}.zip"


def _plain(name: str) -> str:
    if not name or "/" in name or ":" in name or "@" in name:
        raise SharewellError(f"{name!r} is no name for an exchange: it cannot have / : or @")
    return name
