"""The draws of a learning curve: parts of the networks teach, and the scores of all others are judged."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from fxscore.evaluate import spearman
from fxscore.scorer.fitting import LEAST
from fxscore.scorer.hybrid_head import Floats
from fxscore.train.fit.parts import Mask, turns

PARTS = (8, 4, 2)  # the networks are parted so, and each of some parts teaches a scorer that ranks all others
DRAWS = 4  # parts of each size that teach


def drawn_fits(networks: int) -> int:
    """How many fits the learning curve of so many networks takes."""
    return DRAWS * sum(networks // parts >= LEAST for parts in PARTS)


def draws(
    fit: Callable[[Mask], Floats], labels: Floats, fingerprints: Sequence[str], seed: int
) -> Iterator[tuple[float, list[float]]]:
    """(networks learned from, ρ of each draw) for each size of part that is large enough.

    Args:
        fit: from a mask (n,) of the networks that teach to the scores (n,) that they teach.
        labels: (n,).
        fingerprints: (n,); networks of one are never parted.
        seed: of the parts.
    """
    for parts in (each for each in PARTS if len(labels) // each >= LEAST):
        taught = [turns(fingerprints, seed + draw // parts) % parts == draw % parts for draw in range(DRAWS)]
        taught = [mask for mask in taught if len(np.unique(labels[mask])) > 1]
        values = [spearman(fit(mask)[~mask], labels[~mask]) for mask in taught]
        known = [value for value in values if np.isfinite(value)]
        if known:
            yield float(np.mean([mask.sum() for mask in taught])), known
