"""The messages of a notebook that has run, repeated to nbclient, which makes outputs of them."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Sequence
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from jupyter_client.jsonutil import parse_date
from nbformat import NotebookNode
from nbformat.v4 import new_output

from .job import CellRun, Transcript


class Replay:
    """Stands where nbclient has the client of a kernel, and repeats what was said."""

    def __init__(self, transcript: Transcript, error_on_timeout: dict[str, Any]) -> None:
        self.transcript, self.error_on_timeout = transcript, error_on_timeout
        _settle_displays(transcript.cells)
        self.number = 0
        self.shell_channel = SimpleNamespace(get_msg=self._next_reply, send=_unheard)
        self.session = SimpleNamespace(msg=lambda *_, **__: {})
        self.iopub_channel = SimpleNamespace(get_msg=self._next_output)
        self.left: list[dict[str, Any]] = []
        self.reply: dict[str, Any] = {}

    def execute(self, source: str, **_: Any) -> str:
        """Begin the next cell."""
        self.number += 1
        name = f"cell-{self.number}"
        cells = self.transcript.cells
        found = cells[self.number - 1] if self.number <= len(cells) else None
        begun, run = found is not None, found or CellRun()
        self.left = [_decoded(message) for message in run.messages if _sound(message)]
        self.left = [m for m in self.left if m["parent_header"].get("msg_id") == name]
        self.left = [m for m in self.left if not _captures_others(m, name)]
        self.reply = self._error(run, begun) or _decoded(run.reply or {})
        self.reply["parent_header"] = {"msg_id": name}
        idle = {"msg_type": "status", "content": {"execution_state": "idle"}}
        if not any(message["content"] == idle["content"] for message in self.left):
            self.left.append(_decoded({**idle, "parent_header": {"msg_id": name}}))
        self.left.reverse()
        return name

    async def _next_reply(self, timeout: float | None) -> dict[str, Any]:
        await asyncio.sleep(0)
        return self.reply

    async def _next_output(self, timeout: float | None) -> dict[str, Any]:
        await asyncio.sleep(0)
        return self.left.pop()

    async def is_alive(self) -> bool:
        """It has been, and that is enough."""
        return True

    def _error(self, run: CellRun, begun: bool) -> dict[str, Any] | None:
        """The reply that says what went wrong outside the cell's own code."""
        if run.timed_out and self.error_on_timeout:
            content = {**self.error_on_timeout, "status": "error"}
            return _decoded({"msg_type": "execute_reply", "content": content})
        why = self.transcript.stopped
        if run.reply is None or not _sound(run.reply):
            return _failure(*not_run(why, begun))
        if run.output_cut:
            return _failure("OutputLimitExceeded", "This cell put out more than can be kept.")
        return None


def not_run(why: str, begun: bool) -> tuple[str, str]:
    """The name and the text of the error in a cell that did not run to its end."""
    if not why:
        return "NotebookStopped", "The kernel gave no answer."
    if begun:
        return "NotebookStopped", f"The notebook was stopped here: {why}."
    return "NotRun", f"This cell was not run, because the notebook was stopped before: {why}."


def error_output(name: str, text: str) -> NotebookNode:
    traceback = [f"\x1b[0;31m{name}\x1b[0m: {text}"]
    return new_output("error", ename=name, evalue=text, traceback=traceback)


def _failure(name: str, text: str) -> dict[str, Any]:
    error = error_output(name, text)
    content = {"status": "error", **{key: error[key] for key in ("ename", "evalue", "traceback")}}
    return _decoded({"msg_type": "execute_reply", "content": content})


def _sound(message: Any) -> bool:
    """Whether a message has the parts that nbclient takes for granted; a student's process may have written it."""
    try:
        return (
            isinstance(message["content"], dict)
            and isinstance(message["header"], dict)
            and isinstance(message["parent_header"], dict)
            and isinstance(message["msg_type"], str)
            and message["content"].get("status", "ok") in ("ok", "error")
        )
    except (KeyError, TypeError):
        return False


def _settle_displays(runs: Sequence[CellRun | None]) -> None:
    """Give every display that has an id what was shown last under this id, and leave its updates out.

    nbclient looks for all that have an id at each of its messages, which for thousands of them takes thousands times thousands.
    """
    last: dict[str, dict[str, Any]] = {}
    with_id = [
        (run, message, name)
        for run in runs
        if run is not None
        for message in run.messages
        if (name := _display_id(message)) is not None
    ]
    for _, message, name in with_id:
        last[name] = message["content"]
    updates = set()
    for _, message, name in with_id:
        if message["msg_type"] == "update_display_data":
            updates.add(id(message))
            continue
        shown = {key: last[name].get(key, {}) for key in ("data", "metadata")}
        message["content"] = {**message["content"], **shown, "transient": {}}
    for run in runs:
        if run is not None and updates:
            run.messages = [message for message in run.messages if id(message) not in updates]


def _display_id(message: Any) -> str | None:
    """The id under which a message shows something; None where it has none."""
    if not _sound(message) or message["msg_type"] not in _DISPLAYS:
        return None
    transient = message["content"].get("transient")
    name = transient.get("display_id") if isinstance(transient, dict) else None
    return name if isinstance(name, str) and name else None


_DISPLAYS = ("display_data", "execute_result", "update_display_data")


def _captures_others(message: dict[str, Any], name: str) -> bool:
    """Whether this would let a widget swallow what another cell puts out, such as a test cell's score."""
    if not message["msg_type"].startswith("comm_"):
        return False
    data = message["content"].get("data")
    state = data.get("state") if isinstance(data, dict) else None
    return isinstance(state, dict) and state.get("msg_id") not in (None, "", name)


def _unheard(message: dict[str, Any]) -> None:
    """What nbclient tells a widget in the place of a browser: the notebook has run already."""


def _decoded(message: dict[str, Any]) -> dict[str, Any]:
    """A message with the date and the buffers that nbclient expects."""
    header = {**message.get("header", {}), "msg_type": message["msg_type"]}
    header["date"] = parse_date(header.get("date")) or datetime.now(UTC)
    buffers = [base64.b64decode(text) for text in message.get("buffers", [])]
    return {**message, "header": header, "buffers": buffers}
