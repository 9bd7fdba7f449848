"""Fits a hybrid scorer, and cross-validates it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fxscore.evaluate.estimates import Estimate
from fxscore.extras import require
from fxscore.run import Where
from fxscore.scorer import Hybrid
from fxscore.scorer.features import NetworkFeatures
from fxscore.scorer.fitting import check_accuracies
from fxscore.scorer.given import Model
from fxscore.scorer.hybrid_head import Floats
from fxscore.scorer.hybrid_learners import HeadLearning
from fxscore.scorer.subject import subject_of
from fxscore.train.fit.fitted import Fitted
from fxscore.train.fit.parts import folds, measured_on, told_after, usable_networks
from fxscore.train.looking import Watch, feature_job, features_of, look
from fxscore.types import Shape


def fit_hybrid(
    start: Hybrid,
    models: Sequence[Model],
    accuracies: Sequence[float],
    *,
    input_shape: Shape | None = None,
    seed: int = 0,
    where: Where | None = None,
    watch: Watch = lambda done: None,
) -> Fitted:
    """Fit a hybrid scorer, and cross-validate it in five folds.

    Args:
        start: what is built upon.
        models: modules or references.
        accuracies: one each, more is better.
        input_shape: of all networks.
        seed: of the folds, the learners and the bootstrap.
        where: where references are looked at, and what is found of them is kept; None does all in this process.
        watch: is told how many networks are done.

    Raises:
        ScorerError: accuracies that teach nothing, or too few networks that can be used.
    """
    require("fit", "fitting a hybrid scorer")
    check_accuracies(models, accuracies)
    records = look(feature_job(start, input_shape), models, where, watch)

    def see(model: Model) -> NetworkFeatures:
        return features_of(records, model) or start.features(subject_of(model, input_shape))

    usable = usable_networks(models, accuracies, see, told_after(records, watch))
    values = np.stack([each.values for each in usable.seen])
    scores = _cross_validate(start, usable.seen, usable.labels, seed)
    measured = Estimate(None) if scores is None else measured_on(scores, usable.labels, seed)
    scorer = start.fit_features(values, usable.labels, HeadLearning(seed=seed))
    unseen = {} if scores is None else dict(zip(usable.places, scores.tolist(), strict=True))
    return Fitted(scorer, usable.places, usable.failed, measured, len(usable.places), seed, unseen)


def _cross_validate(
    start: Hybrid, features: Sequence[NetworkFeatures], labels: Floats, seed: int
) -> Floats | None:
    """Scores of networks not seen; None where all of a label are in one fold, and one label is left outside."""
    fold = folds([each.fingerprint for each in features], seed)
    if any(len(np.unique(labels[fold != number])) < 2 for number in range(fold.max() + 1)):
        return None
    return cross_validated(start, features, labels, seed)


def cross_validated(start: Hybrid, features: Sequence[NetworkFeatures], labels: Floats, seed: int) -> Floats:
    """Raw scores (n,), each from a fit that saw neither the network nor one of equal features."""
    values = np.stack([each.values for each in features])
    fold = folds([each.fingerprint for each in features], seed)
    scores = np.zeros(len(labels))
    for number in range(fold.max() + 1):
        seen = fold != number
        fitted = start.fit_features(values[seen], labels[seen], HeadLearning(seed=seed))
        scores[~seen] = fitted.raw_scores(values[~seen])
    return scores
