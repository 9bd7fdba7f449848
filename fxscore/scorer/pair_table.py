"""The probability that the network of the higher score is the better one, from pairs of networks that were left out.

Rows of the table are how far the farther network is from training (inside, near, outside; `fxscore.scorer.confidence`),
columns gaps of the two scores. An entry is the share of pairs ordered rightly, a tie of accuracies counting half, each
population counting alike whatever its size, and each origin however many labels its networks have; drawn towards a coin
toss by `_PRIOR` pairs, so that few pairs promise little; never less than a half, never falling with the gap, and never
more than for networks nearer to training. Between the gaps of the table, linear, from one half at no gap; beyond the
last, its value.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fxscore.scorer.trees import require

Floats = NDArray[np.float64]
EDGES = (1.0, 2.0)  # distances between the rows
_ROWS = len(EDGES) + 1
_COLUMNS = 10
_PRIOR = 20.0
_LEAST = 100  # pairs without which a row says nothing


@dataclass(frozen=True, eq=False)
class LeftOut:
    """One population of networks that the scorer had not seen.

    Attributes:
        scores, accuracies, distances: (n,) of its networks.
    """

    scores: Floats
    accuracies: Floats
    distances: Floats


@dataclass(frozen=True, eq=False)
class Tally:
    """What the pairs of some populations came to: by distance, and by the gap of a table that theirs is nearest to.

    Attributes:
        counts: (3, g) pairs.
        weights: (3, g) their weights, which add up to 1 for an origin, alike for each of its populations.
        right: (3, g) the weights of those ordered rightly.
        apart: (3, g) sums of weight × gap.
    """

    counts: Floats
    weights: Floats
    right: Floats
    apart: Floats

    @classmethod
    def of(cls, gaps: Floats, populations: Sequence[LeftOut]) -> Tally:
        """The pairs of these populations, all of one origin, near these gaps."""
        pairs = [_pairs(population) for population in populations if len(population.scores) > 1]
        gap, row, right, weight = (np.concatenate(parts) for parts in zip(*pairs, strict=True))
        cell = row * len(gaps) + np.searchsorted((gaps[1:] + gaps[:-1]) / 2, gap)
        sums = (
            np.bincount(cell, each, _ROWS * len(gaps)).reshape(_ROWS, -1)
            for each in (None, weight, weight * right, weight * gap)
        )
        counts, *weighted = (each.astype(float) for each in sums)
        return cls(counts, *(each / len(pairs) for each in weighted))

    def __add__(self, other: Tally) -> Tally:
        parts = (field.name for field in fields(Tally))
        return Tally(*(getattr(self, name) + getattr(other, name) for name in parts))

    def rows(self) -> dict[str, list[list[float]]]:
        """All numbers by name, JSON-ready."""
        return {name: array.round(8).tolist() for name, array in vars(self).items()}

    @classmethod
    def from_rows(cls, rows: Mapping[str, Sequence[Sequence[float]]]) -> Tally:
        """What `rows` were kept of."""
        return cls(**{name: np.array(table) for name, table in rows.items()})


@dataclass(frozen=True, eq=False)
class PairTable:
    """Shares of pairs ordered rightly.

    Attributes:
        gaps: (g,) rising gaps of scores, above 0.
        shares: (3, g) in [1/2, 1).
        counts: (3,) pairs that each row was measured on; a row of none says nothing.
    """

    gaps: Floats
    shares: Floats
    counts: Floats

    def __post_init__(self) -> None:
        """Raise `ValueError` where it is no table of probabilities."""
        width = len(self.gaps)
        own = {"gaps": self.gaps, "shares": self.shares, "counts": self.counts}
        require(own, {"gaps": (width,), "shares": (_ROWS, width), "counts": (_ROWS,)})
        if not width or self.gaps[0] <= 0 or (np.diff(self.gaps) <= 0).any():
            raise ValueError("the gaps of a table of pairs rise from above 0")
        if (self.shares < 0.5).any() or (self.shares >= 1).any() or (np.diff(self.shares) < 0).any():
            raise ValueError("shares of pairs rise with the gap, between one half and one")

    @classmethod
    def of(cls, populations: Sequence[LeftOut]) -> PairTable:
        """The table of these populations of one origin; raises `ValueError` where no scores differ."""
        gaps = gaps_of(populations)
        return cls.of_tally(gaps, Tally.of(gaps, populations))

    @classmethod
    def of_tally(cls, gaps: Floats, tally: Tally) -> PairTable:
        """The table of what pairs came to, near these gaps."""
        counts = tally.counts.sum(1)
        counts[counts < _LEAST] = 0
        rows = zip(tally.counts, tally.weights, tally.right, strict=True)
        shares = np.array([_shares(*row) for row in rows])
        shares[counts == 0] = shares.max()  # what was not measured lowers nothing
        return cls(gaps, np.minimum.accumulate(shares, 0), counts)

    def right(self, gap: float, distance: float) -> float | None:
        """The probability that the higher score is the better network's; None where nothing was measured."""
        row = int(np.digitize(distance, EDGES, right=True))
        return float(self.promised(row, np.array(gap))) if self.counts[row] else None

    def promised(self, row: int, gaps: Floats) -> Floats:
        """The probabilities that a row states at some gaps."""
        return np.asarray(np.interp(gaps, (0.0, *self.gaps), (0.5, *self.shares[row])))

    def gap(self, level: float, distance: float) -> float | None:
        """The least gap that orders rightly with this probability, the last of the table where none does."""
        row = int(np.digitize(distance, EDGES, right=True))
        if not self.counts[row]:
            return None
        shares, gaps = np.array((0.5, *self.shares[row])), np.array((0.0, *self.gaps))
        reached = int(np.searchsorted(shares, level))
        if reached == len(shares):
            return float(gaps[-1])
        return float(np.interp(level, shares[reached - 1 : reached + 1], gaps[reached - 1 : reached + 1]))

    def as_dict(self) -> dict[str, Any]:
        """A JSON-ready form: shares by how far the farther network is from training; None of what nobody measured."""
        rows = zip(("inside", "near", "outside"), self.shares.tolist(), self.counts.tolist(), strict=True)
        return {"gaps": self.gaps.tolist()} | {name: row if count else None for name, row, count in rows}

    def arrays(self, prefix: str) -> dict[str, NDArray[Any]]:
        """All numbers by name."""
        return {f"{prefix}{name}": getattr(self, name) for name in ("gaps", "shares", "counts")}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]], prefix: str) -> PairTable:
        """The table of which `arrays` were kept; raises `KeyError` or `ValueError`."""
        return cls(*(arrays[f"{prefix}{name}"] for name in ("gaps", "shares", "counts")))


