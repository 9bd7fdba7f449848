"""Fits a hybrid scorer, cross-validates it, and measures what the fit is worth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from fxscore.evaluate.estimates import Estimate
from fxscore.evaluate.worth import Worth, curve_of, rivals_of
from fxscore.extras import require
from fxscore.run import Where
from fxscore.scorer import Hybrid, load_scorer
from fxscore.scorer.confidence import Confidence
from fxscore.scorer.features import NetworkFeatures, feature_names
from fxscore.scorer.fitting import check_accuracies
from fxscore.scorer.given import Model
from fxscore.scorer.hybrid_head import PRIOR, Floats
from fxscore.scorer.hybrid_learners import HeadLearning
from fxscore.scorer.measured import Measured, Networks
from fxscore.scorer.neighbours import Neighbours
from fxscore.scorer.pair_table import PairTable
from fxscore.scorer.subject import subject_of
from fxscore.train.fit.drawing import draws
from fxscore.train.fit.fitted import Fitted
from fxscore.train.fit.parts import (
    FOLDS,
    Mask,
    folds,
    measured_on,
    named,
    pairs_of,
    told_after,
    usable_networks,
)
from fxscore.train.looking import LookedAt, Watch, feature_job, found_of, look, seen_here, sizes_of
from fxscore.types import Shape

PERCENTILES = (0.0, 100.0)
_SAME = 0.01  # points are kept in half precision
OWN = "your networks"  # what the file calls the table of accuracies that was fitted to


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

    The scorer's file has its confidence: the networks that it was fitted to, and how often pairs of networks were
    ordered rightly by folds that had not seen them.

    Args:
        start: what is built upon.
        models: modules or references.
        accuracies: one each, more is better.
        input_shape: of all networks.
        seed: of the folds, the learners, the learning curve and the bootstrap.
        where: where references are looked at, and what is found of them is kept; None does all in this process.
        watch: is told how many networks are done.

    Raises:
        ScorerError: accuracies that teach nothing, or too few networks that can be used.
    """
    require("fit", "fitting a hybrid scorer")
    check_accuracies(models, accuracies)
    records = look(feature_job(start, input_shape), models, where, watch)

    def see(model: Model) -> LookedAt:
        return found_of(records, model) or seen_here(start, subject_of(model, input_shape, counted=True))

    usable = usable_networks(models, accuracies, see, told_after(records, watch))
    taught = Taught(start, [each.features for each in usable.seen], usable.labels, seed)
    names = [named(models[place], place) for place in usable.places]
    forms = frozenset(each.form for each in usable.seen)
    found = taught.in_folds()
    measured = Estimate(None) if found is None else measured_on(found.raw, usable.labels, seed)
    pairs = None if found is None else pairs_of(found.scores, usable.labels, found.distances)
    return Fitted(
        taught.scorer(names, pairs, forms),
        usable.places,
        usable.failed,
        measured,
        len(usable.places),
        seed,
        {} if found is None else dict(zip(usable.places, found.raw.tolist(), strict=True)),
        Worth() if found is None else taught.worth(found, measured, sizes_of(usable.seen)),
        pairs=pairs,
    )


@dataclass(frozen=True, eq=False)
class Unseen:
    """Networks as fits to others see them: raw scores, percentiles and distances from training, (n,) each."""

    raw: Floats
    scores: Floats
    distances: Floats


