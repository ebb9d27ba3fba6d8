"""``sharewell exchange``: the closed loop by hand, on an exchange that is kept in a file."""

from __future__ import annotations

import contextlib
import inspect
import json
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from sharewell.console import console, say
from sharewell.errors import SharewellError
from sharewell.exchange import packages, queries
from sharewell.exchange.holdings import Holdings, reading
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
EVENTS = (
    "classify",
    "confirm",
    "withdraw",
    "request",
    "approve",
    "reject",
    "appeal",
    "use",
    "revoke",
    "dispose",
    "audit",
    "feedback",
)
_BY_HAND = "time passes by hand"

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
            store.settings[_BY_HAND] = "yes"
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
    found = _open(exchange)
    resources = Table(title=f"{found.today:%A, %d %B %Y}", title_justify="left")
    for heading in ("resource", "state", "label", "fields", "owner"):
        resources.add_column(heading)
    for name, one in found.resources.items():
        resources.add_row(*map(Text, (name, one.state, one.label, _listed(one.fields), one.owner)))
    grants = Table()
    for heading in ("grant", "state", "resource", "consumer", "purpose", "fields", "until"):
        grants.add_column(heading)
    for name, grant in found.grants.items():
        row = (grant.resource, grant.consumer, grant.purpose, _listed(grant.fields))
        grants.add_row(*map(Text, (name, grant.state, *row, str(grant.until))))
    console().print(resources)
    if found.grants:
        console().print(grants)


@app.command()
def clock(
    today: Annotated[datetime | None, typer.Argument(formats=DAY, metavar="[DAY]")] = None,
    exchange: FileOption = HERE,
) -> None:
    """Let a day come: what is due is escalated or expires."""
    found = _open(exchange)
    _told(found, lambda: found.clock(today.date() if today else date.today()))


@app.command()
def catalogue(
    resource: str,
    who: AsOption,
    owner: Annotated[str, typer.Option(help="Whose data they are.")],
    fields: Annotated[str, typer.Option(help="Separated by commas; all of the data's.")] = "",
    data: Annotated[Path | None, typer.Option(help="A Parquet or CSV file to deposit.")] = None,
    person: PersonOption = "",
    exchange: FileOption = HERE,
) -> None:
    """A steward enters a resource in the catalogue, with its data or without."""
    found, named = _open(exchange), _names(fields)
    if data and not named:
        with reading(data) as (columns, _):
            named = [name for name in columns.schema.names if name != person]

    def both() -> None:
        with found.store.transaction():
            found.catalogue(who, resource, named, owner)
            if data:
                Holdings.of(exchange).deposit(found, who, resource, data, person)

    _told(found, both)


@app.command()
def deposit(
    resource: str,
    who: AsOption,
    data: Annotated[Path, typer.Option(help="A Parquet or CSV file.")],
    person: PersonOption = "",
    exchange: FileOption = HERE,
) -> None:
    """A steward hands data over to the exchange, which keeps them locked."""
    found = _open(exchange)
    _told(found, lambda: Holdings.of(exchange).deposit(found, who, resource, data, person))
    say(f"The exchange holds {found.resources[resource].rows:,} rows of {resource}.")


@app.command()
def release(
    grant: str,
    who: AsOption,
    to: Annotated[
        Path | None, typer.Option(help="The package to write, such as G1.zip; none for answers.")
    ] = None,
    exchange: FileOption = HERE,
) -> None:
    """A steward hands out what was approved: the data as a signed file, or the way for queries."""
    found = _open(exchange)
    if to is None:
        if grant in found.grants and not found.grants[grant].epsilon:
            raise SharewellError(f"say where the package goes: --to {grant}.zip")
        return _told(found, lambda: found.release(who, grant))
    holdings = Holdings.of(exchange)
    _told(found, lambda: packages.release(found, who, grant, holdings, to))
    return say(
        f"{to} holds the data, their conditions, and the signature of {packages.public(holdings.key)}."
    )


@app.command()
def query(
    grant: str,
    who: AsOption,
    purpose: Annotated[str, typer.Option(help="That of the grant.")],
    epsilon: Annotated[float, typer.Option(help="How much the answer may tell.")],
    statistic: Annotated[str, typer.Option(help="count, sum or mean.")] = "count",
    of: Annotated[str, typer.Option(help="The field to add up.")] = "",
    between: Annotated[str, typer.Option(help="Bounds of its values, such as 0,100.")] = "",
    where: Annotated[list[str] | None, typer.Option(help='Such as "age >= 65".')] = None,
    by: Annotated[str, typer.Option(help='An answer for each, such as "ward = a, b".')] = "",
    exchange: FileOption = HERE,
) -> None:
    """The consumer asks a question, and gets a noisy answer; the data stay where they are."""
    found = _open(exchange)
    asked = queries.in_words(statistic, of, between, where or (), by)
    answer = queries.ask(found, Holdings.of(exchange), who, grant, purpose, asked, epsilon)
    for sentence in queries.told(asked, answer):
        say(sentence)


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
    found = _open(exchange)
    table = Table()
    for heading in ("", "day", "who", "attempted", "with", "came to"):
        table.add_column(heading)
    for record in found.log:
        refused = record["outcome"] == "refused"
        came = record["reason"] if refused else record["after"]
        given = ", ".join(f"{name} {_listed(v)}" for name, v in record["details"].items())
        row = (record["on"], record["actor"], f"{record['event']} {record['subject']}", given, came)
        table.add_row(str(record["number"]), *map(Text, row), style="yellow" if refused else "")
    console().print(table)
    verify(found.log, anchor or None)
    say(f"The log is as it was written. Its last hash, to keep elsewhere: {found.log.head}")


