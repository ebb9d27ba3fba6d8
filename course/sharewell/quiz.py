"""Self-check questions: choose an answer, and it explains itself.

Plain HTML without scripts: it works offline, in JupyterLab as in the book, by keyboard, and on paper. All texts go
through Python's gettext, so that a book in another language shows them in its own.
"""

from __future__ import annotations

import json
from gettext import gettext
from html import escape
from pathlib import Path
from typing import Any

from sharewell import content
from sharewell.errors import SharewellError


class Quiz:
    """Questions from a JSON file, shown as the last line of a cell.

    Parameters
    ----------
    path : path
        A file, or the name of one of the course's lessons where there is no such file: a notebook that was downloaded
        by itself finds its questions in the package. A list of questions, each with ``question``, ``type`` (``multiple_choice`` for one right answer,
        ``many_choice`` for several) and ``answers``, each with ``answer``, ``correct`` and ``feedback``.

    Raises
    ------
    SharewellError
        When there is no such file, or it holds no questions; the message names it.
    """

    def __init__(self, path: str | Path) -> None:
        try:
            self.questions: list[dict[str, Any]] = json.loads(
                _file(Path(path)).read_text(encoding="utf-8")
            )
            self._html = "".join(_question(n, q) for n, q in enumerate(self.questions, start=1))
        except OSError as error:
            raise SharewellError(f"cannot read the quiz {path}: {error.strerror}") from error
        except (ValueError, KeyError, TypeError) as error:
            raise SharewellError(f"{path} holds no quiz: {error!r}") from error

    def _repr_html_(self) -> str:
        return self._html

    def __repr__(self) -> str:
        return "\n".join(f"{n}. {q['question']}" for n, q in enumerate(self.questions, start=1))


def _file(path: Path) -> Path:
    if path.is_file() or path.name != str(path):
        return path
    lessons = (content.root() / "lessons").rglob("*.quiz.json")
    return next((questions for questions in lessons if questions.name == path.name), path)


def _question(number: int, question: dict[str, Any]) -> str:
    hint = {"multiple_choice": "one is right", "many_choice": "more than one may be right"}
    answers = "".join(map(_answer, question["answers"]))
    return (
        f"<p style='margin:1.4em 0 .4em'><strong>{number}. {escape(gettext(question['question']))}</strong> "
        f"<em>({gettext(hint[question['type']])})</em></p>{answers}"
    )


def _answer(answer: dict[str, Any]) -> str:
    verdict, colour = ("✓ Right.", "#095c42") if answer["correct"] else ("✗ No.", "#9b1c1c")
    return (
        "<details style='margin:.3em 0 .3em 1.2em'>"
        f"<summary style='cursor:pointer'>{escape(gettext(answer['answer']))}</summary>"
        f"<p style='margin:.2em 0 .6em;padding-left:.8em;border-left:.25em solid {colour}'>"
        f"<strong>{gettext(verdict)}</strong> {escape(gettext(answer['feedback']))}</p></details>"
    )
