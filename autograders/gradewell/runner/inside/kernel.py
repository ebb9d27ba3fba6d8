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
from functools import partial
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
from .budget import Meter
from .judge import Namespace, OwnModules, Step, become
from .messages import reply
from .peer import Peer
from .values import CannotCross


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
            self.reply = json_packer(reply(plain))
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


def run(
    kernel: Any,
    sock: socket.socket,
    link: socket.socket | None,
    judge: dict[str, Any] | None,
    meter: Meter | None,
) -> None:
    """Run cells until the warden closes the pipe. In a fork of the process that prepared the kernel.

    Parameters
    ----------
    link : socket
        To the judge or, in the judge, to the student's process; none without a judge.
    judge : dict
        What the judge has to know, when this is the judge.
    meter : Meter
        What the student's process uses, when this is the judge.
    """
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
    peer: Peer | None = None
    names: Namespace | None = None
    if link is not None and judge is not None:
        sys.path[:] = [path for path in sys.path if path not in ("", ".")]
        sys.meta_path.append(OwnModules(judge["files"]))
        names = become(kernel, [Step(**step) for step in judge["steps"]], judge["answers"])

        def interrupt() -> None:
            with session.lock:
                wire.send(sock, wire.INTERRUPT)

        peer = names.peer = Peer(
            link,
            False,
            lambda: {},
            names.known_class,
            judge["largest"],
            judge["seconds"],
            interrupt,
            meter,
        )
        peer.asked = lambda verb: names.forget() if verb != "name" else None
    elif link is not None:
        own: dict[str, Any] = kernel.shell.user_ns
        peer = Peer(link, True, lambda: own, partial(_class, own), 1 << 31)
    with asyncio.Runner() as runner:
        loop = runner.get_loop()
        serving = loop.create_task(_serve(kernel, sock, peer, names))
        serving.add_done_callback(lambda _: loop.stop())
        while not serving.done():  # exit() and quit() have IPython stop the loop a little later
            loop.run_forever()
        serving.result()


def _class(names: dict[str, Any], module: str, name: str) -> type:
    """A class in the student's process, where the judge may name any."""
    found: Any = (
        SimpleNamespace(**names) if module == "__main__" else importlib.import_module(module)
    )
    for part in name.split("."):
        found = getattr(found, part, None)
    if not issubclass(type(found), type):
        raise CannotCross(f"there is no class {name}")
    return found


async def _serve(
    kernel: Any, sock: socket.socket, peer: Peer | None, names: Namespace | None
) -> None:
    kernel.io_loop = IOLoop.current()
    wire.send_json(sock, wire.MESSAGE, kernel.language_info)
    while True:
        cell = await _next(sock, peer if names is None else None)
        if names is not None:
            names.reach(cell["test"])
            assert peer is not None
            peer.failed = ""
        request = kernel.session.msg(
            "execute_request",
            {
                "code": cell["source"],
                "silent": False,
                "store_history": True,
                "stop_on_error": False,
            },
        )
        request["header"]["msg_id"] = cell["name"]
        kernel.set_parent([], request, "shell")
        for stream in (kernel._stdout, kernel._stderr):
            stream.set_parent(request)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        kernel._publish_status("busy", "shell")
        try:
            await kernel.execute_request(None, [], request)
        finally:
            signal.signal(signal.SIGINT, signal.SIG_IGN)
        if names is not None and peer is not None and peer.failed:
            _fail(kernel, peer.failed)
        kernel._publish_status("idle", "shell")
        wire.send(sock, wire.REPLY, kernel.session.reply)


def _fail(kernel: Any, why: str) -> None:
    """Make an error of a test that ran to its end over a question that had no answer: a test of what must raise would take that for it."""
    reply = json.loads(kernel.session.reply)
    if reply["content"]["status"] != "ok":
        return
    error = {
        "ename": "NotAnswered",
        "evalue": why,
        "traceback": [f"\x1b[0;31mNotAnswered\x1b[0m: {why}"],
    }
    kernel.send_response(kernel.iopub_socket, "error", error)
    reply["content"] = {**reply["content"], **error, "traceback": [], "status": "error"}
    kernel.session.reply = json.dumps(reply).encode()


async def _next(sock: socket.socket, peer: Peer | None) -> dict[str, Any]:
    """The next cell; meanwhile the loop runs what the student left in it, and the judge is answered."""
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    loop.add_reader(sock, ready.set)
    if peer is not None:
        loop.add_reader(peer.sock, _answer, peer, loop)
    await ready.wait()
    loop.remove_reader(sock)
    if peer is not None:
        loop.remove_reader(peer.sock)
    _, body = wire.receive(sock)
    cell: dict[str, Any] = json.loads(body)
    return cell


def _answer(peer: Peer, loop: asyncio.AbstractEventLoop) -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        peer.serve()
    except (wire.Closed, KeyboardInterrupt):  # the judge is gone, or it stopped waiting
        loop.remove_reader(peer.sock)
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
