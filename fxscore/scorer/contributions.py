"""What speaks for one of two networks: their difference in score, shared out to groups of features or to members.

Shapley values, exact: a player's value is the mean, over all orders in which what one network has takes the place of
what the other has, of what the score changes at its turn. They add up to the difference of the two scores, and of the
two raw scores. Features that go together (a deeper network is larger, too) share what only both explain; what the
scorer does not see has no value.
Source: Shapley, A Value for n-Person Games, 1953; Lundberg and Lee, NeurIPS 2017.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from math import factorial

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
# In this order: a column belongs to the first group that its name begins like.
GROUPS = {
    "signal of the constructed forward": "encoding_|factors_|patterns_|forward|ft_score",
    "size: parameters, MACs, elements": "(own_)?log_(params|macs|activations|weighted|elements)|entropy_",
    "kinds of operators": "count_|uses_|share_",
    "widths": "width_|log_width|expansion_|head_width|group_width",
    "kernel sizes and stem": "kernel_|stem_",
    "wiring and depth": "fan_|path_|depth|breadth|connected|repetition|shapes",
    "resolution and stages": "",
}


@dataclass(frozen=True)
class Contribution:
    """What a group of features, or a member of the scorer, adds to the first network's score over the second's.

    Attributes:
        group: its name.
        points: of score.
        raw: of the raw score, of which the score may be a percentile.
    """

    group: str
    points: float
    raw: float


def contributions(
    names: Sequence[str],
    first: Floats,
    second: Floats,
    raw_scores: Callable[[Floats], Floats],
    scale: Callable[[float], float] | None = None,
) -> tuple[Contribution, ...]:
    """The difference of two scores by group of features, the greatest share first.

    Args:
        names: of the columns.
        first: (columns,) of the network that the shares speak for.
        second: (columns,) of the other.
        raw_scores: (n, columns) → (n,).
        scale: from a raw score to the score; None where they are one.
    """
    groups = [group_of(name) for name in names]
    return shared_out(
        {each: [group == each for group in groups] for each in GROUPS}, first, second, raw_scores, scale
    )


def shared_out(
    players: Mapping[str, Sequence[bool]],
    first: Floats,
    second: Floats,
    raw_scores: Callable[[Floats], Floats],
    scale: Callable[[float], float] | None = None,
) -> tuple[Contribution, ...]:
    """As `contributions`, by players that have the columns where they are true, every column one."""
    count = len(players)
    rows = np.repeat(
        second[None], 2**count, 0
    )  # the row of a number has the players of its bits from the first
    for place, columns in enumerate(players.values()):
        rows[np.ix_(_taken(place, count), np.flatnonzero(columns))] = first[np.flatnonzero(columns)]
    raw = raw_scores(rows)
    scores = raw if scale is None else np.array([scale(each) for each in raw.tolist()])
    points, own = _weights(count) @ scores, _weights(count) @ raw
    found = [Contribution(*each) for each in zip(players, points.tolist(), own.tolist(), strict=True)]
    return tuple(sorted(found, key=lambda each: -abs(each.points)))


def group_of(name: str) -> str:
    """The group of a column."""
    return next(group for group, begins in GROUPS.items() if re.match(begins, name))


@cache
def _weights(count: int) -> Floats:
    """(players, 2^players) of the scores of all coalitions, by which Shapley values are their sums."""
    sizes = np.array([number.bit_count() for number in range(2**count)])
    share = np.array([factorial(k) * factorial(count - k - 1) / factorial(count) for k in range(count)])
    found = np.zeros((count, 2**count))
    for place in range(count):
        taken = _taken(place, count)
        found[place, taken] = share[sizes[taken] - 1]
        found[place, ~taken] = -share[sizes[~taken]]
    return found


def _taken(place: int, count: int) -> NDArray[np.bool_]:
    """(2^players,) whether a coalition has this player."""
    return np.asarray((np.arange(2**count) >> place) & 1 == 1)
