"""A training on benchmark tables from the plan to the scorer's file: resumable, and measured on cells left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from fxscore.scorer.percentiles import Percentiles
from fxscore.train.data import CellSet
from fxscore.train.loop import Trainer, score_cells
from fxscore.train.measured import UnseenFigures, measure_all, split
from fxscore.train.plan import TrainingPlan
from fxscore.train.records import training_record


@dataclass
class TrainingRun:
    """One run; its `trainer` takes the steps, `finish` measures and writes.

    Attributes:
        plan: The run.
        data: Folder of the benchmark tables.
        out: The scorer's file; the state of an unfinished run lies beside it.
        validate_every: Steps between looks at the validation part.
        training: The cells of each space that teach.
        trainer: Goes on from the state, where there is one.
    """

    plan: TrainingPlan
    data: Path
    out: Path
    validate_every: int | None = None
    training: list[CellSet] = field(init=False)
    trainer: Trainer = field(init=False)

    def __post_init__(self) -> None:
        splits = [
            split(self.plan, self.data, space, self.plan.labels.get(space)) for space in self.plan.spaces
        ]
        self.training = [training for training, _, _ in splits]
        validated = [held for _, held, _ in splits if len(held) > 1]
        self.trainer = Trainer(
            self.plan, self.training, validated, self._state, validate_every=self.validate_every
        )

    def finish(self, test: int, about: Mapping[str, Any]) -> Sequence[UnseenFigures]:
        """Measure the trained scorer and write its file.

        Args:
            test: Cells of each space to measure on, among those not drawn for the run; 0 takes all.
            about: What more its record says.
        """
        scorer = self.trainer.trained()
        measured = measure_all(partial(score_cells, scorer), self.plan, self.data, test)
        history = self.trainer.state.history
        record = {**training_record(self.plan, self.data, self.training, measured, history), **about}
        if measured:
            scorer.scale = Percentiles.of(np.concatenate([each.scores for each in measured]))
            among = "; ".join(f"{len(each.scores)} {each.line['on']}" for each in measured)
            record["scale"] = f"percentile among {among}"
        scorer.name = self.out.name.removesuffix(".safetensors")
        scorer.save(self.out, record)
        self._state.unlink(missing_ok=True)
        return measured

    @property
    def _state(self) -> Path:
        return self.out.with_name(f"{self.out.name}.state")
