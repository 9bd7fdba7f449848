"""Fits a hybrid scorer and trains FT-ScoreNets on the same networks; the scorer is the ensemble of all."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from fxscore.constructed import ConstructedArchitecture
from fxscore.errors import ScorerError
from fxscore.evaluate.estimates import Estimate
from fxscore.evaluate.worth import Worth, rivals_of
from fxscore.extras import require
from fxscore.run import Where
from fxscore.scorer import Hybrid, Settings
from fxscore.scorer.ensemble import Ensemble, rounded
from fxscore.scorer.fitting import check_accuracies
from fxscore.scorer.given import Model
from fxscore.scorer.hybrid_head import Floats
from fxscore.scorer.hybrid_learners import HeadLearning
from fxscore.scorer.subject import subject_of
from fxscore.train.data import LabelledNetworks
from fxscore.train.ensemble import Mixture, mixture_of, raw_scores
from fxscore.train.fit.fitted import Fitted
from fxscore.train.fit.hybrid import by_others
from fxscore.train.fit.parts import held_out, measured_on, told_after, usable_networks
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
    labels = usable.labels
    architectures, looked = zip(*usable.seen, strict=True)
    features = [each.features for each in looked]
    networks = LabelledNetworks(architectures, torch.from_numpy(labels).float())
    values = np.stack([each.values for each in features])
    held, seen = held_out([each.fingerprint for each in features], labels, validation, seed)
    scorenets = []
    for place in range(members):
        plan = _new_plan(start.encoder.settings, steps, samples, members * seed + place)
        kept = state_file(state, [each.fingerprint for each in features], labels, f"{plan}")
        trained = train_networks(plan, networks.subset(seen), kept, watch, len(models) + place * steps)
        trained.name = f"scorenet-{place}"
        scorenets.append(rounded(trained))
    raw = raw_scores(scorenets, networks)

    def together(places: Sequence[int]) -> tuple[Hybrid, Mixture, Floats]:
        hybrid = start.fit_features(values[places], labels[places], HeadLearning(seed=seed))
        both = np.column_stack([hybrid.raw_scores(values), raw])
        return hybrid, stacked(both[places]), both

    measured, unseen, worth = Estimate(None), {}, Worth()
    if held:
        _, mixture, both = together(seen)
        scores = mixture.combine(both[held])
        measured = measured_on(scores, labels[held], seed)
        beside = {**by_others(start, values[held]), **sizes_of([looked[place] for place in held])}
        worth = Worth(rivals_of(scores, beside, labels[held], seed))
        unseen = {usable.places[place]: float(score) for place, score in zip(held, scores, strict=True)}
    hybrid, mixture, _ = together(range(len(labels)))
    numbers = (mixture.means, mixture.deviations, mixture.weights)
    scorer = Ensemble([hybrid, *scorenets], *map(torch.from_numpy, numbers), name=hybrid.name)
    return Fitted(scorer, usable.places, usable.failed, measured, len(held), seed, unseen, worth)


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
