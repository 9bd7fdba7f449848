from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from fxscore.errors import SpaceError
from fxscore.spaces.macro import NASBenchMacro

ENTRY = {
    "test_acc": [89.47, 88.95, 89.17],
    "mean_acc": 89.1967,
    "std": 0.2,
    "params": 890666,
    "flops": 47327744,
}


@pytest.mark.parametrize(
    ("text", "published"),
    # From nas-bench-macro_cifar10.json.
    [("02012100", 890_666), ("11111221", 2_181_386)],
)
def test_parameters_are_the_published_ones(text: str, published: int) -> None:
    space = NASBenchMacro()
    with torch.device("meta"):
        module = space.build(space.parse(text))
    assert sum(p.numel() for p in module.parameters()) == published


@pytest.mark.parametrize("text", ["2012100", "020121001", "02012103", "0201210x"])
def test_wrong_chains_are_named(text: str) -> None:
    with pytest.raises(SpaceError, match=text):
        NASBenchMacro().parse(text)


def test_the_official_file_is_read(tmp_path: Path) -> None:
    file = tmp_path / "nas-bench-macro_cifar10.json"
    file.write_text(json.dumps({"02012100": ENTRY, "11111221": ENTRY | {"mean_acc": 92.3}}))
    table = NASBenchMacro().read(file)
    assert list(map(NASBenchMacro().format, table.genotypes)) == ["02012100", "11111221"]
    assert table.labels("cifar10.test").tolist() == [89.1967, 92.3]
    assert table.flops is not None
    assert table.flops.tolist() == [47327744] * 2


def test_a_table_keeps_leading_zeros(tmp_path: Path) -> None:
    file = tmp_path / "t.csv"
    file.write_text("arch,cifar10_test_mean,params,flops\n00000012,80.5,1,2\n")
    (chain,) = NASBenchMacro().read(file).genotypes
    assert NASBenchMacro().format(chain) == "00000012"


@pytest.mark.parametrize(
    ("entry", "why"),
    [
        ({"mean_acc": 90.0, "flops": 1}, "11111221: no key 'params'"),
        (ENTRY | {"mean_acc": "90"}, r"11111221\.mean_acc: '90' is no number"),
        (ENTRY | {"mean_acc": 190}, r"11111221\.mean_acc: 190 is not within"),
        ([1, 2], "11111221: no key 'mean_acc'"),
    ],
)
def test_a_wrong_entry_is_named(entry: object, why: str, tmp_path: Path) -> None:
    file = tmp_path / "m.json"
    file.write_text(json.dumps({"02012100": ENTRY, "11111221": entry}))
    with pytest.raises(SpaceError, match=why):
        NASBenchMacro().read(file)


def test_a_foreign_key_is_named(tmp_path: Path) -> None:
    file = tmp_path / "m.json"
    file.write_text(json.dumps({"resnet": ENTRY}))
    with pytest.raises(SpaceError, match=r"m\.json, resnet: .*eight digits"):
        NASBenchMacro().read(file)
