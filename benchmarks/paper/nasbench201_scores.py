"""What scorers give to the cells of the table: each architecture is constructed once for all of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.quality.features import FeatureTable
from fxscore.scorer import FTScoreNet, load_scorer
from fxscore.train.data import load_cells
from fxscore.train.loop import score_cells

Floats = NDArray[np.float64]


def score_table(
    wanted: Mapping[Path, Collection[int]], features: FeatureTable, data: Path, resolution: int
) -> list[Floats]:
    """The scores of cells, (cells of the table,) for each scorer, NaN where none was wanted; kept beside their files.

    Args:
        wanted: by file of an FT-ScoreNet the rows of the cells that it is to score; all see cells alike.
        features: of the whole table; gives the cells' fingerprints.
        data: folder of the table.
        resolution: at which cells are run.
    """
    prints = features.fingerprints
    known = {path: _known(path, len(prints)) for path in wanted}
    missing: dict[str, list[Path]] = {}
    for path, rows in wanted.items():
        unknown = [row for row in sorted(rows) if np.isnan(known[path][row])]
        for fingerprint in dict.fromkeys(prints[unknown].tolist()):
            missing.setdefault(fingerprint, []).append(path)
    if missing:
        _score(missing, known, prints, data, resolution)
        for path, scores in known.items():
            np.save(_kept(path), scores)
    return list(known.values())


def _score(
    missing: Mapping[str, Collection[Path]],
    known: Mapping[Path, Floats],
    prints: NDArray[np.str_],
    data: Path,
    resolution: int,
) -> None:
    scorers = {path: _load(path) for path in known}
    settings = next(iter(scorers.values())).settings
    cells = load_cells(data, "nasbench201", None, settings).at(resolution)
    for fingerprint, paths in missing.items():
        same = np.flatnonzero(prints == fingerprint)
        one = cells.subset([int(same[0])])  # forgotten with its architecture, of which there are thousands
        for path in paths:
            known[path][same] = float(score_cells(scorers[path], one))


def _load(path: Path) -> FTScoreNet:
    scorer = load_scorer(str(path))
    assert isinstance(scorer, FTScoreNet)
    return scorer


def _known(scorer: Path, count: int) -> Floats:
    kept = _kept(scorer)
    return np.asarray(np.load(kept)) if kept.exists() else np.full(count, np.nan)


def _kept(scorer: Path) -> Path:
    return scorer.with_suffix(".scores.npy")
