"""Populations of made networks: features drawn, labels a function of them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from fxscore.scorer.features import feature_names
from fxscore.train.general.lessons import Lesson
from fxscore.types import ModelRef

Floats = NDArray[np.float64]
NAMES = feature_names()


def column(values: Floats, name: str) -> Floats:
    return values[:, NAMES.index(name)]


def lesson(
    origin: str,
    label: Callable[[Floats], Floats],
    n: int = 60,
    *,
    side: float = 32.0,
    may_train: bool = True,
    families: int = 0,
) -> Lesson:
    """`n` networks, drawn by the origin's name."""
    draw = np.random.default_rng(sum(map(ord, origin)))
    values = draw.standard_normal((n, len(NAMES)))
    values[:, NAMES.index("own_log_side")] = np.log(side)
    return Lesson(
        f"{origin}/accuracy",
        origin,
        may_train,
        tuple(ModelRef("zoo", f"{origin}{row}") for row in range(n)),
        values,
        label(values),
        np.array([f"{origin}{row}" for row in range(n)]),
        tuple(f"family{row % families}" for row in range(n)) if families else None,
        tuple(range(n)),
    )


def shared(values: Floats) -> Floats:
    """What all populations agree on: sums help, bounded activations harm."""
    return column(values, "count_sum") - column(values, "count_act_bounded")
