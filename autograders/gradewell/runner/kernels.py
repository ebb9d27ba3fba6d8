"""Kernels of other languages: an ordinary kernel, in the same sandbox, reached over sockets in a private folder."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from typing import Any

from jupyter_client.manager import AsyncKernelManager

from . import sandbox
from .forkserver import python_paths
from .runner import Runner


def kernel_manager(runner: Runner) -> type[AsyncKernelManager]:
    """The class with which nbclient shall start kernels.

    Raises
    ------
    RunnerError
        Kernels should be sandboxed, and cannot be.
    """
    if not runner.sandboxed:
        return AsyncKernelManager

    class Sandboxed(AsyncKernelManager):
        """It sees its notebook's folder and its own connection file, and no network."""

        def __init__(self, **traits: Any) -> None:
            super().__init__(**traits)
            self.private = tempfile.mkdtemp(prefix="gradewell-")
            self.transport = "ipc"
            self.connection_file = os.path.join(self.private, "kernel.json")

        async def _async_launch_kernel(self, kernel_cmd: list[str], **kw: Any) -> None:
            assert self.kernel_spec is not None
            folder = os.path.abspath(kw.pop("cwd", None) or os.curdir)
            variables = {**sandbox.environment(runner.environment), **self.kernel_spec.env}
            variables["NBGRADER_EXECUTION"] = "autograde"
            view = sandbox.View(
                readable=(
                    *python_paths(sys.executable),
                    *runner.readable,
                    self.kernel_spec.resource_dir,
                    os.path.dirname(os.path.realpath(shutil.which(kernel_cmd[0]) or "/usr/bin")),
                ),
                hidden=(os.path.abspath(runner.coursedir.root), *runner.hidden),
                writable=(folder, self.private),
                bound=True,
                environment=variables,
            )
            limits = runner.limits
            limited = [
                "prlimit",
                f"--cpu={limits.seconds}",
                f"--nofile={limits.files}",
                f"--fsize={limits.disk}",
                "--core=0",
            ]
            command = sandbox.command(view, [*limited, *kernel_cmd], folder)
            await super()._async_launch_kernel(command, **kw)

        async def _async_cleanup_resources(self, restart: bool = False) -> None:
            await super()._async_cleanup_resources(restart)
            if not restart:
                shutil.rmtree(self.private, ignore_errors=True)

    return Sandboxed
