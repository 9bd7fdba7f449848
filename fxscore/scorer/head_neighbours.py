"""The training networks that a head holds of itself: the points of a Gaussian process, or of a kernel machine.

They stand for training in files whose confidence was never measured. Columns of the recipe and of a prior are left
out: they say nothing of the network.
"""

from __future__ import annotations

import numpy as np

from fxscore.scorer.hybrid_head import PRIOR, RECIPE, AnyHead, Head, Radial
from fxscore.scorer.kernel_head import KernelHead
from fxscore.scorer.neighbours import Neighbours, reach_of


def neighbours_of(head: AnyHead) -> tuple[Neighbours, ...]:
    """The training networks of the head, as `Confidence` takes them; () where it holds none."""
    found = _of_kernel(head) if isinstance(head, KernelHead) else _of_machine(head)
    return () if found is None else (found,)


def _of_kernel(head: KernelHead) -> Neighbours:
    """By what networks of all sizes have: columns of a forward are 0 where none is made."""
    kept = np.flatnonzero(~np.isin(head.group, head.faded))
    points = np.unique(head.points[:, kept].astype(np.float32), axis=0).astype(np.float16)
    columns = tuple(head.columns[place] for place in kept)
    return Neighbours(columns, head.centre[kept], head.spread[kept], points, reach_of(points), squash=True)


def _of_machine(head: Head) -> Neighbours | None:
    vectors = [member.vectors for member in head.members.values() if isinstance(member, Radial)]
    kept = [place for place, name in enumerate(head.columns) if name != PRIOR and not name.startswith(RECIPE)]
    if not vectors or not len(vectors[0]) or not kept:
        return None
    points = np.unique(vectors[0][:, kept].astype(np.float32), axis=0).astype(np.float16)
    columns = tuple(head.columns[place] for place in kept)
    return Neighbours(
        columns, head.centre[kept], head.spread[kept], points, reach_of(points), squash=head.squash
    )
