"""The outcome of `fxscore.compare`: networks beside each other, and which is better, in numbers and in words."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from fxscore.scorer.confidence import in_words
from fxscore.scorer.contributions import Contribution
from fxscore.scorer.reasons import Neighbour
from fxscore.tabular import Tabular
from fxscore.types import ModelRef, Ranking, ScoreRecord


@dataclass(frozen=True)
class Contender:
    """A network of a comparison: its record and its sizes.

    Attributes:
        record: as a ranking has it.
        memory: bytes of one forward of one image, in single precision.
        activations: output elements of operators with weights, of one image.
        layers: convolutions and linear layers before the head.
        depth: operators on the longest path to the head, norms and activations included.
        like: the networks of the scorer's training that it looks most like; () where the scorer keeps none.
    """

    record: ScoreRecord
    memory: int | None = None
    activations: int | None = None
    layers: int | None = None
    depth: int | None = None
    like: tuple[Neighbour, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """A JSON-ready form."""
        sizes = {name: value for name, value in asdict(self).items() if name != "record"}
        return {**self.record.as_dict(), **sizes}


@dataclass(frozen=True)
class Verdict:
    """The best network against another.

    Attributes:
        better, other: their references; `better` has the higher score.
        probability: that it is the better one; None where the scorer's file cannot tell.
        compares: whether their scores are of one kind of network, on one scale.
        contributions: the difference in score by groups of features; () where the scorer has none.
    """

    better: ModelRef
    other: ModelRef
    probability: float | None
    compares: bool
    contributions: tuple[Contribution, ...] = ()

    @property
    def sentence(self) -> str:
        """The verdict in words."""
        return in_words(self.better, self.other, self.probability, compares=self.compares)

    def as_dict(self) -> dict[str, Any]:
        """A JSON-ready form."""
        parts = [asdict(each) for each in self.contributions]
        names = {"better": str(self.better), "other": str(self.other), "sentence": self.sentence}
        return {**names, "probability": self.probability, "compares": self.compares, "contributions": parts}


@dataclass(frozen=True, repr=False)
class Comparison(Tabular):
    """Some networks beside each other, best first.

    Attributes:
        contenders: the networks that have a score, best first.
        verdicts: the best against each of the others.
        advice: what would settle it, and what to beware of, a sentence each.
        ranking: the same networks, those that failed among them.
    """

    contenders: tuple[Contender, ...]
    verdicts: tuple[Verdict, ...]
    advice: tuple[str, ...]
    ranking: Ranking

    @property
    def has_percentiles(self) -> bool:
        """See `fxscore.tabular.Tabular`."""
        return self.ranking.has_percentiles

    def summary(self) -> str:
        """The verdicts."""
        return " ".join(verdict.sentence for verdict in self.verdicts) or self.ranking.summary()

    def table(self) -> list[dict[str, Any]]:
        """A row for each network, best first."""
        sizes = ("memory", "activations", "layers", "depth")
        rows = self.ranking.table()[: len(self.contenders)]
        return [
            {
                **row,
                **{name: getattr(each, name) for name in sizes},
                "like": each.like[0].name if each.like else None,
            }
            for row, each in zip(rows, self.contenders, strict=True)
        ]

    def __str__(self) -> str:
        return "\n".join([*(verdict.sentence for verdict in self.verdicts), *self.advice])

    def as_dict(self) -> dict[str, Any]:
        """A JSON-ready form."""
        return {
            "networks": [contender.as_dict() for contender in self.contenders],
            "verdicts": [verdict.as_dict() for verdict in self.verdicts],
            "advice": list(self.advice),
            "failures": [record.as_dict() for record in self.ranking.failures],
        }
