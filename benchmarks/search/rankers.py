"""Rankers that a greedy search fits to the cells that it has trained: features and accuracies in, scores out.

Accuracies enter as −ln(100.5 − accuracy), which spreads the best cells apart.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import ExtraTreesRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, WhiteKernel

from benchmarks.shared.standardised import standardised
from fxscore.scorer.hybrid_learners import targets_of

Floats = NDArray[np.float64]
# (features of the trained, their accuracies in percent, features of the others, seed) → scores of the others
Ranker = Callable[[Floats, Floats, Floats, int], Floats]
TREES = 200


def forest(known: Floats, accuracies: Floats, others: Floats, seed: int) -> Floats:
    """ExtraTrees."""
    trees = ExtraTreesRegressor(TREES, max_features=0.5, random_state=seed)
    return np.asarray(trees.fit(known, targets_of(accuracies)).predict(others))


def process(known: Floats, accuracies: Floats, others: Floats, seed: int) -> Floats:
    """A Gaussian process with one length scale and noise, both fitted."""
    kernel = ConstantKernel(1.0) * RBF(np.sqrt(known.shape[1])) + WhiteKernel(0.1)
    model = GaussianProcessRegressor(kernel, normalize_y=True, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # a bound reached is as good as an optimum here
        model.fit(known, targets_of(accuracies))
    return np.asarray(model.predict(others))


def forest_and_process(known: Floats, accuracies: Floats, others: Floats, seed: int) -> Floats:
    """The mean of both, each standardised."""
    found = [ranker(known, accuracies, others, seed) for ranker in (forest, process)]
    return np.asarray(np.mean([standardised(scores) for scores in found], axis=0))


def hybrid(known: Floats, accuracies: Floats, others: Floats, seed: int) -> Floats:
    """The head of fxscore's hybrid scorer; columns are those of `fxscore.scorer.features`."""
    from fxscore.scorer.features import feature_names
    from fxscore.scorer.hybrid_learners import HeadLearning, fit_head

    head = fit_head(feature_names(), known, targets_of(accuracies), HeadLearning(seed=seed))
    return np.asarray(head.predict(feature_names(), others))


RANKERS: dict[str, Ranker] = {
    "forest": forest,
    "process": process,
    "forest-and-process": forest_and_process,
    "hybrid": hybrid,
}
