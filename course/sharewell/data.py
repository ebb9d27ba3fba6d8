"""``sharewell data``: the tables of Datapolis, listed, shown and written. Datapolis itself does the work."""

from __future__ import annotations

import time
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

import typer

from sharewell.console import console, say
from sharewell.errors import SharewellError

app = typer.Typer(no_args_is_help=True, help="Tables of Datapolis, the synthetic country.")


class Locale(StrEnum):
    en_US = "en_US"  # noqa: N815
    zh_CN = "zh_CN"  # noqa: N815


class Format(StrEnum):
    parquet = "parquet"
    csv = "csv"


ScaleOption = Annotated[
    float | None,
    typer.Option(help="How large the country is; 1 has 100,000 residents.", show_default="0.1"),
]
RowsOption = Annotated[
    int | None, typer.Option(help="Instead of --scale: as large as this many rows need.")
]
SeedOption = Annotated[int, typer.Option(help="Which population.")]
LocaleOption = Annotated[Locale, typer.Option(help="Language of names and codes.")]


@app.command("list")
def list_() -> None:
    """The tables there are."""
    import datapolis

    say(str(datapolis.describe()).replace("datapolis.describe(NAME)", "sharewell data show NAME"))


@app.command()
def show(
    name: str,
    rows: Annotated[int, typer.Option(help="How many rows.")] = 5,
    scale: ScaleOption = None,
    seed: SeedOption = 0,
    locale: LocaleOption = Locale.en_US,
) -> None:
    """The first rows of a table, and what its columns mean."""
    import datapolis
    from rich.table import Table
    from rich.text import Text

    frame = datapolis.load(name, rows=rows, scale=scale, seed=seed, locale=locale.value)
    described = {field["name"]: field for field in datapolis.schema(name)["fields"]}
    say(datapolis.schema(name)["description"])
    table = Table(title=f"{name}, seed {seed}", title_justify="left", show_lines=True)
    table.add_column("column", no_wrap=True)
    table.add_column("meaning" if described else "")
    table.add_column(f"first {len(frame)} values")
    for column in frame:
        field = described.get(str(column), {})
        unit = f" [{field['unit']}]" if "unit" in field else ""
        values = " · ".join(str(value) for value in frame[column])
        table.add_row(str(column), Text(field.get("description", "") + unit), Text(values))
    console().print(table)


@app.command()
def make(
    name: str,
    out: Annotated[
        Path | None, typer.Option("--out", help="New folder to write.", show_default="NAME")
    ] = None,
    scale: ScaleOption = None,
    rows: RowsOption = None,
    seed: SeedOption = 0,
    locale: LocaleOption = Locale.en_US,
    format: Annotated[Format, typer.Option("--format", help="Of the files.")] = Format.parquet,
    workers: Annotated[int, typer.Option(help="Processes that make parts.")] = 1,
    scheduler: Annotated[
        str | None, typer.Option(help="Dask scheduler whose workers make the parts.")
    ] = None,
    plan: Annotated[bool, typer.Option("--plan", help="Only say what it comes to.")] = False,
) -> None:
    """Write a table to a new folder, in parts, as a Frictionless data package.

    Interrupted, the same command goes on where it stopped.
    """
    import datapolis

    kind: Literal["parquet", "csv"] = "csv" if format is Format.csv else "parquet"
    if scale is not None and rows is not None:
        raise SharewellError("give --scale or --rows, not both")
    if plan:
        if rows is not None:
            raise SharewellError("--plan takes --scale")
        ahead = datapolis.plan(name, scale=scale, seed=seed, locale=locale.value, format=kind)
        say(
            f"{name}: about {ahead.rows:,} rows in {ahead.parts:,} parts, {ahead.bytes / 1e9:,.2f} GB"
        )
        return
    folder = out if out is not None else Path(name)
    written = 0
    begun = time.monotonic()
    with _Bar(name) as bar:
        try:
            datapolis.write(
                name,
                folder,
                scale=scale,
                rows=rows,
                seed=seed,
                locale=locale.value,
                format=kind,
                workers=workers,
                scheduler=scheduler,
                progress=bar.advance,
            )
        except KeyboardInterrupt:
            bar.stop()
            say("Interrupted. What was made is kept; the same command goes on from here.")
            raise
        except OSError as error:
            raise SharewellError(
                f"{error.strerror or error}: {error.filename or folder}. What was made is kept; "
                "when there is room, the same command goes on from here"
            ) from error
        written = bar.rows
    seconds = time.monotonic() - begun
    files = [file for file in folder.rglob("*") if file.is_file()]
    size = sum(file.stat().st_size for file in files)
    say(f"{folder}: {written:,} rows written in {seconds:.1f} s, {size / 1e6:,.1f} MB in all")


class _Bar:
    """Progress in parts, with rows a second and time left."""

    def __init__(self, name: str) -> None:
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
        )

        self.rows = 0
        self._begun = time.monotonic()
        self._progress = Progress(
            TextColumn(f"Making {name}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("parts, {task.fields[rate]}"),
            TimeRemainingColumn(),
            console=console(),
        )
        self._task = self._progress.add_task("", total=None, rate="")

    def __enter__(self) -> _Bar:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        self._progress.stop()

    def advance(self, done: int, total: int, rows: int) -> None:
        self.rows += rows
        rate = self.rows / max(time.monotonic() - self._begun, 1e-6)
        self._progress.update(
            self._task, completed=done, total=total, rate=f"{rate:,.0f} rows/s, left:"
        )
