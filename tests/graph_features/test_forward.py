"""Features of a constructed forward: known matrices, degenerate networks, and an end to end run."""

from __future__ import annotations

from math import isfinite, log

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from fxscore.constructed import Encoding, construct
from fxscore.graph_features import describe, forward_features
from fxscore.graph_features.forward import EPSILON
from fxscore.ops import Observer
from fxscore.scorer.ft_scorenet import FTScoreNet, Settings


def _encoding(
    features: Tensor, factors: list[float] | None = None, patterns: Tensor | None = None
) -> Encoding:
    taps = {} if patterns is None else {"patterns": patterns}
    return Encoding(features, torch.tensor(factors or []), taps)


def test_the_determinant_of_known_patterns() -> None:
    patterns = torch.tensor([[10.0, 5.0], [5.0, 10.0]])
    features = forward_features(_encoding(torch.randn(2, 3), patterns=patterns))
    assert features["patterns_log_det"] == pytest.approx(log((1 + EPSILON) ** 2 - 0.25) / 2)
    assert features["patterns_agreement"] == 0.5
    assert features["patterns_log_units"] == pytest.approx(log(11))


def test_factors_by_depth() -> None:
    features = forward_features(_encoding(torch.randn(4, 3), factors=[0.0, 1.0, 2.0, 3.0]))
    assert features["factors_slope"] == pytest.approx(3)
    assert features["factors_d0500"] == pytest.approx(1.5)
    assert features["factors_sum"] == 6
    assert features["factors_number"] == 4


def test_equal_images_have_nothing_between_them() -> None:
    same = forward_features(_encoding(torch.ones(4, 1) @ torch.randn(1, 8, generator=torch.manual_seed(0))))
    assert same["encoding_raw_similarity"] == pytest.approx(1)
    assert same["encoding_rank"] == pytest.approx(0)


@pytest.mark.parametrize("batch", [1, 2, 16])
def test_degenerate_forwards_are_finite(batch: int) -> None:
    for values in (torch.zeros(batch, 5), torch.full((batch, 5), 1e30), torch.eye(batch, 5)):
        features = forward_features(_encoding(values, patterns=torch.zeros(batch, batch)))
        assert all(map(isfinite, features.values())), {k: v for k, v in features.items() if not isfinite(v)}


def test_a_constructed_forward() -> None:
    scorer = FTScoreNet(Settings(batch=8, input_shape=(3, 8, 8))).requires_grad_(False)
    net = nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.Conv2d(8, 16, 3, stride=2), nn.ReLU()
    )
    constructed = construct(net, (3, 8, 8), 8)
    observers = [Observer(keep_redundant=True, keep_patterns=True) for _ in range(2)]
    runs = [
        forward_features(constructed(scorer.input_like, scorer.weights, observer)) for observer in observers
    ]
    assert runs[0] == runs[1]
    assert list(runs[0]) == list(describe())[-len(runs[0]) :]
    assert runs[0]["factors_number"] == 2
    assert np.expm1(runs[0]["patterns_log_units"]) == pytest.approx(8 * 8 * 8 + 16 * 3 * 3)
