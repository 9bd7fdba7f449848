"""Columns of positions at the network's own size, whatever the size at which it is seen."""

from __future__ import annotations

import numpy as np
import pytest
from torch import nn

import fxscore
from fxscore.graph_features.layers import QUARTERS
from fxscore.scorer.features import feature_names, network_features
from fxscore.scorer.own_size import MOVED, columns_at_own_size
from fxscore.scorer.subject import Subject


def network() -> nn.Sequential:
    layers: list[nn.Module] = []
    for inputs, outputs, stride in ((3, 16, 2), (16, 32, 2), (32, 32, 1), (32, 64, 2)):
        layers += [nn.Conv2d(inputs, outputs, 3, stride, 1), nn.BatchNorm2d(outputs), nn.ReLU()]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))


def row(side: int) -> np.ndarray:
    found = network_features(Subject(network(), (3, side, side)), forward=False)
    return np.array([found.values])


def test_they_grow_with_the_image_as_they_would_if_it_were_seen_whole() -> None:
    """At 64 pixels the network is seen whole, at 256 at a quarter of its side: sixteen times the positions."""
    small, large = (columns_at_own_size(MOVED, feature_names(), row(side))[0] for side in (64, 256))
    grown = dict(zip(MOVED, large - small, strict=True))
    assert grown["quarter0_positions"] == pytest.approx(np.log(16))
    assert grown["log_elements_sum"] == pytest.approx(4 * np.log(16))


def test_every_quarter_is_moved() -> None:
    assert set(MOVED) <= set(feature_names())
    assert sum(name.endswith("_positions") for name in MOVED) == QUARTERS


def test_other_columns_stay() -> None:
    values = row(256)
    wanted = ("log_params", "depth")
    places = [feature_names().index(name) for name in wanted]
    assert columns_at_own_size(wanted, feature_names(), values).tolist() == values[:, places].tolist()


@pytest.mark.parametrize("sides", [(16, 17), (64, 65), (96, 97)])
@pytest.mark.parametrize("reference", ["torchvision:resnet18", "timm:mobilenetv3_small_100"])
def test_the_default_score_does_not_step_where_the_size_does_at_which_networks_are_seen(
    reference: str, sides: tuple[int, int]
) -> None:
    before, after = (fxscore.score(reference, input_shape=(3, side, side)) for side in sides)
    assert abs(before - after) < 1.0
