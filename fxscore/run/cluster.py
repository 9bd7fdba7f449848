"""The executor for those who outgrow one machine: supervisors inside the workers of a Dask cluster.

Each thread of a Dask worker drives one child process, as on one machine. A network that kills its child kills
no Dask worker. A Dask worker that dies takes its children with it, and the scheduler gives its networks to
another.

A Dask task costs the scheduler and the client some milliseconds, so short networks travel in bundles that
take about `BUNDLE_SECONDS`; their records arrive together.

The workers need the same fxscore, and the files of ``path/to/file.py`` references under the same paths: relative ones
are those of the folder of the run, wherever a worker was started.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import math
import multiprocessing
import os
import threading
import time
import uuid
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from functools import partial
from importlib import import_module
from types import TracebackType
from typing import Any

from fxscore.errors import WorkerError
from fxscore.extras import require
from fxscore.run import dask_worker
from fxscore.run.dask_worker import Bundle
from fxscore.run.executor import DEFAULT_SECONDS, default_memory
from fxscore.run.outcome import Ask, Limits, Outcome, Task
from fxscore.run.processes import usable_cores
from fxscore.run.version import package_version
from fxscore.texts import one_line

BUNDLE_SECONDS = 0.5
BUNDLE_MOST = 64
_WIDTH_SECONDS = 2.0  # workers come and go; this is how old their count may be
_CONNECT_SECONDS = 30.0
_ASK_SECONDS = 5.0
WORKER_SECONDS = 60.0
_CLOSE_SECONDS = 1.0
_GONE = (OSError, TimeoutError, asyncio.TimeoutError, ValueError, RuntimeError)

Waiting = list[tuple[Task, Future[Outcome]]]


class DaskExecutor:
    """Networks on a Dask cluster; see `fxscore.run.executor.Executor`.

    Args:
        address: the scheduler, ``tcp://host:port``, or ``local`` for a cluster of processes on this machine.
        workers: processes of a ``local`` cluster, by default one for each usable core; no meaning elsewhere.
        time_limit: seconds for one network.
        memory_limit: resident bytes for one network; by default as if `workers` shared this machine.
        worker_wait: seconds without any worker after which `check` ends the run.

    Raises:
        MissingExtraError: dask[distributed] is not installed.
        WorkerError: no scheduler answers.
    """

    def __init__(
        self,
        address: str = "local",
        workers: int | None = None,
        time_limit: float = DEFAULT_SECONDS,
        memory_limit: int | None = None,
        worker_wait: float = WORKER_SECONDS,
    ) -> None:
        workers = workers or usable_cores()
        self.limits = Limits(time_limit, memory_limit or default_memory(workers))
        self._key = f"fxscore-{uuid.uuid4().hex}"
        self._cluster, self._client = _connect(address, workers)
        self._address = str(self._client.scheduler.address)
        self._futures = self._client.get_executor(pure=False)
        self._width, self._width_at = workers, -math.inf
        self._worker_wait, self._worker_at = worker_wait, time.monotonic()
        self._payload, self._folder = b"", os.getcwd()
        self._waiting: Waiting = []
        self._sent: set[Future[list[Outcome]]] = set()
        self._pace = _Pace()

    @property
    def width(self) -> int:
        """Threads of the cluster's workers, as they are now."""
        self._count_workers()
        return max(1, self._width)

    def _count_workers(self) -> None:
        """Ask the scheduler now and then; one that does not answer has no workers."""
        if time.monotonic() - self._width_at <= _WIDTH_SECONDS:
            return
        try:
            threads = self._client.sync(self._client.scheduler.ncores, callback_timeout=_ASK_SECONDS)
        except _GONE:
            threads = {}
        self._width, self._width_at = sum(threads.values()), time.monotonic()
        if threads:
            self._worker_at = self._width_at

    def check(self) -> None:
        """End the run where the scheduler is lost, or no worker has been there for too long."""
        if self._client.status in ("closing", "closed"):
            raise self._lost()
        self._count_workers()
        if time.monotonic() - self._worker_at > self._worker_wait:
            raise WorkerError(
                f"the Dask cluster has had no worker for {self._worker_wait:g} s; start workers, as in "
                f"`dask worker {self.address}`, or wait longer (--worker-wait)"
            )

    def _lost(self) -> WorkerError:
        return WorkerError(f"the connection to the Dask scheduler at {self._address} is lost")

    @property
    def window(self) -> int:
        """Two bundles for each thread: one at work, one at hand."""
        return 2 * self.width * self._pace.bundle

    @property
    def address(self) -> str:
        """The scheduler's address."""
        return self._address

    def submit(self, payload: bytes, task: Task, ask: Ask) -> Future[Outcome]:
        """Begin one task; `ask` stays behind, for a worker cannot reach the engine."""
        if payload != self._payload:
            self.flush()
            self._payload = payload
        future: Future[Outcome] = Future()
        self._waiting.append((task, future))
        if len(self._waiting) >= self._pace.bundle:
            self.flush()
        return future

    def flush(self) -> None:
        """Send what waits to fill a bundle."""
        if self._waiting:
            waiting, self._waiting = self._waiting, []
            self._send(waiting)

    def _send(self, waiting: Waiting) -> None:
        # a local cluster runs this very package
        package = package_version() if self._cluster is None else None
        tasks = tuple(task for task, _ in waiting)
        bundle = Bundle(
            self._key, package, self._payload, self.limits, 2 * BUNDLE_SECONDS, self._folder, tasks
        )
        sent = self._futures.submit(dask_worker.score, bundle)
        self._sent.add(sent)
        sent.add_done_callback(partial(self._spread, waiting))

    def _spread(self, waiting: Waiting, sent: Future[list[Outcome]]) -> None:
        """Give each network its outcome, or send it again, alone; called in the client's thread."""
        wanted = sent in self._sent
        self._sent.discard(sent)
        if sent.cancelled() and not wanted:
            for _, future in waiting:
                future.cancel()
            return
        error = self._lost() if sent.cancelled() else sent.exception()  # dask cancels what it has lost
        outcomes = [] if error else sent.result()
        self._pace.learn(outcomes)
        for index, (task, future) in enumerate(waiting):
            with suppress(InvalidStateError):  # cancelled
                if error is not None:
                    future.set_exception(error)
                elif index < len(outcomes):
                    future.set_result(outcomes[index])
                elif not future.cancelled():
                    self._send([(task, future)])

    def outcome(self, future: Future[Outcome]) -> Outcome:
        """The outcome of a future that is done; one whose Dask workers die every time is lost."""
        from distributed import KilledWorker

        try:
            return future.result()
        except KilledWorker as error:
            last = error.last_worker.address
            return Outcome(error=f"each Dask worker that tried it died, at last {last}", lost=True)
        except OSError as error:  # distributed's communication errors are OSErrors
            raise WorkerError(one_line(f"{self._lost()}: {error}")) from None

    def stop(self) -> None:
        """End the networks that are being scored; idle children stay warm."""
        self._waiting = []
        while self._sent:
            self._sent.pop().cancel()
        self._on_workers(dask_worker.stop)

    def close(self) -> None:
        """End every child, and a ``local`` cluster."""
        self._on_workers(dask_worker.close)
        self._client.close(timeout=_CLOSE_SECONDS)
        if self._cluster is not None:
            _close_cluster(self._cluster)

    def _on_workers(self, function: Any) -> None:
        with suppress(*_GONE):
            self._client.run(function, self._key, wait=False, on_error="ignore")

    def __enter__(self) -> DaskExecutor:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _Pace:
    """How many networks make a bundle, learnt from the time that they take."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seconds: float | None = None
        self.bundle = 1

    def learn(self, outcomes: list[Outcome]) -> None:
        with self._lock:
            for outcome in outcomes:
                known = outcome.seconds if self._seconds is None else self._seconds
                self._seconds = 0.9 * known + 0.1 * outcome.seconds
            if self._seconds is not None:
                fitting = BUNDLE_SECONDS / max(self._seconds, 1e-6)
                self.bundle = max(1, min(BUNDLE_MOST, int(fitting)))


def _connect(address: str, workers: int) -> tuple[Any, Any]:
    require("cluster", "--cluster")
    distributed: Any = import_module("distributed")
    if address == "local":
        options = {"threads_per_worker": 1, "dashboard_address": ":0", "silence_logs": logging.CRITICAL}
        cluster = distributed.LocalCluster(n_workers=workers, **options)
        return cluster, distributed.Client(cluster)
    try:
        return None, distributed.Client(address, timeout=_CONNECT_SECONDS)
    except Exception as error:  # noqa: BLE001  each transport has its own errors for an address
        why = one_line(f"{type(error).__name__}: {error}", 200)
        _forget(error)
        hint = "; certificates are read from Dask's configuration, distributed.comm.tls" * address.startswith(
            "tls:"
        )
        raise WorkerError(
            f"no Dask scheduler answers at {address!r} ({why}); write tcp://HOST:PORT{hint}"
        ) from None


def _forget(error: BaseException | None) -> None:
    """Let go of a client whose start failed, which the error's frames still hold.

    It closes itself when it is collected. Were that to happen while another client starts or stops, it would wait for
    a lock that this one holds (seen with distributed 2026.8).
    """
    while error is not None:
        error.__traceback__ = None
        error = error.__cause__ or error.__context__
    gc.collect()


def _close_cluster(cluster: Any) -> None:
    """Close a local cluster, and kill those of its workers that take too long; their children follow."""
    workers = {nanny.pid for nanny in cluster.workers.values()}
    with suppress(TimeoutError, asyncio.TimeoutError):
        cluster.close(timeout=_CLOSE_SECONDS)
    for process in multiprocessing.active_children():
        if process.pid in workers:
            process.kill()