def gaps_of(populations: Sequence[LeftOut]) -> Floats:
    """(g,) the gaps of a table of these populations; raises `ValueError` where none of their scores differ."""
    found = [_pairs(population)[0] for population in populations if len(population.scores) > 1]
    gap = np.concatenate(found) if found else np.zeros(0)
    if not (gap > 0).any():
        raise ValueError("no two networks of a population have different scores")
    return np.unique(np.quantile(gap[gap > 0], (np.arange(_COLUMNS) + 0.5) / _COLUMNS))


def _pairs(population: LeftOut) -> tuple[Floats, NDArray[np.int64], Floats, Floats]:
    """(gap, row of the table, 1 where ordered rightly, weight) of every pair of a population."""
    first, second = np.triu_indices(len(population.scores), 1)
    apart = population.scores[first] - population.scores[second]
    better = population.accuracies[first] - population.accuracies[second]
    farther = np.maximum(population.distances[first], population.distances[second])
    right = (np.sign(apart) * np.sign(better) + 1) / 2
    rows = np.digitize(farther, EDGES, right=True)
    return np.abs(apart), rows, right, np.full(len(right), 1 / len(right))


def _shares(counts: Floats, weights: Floats, right: Floats) -> Floats:
    """The shares of one row of cells, (g,) each, made to rise by pooling neighbours that fall."""
    measured = np.divide(right, weights, out=np.full(len(counts), 0.5), where=counts > 0)
    share = (counts * measured + _PRIOR / 2) / (counts + _PRIOR)
    return np.clip(_rising(share, np.maximum(counts, 1e-9)), 0.5, 1 - 1e-6)


def _rising(values: Floats, weights: Floats) -> Floats:
    """The nearest rising values in weighted least squares (pool adjacent violators)."""
    blocks: list[tuple[float, float, int]] = []
    for value, weight in zip(values.tolist(), weights.tolist(), strict=True):
        blocks.append((value, weight, 1))
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
            (a, m, i), (b, n, j) = blocks[-2:]
            blocks[-2:] = [((a * m + b * n) / (m + n), m + n, i + j)]
    return np.array([value for value, _, count in blocks for _ in range(count)])
