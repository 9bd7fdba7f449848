"""Who computes what: of equal architectures at work at once, one leads and the others wait for it."""

from __future__ import annotations

from dataclasses import dataclass, field

from fxscore.run.outcome import Facts, Outcome, Task


@dataclass
class _Leader:
    number: int
    expected: int = 0
    waiting: list[tuple[Task, Outcome]] = field(default_factory=list)
    outcome: Outcome | None = None


class Sharing:
    """The fingerprints at work. Not locked: the engine holds its lock around each call."""

    def __init__(self) -> None:
        self._leaders: dict[str, _Leader] = {}
        self._leads: dict[int, str] = {}

    def is_leader(self, task: Task, facts: Facts) -> bool:
        """Whether the task is to compute its fingerprint; if not, its leader's outcome will be its own."""
        leader = self._leaders.get(facts.fingerprint)
        if leader is None or leader.number == task.number:  # a second attempt leads as the first did
            self._leaders.setdefault(facts.fingerprint, _Leader(task.number))
            self._leads[task.number] = facts.fingerprint
            return True
        leader.expected += 1
        return False

    def join(self, task: Task, outcome: Outcome) -> Outcome | None:
        """The outcome of the task's leader, or None: then the leader's `settle` returns the task.

        Raises:
            KeyError: nobody leads this fingerprint.
        """
        fingerprint = outcome.facts.fingerprint if outcome.facts else ""
        leader = self._leaders[fingerprint]
        leader.waiting.append((task, outcome))
        if leader.outcome is not None and len(leader.waiting) == leader.expected:
            del self._leaders[fingerprint]
        return leader.outcome

    def settle(self, task: Task, outcome: Outcome) -> list[tuple[Task, Outcome]]:
        """The task has its final outcome: those that waited for it."""
        fingerprint = self._leads.pop(task.number, None)
        if fingerprint is None:
            return []
        leader = self._leaders[fingerprint]
        leader.outcome = outcome
        if len(leader.waiting) == leader.expected:
            del self._leaders[fingerprint]
        return list(leader.waiting)
