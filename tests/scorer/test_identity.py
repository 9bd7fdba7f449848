"""A scorer's id follows what it has learned, and is hashed again only where that changed."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Mapping

import pytest
import torch
from torch import Tensor

from fxscore.scorer import FTScoreNet, Settings
from fxscore.scorer.checkpoint import tensors_sha256
from fxscore.scorer.identity import Identity

SMALL = Settings(batch=4, n_in=2, n_out=3)


def test_the_id_is_hashed_once_and_again_after_a_step(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []

    def counted(tensors: Mapping[str, Tensor]) -> str:
        calls.append(len(tensors))
        return tensors_sha256(tensors)

    monkeypatch.setattr("fxscore.scorer.identity.tensors_sha256", counted)
    scorer = FTScoreNet(SMALL)
    first = scorer.scorer_id
    assert scorer.scorer_id == first
    assert len(calls) == 1
    with torch.no_grad():
        scorer.readout.bias.neg_()
    assert scorer.scorer_id != first
    with torch.no_grad():
        scorer.readout.bias.neg_()
    assert scorer.scorer_id == first


def test_another_tensor_in_the_place_of_one_and_other_settings_are_another_id() -> None:
    identity, tensors = Identity(), {"a": torch.ones(3)}
    first = identity.of("name", {}, tensors)
    assert identity.of("name", {"b": 1}, tensors) != first
    assert identity.of("name", {}, {"a": torch.ones(3)}) == first
    assert identity.of("name", {}, {"a": torch.zeros(3)}) != first


def test_copies_have_the_same_id_and_keep_nothing() -> None:
    scorer = FTScoreNet(SMALL)
    wanted = scorer.scorer_id
    for other in (copy.deepcopy(scorer), pickle.loads(pickle.dumps(scorer))):
        assert other.scorer_id == wanted
    assert len(pickle.dumps(scorer._identity)) < 200
