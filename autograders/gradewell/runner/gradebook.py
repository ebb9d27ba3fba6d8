"""nbgrader's gradebook, opened once and written once a submission.

nbgrader opens the gradebook nine times a submission and commits after every grade. Here all of it goes through one
connection, and into one transaction: a submission is in the gradebook, or it is not.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from nbgrader import api


class OneGradebook:
    """Stands in for the class ``nbgrader.api.Gradebook`` while the context is open.

    Whoever asks for a gradebook gets one that neither closes nor commits; ``transaction`` commits. Sessions belong to
    threads; only one thread may work at a time.
    """

    def __init__(self) -> None:
        self._original = api.Gradebook
        self._opened: dict[str, Any] = {}
        self._courses: set[tuple[str, str]] = set()
        self._replaced: list[Any] = []

    def __call__(
        self, db_url: str, course_id: str = "default_course", authenticator: Any = None
    ) -> Any:
        """As the constructor of nbgrader's Gradebook."""
        if db_url not in self._opened:
            opened = self._original(db_url, course_id, authenticator)
            opened.db.commit()
            opened.db.commit = opened.db.flush
            opened.close = lambda: None
            self._opened[db_url] = opened
            self._courses.add((db_url, course_id))
        opened = self._opened[db_url]
        asked = self._original.__new__(self._original)
        asked.__dict__.update(opened.__dict__, course_id=course_id, authenticator=authenticator)
        if (db_url, course_id) not in self._courses:
            asked.check_course(course_id=course_id)
            self._courses.add((db_url, course_id))
        return asked

    def commit(self) -> None:
        """Keep what this thread has written."""
        for gradebook in self._opened.values():
            type(gradebook.db).commit(gradebook.db)

    def rollback(self) -> None:
        """Undo what this thread has written since its last commit."""
        for gradebook in self._opened.values():
            gradebook.db.rollback()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Keep what is written in this context if it ends well, and undo it if not."""
        try:
            yield
            self.commit()
        except BaseException:
            self.rollback()
            raise

    def __enter__(self) -> OneGradebook:
        for module in list(sys.modules.values()):
            if getattr(module, "__dict__", {}).get("Gradebook") is self._original:
                module.__dict__["Gradebook"] = self
                self._replaced.append(module)
        return self

    def __exit__(self, *error: object) -> None:
        for module in self._replaced:
            module.__dict__["Gradebook"] = self._original
        for gradebook in self._opened.values():
            gradebook.db.remove()
            gradebook.engine.dispose()
