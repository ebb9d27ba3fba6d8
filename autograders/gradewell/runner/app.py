"""nbgrader's application, with our converter."""

from __future__ import annotations

from typing import Any

from nbgrader.apps.autogradeapp import AutogradeApp
from nbgrader.apps.baseapp import NbGrader

from .runner import Runner


class App(AutogradeApp):  # type: ignore[misc]
    """Reads the configuration that ``nbgrader autograde`` would read."""

    name = "gradewell-autograde"

    def begin(self, assignment: str) -> Runner:
        """Prepare for an assignment. Returns where its notebooks run."""
        NbGrader.start(self)
        self.coursedir.assignment_id = assignment
        return Runner(coursedir=self.coursedir, parent=self)


def load(arguments: list[str], **runner: Any) -> App:
    """The application with its configuration.

    Parameters
    ----------
    arguments : list of str
        Options as for ``nbgrader autograde``.
    runner
        Traits of Runner that are set, over what the configuration says.
    """
    App.clear_instance()
    app = App.instance()
    app.initialize(arguments)
    for name, value in runner.items():
        if value is not None:
            app.config.Runner[name] = value
    return app
