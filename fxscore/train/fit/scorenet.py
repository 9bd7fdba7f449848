"""Trains an FT-ScoreNet on one's own networks."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from fxscore.constructed import ConstructedArchitecture
from fxscore.costs import Costs
from fxscore.evaluate.worth import Worth, curve_of, rivals_of
from fxscore.extras import require
from fxscore.run import Where
from fxscore.score_job import ScoreJob
from fxscore.scorer import FTScoreNet
from fxscore.scorer.features import fingerprint_of
from fxscore.scorer.fitting import check_accuracies
from fxscore.scorer.given import Model
from fxscore.scorer.hybrid_head import Floats
from fxscore.scorer.subject import subject_of
from fxscore.train.data import LabelledNetworks
from fxscore.train.fit.drawing import draws
from fxscore.train.fit.fitted import Fitted
from fxscore.train.fit.parts import (
    FOLDS,
    Mask,
    held_out,
    measured_on,
    pairs_of,
    told_after,
    usable_networks,
)
from fxscore.train.looking import Watch, look, record_of
from fxscore.train.loop import Trainer, score_cells
from fxscore.train.plan import TrainingPlan
from fxscore.types import Shape


def fit_ft_scorenet(
    start: FTScoreNet,
    models: Sequence[Model],
    accuracies: Sequence[float],
    *,
    input_shape: Shape | None = None,
    steps: int = 100,
    samples: int = 32,
    validation: float = 0.0,
    curve: bool = False,
    strict: bool = False,
    seed: int = 0,
    where: Where | None = None,
    state: Path | None = None,
    watch: Watch = lambda done: None,
) -> Fitted:
    """Train a copy of an FT-ScoreNet on one's own networks with the listwise loss (METHOD.md section 4).

    Args:
        start: whose weights training begins with.
        models: modules or references.
        accuracies: one each, more is better.
        input_shape: of all networks.
        steps: of Adam.
        samples: networks in one step.
        validation: share of the networks that is left out and measured on.
        curve: draw a learning curve, each point of which is some further trainings.
        strict: raise the error of a network that fails, instead of leaving the network out.
        seed: of the split and the samples.
        where: where references are tried first, within limits; None does all in this process.
        state: beginning of the file's name that keeps the training, so that it goes on after a kill.
        watch: is told how many networks and steps are done.

    Raises:
        ScorerError: accuracies that teach nothing, or too few networks that can be used.
    """
    require("train", "training an FT-ScoreNet")
    check_accuracies(models, accuracies)
    records = look(ScoreJob(start, start.scorer_id, input_shape), models, where, watch)

    def see(model: Model) -> tuple[ConstructedArchitecture, str, Costs]:
        record_of(records, model)
        subject = subject_of(model, input_shape, counted=True)
        network = subject.construct(start.batch, start.shape_for(subject.input_shape))
        return network, fingerprint_of(network, subject.input_shape), subject.costs()

    usable = usable_networks(models, accuracies, see, told_after(records, watch), strict)
    architectures, fingerprints, costs = zip(*usable.seen, strict=True)
    networks = LabelledNetworks(architectures, torch.from_numpy(usable.labels).float())
    held, seen = held_out(fingerprints, usable.labels, validation, seed)
    plan = TrainingPlan(
        ("own",), steps=steps, samples=samples, averaging=0.9, seed=seed, settings=start.settings
    )
    done = len(models)

    def train(places: Sequence[int]) -> FTScoreNet:
        nonlocal done
        kept = state_file(state, fingerprints, usable.labels, f"{start.scorer_id} {plan} {[*places]}")
        trained = train_networks(plan, networks.subset(places), kept, watch, done, start)
        done += steps
        return trained

    def taught(mask: Mask) -> Floats:
        return score_cells(train(np.flatnonzero(mask).tolist()), networks).double().numpy()

    scorer = train(seen)
    scorer.name = f"fitted-{start.name}"
    scores = score_cells(scorer, networks.subset(held)).double().numpy() if held else np.zeros(0)
    measured = measured_on(scores, usable.labels[held], seed)
    unseen = {usable.places[place]: float(score) for place, score in zip(held, scores, strict=True)}
    beside = _others(start, networks.subset(held), [costs[place] for place in held]) if held else {}
    drawn = list(draws(taught, usable.labels, fingerprints, seed)) if curve else []
    points = curve_of(drawn, measured, len(usable.labels), FOLDS, seed)
    worth = Worth(rivals_of(scores, beside, usable.labels[held], seed), *points)
    pairs = pairs_of(scores, usable.labels[held])
    return Fitted(scorer, usable.places, usable.failed, measured, len(held), seed, unseen, worth, pairs=pairs)


def _others(start: FTScoreNet, networks: LabelledNetworks, costs: Sequence[Costs]) -> dict[str, Floats]:
    """Scores (n,) of networks by what has not learned from them: the start, and sizes."""
    sizes = {"params": [each.params for each in costs], "MACs": [each.macs for each in costs]}
    by_start = score_cells(start, networks).double().numpy()
    return {start.name: by_start} | {name: np.array(each, dtype=float) for name, each in sizes.items()}


def train_networks(
    plan: TrainingPlan,
    networks: LabelledNetworks,
    state: Path | None,
    watch: Watch,
    done: int,
    start: FTScoreNet | None = None,
) -> FTScoreNet:
    """The FT-ScoreNet that a run ends with; `watch` counts its steps from `done` on."""
    begun = state is not None and state.exists()
    trainer = Trainer(plan, [networks], state_path=state)
    if start is not None and not begun:
        trainer.scorer.load_state_dict(start.state_dict())
    for report in trainer.run():
        watch(done + report.step)
    return trainer.trained().requires_grad_(False)


def state_file(state: Path | None, fingerprints: Sequence[str], labels: Floats, training: str) -> Path | None:
    """The file of a training's state; another table, or another plan, has another one."""
    if state is None:
        return None
    digest = hashlib.sha256(repr((list(fingerprints), labels.tolist(), training)).encode()).hexdigest()
    return state.with_name(f"{state.name}.{digest[:12]}.state")
