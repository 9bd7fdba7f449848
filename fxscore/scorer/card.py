"""What a ranking asks of a scorer before any network is scored: who it is, and how far it is to be trusted.

Both are read from the scorer's file without torch, so that a ranking of which the store knows everything loads none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fxscore.proxies import default_id
from fxscore.scorer.confidence import Confidence
from fxscore.scorer.file_contents import MISFITS, Arrays, misfit, read_contents
from fxscore.scorer.head_neighbours import neighbours_of
from fxscore.scorer.hybrid_head import AnyHead, head_of
from fxscore.scorer.names import ProxyName, ScorerFile, find_scorer

if TYPE_CHECKING:
    from fxscore.scorer.base import Scorer

HYBRID, ENSEMBLE = "hybrid", "ensemble"  # the kinds of scorers that may know of their own reliability


@dataclass(frozen=True)
class Card:
    """Of a scorer.

    Attributes:
        scorer_id: equal ids give equal scores.
        confidence: what it knows of its own reliability; nothing, where its kind knows none.
    """

    scorer_id: str
    confidence: Confidence = field(default_factory=Confidence)


def card_of(scorer: str | Path | Scorer | None) -> Card:
    """The card of the scorer that a name, a path or an object stands for; raises as `load_scorer`."""
    found = find_scorer(scorer)
    if isinstance(found, ScorerFile):
        return _read(found.path, found.stamp)
    if isinstance(found, ProxyName):
        return Card(default_id(found.name))
    return Card(found.scorer_id, confidence_of(found))


def confidence_of(scorer: object) -> Confidence:
    """What any scorer knows of its own reliability; nothing, where its kind knows none."""
    known = getattr(scorer, "confidence", None)
    return known if isinstance(known, Confidence) else Confidence()


@lru_cache(maxsize=8)
def _read(path: Path, stamp: tuple[Path, int, int]) -> Card:
    """Once for as long as the file stays as it is."""
    contents = read_contents(path)
    if contents.kind not in (HYBRID, ENSEMBLE):
        return Card(contents.scorer_id)
    try:
        return Card(contents.scorer_id, _confidence(contents.kind, contents.settings, contents.arrays))
    except MISFITS as error:
        raise misfit("scorer", contents.name, error) from None


def _confidence(kind: str, settings: Mapping[str, Any], arrays: Arrays) -> Confidence:
    """As `confidence` of the scorer in the file; raises one of `MISFITS`."""
    if kind == ENSEMBLE:
        return kept_confidence(settings, arrays) or Confidence()
    scaled = bool(settings["scale"])
    measured = measured_confidence(settings, arrays, scaled)
    if measured is not None:
        return measured
    return (
        Confidence()
        if settings["head"] is None
        else held_confidence(head_of(settings["head"], arrays), scaled)
    )


def measured_confidence(settings: Mapping[str, Any], arrays: Arrays, scaled: bool) -> Confidence | None:
    """That of a hybrid's file; None where it has none, as those before it was measured."""
    return None if settings["head"] is None else kept_confidence(settings, arrays, scaled)


def kept_confidence(settings: Mapping[str, Any], arrays: Arrays, scaled: bool = False) -> Confidence | None:
    """That of a file of any kind; None where it has none."""
    about = settings.get("confidence")
    return None if about is None else Confidence.from_arrays(about, arrays, bounds=bounds_of(scaled))


def held_confidence(head: AnyHead, scaled: bool) -> Confidence:
    """Distances from the training networks that a head holds, no more."""
    return Confidence(neighbours_of(head), None, bounds_of(scaled))


def bounds_of(scaled: bool) -> tuple[float, float]:
    """Between which scores lie: percentiles, or any numbers."""
    return (0.0, 100.0) if scaled else (-inf, inf)
