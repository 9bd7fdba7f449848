"""Fan-in and fan-out of a network that is small enough to count by hand."""

from __future__ import annotations

import pytest
import torch.nn.functional as F
from torch import Tensor, nn

from fxscore.constructed import construct
from fxscore.graph_features import graph_features

KINDS = ("pointwise", "spatial", "pool", "shortcut")


class Branches(nn.Module):
    """A stem whose value is used four times, a sum of all four, and a residual block; widths are equal."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU())
        self.point = nn.Conv2d(4, 4, 1)
        self.wide = nn.Conv2d(4, 4, 3, padding=1)
        self.last = nn.Conv2d(4, 4, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        shared = self.stem(x)
        y = self.point(shared) + self.wide(shared) + F.max_pool2d(shared, 3, 1, 1) + shared
        result: Tensor = self.last(F.relu(y)) + y
        return result


@pytest.fixture(scope="module")
def features() -> dict[str, float]:
    return dict(graph_features(construct(Branches(), (3, 8, 8), 2)))


def test_the_terms_of_both_sums(features: dict[str, float]) -> None:
    assert (features["fan_in_mean"], features["fan_in_max"], features["fan_in_std"]) == (3, 4, 1)
    means = {kind: features[f"fan_in_{kind}"] for kind in KINDS}
    assert means == {"pointwise": 1 / 2, "spatial": 1, "pool": 1 / 2, "shortcut": 1}
    shares = {kind: features[f"fan_in_any_{kind}"] for kind in KINDS}
    assert shares == {"pointwise": 1 / 2, "spatial": 1, "pool": 1 / 2, "shortcut": 1}


def test_the_uses_of_values(features: dict[str, float]) -> None:
    """Input, the stem, three branches, the first sum and the last convolution are used, in all eleven times."""
    assert features["fan_out_mean"] == pytest.approx(11 / 7)
    assert features["fan_out_max"] == 4
    assert features["fan_out_shared"] == pytest.approx(2 / 7)  # the stem and the first sum
    means = {kind: features[f"fan_out_{kind}"] for kind in KINDS}
    assert means == {"pointwise": 1 / 2, "spatial": 1, "pool": 1 / 2, "shortcut": 1}


def test_the_longest_path(features: dict[str, float]) -> None:
    """Stem, norm, ReLU, branch, sum, ReLU, convolution, sum behind the input; three branches side by side."""
    assert (features["depth"], features["breadth"]) == (8, 3)
