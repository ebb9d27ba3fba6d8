"""Frames between the grader, the warden and the kernel: one letter for the kind, the length, the bytes."""

from __future__ import annotations

import json
import socket
import struct
from typing import Any

HEAD = struct.Struct(">cI")

REQUEST, FILES = b"q", b"f"  # grader to warden: what is wanted, and the archive of its folder
PIECE, SAME = (
    b"p",
    b"=",
)  # back: a piece of the folder's archive, an empty one first, FILES after the last; it is what was sent last
CELLS, FINISH, INTERRUPT = (
    b"c",
    b"z",
    b"i",
)  # grader to warden: run these; that was all; end what is being asked
FOLDER = b"o"  # grader to warden: say what is in the folder now
SOURCE = b"s"  # warden to kernel: the next cell
MESSAGE, REPLY = (
    b"m",
    b"r",
)  # kernel to warden to grader: what a cell puts out, and how it ended; a judge's may say INTERRUPT, too
ENDED = b"e"  # warden to grader: how a cell ended in the warden's eyes
STOPPED, DONE = b"x", b"d"  # warden to grader: why it was stopped; that is all


class Closed(Exception):
    """The other side is gone."""


class TooLarge(Exception):
    """The other side announces more than is wanted."""


def send(sock: socket.socket, kind: bytes, body: bytes = b"") -> None:
    """Send one frame. Raises OSError when the other side is gone."""
    sock.sendall(HEAD.pack(kind, len(body)) + body)


def send_json(sock: socket.socket, kind: bytes, body: Any) -> None:
    """Send one frame that holds JSON."""
    send(sock, kind, json.dumps(body).encode())


def receive(sock: socket.socket, largest: int = 1 << 32) -> tuple[bytes, bytes]:
    """The next frame's kind and body. Raises Closed when the other side is gone, TooLarge, and TimeoutError."""
    kind, length = HEAD.unpack(_exactly(sock, HEAD.size))
    if length > largest:
        raise TooLarge
    return kind, _exactly(sock, length)


def _exactly(sock: socket.socket, size: int) -> bytes:
    received = bytearray()
    while len(received) < size:
        try:
            piece = sock.recv(min(size - len(received), 1 << 20))
        except ConnectionError:
            piece = b""
        if not piece:
            raise Closed
        received += piece
    return bytes(received)
