"""Fitting a scorer to one's own trained networks, and how well it ranks those that it did not see."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

import numpy as np
import torch
from torch import Tensor

from fxscore.constructed import ConstructedArchitecture
from fxscore.errors import FxScoreError, ScorerError
from fxscore.evaluate import Measures, agreement
from fxscore.evaluate.estimates import Estimate
from fxscore.extras import require
from fxscore.run import Where
from fxscore.run.failure import own_errors_only
from fxscore.run.guard import unchanged_globals
from fxscore.score_job import ScoreJob
from fxscore.scorer import FTScoreNet, Hybrid, Settings
from fxscore.scorer.ensemble import Ensemble, rounded
from fxscore.scorer.features import NetworkFeatures, fingerprint_of
from fxscore.scorer.fitting import LEAST, check_accuracies
from fxscore.scorer.hybrid_head import Floats
from fxscore.scorer.hybrid_learners import Learning
from fxscore.scorer.subject import Model, subject_of
from fxscore.train.data import CellSet
from fxscore.train.ensemble import Mixture, mixture_of, raw_scores
from fxscore.train.looking import Records, Watch, feature_job, features_of, look, record_of
from fxscore.train.loop import Trainer, score_cells
from fxscore.train.plan import TrainingPlan
from fxscore.types import Shape

FOLDS = 5
SCORENETS_SHARE = 0.1  # weight of all FT-ScoreNets beside a hybrid of weight 1 (EXPERIMENTS.md)
T = TypeVar("T")


@dataclass(frozen=True)
class Fitted:
    """A fitted scorer and what is known of it.

    Attributes:
        scorer: fitted to all networks that could be used; its FT-ScoreNets only to those that were not held out.
        used: their places.
        failed: place → error of those that could not.
        agreement: Spearman's ρ of networks with scores from a fit that did not see them, with its interval.
        held_out: number of networks behind that figure.
    """

    scorer: Hybrid | FTScoreNet | Ensemble
    used: tuple[int, ...]
    failed: dict[int, str]
    agreement: Estimate
    held_out: int


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

    usable = _usable(models, accuracies, see, _after(records, watch))
    values = np.stack([each.values for each in usable.seen])
    measured = _cross_validate(start, usable.seen, usable.labels, seed)
    scorer = start.fit_features(values, usable.labels, Learning(seed=seed))
    return Fitted(scorer, usable.places, usable.failed, measured, len(usable.places))


def _cross_validate(
    start: Hybrid, features: Sequence[NetworkFeatures], labels: Floats, seed: int
) -> Estimate:
    """The figure; undefined where one fold has all networks of a label, and the others only one label left."""
    fold = _folds([each.fingerprint for each in features], seed)
    if any(len(np.unique(labels[fold != number])) < 2 for number in range(fold.max() + 1)):
        return Estimate(None)
    return _measure(cross_validated(start, features, labels, seed), labels, seed)


def cross_validated(start: Hybrid, features: Sequence[NetworkFeatures], labels: Floats, seed: int) -> Floats:
    """Raw scores (n,), each from a fit that saw neither the network nor one of equal features."""
    values = np.stack([each.values for each in features])
    fold = _folds([each.fingerprint for each in features], seed)
    scores = np.zeros(len(labels))
    for number in range(fold.max() + 1):
        seen = fold != number
        fitted = start.fit_features(values[seen], labels[seen], Learning(seed=seed))
        scores[~seen] = fitted.raw_scores(values[~seen])
    return scores


def _folds(fingerprints: Sequence[str], seed: int) -> np.ndarray:
    """The fold of each network; networks of one fingerprint share it."""
    return np.asarray(_turns(fingerprints, seed) % FOLDS)


def _turns(fingerprints: Sequence[str], seed: int) -> np.ndarray:
    """A drawn turn for each network; networks of one fingerprint share it."""
    names, place = np.unique(np.asarray(fingerprints), return_inverse=True)
    return np.asarray(np.random.default_rng(seed).permutation(len(names))[place])


@dataclass(frozen=True)
class _Usable(Generic[T]):
    """The networks that can be learned from.

    Attributes:
        places: in what was given.
        seen: what was seen of each.
        labels: their accuracies.
        failed: place → error of those that cannot be used.
    """

    places: tuple[int, ...]
    seen: list[T]
    labels: Floats
    failed: dict[int, str]


def _usable(
    models: Sequence[Model],
    accuracies: Sequence[float],
    look: Callable[[Model], T],
    watch: Watch,
    strict: bool = False,
) -> _Usable[T]:
    """Look at every network; `strict` raises the first error instead of leaving the network out."""
    seen: dict[int, T] = {}
    failed: dict[int, str] = {}
    for place, model in enumerate(models):
        try:
            with own_errors_only(), unchanged_globals():
                seen[place] = look(model)
        except FxScoreError as error:
            if strict:
                raise type(error)(f"network {place}: {error}") from None
            failed[place] = str(error).splitlines()[0]
        watch(place + 1)
    labels = np.array([float(accuracies[place]) for place in seen])
    _check_left(labels, failed)
    return _Usable(tuple(seen), list(seen.values()), labels, failed)


def _check_left(labels: Floats, failed: dict[int, str]) -> None:
    """Refuse to go on with too few networks; the first error says why."""
    if len(labels) < LEAST:
        first = f"; the first error: {next(iter(failed.values()))}" if failed else ""
        raise ScorerError(f"only {len(labels)} networks can be used, and {len(failed)} failed{first}")
    if len(np.unique(labels.astype(np.float32))) == 1:
        raise ScorerError(f"all networks that can be used have the accuracy {labels[0]:g}")


def fit_ft_scorenet(
    start: FTScoreNet,
    models: Sequence[Model],
    accuracies: Sequence[float],
    *,
    input_shape: Shape | None = None,
    steps: int = 100,
    samples: int = 32,
    validation: float = 0.0,
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

    def see(model: Model) -> tuple[ConstructedArchitecture, str]:
        record_of(records, model)
        subject = subject_of(model, input_shape)
        network = subject.construct(start.batch, start.shape_for(subject.input_shape))
        return network, fingerprint_of(network, subject.input_shape)

    usable = _usable(models, accuracies, see, _after(records, watch), strict)
    architectures, fingerprints = zip(*usable.seen, strict=True)
    networks = Networks(architectures, torch.from_numpy(usable.labels).float())
    held, seen = _held_out(fingerprints, usable.labels, validation, seed)
    plan = TrainingPlan(
        ("own",), steps=steps, samples=samples, averaging=0.9, seed=seed, settings=start.settings
    )
    kept = _state(state, fingerprints, usable.labels, f"{start.scorer_id} {plan}")
    scorer = _trained(plan, networks.subset(seen), kept, watch, len(models), start)
    scorer.name = f"fitted-{start.name}"
    scores = score_cells(scorer, networks.subset(held)).double().numpy() if held else np.zeros(0)
    measured = _measure(scores, usable.labels[held], seed)
    return Fitted(scorer, usable.places, usable.failed, measured, len(held))


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

    def see(model: Model) -> tuple[ConstructedArchitecture, NetworkFeatures]:
        known = features_of(records, model)
        subject = subject_of(model, input_shape)
        features = known or start.features(subject)
        return subject.construct(start.batch, start.shape_for(subject.input_shape)), features

    usable = _usable(models, accuracies, see, _after(records, watch))
    labels = usable.labels
    architectures, features = zip(*usable.seen, strict=True)
    networks = Networks(architectures, torch.from_numpy(labels).float())
    values = np.stack([each.values for each in features])
    held, seen = _held_out([each.fingerprint for each in features], labels, validation, seed)
    scorenets = []
    for place in range(members):
        plan = _new_plan(start.encoder.settings, steps, samples, members * seed + place)
        kept = _state(state, [each.fingerprint for each in features], labels, f"{plan}")
        trained = _trained(plan, networks.subset(seen), kept, watch, len(models) + place * steps)
        trained.name = f"scorenet-{place}"
        scorenets.append(rounded(trained))
    raw = raw_scores(scorenets, networks)

    def together(places: Sequence[int]) -> tuple[Hybrid, Mixture, Floats]:
        hybrid = start.fit_features(values[places], labels[places], Learning(seed=seed))
        both = np.column_stack([hybrid.raw_scores(values), raw])
        return hybrid, stacked(both[places]), both

    measured = Estimate(None)
    if held:
        _, mixture, both = together(seen)
        measured = _measure(mixture.combine(both[held]), labels[held], seed)
    hybrid, mixture, _ = together(range(len(labels)))
    numbers = (mixture.means, mixture.deviations, mixture.weights)
    scorer = Ensemble([hybrid, *scorenets], *map(torch.from_numpy, numbers), name=hybrid.name)
    return Fitted(scorer, usable.places, usable.failed, measured, len(held))


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


def _held_out(
    fingerprints: Sequence[str], labels: Floats, share: float, seed: int
) -> tuple[list[int], list[int]]:
    """(places that are measured on, places that are learned from); networks of one fingerprint stay together.

    Where what is learned from would have one label only, none is held out: there is no figure, but a scorer.
    """
    turn = _turns(fingerprints, seed)
    order = np.argsort(turn, kind="stable").tolist()
    count = round(share * len(order))
    held = [place for place in order if turn[place] <= turn[order[count - 1]]] if count else []
    seen = order[len(held) :]
    if len(set(labels[seen])) < 2:
        return [], order
    return held, seen


class Networks(CellSet):
    """Constructed architectures that belong to no search space."""

    def __init__(self, architectures: Sequence[ConstructedArchitecture], accuracies: Tensor) -> None:
        self._architectures = list(architectures)
        self.accuracies = accuracies

    def __len__(self) -> int:
        return len(self._architectures)

    def __getitem__(self, index: int) -> ConstructedArchitecture:
        return self._architectures[index]

    def subset(self, indices: Sequence[int]) -> Networks:
        """The networks at `indices`."""
        chosen = [self._architectures[index] for index in indices]
        return Networks(chosen, self.accuracies[list(indices)])


def _trained(
    plan: TrainingPlan,
    networks: Networks,
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


def _state(state: Path | None, fingerprints: Sequence[str], labels: Floats, training: str) -> Path | None:
    """The file of a training's state; another table, or another plan, has another one."""
    if state is None:
        return None
    digest = hashlib.sha256(repr((list(fingerprints), labels.tolist(), training)).encode()).hexdigest()
    return state.with_name(f"{state.name}.{digest[:12]}.state")


def _after(records: Records, watch: Watch) -> Watch:
    """Who is told of networks that are looked at in this process: nobody, where workers did, and told."""
    return (lambda done: None) if records else watch


def _measure(scores: Floats, labels: Floats, seed: int) -> Estimate:
    if len(labels) < 2:
        return Estimate(None)
    return agreement(scores, labels, Measures(seed=seed)).figures["spearman"]
