"""A handed-in file as a valid notebook, whatever editors, tools and accidents did to it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

from ..submission import Refused
from .decoding import decodings

DEEPEST = 50
"""How deep metadata may be nested; nothing that a person made is."""
HALVES = re.compile("[\ud800-\udfff]")
OUTPUTS: dict[str, dict[str, Any]] = {
    "stream": {"name": str, "text": (str, list)},
    "display_data": {"data": dict, "metadata": dict},
    "execute_result": {"data": dict, "metadata": dict},
    "error": {"ename": str, "evalue": str, "traceback": list},
}
"""What each type of output has to have."""
NBGRADER: dict[str, Any] = {
    "grade_id": str,
    "grade": bool,
    "solution": bool,
    "locked": bool,
    "task": bool,
    "points": (int, float),
    "checksum": str,
    "cell_type": str,
    "schema_version": int,
}


def read(path: Path) -> tuple[NotebookNode, list[str]]:
    """A handed-in notebook without its outputs, and what was unusual about the file.

    Returns
    -------
    NotebookNode
        Valid in format 4.5, with the text of each cell. What nbgrader knows of a cell is kept if it has a grade_id.
    list of str
        Sentences without capital and full stop.

    Raises
    ------
    Refused
        A person could not read it either.
    """
    try:
        if path.exists() and not path.is_file():
            raise Refused("is no file: ask for the notebook itself")
        data = path.read_bytes()
    except OSError as error:
        raise Refused(f"cannot be read ({error.strerror})") from error
    notes = _Notes()
    found = _document(data, notes)
    old = _is_old(found, notes)
    places = _cells(found)
    cells = [cell for place in places for cell in _read_cell(place, notes)]
    if not old and not all(map(_has_sound_outputs, places)):
        notes.add("outputs that are not valid were left out")
    metadata = _metadata(found.get("metadata"), notes)
    metadata.pop("widgets", None)  # what widgets showed is an output
    kernel = metadata.get("kernelspec")
    if isinstance(kernel, dict) and isinstance(kernel.get("name"), str):
        kernel.setdefault("display_name", kernel["name"])
    _identify(cells)
    nb = nbformat.from_dict(
        {"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": cells}
    )
    _leave_out_invalid(nb, notes)
    return nb, list(notes)


class _Notes(dict[str, None]):
    """Each is said once, in the order in which they came up."""

    def add(self, note: str) -> None:
        if note:
            self[note] = None


def _document(data: bytes, notes: _Notes) -> dict[str, Any]:
    """The JSON object in a file."""
    problem = ""
    for raw, how in decodings(data):
        text = raw.replace("\0", "").lstrip("\ufeff \t\r\n")
        try:
            found, end = _decoder.raw_decode(text)
        except (ValueError, RecursionError) as error:
            problem = problem or _why_no_json(text, error)
            continue
        if not isinstance(found, dict):
            raise Refused(_damaged("there is no JSON object in it"))
        notes.add(how)
        if "\0" in raw.strip("\0"):
            notes.add("NUL characters in it were left out")
        if text[end:].strip():
            notes.add("text after its end was left out")
        return found
    raise Refused(problem)


def _why_no_json(text: str, error: Exception) -> str:
    if re.search(r"[\x01-\x08\x0e-\x1f]", text):
        return "is not a text file: ask for the notebook itself"
    if not text:
        return _damaged("it is empty")
    if re.search(r"^(<<<<<<<|>>>>>>>) ", text, re.MULTILINE):
        return _damaged("it holds a merge conflict that was not resolved")
    if isinstance(error, RecursionError):
        return _damaged("it is nested without end")
    line = f" in line {error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
    return _damaged(f"its JSON is wrong{line}")


def _damaged(why: str) -> str:
    return f"is damaged or no notebook at all ({why}): ask for it to be handed in again"


def _whole(digits: str) -> int | None:
    return int(digits) if len(digits) <= 1000 else None


def _finite(digits: str) -> float | None:
    number = float(digits)
    return number if abs(number) < float("inf") else None


_decoder = json.JSONDecoder(
    strict=False, parse_int=_whole, parse_float=_finite, parse_constant=lambda _: None
)
"""Line ends may stand in texts; numbers that JSON does not know, or nobody could write, are null."""


def _is_old(found: dict[str, Any], notes: _Notes) -> bool:
    """Whether it says that it is older than format 4."""
    number = found.get("nbformat")
    if not isinstance(number, int | float) or isinstance(number, bool):
        return False
    if number >= 5:
        raise Refused(
            f"is a notebook of format {number}, and formats up to 4 can be read: ask for it to be saved in format 4"
        )
    old = 1 <= number < 4
    if old:
        notes.add(f"it is in the old format {number:g}")
    return old


def _cells(found: dict[str, Any]) -> list[Any]:
    """The cells, in format 4 and 1 in the notebook itself, otherwise in worksheets."""
    sheets = found.get("worksheets")
    places = [found, *(sheets if isinstance(sheets, list) else [])]
    found_in = [place.get("cells") for place in places if isinstance(place, dict)]
    lists = [cells for cells in found_in if isinstance(cells, list)]
    if not lists:
        raise Refused("is no notebook (it has no cells): ask for it to be handed in again")
    return [cell for cells in lists for cell in cells]


def _read_cell(found: Any, notes: _Notes) -> Iterable[dict[str, Any]]:
    """The cell, or nothing where there is none."""
    if not isinstance(found, dict):
        notes.add("entries that are no cells were left out")
        return
    texts = (found.get(key) for key in ("source", "input", "code", "text"))  # formats 4, 3, 1, 1
    source = _text(next((text for text in texts if text is not None), None), notes)
    kind, marks = _kind(found, notes)
    metadata = _metadata(found.get("metadata"), notes)
    _tidy_metadata(metadata, notes)
    cell = {"cell_type": kind, "id": found.get("id"), "metadata": metadata}
    cell["source"] = f"{marks} {' '.join(source.splitlines())}" if marks else source
    if kind == "code":
        cell.update(execution_count=None, outputs=[])
    elif found.get("attachments"):
        cell["attachments"] = _clean(found["attachments"], notes)
    yield cell


def _kind(found: dict[str, Any], notes: _Notes) -> tuple[str, str]:
    """The cell's type in format 4, and the marks that make its text a heading."""
    named = found.get("cell_type")
    kind = named.lower() if isinstance(named, str) else ""
    if kind in ("code", "markdown", "raw"):
        return kind, ""
    if kind in ("html", "text"):  # of formats 1 to 3
        return "markdown", ""
    if kind == "heading":
        level = found.get("level")
        return "markdown", "#" * (level if isinstance(level, int) and 1 <= level <= 6 else 1)
    notes.add(
        "cells of an unknown type are read as code if they have outputs, and as text otherwise"
    )
    return "code" if {"outputs", "execution_count", "input"} & found.keys() else "markdown", ""


