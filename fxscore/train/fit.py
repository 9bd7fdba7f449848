"""Fitting a scorer to one's own trained networks, and how well it ranks those that it did not see."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from fxscore.constructed import ConstructedArchitecture
from fxscore.errors import FxScoreError, ScorerError
from fxscore.evaluate import Measures, agreement
from fxscore.evaluate.estimates import Estimate
from fxscore.scorer import FTScoreNet, Hybrid
from fxscore.scorer.features import NetworkFeatures
from fxscore.scorer.fitting import LEAST, Model, check_accuracies, subject_of
from fxscore.scorer.hybrid_head import Floats
from fxscore.scorer.hybrid_learners import Learning
from fxscore.train.data import CellSet
from fxscore.train.loop import Trainer, score_cells
from fxscore.train.plan import TrainingPlan
from fxscore.types import Shape

FOLDS = 5
Watch = Callable[[int], None]
T = TypeVar("T")


@dataclass(frozen=True)
class Fitted:
    """A fitted scorer and what is known of it.

    Attributes:
        scorer: fitted to all networks that could be used.
        used: their places.
        failed: place → error of those that could not.
        agreement: Spearman's ρ of networks with scores from a fit that did not see them, with its interval.
        held_out: number of networks behind that figure.
    """

    scorer: Hybrid | FTScoreNet
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
    watch: Watch = lambda done: None,
) -> Fitted:
    """Fit a hybrid scorer, and cross-validate it in five folds.

    Args:
        start: what is built upon.
        models: modules or references.
        accuracies: one each, more is better.
        input_shape: of all networks.
        seed: of the folds, the learners and the bootstrap.
        watch: is told how many networks are done.

    Raises:
        ScorerError: accuracies that teach nothing, or too few networks that can be used.
    """
    check_accuracies(models, accuracies)
    found, failed = _collect(models, lambda model: start.features(subject_of(model, input_shape)), watch)
    used = tuple(found)
    labels = np.array([accuracies[place] for place in used])
    _check_left(labels.tolist(), failed)
    features = list(found.values())
    values = np.stack([each.values for each in features])
    held_out = cross_validated(start, features, labels, seed)
    measured = agreement(held_out, labels, Measures(seed=seed)).figures["spearman"]
    scorer = start.fit_features(values, labels, Learning(seed=seed))
    return Fitted(scorer, used, failed, measured, len(used))


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
    names, place = np.unique(np.asarray(fingerprints), return_inverse=True)
    shuffled = np.random.default_rng(seed).permutation(len(names))
    return np.asarray(shuffled[place] % FOLDS)


def _collect(
    models: Sequence[Model], look: Callable[[Model], T], watch: Watch, strict: bool = False
) -> tuple[dict[int, T], dict[int, str]]:
    """(place → what was seen of a network, place → error of one that failed); `strict` raises the first error."""
    found: dict[int, T] = {}
    failed: dict[int, str] = {}
    for place, model in enumerate(models):
        try:
            found[place] = look(model)
        except FxScoreError as error:
            if strict:
                raise type(error)(f"network {place}: {error}") from None
            failed[place] = str(error).splitlines()[0]
        watch(place + 1)
    return found, failed


def _check_left(labels: Sequence[float], failed: dict[int, str]) -> None:
    """Refuse to go on with too few networks; the first error says why."""
    if len(labels) < LEAST:
        first = f"; the first error: {next(iter(failed.values()))}" if failed else ""
        raise ScorerError(f"only {len(labels)} networks can be used, and {len(failed)} failed{first}")
    if len(set(labels)) == 1:
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
        watch: is told how many networks are constructed, then how many steps are done.

    Raises:
        ScorerError: accuracies that teach nothing, or too few networks that can be used.
    """
    check_accuracies(models, accuracies)

    def see(model: Model) -> ConstructedArchitecture:
        subject = subject_of(model, input_shape)
        return subject.construct(start.batch, start.shape_for(subject.input_shape))

    found, failed = _collect(models, see, watch, strict)
    used = tuple(found)
    labels = torch.tensor([float(accuracies[place]) for place in used])
    _check_left(labels.tolist(), failed)
    networks = Networks(list(found.values()), labels)
    order = torch.randperm(len(used), generator=torch.Generator().manual_seed(seed)).tolist()
    held = order[: round(validation * len(used))]
    scorer = _train(start, networks.subset(order[len(held) :]), steps, samples, seed, watch)
    measured = _measure(scorer, networks.subset(held), seed)
    return Fitted(scorer, used, failed, measured, len(held))


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


def _train(
    start: FTScoreNet, networks: Networks, steps: int, samples: int, seed: int, watch: Watch
) -> FTScoreNet:
    plan = TrainingPlan(
        ("own",), steps=steps, samples=samples, averaging=0.9, seed=seed, settings=start.settings
    )
    trainer = Trainer(plan, [networks])
    with torch.no_grad():
        for name, parameter in start.named_parameters():
            trainer.scorer.get_parameter(name).copy_(parameter)
    for report in trainer.run():
        watch(report.step)
    scorer = trainer.trained()
    scorer.name = f"fitted-{start.name}"
    return scorer.requires_grad_(False)


def _measure(scorer: FTScoreNet, networks: Networks, seed: int) -> Estimate:
    if len(networks) < 2:
        return Estimate(None)
    scores = score_cells(scorer, networks).double().numpy()
    return agreement(scores, networks.accuracies.double().numpy(), Measures(seed=seed)).figures["spearman"]
