"""No run, no points: what a test cell has to have said before nbgrader may give points for it.

nbgrader gives a test cell without output full points, and so a cell that never ran; it does the same where the last value is
no number, is not finite, or lies below 0, and stops at one above the maximum.
"""

from __future__ import annotations

import re
from typing import Any

from nbformat import NotebookNode
from nbgrader.utils import has_failed, is_grade, is_solution

from .job import CellRun
from .replay import error_output

# A number as Python, NumPy and R write it.
_NUMBER = re.compile(
    r"(?:\[1\]\s+)?(?P<wrapped>(?:np|numpy)\.u?(?:int|float)\d*\()?"
    r"(?P<number>[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)(?(wrapped)\))"
)


def settle(cell: NotebookNode, ran: CellRun | None) -> bool:
    """Give a test cell an error that did not run to its end, or whose value is no number of points. Returns whether it was the value.

    Parameters
    ----------
    cell : notebook cell
        With the outputs of its run.
    ran : CellRun
        How it ran; None when it did not.
    """
    if (
        not is_grade(cell)
        or is_solution(cell)
        or cell.cell_type != "code"
        or not cell.source.strip()
    ):
        return False
    if not _ended(ran):
        if not has_failed(cell):
            cell.outputs.insert(0, error_output(*_why(ran)))
        return False
    if has_failed(cell):
        return False
    most = float(cell.metadata.nbgrader["points"])
    for output in cell.outputs:
        if output.output_type == "execute_result":
            text = _text(output)
            found = _NUMBER.fullmatch(text.strip())
            if found is None or not 0 <= float(found["number"]) <= most:
                cell.outputs.insert(0, error_output("InvalidScore", _invalid(text, most)))
                return True
            output.data["text/plain"] = found["number"]
            return False
    return False


def _ended(ran: CellRun | None) -> bool:
    """Whether a sound reply says that the cell ran to its end."""
    if ran is None or ran.reply is None:
        return False
    content = ran.reply.get("content")
    return isinstance(content, dict) and content.get("status") == "ok"


def _why(ran: CellRun | None) -> tuple[str, str]:
    content: Any = (ran.reply or {}).get("content") if ran is not None else None
    if ran is None:
        return "NotRun", "This test was not run, so it gives no points."
    if isinstance(content, dict) and content.get("status") == "error":
        return str(content.get("ename", "Error"))[:100], str(content.get("evalue", ""))[:1000]
    return "NotRun", "This test did not run to its end, so it gives no points."


def _text(output: NotebookNode) -> str:
    text = output.get("data", {}).get("text/plain", "")
    return "".join(text) if isinstance(text, list) else str(text)


def _invalid(text: str, most: float) -> str:
    shown = text if len(text) <= 60 else f"{text[:60]} ..."
    return (
        f"The test cell's last value is no score between 0 and {most:g}: it is {shown}. A test ends with a number of points, or with "
        "nothing where it is made of assertions."
    )
