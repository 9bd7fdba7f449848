"""Scores of many FT-ScoreNets on the networks of many spaces, for ``python -m benchmarks.paper.spaces``.

A network is constructed once for all scorers, which is most of the work; what is known is kept in the work folder
under the scorer's id, so that an interrupted run goes on and a further scorer costs itself alone.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fxscore.evaluate import read_population, seen_by
from fxscore.evaluate.coefficients import Floats
from fxscore.scorer import FTScoreNet, Scorer, Settings, load_scorer
from fxscore.scorer.ensemble import Ensemble, rounded
from fxscore.train.data import TABLES, CellSet, load_cells, split_cells
from fxscore.train.loop import score_cells
from fxscore.types import ModelRef


@dataclass(frozen=True)
class SpaceRow:
    """The networks of one space.

    Attributes:
        space: its name.
        test: networks that no scorer has seen, with the test label.
        refs: the same networks, for handcrafted proxies.
        fit: networks of the validation part of the members' draw, with the training label: for ensembles' weights.
    """

    space: str
    test: CellSet
    refs: tuple[ModelRef, ...]
    fit: CellSet

    @property
    def title(self) -> str:
        """The name in reports; predicted labels are called so."""
        return f"{self.space} (surrogate)" if "surrogate" in self.test.caution else self.space


def read_rows(
    data: Path, scorers: Sequence[Scorer], spaces: Sequence[str], n: int, drawn: tuple[int, float, int]
) -> list[SpaceRow]:
    """The rows; `n` test networks each, or all that there are; `drawn` is (cells, validation, seed) of the members."""
    return [_read_row(data, scorers, space, n, drawn) for space in spaces]


def _read_row(
    data: Path, scorers: Sequence[Scorer], space: str, n: int, drawn: tuple[int, float, int]
) -> SpaceRow:
    labelled = load_cells(data, space, TABLES[space].test_label, Settings())
    seen = [seen_by(scorer, space, data, len(labelled)) for scorer in scorers]
    if doubts := [found.doubt for found in seen if found.doubt]:
        raise SystemExit(f"{space}: {doubts[0]}")
    known = frozenset().union(*(found.indices for found in seen))
    fit = split_cells(load_cells(data, space, None, Settings()), *drawn)[1]
    rest = [index for index in range(len(labelled)) if index not in known]
    drawn_rows = np.random.default_rng(0).permutation(rest)[:n] if n else np.array(rest)
    chosen = sorted(drawn_rows.tolist())
    refs = read_population(space, data).refs
    return SpaceRow(space, labelled.subset(chosen), tuple(refs[index] for index in chosen), fit)


def load_all(names: Sequence[str]) -> dict[str, FTScoreNet | Ensemble]:
    """Scorers by their own name; a member of an ensemble stands for the file that it was made of."""
    loaded = [load_scorer(Path(name) if Path(name).is_file() else name) for name in names]
    members = {m.scorer_id: m for s in loaded if isinstance(s, Ensemble) for m in s.scorenets}
    found: dict[str, FTScoreNet | Ensemble] = {}
    for scorer in loaded:
        if isinstance(scorer, FTScoreNet):
            found[scorer.name] = members.get(rounded(scorer).scorer_id, scorer)
        elif isinstance(scorer, Ensemble) and scorer.scorenets == scorer.members:
            found[scorer.name] = scorer
        else:
            raise SystemExit(f"{scorer.scorer_id} is neither an FT-ScoreNet nor an ensemble of these")
    return found


class Scores:
    """Scores by scorer and set of networks, computed once.

    Args:
        work: folder in which they are kept.
    """

    def __init__(self, work: Path) -> None:
        self._folder = work / "scores"
        self._folder.mkdir(parents=True, exist_ok=True)

    def of(self, scorer: FTScoreNet | Ensemble, cells: CellSet) -> Floats:
        """The scores of `cells`, (n,)."""
        if isinstance(scorer, Ensemble):
            return combine(scorer, self.members(scorer.scorenets, cells))
        path = self._folder / f"{scorer.scorer_id}-{cells.space.name}-{digest(cells)}.npy"
        if not path.exists():
            begin = time.monotonic()
            np.save(path, score_cells(scorer, cells).double().numpy())
            print(f"{cells.space.name}: {scorer.name} in {time.monotonic() - begin:.0f} s", flush=True)
        return np.asarray(np.load(path), dtype=np.float64)

    def members(self, members: Sequence[FTScoreNet], cells: CellSet) -> Floats:
        """(n, m) scores of an ensemble's members."""
        return np.stack([self.of(member, cells) for member in members], axis=1)


def digest(cells: CellSet) -> str:
    """Tells sets of networks apart."""
    texts = "\n".join(map(cells.space.format, cells.genotypes))
    return hashlib.sha256(texts.encode()).hexdigest()[:12]


def combine(ensemble: Ensemble, raw: Floats) -> Floats:
    """Equation 4 with the ensemble's own numbers."""
    import torch

    return np.asarray(ensemble.combine(torch.from_numpy(raw)).numpy(), dtype=np.float64)