class Taught:
    """Networks with their features and accuracies, and what can be learned from them.

    Args:
        start: what is built upon.
        features: of each network.
        labels: (n,) accuracies.
        seed: of all that is drawn.
    """

    def __init__(self, start: Hybrid, features: Sequence[NetworkFeatures], labels: Floats, seed: int) -> None:
        self.start, self.labels, self.seed = start, labels, seed
        self.values = np.stack([each.values for each in features])
        self.fingerprints = [each.fingerprint for each in features]

    def fit(self, seen: Mask) -> Hybrid:
        """Fitted to the networks of a mask, (n,)."""
        return self.start.fit_features(self.values[seen], self.labels[seen], HeadLearning(seed=self.seed))

    def scorer(self, names: Sequence[str], pairs: PairTable | None, forms: frozenset[int]) -> Hybrid:
        """Fitted to all networks, with its confidence.

        Args:
            names: of the networks, as people know them.
            pairs: of them.
            forms: of their inputs.
        """
        fitted = self.fit(np.ones(len(self.labels), dtype=bool))
        around = neighbours_of(fitted, self.values, names, self.labels)
        confidence = Confidence((around,), pairs, PERCENTILES, forms)
        return Hybrid(fitted.encoder, fitted.head, fitted.scale, name=fitted.name, confidence=confidence)

    def in_folds(self) -> Unseen | None:
        """Each network by a fit that saw neither it nor one of equal features.

        None where all of a label are in one fold, and one label is left outside.
        """
        fold = folds(self.fingerprints, self.seed)
        parts = [fold == number for number in range(fold.max() + 1)]
        if any(len(np.unique(self.labels[~held])) < 2 for held in parts):
            return None
        found = Unseen(*(np.zeros(len(self.labels)) for _ in range(3)))
        for held in parts:
            fitted, values = self.fit(~held), self.values[held]
            around = neighbours_of(fitted, self.values[~held])
            assert fitted.scale is not None  # `fit_features` gives one
            found.raw[held] = fitted.raw_scores(values)
            found.scores[held] = [fitted.scale(raw) for raw in found.raw[held].tolist()]
            found.distances[held] = distances(around, values)
        return found

    def worth(self, unseen: Unseen, measured: Estimate, sizes: Mapping[str, Floats]) -> Worth:
        """What the fit is worth, beside these sizes (n,) too."""
        drawn = list(draws(self._scores, self.labels, self.fingerprints, self.seed))
        beside, known = {**by_others(self.start, self.values), **sizes}, _known(self.start, self.values)
        rivals = rivals_of(unseen.raw, beside, self.labels, self.seed, known)
        return Worth(rivals, *curve_of(drawn, measured, len(self.labels), FOLDS, self.seed))

    def _scores(self, seen: Mask) -> Floats:
        return self.fit(seen).raw_scores(self.values)


def by_others(start: Hybrid, values: Floats) -> dict[str, Floats]:
    """Scores (n,) of networks with these features by what was not fitted to them: the start and the shipped scorer."""
    return {each.name: each.raw_scores(values) for each in _learned(start)}


def _learned(start: Hybrid) -> list[Hybrid]:
    """The shipped scorer, where it reads networks as the start does, and the start, where it has learned anything."""
    default = load_scorer(None)
    found = [start] if start.head is not None else []
    if isinstance(default, Hybrid) and default.encoder.scorer_id == start.encoder.scorer_id:
        found.append(default)
    return found


def _known(start: Hybrid, values: Floats) -> dict[str, int]:
    """How many of the networks with these features each of `_learned` has among its own training."""
    return {
        each.name: sum(_is_point(each.confidence, row) for row in values)
        for each in _learned(start)
        if each.confidence.neighbours
    }


def _is_point(confidence: Confidence, values: Floats) -> bool:
    return any(distance < _SAME for _, distance in confidence.nearest(feature_names(), values))


def distances(around: Neighbours, values: Floats) -> Floats:
    """(n,) how far networks with these features are from the nearest of others."""
    return np.array([around.distance(feature_names(), row) for row in values])


def neighbours_of(
    fitted: Hybrid, values: Floats, names: Sequence[str] = (), labels: Floats | None = None
) -> Neighbours:
    """The networks with these features that a scorer was fitted to, by the columns that its head reads."""
    assert fitted.head is not None
    own = [name for name in fitted.head.columns if name != PRIOR]
    columns = own or [*feature_names()]  # of a head that goes by its prior alone, all
    rows = values[:, [feature_names().index(name) for name in columns]]
    measured = None if labels is None else Measured.of({OWN: (range(len(labels)), labels.tolist())})
    known = None if measured is None else Networks(tuple(names), measured)
    return Neighbours.of(columns, rows, networks=known, squash=True)
