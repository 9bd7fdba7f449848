"""Where supervisors run: the seam between the engine and one machine or a cluster."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Protocol

from fxscore.run.outcome import Ask, Limits, Outcome, Task
from fxscore.run.pool import SupervisorPool
from fxscore.run.processes import machine_memory, usable_cores

DEFAULT_SECONDS = 600.0


class Executor(Protocol):
    """Runs tasks somewhere; it neither orders, retries nor remembers, which is the engine's.

    It is a context that closes it.
    """

    @property
    def width(self) -> int:
        """How many networks are worked on at once."""

    @property
    def window(self) -> int:
        """How many networks it wants to have in hand, so that no worker waits for the next."""

    def submit(self, payload: bytes, task: Task, ask: Ask) -> Future[Outcome]:
        """Begin one task, at the latest at the next `flush`.

        Args:
            payload: the pickled job.
            task: the network.
            ask: whether its score is wanted; an executor that cannot reach the engine leaves it out.
        """

    def flush(self) -> None:
        """Begin all that was submitted: the engine is about to wait."""

    def check(self) -> None:
        """Raise `WorkerError` where waiting has become pointless; called each second while the engine waits."""

    def outcome(self, future: Future[Outcome]) -> Outcome:
        """The outcome of a future that is done.

        Raises:
            WorkerError: no worker could start, or all are lost; this ends the run.
            CancelledError: the future was cancelled.
        """

    def stop(self) -> None:
        """End the networks that are being scored, within a second; the executor stays usable."""

    def close(self) -> None:
        """End every child."""

    def __enter__(self) -> Executor: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class LocalExecutor:
    """Child processes on this machine, one torch thread each, each with a supervisor in a thread.

    Args:
        workers: child processes at most; by default one for each usable core.
        time_limit: seconds for one network.
        memory_limit: resident bytes for one network (with the processes that it starts; pages shared with the
            child that it was forked from count); by default the workers share four fifths of the machine's
            memory.
    """

    def __init__(
        self, workers: int | None = None, time_limit: float = DEFAULT_SECONDS, memory_limit: int | None = None
    ) -> None:
        self.width = workers or usable_cores()
        self.limits = Limits(time_limit, memory_limit or default_memory(self.width))
        self._pool = SupervisorPool()
        self._threads = ThreadPoolExecutor(self.width, thread_name_prefix="fxscore-supervisor")

    @property
    def window(self) -> int:
        """Two for each worker: one at work, one at hand."""
        return 2 * self.width

    def submit(self, payload: bytes, task: Task, ask: Ask) -> Future[Outcome]:
        """Begin one task; see `Executor.submit`."""
        return self._threads.submit(self._pool.run, payload, self.limits, task, ask)

    def flush(self) -> None:
        """Nothing waits here; see `Executor.flush`."""

    def check(self) -> None:
        """Each network has its own time limit here; see `Executor.check`."""

    def outcome(self, future: Future[Outcome]) -> Outcome:
        """The outcome of a future that is done; see `Executor.outcome`."""
        return future.result()

    def stop(self) -> None:
        """End the networks that are being scored; idle children stay warm."""
        self._pool.stop()

    def close(self) -> None:
        """End every child."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._pool.stop()
        self._threads.shutdown(wait=True)
        self._pool.close()

    def __enter__(self) -> LocalExecutor:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def default_memory(workers: int) -> int:
    """Four fifths of the machine's memory, shared among its workers."""
    return machine_memory() * 4 // (5 * workers)
