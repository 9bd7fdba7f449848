"""One supervisor drives one child: it gives it networks, enforces the limits, and says how a network died.

A supervisor is a plain object for one thread at a time; `stop` alone may come from another. It blocks on the
child's socket and looks at the time, the memory and the child's stderr every `TICK` seconds.
"""

from __future__ import annotations

import itertools
import logging
import time
from dataclasses import replace

from fxscore.errors import WorkerError
from fxscore.run.child_process import ChildProcess
from fxscore.run.failure import describe_death, gibibytes, is_outside_kill
from fxscore.run.messages import Message, NonsenseError
from fxscore.run.outcome import Ask, Facts, Limits, Outcome, Task
from fxscore.run.parent_end import TICK, KeeperGoneError
from fxscore.run.processes import can_fork
from fxscore.run.replies import read_exit_code, read_facts, read_outcome
from fxscore.run.spawned_process import SpawnedProcess
from fxscore.texts import one_line

_logger = logging.getLogger(__name__)
_NUMBERS = itertools.count()


Child = ChildProcess | SpawnedProcess


def start_child(payload: bytes, folder: str | None = None) -> Child:
    """A child of the kind that this system allows."""
    return ChildProcess(payload, folder) if can_fork() else SpawnedProcess(payload, folder)


class _LimitError(Exception):
    """A network went beyond a limit and was killed."""


class Supervisor:
    """Scores one network after the other in a child process that may die at any of them.

    Args:
        payload: the pickled job.
        limits: what one network may use.
        folder: that the child works in; by default this process's.
    """

    def __init__(self, payload: bytes, limits: Limits, folder: str | None = None) -> None:
        self.payload = payload
        self._folder = folder
        self.limits = limits
        self._child: Child | None = None
        self.stopped = False

    def run(self, task: Task, ask: Ask | None = None) -> Outcome:
        """Score one network; any failure of the network is an `Outcome`.

        Raises:
            WorkerError: the child could not start or could not open the job, or the supervisor was stopped.
        """
        child = self._started()
        begin = time.monotonic()
        try:
            child.make_room(task, self.limits)
            begin = time.monotonic()
            outcome = _Attempt(child, task, self.limits, ask).outcome()
        except (KeeperGoneError, OSError):
            self.close()
            if self.stopped:
                raise WorkerError("the run was stopped") from None
            outcome = Outcome(error="the worker process was killed from outside", lost=True)
        except BaseException:  # from `ask`: the child still waits for an answer
            self.close()
            raise
        return replace(outcome, seconds=time.monotonic() - begin)

    def _started(self) -> Child:
        if self._child is None:
            try:
                return self._start()
            except KeeperGoneError as gone:  # perhaps memory was short for a moment: once more
                if not self.stopped:
                    _logger.warning("a worker process could not start: %s", gone)
            try:
                return self._start()
            except KeeperGoneError as gone:
                raise WorkerError(one_line(f"no worker process could start: {gone}")) from None
        return self._child

    def _start(self) -> Child:
        child = self._child = start_child(self.payload, self._folder)
        try:
            if self.stopped:  # by another thread, which may have seen no child yet
                raise WorkerError("the run was stopped")
            child.wait_until_open(self.limits.start_seconds)
        except BaseException:
            self.close()
            raise
        _logger.info("worker process %d is ready", child.pid)
        return child

    def stop(self) -> None:
        """Have the child end now, from any thread; a `run` in another thread raises `WorkerError`."""
        self.stopped = True
        if (child := self._child) is not None:
            child.abandon()

    def close(self) -> None:
        """End the child and wait until it is gone."""
        if self._child is not None:
            self._child.end()
            self._child = None


class _Attempt:
    """One network in one child: the clock, the limits and the conversation."""

    def __init__(self, child: Child, task: Task, limits: Limits, ask: Ask | None) -> None:
        self._child = child
        self._task = task
        self._limits = limits
        self._ask = ask
        self._left = limits.seconds
        self._facts: Facts | None = None
        self._number = next(_NUMBERS)  # an answer to an earlier network may still be under way

    def outcome(self) -> Outcome:
        """Send the network and follow it to its end."""
        ref = self._task.ref
        self._child.forget_stderr()
        recipe = [ref.source, ref.name, ref.options]
        self._child.send({"run": recipe, "alone": self._task.alone, "number": self._number})
        try:
            while True:
                if (outcome := self._understand(self._next())) is not None:
                    return outcome
        except _LimitError as passed:
            return Outcome(error=str(passed), facts=self._facts)
        except NonsenseError as nonsense:
            self._child.kill_runner()
            return Outcome(error=f"its code wrote to its worker's channel ({nonsense})", facts=self._facts)

    def _understand(self, message: Message) -> Outcome | None:
        if "ended" in message:
            code = read_exit_code(message)
            self._child.kill_runner()  # where the message is a lie
            return self._death(code)
        if message.get("number") != self._number:
            return None
        if "prepared" in message:
            return self._prepared(read_facts(message))
        outcome = read_outcome(message, self._facts)
        if self._task.alone:
            self._child.runner = None
        return outcome

    def _prepared(self, facts: Facts) -> Outcome | None:
        if self._facts is not None:
            raise NonsenseError("facts for a second time")
        self._facts = facts
        wanted = self._ask is None or self._ask(self._task, facts)
        self._child.send({"finish": wanted})
        if wanted:
            return None
        if self._task.alone:
            self._child.runner = None
        return Outcome(facts=facts)

    def _death(self, code: int) -> Outcome:
        error = describe_death(code, self._child.stderr())
        _logger.info("%s: %s", self._task.ref, error)
        return Outcome(error=error, facts=self._facts, lost=is_outside_kill(code))

    def _next(self) -> Message:
        while True:
            begin = time.monotonic()
            message = self._child.receive(min(TICK, self._left))
            self._left -= time.monotonic() - begin
            if message is not None:
                return message
            self._child.drain_stderr()
            self._enforce()

    def _enforce(self) -> None:
        if self._left <= 0:
            self._kill(f"passed the time limit of {self._limits.seconds:g} s")
        elif (used := self._child.memory()) > self._limits.memory:
            limit = gibibytes(self._limits.memory)
            self._kill(f"passed the memory limit of {limit} (held {gibibytes(used)})")

    def _kill(self, why: str) -> None:
        _logger.info("%s: %s", self._task.ref, why)
        self._child.kill_runner()
        raise _LimitError(why)
