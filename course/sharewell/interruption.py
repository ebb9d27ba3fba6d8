"""Ctrl-C that is not lost.

Python delivers Ctrl-C as a KeyboardInterrupt wherever the main thread happens to be. Inside the callback of a
weak reference or a destructor, of which running a notebook has many, it is printed and forgotten.
"""

from __future__ import annotations

import signal
import sys
import threading
from types import FrameType, TracebackType
from typing import Any


class Interruption:
    """While this context is open, Ctrl-C is remembered until it has been raised where it counts.

    It is raised at once, as always. Where Python swallows it, the next ``check`` raises it again. Outside the
    main thread, which gets no signals, and where Ctrl-C is ignored, the context changes nothing.
    """

    def __init__(self) -> None:
        self._came = False

    def check(self) -> None:
        """Raise KeyboardInterrupt if Ctrl-C came and was swallowed."""
        if self._came:
            raise KeyboardInterrupt

    def __enter__(self) -> Interruption:
        main = threading.current_thread() is threading.main_thread()
        self._handler = signal.getsignal(signal.SIGINT)
        self._installed = main and self._handler is signal.default_int_handler
        if self._installed:
            signal.signal(signal.SIGINT, self._remember)
            self._hook = sys.unraisablehook
            sys.unraisablehook = self._quiet
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._installed:
            signal.signal(signal.SIGINT, self._handler)
            sys.unraisablehook = self._hook

    def _remember(self, number: int, frame: FrameType | None) -> None:
        self._came = True
        raise KeyboardInterrupt

    def _quiet(self, swallowed: Any) -> None:
        if not issubclass(swallowed.exc_type, KeyboardInterrupt):
            self._hook(swallowed)
