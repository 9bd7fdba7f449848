"""Fits the ensemble of equation 4: μ and σ by space, weights by differential evolution (paper III-D2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import differential_evolution
from torch import Tensor

from fxscore.errors import TrainingError
from fxscore.evaluate import spearman
from fxscore.scorer.ensemble import Ensemble, rounded, squash
from fxscore.scorer.ft_scorenet import FTScoreNet
from fxscore.train.data import LabelledNetworks
from fxscore.train.loop import score_cells

Floats = NDArray[np.float64]
GENERATIONS = 100


@dataclass(frozen=True)
class Mixture:
    """The numbers of equation 4.

    Attributes:
        means, deviations, weights: (m,) μ, σ and w.
    """

    means: Floats
    deviations: Floats
    weights: Floats

    def combine(self, raw: Floats) -> Floats:
        """Equation 4: from members' scores (n, m) to the ensemble's (n,)."""
        return np.asarray(_squash(raw, self.means, self.deviations) @ self.weights)


def fit_mixture(
    raw: Mapping[str, Floats], accuracies: Mapping[str, Floats], homes: Sequence[Sequence[str]], seed: int
) -> tuple[Mixture, float]:
    """Means and deviations over each member's own spaces, the weights of the highest mean correlation, and that one.

    Args:
        raw: by space, (n, m) scores of the members; cells that nothing is measured on afterwards.
        accuracies: by space, (n,) labels.
        homes: for each member the spaces that it was trained on; of these, those in `raw` count, else all.
        seed: of the evolution.

    Raises:
        TrainingError: a member gives all networks of its space one score.
    """
    own = [
        np.concatenate([raw[space][:, place] for space in _known(home, raw)])
        for place, home in enumerate(homes)
    ]
    means, deviations = (np.array([measure(values) for values in own]) for measure in (np.mean, np.std))
    _refuse_constant([np.ptp(values) for values in own])
    squashed = {space: _squash(scores, means, deviations) for space, scores in raw.items()}

    def loss(weights: Floats) -> float:
        found = [spearman(squashed[s] @ weights, accuracies[s], undefined=0.0) for s in squashed]
        return -float(np.mean(found))

    bounds = [(0.0, 1.0)] * len(homes)
    # No polish: the objective is a step function, whose slopes are zero.
    found = differential_evolution(loss, bounds, seed=seed, maxiter=GENERATIONS, polish=False)
    return Mixture(means, deviations, np.asarray(found.x)), -float(found.fun)


def mixture_of(raw: Floats, shares: Sequence[float]) -> Mixture:
    """Members with given weights, for a few networks of one kind, on which no weights can be found.

    Args:
        raw: (n, m) scores of the networks that the members were trained on.
        shares: (m,) weights.

    Raises:
        TrainingError: a member gives all networks one score.
    """
    _refuse_constant(np.ptp(raw, axis=0))
    return Mixture(raw.mean(0), raw.std(0), np.asarray(shares, dtype=float))


def fit_ensemble(
    members: Sequence[FTScoreNet],
    cells: Mapping[str, LabelledNetworks],
    homes: Sequence[Sequence[str]],
    seed: int,
    name: str,
) -> tuple[Ensemble, float]:
    """The ensemble of trained scorers, and its mean correlation over the cells that it was fitted on.

    Args:
        members: trained scorers.
        cells: by space: what the weights are found on.
        homes: for each member the spaces that it was trained on.
        seed: of the evolution.
        name: of the ensemble.
    """
    members = [rounded(member) for member in members]
    raw = {space: raw_scores(members, chosen) for space, chosen in cells.items()}
    accuracies = {space: chosen.accuracies.double().numpy() for space, chosen in cells.items()}
    mixture, correlation = fit_mixture(raw, accuracies, homes, seed)
    numbers = (mixture.means, mixture.deviations, mixture.weights)
    return Ensemble(members, *map(torch.from_numpy, numbers), name=name), correlation


def raw_scores(members: Sequence[FTScoreNet], cells: LabelledNetworks) -> Floats:
    """(n, m) scores of the members; every cell is constructed once."""
    return np.stack([score_cells(member, cells).double().numpy() for member in members], axis=1)


def score_together(ensemble: Ensemble, cells: LabelledNetworks) -> Tensor:
    """The ensemble's scores of all cells, (n,); raises `TrainingError` where a member is no FT-ScoreNet."""
    if ensemble.scorenets != ensemble.members:
        raise TrainingError(
            f"{ensemble.name} has members that are no FT-ScoreNets, which score no cells here"
        )
    return ensemble.combine(torch.from_numpy(raw_scores(ensemble.scorenets, cells)))


def _refuse_constant(spans: Sequence[float] | Floats) -> None:
    if not np.all(spans):
        place = int(np.flatnonzero(np.asarray(spans) == 0)[0])
        raise TrainingError(f"member {place + 1} gives all networks one score; leave it out")


def _known(home: Sequence[str], raw: Mapping[str, Floats]) -> list[str]:
    return [space for space in home if space in raw] or list(raw)


def _squash(raw: Floats, means: Floats, deviations: Floats) -> Floats:
    """`fxscore.scorer.ensemble.squash` of arrays."""
    return squash(*map(torch.from_numpy, (raw, means, deviations))).numpy()
