"""Splits: a seeded draw for training, and folds that keep whole families on one side.

A network must not be tested on its sisters, and whoever measures a scorer must be able to draw its training again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch

LEFT = 1000  # networks to measure on, where a run takes as many as it can


class Split(NamedTuple):
    """Places of networks, in the order of the draw."""

    training: list[int]
    validation: list[int]
    rest: list[int]

    @property
    def drawn(self) -> frozenset[int]:
        """Training and validation together: what a scorer of this split has seen."""
        return frozenset(self.training) | frozenset(self.validation)


def split_indices(total: int, count: int, validation: float, seed: int) -> Split:
    """Draw from `total` networks, as training does.

    Args:
        total: networks that there are.
        count: drawn for training and validation together; 0 leaves a tenth to measure on, at most `LEFT`.
        validation: share of the drawn ones that is not trained on.
        seed: of the draw.
    """
    order = torch.randperm(total, generator=torch.Generator().manual_seed(seed)).tolist()
    chosen = order[: count or total - min(LEFT, total // 10)]
    held = round(validation * len(chosen))
    return Split(chosen[held:], chosen[:held], order[len(chosen) :])


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
