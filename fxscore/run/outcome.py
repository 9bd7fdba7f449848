"""What goes to a supervisor, and what comes back: picklable, since on a cluster both travel."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from fxscore.types import ModelRef


@dataclass(frozen=True)
class Limits:
    """What one network may use before its process is killed.

    Attributes:
        seconds: wall time of one network, from its recipe to its score.
        memory: resident bytes of the network's process and its descendants.
        start_seconds: wall time for starting a child and loading the scorer.
    """

    seconds: float
    memory: int
    start_seconds: float = 180.0


@dataclass(frozen=True)
class Task:
    """One network to score; `alone` where its code is not trusted to share a process."""

    number: int
    ref: ModelRef
    recipe: str
    alone: bool


@dataclass(frozen=True)
class Facts:
    """What is known of a network once it is captured."""

    fingerprint: str
    params: int | None = None
    macs: int | None = None
    note: str | None = None


@dataclass(frozen=True)
class Outcome:
    """How an attempt ended: with a score, with an error, or (neither) with facts that have a score elsewhere.

    Attributes:
        values: numbers beside the score (`fxscore.run.job.Found`).
        lasting: whether another attempt must end with the same error.
        lost: whether the process was ended from outside, so that another attempt is owed.
        seconds: wall time of the attempt.
    """

    score: float | None = None
    error: str | None = None
    facts: Facts | None = None
    lasting: bool = False
    lost: bool = False
    seconds: float = 0.0
    values: tuple[float, ...] = ()


# Whether the score is wanted, now that the fingerprint is known; called in the supervisor's thread.
Ask = Callable[[Task, Facts], bool]
