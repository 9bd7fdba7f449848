"""A ranking task: networks that one recipe trained for one data set, and one measure of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from fxscore.evaluate.coefficients import Floats
from fxscore.evaluate.population import Population
from fxscore.types import ModelRef, Shape

LEAST_NETWORKS = 10


@dataclass(frozen=True, eq=False)
class RankingTask:
    """What a scorer is judged on by itself.

    Attributes:
        name: of the table and the label, `nasbench201/cifar100.test`.
        origin: tasks of one origin have networks, code or trainings in common, so they leave together where a scorer
            is tried on what it has not seen (leave-one-population-out).
        population: the networks, their families, and the label among its labels.
        label: the measure; more is better.
        may_train: False where the licence lets the figures judge, but not train weights that are given away.
        input_shape: (C, H, W) of all networks here; None takes each network's own.
    """

    name: str
    origin: str
    population: Population
    label: str
    may_train: bool = True
    input_shape: Shape | None = None

    @property
    def values(self) -> Floats:
        """(n,) the label's values."""
        return self.population.label(self.label)

    def __len__(self) -> int:
        return len(self.population)


@dataclass(frozen=True, eq=False)
class TaskTable:
    """What one table gives.

    Attributes:
        name: of the table.
        origin: of all its tasks.
        tasks: each of ten networks or more; none where no recipe has so many.
        networks: every network of the table that can be built, in tasks or not.
        published_params: numbers of learnable parameters that the table states.
        left_out: how many rows are in no task, by reason.
    """

    name: str
    origin: str
    tasks: tuple[RankingTask, ...]
    networks: tuple[ModelRef, ...]
    published_params: Mapping[ModelRef, float] = field(default_factory=dict)
    left_out: Mapping[str, int] = field(default_factory=dict)
