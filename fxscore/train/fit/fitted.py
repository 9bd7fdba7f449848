"""What a fit leaves: the scorer, what it could not use, and how well it ranks networks that it did not see."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from fxscore.evaluate.estimates import Estimate
from fxscore.evaluate.worth import Worth
from fxscore.provenance import provenance
from fxscore.scorer import FTScoreNet, Hybrid
from fxscore.scorer.confidence import LEVEL
from fxscore.scorer.ensemble import Ensemble
from fxscore.scorer.pair_table import PairTable
from fxscore.tabular import Tabular
from fxscore.train.fit.drawing import drawn_fits
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
        worth: what else ranks the same networks, and what more networks would bring.
        networks: place → (name, accuracy) of all that were given.
        pairs: how often the scorer orders pairs of networks rightly that it did not see; None where nobody measured it.
    """

    scorer: Hybrid | FTScoreNet | Ensemble
    used: tuple[int, ...]
    failed: dict[int, str]
    agreement: Estimate
    held_out: int
    seed: int = 0
    unseen: dict[int, float] = field(default_factory=dict)
    worth: Worth = field(default_factory=Worth)
    networks: dict[int, tuple[str, float]] = field(default_factory=dict)
    pairs: PairTable | None = None

    AXES = ("unseen score", "accuracy")

    def summary(self) -> str:
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

    def table(self) -> list[dict[str, Any]]:
        """A row for each network that was given: its accuracy, its score from a fit that did not see it, its error."""
        return [self._row(place) for place in sorted({*self.used, *self.failed})]

    def tables(self) -> dict[str, list[dict[str, Any]]]:
        """The networks; what else ranks them; the learning curve, where there is one."""
        rivals = [
            {"scorer": each.name, "ρ": each.agreement.value, "gain": each.gain.value, "low": each.gain.low,
             "high": each.gain.high}
            for each in self.worth.rivals
        ]  # fmt: skip
        curve = [
            {
                "learned from": each.x,
                "ρ": each.estimate.value,
                "low": each.estimate.low,
                "high": each.estimate.high,
            }
            for each in self.worth.curve
        ]
        every = {"networks": self.table(), "beside others": rivals, "learning curve": curve}
        return {name: rows for name, rows in every.items() if rows}

    def _row(self, place: int) -> dict[str, Any]:
        name, accuracy = self.networks.get(place, (None, None))
        known = {"network": place if name is None else name, "accuracy": accuracy}
        return {**known, "unseen score": self.unseen.get(place), "error": self.failed.get(place)}

    @property
    def sentences(self) -> tuple[str, ...]:
        """The figure, what the fit is worth beside others, what more networks would bring, and how sure a score is."""
        found = [f"{self.summary()}.", *self.worth.sentences]
        if not self.worth.curve and not self._in_folds and (fits := drawn_fits(len(self.used))):
            found.append(
                "No learning curve was drawn, since each of its points trains anew: --curve (curve=True) asks for "
                f"one, of {fits} further fits."
            )
        surely = _surely(self.pairs, self.held_out)
        found += [] if surely is None else [surely]
        if surely is not None and isinstance(self.scorer, FTScoreNet):
            found.append(
                "Its scores carry no probability, as an FT-ScoreNet does not know how far a network is from those "
                "that it learned from; --kind hybrid or both does."
            )
        return tuple(found)

    def __str__(self) -> str:
        """All of it in words, a line each."""
        return "\n".join(self.sentences)

    def as_dict(self) -> dict[str, Any]:
        """A JSON-ready form."""
        table = self.pairs
        return {
            "scorer": self.scorer.name,
            **self._measured,
            "seed": self.seed,
            **self.worth.as_dict(),
            "pairs": None if table is None else table.as_dict(),
            "sentences": list(self.sentences),
            "networks": self.table(),
        }

    @property
    def _measured(self) -> dict[str, Any]:
        """The figure, and what the plain sizes reach on the same networks, as the records of scorers have them."""
        on = (
            f"{FOLDS} folds of the same networks" if self._in_folds else "networks of the same kind, held out"
        )
        figure = self.agreement
        sizes = {each.name.lower(): each.agreement.value for each in self.worth.rivals}
        return {
            "on": on,
            "n": self.held_out,
            "spearman": figure.value,
            "interval": [figure.low, figure.high],
            "params_spearman": sizes.get("params"),
            "macs_spearman": sizes.get("macs"),
        }

    @property
    def record(self) -> dict[str, Any]:
        """What the scorer's file says about its making."""
        trained = "" if self._in_folds else f", FT-ScoreNets on {len(self.used) - self.held_out} of them"
        return {
            "trained_on": f"{len(self.used)} networks{trained}",
            "measured": [self._measured],
            "worth": self.worth.as_dict(),
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


def _surely(pairs: PairTable | None, networks: int) -> str | None:
    """How sure scores are, by so many networks that no fit saw; None where nobody measured it."""
    inside = 0.0
    if pairs is None:
        return None
    gap = pairs.gap(LEVEL, inside)
    if gap is None:
        return (
            f"How surely it orders two networks is not known: the {networks} that it was judged by make too few pairs; "
            "more networks would tell."
        )
    widest = float(pairs.gaps[-1])
    told, most = pairs.right(gap, inside), pairs.right(widest, inside)
    if told is None or most is None or told < LEVEL:
        return (
            "No gap of two scores tells the better of two networks like these with a probability of 2 in 3."
        )
    return (
        f"Of two networks like these the higher score is the better one with a probability of 2 in 3 from a gap of "
        f"{gap:.2g} on, and of {most:.2f} from {widest:.2g} on."
    )
