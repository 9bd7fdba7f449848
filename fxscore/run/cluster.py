"""The executor for those who outgrow one machine: supervisors inside the workers of a Dask cluster.

Each thread of a Dask worker drives one child process, as on one machine. A network that kills its child kills
no Dask worker. A Dask worker that dies takes its children with it, and the scheduler gives its networks to
another.

The workers need the same fxscore, and the files of ``path/to/file.py`` references under the same paths.
"""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
import time
import uuid
from concurrent.futures import Future
from contextlib import suppress
from importlib import import_module
from types import TracebackType
from typing import Any, cast

from fxscore.errors import WorkerError
from fxscore.run.executor import DEFAULT_SECONDS, default_memory
from fxscore.run.outcome import Ask, Limits, Outcome, Task
from fxscore.run.pool import SupervisorPool
from fxscore.run.processes import usable_cores
from fxscore.run.version import package_version

_WIDTH_SECONDS = 2.0  # workers come and go; this is how old their count may be
_CONNECT_SECONDS = 30.0
_CLOSE_SECONDS = 1.0


class DaskExecutor:
    """Networks on a Dask cluster; see `fxscore.run.executor.Executor`.

    Args:
        address: the scheduler, ``tcp://host:port``, or ``local`` for a cluster of processes on this machine.
        workers: processes of a ``local`` cluster, by default one for each usable core; no meaning elsewhere.
        time_limit: seconds for one network.
        memory_limit: resident bytes for one network; by default as if `workers` shared this machine.

    Raises:
        WorkerError: dask[distributed] is not installed, or no scheduler or no worker answers.
    """

    def __init__(
        self,
        address: str = "local",
        workers: int | None = None,
        time_limit: float = DEFAULT_SECONDS,
        memory_limit: int | None = None,
    ) -> None:
        workers = workers or usable_cores()
        self.limits = Limits(time_limit, memory_limit or default_memory(workers))
        self._key = f"fxscore-{uuid.uuid4().hex}"
        self._cluster, self._client = _connect(address, workers)
        self._futures = self._client.get_executor(pure=False)
        self._width, self._width_at = workers, -_WIDTH_SECONDS

    @property
    def width(self) -> int:
        """Threads of the cluster's workers, as they are now."""
        if time.monotonic() - self._width_at > _WIDTH_SECONDS:
            self._width = max(1, sum(self._client.nthreads().values()))
            self._width_at = time.monotonic()
        return self._width

    @property
    def address(self) -> str:
        """The scheduler's address."""
        return str(self._client.scheduler.address)

    def submit(self, payload: bytes, task: Task, ask: Ask) -> Future[Outcome]:
        """Begin one task; `ask` stays behind, for a worker cannot reach the engine."""
        package = (
            package_version() if self._cluster is None else None
        )  # a local cluster runs this very package
        arguments = (self._key, package, payload, self.limits, task)
        return cast("Future[Outcome]", self._futures.submit(_score, *arguments))

    def outcome(self, future: Future[Outcome]) -> Outcome:
        """The outcome of a future that is done; a network whose Dask workers die every time has failed."""
        from distributed import KilledWorker

        try:
            return future.result()
        except KilledWorker as error:
            return Outcome(error=f"each Dask worker that tried it died, at last {error.last_worker.address}")
        except OSError as error:  # distributed's communication errors are OSErrors
            raise WorkerError(f"the connection to the Dask cluster is lost: {error}") from None

    def stop(self) -> None:
        """End the networks that are being scored; idle children stay warm."""
        self._on_workers(_stop)

    def close(self) -> None:
        """End every child, and a ``local`` cluster."""
        self._on_workers(_close)
        self._client.close(timeout=1)
        if self._cluster is not None:
            _close_cluster(self._cluster)

    def _on_workers(self, function: Any) -> None:
        with suppress(
            OSError, TimeoutError, asyncio.TimeoutError, ValueError
        ):  # a worker, or all of them, may be gone
            self._client.run(function, self._key, wait=False, on_error="ignore")

    def __enter__(self) -> DaskExecutor:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _connect(address: str, workers: int) -> tuple[Any, Any]:
    try:
        distributed: Any = import_module("distributed")
    except ImportError:
        raise WorkerError("a cluster needs dask[distributed]: pip install 'fxscore[cluster]'") from None
    if address == "local":
        options = {"threads_per_worker": 1, "dashboard_address": ":0", "silence_logs": logging.CRITICAL}
        cluster = distributed.LocalCluster(n_workers=workers, **options)
        return cluster, distributed.Client(cluster)
    try:
        client = distributed.Client(address, timeout=_CONNECT_SECONDS)
        client.wait_for_workers(1, timeout=_CONNECT_SECONDS)
    except (OSError, TimeoutError, asyncio.TimeoutError, ValueError) as error:
        raise WorkerError(f"no Dask scheduler with workers answers at {address}: {error}") from None
    return None, client


def _close_cluster(cluster: Any) -> None:
    """Close a local cluster, and kill those of its workers that take too long; their children follow."""
    workers = {nanny.pid for nanny in cluster.workers.values()}
    with suppress(TimeoutError, asyncio.TimeoutError):
        cluster.close(timeout=_CLOSE_SECONDS)
    for process in multiprocessing.active_children():
        if process.pid in workers:
            process.kill()


def _score(key: str, package: str | None, payload: bytes, limits: Limits, task: Task) -> Outcome:
    """Score one network; runs in a thread of a Dask worker."""
    from distributed import get_worker

    if package is not None and package != package_version():
        raise WorkerError(f"a Dask worker has fxscore {package_version()}, and this is fxscore {package}")
    return _pool(get_worker(), key).run(payload, limits, task)


def _pool(dask_worker: Any, key: str) -> SupervisorPool:
    """The executor's supervisors in this worker; kept on the worker, so that they end with it."""
    return cast(SupervisorPool, vars(dask_worker).setdefault(key, SupervisorPool()))


# `Client.run` hands the worker to an argument of this name, and waits for no coroutine.
async def _stop(key: str, dask_worker: Any = None) -> None:
    _pool(dask_worker, key).stop()


async def _close(key: str, dask_worker: Any = None) -> None:
    pool = _pool(dask_worker, key)
    vars(dask_worker).pop(key, None)
    await asyncio.to_thread(pool.close)
