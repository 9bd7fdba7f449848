"""Splits that keep whole families on one side: a network must not be tested on its sisters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np


def family_folds(families: Sequence[str], folds: int, seed: int) -> list[list[int]]:
    """Indices of each fold; every family lies in one fold, and folds are about equally large.

    Families go, the largest first and equals in seeded order, to the fold that is smallest so far.

    Raises:
        ValueError: fewer families than folds.
    """
    sizes = Counter(families)
    if len(sizes) < folds:
        raise ValueError(f"{len(sizes)} families cannot fill {folds} folds")
    names = np.random.default_rng(seed).permutation(sorted(sizes)).tolist()
    fold_of: dict[str, int] = {}
    filled = [0] * folds
    for name in sorted(names, key=lambda name: -sizes[name]):
        fold_of[name] = filled.index(min(filled))
        filled[fold_of[name]] += sizes[name]
    return [[i for i, name in enumerate(families) if fold_of[name] == fold] for fold in range(folds)]
