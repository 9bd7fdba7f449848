"""Why a network has its score: which networks of training it is like, and what makes the difference from another.

What stands beside a score is enough for its neighbours and for the scorer's members (`Standing`): no network is built
again. Groups of features need the features. Of scorers that are no hybrids, which keep no networks of their training
and read no features, nothing of this is known.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fxscore.scorer.base import Scorer
from fxscore.scorer.card import confidence_of
from fxscore.scorer.confidence import Standing
from fxscore.scorer.contributions import Contribution, Floats, contributions, shared_out
from fxscore.scorer.features import feature_names
from fxscore.scorer.hybrid import Hybrid
from fxscore.scorer.measured import Result


@dataclass(frozen=True)
class Neighbour:
    """A network of the scorer's training.

    Attributes:
        name: its reference; "" where the scorer's file has none.
        distance: from the network that was scored; up to 1 is inside training, beyond 2 outside.
        results: what was measured of it, by task.
    """

    name: str
    distance: float
    results: tuple[Result, ...]

    def words(self) -> str:
        """What was measured, in words."""
        return "; ".join(each.words() for each in self.results)


def neighbours(scorer: Scorer, standing: Standing) -> tuple[Neighbour, ...]:
    """The nearest networks of training, nearest first; () where the scorer keeps none."""
    known = confidence_of(scorer).neighbours
    if not known:
        return ()
    found = []
    for place, apart in standing.nearest:
        name, results = known[0].networks.one(place)
        found.append(Neighbour(name, apart, results))
    return tuple(found)


def unknown_of(near: Sequence[Neighbour]) -> str:
    """What is not known of a network's neighbours, in a sentence; "" where nothing is missing."""
    if not near:
        return "The scorer keeps no networks of its training: which of them this one is like is not known."
    if not near[0].name:
        return "The scorer's file does not name the networks of its training: which this one is like is not known."
    return ""


def by_member(scorer: Scorer, first: Standing, second: Standing) -> tuple[Contribution, ...]:
    """The first score over the second by what the scorer's head puts together; () where that is not known.

    Of the general scorer: its prior, what all populations have in common by group of features, how much each network is
    like one population alone, and what that population teaches of it.
    """
    if not isinstance(scorer, Hybrid) or scorer.head is None:
        return ()
    head = scorer.head
    if not len(first.parts) == len(second.parts) == len(head.part_names) or not first.compares_with(second):
        return ()
    players = dict(zip(head.part_names, np.eye(len(first.parts), dtype=bool).tolist(), strict=True))
    return shared_out(players, np.array(first.parts), np.array(second.parts), head.whole, scorer.scale)


def by_group(scorer: Scorer, first: Floats, second: Floats) -> tuple[Contribution, ...]:
    """The first score over the second by group of features, (columns,); () for a scorer that reads none."""
    if not isinstance(scorer, Hybrid) or scorer.head is None:
        return ()
    return contributions(feature_names(), first, second, scorer.raw_scores, scorer.scale)
