"""How well scores rank the cells of NAS-Bench-201 that a scorer did not see."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from benchmarks.features import network_key
from benchmarks.hybrid import PICKS
from benchmarks.nasbench201_scores import Floats
from fxscore.evaluate import Population, kendall, spearman

DATASETS = ("cifar10", "cifar100", "imagenet16-120")
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
        self._trained = everything.subset(sorted(seen))
        self._ranked = everything.subset(ranked)
        known |= {network_key(ref) for ref in self._trained.refs}
        self.strict = np.array([network_key(ref) not in known for ref in self._ranked.refs])

    def figures(self, scores: Floats, dataset: str) -> tuple[float, ...]:
        """ρ, τ-b, both on the strict cells, and regret, in the order of `FIGURES`."""
        usable = np.isfinite(scores)
        truth = self._ranked.label(f"{dataset}.test")
        parts = (usable, usable & self.strict)
        agreement = [measure(scores[part], truth[part]) for part in parts for measure in (spearman, kendall)]
        return (*agreement, self._regret(np.where(usable, scores, -np.inf), dataset))

    def _regret(self, scores: Floats, dataset: str) -> float:
        """Points lost after training the seen cells and the ten best scored others.

        Of these, the one of best validation accuracy is taken; its test accuracy is compared with the best of all
        seen and ranked cells.
        """
        picked = np.argsort(-scores, kind="stable")[:PICKS]
        trained, ranked = (
            {part: cells.label(f"{dataset}.{part}") for part in ("valid", "test")}
            for cells in (self._trained, self._ranked)
        )
        valid, test = (np.concatenate([trained[part], ranked[part][picked]]) for part in ("valid", "test"))
        best = max(trained["test"].max(initial=-np.inf), ranked["test"].max())
        return float(best - test[valid.argmax()])
