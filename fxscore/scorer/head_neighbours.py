"""The training networks that a head holds of itself: the points of a Gaussian process, or of a kernel machine.

They stand for training in files whose confidence was never measured. Columns of the recipe and of a prior are left
out: they say nothing of the network.
"""

from __future__ import annotations

import numpy as np

from fxscore.scorer.hybrid_head import PRIOR, RECIPE, AnyHead, Head, Radial
from fxscore.scorer.kernel_head import KernelHead
from fxscore.scorer.measured import Networks
from fxscore.scorer.neighbours import Neighbours
from fxscore.scorer.own_size import MOVED


def neighbours_of(head: AnyHead, networks: Networks | None = None) -> tuple[Neighbours, ...]:
    """The training networks of the head, as `Confidence` takes them; () where it holds none.

    Args:
        head: of a scorer.
        networks: who they are, in the order of a `KernelHead`'s points.
    """
    found = _of_kernel(head, networks) if isinstance(head, KernelHead) else _of_machine(head)
    return () if found is None else (found,)


def _of_kernel(head: KernelHead, networks: Networks | None) -> Neighbours:
    """By what is read of networks of all sizes: not the forward, nor columns that the head moves to the own size."""
    kept = np.flatnonzero(~np.isin(head.group, head.faded) & ~np.isin(head.columns, MOVED))
    columns = [head.columns[place] for place in kept]
    centre, spread = head.centre[kept], head.spread[kept]
    return Neighbours.at(columns, centre, spread, head.points[:, kept], networks, squash=True)


def _of_machine(head: Head) -> Neighbours | None:
    vectors = [member.vectors for member in head.members.values() if isinstance(member, Radial)]
    kept = [place for place, name in enumerate(head.columns) if name != PRIOR and not name.startswith(RECIPE)]
    if not vectors or not len(vectors[0]) or not kept:
        return None
    columns = [head.columns[place] for place in kept]
    centre, spread = head.centre[kept], head.spread[kept]
    return Neighbours.at(columns, centre, spread, vectors[0][:, kept], squash=head.squash)
