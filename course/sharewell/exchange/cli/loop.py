"""The events of the loop as commands: what people attempt."""

from __future__ import annotations

import inspect
import shutil
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from sharewell.console import say
from sharewell.errors import SharewellError
from sharewell.exchange import levels, packages, queries
from sharewell.exchange.cli.app import (
    DAY,
    HERE,
    AsOption,
    FileOption,
    PersonOption,
    app,
    names,
    opened,
    told,
)
from sharewell.exchange.holdings import Holdings, reading
from sharewell.exchange.loop import Exchange

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
    found, named = opened(exchange), names(fields)
    if data and not named:
        with reading(data) as (columns, _):
            named = [name for name in columns.schema.names if name != person]

    def both() -> None:
        with found.store.transaction():
            found.catalogue(who, resource, named, owner)
            if data:
                Holdings.of(exchange).deposit(found, who, resource, data, person)

    told(found, both)


@app.command()
def deposit(
    resource: str,
    who: AsOption,
    data: Annotated[Path, typer.Option(help="A Parquet or CSV file.")],
    person: PersonOption = "",
    exchange: FileOption = HERE,
) -> None:
    """A steward hands data over to the exchange, which keeps them locked."""
    found = opened(exchange)
    told(found, lambda: Holdings.of(exchange).deposit(found, who, resource, data, person))
    say(f"The exchange holds {found.resources[resource].rows:,} rows of {resource}.")


@app.command()
def release(
    grant: str,
    who: AsOption,
    to: Annotated[
        Path | None, typer.Option(help="Where to write a copy of the package, such as G1.zip.")
    ] = None,
    exchange: FileOption = HERE,
) -> None:
    """A steward hands out what was approved: the data as a signed file, or the way for queries."""
    if to and to.exists():
        raise SharewellError(f"{to} is there already: a release is not written over another")
    found, node = opened(exchange), levels.Node(exchange)
    told(found, lambda: packages.hand_out(found, who, grant, node.holdings, node.released))
    made = node.released / f"{grant}.zip"
    if found.grants[grant].epsilon:
        return say("Only answers leave: sharewell exchange query")
    if to:
        shutil.copy2(made, to)
    key = packages.public(node.holdings.key)
    return say(f"{to or made} holds the data, their conditions, and the signature of {key}.")


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
    if ":" in grant:
        words = {
            "statistic": statistic,
            "of": of,
            "between": between,
            "where": where or [],
            "by": by,
        }
        return _sent(exchange, who, "query", grant, purpose=purpose, epsilon=epsilon, **words)
    found = opened(exchange)
    asked = queries.in_words(statistic, of, between, where or (), by)
    answer = queries.ask(found, Holdings.of(exchange), who, grant, purpose, asked, epsilon)
    for sentence in queries.told(asked, answer):
        say(sentence)
    return None


def _add(event: str) -> None:
    """A command for a method of the exchange, with its parameters as options."""
    method = getattr(Exchange, event)
    _, _, subject, *others = inspect.signature(method).parameters.values()

    def command(**given: Any) -> None:
        file = given.pop("exchange")
        found = opened(file)
        given = {name: _parsed(value) for name, value in given.items() if value is not None}
        actor, what = given.pop("who"), given.pop(subject.name)
        if isinstance(given.get("fields"), str):
            given["fields"] = names(given["fields"])
        if event in levels.EVENTS and ":" in what:
            return _sent(file, actor, event, what, **given)
        return told(found, lambda: method(found, actor, what, **given))

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


def _sent(file: Path, actor: str, event: str, subject: str, **details: Any) -> None:
    """Attempt something at another exchange."""
    levels.Node(file).send(actor, event, subject, **details)
    say(
        f"A letter to {subject.partition(':')[0]} is on its way. Next:  sharewell exchange carry --exchange {file}"
    )


for _event in EVENTS:
    _add(_event)
