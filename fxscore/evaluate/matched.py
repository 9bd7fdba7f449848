"""Agreement among networks of about equal size, or of one family: what a user cannot read off a table of sizes.

Sizes are cut into bins of ratio (1 + t)/(1 − t) from the smallest network up, so that every network of a bin lies
within ±t of its middle; the figure is the mean of ρ over the bins with enough networks, weighted by their number.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fxscore.evaluate.coefficients import UNDEFINED, Floats, spearman
from fxscore.evaluate.estimates import Estimate

Indices = NDArray[np.intp]


@dataclass(frozen=True)
class Bins:
    """Networks of about equal size.

    Attributes:
        tolerance: t; a bin reaches from (1 − t) to (1 + t) times its middle.
        least: networks that a bin needs to count.
    """

    tolerance: float = 0.15
    least: int = 10

    def of(self, sizes: Floats) -> list[Indices]:
        """Indices of the networks in each bin that counts; `sizes` are positive, (n,)."""
        width = np.log((1 + self.tolerance) / (1 - self.tolerance))
        place = np.floor(np.log(sizes / sizes.min()) / width + 1e-9)
        bins = [np.flatnonzero(place == each) for each in np.unique(place)]
        return [members for members in bins if len(members) >= self.least]


def matched_spearman(
    scores: Floats,
    labels: Floats,
    sizes: Floats,
    bins: Bins | None = None,
    *,
    resamples: int = 1000,
    confidence: float = 0.95,
    seed: int = 0,
) -> Estimate:
    """Mean ρ within bins of equal size; the interval resamples networks within each bin.

    Args:
        scores: (n,).
        labels: (n,).
        sizes: (n,), such as multiply-accumulates.
        bins: by default ±15 %, ten networks or more.
        resamples: of the bootstrap.
        confidence: of the interval.
        seed: of the resamples.
    """
    return _grouped(scores, labels, (bins or Bins()).of(sizes), resamples, confidence, seed)


def family_spearman(
    scores: Floats,
    labels: Floats,
    families: Sequence[str],
    least: int = 10,
    *,
    resamples: int = 1000,
    confidence: float = 0.95,
    seed: int = 0,
) -> Estimate:
    """Mean ρ within families, weighted by their number of networks; the interval resamples networks within each.

    Args:
        scores: (n,).
        labels: (n,).
        families: (n,) names.
        least: networks that a family needs to count.
        resamples: of the bootstrap.
        confidence: of the interval.
        seed: of the resamples.
    """
    names = np.asarray(families)
    groups = [np.flatnonzero(names == name) for name in np.unique(names)]
    counted = [members for members in groups if len(members) >= least]
    return _grouped(scores, labels, counted, resamples, confidence, seed)


def _grouped(
    scores: Floats, labels: Floats, groups: list[Indices], resamples: int, confidence: float, seed: int
) -> Estimate:
    generator = np.random.default_rng(seed)
    resampled = [
        _mean(scores, labels, [generator.choice(members, len(members)) for members in groups])
        for _ in range(resamples)
    ]
    return Estimate.of(_mean(scores, labels, groups), np.array(resampled), confidence)


def _mean(scores: Floats, labels: Floats, bins: list[Indices]) -> float:
    values = np.array([spearman(scores[members], labels[members]) for members in bins])
    counts = np.array([len(members) for members in bins])
    known = np.isfinite(values)  # a bin of equal scores has no order
    return float(np.average(values[known], weights=counts[known])) if known.any() else UNDEFINED
