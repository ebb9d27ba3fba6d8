"""What a student's kernel sends, looked at before the grader reads it: here it can only harm its own notebook."""

from __future__ import annotations

import json
from typing import Any

LONGEST_REPLY = 64 << 10
"""Bytes of an execute_reply: what it says of an error, in short."""
_SHORT = 2_000
_EACH = 64
"""Bytes of memory for each value in JSON, about."""


def reply(message: dict[str, Any]) -> dict[str, Any]:
    """An execute_reply with what nbclient reads of it; all else about the cell is in the messages."""
    content = message["content"]
    kept = {key: content[key] for key in ("status", "execution_count") if key in content}
    for key in ("ename", "evalue"):
        if key in content:
            kept[key] = str(content[key])[:_SHORT]
    if "traceback" in content:
        kept["traceback"] = []
    return {**message, "content": kept, "metadata": {}, "buffers": []}


def is_plain(body: bytes, output: int) -> bool:
    """Whether a message is JSON that takes no more memory to read than a few times the bytes of output that are kept."""
    try:
        return _size(json.loads(body)) <= 4 * output
    except (ValueError, RecursionError):
        return False


def _size(value: Any) -> int:
    """About how many bytes the values in there take, beside the text."""
    waiting, number = [value], 0
    while waiting:
        one = waiting.pop()
        number += 1
        if isinstance(one, dict):
            waiting.extend(one.values())
            number += len(one)
        elif isinstance(one, list):
            waiting.extend(one)
    return number * _EACH
