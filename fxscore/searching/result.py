"""What a search found: the front, the whole history, and the network to choose."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from torch import nn

from fxscore.errors import SearchError
from fxscore.scorer.confidence import Confidence
from fxscore.searching.evaluation import Evaluation, front
from fxscore.searching.goals import SCORE, Objective
from fxscore.searching.handle import AnySpace, reference
from fxscore.searching.loop import Ending
from fxscore.tabular import Tabular
from fxscore.types import ModelRef, is_percentile

_EARLY = {
    "exhausted": ("nothing left in the space to look at",),
    "limits": ("hardly any network keeps the limits",),
    "interrupted": ("interrupted",),
}


@dataclass(frozen=True, repr=False)
class SearchRecord:
    """What is kept of a search: all but the space itself, which only building networks needs.

    Attributes:
        place: the source of references of the space's genotypes, as in `zen_resnet:…`.
        objectives: that were wanted.
        history: the evaluations of every generation; of an interrupted one, those that were there.
        settings: that decided the course of the search.
    """

    place: str
    objectives: tuple[Objective, ...]
    history: tuple[tuple[Evaluation, ...], ...]
    settings: Mapping[str, Any]

    @property
    def name(self) -> str:
        """What plots call the space: `zen_resnet`, or the class of a file."""
        return self.place.rpartition(":")[2]

    @property
    def evaluations(self) -> tuple[Evaluation, ...]:
        """Every network once, in the order in which they were proposed."""
        found: dict[str, Evaluation] = {}
        for generation in self.history:
            for evaluation in generation:
                found.setdefault(evaluation.text, evaluation)
        return tuple(found.values())

    @property
    def front(self) -> tuple[Evaluation, ...]:
        """The feasible networks of the whole search that no other is better than, best first objective first."""
        return front(self.evaluations, self.objectives)

    @property
    def failures(self) -> tuple[Evaluation, ...]:
        """The networks that have an error in place of values."""
        return tuple(evaluation for evaluation in self.evaluations if evaluation.error is not None)

    def best(self, *, min_params: float = 0.0, max_params: float = float("inf")) -> Evaluation:
        """The feasible network of the highest score whose parameters lie within these bounds.

        The paper chooses with ``min_params=9e5``.

        Raises:
            SearchError: no network of the search lies there.
        """
        fitting = [
            e for e in self.evaluations if e.feasible and min_params <= e.values["params"] <= max_params
        ]
        if not fitting:
            raise SearchError(
                f"no feasible network with {min_params:g} to {max_params:g} parameters among the "
                f"{len(self.evaluations)} of the search; widen the bounds or search longer"
            )
        return max(fitting, key=lambda evaluation: evaluation.values[SCORE])

    def best_so_far(self) -> Iterator[tuple[int, float]]:
        """(networks scored, highest score until then), for each network that was scored or failed."""
        return best_so_far(self.history)


@dataclass(frozen=True, repr=False)
class SearchResult(SearchRecord, Tabular):
    """The outcome of a search, finished or interrupted.

    Attributes:
        space: that was searched.
        ended: what ended it.
        judge: what the scorer knows of its own reliability, where the score is an objective.
    """

    space: AnySpace
    ended: Ending = "budget"
    judge: Confidence | None = field(default=None, compare=False, repr=False)

    AXES = ("params", SCORE)

    def summary(self) -> str:
        """What was searched, what came of it, and what ended it where that was neither budget nor generations."""
        found = f"{self.place}, {len(self.evaluations)} networks, {len(self.front)} on the front"
        return ", ".join([found, *self.early])

    @property
    def interrupted(self) -> bool:
        """Whether Ctrl-C, or the loss of all workers, ended it."""
        return self.ended == "interrupted"

    @property
    def early(self) -> tuple[str, ...]:
        """Why it ended before its budget and its generations were used up, in a few words; () where it did not."""
        return _EARLY.get(self.ended, ())

    @property
    def has_percentiles(self) -> bool:
        """See `fxscore.tabular.Tabular`."""
        return is_percentile(self.judge)

    def table(self) -> list[dict[str, Any]]:
        """A row for each network of the front, best first objective first."""
        return [{"network": each.text, **each.values} for each in self.front]

    def ref(self, evaluation: Evaluation) -> ModelRef:
        """The reference that `fxscore rank` takes, where the space can be imported."""
        return reference(self.place, evaluation.text)

    def build(self, evaluation: Evaluation) -> nn.Module:
        """The network, its weights freshly initialised."""
        return self.space.build(self.space.parse(evaluation.text))


def best_so_far(history: Sequence[Sequence[Evaluation]]) -> Iterator[tuple[int, float]]:
    """See `SearchResult.best_so_far`."""
    best, attempts = float("-inf"), 0
    for generation in history:
        for evaluation in generation:
            if evaluation.attempted:
                attempts += 1
                best = max(best, evaluation.values[SCORE] if evaluation.feasible else best)
                yield attempts, best