def _text(value: Any, notes: _Notes) -> str:
    """A cell's text, which may be one or a list of its lines."""
    lines = [line for line in (value if isinstance(value, list) else [value]) if line is not None]
    text = "".join(line for line in lines if isinstance(line, str))
    if not all(isinstance(line, str) for line in lines):
        notes.add("what stood in the place of a cell's text was left out")
    cleaned: str = _clean(text, notes)
    return cleaned.replace("\0", "").replace("\r\n", "\n").replace("\r", "\n")


def _clean(value: Any, notes: _Notes, depth: int = 0) -> Any:
    """The same without lone surrogates, which no file can hold, and not too deep."""
    if isinstance(value, str):
        sound = HALVES.sub("\ufffd", value)
        if sound != value:
            notes.add("halves of characters in it were replaced")
        return sound
    if isinstance(value, dict | list) and depth >= DEEPEST:
        notes.add("what was nested too deep was left out")
        return None
    if isinstance(value, dict):
        return {_clean(key, notes): _clean(inner, notes, depth + 1) for key, inner in value.items()}
    if isinstance(value, list):
        return [_clean(inner, notes, depth + 1) for inner in value]
    return value


def _metadata(found: Any, notes: _Notes) -> dict[str, Any]:
    if isinstance(found, dict):
        cleaned: dict[str, Any] = _clean(found, notes)
        return cleaned
    if found:
        notes.add("metadata that is not valid was left out")
    return {}


def _tidy_metadata(metadata: dict[str, Any], notes: _Notes) -> None:
    """Keep of a cell's tags, and of what nbgrader knows of it, what is sound."""
    tags = metadata.get("tags")
    if isinstance(tags, list):
        sound = [tag for tag in tags if isinstance(tag, str) and tag and "," not in tag]
        metadata["tags"] = list(dict.fromkeys(sound))
    known = metadata.pop("nbgrader", None)
    if isinstance(known, dict) and isinstance(known.get("grade_id"), str) and known["grade_id"]:
        metadata["nbgrader"] = {
            key: known[key]
            for key, types in NBGRADER.items()
            if isinstance(known.get(key), types)
            and (types is bool or not isinstance(known[key], bool))
        }
    elif known:
        notes.add("what nbgrader has to know of a cell was damaged")


def _has_sound_outputs(cell: Any) -> bool:
    """Outputs are not kept, since the notebook is going to be run; those that are not valid are worth a note."""
    outputs = cell.get("outputs") if isinstance(cell, dict) else None
    return outputs is None or (isinstance(outputs, list) and all(map(_is_output, outputs)))


def _is_output(found: Any) -> bool:
    kind = found.get("output_type") if isinstance(found, dict) else None
    if not isinstance(kind, str) or kind not in OUTPUTS:
        return False
    return all(isinstance(found.get(key), types) for key, types in OUTPUTS[kind].items())


def _identify(cells: list[dict[str, Any]]) -> None:
    """Give an id to each cell whose own is missing, not valid, or that of one before."""
    taken: set[Any] = {cell["id"] for cell in cells if isinstance(cell["id"], str)}
    seen: set[str] = set()
    number = 0
    for cell in cells:
        own = cell["id"]
        if not (isinstance(own, str) and re.fullmatch("[a-zA-Z0-9_-]{1,64}", own)) or own in seen:
            while (own := f"cell-{(number := number + 1)}") in taken:
                pass
            cell["id"] = own
        seen.add(own)


def _leave_out_invalid(nb: NotebookNode, notes: _Notes) -> None:
    """Leave out what the format's schema has other types for. Each part is tried alone, once the whole is not valid."""
    if _is_valid(nb):
        return

    def tried(place: dict[str, Any], key: str, within: dict[str, Any]) -> None:
        if key not in place or _is_valid({**nb, "metadata": {}, "cells": [], **within}):
            return
        if place.pop(key) is not None:
            notes.add("metadata that is not valid was left out")

    for key in list(nb.metadata):
        tried(nb.metadata, key, {"metadata": {key: nb.metadata[key]}})
    for cell in nb.cells:
        bare = {**cell, "metadata": {}}
        attachments = {"attachments": bare.pop("attachments", None)}
        tried(cell, "attachments", {"cells": [{**bare, **attachments}]})
        for key in list(cell.metadata):
            alone = {**bare, "metadata": {key: cell.metadata[key]}}
            tried(cell.metadata, key, {"cells": [alone]})


def _is_valid(nb: dict[str, Any]) -> bool:
    try:
        nbformat.validate(nb)
    except nbformat.ValidationError:
        return False
    return True
