from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from fxscore.errors import SpaceError
from fxscore.spaces import get_space
from fxscore.spaces.transnas import TransNASBench101
from fxscore.spaces.transnas_heads import TASKS, metric

EMPTY, CHAIN = "64-41414-0_00_000", "64-41414-3_03_003"
STEM = 27 * 32 + 64 + 9 * 32 * 64 + 128
HEAD = 512 * 47 + 47


def params(text: str, task: str = "class_scene") -> int:
    space = TransNASBench101(task)
    with torch.device("meta"):
        return sum(p.numel() for p in space.build(space.parse(text)).parameters())


def test_parameters_by_hand() -> None:
    assert params(EMPTY) == STEM + HEAD
    # Two factorised reductions of conv1×1 and BN where a module doubles the width; elsewhere skips are free.
    reductions = sum(c * 2 * c + 4 * c for c in (64, 128, 256))
    assert params("64-41414-1_01_001") == STEM + HEAD + reductions
    # A chain of three conv3×3: the first carries the new width, in five modules of two cells.
    pairs = [(64, 128), (128, 128), (128, 256), (256, 256), (256, 512)]
    first = sum(9 * i * o + 2 * o for i, o in pairs) + sum(9 * o * o + 2 * o for _, o in pairs)
    others = sum(4 * (9 * o * o + 2 * o) for _, o in pairs)
    assert params(CHAIN) == STEM + HEAD + first + others


@pytest.mark.parametrize(
    ("task", "shape"),
    [
        ("class_object", (75,)),
        ("room_layout", (9,)),
        ("jigsaw", (1000,)),
        ("segmentsemantic", (17, 256, 256)),
        ("normal", (3, 256, 256)),
        ("autoencoder", (3, 256, 256)),
    ],
)
def test_heads_answer_their_tasks(task: str, shape: tuple[int, ...], shapes_only: None) -> None:
    space = get_space("transnas_micro", task=task)
    with torch.device("meta"):
        out = space.build(space.parse(CHAIN))(torch.empty(1, *space.input_shape))
    assert out.shape == (1, *shape)


def test_unknown_task_is_refused() -> None:
    with pytest.raises(SpaceError, match="'depth'; there are class_scene"):
        TransNASBench101("depth")


@pytest.mark.parametrize("text", ["64-2311-basic", "64-41414-4_00_000", "64-41414-000000"])
def test_wrong_cells_are_named(text: str) -> None:
    with pytest.raises(SpaceError, match=f"{text}.*a_bc_def"):
        TransNASBench101().parse(text)


def test_a_table_is_read(tmp_path: Path) -> None:
    file = tmp_path / "t.csv"
    file.write_text(
        "cell_string,class_scene_valid_top1_last_epoch,room_layout_valid_neg_loss_last_epoch,"
        f"normal_test_ssim_best_epoch\n{EMPTY},7.5,-1.09,0.3\n{CHAIN},54.9,-0.6,0.59\n"
    )
    table = TransNASBench101().read(file)
    assert list(table.columns) == ["class_scene.valid", "room_layout.valid", "normal.test"]
    assert table.labels("room_layout.valid").tolist() == [-1.09, -0.6]


def official(**changes: Any) -> dict[str, Any]:
    def results(last: float) -> dict[str, Any]:
        def metrics(task: str) -> dict[str, list[float]]:
            return {f"{split}_{metric(task)}": [last - 1, last + 2, last] for split in ("valid", "test")}

        return {task: {"metrics": metrics(task), "total_epochs": 3, "model_info": {}} for task in TASKS}

    micro = {EMPTY: results(7.5), CHAIN: results(54.5)} | changes
    return {"data": {"macro": {"64-1234-basic": {}}, "micro": micro}, "task_list": list(TASKS)}


def test_the_official_file_is_read(tmp_path: Path) -> None:
    file = tmp_path / "transnas-bench_v10141024.pth"
    torch.save(official(), file)
    table = TransNASBench101().read(file)
    assert [TransNASBench101().format(g) for g in table.genotypes] == [EMPTY, CHAIN]
    assert table.labels("jigsaw.valid").tolist() == [7.5, 54.5]
    assert table.labels("jigsaw.test").tolist() == [9.5, 56.5]
    assert len(table.columns) == 14


def test_a_missing_task_is_named(tmp_path: Path) -> None:
    file = tmp_path / "t.pth"
    torch.save(official(**{CHAIN: {"class_scene": {"metrics": {}}}}), file)
    with pytest.raises(SpaceError, match=r"t\.pth, data\.micro\.64-41414-3_03_003\..*no key 'valid_top1'"):
        TransNASBench101().read(file)
