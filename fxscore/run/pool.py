"""Idle supervisors, kept warm between networks and between runs of one job."""

from __future__ import annotations

import threading

from fxscore.run.outcome import Ask, Limits, Outcome, Task
from fxscore.run.supervisor import Supervisor


class SupervisorPool:
    """As many supervisors as there are threads in `run` at once; a child starts when it is first needed.

    Args:
        folder: that the children work in; by default this process's.
    """

    def __init__(self, folder: str | None = None) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._idle: list[Supervisor] = []
        self._busy: set[Supervisor] = set()

    def run(self, payload: bytes, limits: Limits, task: Task, ask: Ask | None = None) -> Outcome:
        """Score one network in an idle child of the job, or in a new one.

        Raises:
            WorkerError: no child could start, or `stop` was called.
        """
        supervisor = self._take(payload, limits)
        try:
            return supervisor.run(task, ask)
        finally:
            self._give_back(supervisor)

    def _take(self, payload: bytes, limits: Limits) -> Supervisor:
        with self._lock:
            foreign = [each for each in self._idle if (each.payload, each.limits) != (payload, limits)]
            self._idle = [each for each in self._idle if each not in foreign]
            supervisor = self._idle.pop() if self._idle else Supervisor(payload, limits, self._folder)
            self._busy.add(supervisor)
        for each in foreign:
            each.close()
        return supervisor

    def _give_back(self, supervisor: Supervisor) -> None:
        with self._lock:
            self._busy.discard(supervisor)
            if not supervisor.stopped:
                self._idle.append(supervisor)
        if supervisor.stopped:
            supervisor.close()

    def stop(self) -> None:
        """End the networks that are being scored; idle children stay."""
        with self._lock:
            for supervisor in self._busy:
                supervisor.stop()

    def close(self) -> None:
        """End every child."""
        self.stop()
        with self._lock:
            idle, self._idle = self._idle, []
        for supervisor in idle:
            supervisor.stop()
        for supervisor in idle:
            supervisor.close()
