"""How far probabilities of pairs come true, on origins that made no part of them.

The pairs of an origin are judged by the table of all other origins (`fxscore.scorer.pair_table`), at the mean gap of
each cell of it. Pairs that were promised about the same stand in one bin; origins count alike, however many networks
and labels they have, and so do the populations of one. The expected calibration error is the mean distance of what was
promised from what came true, over bins by their weight (Naeini et al., AAAI 2015). Intervals are of resampled origins.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import reduce
from operator import add
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fxscore.scorer.pair_table import PairTable, Tally

Floats = NDArray[np.float64]
EDGES = np.linspace(0.5, 1, 11)
_BINS = len(EDGES) - 1


@dataclass(frozen=True)
class Bin:
    """Pairs that were promised about the same.

    Attributes:
        promised, true: mean probability, and share ordered rightly.
        low, high: 95 % interval of `true`.
        pairs: how many.
        weight: of them, of 1 in all bins.
    """

    promised: float
    true: float
    low: float
    high: float
    pairs: int
    weight: float


@dataclass(frozen=True)
class OriginPairs:
    """Mean promise of an origin's pairs, and the share ordered rightly."""

    name: str
    promised: float
    true: float
    pairs: int


@dataclass(frozen=True)
class Calibration:
    """All bins that hold pairs, from the least promise.

    Attributes:
        bins: of all origins.
        error: expected calibration error.
        origins: each by itself.
    """

    bins: tuple[Bin, ...]
    error: float
    origins: tuple[OriginPairs, ...]

    @property
    def pairs(self) -> int:
        """How many pairs."""
        return sum(each.pairs for each in self.bins)

    def as_dict(self) -> dict[str, Any]:
        """A JSON-ready form, which `from_dict` takes back."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Calibration:
        """What `as_dict` was kept of; raises `KeyError` or `TypeError`."""
        bins, origins = values["bins"], values["origins"]
        return cls(
            tuple(Bin(**each) for each in bins),
            values["error"],
            tuple(OriginPairs(**each) for each in origins),
        )


def calibration(
    gaps: Floats, origins: Mapping[str, Tally], *, resamples: int = 1000, seed: int = 0
) -> Calibration:
    """Probabilities against what came true.

    Args:
        gaps: of the cells that pairs were counted in.
        origins: the pairs of each origin; two at least.
        resamples: of origins, for the intervals.
        seed: of the resamples.
    """
    sums = np.array([_by_bin(gaps, name, origins) for name in origins])
    draw = np.random.default_rng(seed)
    drawn = [sums[draw.integers(0, len(sums), len(sums))].sum(0) for _ in range(resamples)]
    trues, whole = np.array([_true(each) for each in drawn]), sums.sum(0)
    bins = tuple(_bin(whole[place], trues[:, place], whole) for place in range(_BINS) if whole[place, 0])
    alone = tuple(_origin(name, own.sum(0)) for name, own in zip(origins, sums, strict=True) if own.any())
    return Calibration(bins, _error(whole), alone)


def _by_bin(gaps: Floats, name: str, origins: Mapping[str, Tally]) -> Floats:
    """(bins, 4): sums of pairs, weights, weight × right and weight × promise of an origin."""
    own = origins[name]
    table = PairTable.of_tally(gaps, reduce(add, (other for key, other in origins.items() if key != name)))
    found = np.zeros((_BINS, 4))
    for row in np.flatnonzero(table.counts):
        held = own.counts[row] > 0
        weights = own.weights[row][held]
        said = table.promised(int(row), own.apart[row][held] / weights)
        columns = (own.counts[row][held], weights, own.right[row][held], weights * said)
        places = np.clip(np.searchsorted(EDGES, said, side="right") - 1, 0, _BINS - 1)
        np.add.at(found, places, np.stack(columns, 1))
    return found


def _true(sums: Floats) -> Floats:
    """(bins,) shares ordered rightly; not a number where there is no pair."""
    held = sums[:, 1] > 0
    return np.asarray(np.divide(sums[:, 2], sums[:, 1], out=np.full(len(sums), np.nan), where=held))


def _error(sums: Floats) -> float:
    """Mean distance of promise and truth, over bins by weight."""
    return float(np.abs(sums[:, 3] - sums[:, 2]).sum() / sums[:, 1].sum())


def _bin(sums: Floats, trues: Floats, whole: Floats) -> Bin:
    pairs, weight, right, said = sums.tolist()
    low, high = np.nanquantile(trues, (0.025, 0.975)).tolist()
    return Bin(said / weight, right / weight, low, high, int(pairs), weight / float(whole[:, 1].sum()))


def _origin(name: str, sums: Floats) -> OriginPairs:
    pairs, weight, right, said = sums.tolist()
    return OriginPairs(name, said / weight, right / weight, int(pairs))
