"""What a scorer says of one network: its score, its place among those of training, and which of them it is like."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fxscore.errors import FxScoreError
from fxscore.run.job import finite
from fxscore.scorer import Hybrid, Scorer, Subject
from fxscore.scorer.card import confidence_of
from fxscore.scorer.confidence import Standing, kind_of
from fxscore.scorer.ensemble import Ensemble
from fxscore.scorer.features import NetworkFeatures
from fxscore.scorer.reasons import Neighbour, neighbours, unknown_of
from fxscore.texts import message_of, one_line


@dataclass(frozen=True)
class Judgement:
    """What a scorer says.

    Attributes:
        scorer: its id.
        score: None where it has none.
        error: why not.
        scale: what scores are, such as the percentile of which networks; "" where the scorer's file does not say.
        support: whether the network is `inside` training, `near` or `outside`; None where that is not known.
        distance: from training; up to 1 is inside, beyond 2 outside.
        low, high: scores between them cannot be told from this one.
        neighbours: the nearest networks of training, nearest first.
        unknown: what is not known of them, in a sentence; "" where nothing is missing.
    """

    scorer: str
    score: float | None = None
    error: str | None = None
    scale: str = ""
    support: str | None = None
    distance: float | None = None
    low: float | None = None
    high: float | None = None
    neighbours: tuple[Neighbour, ...] = ()
    unknown: str = ""


def judge(
    scorer: Scorer, subject: Subject, features: NetworkFeatures | None = None
) -> tuple[Judgement, Standing | None]:
    """What a scorer says of a network, and where that stands; a network without a score is told why.

    Args:
        scorer: of any kind.
        subject: the network.
        features: what a `Hybrid` reads of it, where that is known already.
    """
    try:
        standing = _standing(scorer, subject, features)
    except FxScoreError as error:
        return Judgement(scorer.scorer_id, error=one_line(message_of(error))), None
    low, high = confidence_of(scorer).interval(standing) or (None, None)
    near = neighbours(scorer, standing)
    found = Judgement(
        scorer.scorer_id,
        standing.score,
        scale=_scale_of(scorer),
        support=standing.support,
        distance=standing.distance,
        low=low,
        high=high,
        neighbours=near,
        unknown=unknown_of(near),
    )
    return found, standing


def _scale_of(scorer: Scorer) -> str:
    """In the words of its record; a scale that no record speaks of is that of a fit, of the networks it was given."""
    record: Mapping[str, Any] = getattr(scorer, "record", None) or {}
    fitted = (
        "percentile among the networks of its training" if getattr(scorer, "scale", None) is not None else ""
    )
    return one_line(str(record.get("scale") or fitted))


def _standing(scorer: Scorer, subject: Subject, features: NetworkFeatures | None) -> Standing:
    if isinstance(scorer, Hybrid):
        found = scorer.standing(subject) if features is None else scorer.standing_of(subject, features)
        finite(found.score)
        return found
    if isinstance(scorer, Ensemble):
        return scorer.standing(subject)
    return Standing(finite(scorer.score(subject)), kind_of(subject.inputs))
