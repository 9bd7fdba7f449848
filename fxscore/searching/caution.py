"""What a search takes off the scores of networks far from training, where a scorer errs most.

A search goes wherever a scorer overrates, and a scorer overrates most what is least like its training. Of each network
the scorer says from which scores its own cannot be told (`fxscore.scorer.confidence`), by a gap that grows with the
distance from training, as pairs of networks left out have shown. Held back is by how much that gap is wider than that
of a network inside training: the lower bound of the score, but for what all networks have in common. So a network
inside training keeps its score, and one outside must score so much higher to be taken.
"""

from __future__ import annotations

from dataclasses import dataclass

from fxscore.errors import SearchError
from fxscore.scorer.card import Card
from fxscore.scorer.confidence import Confidence, standing_of
from fxscore.types import ScoreRecord


@dataclass(frozen=True, eq=False)
class Caution:
    """Says how much of a score to hold back."""

    confidence: Confidence

    def held_back(self, record: ScoreRecord) -> float:
        """What to take off the record's score, 0 or more; 0 where it is not known how far the network is."""
        standing = standing_of(record)
        return 0.0 if standing is None else self.confidence.excess(standing)


def caution_of(card: Card, wanted: bool | None) -> Caution | None:
    """The caution of a search with this scorer; None where it has none.

    Args:
        card: of the scorer.
        wanted: whether to be cautious; None where the scorer can be.

    Raises:
        SearchError: it is wanted of a scorer that does not know how surely it orders networks.
    """
    confidence = card.confidence
    able = confidence.pairs is not None and bool(confidence.neighbours)
    if wanted and not able:
        raise SearchError(
            f"{card.scorer_id} does not know how surely it orders networks far from training, so a search with it "
            "cannot be cautious; leave cautious away, or take a scorer that does, such as general"
        )
    return Caution(confidence) if able and wanted is not False else None
