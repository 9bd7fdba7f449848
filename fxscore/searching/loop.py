"""The loop of a search: ask, evaluate, tell, until budget, generations or the space itself are used up."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from itertools import count
from typing import Literal, Protocol

from fxscore.errors import SearchError, WorkerError
from fxscore.run import Watcher
from fxscore.searching.evaluation import Evaluation, front
from fxscore.searching.goals import SCORE
from fxscore.searching.journal import Journal
from fxscore.searching.measuring import Measurer
from fxscore.searching.strategy import SearchProblem, Strategy, Vectors

_logger = logging.getLogger(__name__)
# Its budget or its generations are used up; every network of the space has been looked at, or nothing is left to
# propose; too many networks in a row kept no limits; Ctrl-C, or the loss of all workers.
Ending = Literal["budget", "generations", "exhausted", "limits", "interrupted"]
_FAILURES = 200  # networks that fail, before there was one that did not
_PATIENCE = 100  # populations without a network that keeps the limits


@dataclass(frozen=True)
class SearchStanding:
    """Where a search stands after a generation.

    Attributes:
        generation: how many are done.
        scored: networks that were scored or failed, cached ones included.
        best: highest score of a feasible network; None while there is none.
        front: how many networks no other is better than.
        replayed: whether the generation came from the journal.
    """

    generation: int
    scored: int
    best: float | None
    front: int
    replayed: bool


class SearchWatcher(Watcher, Protocol):
    """Is told what happens, for a display."""

    def generation(self, progress: SearchStanding) -> None:
        """A generation is done."""


@dataclass
class Loop:
    """One search.

    Args:
        task: what is searched.
        strategy: what proposes networks.
        measurer: what evaluates them.
        budget: networks to score at most.
        generations: at most; None until the budget is used up.
        genotypes: that the space has, or more (`strategy.count_genotypes`); None where nobody counted them.
        journal: answers what it knows, and keeps what is new.
        watcher: for a display.
    """

    task: SearchProblem
    strategy: Strategy
    measurer: Measurer
    budget: int
    generations: int | None = None
    genotypes: int | None = None
    journal: Journal | None = None
    watcher: SearchWatcher | None = None
    history: list[list[Evaluation]] = field(default_factory=list)
    scored: int = 0
    _front: tuple[Evaluation, ...] = ()
    _seen: set[str] = field(default_factory=set)
    _in_vain: int = 0

    def run(self) -> Ending:
        """Fill `history`, and say what ended it.

        Raises:
            SearchError: nothing keeps the limits.
        """
        try:
            return self._generations()
        except WorkerError as error:
            if not self.history:
                raise
            _logger.warning("%s; the search ends with what it has found", error)
        except KeyboardInterrupt:
            if self.measurer.unfinished:
                self.history.append(self.measurer.unfinished)
        return "interrupted"

    def _generations(self) -> Ending:
        for number in count() if self.generations is None else range(self.generations):
            if self.scored >= self.budget:
                return "budget"
            if ended := self._generation(number):
                return ended
        return "generations"

    def _generation(self, number: int) -> Ending | None:
        """Ask, evaluate and tell once; what ended the search, if anything did."""
        vectors = self.strategy.ask()
        if not len(vectors):
            _logger.info("nothing is left to propose after %d generations", number)
            return "exhausted"
        evaluations, replayed = self._evaluate(number, vectors)
        if evaluations:
            self.strategy.tell(vectors[: len(evaluations)], evaluations)
        self._take(evaluations, replayed)
        if self._is_exhausted():
            return "exhausted"
        if len(evaluations) < len(vectors):
            return "budget"
        return "limits" if self._loses_patience() else None

    def _evaluate(self, number: int, vectors: Vectors) -> tuple[list[Evaluation], bool]:
        texts = [self.task.space.format(self.task.space.decode(vector)) for vector in vectors.tolist()]
        room = self.budget - self.scored
        known = self.journal.known(number, texts) if self.journal else None
        if known is not None and (len(known) == len(texts) or sum(e.attempted for e in known) >= room):
            return _within(known, room), True
        if known is not None and self.journal is not None:
            self.journal.forget_from(number)  # a smaller budget had cut it short
        evaluations = self.measurer(texts, room, self.watcher)
        if self.journal is not None:
            self.journal.write(number, evaluations)
        return evaluations, False

    def _take(self, evaluations: list[Evaluation], replayed: bool) -> None:
        self.history.append(evaluations)
        self._seen.update(evaluation.text for evaluation in evaluations)
        self.scored += sum(evaluation.attempted for evaluation in evaluations)
        self._front = front((*self._front, *evaluations), self.task.objectives)
        if self.watcher is not None:
            scores = [e.values[SCORE] for generation in self.history for e in generation if e.feasible]
            best = max(scores, default=None)
            self.watcher.generation(
                SearchStanding(len(self.history), self.scored, best, len(self._front), replayed)
            )

    def _is_exhausted(self) -> bool:
        """Whether every network of the space has been looked at: what is proposed from now on is known.

        Raises:
            SearchError: none of them is of use.
        """
        if self.genotypes is None or len(self._seen) < self.genotypes:
            return False
        if not self._front:
            raise SearchError(f"all {len(self._seen)} networks of the space were of no use: {self._why()}")
        return True

    def _loses_patience(self) -> bool:
        """Whether so many networks in a row kept no limits that more of them are no use.

        Raises:
            SearchError: there never was one that did.
        """
        self._in_vain += len(self.history[-1])
        if any(evaluation.feasible for evaluation in self.history[-1]):
            self._in_vain = 0
        all_failed = all(each.error for generation in self.history for each in generation)
        if self._in_vain < (_FAILURES if all_failed else _PATIENCE * self.task.population):
            return False
        if not self._front:
            raise SearchError(f"{self._in_vain} networks in a row were of no use: {self._why()}")
        _logger.warning("%d networks in a row kept no limits; the search ends", self._in_vain)
        return True

    def _why(self) -> str:
        every = [each for generation in self.history for each in generation]
        errors = [each.error for each in every if each.error]
        if errors:
            return f"the first failed with {errors[0]}"
        nearest = min(every, key=lambda each: each.violation)
        sizes = ", ".join(f"{nearest.values[name]:.0f} {name}" for name in self.task.limits.given)
        return f"the limits may be too tight: the network that comes nearest to them has {sizes}"


def _within(evaluations: list[Evaluation], room: int) -> list[Evaluation]:
    """The evaluations before the one that would pass the budget."""
    kept, used = [], 0
    for evaluation in evaluations:
        used += evaluation.attempted
        if used > room:
            break
        kept.append(evaluation)
    return kept
