"""An executor in this process, for spaces whose class no other process can import: no limits, one at a time."""

from __future__ import annotations

import time
from concurrent.futures import Future
from dataclasses import replace
from types import TracebackType

from fxscore.run import JobSession
from fxscore.run.failure import describe_exception, is_lasting
from fxscore.run.guard import unchanged_globals
from fxscore.run.job import Found
from fxscore.run.outcome import Ask, Facts, Outcome, Task


class InlineExecutor:
    """See `fxscore.run.Executor`.

    Args:
        session: does the work.
    """

    width = 1
    window = 1

    def __init__(self, session: JobSession) -> None:
        self._session = session

    def submit(self, payload: bytes, task: Task, ask: Ask) -> Future[Outcome]:
        """Do the task now."""
        begin = time.monotonic()
        try:
            with unchanged_globals():
                outcome = self._work(task, ask)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001  the worker boundary: a user's builder may raise anything
            outcome = Outcome(error=describe_exception(error), lasting=is_lasting(error))
        future: Future[Outcome] = Future()
        future.set_result(replace(outcome, seconds=time.monotonic() - begin))
        return future

    def _work(self, task: Task, ask: Ask) -> Outcome:
        prepared = self._session.prepare(task.ref)
        facts = Facts(prepared.fingerprint, prepared.params, prepared.macs, prepared.note)
        if not ask(task, facts):
            return Outcome(facts=facts)
        found = Found.of(self._session.finish(prepared))
        return Outcome(found.score, facts=facts, values=found.values)

    def flush(self) -> None:
        """Nothing waits."""

    def check(self) -> None:
        """Nothing is waited for."""

    def outcome(self, future: Future[Outcome]) -> Outcome:
        """What `submit` found."""
        return future.result()

    def stop(self) -> None:
        """Nothing runs."""

    def close(self) -> None:
        """There is no child."""

    def __enter__(self) -> InlineExecutor:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
