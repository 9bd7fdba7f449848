"""Regularised evolution (Real et al., AAAI 2019): the best of a small sample has a child, the oldest dies.

One objective, the first; a network that passes a limit loses to every one that does not, and among such the
smaller violation wins.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

import numpy as np
import torch

from fxscore.searching.evaluation import Evaluation
from fxscore.searching.strategy import SearchProblem, Vectors

Rank = tuple[float, float]


class RegularisedEvolution:
    """Children are asked for in batches of an eighth of the population, so that workers have something to share.

    Args:
        task: what to search.
        tournament: the size of the sample that a parent is the best of.
    """

    def __init__(self, task: SearchProblem, tournament: int = 10) -> None:
        self._task = task
        self._tournament = tournament
        self._generator = torch.Generator().manual_seed(task.seed)
        self._random = np.random.default_rng(task.seed)
        self._living: deque[tuple[tuple[int, ...], Rank]] = deque(maxlen=task.population)

    def ask(self) -> Vectors:
        """The first population, then children."""
        if not self._living:
            return self._task.sample(self._task.population, self._generator)
        children = [self._child() for _ in range(max(1, self._task.population // 8))]
        return np.array([child for child in children if child is not None], dtype=np.int64)

    def _child(self) -> Sequence[int] | None:
        space = self._task.space
        picked = self._random.choice(
            len(self._living), min(self._tournament, len(self._living)), replace=False
        )
        parent = min((self._living[index] for index in picked), key=lambda member: member[1])
        neighbours = list(space.neighbours(space.decode(parent[0])))
        return space.encode(neighbours[self._random.integers(len(neighbours))]) if neighbours else None

    def tell(self, vectors: Vectors, evaluations: Sequence[Evaluation]) -> None:
        """The newest join, and as many of the oldest go."""
        losses = self._task.losses(evaluations)
        for vector, evaluation, loss in zip(vectors, evaluations, losses, strict=False):
            self._living.append((tuple(vector.tolist()), (evaluation.violation, float(loss[0]))))
