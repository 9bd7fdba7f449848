"""NSGA-II (Deb et al., 2002) on pymoo's parts, with differential evolution for ordered variables (paper III-E).

Constraint domination takes the place of the paper's sign flip: a network that keeps the limits beats all that do
not, and of those the smaller violation wins.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from pymoo.algorithms.moo.nsga2 import NSGA2, binary_tournament
from pymoo.core.evaluator import Evaluator
from pymoo.core.problem import Problem
from pymoo.core.termination import NoTermination
from pymoo.operators.selection.tournament import TournamentSelection
from pymoo.problems.static import StaticProblem

from fxscore.searching.evaluation import Evaluation
from fxscore.searching.mating import GenotypeDuplicates, MixedMating, Rates
from fxscore.searching.strategy import SearchProblem, Vectors


class NSGA2Search:
    """NSGA-II over a space.

    Args:
        task: what to search.
        differential: whether ordered variables take differential evolution; if not, they take crossover and
            choice like the others (plain NSGA-II).
        rates: of the operators.
    """

    def __init__(self, task: SearchProblem, *, differential: bool = True, rates: Rates | None = None) -> None:
        self._task = task
        ordered = np.array([v.ordered and differential for v in task.space.variables], dtype=bool)
        selection = TournamentSelection(func_comp=binary_tournament)
        first = task.sample(task.population, torch.Generator().manual_seed(task.seed))
        self._algorithm = NSGA2(
            pop_size=task.population,
            sampling=first,
            eliminate_duplicates=GenotypeDuplicates(task),
            mating=MixedMating(task, selection, ordered, rates or Rates()),
        )
        last = [len(variable.values) - 1 for variable in task.space.variables]
        self._problem = Problem(
            n_var=len(last), n_obj=len(task.objectives), n_ieq_constr=1, xl=0, xu=np.array(last), vtype=int
        )
        self._algorithm.setup(self._problem, termination=NoTermination(), seed=task.seed)
        self._asked = self._algorithm.pop

    def ask(self) -> Vectors:
        """The first population, then offspring."""
        self._asked = self._algorithm.ask()
        if self._asked is None or len(self._asked) == 0:
            return np.empty((0, len(self._task.space.variables)), dtype=np.int64)
        return np.asarray(self._asked.get("X"), dtype=np.int64)

    def tell(self, vectors: Vectors, evaluations: Sequence[Evaluation]) -> None:
        """Survival of the fittest, by rank and crowding."""
        offspring = self._asked[: len(evaluations)]
        violations = np.array([[evaluation.violation] for evaluation in evaluations])
        answers = StaticProblem(self._problem, F=self._task.losses(evaluations), G=violations)
        Evaluator().eval(answers, offspring)
        self._algorithm.tell(infills=offspring)
