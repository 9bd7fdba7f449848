"""Some architectures of timm and torchvision against `torch.utils.flop_counter`; `benchmarks.mac_count` has all."""

from __future__ import annotations

import pytest

from benchmarks.mac_count import Pair, compare, report

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
