"""What scorers give to every cell of the table: each architecture is constructed once for all of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.features import FeatureTable
from fxscore.scorer import FTScoreNet, load_scorer
from fxscore.train.data import load_cells
from fxscore.train.loop import score_cells

Floats = NDArray[np.float64]


def score_table(scorers: Sequence[Path], features: FeatureTable, data: Path, resolution: int) -> list[Floats]:
    """The scores of all cells, (cells,) for each scorer; kept beside the scorers' files.

    Args:
        scorers: files of FT-ScoreNets that see cells alike.
        features: gives the cells' fingerprints, in the order of the table.
        data: folder of the table.
        resolution: at which cells are run.
    """
    missing = [path for path in scorers if not _kept(path).exists()]
    if missing:
        _score(missing, features.fingerprints, data, resolution)
    return [np.load(_kept(path)) for path in scorers]


def _score(scorers: Sequence[Path], fingerprints: NDArray[np.str_], data: Path, resolution: int) -> None:
    _, firsts, groups = np.unique(fingerprints, return_index=True, return_inverse=True)
    loaded = [_load(path) for path in scorers]
    cells = load_cells(data, "nasbench201", None, loaded[0].settings).at(resolution)
    if len(cells) != len(fingerprints):
        raise SystemExit("features are not those of the whole table; run python -m benchmarks.features again")
    found = []
    for first in firsts:
        one = cells.subset([first])  # forgotten with its architecture, of which there are thousands
        found.append([float(score_cells(scorer, one)) for scorer in loaded])
    for path, scores in zip(scorers, np.array(found).T, strict=True):
        np.save(_kept(path), scores[groups])


def _load(path: Path) -> FTScoreNet:
    scorer = load_scorer(str(path))
    assert isinstance(scorer, FTScoreNet)
    return scorer


def _kept(scorer: Path) -> Path:
    return scorer.with_suffix(".scores.npy")
