"""The official files of NAS-Bench-201 and NATS-Bench, made small."""

from __future__ import annotations

import bz2
import os
import pickle
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from fxscore.errors import SpaceError
from fxscore.spaces import get_space
from fxscore.spaces.nasbench201 import NASBench201
from fxscore.spaces.nats_size import NATSSize

CELLS = [
    "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|nor_conv_3x3~0|nor_conv_3x3~1|nor_conv_3x3~2|",
    "|none~0|+|none~0|none~1|+|none~0|none~1|skip_connect~2|",
    "|skip_connect~0|+|none~0|none~1|+|none~0|none~1|skip_connect~2|",
]
SETS = {
    "cifar10-valid": ["x-valid", "ori-test"],
    "cifar10": ["ori-test"],
    "cifar100": ["x-valid", "x-test", "ori-test"],
    "ImageNet16-120": ["x-valid", "x-test", "ori-test"],
}


def run(sets: list[str], epochs: int, final: float) -> dict[str, Any]:
    curve = {f"{name}@{e}": final if e == epochs - 1 else 1.0 for name in sets for e in range(epochs)}
    return {
        "name": "infer.tiny",
        "epochs": epochs,
        "eval_names": sets,
        "eval_acc1es": OrderedDict(curve),
        "eval_losses": {},
        "params": 1.531546,
        "flop": np.float64(220.11969),
        "latency": [0.01],
        "net_state_dict": None,
    }


def state(index: int, epochs: int, base: float) -> dict[str, Any]:
    """What `ArchResults.state_dict` gives: two seeds on CIFAR-100, one elsewhere."""
    seeds = {name: [777, 888] if name == "cifar100" else [777] for name in SETS}
    runs = {
        (name, seed): run(SETS[name], epochs, base + (seed - 777) / 111)
        for name in SETS
        for seed in seeds[name]
    }
    return {"arch_index": index, "arch_str": CELLS[index], "all_results": runs, "dataset_seed": seeds}


def results(recipes: dict[str, int]) -> dict[int, Any]:
    return {
        i: {name: state(i, epochs, 60.0 + 10 * i) for name, epochs in recipes.items()} for i in (0, 2)
    }  # network 1 was never trained


def check(space: NASBench201, path: Path) -> None:
    table = space.read(path)
    assert [str(cell) for cell in table.genotypes] == [CELLS[0], CELLS[2]]
    assert table.labels("cifar10.valid").tolist() == [60.0, 80.0]
    assert table.labels("cifar100.test").tolist() == [60.5, 80.5]
    assert len(table.columns) == 6
    assert table.params is not None
    assert table.params.tolist() == [1_531_546] * 2
    assert table.flops is not None
    assert table.flops.tolist() == [220_119_690] * 2


def pack(path: Path, data: object) -> Path:
    path.write_bytes(bz2.compress(pickle.dumps(data, protocol=4)))
    return path


def whole(recipes: dict[str, int]) -> dict[str, Any]:
    return {"meta_archs": CELLS, "arch2infos": results(recipes), "evaluated_indexes": {0, 2}}


def test_nas_bench_201_is_read(tmp_path: Path) -> None:
    file = tmp_path / "NAS-Bench-201-v1_1-096897.pth"
    torch.save(whole({"less": 12, "full": 200}), file)
    check(NASBench201(), file)


def test_nats_topology_file_is_read(tmp_path: Path) -> None:
    check(NASBench201(), pack(tmp_path / "NATS-tss-v1_0-3ffb9.pickle.pbz2", whole({"12": 12, "200": 200})))


def test_nats_topology_folder_is_read(tmp_path: Path) -> None:
    pack(tmp_path / "meta.pickle.pbz2", {"meta_archs": CELLS})
    for index, recipes in results({"12": 12, "200": 200}).items():
        pack(tmp_path / f"{index:06d}.pickle.pbz2", recipes)
    check(NASBench201(), tmp_path)


def test_nats_size_file_is_read(tmp_path: Path) -> None:
    data = whole({"01": 1, "12": 12, "90": 90}) | {
        "meta_archs": ["8:8:8:8:8", "8:8:8:8:16", "64:64:64:64:64"]
    }
    table = NATSSize().read(pack(tmp_path / "NATS-sss-v1_0-50262.pickle.pbz2", data))
    assert [cell.channels for cell in table.genotypes] == [(8,) * 5, (64,) * 5]
    assert table.labels("imagenet16-120.test").tolist() == [60.0, 80.0]


def test_a_missing_result_is_named(tmp_path: Path) -> None:
    data = whole({"200": 200})
    del data["arch2infos"][2]["200"]["all_results"]["cifar100", 888]["eval_acc1es"]["x-test@199"]
    file = pack(tmp_path / "n.pickle.pbz2", data)
    with pytest.raises(SpaceError, match=r"n\.pickle\.pbz2, arch2infos\.2\.200\..*888.*no key 'x-test@199'"):
        NASBench201().read(file)


def test_a_foreign_recipe_is_named(tmp_path: Path) -> None:
    file = pack(tmp_path / "n.pickle.pbz2", whole({"12": 12}))
    with pytest.raises(SpaceError, match=r"arch2infos\.0: no key '200' or 'full'"):
        NASBench201().read(file)


def test_a_foreign_space_is_named(tmp_path: Path) -> None:
    file = pack(tmp_path / "n.pickle.pbz2", whole({"90": 90}))
    with pytest.raises(SpaceError, match=r"arch2infos\.0: nats_size: .*five widths"):
        NATSSize().read(file)


class _Harmful:
    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.mkdir, ("harm",)


@pytest.mark.parametrize("kind", ["pth", "pickle.pbz2"])
def test_a_pickle_that_runs_code_is_refused(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / f"n.{kind}"
    data = whole({"200": 200}) | {"extra": _Harmful()}
    torch.save(data, file) if kind == "pth" else pack(file, data)
    with pytest.raises(SpaceError, match=r"n\.p.*plain data"):
        NASBench201().read(file)
    assert not (tmp_path / "harm").exists()


@pytest.mark.parametrize("kind", ["pth", "pickle.pbz2"])
def test_a_truncated_file_is_refused(kind: str, tmp_path: Path) -> None:
    file = tmp_path / f"n.{kind}"
    data = whole({"200": 200})
    torch.save(data, file) if kind == "pth" else pack(file, data)
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    with pytest.raises(SpaceError, match=r"n\.p.*damaged"):
        NASBench201().read(file)


@pytest.mark.parametrize(
    ("widths", "by_hand"),
    [
        # stem 216+16; cells 5·(9·8·8+16); blocks 2·(9·8·8+16)+64; BN 16; linear 90.
        ("8:8:8:8:8", 232 + 3 * 5 * 592 + 2 * (2 * 592 + 64) + 16 + 90),
        # The last cell 16 wide: 2 of 9·8·16 and 3 of 9·16·16, skip 8·16, BN 32 each; BN 32; linear 170.
        ("8:8:8:8:16", 232 + 10 * 592 + 2 * 1248 + 2 * 1184 + 3 * 2336 + 160 + 32 + 170),
    ],
)
def test_parameters_by_hand(widths: str, by_hand: int) -> None:
    space = get_space("nats_size")
    module = space.build(space.parse(widths))
    assert sum(p.numel() for p in module.parameters()) == by_hand


@pytest.mark.parametrize("text", ["8:8:8:8", "8:8:8:8:9", "0:8:8:8:8"])
def test_wrong_widths_are_named(text: str) -> None:
    with pytest.raises(SpaceError, match=r"five widths|is not one of 8"):
        NATSSize().parse(text)
