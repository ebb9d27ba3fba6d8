"""A student's answers in the instructor's notebook.

Of what was handed in count the text of answer cells, and cells of the student's own, at the place where they stood. All else is the
instructor's: which cells there are, in which order, with which tags, of which kind.
"""

from __future__ import annotations

import bisect
from collections.abc import Sequence
from copy import deepcopy
from difflib import SequenceMatcher
from typing import Any

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_raw_cell
from nbgrader.utils import is_solution

from .inside.names import bound, python_lines
from .original import Original, grade_id

_LONGEST, _MOST, _COMPARISONS = 2_000, 2_000, 150
"""Characters of a text, and cells, that are compared; and how many comparisons are made in all. Nobody's own notebook comes near."""
_PARSED_EACH, _PARSED = 50_000, 500_000
"""Characters of a cell, and of all cells, that are looked at for the names that they define."""
LIKE = 0.5
"""From which likeness on (of two texts, 0 to 1) a cell without a name is taken for the answer that is missing there."""
_NEW: Any = {"code": new_code_cell, "markdown": new_markdown_cell, "raw": new_raw_cell}
_SHOWN = 6


def restore(handed_in: NotebookNode, original: Original) -> tuple[NotebookNode, str]:
    """The instructor's notebook with a student's answers and own cells in it.

    Parameters
    ----------
    handed_in : notebook
        Valid, in nbformat 4.5.
    original : Original

    Returns
    -------
    notebook
        New; what was handed in is left as it is.
    str
        What had to be restored, as a sentence; empty for a notebook in which only answers and own cells were written.
    """
    found = _Matched(original, handed_in.cells)
    nb: NotebookNode = deepcopy(original.nb)
    used = {cell.id for cell in nb.cells}
    followers = found.followers()
    cells = [_own(theirs, original, used) for theirs in followers[-1]]
    for place, cell in enumerate(nb.cells):
        theirs = found.theirs_of(place)
        if grade_id(cell):
            cells.append(_answered(cell, theirs))
        elif place in found.kept:
            cells.append(_own(theirs or cell, original, used))
        cells += [_own(one, original, used) for one in followers.get(place, ())]
    nb.cells = cells
    return nb, found.sentence()


