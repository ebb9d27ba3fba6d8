"""nbgrader's sanitising, without its ways to stop at what a student did to a notebook."""

from __future__ import annotations

from typing import Any

import nbformat
from nbgrader.preprocessors import DeduplicateIds as NbgraderDeduplicateIds
from nbgrader.preprocessors import NbGraderPreprocessor


class Deduplicate(NbgraderDeduplicateIds):  # type: ignore[misc]
    """Copies of a test cell become ordinary cells. nbgrader's leaves them with half of their metadata, and stops."""

    def preprocess_cell(self, cell: Any, resources: Any, cell_index: int) -> tuple[Any, Any]:
        """See nbgrader."""
        cell, resources = super().preprocess_cell(cell, resources, cell_index)
        if cell.metadata.get("nbgrader") == {}:
            del cell.metadata["nbgrader"]
        return cell, resources


class MissingCells(NbGraderPreprocessor):  # type: ignore[misc]
    """Says which graded cells a notebook lacks. nbgrader leaves them without a score, and a person has to look."""

    def preprocess(self, nb: Any, resources: Any) -> tuple[Any, Any]:
        """See nbgrader."""
        converter = self.parent.parent
        name = resources["nbgrader"]["notebook"]
        wanted = converter.run.cells(name)
        found = {cell.metadata.get("nbgrader", {}).get("grade_id") for cell in nb.cells}
        if missing := sorted(wanted - found):
            text = f"This notebook lacks the cells {', '.join(missing)}; they could not be graded."
            nb.cells.insert(0, nbformat.v4.new_markdown_cell(f"**{text}**"))
            converter.note(f"{name}: {text[0].lower()}{text[1:-1]}")
        return nb, resources
