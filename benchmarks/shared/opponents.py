"""What handcrafted proxies say of the very networks on which a scorer is judged."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.shared.boards import boards
from benchmarks.shared.proxy_scores import known_records, measure
from fxscore.evaluate import Bins, scores_of
from fxscore.run import LocalExecutor, Store
from fxscore.types import ModelRef

Floats = NDArray[np.float64]
WORK = Path("runs/handcrafted")  # of `benchmarks.quality.handcrafted`, by default
PROXIES = ("naswot", "zen", "synflow", "jacov", "snip")
# What small trained networks are ranked with, and the bins of networks of about equal size among them.
SCORERS = (
    "general",
    "nasbench201",
    "params",
    "macs",
    "activations",
    "layer_depth",
    "naswot",
    "synflow",
    "zen",
)
BINS = Bins(tolerance=0.25, least=8)


def proxy_scores(
    space: str,
    refs: Sequence[ModelRef],
    work: Path,
    names: Sequence[str] = PROXIES,
    workers: int | None = None,
) -> dict[str, Floats]:
    """Scores of a space's networks, (n,) by proxy; NaN where there is none.

    Args:
        space: decides resolution and batch, as in ``python -m benchmarks.quality.handcrafted``.
        refs: the networks.
        work: folder in which that command keeps its values.
        names: of the proxies.
        workers: processes; one per core by default.
    """
    board = next(boards([space]))
    proxies = {name: board.proxy(name) for name in names}
    with Store(work / "store.sqlite") as store, LocalExecutor(workers) as executor:
        measure({ref: list(proxies.values()) for ref in refs}, board.resolution, executor, store)
        found = {name: known_records(refs, proxy, board.resolution, store) for name, proxy in proxies.items()}
    return {name: scores_of([known[ref] for ref in refs]) for name, known in found.items()}
