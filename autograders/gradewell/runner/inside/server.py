"""The fork server: imports what the notebooks will import, then forks a warden for every notebook.

Its standard input is a socket. Over it come the settings, and then, for every notebook, one end of a new connection.
It ends when the socket closes.
"""

from __future__ import annotations

import gc
import importlib
import io
import json
import os
import signal
import socket
import sys
import warnings
from contextlib import redirect_stdout
from typing import Any


def main() -> None:
    """Serve until the grader closes the connection."""
    control = socket.socket(fileno=os.dup(0))
    settings: dict[str, Any] = json.loads(control.recv(1 << 16))
    from . import kernel as kernels  # after the environment is what it should be
    from . import warden

    kernel = kernels.prepare()
    preloaded = _preload(settings["preload"])
    kernels.warm_up(kernel)
    gc.collect()
    gc.freeze()  # what is there stays shared with the forks
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    control.send(json.dumps(preloaded).encode())
    while True:
        message, descriptors, _, _ = socket.recv_fds(control, 1 << 12, _DESCRIPTORS)
        if not message:
            return
        if os.fork() == 0:
            status = 1
            try:
                control.close()
                warden.quietly()
                _become_warden(json.loads(message), descriptors, kernel, settings)
                status = 0
            finally:
                os._exit(status)
        for number in descriptors:
            os.close(number)


_DESCRIPTORS = 64
"""Open files that can come with a request."""


def _become_warden(
    purposes: list[str], descriptors: list[int], kernel: Any, settings: dict[str, Any]
) -> None:
    """Serve one notebook. Each descriptor has its purpose: ``grader``, ``link``, ``meter``, or one in a control group."""
    from . import kernel as kernels
    from . import namespaces, warden, wire
    from .budget import Budget, Meter

    given = list(zip(purposes, descriptors, strict=True))
    ours = {purpose: number for purpose, number in given if purpose in ("grader", "link", "meter")}
    group = [pair for pair in given if pair[0] not in ours]
    grader = socket.socket(fileno=ours["grader"])
    link = socket.socket(fileno=ours["link"]) if "link" in ours else None
    meter = Meter(ours["meter"]) if "meter" in ours else None
    sandboxed: bool = settings["sandboxed"]
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    try:
        if sandboxed:
            namespaces.enter()
            if os.fork():
                os._exit(0)
            namespaces.hide()
        warden.Warden(
            grader,
            link,
            meter,
            Budget(sandboxed, group),
            lambda *given: kernels.run(kernel, *given),
            settings,
        ).work()
    except wire.Closed:
        pass
    except Exception as error:
        why = f"the sandbox failed: {type(error).__name__}: {error}"
        wire.send_json(grader, wire.STOPPED, {"why": why, "slow": False})


def _preload(names: list[str]) -> dict[str, str]:
    """Import modules; a name that cannot be imported costs only itself. Returns name to error, empty when fine."""
    found = {}
    for name in names:
        before = set(sys.modules)
        said = io.StringIO()
        try:
            with warnings.catch_warnings(record=True) as warned, redirect_stdout(said):
                importlib.import_module(name)
            found[name] = ""
        except BaseException as error:
            found[name] = f"{type(error).__name__}: {error}"
        if said.getvalue() or warned:  # what it says belongs to the cell that imports it
            for new in set(sys.modules) - before:
                if new == name or new.startswith(f"{name}."):
                    del sys.modules[new]
    return found