class _Matched:
    """Which cell of the student's is which of the instructor's, and what is otherwise about it."""

    def __init__(self, original: Original, theirs: Sequence[NotebookNode]) -> None:
        self.original, self.mine, self.theirs = original, original.nb.cells, theirs
        self.match: dict[int, int] = {}
        self.comparisons, self.parsed = _COMPARISONS, _PARSED
        self.names: dict[int, set[str]] = {}
        self.copies: dict[int, list[int]] = {}
        self._by_name()
        self.named = set(self.match)
        self._by_id()
        self._by_text()
        self._by_place()
        marked = [place for place, cell in enumerate(self.mine) if grade_id(cell)]
        self.marked = [place for place in marked if place in self.match]
        self.missing = [place for place in marked if place not in self.match]
        in_order = _increasing([self.match[place] for place in sorted(self.match)])
        self.anchors = [place for place in sorted(self.match) if self.match[place] in in_order]
        open_code = {
            place
            for place, cell in enumerate(self.mine)
            if not grade_id(cell) and cell.cell_type == "code"
        }
        self.deleted = [place for place in sorted(open_code) if place not in self.match]
        self.kept = open_code | set(self.anchors)
        """The places of cells that are the instructor's, or open to writing and in their place: code in any case."""

    def theirs_of(self, place: int) -> NotebookNode | None:
        return self.theirs[self.match[place]] if place in self.match else None

    def followers(self) -> dict[int, list[NotebookNode]]:
        """The student's own cells after each of the instructor's, by its place; -1 before them all."""
        found: dict[int, list[NotebookNode]] = {-1: []}
        taken = {self.match[place] for place in [*self.marked, *self.kept] if place in self.match}
        anchors = {self.match[place]: place for place in self.anchors}
        copied = {number for numbers in self.copies.values() for number in numbers}
        here = -1
        for number, cell in enumerate(self.theirs):
            here = anchors.get(number, here)
            if number not in taken and not (number in copied and self._is_given(cell)):
                found.setdefault(here, []).append(cell)
        return found

    def sentence(self) -> str:
        """What had to be restored."""
        there = {*self.marked, *self.kept} - set(self.deleted)
        moved = sorted(there - set(self.anchors))
        parts = [
            ("missing", [*self.missing, *self.deleted]),
            ("moved", moved),
            ("there more than once", sorted(self.copies)),
            ("of another type", [p for p in self.marked if self._retyped(p)]),
            ("changed, though it is not for writing", [p for p in self.marked if self._changed(p)]),
            ("without a name", [p for p in self.marked if p not in self.named]),
            ("marked otherwise", [p for p in self.marked if self._retagged(p)]),
        ]
        said = []
        for what, places in parts:
            if places:
                names = [self._called(place) for place in places[:_SHOWN]]
                more = f" and {len(places) - _SHOWN} more" if len(places) > _SHOWN else ""
                said.append(
                    f"{', '.join(names)}{more} {'was' if len(places) == 1 else 'were'} {what}"
                )
        return (
            f"cells of the lab were put back as they had been handed out: {'; '.join(said)}"
            if said
            else ""
        )

    # -- matching -----------------------------------------------------------------------------------

    def _by_name(self) -> None:
        theirs: dict[str, list[int]] = {}
        for number, cell in enumerate(self.theirs):
            about = cell.metadata.get("nbgrader")
            if isinstance(about, dict) and isinstance(about.get("grade_id"), str):
                theirs.setdefault(about["grade_id"], []).append(number)
        for place, cell in enumerate(self.mine):
            numbers = theirs.get(grade_id(cell), [])
            if numbers:
                written = [n for n in numbers if not self._is_given(self.theirs[n])]
                self.match[place] = (written if is_solution(cell) and written else numbers)[-1]
                if len(numbers) > 1:
                    self.copies[place] = [n for n in numbers if n != self.match[place]]

    def _by_id(self) -> None:
        free = {self.theirs[number].id: number for number in self._free()}
        for place, cell in enumerate(self.mine):
            number = free.get(cell.id)
            if place not in self.match and number is not None:
                same = self.theirs[number].cell_type == cell.cell_type
                if grade_id(cell) or same:
                    self.match[place] = number

    def _by_text(self) -> None:
        """Cells that are as they were handed out, each in the room that its neighbours leave."""
        for place, cell in enumerate(self.mine):
            given = self.original.released.get(cell.id, cell.source).strip()
            if place in self.match or not given:
                continue
            for number in self._room(place):
                theirs = self.theirs[number]
                if theirs.cell_type == cell.cell_type and theirs.source.strip() == given:
                    self.match[place] = number
                    break

    def _by_place(self) -> None:
        """An answer without a name: the cell in its place that is most like what was handed out, or defines what is asked for."""
        for place, cell in enumerate(self.mine):
            if place in self.match or not is_solution(cell):
                continue
            room = self._room(place)
            same = [n for n in room if self.theirs[n].cell_type == cell.cell_type] or room
            rated = [(self._likeness(place, number), -number) for number in same]
            alone = len(same) == 1 and not any(
                other != place and other not in self.match and is_solution(self.mine[other])
                for other in self._gap(place)
            )
            if rated and (max(rated)[0] >= LIKE or alone):
                self.match[place] = -max(rated)[1]

    def _likeness(self, place: int, number: int) -> float:
        cell, text = self.mine[place], self.theirs[number].source
        wanted = bound(python_lines(self.original.solutions.get(grade_id(cell), "")))
        if cell.cell_type == "code" and wanted and wanted <= self._names(number):
            return 2.0
        if not self.comparisons or number > _MOST:
            return 0.0
        given = self.original.released.get(cell.id, cell.source)
        matcher = SequenceMatcher(None, given[:_LONGEST], text[:_LONGEST], autojunk=False)
        if matcher.quick_ratio() < LIKE:
            return 0.0
        self.comparisons -= 1
        return matcher.ratio()  # which takes the product of the lengths

    def _names(self, number: int) -> set[str]:
        """What a cell of the student's defines; nothing where there is more to read than anybody writes."""
        if number not in self.names:
            text = self.theirs[number].source
            reads = len(text) <= min(_PARSED_EACH, self.parsed)
            self.parsed -= len(text) * reads
            self.names[number] = set(bound(python_lines(text))) if reads else set()
        return self.names[number]

    def _gap(self, place: int) -> range:
        """The places around one of the instructor's whose cells have not been found."""
        low = high = place
        while low > 0 and low - 1 not in self.match:
            low -= 1
        while high + 1 < len(self.mine) and high + 1 not in self.match:
            high += 1
        return range(low, high + 1)

    def _room(self, place: int) -> list[int]:
        """The student's cells that are no other's, between those that have been found before and after a place."""
        gap = self._gap(place)
        low = self.match.get(gap[0] - 1, -1)
        high = self.match.get(gap[-1] + 1, len(self.theirs))
        free = self._free()
        return [number for number in free if low < number < high] if low < high else free

    def _free(self) -> list[int]:
        taken = set(self.match.values())
        return [number for number in range(len(self.theirs)) if number not in taken]

    # -- what is otherwise --------------------------------------------------------------------------

    def _is_given(self, theirs: NotebookNode) -> bool:
        """Whether a cell with the name of one of the instructor's has the text that was handed out."""
        name = theirs.metadata["nbgrader"]["grade_id"]
        return any(
            theirs.source.strip() in (cell.source.strip(), self.original.released[cell.id].strip())
            for cell in self.mine
            if grade_id(cell) == name
        )

    def _retyped(self, place: int) -> bool:
        return self.theirs[self.match[place]].cell_type != self.mine[place].cell_type

    def _changed(self, place: int) -> bool:
        cell, theirs = self.mine[place], self.theirs[self.match[place]]
        given = (cell.source.strip(), self.original.released[cell.id].strip())
        return not is_solution(cell) and theirs.source.strip() not in given

    def _retagged(self, place: int) -> bool:
        own, theirs = self.mine[place].metadata, self.theirs[self.match[place]].metadata
        added = set(_tags(theirs)) - set(_tags(own))
        about = theirs.get("nbgrader")
        kinds = ("grade", "solution", "locked", "task")
        told = isinstance(about, dict) and any(
            bool(about.get(kind, own.nbgrader.get(kind, False)))
            != bool(own.nbgrader.get(kind, False))
            for kind in kinds
        )
        return told or "skip-execution" in added

    def _called(self, place: int) -> str:
        cell = self.mine[place]
        first = cell.source.strip().splitlines()[0][:40] if cell.source.strip() else cell.id
        return grade_id(cell) or f"“{first}”"


