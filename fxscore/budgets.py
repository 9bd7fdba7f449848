"""Budgets: how large a network may be, in units as people write them, decided before anything is scored."""

from __future__ import annotations

from dataclasses import dataclass, fields

from torch import nn

from fxscore.capture.inputs import Examples
from fxscore.costs import Costs
from fxscore.quantities import Quantity, bytes_of, count_of
from fxscore.run import Prepared
from fxscore.run.job import Found
from fxscore.score_job import ScoreJob, ScoreSession, attempted
from fxscore.scorer import load_scorer
from fxscore.scorer.subject import subject_of
from fxscore.types import ModelRef, ScoreRecord, Shape


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
    scorer_id: str = "sizes"

    def open(self) -> SizeSession:
        """As `ScoreJob.open`; there is nothing to load."""
        return SizeSession(load_scorer(self.scorer), self.input_shape, self.example_inputs)


class SizeSession(ScoreSession):
    """Counting in one process."""

    def prepare(self, ref: ModelRef) -> Prepared:
        """Build the network weight-free and capture it once, at its own size."""
        prepared = super().prepare(ref)
        if prepared.params is None:
            prepared.payload.costs()  # says why
        return prepared

    def finish(self, prepared: Prepared) -> Found:
        """Parameters; memory and activations beside them."""
        return size_found(prepared.payload.costs())


def size_module(
    ref: ModelRef, module: nn.Module, input_shape: Shape | None = None, examples: Examples | None = None
) -> ScoreRecord:
    """The record of a `SizeJob` for a module in this very process, whatever its code raises."""

    def work() -> tuple[Prepared, Found]:
        size = subject_of(module, input_shape, examples).costs()
        return Prepared("", size.params, size.macs), size_found(size)

    return attempted(ref, SizeJob.scorer_id, work)


def size_found(size: Costs) -> Found:
    """What a `SizeJob` finds: parameters; memory and activations beside them."""
    return Found(size.params, (float(size.memory), float(size.activations)))
