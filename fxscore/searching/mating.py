"""Offspring for mixed genomes: differential evolution on ordered variables, crossover and choice on the others.

Paper III-E and IV-A3: unordered variables (kind, kernel, stride) take uniform crossover with probability 0.5 and
random-choice mutation with probability 0.8 for a child (as in Genetic CNN, Xie and Yuille 2017; each of its n unordered
genes then changes with probability 1/n); ordered variables (widths, counts) take DE/rand/1/bin against the same
parent, F 0.8 and CR 0.8, rounded, and bounced back from the bounds. A child that the space rules out is drawn
back towards its parent, gene by gene, until the space has it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pymoo.core.duplicate import DuplicateElimination
from pymoo.core.infill import InfillCriterion
from pymoo.core.population import Population
from pymoo.operators.crossover.binx import mut_binomial
from pymoo.operators.crossover.dex import bounce_back, de_differential

from fxscore.searching.strategy import SearchProblem, Vectors

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Rates:
    """Probabilities and weights of the operators; the defaults are the paper's."""

    crossover: float = 0.5
    mutation: float = 0.8
    de_crossover: float = 0.8
    de_weight: float = 0.8


class MixedMating(InfillCriterion):  # type: ignore[misc]
    """Makes offspring, see the module.

    Args:
        task: what is searched.
        selection: pymoo's, of parents.
        ordered: (variables,) which variables take differential evolution; the others crossover and choice.
        rates: of the operators.
    """

    def __init__(self, task: SearchProblem, selection: Any, ordered: Mask, rates: Rates) -> None:
        super().__init__(eliminate_duplicates=GenotypeDuplicates(task))
        self.task = task
        self.selection = selection
        self.ordered = ordered
        self.rates = rates
        self.sizes = np.array([len(variable.values) for variable in task.space.variables])

    def _do(self, problem: Any, pop: Any, n_offsprings: int, random_state: Any = None, **kwargs: Any) -> Any:
        chosen = self.selection(
            problem, pop, n_offsprings, n_parents=2, to_pop=False, random_state=random_state, **kwargs
        )
        parents = pop.get("X").astype(np.int64)
        children = parents[chosen[:, 0]].copy()
        self._cross(children, parents[chosen[:, 1]], random_state)
        self._mutate(children, random_state)
        self._differentiate(children, parents, random_state)
        self._draw_back(children, parents[chosen[:, 0]], random_state)
        return Population.new("X", children)

    def _cross(self, children: Vectors, others: Vectors, random: np.random.Generator) -> None:
        taken = random.random(children.shape) < 0.5
        taken &= (random.random(len(children)) < self.rates.crossover)[:, None] & ~self.ordered
        children[taken] = others[taken]

    def _mutate(self, children: Vectors, random: np.random.Generator) -> None:
        each = min(0.5, 1 / max(1, int((~self.ordered).sum())))
        changed = random.random(children.shape) < each
        changed &= (random.random(len(children)) < self.rates.mutation)[:, None] & ~self.ordered
        children[changed] = random.integers(0, self.sizes, children.shape)[changed]

    def _differentiate(self, children: Vectors, parents: Vectors, random: np.random.Generator) -> None:
        columns = np.flatnonzero(self.ordered)
        if not len(columns):
            return
        picked = np.stack([_three(len(parents), random) for _ in children], axis=1)
        trio = parents[picked][:, :, columns].astype(float)
        donors = de_differential(trio, self.rates.de_weight, jitter=False, random_state=random)
        donors = bounce_back(donors, trio[0], np.zeros(len(columns)), self.sizes[columns] - 1.0, random)
        taken = mut_binomial(*donors.shape, self.rates.de_crossover, random_state=random)
        children[:, columns] = np.where(taken, np.rint(donors), children[:, columns])

    def _draw_back(self, children: Vectors, parents: Vectors, random: np.random.Generator) -> None:
        for child, parent in zip(children, parents, strict=True):
            while self.task.key(child) is None:
                changed = np.flatnonzero(child != parent)
                back = random.random(len(changed)) < 0.5
                child[changed[back]] = parent[changed[back]]


def _three(size: int, random: np.random.Generator) -> NDArray[np.int64]:
    """Three members, different where there are as many."""
    return random.choice(size, 3, replace=size < 3)


class GenotypeDuplicates(DuplicateElimination):  # type: ignore[misc]
    """Finds vectors whose genotype is there already: vectors may differ in genes that no network shows."""

    def __init__(self, task: SearchProblem) -> None:
        super().__init__()
        self.task = task

    def _do(self, pop: Any, other: Any, is_duplicate: Mask) -> Mask:
        seen = set() if other is None else {self._key(individual) for individual in other}
        for index, individual in enumerate(pop):
            key = self._key(individual)
            is_duplicate[index] = key in seen
            if other is None:
                seen.add(key)
        return is_duplicate

    def _key(self, individual: Any) -> str | None:
        key: str | None = individual.data.get("key")
        if key is None:
            key = individual.data["key"] = self.task.key(individual.X)
        return key
