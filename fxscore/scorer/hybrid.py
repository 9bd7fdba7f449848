"""The hybrid scorer: a head over graph features and the features of one constructed forward (METHOD.md section 5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from fxscore.errors import ScorerError
from fxscore.graph_features.layers import larger_side
from fxscore.scorer.card import HYBRID, held_confidence, measured_confidence
from fxscore.scorer.checkpoint import Checkpoint, save_checkpoint
from fxscore.scorer.confidence import Confidence, Standing, form_of, kind_of
from fxscore.scorer.features import FORWARD, NetworkFeatures, default_encoder, feature_names, network_features
from fxscore.scorer.file_contents import MISFITS, misfit
from fxscore.scorer.fitting import check_accuracies
from fxscore.scorer.ft_scorenet import FTScoreNet
from fxscore.scorer.given import Model
from fxscore.scorer.hybrid_head import PRIOR, RECIPE, AnyHead, Floats, Head, head_of
from fxscore.scorer.hybrid_learners import HeadLearning, fit_head, targets_of
from fxscore.scorer.identity import Identity
from fxscore.scorer.percentiles import Percentiles
from fxscore.scorer.subject import Subject, subjects_of
from fxscore.types import Shape

ENCODER = "encoder."
SCALE = "scale."
_UNTRAINED = "this Hybrid is untrained; use what its fit(models, accuracies) returns, or load a scorer"


class Hybrid:
    """Scores networks by a fitted head; untrained unless it comes from `fit` or a file.

    Args:
        encoder: an FT-ScoreNet whose input-like tensor and kernel give the forward; the untrained one by default.
        head: from features to the raw score.
        scale: the reference population that scores are percentiles of; None gives raw scores.
        name: what records call this scorer.
        confidence: what it knows of its own reliability, where that was measured.
    """

    KIND = HYBRID
    needs_weights = False

    def __init__(
        self,
        encoder: FTScoreNet | None = None,
        head: AnyHead | None = None,
        scale: Percentiles | None = None,
        *,
        name: str = "hybrid",
        confidence: Confidence | None = None,
    ) -> None:
        self.encoder = encoder or default_encoder()
        self.head = head
        self.scale = scale
        self.name = name
        self.measured_confidence = confidence
        self.record: Mapping[str, Any] = {}
        self._identity = Identity()

    @property
    def batch(self) -> int:
        """Images in the encoder's input-like tensor."""
        return self.encoder.batch

    def shape_for(self, input_shape: Shape) -> Shape:
        """The input shape at which a network of this input shape is constructed, if it takes it."""
        return self.encoder.shape_for(input_shape)

    @property
    def scorer_id(self) -> str:
        """Name and hash of everything learned: two scorers of one id give equal scores."""
        return self._identity.of(self.name, self._settings(), self._tensors())

    def score(self, subject: Subject) -> float:
        """The score of a network: its percentile in the reference population.

        Raises:
            ScorerError: the scorer is untrained, or a feature or the score is not finite.
        """
        return self.score_of(self._read(subject))

    def score_of(self, features: NetworkFeatures) -> float:
        """As `score`, of a network whose features are known."""
        return self._scaled(self._parts(features))

    def standing(self, subject: Subject) -> Standing:
        """The score of a network, and where it stands to training; raises as `score`."""
        return self.standing_of(subject, self._read(subject))

    def standing_of(self, subject: Subject, features: NetworkFeatures) -> Standing:
        """As `standing`, of a network whose features are known."""
        parts = self._parts(features)
        nearest = self.confidence.nearest(features.names, features.values)
        return Standing(
            self._scaled(parts),
            kind_of(subject.inputs),
            self.confidence.distance(nearest, subject.inputs),
            nearest,
            tuple(parts[0].tolist()) if np.isfinite(parts).all() else (),
        )

    def _read(self, subject: Subject) -> NetworkFeatures:
        """What the head reads of a network; a forward is run where it reads one."""
        if self.head is None:
            raise ScorerError(_UNTRAINED)
        forward = self.head.uses(FORWARD, larger_side(subject.input_shape))
        return network_features(subject, self.encoder, forward=forward)

    def _parts(self, features: NetworkFeatures) -> Floats:
        """(1, parts) what the head puts together."""
        if self.head is None:
            raise ScorerError(_UNTRAINED)
        with np.errstate(over="ignore", invalid="ignore"):  # `_scaled` tells
            return self.head.parts(features.names, features.values[None])

    def _scaled(self, parts: Floats) -> float:
        """The score that these parts make."""
        assert self.head is not None  # it gave the parts
        with np.errstate(over="ignore", invalid="ignore"):  # told below
            raw = float(self.head.whole(parts)[0])
        if not isfinite(raw):
            raise ScorerError(f"the scorer {self.name!r} gives {raw}; its learned numbers are too large")
        return raw if self.scale is None else self.scale(raw)

    @cached_property
    def confidence(self) -> Confidence:
        """That of the file; of one without, distances from the training networks that the head holds, no more."""
        if self.measured_confidence is not None:
            return self.measured_confidence
        return Confidence() if self.head is None else held_confidence(self.head, self.scale is not None)

    def features(self, subject: Subject) -> NetworkFeatures:
        """What the head reads of a network."""
        return network_features(subject, self.encoder)

    def raw_scores(self, values: Floats) -> Floats:
        """Raw scores (n,) of networks with these features (n, columns of `feature_names`)."""
        if self.head is None:
            raise ScorerError(_UNTRAINED)
        return self.head.predict(feature_names(), values)

    def fit(
        self,
        models: Sequence[Model],
        accuracies: Sequence[float],
        *,
        input_shape: Shape | None = None,
        learning: HeadLearning | None = None,
    ) -> Hybrid:
        """A scorer fitted to networks that somebody trained, on top of this one if it is fitted already.

        Args:
            models: modules (their weights are not read) or references such as `timm:resnet50`; 20 to 200 are enough.
            accuracies: one number each, more is better, all of one data set.
            input_shape: (C, H, W) of all networks; by default the references' own, and 3×224×224 for modules.
            learning: settings of the fit.

        Returns:
            A new scorer; this one is left as it is.

        Raises:
            ScorerError: too few networks, or accuracies that are wrong.
            FxScoreError: a network cannot be built or captured; names it.
        """
        check_accuracies(models, accuracies)
        values, forms = [], set()
        for subject in subjects_of(models, input_shape):
            values.append(self.features(subject).values)
            forms.add(form_of(subject.inputs))
        fitted = self.fit_features(np.stack(values), np.asarray(accuracies, dtype=float), learning)
        assert fitted.head is not None  # `fit_features` gives one
        held = held_confidence(fitted.head, fitted.scale is not None)
        fitted.measured_confidence = replace(held, forms=frozenset(forms))
        return fitted

    def fit_features(
        self, values: Floats, accuracies: Floats, learning: HeadLearning | None = None
    ) -> Hybrid:
        """`fit` for networks whose features are known, (n, columns of `feature_names`)."""
        head = fit_head(feature_names(), values, targets_of(accuracies), learning, prior=self.head)
        scale = Percentiles.of(head.predict(feature_names(), values))
        return Hybrid(self.encoder, head, scale, name=f"fitted-{self.name}")

    def save(self, path: str | Path, record: Mapping[str, Any] | None = None) -> None:
        """Write the scorer to a file that `load_scorer` and `fxscore rank --scorer` take."""
        save_checkpoint(Path(path), self.to_checkpoint(record))

    def to_checkpoint(self, record: Mapping[str, Any] | None = None) -> Checkpoint:
        """The scorer as the contents of a file."""
        return Checkpoint(self.KIND, self.name, self._settings(), record or self.record, self._tensors())

    @classmethod
    def from_checkpoint(cls, checkpoint: Checkpoint) -> Hybrid:
        """The scorer in a file; raises `CheckpointError` where tensors and settings do not fit each other."""
        arrays = {name: tensor.numpy() for name, tensor in checkpoint.tensors.items()}
        try:
            settings = checkpoint.settings
            encoder = _encoder(settings["encoder"], checkpoint.tensors)
            head = head_of(settings["head"], arrays)
            _check_columns(head)
            scale = (
                Percentiles(arrays[f"{SCALE}raw"], arrays[f"{SCALE}percent"]) if settings["scale"] else None
            )
            confidence = _confidence(settings, arrays)
        except MISFITS as error:
            raise misfit("scorer", checkpoint.name, error) from None
        scorer = cls(encoder, head, scale, name=checkpoint.name, confidence=confidence)
        scorer.record = checkpoint.record
        return scorer

    def _settings(self) -> dict[str, Any]:
        head = None if self.head is None else self.head.describe()
        own = {"encoder": self.encoder.settings.as_dict(), "head": head, "scale": self.scale is not None}
        measured = self.measured_confidence
        return own if measured is None else {**own, "confidence": measured.describe()}

    def _tensors(self) -> dict[str, Tensor]:
        tensors = {f"{ENCODER}{name}": tensor for name, tensor in self.encoder.state_dict().items()}
        arrays = {} if self.head is None else self.head.arrays()
        if self.scale is not None:
            arrays |= {f"{SCALE}{name}": array for name, array in self.scale.arrays().items()}
        if self.measured_confidence is not None:
            arrays |= self.measured_confidence.arrays()
        return tensors | {
            name: torch.from_numpy(np.ascontiguousarray(array)) for name, array in arrays.items()
        }


