"""What a search knows of one network."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from fxscore.searching.goals import Objective

UNBUILT = 1e6  # the violation of a genotype that has no values: beyond any limit that is passed


@dataclass(frozen=True)
class Evaluation:
    """One network: its genotype's text, its sizes and scores, or the error that it ended with.

    Attributes:
        text: the genotype, as the space writes it.
        values: by name: `score`, `params`, `macs`, `layers`, and every other objective; of a cautious search also
            `held_back`, which the score is lower by than `fxscore.score` gives it.
        violation: 0 where all limits are kept; the sum of the shares beyond them; `UNBUILT` with an error.
        error: why there are no values.
        fingerprint: equal for equal architectures; None where the network was not captured.
    """

    text: str
    values: Mapping[str, float] = field(default_factory=dict)
    violation: float = 0.0
    error: str | None = None
    fingerprint: str | None = None

    @property
    def feasible(self) -> bool:
        """Whether all limits are kept and all objectives are known."""
        return self.violation <= 0

    @property
    def attempted(self) -> bool:
        """Whether it counts towards the budget: scored, or failed."""
        return self.feasible or self.error is not None

    def as_dict(self) -> dict[str, Any]:
        """A JSON-ready form."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Evaluation:
        """Read the form that `as_dict` writes."""
        return cls(**values)

    def losses(self, objectives: Sequence[Objective]) -> tuple[float, ...]:
        """The objectives, each so that smaller is better; infinite where there are none."""
        if not self.feasible:
            return (float("inf"),) * len(objectives)
        return tuple(objective.loss(self.values[objective.name]) for objective in objectives)


def front(evaluations: Iterable[Evaluation], objectives: Sequence[Objective]) -> tuple[Evaluation, ...]:
    """The feasible networks that no other is better than, ordered by the first objective, best first.

    Of networks with equal objectives the first is kept.
    """
    rows: dict[tuple[float, ...], Evaluation] = {}
    for evaluation in evaluations:
        if evaluation.feasible:
            rows.setdefault(evaluation.losses(objectives), evaluation)
    kept: list[tuple[float, ...]] = []
    for losses in sorted(rows):  # whatever dominates a row comes before it
        if not any(all(a <= b for a, b in zip(better, losses, strict=True)) for better in kept):
            kept.append(losses)
    return tuple(rows[losses] for losses in kept)