@app.command()
def dcat(exchange: FileOption = HERE) -> None:
    """Print the catalogue as other catalogues read it: DCAT 3, as JSON-LD."""
    from sharewell.exchange.dcat import catalogue

    print(json.dumps(catalogue(_open(exchange)), indent=2, ensure_ascii=False))


@app.command()
def codes(exchange: FileOption = HERE) -> None:
    """Print each person's code, with which they sign in to the page."""
    from sharewell.exchange.guard import sign_in_secret
    from sharewell.variant import code_of

    secret = sign_in_secret(exchange)
    for name in _open(exchange).people:
        say(f"{name}: {code_of(name, secret)}")


@app.command()
def serve(
    exchange: FileOption = HERE,
    port: Annotated[int, typer.Option(help="Where the page is.")] = 8765,
) -> None:
    """Open the exchange as a web page on this machine, until Ctrl-C."""
    import asyncio

    from sharewell.exchange.server import application

    found = _open(exchange)
    live = _BY_HAND not in found.store.settings

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


def _add(event: str) -> None:
    """A command for a method of the exchange, with its parameters as options."""
    method = getattr(Exchange, event)
    _, _, subject, *others = inspect.signature(method).parameters.values()

    def command(**given: Any) -> None:
        found = _open(given.pop("exchange"))
        given = {name: _parsed(value) for name, value in given.items() if value is not None}
        actor, what = given.pop("who"), given.pop(subject.name)
        if isinstance(given.get("fields"), str):
            given["fields"] = _names(given["fields"])
        _told(found, lambda: method(found, actor, what, **given))

    options = [_parameter(subject.name, str, None)]
    options.append(_parameter("who", AsOption, None))
    options += [_option(one) for one in others]
    options.append(_parameter("exchange", FileOption, None, HERE))
    command.__signature__ = inspect.Signature(options)  # type: ignore[attr-defined]
    command.__annotations__ = {option.name: option.annotation for option in options}
    app.command(event, help=inspect.getdoc(method))(command)


def _option(one: inspect.Parameter) -> inspect.Parameter:
    """A method's parameter as an option of the command line."""
    needed = one.default is inspect.Parameter.empty
    if "date" in str(one.annotation):
        return _parameter(
            one.name, datetime | None, typer.Option(formats=DAY), ... if needed else None
        )
    number = {"int": int, "float": float}.get(str(one.annotation).removesuffix(" | None"))
    several = "separated by commas" if "Collection" in str(one.annotation) else None
    default = ... if needed else one.default
    return _parameter(one.name, (number or str) | None, typer.Option(help=several), default)


def _parameter(name: str, kind: Any, about: Any, default: Any = ...) -> inspect.Parameter:
    annotation = Annotated[kind, about] if about is not None else kind
    given = inspect.Parameter.empty if default is ... else default
    return inspect.Parameter(
        name, inspect.Parameter.KEYWORD_ONLY, default=given, annotation=annotation
    )


def _parsed(value: Any) -> Any:
    return value.date() if isinstance(value, datetime) else value


def _open(path: Path) -> Exchange:
    if not path.is_file():
        raise SharewellError(
            f"there is no {path}. Make an exchange with: sharewell exchange new {path}"
        )
    found = Exchange({}, date.min, File(path))
    if _BY_HAND not in found.store.settings and date.today() > found.today:
        _told(found, lambda: found.clock(date.today()))
    return found


def _told(exchange: Exchange, attempt: Callable[[], Any]) -> None:
    """Attempt something, and say what came of it, by itself too."""
    before = len(exchange.log)
    attempt()
    for record in exchange.log.since(before):
        if record["subject"]:
            was = record["before"] or "new"
            say(
                f"{record['subject']}: {was} → {record['after']} ({record['event']}, {record['actor']})"
            )


def _person(text: str) -> tuple[str, list[str]]:
    name, _, roles = text.partition("=")
    listed = [role.strip() for role in roles.split(",") if role.strip()]
    if not name.strip() or not listed or not set(listed) <= set(ROLES):
        raise SharewellError(f"{text!r} is no person: write NAME=ROLE, of {', '.join(ROLES)}")
    return name.strip(), listed


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _listed(value: Any) -> str:
    if isinstance(value, dict):
        return "; ".join(f"{name}: {_listed(one)}" for name, one in value.items())
    return ", ".join(sorted(value)) if isinstance(value, list | frozenset) else str(value)


for _event in EVENTS:
    _add(_event)
