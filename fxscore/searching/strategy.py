"""What proposes genotypes: every algorithm is asked for vectors and told how they fared."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import product
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from fxscore.errors import ModelRefError, SpaceError
from fxscore.searching.evaluation import Evaluation
from fxscore.searching.goals import Objective, SizeLimits
from fxscore.searching.handle import AnySpace
from fxscore.sources.blame import foreign_code

Vectors = NDArray[np.int64]  # (networks, variables): the position of each value in its variable

_TRIES = 20
_SMALL = 5_000  # vectors that are gone through to count the genotypes behind them


class Strategy(Protocol):
    """A search algorithm; equal seeds and equal answers give equal proposals."""

    def ask(self) -> Vectors:
        """The next generation, (networks, variables); empty when there is nothing left to propose."""

    def tell(self, vectors: Vectors, evaluations: Sequence[Evaluation]) -> None:
        """How the last proposals fared; those that the budget cut off are missing at the end."""


@dataclass(frozen=True)
class SearchProblem:
    """What an algorithm is given: the space, what is wanted, the size of a generation, the seed and the limits."""

    space: AnySpace
    objectives: tuple[Objective, ...]
    population: int
    seed: int
    limits: SizeLimits = field(default_factory=SizeLimits)

    def sample(self, count: int, generator: torch.Generator) -> Vectors:
        """Vectors of `count` different genotypes that the space draws; fewer where it has hardly as many."""
        rows: dict[str, list[int]] = {}
        for _ in range(_TRIES * count):
            if len(rows) < count:
                genotype = self.space.sample(generator)
                rows.setdefault(self.space.format(genotype), self.space.encode(genotype))
        return np.array(list(rows.values()), dtype=np.int64).reshape(-1, len(self.space.variables))

    def admits(self, genotype: object) -> bool:
        """Whether a genotype keeps those limits that the space can tell by its own arithmetic."""
        try:
            with foreign_code(self.space.name):
                counts = {
                    "params": self.space.count_parameters(genotype),
                    "layers": self.space.count_layers(genotype),
                }
        except ModelRefError:
            return True  # the measurer says of which network and why
        given = self.limits.given.items()
        return all((count := counts.get(name)) is None or count <= limit for name, limit in given)

    def losses(self, evaluations: Sequence[Evaluation]) -> NDArray[np.float64]:
        """(networks, objectives), smaller is better, infinite where a network is not feasible."""
        return np.array([evaluation.losses(self.objectives) for evaluation in evaluations])

    def key(self, vector: Sequence[int]) -> str | None:
        """The text of a vector's genotype, equal for vectors of one genotype; None outside of the space."""
        try:
            return self.space.format(self.space.decode(vector))
        except SpaceError:
            return None


def count_genotypes(space: AnySpace) -> int:
    """How many genotypes a space has; of one with more than a few thousand vectors an upper bound, their number."""
    if space.size > _SMALL:
        return space.size
    found = set()
    for vector in product(*(range(len(variable.values)) for variable in space.variables)):
        with suppress(SpaceError):
            found.add(space.format(space.decode(vector)))
    return len(found)
