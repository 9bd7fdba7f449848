"""The training networks that a head holds of itself: the support vectors of its kernel machine.

They stand for training in files whose confidence was never measured. Columns of the recipe and of a prior are left
out: they say nothing of the network.
"""

from __future__ import annotations

import numpy as np

from fxscore.scorer.hybrid_head import PRIOR, RECIPE, AnyHead, Head, HeadBySize, Radial
from fxscore.scorer.neighbours import Neighbours, reach_of


def neighbours_of(head: AnyHead) -> tuple[Neighbours, ...]:
    """One for each scale of the head; () where one of its parts holds no training networks."""
    parts = (head.small, head.large) if isinstance(head, HeadBySize) else (head,)
    found = [each for part in parts if (each := _of(part)) is not None]
    return tuple(found) if len(found) == len(parts) else ()


def _of(head: Head) -> Neighbours | None:
    vectors = [member.vectors for member in head.members.values() if isinstance(member, Radial)]
    kept = [place for place, name in enumerate(head.columns) if name != PRIOR and not name.startswith(RECIPE)]
    if not vectors or not len(vectors[0]) or not kept:
        return None
    points = np.unique(vectors[0][:, kept].astype(np.float32), axis=0).astype(np.float16)
    columns = tuple(head.columns[place] for place in kept)
    return Neighbours(
        columns, head.centre[kept], head.spread[kept], points, reach_of(points), squash=head.squash
    )
