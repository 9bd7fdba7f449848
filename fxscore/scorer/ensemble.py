"""The ensemble of several scorers (paper III-D2, equation 4).

f(x) = Σ w_i · S((s_i(x) − μ_i)/σ_i), S the sigmoid, μ_i and σ_i the mean and standard deviation of s_i over the space
that it was trained on. A network is constructed once for all members. The paper's members are FT-ScoreNets; a hybrid
scorer, of which the raw score counts, may be one as well. FT-ScoreNets are kept in half precision, which halves
the file; they are rounded when the ensemble is made, so that it scores alike before and after it is written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from fxscore.errors import ScorerError
from fxscore.scorer.card import ENSEMBLE, kept_confidence
from fxscore.scorer.checkpoint import Checkpoint, save_checkpoint
from fxscore.scorer.confidence import Confidence, Standing, kind_of
from fxscore.scorer.file_contents import MISFITS, check_record, misfit
from fxscore.scorer.ft_scorenet import FTScoreNet
from fxscore.scorer.hybrid import Hybrid, readable
from fxscore.scorer.identity import Identity
from fxscore.scorer.subject import Subject
from fxscore.types import Shape

Member = FTScoreNet | Hybrid


class Ensemble:
    """A weighted sum of squashed scores.

    Args:
        members: scorers that see networks at one batch and one protocol of sizes.
        means, deviations, weights: (m,) μ, σ and w.
        name: what records call this scorer.
        confidence: what it knows of its own reliability, where that was measured; distances are by the features of the
            first hybrid among the members.

    Raises:
        ScorerError: the members do not fit each other or the numbers.
    """

    KIND = ENSEMBLE
    needs_weights = False

    def __init__(
        self,
        members: Sequence[Member],
        means: Tensor,
        deviations: Tensor,
        weights: Tensor,
        *,
        name: str = "ensemble",
        confidence: Confidence | None = None,
    ) -> None:
        _check(members, means, deviations, weights)
        self.members = tuple(_as_member(member) for member in members)
        self.means, self.deviations, self.weights = (
            values.double() for values in (means, deviations, weights)
        )
        self.name = name
        self.confidence = confidence or Confidence()
        self.record: Mapping[str, Any] = {}
        self._identity = Identity()

    @property
    def batch(self) -> int:
        """Images in every member's input-like tensor."""
        return self.members[0].batch

    @property
    def scorer_id(self) -> str:
        """Name and hash of settings and learned values."""
        return self._identity.of(self.name, self._settings(), self._tensors())

    def shape_for(self, input_shape: Shape) -> Shape:
        """The input shape at which the members see a network."""
        return self.members[0].shape_for(input_shape)

    @property
    def scorenets(self) -> tuple[FTScoreNet, ...]:
        """The members that are FT-ScoreNets."""
        return tuple(member for member in self.members if isinstance(member, FTScoreNet))

    def score(self, subject: Subject) -> float:
        """The score of a network, between 0 and the sum of the weights.

        Raises:
            ScorerError: a member's score is not finite.
        """
        return self.standing(subject).score

    def standing(self, subject: Subject) -> Standing:
        """The score of a network, and where it stands to training, where a member is a hybrid; raises as `score`."""
        hybrid = next((member for member in self.members if isinstance(member, Hybrid)), None)
        features = hybrid.features(subject) if hybrid and self.confidence.neighbours else None
        raw = [
            member.score(subject)
            if features is None or isinstance(member, FTScoreNet)
            else member.score_of(features)
            for member in self.members
        ]
        score = float(self.combine(torch.tensor(raw, dtype=torch.double)))
        nearest = () if features is None else self.confidence.nearest(features.names, features.values)
        apart = self.confidence.distance(nearest, subject.inputs)
        return Standing(score, kind_of(subject.inputs), apart, nearest)

    def combine(self, raw: Tensor) -> Tensor:
        """Equation 4: from members' scores (…, m) to the ensemble's (…)."""
        return squash(raw, self.means, self.deviations) @ self.weights

    def save(self, path: str | Path, record: Mapping[str, Any] | None = None) -> None:
        """Write the scorer to a file that `load_scorer` and `fxscore rank --scorer` take."""
        save_checkpoint(Path(path), self.to_checkpoint(record))

    def to_checkpoint(self, record: Mapping[str, Any] | None = None) -> Checkpoint:
        """The ensemble as the contents of one file."""
        return Checkpoint(self.KIND, self.name, self._settings(), record or self.record, self._tensors())

    @classmethod
    def from_checkpoint(cls, checkpoint: Checkpoint) -> Ensemble:
        """The ensemble in a file; raises `CheckpointError` where tensors and settings do not fit each other."""
        try:
            members = [
                _member(checkpoint, index, **entry)
                for index, entry in enumerate(checkpoint.settings["members"])
            ]
            numbers = (checkpoint.tensors[name] for name in ("means", "deviations", "weights"))
            arrays = {name: tensor.numpy() for name, tensor in checkpoint.tensors.items()}
            confidence = readable(kept_confidence(checkpoint.settings, arrays))
            ensemble = cls(members, *numbers, name=checkpoint.name, confidence=confidence)
            ensemble.record = checkpoint.record
            for member, entry in zip(ensemble.members, checkpoint.record.get("members", ()), strict=False):
                check_record(entry["record"])
                member.record = entry["record"]
        except (*MISFITS, ScorerError) as error:
            raise misfit("ensemble", checkpoint.name, error) from None
        return ensemble

    def _settings(self) -> dict[str, Any]:
        own: dict[str, Any] = {"members": [_entry(member) for member in self.members]}
        known = self.confidence.neighbours or self.confidence.pairs
        return {**own, "confidence": self.confidence.describe()} if known else own

    def _tensors(self) -> dict[str, Tensor]:
        tensors = {
            f"{index}.{name}": tensor.half() if isinstance(member, FTScoreNet) else tensor
            for index, member in enumerate(self.members)
            for name, tensor in member.to_checkpoint().tensors.items()
        }
        for name, array in self.confidence.arrays().items():
            tensors[name] = torch.from_numpy(np.ascontiguousarray(array))
        return tensors | {"means": self.means, "deviations": self.deviations, "weights": self.weights}


