"""Budgets: how large a network may be, in units as people write them, decided before anything is scored."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from fxscore.quantities import Quantity, bytes_of, count_of
from fxscore.score_job import ScoreJob
from fxscore.scorer.names import SIZES
from fxscore.types import ScoreRecord

if TYPE_CHECKING:
    from fxscore.score_session import SizeSession


@dataclass(frozen=True)
class Budget:
    """The most that a network may have; None has no limit.

    Attributes:
        params: learnable numbers.
        macs: multiply-accumulates of one image.
        memory: bytes of one forward of one image, in single precision (`fxscore.costs.memory`).
    """

    params: float | None = None
    macs: float | None = None
    memory: float | None = None

    @classmethod
    def of(
        cls, params: Quantity | None = None, macs: Quantity | None = None, memory: Quantity | None = None
    ) -> Budget:
        """From numbers or texts; raises `UsageError` for what is neither."""
        return cls(
            None if params is None else count_of(params),
            None if macs is None else count_of(macs),
            None if memory is None else bytes_of(memory),
        )

    def __bool__(self) -> bool:
        return any(getattr(self, field.name) is not None for field in fields(self))

    def allows(self, size: ScoreRecord) -> bool:
        """Whether a network of this record of a `SizeJob` keeps within; one whose size is not known does not."""
        found = {"params": size.params, "macs": size.macs, "memory": memory_in(size)}
        limits = {field.name: getattr(self, field.name) for field in fields(self)}
        return all(
            limit is None or (value is not None and value <= limit)
            for value, limit in zip(found.values(), limits.values(), strict=True)
        )


def memory_in(size: ScoreRecord) -> float | None:
    """Bytes of one forward, in the record of a `SizeJob`."""
    return size.values[0] if size.values else None


@dataclass(frozen=True)
class SizeJob(ScoreJob):
    """Counts parameters, multiply-accumulates and memory of references, from shapes alone; kept like scores."""

    scorer: str = "params"
    scorer_id: str = SIZES

    def open(self) -> SizeSession:
        """As `ScoreJob.open`."""
        from fxscore.score_session import SizeSession

        return SizeSession.of(self.scorer, self.input_shape, self.example_inputs)
