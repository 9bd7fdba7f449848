"""Columns of features at the network's own size, where they were read of the network as it is seen.

Larger images are seen small (`fxscore.scorer.seen_size`), in steps: a column that counts positions would step with
them, and with it the score of a network at 96 and at 97 pixels. Every layer that has several positions has about
(own side / seen side)² times as many at the network's own size, so means of their logarithms grow by twice
`own_log_ratio`, and sums by that for each layer.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
_RATIO, _LAYERS = "own_log_ratio", "count_weighted"
_AXES = 2  # of positions
_MEANS = ("log_elements_mean", *(f"quarter{quarter}_positions" for quarter in range(4)))
_SUMS = ("log_elements_sum",)
MOVED = (*_MEANS, *_SUMS)


def columns_at_own_size(wanted: Sequence[str], names: Sequence[str], values: Floats) -> Floats:
    """The columns `wanted` (n, wanted) of features `values` (n, names), those of positions at the own size."""
    places = {name: place for place, name in enumerate(names)}
    found = values[:, [places[name] for name in wanted]].copy()
    for place, name in enumerate(wanted):
        if name in _MEANS:
            found[:, place] += _AXES * values[:, places[_RATIO]]
        elif name in _SUMS:
            found[:, place] += _AXES * values[:, places[_RATIO]] * values[:, places[_LAYERS]]
    return np.asarray(found)
