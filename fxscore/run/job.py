"""A job says how one recipe becomes one score; the engine decides where, when and whether it runs.

The work on one network has two halves, so that equal architectures under other names are scored once:
`prepare` yields the architecture's fingerprint, and `finish` runs only where no score of that fingerprint is
known.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Protocol

from fxscore.errors import ScorerError
from fxscore.types import ModelRef


@dataclass(frozen=True)
class Prepared:
    """A network after its first half.

    Attributes:
        fingerprint: equal for equal architectures, under one `Job.settings`.
        params: number of learnable numbers.
        macs: multiply-accumulates of one image.
        payload: whatever `finish` needs; it stays in the process that made it.
        note: what the score or the counts leave out, in one line.
    """

    fingerprint: str
    params: int | None = None
    macs: int | None = None
    payload: Any = None
    note: str | None = None


@dataclass(frozen=True)
class Found:
    """What a job found of a network: its score, and numbers beside it, such as its features."""

    score: float
    values: tuple[float, ...] = ()

    @classmethod
    def of(cls, result: float | Found) -> Found:
        """What `JobSession.finish` gave; raises `ScorerError` where a number is not finite."""
        found = result if isinstance(result, Found) else cls(result)
        return cls(finite(found.score), tuple(map(finite, found.values)))


def finite(score: float) -> float:
    """The score, where it is one; raises `ScorerError` for what ranks nothing."""
    value = float(score)
    if not math.isfinite(value):
        raise ScorerError(f"the score is {value}, which ranks nothing")
    return value


class JobSession(Protocol):
    """A job with its scorer loaded, in one child process."""

    def prepare(self, ref: ModelRef) -> Prepared:
        """Build and capture the network; raises `FxScoreError` where that cannot be done."""

    def finish(self, prepared: Prepared) -> float | Found:
        """The score, with or without numbers beside it; a result that is not finite becomes an error."""


class Job(Protocol):
    """Small and picklable, of a class that a fresh interpreter can import (not of ``__main__``)."""

    @property
    def scorer_id(self) -> str:
        """Names the scorer and its weights."""

    @property
    def settings(self) -> str:
        """Canonical text of everything else that changes a score: batch, resolution, representations."""

    def recipe_key(self, ref: ModelRef) -> str:
        """Text that changes whenever the reference could build another network (file hash, library versions).

        Runs in the parent, once per network, so it must be cheap. Raises `FxScoreError` (no such file …).
        """

    def trusts(self, ref: ModelRef) -> bool:
        """Whether the network's code may share a process with others (see `fxscore.run.child`).

        True for code that ships with fxscore, timm or torchvision; False for files and packages of the user.
        """

    def open(self) -> JobSession:
        """Load the scorer; once, in the child. Raises `FxScoreError`, which ends the whole run.

        Each network's process begins as a copy of this one: what is imported and warmed up here costs once,
        what is imported on first use costs each network that is not trusted.
        """
