"""Fitting a hybrid head with scikit-learn, which scoring does not need.

Accuracies enter on a scale on which differences among the best count more than those among the worst (METHOD.md
section 5).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from fxscore.errors import ScorerError
from fxscore.extras import require
from fxscore.scorer.hybrid_head import (
    LIMIT,
    PRIOR,
    AnyHead,
    Floats,
    Head,
    Linear,
    Member,
    Radial,
    choose,
)
from fxscore.scorer.trees import Trees

_TINY = 1e-9
_PRIOR_NETWORKS = (
    20  # the prior counts like a member where so many networks are fitted to, and less with more
)


@dataclass(frozen=True)
class HeadLearning:
    """How a head is fitted.

    Attributes:
        members: weight in the mean, by name: `forest` (ExtraTrees), `boosting` (gradient boosting), `radial` (support
            vector regression with a Gaussian kernel), `linear` (ridge); `naswot` and `size` are not learned: what
            handcrafted scores say, for networks unlike those of the training.
        trees: number of trees of the forest, and of the boosting.
        leaf: networks that a leaf of the forest holds at least.
        depth: of the boosting's trees.
        rate: learning rate of the boosting.
        share: share of columns that a split looks at, of the forest; a third of it, of the boosting.
        penalty: C of the support vector regression.
        width: γ of its kernel exp(−γ‖x − v‖²), as a share of 1 / (columns · variance).
        ridge: penalty of the linear member.
        squash: whether features are squashed by SymLog first.
        near: columns by which the kernel of `radial` measures distance; all by default.
        seed: of all that is drawn.
    """

    members: tuple[tuple[str, float], ...] = (("boosting", 1.0), ("radial", 1.0))
    trees: int = 600
    leaf: int = 5
    depth: int = 3
    rate: float = 0.03
    share: float = 0.5
    penalty: float = 10.0
    width: float = 0.25
    ridge: float = 100.0
    squash: bool = True
    near: tuple[str, ...] | None = None
    seed: int = 0


@dataclass(frozen=True, eq=False)
class Fit:
    """What a member learns from: standardised rows (n, columns), targets and weights (n,).

    `slopes` (columns,): how a feature changes with its standardised column, at the mean.
    """

    columns: tuple[str, ...]
    slopes: Floats
    rows: Floats
    targets: Floats
    weights: Floats
    learning: HeadLearning


def fit_head(
    names: Sequence[str],
    values: Floats,
    targets: Floats,
    learning: HeadLearning | None = None,
    *,
    columns: Sequence[str] | None = None,
    weights: Floats | None = None,
    prior: AnyHead | None = None,
) -> Head:
    """Fit a head.

    Args:
        names: of the features.
        values: (n, names).
        targets: (n,), more is better; see `normal_targets`.
        learning: how.
        columns: features to use; all by default.
        weights: (n,) of the networks; equal by default.
        prior: head whose raw score is a further column, and a member, whose weight is its correlation with the
            targets, and falls with the number of networks.

    Raises:
        ScorerError: fewer than two networks, or targets or networks that are all equal.
    """
    require("fit", "fitting a hybrid scorer")
    learning = learning or HeadLearning()
    if len(targets) < 2 or np.ptp(targets) == 0:
        raise ScorerError("a head needs at least two networks of different accuracy")
    rows = choose(columns or names, names, values, None, learning.squash)
    kept = np.flatnonzero(np.ptp(rows, axis=0) > _TINY)
    chosen = tuple((columns or names)[int(place)] for place in kept) + ((PRIOR,) if prior is not None else ())
    if not chosen:
        raise ScorerError("all networks have the same features: nothing tells the better from the worse")
    rows = choose(chosen, names, values, prior, learning.squash)
    weights = np.ones(len(rows)) if weights is None else weights / weights.mean()
    centre = np.average(rows, 0, weights)
    spread = np.sqrt(np.average((rows - centre) ** 2, 0, weights)) + _TINY
    rows = np.clip((rows - centre) / spread, -LIMIT, LIMIT)
    slopes = spread * np.exp(np.abs(centre)) if learning.squash else spread
    fit = Fit(chosen, slopes, rows, targets, weights, learning)
    members = {name: _LEARNERS[name](fit) for name, _ in learning.members}
    shares = [weight for _, weight in learning.members]
    if prior is not None:
        members[PRIOR] = Linear(np.eye(len(chosen))[-1], np.zeros(1))
        agreement = float(np.corrcoef(rows[:, -1], targets)[0, 1]) if np.ptp(rows[:, -1]) else 0.0
        shares.append(min(1.0, _PRIOR_NETWORKS / len(rows)) * max(agreement, 0.0))
    found = [member.predict(rows) for member in members.values()]
    levels = [(each.mean(), each.std() + _TINY, share) for each, share in zip(found, shares, strict=True)]
    return Head(chosen, centre, spread, members, np.array(levels), prior, learning.squash)


def targets_of(accuracies: Floats) -> Floats:
    """Targets (n,) of accuracies of one data set: −ln(100.5 − percent), which spreads the best ones apart.

    Accuracies between 0 and 1 are taken as shares; other numbers (losses, scores) enter as normal quantiles.
    """
    low, high = accuracies.min(), accuracies.max()
    if low < 0 or high > 100:
        return normal_targets(accuracies)
    return np.asarray(-np.log(100.5 - (100 * accuracies if high <= 1 else accuracies)))


def normal_targets(accuracies: Floats) -> Floats:
    """Normal quantiles of the ranks of accuracies, (n,)."""
    from scipy.stats import norm, rankdata

    return np.asarray(norm.ppf((rankdata(accuracies) - 0.5) / len(accuracies)))


def _forest(fit: Fit) -> Member:
    from sklearn.ensemble import ExtraTreesRegressor

    forest = ExtraTreesRegressor(
        fit.learning.trees,
        max_features=fit.learning.share,
        min_samples_leaf=fit.learning.leaf,
        random_state=fit.learning.seed,
    ).fit(fit.rows, fit.targets, fit.weights)
    return Trees.of_sklearn(forest.estimators_, 1 / fit.learning.trees, 0.0)


def _boosting(fit: Fit) -> Member:
    from sklearn.ensemble import GradientBoostingRegressor

    boosting = GradientBoostingRegressor(
        n_estimators=fit.learning.trees,
        learning_rate=fit.learning.rate,
        max_depth=fit.learning.depth,
        subsample=0.7,
        max_features=fit.learning.share / 3,
        random_state=fit.learning.seed,
    ).fit(fit.rows, fit.targets, fit.weights)
    offset = float(np.ravel(boosting.init_.constant_)[0])
    return Trees.of_sklearn(boosting.estimators_[:, 0], fit.learning.rate, offset)


def _radial(fit: Fit) -> Member:
    from sklearn.svm import SVR

    near = fit.learning.near
    used = np.array([near is None or name in near for name in fit.columns])
    rows = fit.rows * used
    width = fit.learning.width / max(used.sum() * float(fit.rows[:, used].var()), _TINY)
    machine = SVR(C=fit.learning.penalty, epsilon=0.02, gamma=width).fit(rows, fit.targets, fit.weights)
    return Radial(
        machine.support_vectors_.astype(np.float16),
        machine.dual_coef_[0].copy(),
        used * width**0.5,
        machine.intercept_.copy(),
    )


def _linear(fit: Fit) -> Member:
    from sklearn.linear_model import Ridge

    ridge = Ridge(fit.learning.ridge).fit(fit.rows, fit.targets, fit.weights)
    return Linear(np.asarray(ridge.coef_), np.array([ridge.intercept_]))


def _sum(shares: Mapping[str, float], fit: Fit) -> Member:
    """A given sum of features; of a squashed one what is linear about its mean."""
    shared = np.array([shares.get(name, 0.0) for name in fit.columns])
    return Linear(shared * fit.slopes, np.zeros(1))


_LEARNERS: dict[str, Callable[[Fit], Member]] = {
    "forest": _forest,
    "boosting": _boosting,
    "radial": _radial,
    "linear": _linear,
    # Mellor et al., ICML 2021, per image: ln |det K| with K of the forward's activation patterns.
    "naswot": partial(_sum, {"patterns_log_units": 1.0, "patterns_log_det": 1.0}),
    # ln(activations · √params), the size that ranks timm best ("General scorer" in benchmarks/quality/RESULTS.md).
    "size": partial(_sum, {"own_log_weighted_activations": 1.0, "log_params": 0.5}),
}