def squash(raw: Tensor, means: Tensor, deviations: Tensor) -> Tensor:
    """The summands of equation 4 before they are weighed: σ((s − μ) / σ_s) of scores (…, m)."""
    return torch.sigmoid((raw - means) / deviations)


def rounded(member: FTScoreNet) -> FTScoreNet:
    """A copy whose learned values are exact in half precision; raises `ScorerError` where one is too large."""
    copy = FTScoreNet(member.settings, name=member.name)
    tensors = {name: tensor.half().float() for name, tensor in member.state_dict().items()}
    if not all(bool(tensor.isfinite().all()) for tensor in tensors.values()):
        raise ScorerError(f"the member {member.name!r} has values beyond half precision (65504)")
    copy.load_state_dict(tensors, strict=True)
    copy.record = member.record
    return copy.requires_grad_(False)


def _as_member(member: Member) -> Member:
    """What the ensemble keeps: a rounded FT-ScoreNet, or a hybrid that gives raw scores."""
    if isinstance(member, FTScoreNet):
        return rounded(member)
    raw = Hybrid(member.encoder, member.head, name=member.name)
    raw.record = member.record
    return raw


def _entry(member: Member) -> dict[str, Any]:
    """A member in the settings of a file; one without a kind is an FT-ScoreNet."""
    entry = {"name": member.name, "settings": member.to_checkpoint().settings}
    return entry if isinstance(member, FTScoreNet) else {**entry, "kind": Hybrid.KIND}


def _member(
    checkpoint: Checkpoint, index: int, name: str, settings: Mapping[str, Any], kind: str = FTScoreNet.KIND
) -> Member:
    prefix = f"{index}."
    own = {
        key.removeprefix(prefix): value for key, value in checkpoint.tensors.items() if key.startswith(prefix)
    }
    if kind == Hybrid.KIND:
        return Hybrid.from_checkpoint(Checkpoint(kind, name, settings, {}, own))
    floats = {key: value.float() for key, value in own.items()}
    return FTScoreNet.from_checkpoint(Checkpoint(FTScoreNet.KIND, name, settings, {}, floats))


def _check(members: Sequence[Member], means: Tensor, deviations: Tensor, weights: Tensor) -> None:
    if not members:
        raise ScorerError("an ensemble needs at least one member")
    if any(values.shape != (len(members),) for values in (means, deviations, weights)):
        raise ScorerError(f"{len(members)} members need as many means, deviations and weights")
    if not all(bool(values.isfinite().all()) for values in (means, deviations, weights)):
        raise ScorerError("means, deviations and weights of an ensemble are finite numbers")
    if bool((deviations <= 0).any()):
        raise ScorerError("a member gives all networks of its space one score; leave it out of the ensemble")
    if any(isinstance(member, Hybrid) and member.head is None for member in members):
        raise ScorerError(
            "an ensemble takes no untrained Hybrid; use what its fit(models, accuracies) returns"
        )
    if len({_seen_as(member) for member in members}) > 1:
        raise ScorerError(
            "the members of an ensemble see networks at one batch and one protocol of sizes; these differ"
        )


def _seen_as(member: Member) -> tuple[int, bool]:
    """Batch and protocol of sizes, which decide what is constructed."""
    encoder = member if isinstance(member, FTScoreNet) else member.encoder
    return encoder.batch, encoder.settings.small_inputs
