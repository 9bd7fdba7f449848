"""What the features of a hybrid scorer promise: one column each, finite, and blind to what does not matter."""

from __future__ import annotations

from math import log

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from fxscore.graph_features.flow import trace_flow
from fxscore.graph_features.layers import COLUMNS, layer_features, scaled_features
from fxscore.scorer.features import feature_meanings, feature_names, network_features
from fxscore.scorer.subject import Subject

SHAPE = (3, 32, 32)


def network(*more: nn.Module, act: type[nn.Module] = nn.ReLU) -> nn.Sequential:
    layers = [nn.Conv2d(3, 8, 3, 2, 1, bias=False), nn.BatchNorm2d(8), act(), *more]
    layers += [
        nn.Conv2d(8, 16, 1, bias=False),
        nn.BatchNorm2d(16),
        act(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
    ]
    return nn.Sequential(*layers, nn.Linear(16, 5))


class Zero(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return (x * 0).mean((2, 3))


def columns(module: nn.Module, shape: tuple[int, ...] = SHAPE) -> dict[str, float]:
    features = network_features(Subject(module, shape))
    return dict(zip(features.names, features.values.tolist(), strict=True))


def test_every_column_has_a_meaning_and_a_finite_value() -> None:
    features = network_features(Subject(network(), SHAPE))
    assert features.names == feature_names() == tuple(feature_meanings())
    assert len(set(features.names)) == len(features.names) == len(features.values)
    assert all(feature_meanings().values())
    assert np.isfinite(features.values).all()


@pytest.mark.parametrize("module", [Zero(), nn.Sequential(nn.Conv2d(3, 4, 3))])
def test_networks_without_output_or_activation_have_finite_features(module: nn.Module) -> None:
    assert np.isfinite(network_features(Subject(module, SHAPE)).values).all()


def test_weights_identity_and_doubled_activations_do_not_matter() -> None:
    first = network_features(Subject(network(), SHAPE))
    other = network(nn.Identity(), nn.ReLU(), nn.Dropout(0.5))
    second = network_features(Subject(other, SHAPE))
    assert first.fingerprint == second.fingerprint
    assert (first.values == second.values).all()


def test_the_own_input_shape_tells_networks_apart() -> None:
    small, large = (network_features(Subject(network(), (3, side, side))) for side in (224, 256))
    assert small.fingerprint != large.fingerprint
    differing = {name for name, a, b in zip(small.names, small.values, large.values, strict=True) if a != b}
    assert differing == {name for name in small.names if name.startswith("own_")}


def test_sizes_are_scaled_to_the_own_shape() -> None:
    """32×32 seen at 16×16: the stem of 8·27 weights works at 16×16 positions, the second layer of 16·8 too."""
    found = columns(network())
    assert found["own_log_macs"] == pytest.approx(log(1 + 256 * (8 * 27 + 16 * 8)))
    assert found["own_log_weighted_activations"] == pytest.approx(log(1 + 256 * (8 + 16)))
    assert found["own_log_ratio"] == pytest.approx(log(2))


def test_layers_of_a_known_network() -> None:
    subject = Subject(network(nn.Conv2d(8, 8, 3, padding=1, groups=8, bias=False), act=nn.SiLU), SHAPE)
    flow = trace_flow(subject.construct(2, SHAPE))
    found = layer_features(flow)
    assert list(found) == list(COLUMNS)
    assert found["entropy_sum"] == pytest.approx(log(27) + log(9) + log(8))
    assert found["uses_silu"] == 2
    assert found["share_params_conv_depthwise"] == pytest.approx(72 / (216 + 72 + 128))
    assert (found["stem_window"], found["stem_stride"], found["kernel_max"]) == (3, 2, 3)
    quarters = [found[f"quarter{quarter}_layers"] for quarter in range(4)]
    assert quarters == pytest.approx([1 / 3, 1 / 3, 1 / 3, 0])
    assert sum(found[f"quarter{quarter}_macs"] for quarter in range(4)) == pytest.approx(1)


def test_steps_of_width_are_those_of_layers_of_several_positions_behind_the_stem() -> None:
    class Gated(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.stem, self.wide = nn.Conv2d(3, 64, 3, bias=False), nn.Conv2d(64, 512, 1, bias=False)
            self.gate, self.head = nn.Conv2d(512, 4, 1), nn.Linear(512, 2)

        def forward(self, x: Tensor) -> Tensor:
            x = self.wide(self.stem(x))
            gate = self.gate(F.adaptive_avg_pool2d(x, 1)).mean(1, keepdim=True)
            pooled: Tensor = self.head((x * gate.sigmoid()).mean((2, 3)))
            return pooled

    flow = trace_flow(Subject(Gated(), SHAPE).construct(2, SHAPE))
    found = layer_features(flow)
    assert found["expansion_spatial"] == pytest.approx(log(8))
    assert found["expansion_max"] == pytest.approx(log(128))


def test_positions_grow_with_the_input_but_gates_do_not() -> None:
    class Gated(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.gate, self.head = (
                nn.Conv2d(3, 4, 1, bias=False),
                nn.Conv2d(4, 4, 1),
                nn.Linear(4, 2),
            )

        def forward(self, x: Tensor) -> Tensor:
            x = self.conv(x)
            x = x * torch.sigmoid(self.gate(x.mean((2, 3), keepdim=True)))
            classes: Tensor = self.head(x.mean((2, 3)))
            return classes

    flow = trace_flow(Subject(Gated(), (3, 8, 8)).construct(2))
    assert scaled_features(flow, (3, 16, 16))["own_log_macs"] == pytest.approx(log(1 + 12 * 256 + 16))
