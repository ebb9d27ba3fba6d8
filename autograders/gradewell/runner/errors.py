"""The one exception that the runner raises on purpose."""


class RunnerError(Exception):
    """What was asked for cannot be done; the text says what to do."""
