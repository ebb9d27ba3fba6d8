"""Kernels of other languages: an ordinary kernel, in the same sandbox, reached over sockets in a private folder."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from typing import Any

import psutil
from jupyter_client.manager import AsyncKernelManager

from . import groups, sandbox
from .inside import seccomp
from .runner import Runner

TICK = 0.1
"""Seconds between two looks at memory and processes."""


class Watch:
    """What a kernel has used, and why it was stopped, if it was."""

    def __init__(self, runner: Runner) -> None:
        self.limits = runner.limits
        self.stopped = ""
        self.output = 0

    def put_out(self, size: int) -> bool:
        """Count bytes of output. Returns whether they may be kept."""
        self.output += size
        if self.output > 5 * self.limits.output:
            self.stopped = f"it put out more than {5 * self.limits.output / 2**20:,.0f} MiB"
        return self.output <= self.limits.output

    async def over(self, process: psutil.Process, group: groups.Group | None) -> None:
        """Watch a process and its children, and kill them when they use too much."""
        end = time.monotonic() + self.limits.seconds
        children: list[psutil.Process] = []
        while not self.stopped:
            await asyncio.sleep(TICK)
            try:
                children = process.children(recursive=True)
            except psutil.NoSuchProcess:
                return
            memory = sum(map(_resident, children))
            if time.monotonic() > end:
                self.stopped = f"it took more than {self.limits.seconds:g} s altogether"
            elif memory > self.limits.memory or (group and group.refused()):
                self.stopped = f"it used more than {self.limits.memory / 2**20:,.0f} MiB of memory"
            elif len(children) > self.limits.processes:
                self.stopped = f"it started more than {self.limits.processes} processes"
        for one in [process, *children]:
            with contextlib.suppress(psutil.NoSuchProcess):
                one.kill()


def kernel_manager(
    runner: Runner, watch: Watch, variables: dict[str, str]
) -> type[AsyncKernelManager]:
    """The class with which nbclient shall start kernels that have these environment variables, beside the usual ones.

    Raises
    ------
    RunnerError
        Kernels should be sandboxed, and cannot be.
    """
    sandboxed = runner.sandboxed

    class Watched(AsyncKernelManager):
        """It sees its notebook's folder and its own connection file, and no network."""

        def __init__(self, **traits: Any) -> None:
            super().__init__(**traits)
            self.private = tempfile.mkdtemp(prefix="gradewell-")
            self.connection_file = os.path.join(self.private, "kernel.json")
            if sandboxed:  # which has no network, not even to this machine
                self.transport = "ipc"

        async def _async_launch_kernel(self, kernel_cmd: list[str], **kw: Any) -> None:
            kw.update(stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            limits = watch.limits
            if shutil.which("prlimit"):
                limited = [
                    "prlimit",
                    f"--cpu={limits.seconds}",
                    f"--nofile={limits.files}",
                    f"--fsize={limits.disk}",
                    "--core=0",
                ]
                kernel_cmd = [*limited, *kernel_cmd]
            self.group = None
            if runner.control_groups:
                with contextlib.suppress(OSError):  # then what it uses is added up only
                    self.group = groups.Group(limits)
            with contextlib.ExitStack() as stack:
                if sandboxed:
                    folder = os.path.abspath(kw.pop("cwd", None) or os.curdir)
                    view = self._view(kernel_cmd, folder)
                    filtering = -1
                    if runner.filter_calls and not seccomp.unavailable():
                        counted = {purpose for purpose, _ in self.group.files} if self.group else ()
                        written = seccomp.program("memory" in counted, sessions=True)
                        filtering = stack.enter_context(_holding(written))
                        kw["pass_fds"] = (*kw.get("pass_fds", ()), filtering)
                    kernel_cmd = sandbox.command(view, kernel_cmd, folder, filtering)
                    kw["env"] = dict(view.environment)
                kw["env"] = {**kw.get("env", os.environ), **variables}
                if self.group:  # it moves itself there before it begins
                    kernel_cmd = [*_MOVED, *self.group.places(), "--", *kernel_cmd]
                    self.group.bound(limits)
                await super()._async_launch_kernel(kernel_cmd, **kw)
            provisioner: Any = self.provisioner
            self.process = psutil.Process(provisioner.pid)
            self.watching = asyncio.ensure_future(watch.over(self.process, self.group))

        def _view(self, program: list[str], folder: str) -> sandbox.View:
            assert self.kernel_spec is not None
            found = [shutil.which(word) for word in program if os.sep in word]
            programs = [os.path.dirname(os.path.realpath(path)) for path in found if path]
            return sandbox.View(
                readable=(
                    *sandbox.python_paths(sys.executable),
                    *runner.readable,
                    self.kernel_spec.resource_dir,
                    *programs,
                ),
                hidden=(os.path.abspath(runner.coursedir.root), *runner.hidden),
                writable=(folder, self.private),
                bound=True,
                environment={
                    **sandbox.environment(runner.environment),
                    **self.kernel_spec.env,
                    **variables,
                    "NBGRADER_EXECUTION": "autograde",
                    "IPYTHONDIR": "/tmp/.ipython",
                },
            )

        async def _async_signal_kernel(self, signum: int) -> None:
            if not sandboxed:
                await super()._async_signal_kernel(signum)
                return
            for inner in self.process.children():  # bubblewrap itself does not pass signals on
                for one in inner.children(recursive=True):
                    with contextlib.suppress(psutil.NoSuchProcess):
                        one.send_signal(signum)

        async def _async_cleanup_resources(self, restart: bool = False) -> None:
            await super()._async_cleanup_resources(restart)
            if not restart:
                self.watching.cancel()
                if self.group:
                    self.group.close()
                shutil.rmtree(self.private, ignore_errors=True)

    return Watched


_MOVED = [
    "/bin/sh", "-c", 'while [ "$1" != -- ]; do echo 0 > "$1" || exit 70; shift; done; shift; exec "$@"', "sh",
]  # fmt: skip
"""Moves the process into the groups whose files are named up to ``--``, and becomes the command after it."""


@contextlib.contextmanager
def _holding(content: bytes) -> Iterator[int]:
    """An open file that holds this."""
    number = os.memfd_create("filter", 0)
    try:
        os.write(number, content)
        os.lseek(number, 0, os.SEEK_SET)
        yield number
    finally:
        os.close(number)


def _resident(process: psutil.Process) -> int:
    """Bytes of a process's own that are in memory."""
    try:
        memory = process.memory_info()
    except psutil.NoSuchProcess:
        return 0
    own: int = memory.rss - getattr(memory, "shared", 0)
    return own
