"""Figures with bootstrap percentile intervals.

Resamples are drawn with a seed, over networks or over whole families of networks; the same seed draws the same
resamples, so that scorers measured on the same networks can be compared pair by pair.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from fxscore.evaluate.coefficients import (
    Floats,
    kendall,
    precision_at,
    regret_at,
    spearman,
    weighted_kendall,
)
from fxscore.evaluate.resampling import FIGURES, figures_of

_ELEMENTS = 2_000_000  # counts held at once


@dataclass(frozen=True)
class Measures:
    """What is measured.

    Attributes:
        top: share of the networks that precision counts as the best.
        picks: k of regret at k.
        resamples: of the bootstrap; 0 gives no intervals.
        confidence: of the percentile intervals.
        seed: of the resamples.
    """

    top: float = 0.1
    picks: int = 10
    resamples: int = 1000
    confidence: float = 0.95
    seed: int = 0

    def best(self, count: int) -> int:
        """The k of the precision among `count` networks."""
        return max(1, round(self.top * count))


@dataclass(frozen=True)
class Estimate:
    """A figure and its interval; None where it is undefined, as for scores that are all equal."""

    value: float | None
    low: float | None = None
    high: float | None = None

    @classmethod
    def of(cls, value: float, resampled: Floats, confidence: float) -> Estimate:
        """The percentile interval of resampled values; undefined ones among them are left out."""
        known = resampled[np.isfinite(resampled)]
        if not np.isfinite(value) or not len(known):
            return cls(float(value) if np.isfinite(value) else None)
        tail = (1 - confidence) / 2
        low, high = np.quantile(known, [tail, 1 - tail])
        return cls(float(value), float(low), float(high))


@dataclass(frozen=True)
class Agreement:
    """Figures of one scorer on one label, with the resampled values behind their intervals."""

    figures: dict[str, Estimate]
    resampled: dict[str, Floats]


def agreement(
    scores: Floats, labels: Floats, measures: Measures, families: Sequence[str] | None = None
) -> Agreement:
    """Every figure of `FIGURES` with its interval.

    Args:
        scores: (n,), finite, n ≥ 2.
        labels: (n,), more is better.
        measures: what and how.
        families: resample these as wholes; by default every network on its own.
    """
    k = measures.best(len(scores))
    values = {
        "spearman": spearman(scores, labels),
        "kendall": kendall(scores, labels),
        "weighted": weighted_kendall(scores, labels),
        "precision": precision_at(scores, labels, k),
        "regret": regret_at(scores, labels, measures.picks),
    }
    resampled = _resampled(scores, labels, measures, families)
    figures = {
        name: Estimate.of(value, resampled[name], measures.confidence) for name, value in values.items()
    }
    return Agreement(figures, resampled)


def difference(one: Agreement, other: Agreement, figure: str, confidence: float = 0.95) -> Estimate:
    """One scorer's figure minus another's, the interval from paired resamples of the same networks."""
    first, second = one.figures[figure].value, other.figures[figure].value
    if first is None or second is None:
        return Estimate(None)
    return Estimate.of(first - second, one.resampled[figure] - other.resampled[figure], confidence)


def _resampled(
    scores: Floats, labels: Floats, measures: Measures, families: Sequence[str] | None
) -> dict[str, Floats]:
    draw = _drawer(len(scores), measures.seed, families)
    size = max(1, _ELEMENTS // len(scores))
    parts = [{name: np.empty(0) for name in FIGURES}]
    for begin in range(0, measures.resamples, size):
        counts = draw(min(size, measures.resamples - begin))
        parts.append(figures_of(scores, labels, counts, measures.best(len(scores)), measures.picks))
    return {name: np.concatenate([part[name] for part in parts]) for name in FIGURES}


def _drawer(count: int, seed: int, families: Sequence[str] | None) -> Callable[[int], Floats]:
    """A function that draws so many rows of counts."""
    generator = np.random.default_rng(seed)
    names = range(count) if families is None else families
    _, member = np.unique(np.asarray(names), return_inverse=True)
    groups = int(member.max()) + 1

    def draw(rows: int) -> Floats:
        drawn = generator.multinomial(groups, np.full(groups, 1 / groups), size=rows)
        return np.asarray(drawn[:, member], dtype=np.float64)

    return draw
