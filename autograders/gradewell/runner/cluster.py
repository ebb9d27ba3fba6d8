"""Notebooks on many machines: a Dask cluster runs them, and only this process touches the gradebook."""

from __future__ import annotations

import logging
import threading
from typing import Any

from distributed import Client, KilledWorker, get_worker

from .errors import RunnerError
from .forkserver import ForkServers, Setting
from .job import Job, Transcript
from .runner import Runner

_AT_ONCE = 2
"""How many notebooks for each thread of the cluster are on their way or at work."""


class ClusterServers:
    """As ForkServers, with a fork server for each setting on every worker.

    Parameters
    ----------
    address : str
        Of the scheduler.

    Raises
    ------
    RunnerError
        Nobody answers there, or there are no workers.
    """

    def __init__(self, address: str) -> None:
        # when the cluster goes away, we say so in a sentence; Dask's client may print its failed reconnection besides
        logging.getLogger("distributed.client").setLevel(logging.CRITICAL)
        try:
            self.client = Client(address, timeout=10, set_as_default=False)
        except (OSError, TimeoutError, ValueError) as error:
            raise RunnerError(f"no Dask scheduler answers at {address} ({error})") from error
        workers = self.client.scheduler_info(n_workers=-1)["workers"].values()
        self.threads = sum(worker["nthreads"] for worker in workers)
        if not self.threads:
            self.client.close()
            raise RunnerError(f"the Dask scheduler at {address} has no workers yet")
        self.client.run_on_scheduler(_allow_one_loss)
        self._closed = threading.Event()

    def execute(self, setting: Setting, job: Job) -> Transcript:
        """Run one notebook on some worker. A notebook whose worker dies is run on another, once.

        Raises
        ------
        RunnerError
            The cluster is gone, or a worker cannot run notebooks at all.
        """
        if self._closed.is_set():
            raise RunnerError("the run was interrupted")
        data = (
            self.client.scatter(job, direct=False, hash=False) if len(job.files) > 1 << 20 else job
        )
        future = self.client.submit(_execute, setting, data, pure=False, retries=0)
        try:
            transcript: Transcript = future.result()
            return transcript
        except KilledWorker:
            return Transcript(stopped="the machine that ran it was lost twice")
        except RunnerError:
            raise
        except Exception as error:
            raise RunnerError(f"the cluster failed: {type(error).__name__}: {error}") from error
        finally:
            future.release()

    def start(self, setting: Setting) -> None:
        """Nothing: workers start their servers with their first notebook."""

    def close(self) -> None:
        """Let go of the cluster."""
        self._closed.set()
        self.client.close()


def _allow_one_loss(dask_scheduler: Any) -> None:
    """On the scheduler: a notebook under which two workers are lost is not given to a third."""
    dask_scheduler.allowed_failures = 1


def spread(runner: Runner, address: str) -> Runner:
    """Let a runner's notebooks run on a cluster."""
    servers = ClusterServers(address)
    runner.servers = servers
    runner.jobs = _AT_ONCE * servers.threads
    return runner


def _execute(setting: Setting, job: Job) -> Transcript:
    """On a worker: run one notebook in the worker's own fork server."""
    worker: Any = get_worker()
    with _lock:
        if not hasattr(worker, "gradewell_servers"):
            worker.gradewell_servers = ForkServers()
    return worker.gradewell_servers.execute(setting, job)


_lock = threading.Lock()
