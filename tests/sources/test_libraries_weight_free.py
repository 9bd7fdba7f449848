"""timm and torchvision build weight-free and otherwise as they ordinarily do.

A sample; `python -m tests.sources.weight_free_survey` goes through everything.
"""

from __future__ import annotations

import pytest

from fxscore.capture.empty_weights import build_without_weights
from tests.sources.weight_free_survey import differences, timm_build, torchvision_build

# Families that other ways of building lose, and those whose constructors mix weights and constants.
TIMM = (
    "swinv2_cr_tiny_ns_224",  # keeps a constant beside its parameters
    "swinv2_tiny_window8_256",  # log-spaced coordinates computed in the constructor
    "vitamin_small_224",
    pytest.param("vit_base_mci_224", marks=pytest.mark.slow),
    "convit_tiny",  # copies real values into weights
    pytest.param("efficientnet_b1_pruned", marks=pytest.mark.slow),  # deep copies of layers
    "vit_small_patch16_rope_mixed_224",  # makes constants on the device of a parameter
    "crossvit_tiny_240",
    "levit_128s",
    "sequencer2d_s",
    "tiny_vit_5m_224",
    "volo_d1_224",
    "xcit_nano_12_p16_224",
    "hrnet_w18_small",
    "nf_regnet_b0",
)
TORCHVISION = (
    "ssdlite320_mobilenet_v3_large",
    "regnet_x_400mf",
    "quantized_mobilenet_v2",
    "swin_v2_t",
    "maxvit_t",
    "mvit_v2_s",
    "googlenet",
    "lraspp_mobilenet_v3_large",
    "fasterrcnn_mobilenet_v3_large_fpn",
    "raft_small",
)

pytestmark = pytest.mark.zoo


@pytest.mark.parametrize("name", TIMM)
def test_timm(name: str) -> None:
    free = build_without_weights(timm_build(name))
    assert free.step == "meta"
    assert list(differences(timm_build(name)(), free.module)) == []


@pytest.mark.parametrize("name", TORCHVISION)
def test_torchvision(name: str) -> None:
    free = build_without_weights(torchvision_build(name))
    assert free.step == "meta"
    assert list(differences(torchvision_build(name)(), free.module)) == []
