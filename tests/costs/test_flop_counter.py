"""Architectures of timm and torchvision against `torch.utils.flop_counter`; all: `benchmarks.coverage.mac_count`."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from benchmarks.coverage.mac_count import Pair, compare, flop_counter_macs, report
from fxscore.capture.inputs import Inputs
from fxscore.scorer import Subject

NAMES = (
    "timm:mvitv2_tiny",  # einsum with tables of relative positions
    "timm:xcit_nano_12_p8_224",  # positions are computed once
    "torchvision:swin_t",
    "torchvision:shufflenet_v2_x0_5",
)


@pytest.mark.parametrize("name", NAMES)
def test_both_counters_agree(name: str) -> None:
    pair = compare(name)
    assert pair.ours == pair.theirs > 0
    assert pair.reason == ""


def test_a_difference_is_reported_with_its_reason() -> None:
    rows = [
        ("timm:same", Pair(5, 5, ()), None),
        ("timm:other", Pair(7, 5, ("bilinear forms",)), None),
        ("torchvision:broken", None, "time limit"),
    ]
    text = report(rows)
    assert "| timm | 2 | 2 | 1 | 1 |" in text
    assert "| timm:other | 7 | 5 | not known to the flop counter: bilinear forms |" in text
    assert "| torchvision:broken | – | – | time limit |" in text


class Waves(nn.Module):
    """A linear layer and what a product of two constants adds to it."""

    places: Tensor
    frequencies: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(6, 5, bias=False)
        self.register_buffer("places", torch.arange(7.0)[:, None])
        self.register_buffer("frequencies", torch.ones(1, 5))

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.layer(x) + torch.mm(self.places, self.frequencies)
        return out


def test_products_of_constants_are_told_apart() -> None:
    theirs, constant = flop_counter_macs(Waves(), Inputs.of(torch.randn(1, 7, 6)))
    ours = Subject(Waves(), (7, 6)).costs().macs
    assert (theirs, constant) == (7 * 6 * 5 + 7 * 5, 7 * 5)
    assert "constants" in Pair(ours, theirs, (), constant).reason
    assert Pair(ours + 1, theirs, (), constant).reason == "unexplained"