def _encoder(settings: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> FTScoreNet:
    state = {name.removeprefix(ENCODER): value for name, value in tensors.items() if name.startswith(ENCODER)}
    return FTScoreNet.of_tensors(settings, state, "encoder")


def _confidence(settings: Mapping[str, Any], arrays: Mapping[str, Any]) -> Confidence | None:
    """That of a file, where this version computes the features that it asks for."""
    return readable(measured_confidence(settings, arrays, settings["scale"]))


def readable(confidence: Confidence | None) -> Confidence | None:
    """The same; raises `ValueError` where it asks for features that this version does not compute."""
    named = () if confidence is None else (name for each in confidence.neighbours for name in each.columns)
    if unknown := {*named} - {*feature_names()}:
        raise ValueError(f"this version of fxscore computes no feature {min(unknown)!r}")
    return confidence


def _check_columns(head: AnyHead | None) -> None:
    """A file of another version may ask for features that this one does not compute."""
    if head is None:
        return
    own = head.columns if isinstance(head, Head) else (*head.columns, *head.prior_columns)
    if unknown := {name for name in own if not name.startswith(RECIPE)} - {*feature_names(), PRIOR}:
        raise ValueError(f"this version of fxscore computes no feature {min(unknown)!r}")
    if isinstance(head, Head):
        _check_columns(head.prior)
