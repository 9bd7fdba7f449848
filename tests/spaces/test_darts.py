from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from fxscore.errors import SpaceError
from fxscore.spaces import get_space
from fxscore.spaces.darts import DARTS

# The second-order cells of the DARTS paper, with every node's edges in the order of their sources.
SECOND_ORDER = (
    "sep_conv_3x3~0+sep_conv_3x3~1|sep_conv_3x3~0+sep_conv_3x3~1|skip_connect~0+sep_conv_3x3~1"
    "|skip_connect~0+dil_conv_3x3~2>2,3,4,5/"
    "max_pool_3x3~0+max_pool_3x3~1|max_pool_3x3~1+skip_connect~2|max_pool_3x3~0+skip_connect~2"
    "|max_pool_3x3~1+skip_connect~2>2,3,4,5"
)
COMPACT = (
    "[[(0, 3), (1, 3), (0, 3), (1, 3), (1, 3), (0, 2), (0, 2), (2, 5)], "
    "[(0, 0), (1, 0), (2, 2), (1, 0), (0, 0), (2, 2), (2, 2), (1, 0)]]"
)
HEADER = "compact_normal_and_reduce,surrogate_valid_acc,params_millions,flops_millions"


@pytest.mark.parametrize(
    ("options", "published"),
    [  # "param size" in the authors' training logs, without auxiliary heads.
        ({"width": 36, "depth": 20}, 3_349_342),
        ({"width": 48, "depth": 14, "classes": 1000, "imagenet": True}, 4_718_752),
    ],
)
def test_parameters_are_the_published_ones(options: dict[str, Any], published: int) -> None:
    space = get_space("darts", **options)
    with torch.device("meta"):
        module = space.build(space.parse(SECOND_ORDER))
    assert sum(p.numel() for p in module.parameters()) == published


def test_compact_and_own_text_agree() -> None:
    assert DARTS().from_compact(COMPACT) == DARTS().parse(SECOND_ORDER)


def test_the_order_within_a_node_is_nothing() -> None:
    swapped = SECOND_ORDER.replace("skip_connect~0+dil_conv_3x3~2", "dil_conv_3x3~2+skip_connect~0")
    assert DARTS().parse(swapped) == DARTS().parse(SECOND_ORDER)


def test_size_is_the_known_number() -> None:
    # Per cell: one pair of sources of node 2, three of node 3, six and ten; 7² operations each.
    assert DARTS().size == (1 * 3 * 6 * 10 * 7**8) ** 2


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (SECOND_ORDER.replace("dil_conv_3x3", "dil_conv_7x7"), "'dil_conv_7x7' is not one of"),
        (SECOND_ORDER.replace("dil_conv_3x3~2", "dil_conv_3x3~5"), "node 5 cannot take node 5"),
        (SECOND_ORDER.replace("skip_connect~0+dil_conv_3x3~2", "skip_connect~2+skip_connect~2"), "twice"),
        (SECOND_ORDER.replace(">2,3,4,5", ">3,4,5", 1), "joins all of them"),
        (SECOND_ORDER.partition("/")[0], "must read op~i"),
    ],
)
def test_wrong_cells_are_named(wrong: str, why: str) -> None:
    with pytest.raises(SpaceError, match=why):
        DARTS().parse(wrong)


@pytest.mark.parametrize(
    "text", ["[[], []]", "[1, 2]", "__import__('os')", COMPACT.replace("(0, 3)", "(0, 9)")]
)
def test_wrong_compact_text_is_refused(text: str) -> None:
    with pytest.raises(SpaceError, match=r"compact pair|0 to 6|4 nodes"):
        DARTS().from_compact(text)


def test_surrogate_labels_say_so(tmp_path: Path) -> None:
    file = tmp_path / "t.csv"
    file.write_text(f'{HEADER}\n"{COMPACT}",93.9,1.204906,202.774\n')
    table = DARTS().read(file)
    assert list(table.columns) == ["cifar10_surrogate.valid"]
    assert "not trained" in table.caution
    assert table.params is not None
    assert table.params.tolist() == [1_204_906]
    assert "not trained" in table.subset([0]).caution


def result(**changes: str) -> dict[str, Any]:
    """DARTS second order as NAS-Bench-301 stores it."""
    names = {
        "normal": {0: "sep_conv_3x3", 1: "sep_conv_3x3", 2: "sep_conv_3x3", 3: "sep_conv_3x3"}
        | {5: "skip_connect", 6: "sep_conv_3x3", 9: "skip_connect", 11: "dil_conv_3x3"},
        "reduce": {0: "max_pool_3x3", 1: "max_pool_3x3", 3: "max_pool_3x3", 4: "skip_connect"}
        | {5: "max_pool_3x3", 7: "skip_connect", 10: "max_pool_3x3", 11: "skip_connect"},
    }
    prefix = "NetworkSelectorDatasetInfo:darts:"
    edges = {f"{prefix}edge_{cell}_{k}": op for cell, ops in names.items() for k, op in ops.items()}
    config = edges | {f"{prefix}inputs_node_normal_3": "0_1"} | {prefix + k: v for k, v in changes.items()}
    return {
        "budget": 98,
        "optimized_hyperparamater_config": config,
        "test_accuracy": 93.25,
        "info": [{"val_accuracy": 92.5}],
    }


def test_the_official_results_are_read(tmp_path: Path) -> None:
    (tmp_path / "rs").mkdir()
    (tmp_path / "rs" / "results_0.json").write_text(json.dumps(result()))
    table = DARTS().read(tmp_path)
    assert list(map(DARTS().format, table.genotypes)) == [SECOND_ORDER]
    assert table.labels("cifar10.valid").tolist() == [92.5]
    assert table.labels("cifar10.test").tolist() == [93.25]
    assert table.caution == ""


def test_a_wrong_result_is_named(tmp_path: Path) -> None:
    (tmp_path / "results_0.json").write_text(json.dumps(result()))
    (tmp_path / "results_1.json").write_text(json.dumps(result(edge_reduce_8="skip_connect")))
    with pytest.raises(
        SpaceError, match=r"results_1\.json, optimized.*node 4 of the reduce cell has 3 edges"
    ):
        DARTS().read(tmp_path)
