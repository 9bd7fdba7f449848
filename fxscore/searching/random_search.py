"""Random search: what a search has to beat at equal numbers of scored networks."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from fxscore.searching.evaluation import Evaluation
from fxscore.searching.strategy import Task, Vectors


class RandomSearch:
    """Draws every generation from the space."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._generator = torch.Generator().manual_seed(task.seed)

    def ask(self) -> Vectors:
        """A fresh sample."""
        return self._task.sample(self._task.population, self._generator)

    def tell(self, vectors: Vectors, evaluations: Sequence[Evaluation]) -> None:
        """Nothing is learned."""
