"""A detector is known by its parts, and seen up to its backbone."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from fxscore.constructed import construct


class Detector(nn.Module):
    """Boxes of the places whose value is large, which depends on values."""

    def __init__(self, parts: tuple[str, ...], width: int) -> None:
        super().__init__()
        self.backbone = nn.Sequential(nn.Conv2d(3, width, 3), nn.ReLU())
        for name in parts:
            self.add_module(name, nn.Conv2d(width, 2, 1))

    def forward(self, x: Tensor) -> Any:
        y = self.backbone(x)
        return [module(y)[module(y) > 0] for name, module in self.named_children() if name != "backbone"]


@pytest.mark.parametrize("parts", [("rpn", "roi_heads"), ("head", "anchor_generator", "transform")])
def test_the_backbone_is_seen_and_the_rest_is_named(parts: tuple[str, ...]) -> None:
    found = construct(Detector(parts, 4), (3, 6, 6), 2)
    assert found.left_out == parts
    assert found.fingerprint == construct(Detector(parts, 4).backbone, (3, 6, 6), 2).fingerprint
    assert found.fingerprint != construct(Detector(parts, 5), (3, 6, 6), 2).fingerprint


def test_a_network_with_a_backbone_and_a_head_is_seen_whole() -> None:
    class Segmenter(Detector):
        def forward(self, x: Tensor) -> Any:
            return torch.relu(self.get_submodule("head")(self.backbone(x)))

    found = construct(Segmenter(("head",), 4), (3, 6, 6), 2)
    assert found.left_out == ()
    assert found.costs is not None
    assert found.costs.macs == 16 * (27 * 4 + 4 * 2)
