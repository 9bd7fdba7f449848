"""What scorers give to the cells of the table: each architecture is constructed once for all of them."""

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


def score_table(
    scorers: Sequence[Path], features: FeatureTable, data: Path, resolution: int, rows: Sequence[int]
) -> list[Floats]:
    """The scores of cells, (cells of the table,) for each scorer; kept beside the scorers' files.

    Args:
        scorers: files of FT-ScoreNets that see cells alike.
        features: gives the cells' fingerprints, in the order of the table.
        data: folder of the table.
        resolution: at which cells are run.
        rows: of the cells that are scored; the others are NaN.
    """
    missing = [path for path in scorers if np.isnan(_known(path, len(features.fingerprints))[rows]).any()]
    if missing:
        _score(missing, features.fingerprints, data, resolution, rows)
    return [_known(path, len(features.fingerprints)) for path in scorers]


def _score(
    scorers: Sequence[Path], fingerprints: NDArray[np.str_], data: Path, resolution: int, rows: Sequence[int]
) -> None:
    wanted, firsts = np.unique(fingerprints[rows], return_index=True)
    loaded = [_load(path) for path in scorers]
    cells = load_cells(data, "nasbench201", None, loaded[0].settings).at(resolution)
    if len(cells) != len(fingerprints):
        raise SystemExit("features are not those of the whole table; run python -m benchmarks.features again")
    found = []
    for first in firsts:
        one = cells.subset([rows[first]])  # forgotten with its architecture, of which there are thousands
        found.append([float(score_cells(scorer, one)) for scorer in loaded])
    place = np.minimum(np.searchsorted(wanted, fingerprints), len(wanted) - 1)
    hit = wanted[place] == fingerprints
    for path, scores in zip(scorers, np.array(found).T, strict=True):
        np.save(_kept(path), np.where(hit, scores[place], np.nan))


def _load(path: Path) -> FTScoreNet:
    scorer = load_scorer(str(path))
    assert isinstance(scorer, FTScoreNet)
    return scorer


def _known(scorer: Path, count: int) -> Floats:
    kept = _kept(scorer)
    return np.asarray(np.load(kept)) if kept.exists() else np.full(count, np.nan)


def _kept(scorer: Path) -> Path:
    return scorer.with_suffix(".scores.npy")
