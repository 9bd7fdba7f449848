"""Random search: what a search has to beat at equal numbers of scored networks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from fxscore.searching.evaluation import Evaluation
from fxscore.searching.strategy import SearchProblem, Vectors

_TRIES = 10_000


class RandomSearch:
    """Draws every generation from the space; draws again where a network passes a limit that costs nothing to tell.

    Of the Zen-NAS space's first population, one network in a thousand has a million parameters or fewer.
    """

    def __init__(self, task: SearchProblem) -> None:
        self._task = task
        self._generator = torch.Generator().manual_seed(task.seed)

    def ask(self) -> Vectors:
        """A fresh sample; whatever comes last in a try of ten thousand, so that a limit nothing keeps is seen."""
        rows = [self._draw() for _ in range(self._task.population)]
        return np.array(rows, dtype=np.int64)

    def _draw(self) -> list[int]:
        space = self._task.space
        genotype = space.sample(self._generator)
        for _ in range(_TRIES):
            if self._task.admits(genotype):
                break
            genotype = space.sample(self._generator)
        return space.encode(genotype)

    def tell(self, vectors: Vectors, evaluations: Sequence[Evaluation]) -> None:
        """Nothing is learned."""
