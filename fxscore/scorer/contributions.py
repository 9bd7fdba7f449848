"""What speaks for one of two networks: their difference in score, shared out to groups of features.

Shapley values, exact: a group's value is the mean, over all orders in which the groups of one network take the place of
the other's, of what the score changes at its turn. They add up to the difference of the two scores. Features that go
together (a deeper network is larger, too) share what only both explain; what the scorer does not see has no value.
Source: Shapley, A Value for n-Person Games, 1953; Lundberg and Lee, NeurIPS 2017.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import factorial

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
# In this order: a column belongs to the first group that its name begins like.
GROUPS = {
    "signal of the constructed forward": "encoding_|factors_|patterns_|forward|ft_score",
    "size: parameters, MACs, elements": "log_params|log_macs|log_activations|log_weighted|log_elements|entropy_",
    "kinds of operators": "count_|uses_|share_",
    "widths": "width_|log_width|expansion_|head_width|group_width",
    "windows": "kernel_|stem_",
    "wiring and depth": "fan_|path_|depth|breadth|connected|repetition|shapes",
    "resolution and stages": "",
}


@dataclass(frozen=True)
class Contribution:
    """What a group of features adds to the first network's score over the second's, in points of score."""

    group: str
    points: float


def contributions(
    names: Sequence[str], first: Floats, second: Floats, scores: Callable[[Floats], Floats]
) -> tuple[Contribution, ...]:
    """The difference of two scores by group, the greatest share first.

    Args:
        names: of the columns.
        first: (columns,) of the network that the shares speak for.
        second: (columns,) of the other.
        scores: (n, columns) → (n,).
    """
    groups = [group_of(name) for name in names]
    members = [np.array([group == each for group in groups]) for each in GROUPS]
    count = len(members)
    rows = np.repeat(
        second[None], 2**count, 0
    )  # the row of a number has the groups of its bits from the first
    for place, columns in enumerate(members):
        taken = (np.arange(2**count) >> place) & 1 == 1
        rows[np.ix_(taken, columns)] = first[columns]
    values = scores(rows)
    found = [Contribution(name, _shapley(values, place, count)) for place, name in enumerate(GROUPS)]
    return tuple(sorted(found, key=lambda each: -abs(each.points)))


def group_of(name: str) -> str:
    """The group of a column."""
    return next(group for group, begins in GROUPS.items() if re.match(begins, name))


def _shapley(values: Floats, place: int, count: int) -> float:
    total = 0.0
    for without in range(2**count):
        if without >> place & 1:
            continue
        size = without.bit_count()
        weight = factorial(size) * factorial(count - size - 1) / factorial(count)
        total += weight * float(values[without | 1 << place] - values[without])
    return total
