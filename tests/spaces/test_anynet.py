from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
import torchvision

from fxscore.errors import SpaceError
from fxscore.spaces import SearchSpace, get_space
from fxscore.spaces.anynet import AnyNet, Stage
from fxscore.spaces.regnet import RegNet, Widths


def params(space: SearchSpace[Any], text: str) -> int:
    with torch.device("meta"):
        return sum(p.numel() for p in space.build(space.parse(text)).parameters())


def conv(inputs: int, outputs: int, kernel: int) -> int:
    """A convolution without bias and its BatchNorm."""
    return inputs * outputs * kernel**2 + 2 * outputs


STEM, HEAD = conv(3, 16, 3), 32 * 10 + 10


@pytest.mark.parametrize(
    ("block", "text", "blocks"),
    [
        ("vanilla", "1x16s1-1x32s2-1x32s2", [conv(16, 16, 3) * 2, conv(16, 32, 3) + conv(32, 32, 3)]),
        (
            "basic",
            "1x16s1-1x32s2-1x32s2",
            [conv(16, 16, 3) * 2, conv(16, 32, 3) + conv(32, 32, 3) + conv(16, 32, 1)],
        ),
    ],
)
def test_parameters_by_hand(block: str, text: str, blocks: list[int]) -> None:
    third = 2 * conv(32, 32, 3) + (conv(32, 32, 1) if block == "basic" else 0)  # stride 2 wants a projection
    assert params(AnyNet(block), text) == STEM + sum(blocks) + third + HEAD


def test_bottleneck_by_hand() -> None:
    text = "1x16s1b1g1-2x32s2b0.5g4-1x32s1b1g2"
    first = conv(16, 16, 1) * 2 + conv(16, 16, 3)
    second = conv(16, 16, 1) + 16 * 4 * 9 + 32 + conv(16, 32, 1) + conv(16, 32, 1)
    second += conv(32, 16, 1) + 16 * 4 * 9 + 32 + conv(16, 32, 1)
    third = conv(32, 32, 1) * 2 + 32 * 16 * 9 + 64
    assert params(AnyNet("bottleneck"), text) == STEM + first + second + third + HEAD


def test_the_imagenet_stem_is_that_of_resnet() -> None:
    space = AnyNet("basic", "imagenet")
    # torchvision's ResNet-18 is this AnyNet: two basic blocks of 64, 128, 256 and 512 channels.
    with torch.device("meta"):
        resnet18 = torchvision.models.resnet18()
    assert params(space, "2x64s1-2x128s2-2x256s2-2x512s2") == sum(p.numel() for p in resnet18.parameters())


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("1x16s1b1g1-1x32s2b1g1", "must read 3 stages"),
        ("1x16s1b1g1-1x32s3b1g1-1x32s1b1g1", "must read 3 stages"),
        ("1x16s1b1g1-1x32s2b0.3g1-1x32s1b1g1", "stage_1_ratio = 0.3 is not one of"),
        ("1x16s1b1g1-1x40s2b0.5g16-1x32s1b1g1", "16 groups do not divide 20 channels"),
    ],
)
def test_wrong_stages_are_named(text: str, why: str) -> None:
    with pytest.raises(SpaceError, match=why):
        AnyNet().parse(text)


def job(block: str = "res_bottleneck_block", **changes: Any) -> dict[str, Any]:
    net = {"block_type": block, "ds": [1, 2, 3], "ws": [16, 32, 64], "ss": [1, 2, 2]}
    net |= {"bot_muls": [0.5, 1.0, 0.25], "num_gs": [1, 2, 4]} if "bottleneck" in block else {}
    return {"net": net | changes, "test_ep_top1": [50.0, 7.5], "params": 123456, "flops": 1e7}


def test_a_sweep_is_read(tmp_path: Path) -> None:
    file = tmp_path / "ResNeXt-A.json"
    file.write_text(json.dumps([job(), job(ds=[4, 4, 4])]))
    table = AnyNet().read(file)
    assert table.genotypes[0] == (Stage(1, 16, 1, 0.5, 1), Stage(2, 32, 2, 1.0, 2), Stage(3, 64, 2, 0.25, 4))
    assert table.labels("cifar10.test").tolist() == [92.5, 92.5]


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (job("res_basic_block"), r"\[1\]\.net\.block_type: 'res_basic_block' is not one of res_bottleneck"),
        (job(ws=[16, 32]), r"\[1\]\.net: "),
        (job(num_gs=[3, 1, 1]), "stage_0_groups = 3 is not one of"),
        (job(ds=[1, 2, 0]), r"\[1\]\.net\.ds\[2\]: 0 is not within 1"),
    ],
)
def test_a_wrong_job_is_named(wrong: dict[str, Any], why: str, tmp_path: Path) -> None:
    file = tmp_path / "ResNeXt-A.json"
    file.write_text(json.dumps([job(), wrong]))
    with pytest.raises(SpaceError, match=rf"ResNeXt-A\.json, .*{why}"):
        AnyNet().read(file)


@pytest.mark.parametrize(
    ("name", "text"),
    [  # The parameters that Radosavovic et al. publish, as torchvision states them.
        ("regnet_x_400mf", "d22-w24+24.48x2.54-g16"),
        ("regnet_x_1_6gf", "d18-w80+34.01x2.25-g24"),
        ("regnet_y_400mf", "d16-w48+27.89x2.09-g8"),
    ],
)
def test_regnets_are_torchvisions(name: str, text: str) -> None:
    weights = torchvision.models.get_model_weights(name).IMAGENET1K_V1
    assert params(get_space(name[:8]), text) == weights.meta["num_params"]


def test_regnet_stages_follow_the_line() -> None:
    # RegNetX-400MF: stages of depth 1, 2, 7, 12 and width 32, 64, 160, 400 (Radosavovic et al., table 5 of App.).
    assert Widths(22, 24, 24.48, 2.54, 16).stages() == [(1, 32), (2, 64), (7, 160), (12, 400)]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("d22-w24+24.48x2.54", "must read dDEPTH"),
        ("d22-w25+24.48x2.54-g16", "initial = 25 is not one of 8, 16"),
        ("d60-w8+200x1.5-g8", "stages, not two to four"),
    ],
)
def test_wrong_regnets_are_named(text: str, why: str) -> None:
    with pytest.raises(SpaceError, match=why):
        RegNet().parse(text)
