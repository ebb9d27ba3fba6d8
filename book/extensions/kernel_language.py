"""Runs in the kernel of a lesson before it: figures and self-check questions speak the language of the book.

``sharewell.quiz`` asks Python's own gettext. Matplotlib has no translations, so texts are looked up as they are set.
"""

from __future__ import annotations

import gettext
import os
import re
from typing import Any

_NUMBER = re.compile(r"\d[\d,.]*\d|\d")


def set_up(home: str, language: str) -> None:
    """Take texts from ``figures.mo`` and ``questions.mo`` below ``home/locale``, and Chinese characters from ``home/fonts``."""
    os.environ["LANGUAGE"] = language
    for domain in ("figures", "questions"):
        gettext.bindtextdomain(domain, f"{home}/locale")
    gettext.textdomain("questions")

    import matplotlib as mpl
    from matplotlib.font_manager import fontManager
    from matplotlib.text import Text

    for weight in ("Regular", "Bold"):
        fontManager.addfont(f"{home}/fonts/{weight}.otf")
    mpl.rcParams["font.family"] = ["DejaVu Sans", "Noto Sans CJK SC"]
    original = Text.set_text

    def set_text(self: Text, text: Any) -> None:
        original(self, translated(text) if isinstance(text, str) else text)

    Text.set_text = set_text


def template(text: str) -> str:
    """The message of a text: its numbers are left open."""
    return _NUMBER.sub("{}", text)


def translated(text: str) -> str:
    """A text in the language of the book, with its own numbers; as it is where the catalogue does not have it."""
    message = template(text)
    found = gettext.dgettext("figures", message) if message.strip() else message
    return text if found == message else found.format(*_NUMBER.findall(text))
