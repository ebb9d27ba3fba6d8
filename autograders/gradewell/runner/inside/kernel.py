"""IPython's own kernel without sockets: it takes cells from a pipe and puts its messages into it.

The messages are those that the same kernel would publish over ZeroMQ (Jupyter messaging protocol 5), so nbclient makes
the same outputs of them. The kernel exists before the fork, so that a notebook does not wait for it to start.
"""

from __future__ import annotations

import asyncio
import base64
import importlib
import json
import logging
import os
import random
import signal
import socket
import sys
import threading
from types import SimpleNamespace
from typing import Any

import zmq
from ipykernel.iostream import IOPubThread, OutStream
from ipykernel.ipkernel import IPythonKernel
from ipykernel.kernelapp import IPKernelApp
from jupyter_client.session import Session, json_packer
from tornado.ioloop import IOLoop
from traitlets.config import Config

from . import wire


class PipeSession(Session):
    """A session whose messages go to the warden."""

    sock: socket.socket | None = None
    owner = 0
    reply = b""
    """The last execute_reply, which is sent when everything else of its cell has been."""
    lock = threading.Lock()

    def send(self, stream: Any, msg_or_type: Any, *args: Any, **kwargs: Any) -> Any:
        """Send a message as a frame; arguments as for Session.send."""
        message = msg_or_type
        buffers = kwargs.pop("buffers", None) or []
        if not isinstance(message, dict):
            content, parent, *_ = [*args, None, None]
            content, parent = kwargs.get("content", content), kwargs.get("parent", parent)
            message = self.msg(message, content, parent, metadata=kwargs.get("metadata"))
        if self.sock is None:
            return message
        if (
            os.getpid() != self.owner
        ):  # a fork of the student's: what it prints goes by the watched descriptors
            if message["msg_type"] == "stream":
                descriptor = 2 if message["content"]["name"] == "stderr" else 1
                os.write(descriptor, message["content"]["text"].encode())
            return message
        buffers = [*buffers, *message.get("buffers", [])]
        plain = {key: message[key] for key in ("header", "parent_header", "msg_type", "content")}
        plain["metadata"] = message.get("metadata") or {}
        plain["buffers"] = [base64.b64encode(bytes(memoryview(b))).decode() for b in buffers]
        if message["msg_type"] == "execute_reply":
            self.reply = json_packer(plain)
        else:
            with self.lock:
                wire.send(self.sock, wire.MESSAGE, json_packer(plain))
        return message


def prepare() -> Any:
    """Make the kernel, before the fork."""
    sys.argv = [""]
    app: Any = IPKernelApp.instance()  # magics look for their kernel there
    if sys.path[0] == "":  # put there by python -c
        del sys.path[0]
    app.init_path()
    os.environ.setdefault("MPLBACKEND", "module://matplotlib_inline.backend_inline")
    config = Config()
    config.HistoryManager.hist_file = ":memory:"
    session = PipeSession()
    session.check_pid = False
    kernel: Any = IPythonKernel.instance(
        session=session, config=config, log=logging.getLogger("ipykernel")
    )
    kernel.shell.extension_manager.load_extension("storemagic")
    app.kernel = kernel
    kernel.shell_channel_thread = SimpleNamespace(parent_thread=threading.main_thread())
    return kernel


def warm_up(kernel: Any) -> None:
    """Do once, before the fork, what is slow the first time: a cell, an error, a figure. It leaves no trace."""
    shell = kernel.shell
    for code in ("0", "0/0"):
        shell.run_cell(code, silent=True, store_history=False)
    shell.display_formatter.format(0)
    for name in ("last_exc", "last_type", "last_value", "last_traceback"):
        vars(sys).pop(name, None)
    if "matplotlib.pyplot" in sys.modules:
        from matplotlib import pyplot

        figure, axes = pyplot.subplots()
        axes.set_title("0")
        shell.display_formatter.format(figure)
        pyplot.close(figure)
        if "pandas" in sys.modules:
            importlib.import_module("pandas.plotting._matplotlib")


def run(kernel: Any, sock: socket.socket) -> None:
    """Run cells until the warden closes the pipe. In a fork of the process that prepared the kernel."""
    session: Any = kernel.session
    session.sock, session.owner = sock, os.getpid()
    random.seed()
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed()
    publisher = IOPubThread(zmq.Context().socket(zmq.PUB), session=session)
    publisher.start()
    kernel.iopub_thread = publisher
    sys.stdout = OutStream(session, publisher, "stdout")
    sys.stderr = OutStream(session, publisher, "stderr")
    kernel._stdout, kernel._stderr = sys.stdout, sys.stderr
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    asyncio.run(_serve(kernel, sock))


async def _serve(kernel: Any, sock: socket.socket) -> None:
    kernel.io_loop = IOLoop.current()
    number = 0
    wire.send_json(sock, wire.MESSAGE, kernel.language_info)
    while True:
        source = await _next(sock)
        number += 1
        request = kernel.session.msg(
            "execute_request",
            {"code": source, "silent": False, "store_history": True, "stop_on_error": False},
        )
        request["header"]["msg_id"] = f"cell-{number}"
        kernel.set_parent([], request, "shell")
        for stream in (kernel._stdout, kernel._stderr):
            stream.set_parent(request)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        kernel._publish_status("busy", "shell")
        try:
            await kernel.execute_request(None, [], request)
        finally:
            signal.signal(signal.SIGINT, signal.SIG_IGN)
        kernel._publish_status("idle", "shell")
        wire.send(sock, wire.REPLY, kernel.session.reply)


async def _next(sock: socket.socket) -> str:
    """The next cell; meanwhile the loop runs what the student left in it."""
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    loop.add_reader(sock, ready.set)
    await ready.wait()
    loop.remove_reader(sock)
    _, body = wire.receive(sock)
    source: str = json.loads(body)
    return source