def _answered(cell: NotebookNode, theirs: NotebookNode | None) -> NotebookNode:
    """A cell of the instructor's, with the student's text where it is for writing."""
    if theirs is not None and is_solution(cell):
        cell.source = theirs.source
        cell.pop("attachments", None)
        if cell.cell_type == "markdown" and theirs.get("attachments"):
            cell["attachments"] = deepcopy(theirs.attachments)
    if cell.cell_type == "code":
        cell.outputs, cell.execution_count = [], None
    return cell


def _own(theirs: NotebookNode, original: Original, used: set[str]) -> NotebookNode:
    """A cell of the student's own, or one of the instructor's that is open to writing."""
    metadata = {key: deepcopy(value) for key, value in theirs.metadata.items() if key != "nbgrader"}
    if theirs.id in original.released:  # the tags of the instructor's, where it was one of those
        for mine in original.nb.cells:
            if mine.id == theirs.id and not grade_id(mine) and mine.cell_type == theirs.cell_type:
                metadata = deepcopy(mine.metadata)
                used.discard(mine.id)
    name, number = theirs.id, 0
    while name in used:
        number += 1
        name = f"{theirs.id[:50]}-{number}"
    used.add(name)
    cell: NotebookNode = _NEW[theirs.cell_type](theirs.source, id=name, metadata=metadata)
    if theirs.cell_type == "markdown" and theirs.get("attachments"):
        cell["attachments"] = deepcopy(theirs.attachments)
    return cell


def _tags(metadata: NotebookNode) -> list[str]:
    tags = metadata.get("tags")
    return [tag for tag in tags if isinstance(tag, str)] if isinstance(tags, list) else []


def _increasing(numbers: Sequence[int]) -> set[int]:
    """The numbers of a longest part in which each is larger than the one before."""
    ends: list[int] = []
    links: dict[int, int | None] = {}
    for number in numbers:
        at = bisect.bisect_left(ends, number)
        links[number] = ends[at - 1] if at else None
        ends[at : at + 1] = [number]
    found: set[int] = set()
    last: int | None = ends[-1] if ends else None
    while last is not None:
        found.add(last)
        last = links[last]
    return found
