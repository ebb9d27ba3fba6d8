"""The exchange itself as commands: made, looked at, checked, opened as a page, joined with others."""

from __future__ import annotations

import contextlib
import json
from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from sharewell.console import console, say
from sharewell.errors import SharewellError
from sharewell.exchange import levels, packages
from sharewell.exchange.cli.app import BY_HAND, DAY, HERE, FileOption, app, listed, opened, told
from sharewell.exchange.loop import Exchange
from sharewell.exchange.records import verify
from sharewell.exchange.states import ROLES
from sharewell.exchange.store import File

CAST = {
    "Ana": ["owner"],
    "Sten": ["steward"],
    "Kim": ["committee"],
    "Mara": ["consumer"],
    "Otto": ["auditor"],
}
"""Who is there when nobody is named."""


@app.command()
def new(
    file: Annotated[Path, typer.Argument(metavar="[FILE]")] = HERE,
    person: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=ROLE[,ROLE]", help=f"Who takes part: {', '.join(ROLES)}."),
    ] = None,
    today: Annotated[
        datetime | None,
        typer.Option(formats=DAY, help="Play: the first day. Time then passes by clock only."),
    ] = None,
) -> None:
    """Make an exchange. Without --person it has a person for each role."""
    if file.exists():
        raise SharewellError(f"{file} is there already. Take another name")
    people = dict(map(_person, person)) if person else CAST
    store = File(file)
    with store.transaction():
        if today:
            store.settings[BY_HAND] = "yes"
        made = Exchange(people, today.date() if today else date.today(), store)
    packages.key_of(file)
    key = packages.key_path(file)
    say(
        f"{file} is an exchange. {key} signs what it releases and locks what it holds: keep it to yourself."
    )
    say(", ".join(f"{name} ({' and '.join(roles)})" for name, roles in made.people.items()))
    say("Next:  sharewell exchange catalogue beds --as Sten --owner Ana --data beds.csv")


@app.command()
def show(exchange: FileOption = HERE) -> None:
    """What is catalogued, and what was requested."""
    found = opened(exchange)
    resources = Table(title=f"{found.today:%A, %d %B %Y}", title_justify="left")
    for heading in ("resource", "state", "label", "fields", "owner"):
        resources.add_column(heading)
    for name, one in found.resources.items():
        resources.add_row(*map(Text, (name, one.state, one.label, listed(one.fields), one.owner)))
    grants = Table()
    for heading in ("grant", "state", "resource", "consumer", "purpose", "fields", "until"):
        grants.add_column(heading)
    for name, grant in found.grants.items():
        row = (grant.resource, grant.consumer, grant.purpose, listed(grant.fields))
        grants.add_row(*map(Text, (name, grant.state, *row, str(grant.until))))
    away = Table(title="At other exchanges", title_justify="left")
    for heading in ("grant", "state", "resource", "consumer", "purpose", "last answer"):
        away.add_column(heading)
    for there in found.store.away.values():
        row = (there.resource, there.consumer, there.purpose, there.said)
        away.add_row(*map(Text, (there.grant, there.state, *row)))
    for table in (resources, grants, away):
        if table is resources or table.row_count:
            console().print(table)


@app.command()
def clock(
    today: Annotated[datetime | None, typer.Argument(formats=DAY, metavar="[DAY]")] = None,
    exchange: FileOption = HERE,
) -> None:
    """Let a day come: what is due is escalated or expires."""
    found = opened(exchange)
    told(found, lambda: found.clock(today.date() if today else date.today()))


@app.command()
def check(
    file: Path,
    key: Annotated[
        str, typer.Option(help="The public key of the exchange that it should come from.")
    ] = "",
) -> None:
    """Say what may be done with a released file, and whether it was changed."""
    found = packages.check(file, key)
    for sentence in found.conditions.in_words(date.today()):
        say(sentence)
    known = (
        "As it was signed by"
        if key
        else "Unchanged since it was signed. Is this the exchange's key?"
    )
    say(f"{known} {found.signed_by}")


@app.command()
def log(
    exchange: FileOption = HERE,
    anchor: Annotated[
        str, typer.Option(help="A hash that was the log's last once: finds a missing end.")
    ] = "",
) -> None:
    """Print the log, and check that nobody has changed it."""
    found = opened(exchange)
    table = Table()
    for heading in ("", "day", "who", "attempted", "with", "came to"):
        table.add_column(heading)
    for record in found.log:
        refused = record["outcome"] == "refused"
        came = record["reason"] if refused else record["after"]
        given = ", ".join(f"{name} {listed(v)}" for name, v in record["details"].items())
        row = (record["on"], record["actor"], f"{record['event']} {record['subject']}", given, came)
        table.add_row(str(record["number"]), *map(Text, row), style="yellow" if refused else "")
    console().print(table)
    verify(found.log, anchor or None)
    say(f"The log is as it was written. Its last hash, to keep elsewhere: {found.log.head}")


@app.command()
def dcat(exchange: FileOption = HERE) -> None:
    """Print the catalogue as other catalogues read it: DCAT 3, as JSON-LD."""
    from sharewell.exchange.dcat import catalogue

    print(json.dumps(catalogue(opened(exchange)), indent=2))


@app.command()
def join(file: Path, above: Path) -> None:
    """Give the exchange in FILE its place below the one in ABOVE: nation, province, county."""
    for path in (file, above):
        opened(path)
    below, top = levels.Node(file), levels.Node(above)
    if not top.name:
        top.begin(above.stem)
    below.join(top, file.stem)
    say(f"{file} is {below.name}, a {below.level}. What is there is called {below.name}:beds, say.")


@app.command()
def carry(exchange: FileOption = HERE) -> None:
    """Carry the letters of all exchanges of a country, and say where they went."""
    opened(exchange)
    nodes = levels.country(exchange)
    for node in nodes:
        opened(node.file)
    hops = levels.carry(nodes)
    for hop in hops:
        say(f"{hop.sender} → {hop.receiver}: {hop.what}")
    if not hops:
        say("There is nothing to carry.")


@app.command()
def codes(exchange: FileOption = HERE) -> None:
    """Print each person's code, with which they sign in to the page."""
    from sharewell.exchange.guard import sign_in_secret
    from sharewell.variant import code_of

    secret = sign_in_secret(exchange)
    for name in opened(exchange).people:
        say(f"{name}: {code_of(name, secret)}")


@app.command()
def serve(
    exchange: FileOption = HERE,
    port: Annotated[int, typer.Option(help="Where the page is.")] = 8765,
) -> None:
    """Open the exchange as a web page on this machine, until Ctrl-C."""
    import asyncio

    from sharewell.exchange.server import application

    found = opened(exchange)
    live = BY_HAND not in found.store.settings

    async def run() -> None:
        try:
            application(exchange, live).listen(port, "127.0.0.1")
        except OSError as error:
            raise SharewellError(
                f"the page cannot be at port {port}: {error.strerror}. Name another: --port {port + 1}"
            ) from error
        say(f"The exchange is at http://127.0.0.1:{port}. Ctrl-C here closes it.")
        await asyncio.Event().wait()

    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(run())


def _person(text: str) -> tuple[str, list[str]]:
    name, _, roles = text.partition("=")
    listed = [role.strip() for role in roles.split(",") if role.strip()]
    if not name.strip() or not listed or not set(listed) <= set(ROLES):
        raise SharewellError(f"{text!r} is no person: write NAME=ROLE, of {', '.join(ROLES)}")
    return name.strip(), listed
