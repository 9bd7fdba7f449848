from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from fxscore.errors import SpaceError
from fxscore.spaces.metaqnn import MetaQNN


def build(text: str) -> nn.Module:
    space = MetaQNN()
    with torch.device("meta"):
        return space.build(space.parse(text))


def parameters(text: str) -> int:
    module = build(text)
    module(torch.empty(2, 3, 32, 32, device="meta"))
    return sum(p.numel() for p in module.parameters())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[SM(10)]", 3072 * 10 + 10),
        ("[C(64,3,1), SM(10)]", 27 * 64 + 64 + 64 * 1024 * 10 + 10),
        ("[C(64,3,1), D(1,2), P(2,2), FC(128), D(2,2), SM(10)]", 1792 + 64 * 256 * 128 + 128 + 1290),
        ("[NIN(64), GAP(10), SM(10)]", 3 * 64 + 64 + 64 * 64 + 64 + 650 + 110),
        ("[P(5,3), SM(10)]", 3 * 10 * 10 * 10 + 10),  # 32 gives 10, and no window begins at 30 or behind
        ("[P(3,2), P(3,2), P(3,2), P(5,3), SM(10)]", 3 * 10 + 10),  # 32, 16, 8, 4, 1: rounded up
    ],
)
def test_parameters_by_hand(text: str, expected: int) -> None:
    assert parameters(text) == expected


def test_dropout_grows_with_depth() -> None:
    drops = [m.p for m in build("[D(1,2), C(64,1,1), D(2,2), SM(10)]").modules() if isinstance(m, nn.Dropout)]
    assert drops == [0.25, 0.5]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[C(65,3,1), SM(10)]", r"C\(65,3,1\)"),
        ("[FC(128), C(64,3,1), SM(10)]", "behind FC"),
        ("[GAP(10), FC(128), SM(10)]", "GAP must be the last"),
        ("[P(5,3), P(5,3), P(5,3), P(5,3), SM(10)]", "too small a map"),
        ("[C(64,3,1)]", "must read"),
        (f"[{'C(64,1,1), ' * 25}SM(10)]", "25 layers are more than 24"),
    ],
)
def test_wrong_chains_are_named(text: str, why: str) -> None:
    with pytest.raises(SpaceError, match=why):
        MetaQNN().parse(text)


def test_a_table_is_read(tmp_path: Path) -> None:
    file = tmp_path / "q.csv"
    rows = ['"[C(64,3,1), SM(10)]","SVHN (68,257 train / 5,000 validation)",80.5']
    file.write_text("\n".join(["architecture,dataset,accuracy", *rows]))
    table = MetaQNN().read(file)
    assert table.labels("svhn.valid").tolist() == [80.5]
    assert MetaQNN().format(table.genotypes[0]) == "[C(64,3,1), SM(10)]"
