from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from fxscore.errors import SpaceError
from fxscore.spaces.accel import AccelNASBench

TEXT = "e4411644-k5335353-l3112132-s0000000"
HEADER = (
    "result_file,expansion_blocks0to6,kernel_blocks0to6,layers_blocks0to6,squeeze_excite_blocks0to6,"
    "imagenet_val_top1,imagenet_val_top5,train_time_s,macs_millions,params_millions"
)
ROW = (
    "result_2.json,4 4 1 1 6 4 4,5 3 3 5 3 5 3,3 1 1 2 1 3 2,0 0 0 0 0 0 0,"
    "60.278,83.252,2258.3,426.06032,3.8534"
)


@pytest.mark.parametrize(
    ("text", "published"),
    [  # From result_2.json and result_3.json.
        (TEXT, 3_853_400),
        ("e1611141-k5355355-l2213233-s0000000", 2_833_144),
    ],
)
def test_parameters_are_the_published_ones(text: str, published: int) -> None:
    space = AccelNASBench()
    with torch.device("meta"):
        module = space.build(space.parse(text))
    assert sum(p.numel() for p in module.parameters()) == published


def test_squeeze_excitation_is_a_quarter_of_the_input() -> None:
    space = AccelNASBench()
    plain, squeezed = (TEXT, TEXT[:-7] + "0000001")
    with torch.device("meta"):
        first, second = (
            sum(p.numel() for p in space.build(space.parse(t)).parameters()) for t in (plain, squeezed)
        )
    hidden, widths = (4 * 192, 4 * 320), (192 // 4, 320 // 4)  # the last stage has two layers
    assert second - first == sum(2 * h * w + h + w for h, w in zip(hidden, widths, strict=True))


def test_stage_five_alone_has_four_layers() -> None:
    space = AccelNASBench()
    assert space.parse(TEXT.replace("l3112132", "l3112142")).layers[5] == 4
    with pytest.raises(SpaceError, match="layers_0 = 4 is not one of 1, 2, 3"):
        space.parse(TEXT.replace("l3112132", "l4112132"))


def test_a_table_is_read(tmp_path: Path) -> None:
    file = tmp_path / "t.csv"
    file.write_text("\n".join([HEADER, ROW, ROW]))
    table = AccelNASBench().read(file)
    assert AccelNASBench().format(table.genotypes[0]) == TEXT
    assert table.labels("imagenet.valid").tolist() == [60.278] * 2
    assert table.params is not None
    assert table.params.tolist() == [3_853_400] * 2
    assert table.group == (TEXT, TEXT)


def test_a_wrong_stage_is_named(tmp_path: Path) -> None:
    file = tmp_path / "t.csv"
    file.write_text("\n".join([HEADER, ROW, ROW.replace("4 4 1 1 6", "4 4 1 1 5")]))
    with pytest.raises(SpaceError, match="line 3, column expansion_blocks0to6: expansion_4 = 5"):
        AccelNASBench().read(file)


def result(**changes: Any) -> dict[str, Any]:
    digits = dict(zip(("e", "k", "l", "se"), ("4411644", "5335353", "3112132", "0000000"), strict=True))
    architecture = {f"block{i}_{key}": int(d) for key, ds in digits.items() for i, d in enumerate(ds)}
    architecture |= {f"block{i}_se": False for i in range(7)} | changes
    metrics = {"val_top1": 60.278, "val_top5": 83.252, "train_time": 2258.3}
    return {
        "architecture": architecture,
        "metrics": metrics,
        "model_info": {"macs": 426.06032, "params": 3.8534},
    }


def test_the_official_folder_is_read(tmp_path: Path) -> None:
    (tmp_path / "result_2.json").write_text(json.dumps(result()))
    (tmp_path / "result_7.json").write_text(json.dumps(result(block6_se="True")))
    table = AccelNASBench().read(tmp_path)
    assert [AccelNASBench().format(g) for g in table.genotypes] == [TEXT, TEXT[:-1] + "1"]
    assert table.flops is not None
    assert table.flops.tolist() == [426_060_320] * 2


def test_a_wrong_result_is_named(tmp_path: Path) -> None:
    (tmp_path / "result_2.json").write_text(json.dumps(result()))
    (tmp_path / "result_7.json").write_text(json.dumps(result(block3_k=7)))
    with pytest.raises(SpaceError, match=r"result_7\.json, architecture: kernel_3 = 7 is not one of 3, 5"):
        AccelNASBench().read(tmp_path)


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SpaceError, match="no file result_N"):
        AccelNASBench().read(tmp_path)
