"""Errors of fxscore; each message says what failed, where, and how to mend it."""

from __future__ import annotations

from fxscore.texts import printable


class FxScoreError(Exception):
    """Base of every error that fxscore raises on purpose; its message is fit to print, whatever names are in it."""

    def __init__(self, *told: object) -> None:
        super().__init__(*(printable(each) if isinstance(each, str) else each for each in told))


class UsageError(FxScoreError, ValueError):
    """An argument is of a kind, or has a value, that a function does not take."""


class NetworkError(FxScoreError):
    """A network's own code raised something of its own where it was run; the cause is chained."""


class ModelRefError(FxScoreError):
    """A model reference cannot be read, found or built."""


class CaptureError(FxScoreError):
    """A module cannot be captured as a graph."""


class UnrepresentedOperatorError(FxScoreError):
    """An operator with learnable weights has no representation."""


class PassError(FxScoreError):
    """A pass failed, or left a graph that does not verify."""


class CheckpointError(FxScoreError):
    """A scorer file is missing, truncated, altered or foreign."""


class ScorerError(FxScoreError):
    """A scorer is unknown, or gave no finite score."""


class SpaceError(FxScoreError):
    """A genotype or a benchmark file does not belong to its search space."""


class TrainingError(FxScoreError):
    """A training run cannot start, resume or go on."""


class WorkerError(FxScoreError):
    """A worker process died, or passed its time or memory limit."""


class StoreError(FxScoreError):
    """A result store is damaged, locked or of another version."""


class SearchError(FxScoreError):
    """A search cannot start or resume, or finds nothing that keeps its limits."""


class OutputError(FxScoreError):
    """A file that is asked for cannot be written."""


class MissingExtraError(FxScoreError):
    """A package that only some commands need is not installed."""
