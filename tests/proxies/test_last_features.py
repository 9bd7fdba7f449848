from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from fxscore.proxies.last_features import FeatureMode
from tests.proxies.networks import SHAPE, Attention, Functional, Returns, small_net


def features_of(network: nn.Module) -> Tensor:
    images = torch.randn(2, *SHAPE)
    with torch.no_grad(), FeatureMode(network.parameters(), images) as mode:
        output = network(images)
    features: Tensor = mode.features(output)
    return features


def trunk() -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4), nn.ReLU())


CASES: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
    "before the global pool": (small_net, (2, 6, 2, 2)),
    "functional pool": (Functional, (2, 6, 2, 2)),
    "class token": (Attention, (2, 5, 8)),
    "convolution as head": (
        lambda: nn.Sequential(trunk(), nn.Conv2d(4, 5, 1), nn.AdaptiveAvgPool2d(1)),
        (2, 4, 8, 8),
    ),
    "no head": (trunk, (2, 4, 8, 8)),
    "softmax behind the head": (lambda: nn.Sequential(small_net(), nn.Softmax(1)), (2, 6, 2, 2)),
    "two linear layers": (
        lambda: nn.Sequential(trunk(), nn.Flatten(), nn.Linear(256, 7), nn.ReLU(), nn.Linear(7, 5)),
        (2, 7),
    ),
    "linear head of every token": (
        lambda: nn.Sequential(Returns(trunk(), lambda y: y.flatten(2).transpose(1, 2)), nn.Linear(4, 5)),
        (2, 4, 8, 8),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_features_enter_the_pooling_ahead_of_the_head(case: str) -> None:
    build, shape = CASES[case]
    assert features_of(build()).shape == shape
