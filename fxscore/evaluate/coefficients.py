"""How well scores agree with labels: rank correlations, and what choosing by score would have given.

Spearman's ρ is the correlation of average ranks; Kendall's τ-b counts pairs, tied ones taken out of either
total; the weighted τ (Vigna, WWW 2015; scipy's) gives a pair the sum of its networks' 1/(rank + 1), so that the
best count most. Precision of the top k is the share of the k best scores that are among the k best labels;
regret at k is the best label of all minus the best label among the k best scores, in the label's unit. Where a
tie straddles the k-th place, both are what choosing among the tied at random gives on average.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import kendalltau, rankdata, weightedtau

Floats = NDArray[np.float64]
UNDEFINED = float("nan")  # where all scores, or all labels, are equal: no order to agree with


@dataclass(frozen=True)
class Ties:
    """How many values are not alone.

    Attributes:
        tied: networks whose value another network has too.
        share: their share of all networks.
        levels: distinct values.
    """

    tied: int
    share: float
    levels: int

    @classmethod
    def of(cls, values: Floats) -> Ties:
        """Count the ties of (n,) values."""
        _, counts = np.unique(values, return_counts=True)
        tied = int(counts[counts > 1].sum())
        return cls(tied, tied / max(len(values), 1), len(counts))


def spearman(scores: Floats, labels: Floats, *, undefined: float = UNDEFINED) -> float:
    """Spearman's ρ of two (n,) arrays; `undefined` where one of them is constant."""
    if _constant(scores, labels):
        return undefined
    return float(np.corrcoef(rankdata(scores), rankdata(labels))[0, 1])


def kendall(scores: Floats, labels: Floats, *, undefined: float = UNDEFINED) -> float:
    """Kendall's τ-b; `undefined` where one of the arrays is constant."""
    return undefined if _constant(scores, labels) else _statistic(kendalltau(scores, labels))


def weighted_kendall(scores: Floats, labels: Floats) -> float:
    """Weighted τ, hyperbolic and additive, mean over both orders; NaN where one of the arrays is constant."""
    return UNDEFINED if _constant(scores, labels) else _statistic(weightedtau(scores, labels))


def precision_at(scores: Floats, labels: Floats, k: int) -> float:
    """The expected share of the k best scores that are among the k best labels."""
    k = min(k, len(scores))
    return float(chosen(scores, k) @ chosen(labels, k)) / k


def regret_at(scores: Floats, labels: Floats, k: int) -> float:
    """The best label minus the expected best label among the k best scores, in the label's unit."""
    k = min(k, len(scores))
    cut = np.partition(scores, len(scores) - k)[len(scores) - k]
    sure, tied = labels[scores > cut], np.sort(labels[scores == cut])[::-1]
    lost = labels.max() - np.maximum(tied, sure.max(initial=-np.inf))
    places = k - len(sure)
    return float(_first_drawn(len(tied), places) @ lost[: len(tied) - places + 1])


def chosen(values: Floats, k: int) -> Floats:
    """The probability of each network to be among the k best, ties broken at random."""
    cut = np.partition(values, len(values) - k)[len(values) - k]
    above, level = values > cut, values == cut
    return np.asarray(above + level * ((k - above.sum()) / level.sum()), dtype=np.float64)


def _first_drawn(size: int, places: int) -> Floats:
    """P(the best of `places` drawn from `size` ranked ones is the j-th), for j = 0 … size − places."""
    j = np.arange(size - places)
    factors = (size - j - places) / (size - j - 1) if len(j) else np.empty(0)
    return places / size * np.concatenate([[1.0], np.cumprod(factors)])


def _constant(*arrays: Floats) -> bool:
    return any(len(values) == 0 or values.min() == values.max() for values in arrays)


def _statistic(result: Any) -> float:
    return float(result.statistic)
