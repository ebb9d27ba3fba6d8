"""What the grader and a warden say to each other while one notebook runs."""

from __future__ import annotations

import contextlib
import json
import socket
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from .inside import wire
from .job import Cell, CellRun


class Conversation:
    """With the warden of the student's process, or with that of the judge.

    Parameters
    ----------
    sock : socket
    interrupt : callable
        Called when the judge wants the student's process interrupted.
    """

    def __init__(self, sock: socket.socket, interrupt: Callable[[], None] = lambda: None) -> None:
        self.sock, self.interrupt = sock, interrupt
        self.language: dict[str, Any] = {}
        self.files = b""
        self.stopped = ""
        """Why the warden ended it."""
        self.slow = False
        """Whether it ran out of time by the clock alone, once at least."""
        self.over = False
        self._greeted = self._heard = False
        self._pieces: list[bytes] = []

    def begin(self, request: dict[str, Any], files: bytes) -> None:
        """Say what is wanted."""
        wire.send_json(self.sock, wire.REQUEST, request)
        wire.send(self.sock, wire.FILES, files)

    def run(self, cells: list[tuple[int, Cell]], ran: list[CellRun | None]) -> None:
        """Have cells run; each gets its place in ``ran``, by its number, once it has begun to answer."""
        if not cells:
            return
        numbers = [number for number, _ in cells]
        told = [{**asdict(cell), "name": f"cell-{number + 1}"} for number, cell in cells]
        self._say(wire.CELLS, json.dumps(told).encode())
        while numbers and not self.over:
            kind, content = self._hear()
            here = numbers[0]
            if kind in (wire.MESSAGE, wire.REPLY, wire.ENDED) and ran[here] is None:
                ran[here] = CellRun()
            run = ran[here]
            if run is None:
                continue
            if kind == wire.MESSAGE:
                run.messages.append(content)
            elif kind == wire.REPLY:
                run.reply = content
            elif kind == wire.ENDED:
                run.timed_out, run.output_cut = content["timed_out"], content["output_cut"]
                run.seconds = content["seconds"]
                self.slow |= content["slow"]
                numbers.pop(0)

    def folder(self) -> bytes:
        """An archive of what is in the folder now, or was when it ended."""
        self._say(wire.FOLDER)
        self._heard = False
        while not self.over and not self._heard:
            self._hear()
        return self.files

    def put(self, files: bytes) -> None:
        """Have the folder hold this instead."""
        self._say(wire.FILES, files)

    def finish(self) -> None:
        """Say that this was all, and wait for what is left in the folder."""
        self._say(wire.FINISH)
        while not self.over:
            self._hear()

    def interrupt_kernel(self) -> None:
        """Have the kernel interrupted in what the judge asked of it."""
        self._say(wire.INTERRUPT)

    def _say(self, kind: bytes, body: bytes = b"") -> None:
        with contextlib.suppress(
            ConnectionError
        ):  # it has ended, and what it said can still be heard
            wire.send(self.sock, kind, body)

    def _hear(self) -> tuple[bytes, Any]:
        kind, body = wire.receive(self.sock)
        if kind == wire.PIECE:
            self._pieces.append(body) if body else self._pieces.clear()
        elif kind == wire.FILES:
            self.files, self._pieces, self._heard = b"".join(self._pieces), [], True
        elif kind == wire.SAME:
            self._heard = True
        elif kind == wire.DONE:
            self.over = True
        elif kind == wire.INTERRUPT:
            self.interrupt()
        else:
            content = _read(body)
            if kind == wire.STOPPED:
                self.stopped, self.slow = content["why"], self.slow or content["slow"]
            elif kind == wire.MESSAGE and not self._greeted:
                self._greeted, self.language = True, content
            else:
                return kind, content
        return b"", None


def _read(body: bytes) -> Any:
    """What a frame says. It may come from a student: what is no JSON is nothing."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return {}
