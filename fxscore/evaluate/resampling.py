"""Every figure in many bootstrap resamples at once.

A resample is a vector of counts: how often each network was drawn. For counts c, scores s and labels l, with
σ_ij = sign(s_i − s_j)·sign(l_i − l_j), copies of one network tied with each other, and G_i the sum of 1/(rank + 1)
over the copies of i:

    Kendall   Σ_ij c_i σ_ij c_j / 2 / √((P − P_s)(P − P_l))       P: pairs, P_s and P_l: pairs tied in s, in l
    weighted  Σ_ij G_i σ_ij c_j     / √((Q − Q_s)(Q − Q_l))       Q: the same with pairs weighted

so one product of the counts with σ, made in blocks, serves all resamples, and no resample is sorted.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from fxscore.evaluate.coefficients import Floats, regret_at

FIGURES = ("spearman", "kendall", "weighted", "precision", "regret")
_BLOCK = 256  # rows of σ held at once


def figures_of(scores: Floats, labels: Floats, counts: Floats, best: int, picks: int) -> dict[str, Floats]:
    """Every figure for each resample; NaN where one is undefined.

    Args:
        scores: (n,).
        labels: (n,).
        counts: (resamples, n).
        best: k of the precision.
        picks: k of the regret.
    """
    by_score, by_label = Order(scores, labels, counts), Order(labels, scores, counts)
    agreeing = _products(scores, labels, counts)
    return {
        "spearman": _spearman(by_score, by_label, counts),
        "kendall": _kendall(by_score, by_label, (agreeing * counts).sum(1) / 2),
        "weighted": _weighted(by_score, by_label, agreeing),
        "precision": (by_score.chosen(best) * by_label.chosen(best) * counts).sum(1) / best,
        "regret": _regrets(scores, labels, counts, picks),
    }


class Order:
    """Networks in the order of one variable, best first, in every resample.

    Attributes:
        sizes: (resamples, groups) copies in each group; a group is the networks of one value.
        drawn: (resamples,) copies in all.
        weights: (resamples, n) G of the module's docstring, ties of this variable ordered by the other.

    Args:
        values: (n,) of the variable.
        then: (n,) of the other one.
        counts: (resamples, n).
    """

    def __init__(self, values: Floats, then: Floats, counts: Floats) -> None:
        self._order = np.lexsort((then, values))[::-1]
        self._place = np.argsort(self._order)
        ordered = values[self._order]
        new = np.concatenate([[True], ordered[1:] != ordered[:-1]])
        self._starts, self._group = np.flatnonzero(new), np.cumsum(new) - 1
        self.drawn = counts.sum(1)
        self.sizes = self.by_group(counts)
        self._before = np.cumsum(self.sizes, axis=1) - self.sizes
        self.weights = self._weights(counts[:, self._order])[:, self._place]

    def _weights(self, placed: Floats) -> Floats:
        harmonic = np.concatenate([[0.0], np.cumsum(1 / np.arange(1, self.drawn.max() + 1))])
        last = np.cumsum(placed, axis=1)
        weights: Floats = harmonic[last.astype(np.intp)] - harmonic[(last - placed).astype(np.intp)]
        return weights

    def by_group(self, values: Floats) -> Floats:
        """Sums over the networks of each group."""
        return np.add.reduceat(values[:, self._order], self._starts, axis=1)

    def untied_pairs(self) -> Floats:
        """(resamples,) pairs of copies that this variable tells apart."""
        tied = (self.sizes * (self.sizes - 1) / 2).sum(1)
        return np.asarray(self.drawn * (self.drawn - 1) / 2 - tied)

    def untied_weight(self, weights: Floats) -> Floats:
        """The weight of those pairs: of each, the sum of its two copies' weights."""
        tied = ((self.sizes - 1) * self.by_group(weights)).sum(1)
        return np.asarray((self.drawn - 1) * weights.sum(1) - tied)

    def ranks(self) -> Floats:
        """Average ranks from 0, best first, (resamples, n)."""
        return self._by_network(self._before + (self.sizes - 1) / 2)

    def chosen(self, k: int) -> Floats:
        """The share of a network's copies that are among the k best, ties broken at random."""
        return self._by_network(np.clip((k - self._before) / np.maximum(self.sizes, 1), 0, 1))

    def _by_network(self, values: Floats) -> Floats:
        return values[:, self._group[self._place]]


def _spearman(by_score: Order, by_label: Order, counts: Floats) -> Floats:
    mean = (by_score.drawn - 1)[:, None] / 2
    one, other = by_score.ranks() - mean, by_label.ranks() - mean
    covariance = (counts * one * other).sum(1)
    return _ratio(covariance, (counts * one**2).sum(1), (counts * other**2).sum(1))


def _kendall(by_score: Order, by_label: Order, agreeing_pairs: Floats) -> Floats:
    return _ratio(agreeing_pairs, by_score.untied_pairs(), by_label.untied_pairs())


def _weighted(by_score: Order, by_label: Order, agreeing: Floats) -> Floats:
    """The mean of the two orders' weighted τ, as scipy's."""
    halves = [
        _ratio((agreeing * weights).sum(1), by_score.untied_weight(weights), by_label.untied_weight(weights))
        for weights in (by_score.weights, by_label.weights)
    ]
    return (halves[0] + halves[1]) / 2


def _products(scores: Floats, labels: Floats, counts: Floats) -> Floats:
    """The product of the counts and σ; sums of ±counts are whole numbers, exact in single precision."""
    drawn = counts.astype(np.float32)
    total = np.zeros_like(drawn)
    for rows in _blocks(len(scores)):
        signs = np.sign(scores[rows, None] - scores) * np.sign(labels[rows, None] - labels)
        total += drawn[:, rows] @ signs.astype(np.float32)
    return total.astype(np.float64)


def _blocks(count: int) -> Iterator[slice]:
    return (slice(begin, begin + _BLOCK) for begin in range(0, count, _BLOCK))


def _ratio(above: Floats, one: Floats, other: Floats) -> Floats:
    """The quotient above / √(one · other), NaN where nothing is left to agree."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(one * other > 1e-9, above / np.sqrt(one * other), np.nan)


def _regrets(scores: Floats, labels: Floats, counts: Floats, k: int) -> Floats:
    drawn = [np.repeat(np.arange(len(scores)), row.astype(np.intp)) for row in counts]
    return np.array([regret_at(scores[rows], labels[rows], k) for rows in drawn])
