"""The learned opponents: trees and a kernel machine from scikit-learn, and their standardised mean.

Settings are plain choices that were not tuned. Accuracies enter as −ln(100.5 − accuracy),
which spreads the best cells apart.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import ExtraTreesRegressor, GradientBoostingRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVR

from benchmarks.shared.standardised import standardised
from fxscore.scorer.hybrid_learners import targets_of

Floats = NDArray[np.float64]
MEAN = "mean of the three"

LEARNERS: dict[str, Callable[[int], Any]] = {
    "ExtraTrees": lambda seed: ExtraTreesRegressor(300, max_features=0.5, random_state=seed),
    "gradient boosting": lambda seed: GradientBoostingRegressor(
        n_estimators=300, learning_rate=0.05, max_depth=3, subsample=0.7, max_features=0.2, random_state=seed
    ),
    "SVR": lambda seed: make_pipeline(StandardScaler(), SVR(C=10.0, epsilon=0.02)),
}


def predictions(train: Floats, accuracies: Floats, test: Floats, seed: int) -> dict[str, Floats]:
    """What every learner, fitted on `train`, predicts for `test`, and the mean of their standardised predictions."""
    target = targets_of(accuracies)
    found = {name: make(seed).fit(train, target).predict(test) for name, make in LEARNERS.items()}
    return {**found, MEAN: np.mean([standardised(values) for values in found.values()], axis=0)}
