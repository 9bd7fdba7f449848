"""What a fit leaves: the scorer, what it could not use, and how well it ranks networks that it did not see."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from fxscore.evaluate.estimates import Estimate
from fxscore.provenance import provenance
from fxscore.scorer import FTScoreNet, Hybrid
from fxscore.scorer.ensemble import Ensemble
from fxscore.tabular import Tabular
from fxscore.train.fit.parts import FOLDS

Kind = Literal["hybrid", "ft", "both"]
_PACKAGES = ("fxscore", "torch", "numpy", "scikit-learn")


@dataclass(frozen=True, repr=False)
class Fitted(Tabular):
    """A fitted scorer and what is known of it.

    Attributes:
        scorer: fitted to all networks that could be used; its FT-ScoreNets only to those that were not held out.
        used: their places among the networks that were given.
        failed: place → error of those that could not be used.
        agreement: Spearman's ρ of networks with scores from a fit that did not see them, with its 95 % interval; of a
            hybrid, all networks, cross-validated.
        held_out: number of networks behind that figure.
        seed: of all that was drawn.
        unseen: place → score, in no unit, from a fit that did not see the network.
    """

    scorer: Hybrid | FTScoreNet | Ensemble
    used: tuple[int, ...]
    failed: dict[int, str]
    agreement: Estimate
    held_out: int
    seed: int = 0
    unseen: dict[int, float] = field(default_factory=dict)

    AXES = ("network", "unseen score")

    def summary(self) -> str:
        """The figure in words."""
        return str(self)

    def table(self) -> list[dict[str, Any]]:
        """A row for each network that was given: its place, its score from a fit that did not see it, its error."""
        places = sorted({*self.used, *self.failed})
        return [
            {"network": place, "unseen score": self.unseen.get(place), "error": self.failed.get(place)}
            for place in places
        ]

    def __str__(self) -> str:
        """The figure in words."""
        how = (
            f"in {FOLDS} folds, each scored by a fit to the others"
            if self._in_folds
            else "that were held out"
        )
        if self.agreement.value is None:
            return f"fitted to {len(self.used)} networks; ρ is undefined on {self.held_out} {how}"
        low, high = self.agreement.low, self.agreement.high
        interval = "" if low is None or high is None else f" (95 % interval {low:.3f} to {high:.3f})"
        return f"ρ {self.agreement.value:.3f}{interval} on {self.held_out} networks {how}"

    @property
    def record(self) -> dict[str, Any]:
        """What the scorer's file says about its making."""
        trained = "" if self._in_folds else f", FT-ScoreNets on {len(self.used) - self.held_out} of them"
        on = (
            f"{FOLDS} folds of the same networks" if self._in_folds else "networks of the same kind, held out"
        )
        figure = self.agreement
        measured = {
            "on": on,
            "n": self.held_out,
            "spearman": figure.value,
            "interval": [figure.low, figure.high],
        }
        return {
            "trained_on": f"{len(self.used)} networks{trained}",
            "measured": [measured],
            "caution": "Ranks networks like those that it was fitted to.",
            "seed": self.seed,
            **provenance(_PACKAGES),
        }

    def save(self, path: str | Path, about: Mapping[str, Any] | None = None) -> None:
        """Write the scorer with its record to a file that `load_scorer` and `fxscore rank --scorer` take.

        Args:
            path: The file; its name is the scorer's.
            about: What more its record says, or says in other words.
        """
        self.scorer.name = Path(path).name.removesuffix(".safetensors")
        self.scorer.save(path, {**self.record, **(about or {})})

    @property
    def _in_folds(self) -> bool:
        return isinstance(self.scorer, Hybrid)
