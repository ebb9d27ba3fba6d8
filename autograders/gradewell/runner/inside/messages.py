"""What a student's kernel sends, looked at before the grader reads it: here it can only harm its own notebook."""

from __future__ import annotations

import json
import math
from typing import Any

LONGEST_REPLY = 64 << 10
"""Bytes of an execute_reply: what it says of an error, in short."""
_SHORT = 2_000
HEAVIEST = 5
"""How many times as many bytes as of output all messages may weigh."""
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


def weight(body: bytes) -> float:
    """About how many bytes a message takes in memory, or in a notebook, where each value has a line of its own, whichever is more.

    Infinite for what is no JSON.
    """
    try:
        waiting: list[tuple[Any, int]] = [(json.loads(body), 0)]
    except (ValueError, RecursionError):
        return math.inf
    total = len(body)
    while waiting:
        one, depth = waiting.pop()
        total += _EACH + depth
        if isinstance(one, dict):
            waiting.extend((value, depth + 1) for value in one.values())
            total += _EACH * len(one)
        elif isinstance(one, list):
            waiting.extend((value, depth + 1) for value in one)
    return total
