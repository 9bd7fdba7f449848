"""Fits a hybrid scorer and trains FT-ScoreNets on the same networks; the scorer is the ensemble of all."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from fxscore.constructed import ConstructedArchitecture
from fxscore.errors import ScorerError, TrainingError
from fxscore.evaluate.estimates import Estimate
from fxscore.evaluate.worth import Worth, curve_of, rivals_of
from fxscore.extras import require
from fxscore.run import Where
from fxscore.scorer import FTScoreNet, Hybrid, Settings
from fxscore.scorer.confidence import Confidence
from fxscore.scorer.ensemble import Ensemble, rounded
from fxscore.scorer.fitting import check_accuracies
from fxscore.scorer.given import Model
from fxscore.scorer.hybrid_head import Floats
from fxscore.scorer.hybrid_learners import HeadLearning
from fxscore.scorer.pair_table import PairTable
from fxscore.scorer.subject import subject_of
from fxscore.train.data import LabelledNetworks
from fxscore.train.ensemble import Mixture, mixture_of, raw_scores
from fxscore.train.fit.drawing import draws
from fxscore.train.fit.fitted import Fitted
from fxscore.train.fit.hybrid import by_others, distances, neighbours_of
from fxscore.train.fit.parts import (
    FOLDS,
    Mask,
    held_out,
    measured_on,
    named,
    pairs_of,
    told_after,
    usable_networks,
)
from fxscore.train.fit.scorenet import state_file, train_networks
from fxscore.train.looking import LookedAt, Watch, feature_job, found_of, look, seen_here, sizes_of
from fxscore.train.plan import TrainingPlan
from fxscore.types import Shape

SCORENETS_SHARE = 0.1  # weight of all FT-ScoreNets beside a hybrid of weight 1 (EXPERIMENTS.md)


def fit_both(
    start: Hybrid,
    models: Sequence[Model],
    accuracies: Sequence[float],
    *,
    input_shape: Shape | None = None,
    members: int = 3,
    steps: int = 200,
    samples: int = 16,
    validation: float = 0.0,
    curve: bool = False,
    seed: int = 0,
    where: Where | None = None,
    state: Path | None = None,
    watch: Watch = lambda done: None,
) -> Fitted:
    """Fit a hybrid scorer and train new FT-ScoreNets on the same networks; the scorer is the ensemble of all.

    What is left out is measured on, and then the hybrid, which costs little, is fitted again to all networks.

    Args:
        start: the hybrid that is built upon; the FT-ScoreNets see networks as its encoder does.
        models: modules or references.
        accuracies: one each, more is better.
        input_shape: of all networks.
        members: number of FT-ScoreNets.
        steps: of Adam, for each of them.
        samples: networks in one step.
        validation: share of the networks that is left out and measured on.
        curve: draw a learning curve, each point of which is some further trainings.
        seed: of the split, the learners, initial values and samples.
        where: where references are looked at first, and what is found is kept; None does all in this process.
        state: beginning of the names of files that keep the trainings, so that they go on after a kill.
        watch: is told how many networks, and steps of all trainings, are done.

    Raises:
        ScorerError: accuracies that teach nothing, too few networks that can be used, or no member.
        TrainingError: an FT-ScoreNet gives all networks one score.
    """
    require("fit", "fitting a hybrid scorer")
    require("train", "training an FT-ScoreNet")
    if members < 1:
        raise ScorerError(f"{members} FT-ScoreNets make no ensemble; fit the hybrid alone, or take 1 or more")

    check_accuracies(models, accuracies)
    records = look(feature_job(start, input_shape), models, where, watch)

    def see(model: Model) -> tuple[ConstructedArchitecture, LookedAt]:
        known = found_of(records, model)
        subject = subject_of(model, input_shape, counted=True)
        seen = known or seen_here(start, subject)
        return subject.construct(start.batch, start.shape_for(subject.input_shape)), seen

    usable = usable_networks(models, accuracies, see, told_after(records, watch))
    architectures, looked = zip(*usable.seen, strict=True)
    networks = LabelledNetworks(architectures, torch.from_numpy(usable.labels).float())
    plans = [
        _new_plan(start.encoder.settings, steps, samples, members * seed + place) for place in range(members)
    ]
    trainings = _Trainings(networks, looked, plans, state, watch, len(models))
    taught = _Mixed(start, looked, usable.labels, trainings, seed)
    names = [named(models[place], place) for place in usable.places]
    held, seen = held_out(trainings.fingerprints, usable.labels, validation, seed)
    scorenets = trainings.of(seen)
    raw = raw_scores(scorenets, networks)
    measured, unseen, worth, pairs = Estimate(None), {}, Worth(), None
    if held:
        hybrid, scores = taught.scores(seen, raw)
        own = taught.labels[held]
        measured = measured_on(scores[held], own, seed)
        worth = taught.worth(scores, held, measured, curve)
        around = neighbours_of(hybrid, taught.values[seen])
        pairs = pairs_of(scores[held], own, distances(around, taught.values[held]))
        unseen = {usable.places[place]: float(scores[place]) for place in held}
    scorer = taught.scorer(scorenets, raw, names, pairs)
    return Fitted(scorer, usable.places, usable.failed, measured, len(held), seed, unseen, worth, pairs=pairs)


class _Trainings:
    """Trains the FT-ScoreNets on some of the networks.

    Args:
        networks: with their labels.
        looked: what is known of each.
        plans: of each FT-ScoreNet.
        state: beginning of the names of files that keep the trainings; None keeps nothing.
        watch: is told of their steps.
        done: what `watch` has been told before.
    """

    def __init__(
        self,
        networks: LabelledNetworks,
        looked: Sequence[LookedAt],
        plans: Sequence[TrainingPlan],
        state: Path | None,
        watch: Watch,
        done: int,
    ) -> None:
        self.networks, self._plans = networks, plans
        self.fingerprints = [each.features.fingerprint for each in looked]
        self._state, self._watch, self._done = state, watch, done

    def of(self, places: Sequence[int]) -> list[FTScoreNet]:
        """The FT-ScoreNets, trained on the networks at some places."""
        found = []
        labels = self.networks.accuracies.numpy()
        for number, plan in enumerate(self._plans):
            kept = state_file(self._state, self.fingerprints, labels, f"{plan} {[*places]}")
            trained = train_networks(plan, self.networks.subset(places), kept, self._watch, self._done)
            self._done += plan.steps
            trained.name = f"scorenet-{number}"
            found.append(rounded(trained))
        return found


class _Mixed:
    """Networks, and what a hybrid and FT-ScoreNets learn from some of them.

    Args:
        start: what the hybrid is built upon.
        looked: what the hybrid learns of each.
        labels: (n,) accuracies.
        trainings: of the FT-ScoreNets, on the same networks.
        seed: of all that is drawn.
    """

    def __init__(
        self, start: Hybrid, looked: Sequence[LookedAt], labels: Floats, trainings: _Trainings, seed: int
    ) -> None:
        self.start, self.looked, self.labels = start, looked, labels
        self.trainings, self.seed = trainings, seed
        self.values = np.stack([each.features.values for each in looked])

    def scores(self, places: Sequence[int], raw: Floats) -> tuple[Hybrid, Floats]:
        """The hybrid of the networks at some places, and scores (n,) of all by it and by what gave `raw`, (n, m)."""
        hybrid, mixture, both = self._together(places, raw)
        return hybrid, mixture.combine(both)

    def scorer(
        self, scorenets: Sequence[FTScoreNet], raw: Floats, names: Sequence[str], pairs: PairTable | None
    ) -> Ensemble:
        """The ensemble of FT-ScoreNets and a hybrid of all networks, whose `names` are as people know them."""
        hybrid, mixture, _ = self._together(range(len(self.labels)), raw)
        numbers = (mixture.means, mixture.deviations, mixture.weights)
        around = neighbours_of(hybrid, self.values, names, self.labels)
        confidence = Confidence((around,), pairs, forms=frozenset(each.form for each in self.looked))
        members: list[Hybrid | FTScoreNet] = [hybrid, *scorenets]
        return Ensemble(members, *map(torch.from_numpy, numbers), name=hybrid.name, confidence=confidence)

    def worth(self, scores: Floats, held: Sequence[int], measured: Estimate, curve: bool) -> Worth:
        """What the fit is worth on the networks that were held out, and by the number that it learned from."""
        sizes = sizes_of([self.looked[place] for place in held])
        beside = {**by_others(self.start, self.values[held]), **sizes}
        rivals = rivals_of(scores[held], beside, self.labels[held], self.seed)
        drawn = list(draws(self._drawn, self.labels, self.trainings.fingerprints, self.seed)) if curve else []
        return Worth(rivals, *curve_of(drawn, measured, len(self.labels), FOLDS, self.seed))

    def _drawn(self, mask: Mask) -> Floats:
        """The scores (n,) that the networks of a mask teach; all equal where an FT-ScoreNet learns nothing of them."""
        places = np.flatnonzero(mask).tolist()
        try:
            return self.scores(places, raw_scores(self.trainings.of(places), self.trainings.networks))[1]
        except TrainingError:
            return np.zeros(len(self.labels))

    def _together(self, places: Sequence[int], raw: Floats) -> tuple[Hybrid, Mixture, Floats]:
        """The hybrid of the networks at some places, the mixture there, and all raw scores, (n, 1 + m)."""
        hybrid = self.start.fit_features(
            self.values[places], self.labels[places], HeadLearning(seed=self.seed)
        )
        both = np.column_stack([hybrid.raw_scores(self.values), raw])
        return hybrid, stacked(both[places]), both


def stacked(raw: Floats) -> Mixture:
    """Equation 4 of a hybrid and FT-ScoreNets, whose raw scores of the training networks are (n, 1 + members)."""
    count = raw.shape[1] - 1
    return mixture_of(raw, [1.0, *[SCORENETS_SHARE / count] * count])


def _new_plan(settings: Settings, steps: int, samples: int, seed: int) -> TrainingPlan:
    """How an FT-ScoreNet is trained from nothing: rate and averaging of ``benchmarks.paper.nasbench201``."""
    return TrainingPlan(
        ("own",),
        steps=steps,
        samples=samples,
        learning_rate=3e-3,
        averaging=0.97,
        seed=seed,
        settings=settings,
    )
