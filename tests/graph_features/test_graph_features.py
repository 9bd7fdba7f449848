"""Sizes and degrees of known networks, and what must not change the features."""

from __future__ import annotations

from math import exp, isfinite, log

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from torch import Tensor, nn
from torchvision.models import resnet18

from fxscore.constructed import construct
from fxscore.graph_features import describe, graph_features
from fxscore.spaces.nasbench201 import NASBench201
from tests.strategies import Spec, Writing, specs, write, writings

SHAPE = (3, 8, 8)


def _count(logarithm: float) -> float:
    return exp(logarithm) - 1


def test_every_column_has_a_meaning() -> None:
    features = graph_features(construct(nn.Conv2d(3, 4, 3), SHAPE, 2))
    assert list(features) == list(describe())[: len(features)]
    assert all(describe().values())


@pytest.mark.zoo
def test_resnet18() -> None:
    """Published sizes, without the norms' 9,600 parameters and the head's 513,000 parameters and 512,000 MACs."""
    features = graph_features(construct(resnet18(), (3, 224, 224), 2))
    assert _count(features["log_params"]) == pytest.approx(11_689_512 - 9_600 - 513_000)
    assert _count(features["log_macs"]) == pytest.approx(1_814_073_344 - 512_000)
    counts = {
        name: features[f"count_{name}"] for name in ("conv_spatial", "conv_pointwise", "conv_large", "sum")
    }
    assert counts == {"conv_spatial": 16, "conv_pointwise": 3, "conv_large": 1, "sum": 8}
    assert features["downsampling"] == 5
    assert features["width_last"] == pytest.approx(log(512))
    assert [features[f"stage{stage}_weighted"] for stage in range(6)] == [0, 1, 4, 5, 5, 5]
    assert features["fan_in_any_shortcut"] == 5 / 8
    assert features["path_log_number"] == pytest.approx(8 * log(2))


class Attention(nn.Module):
    def __init__(self, fused: bool) -> None:
        super().__init__()
        self.joint = nn.Linear(4, 12)
        self.head = nn.Linear(4, 2)
        self.fused = fused

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = self.joint(x.flatten(2).transpose(1, 2)).chunk(3, -1)
        if self.fused:
            attended = F.scaled_dot_product_attention(q, k, v)
        else:
            attended = torch.softmax(q @ k.transpose(1, 2) * 0.5, -1) @ v
        result: Tensor = self.head(attended.mean(1))
        return result


def test_attention_counts_alike_in_both_spellings() -> None:
    fused, spelled = (graph_features(construct(Attention(way), (4, 3, 3), 2)) for way in (True, False))
    for name in ("count_attention", "count_act_bounded", "count_linear", "log_macs", "share_macs_mixing"):
        assert fused[name] == spelled[name], name
    assert fused["count_attention"] == 1
    assert _count(fused["log_macs"]) == pytest.approx(9 * 4 * 12 + 2 * 9 * 9 * 4)


@pytest.mark.parametrize(
    ("convolution", "kind", "macs"),
    [
        (nn.Conv2d(8, 8, 1), "conv_pointwise", 64 * 64),
        (nn.Conv2d(8, 8, 3, padding=1), "conv_spatial", 64 * 64 * 9),
        (nn.Conv2d(8, 8, (1, 7), padding=(0, 3)), "conv_large", 64 * 64 * 7),
        (nn.Conv2d(8, 8, 3, padding=1, groups=2), "conv_grouped", 64 * 32 * 9),
        (nn.Conv2d(8, 8, 5, padding=2, groups=8), "conv_depthwise", 64 * 8 * 25),
        (nn.ConvTranspose2d(8, 4, 2, stride=2), "conv_spatial", 64 * 32 * 4),
    ],
)
def test_kinds_of_convolutions(convolution: nn.Module, kind: str, macs: int) -> None:
    """The rest is a map, so the convolution is not a head that is cut off."""
    features = graph_features(construct(nn.Sequential(convolution, nn.ReLU()), (8, 8, 8), 2))
    assert features[f"count_{kind}"] == features["count_weighted"] == 1
    assert _count(features["log_macs"]) == pytest.approx(macs)
    weights = sum(parameter.numel() for parameter in convolution.parameters())
    assert _count(features["log_params"]) == pytest.approx(weights)


class Nothing(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Conv2d(3, 4, 3, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.layer(torch.zeros_like(x))
        return y


def test_a_network_of_zeros_has_finite_features() -> None:
    space = NASBench201()
    dead = space.build(
        space.from_values(("nor_conv_3x3", "skip_connect", "nor_conv_1x1", "none", "none", "none"))
    )
    for module in (dead, Nothing()):
        features = graph_features(construct(module, (3, 16, 16), 2))
        assert features["connected"] == features["count_weighted"] == features["log_activations"] == 0
        assert all(map(isfinite, features.values()))


def test_tokens_have_positions_and_widths() -> None:
    layer = nn.TransformerEncoderLayer(16, 2, 32, batch_first=True)
    features = graph_features(construct(layer, (10, 16), 2))
    assert features["count_attention"] == 1
    assert features["width_max"] == pytest.approx(log(48))  # the joint projection


@settings(max_examples=15)
@given(spec=specs(), one=writings(), other=writings())
def test_equal_fingerprints_have_equal_features(spec: Spec, one: Writing, other: Writing) -> None:
    first, second = (construct(write(spec, writing), SHAPE, 2) for writing in (one, other))
    assert first.fingerprint == second.fingerprint
    assert graph_features(first) == graph_features(second)
    assert all(map(isfinite, graph_features(first).values()))
