"""How well scores rank the cells of NAS-Bench-201 that a scorer did not see."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from benchmarks.quality.features import network_key
from fxscore.evaluate import Population, kendall, spearman

Floats = NDArray[np.float64]
Places = Sequence[int] | NDArray[np.intp]
DATASETS = ("cifar10", "cifar100", "imagenet16-120")
PICKS = 10
FIGURES = ("ρ", "τ-b", "strict ρ", "strict τ-b", f"regret, seen + {PICKS}")


class Unseen:
    """The cells that are ranked.

    Args:
        everything: the whole table.
        seen: places of the cells that the scorer saw.
        ranked: places of the others that are ranked.
        known: networks (`network_key`) that strict figures leave out, beside those of the seen cells.
    """

    def __init__(
        self,
        everything: Population,
        seen: frozenset[int],
        ranked: Sequence[int],
        known: frozenset[str] = frozenset(),
    ) -> None:
        self._everything, self._seen, self._ranked = everything, sorted(seen), list(ranked)
        known |= {network_key(everything.refs[place]) for place in seen}
        self.strict = np.array([network_key(everything.refs[place]) not in known for place in ranked])

    def figures(self, scores: Floats, dataset: str) -> tuple[float, ...]:
        """ρ, τ-b, both on the strict cells, and regret, in the order of `FIGURES`."""
        valid, test = (self._everything.label(f"{dataset}.{part}") for part in ("valid", "test"))
        usable = np.isfinite(scores)
        truth = test[self._ranked]
        parts = (usable, usable & self.strict)
        agreement = [measure(scores[part], truth[part]) for part in parts for measure in (spearman, kendall)]
        certain = np.where(usable, scores, -np.inf)
        return (*agreement, regret_of(certain, self._seen, self._ranked, valid, test))


def regret_of(scores: Floats, seen: Places, rest: Places, valid: Floats, test: Floats) -> float:
    """Points lost after training the seen cells and the ten best scored others.

    Of these, the one of best validation accuracy is taken; its test accuracy is compared with the best of all cells.

    Args:
        scores: (rest,) of the cells that were not seen.
        seen: places of the cells that were.
        rest: places of the others.
        valid: accuracies by which a cell is taken, by place.
        test: accuracies that count, by place.
    """
    places = np.asarray(rest)
    trained = np.concatenate(
        [np.asarray(seen, dtype=int), places[np.argsort(-scores, kind="stable")[:PICKS]]]
    )
    both = np.concatenate([np.asarray(seen, dtype=int), places])
    return float(test[both].max() - test[trained[np.argmax(valid[trained])]])
