"""Names that others have chosen, on a terminal."""

from __future__ import annotations


def visible(text: str) -> str:
    """Text in which whatever a terminal would act upon is an escape."""
    return "".join(
        c if c.isprintable() or c in "\n\t" else c.encode("unicode_escape").decode() for c in text
    )


def printable(text: str) -> str:
    """Text without whatever a terminal would act upon."""
    return "".join(c for c in text if c.isprintable())
