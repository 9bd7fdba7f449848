"""An executor that scores in this process, for tests without children."""

from __future__ import annotations

import pickle
from concurrent.futures import Future
from types import TracebackType

from fxscore.errors import FxScoreError
from fxscore.run import JobSession
from fxscore.run.job import Found
from fxscore.run.outcome import Ask, Facts, Outcome, Task
from fxscore.types import ModelRef


class InProcess:
    """Scores at once and in order; remembers what it scored."""

    width = 1
    window = 1
    scored: list[ModelRef]

    def __init__(self, *options: object) -> None:
        self._sessions: dict[bytes, JobSession] = {}

    def submit(self, payload: bytes, task: Task, ask: Ask) -> Future[Outcome]:
        future: Future[Outcome] = Future()
        future.set_result(self._outcome(payload, task, ask))
        return future

    def _outcome(self, payload: bytes, task: Task, ask: Ask) -> Outcome:
        if payload not in self._sessions:
            self._sessions[payload] = pickle.loads(payload).open()
        session = self._sessions[payload]
        try:
            prepared = session.prepare(task.ref)
            facts = Facts(prepared.fingerprint, prepared.params, prepared.macs)
            if not ask(task, facts):
                return Outcome(facts=facts)
            type(self).scored.append(task.ref)
            found = Found.of(session.finish(prepared))
            return Outcome(found.score, None, facts, values=found.values)
        except FxScoreError as error:
            return Outcome(None, str(error), lasting=True)

    def outcome(self, future: Future[Outcome]) -> Outcome:
        return future.result()

    def flush(self) -> None: ...

    def check(self) -> None: ...

    def stop(self) -> None: ...

    def close(self) -> None: ...

    def __enter__(self) -> InProcess:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
