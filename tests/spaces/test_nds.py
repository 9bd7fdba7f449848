from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from fxscore.errors import SpaceError
from fxscore.spaces import get_space
from fxscore.spaces.cells import OPERATIONS
from fxscore.spaces.nds import FAMILIES, NDS


def pairs(text: str) -> list[list[str | int]]:
    """`op0 op1` to [["op", 0], ["op", 1]], as the files hold edges."""
    return [[word[:-1], int(word[-1])] for word in text.split()]


# DARTS's second-order cells, and AmoebaNet-A as NDS's code spells it.
DARTS_V2: dict[str, Any] = {
    "normal": pairs(
        "sep_conv_3x30 sep_conv_3x31 sep_conv_3x30 sep_conv_3x31 "
        "sep_conv_3x31 skip_connect0 skip_connect0 dil_conv_3x32"
    ),
    "normal_concat": [2, 3, 4, 5],
    "reduce": pairs(
        "max_pool_3x30 max_pool_3x31 skip_connect2 max_pool_3x31 "
        "max_pool_3x30 skip_connect2 skip_connect2 max_pool_3x31"
    ),
    "reduce_concat": [2, 3, 4, 5],
}
AMOEBA: dict[str, Any] = {
    "normal": pairs(
        "avg_pool_3x30 max_pool_3x31 sep_conv_3x30 sep_conv_5x52 sep_conv_3x30 avg_pool_3x33 "
        "sep_conv_3x31 skip_connect1 skip_connect0 avg_pool_3x31"
    ),
    "normal_concat": [4, 5, 6],
    "reduce": pairs(
        "avg_pool_3x30 sep_conv_3x31 max_pool_3x30 sep_conv_7x72 sep_conv_7x70 avg_pool_3x31 "
        "max_pool_3x30 max_pool_3x31 conv_7x1_1x70 sep_conv_3x35"
    ),
    "reduce_concat": [3, 4, 6],
}


def job(genotype: dict[str, Any], width: int = 36, depth: int = 20, **changes: Any) -> dict[str, Any]:
    net = {"genotype": genotype, "width": width, "depth": depth, "aux": False, "drop_prob": 0.0}
    measured = {"test_ep_top1": [90.0, 12.5, 5.25], "params": 3_349_342, "flops": 539_000_000}
    return {"net": net, "optim": {"base_lr": 0.1}, "rng_seed": 1, **measured, **changes}


def write(path: Path, content: object) -> Path:
    path.write_text(json.dumps(content))
    return path


def test_a_sweep_is_read_and_built(tmp_path: Path) -> None:
    space = NDS("darts")
    table = space.read(write(tmp_path / "DARTS.json", [job(DARTS_V2), job(DARTS_V2, width=16)]))
    assert table.labels("cifar10.test").tolist() == [94.75, 94.75]
    assert [(g.width, g.depth) for g in table.genotypes] == [(36, 20), (16, 20)]
    with torch.device("meta"):
        module = space.build(table.genotypes[0])
    assert table.params is not None
    # 3.349342 M is DARTS's own count for these cells at this size.
    assert sum(p.numel() for p in module.parameters()) == table.params[0]


def test_an_imagenet_sweep_has_two_lists(tmp_path: Path) -> None:
    space = NDS("amoeba", "imagenet")
    sweep = {"top": [job(AMOEBA, 48, 14)], "mid": [job(AMOEBA, 32, 6), job(AMOEBA, 64, 10)]}
    table = space.read(write(tmp_path / "Amoeba_in.json", sweep))
    assert [g.width for g in table.genotypes] == [48, 32, 64]
    assert list(table.columns) == ["imagenet.test"]
    with torch.device("meta"):
        out = space.build(table.genotypes[1]).eval()(torch.empty(1, 3, 224, 224))
    assert out.shape == (1, 1000)


def test_loose_nodes_are_joined() -> None:
    space = NDS("amoeba")
    network = space.parse(
        "16x4:avg_pool_3x3~0+max_pool_3x3~1|sep_conv_3x3~0+sep_conv_5x5~2|sep_conv_3x3~0+avg_pool_3x3~3"
        "|sep_conv_3x3~1+skip_connect~1|skip_connect~0+avg_pool_3x3~1>4,5,6/"
        "avg_pool_3x3~0+sep_conv_3x3~1|max_pool_3x3~0+sep_conv_7x7~2|sep_conv_7x7~0+avg_pool_3x3~1"
        "|max_pool_3x3~0+max_pool_3x3~1|conv_7x1_1x7~0+sep_conv_3x3~5>3,4,6"
    )
    assert space.decode(space.encode(network)) == network


@pytest.mark.parametrize("family", FAMILIES)
def test_every_operation_keeps_or_halves_the_size(family: str) -> None:
    for name in FAMILIES[family].operations:
        for stride in (1, 2):
            out = OPERATIONS[name](8, stride)(torch.randn(2, 8, 8, 8))
            assert out.shape == (2, 8, 8 // stride, 8 // stride)


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        (job(DARTS_V2 | {"normal_concat": [2, 9]}), r"\[1\]\.net\.genotype: the output joins nodes"),
        (job(DARTS_V2 | {"normal": DARTS_V2["normal"][:-1]}), "has 7 edges, not 8"),
        (job(DARTS_V2, width=35), "width = 35 is not one of"),
        (job(DARTS_V2, test_ep_top1=[]), r"\[1\]\.test_ep_top1: a filled array"),
        ({"net": {"width": 1}}, r"\[1\]\.net: no key 'depth'"),
        (job(AMOEBA), "has 10 edges, not 8"),
    ],
)
def test_a_wrong_job_is_named(changed: dict[str, Any], why: str, tmp_path: Path) -> None:
    with pytest.raises(SpaceError, match=rf"DARTS\.json, .*{why}"):
        NDS("darts").read(write(tmp_path / "DARTS.json", [job(DARTS_V2), changed]))


def test_a_standard_sweep_is_no_cell_sweep(tmp_path: Path) -> None:
    sweep = [
        {"net": {"block_type": "res_basic_block", "ds": [1], "ws": [16], "ss": [1]}, "test_ep_top1": [9]}
    ]
    with pytest.raises(SpaceError, match=r"ResNet\.json, \[0\]\.net: no key"):
        NDS("darts").read(write(tmp_path / "ResNet.json", sweep))


def test_unknown_family_is_refused() -> None:
    with pytest.raises(SpaceError, match=r"no NDS space 'nao'.*nasnet, amoeba"):
        get_space("nds_darts", family="nao")
