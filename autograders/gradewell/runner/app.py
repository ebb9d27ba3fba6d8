"""nbgrader's application, with our converter."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nbgrader.apps.autogradeapp import AutogradeApp
from nbgrader.apps.baseapp import NbGrader
from traitlets import TraitError
from traitlets.config.loader import ArgumentError

from .errors import RunnerError
from .handed_in import time
from .runner import Runner


class App(AutogradeApp):  # type: ignore[misc]
    """Reads the configuration that ``nbgrader autograde`` would read."""

    name = "gradewell-autograde"

    def begin(self, assignment: str) -> Runner:
        """Prepare for an assignment. Returns where its notebooks run.

        Raises
        ------
        RunnerError
            The configuration has a value that cannot be.
        """
        NbGrader.start(self)
        self.coursedir.assignment_id = assignment
        # nbgrader gives up the whole run at a time that it cannot read
        self.coursedir.get_existing_timestamp = lambda folder: time(Path(folder))[0]
        try:
            return Runner(coursedir=self.coursedir, parent=self)
        except TraitError as error:
            raise RunnerError(f"a setting cannot be: {error}") from error


def load(arguments: list[str], runner: dict[str, Any]) -> App:
    """The application with its configuration.

    Parameters
    ----------
    arguments : list of str
        Options as for ``nbgrader autograde``.
    runner : dict
        Traits of Runner that are set, over what the configuration says, unless they are None.

    Raises
    ------
    RunnerError
        The options or the configuration cannot be read.
    """
    App.clear_instance()
    app = App.instance()
    app.raise_config_file_errors = True
    try:
        app.initialize(arguments)
    except (TraitError, ArgumentError) as error:
        raise RunnerError(f"an option cannot be: {error}") from error
    except Exception as error:
        where = f" in line {error.lineno}" if isinstance(error, SyntaxError) else ""
        raise RunnerError(
            f"nbgrader_config.py cannot be read: {type(error).__name__}{where}: {error}"
        ) from error
    for name, value in runner.items():
        if value is not None:
            app.config.Runner[name] = value
    return app
