from __future__ import annotations

import gzip
import itertools
from pathlib import Path

import pytest
import torch

from fxscore.errors import SpaceError
from fxscore.spaces import SearchSpace, get_space
from fxscore.spaces.nasbench201 import Cell, NASBench201

ALL_CONV = "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|nor_conv_3x3~0|nor_conv_3x3~1|nor_conv_3x3~2|"
NO_EDGE = "|none~0|+|none~0|none~1|+|none~0|none~1|none~2|"
HEADER = "nb201_index,cell,cifar10_test_200ep,cifar100_test_200ep,imagenet16_120_test_200ep"


def params(space: SearchSpace[Cell], text: str) -> int:
    with torch.device("meta"):
        return sum(p.numel() for p in space.build(space.parse(text)).parameters())


@pytest.mark.parametrize(
    ("text", "published"),
    [
        # NATS-Bench v1.0, CIFAR-10: 0.073306 M without and 1.531546 M with every edge a 3×3 convolution.
        (NO_EDGE, 73_306),
        (ALL_CONV, 1_531_546),
        ("|avg_pool_3x3~0|+|skip_connect~0|none~1|+|nor_conv_1x1~0|avg_pool_3x3~1|nor_conv_1x1~2|", 129_306),
    ],
)
def test_parameters_are_the_published_ones(text: str, published: int) -> None:
    assert params(NASBench201(), text) == published


@pytest.mark.parametrize(("dataset", "classes", "side"), [("cifar100", 100, 32), ("imagenet16-120", 120, 16)])
def test_data_sets_differ_in_head_and_resolution(dataset: str, classes: int, side: int) -> None:
    space = get_space("nasbench201", dataset=dataset)
    assert space.input_shape == (3, side, side)
    assert space.build(space.parse(NO_EDGE))(torch.zeros(1, 3, side, side)).shape == (1, classes)
    assert params(space, NO_EDGE) == 73_306 + 65 * (classes - 10)


def test_unknown_data_set_is_refused() -> None:
    with pytest.raises(SpaceError, match=r"mnist.*cifar10"):
        NASBench201("mnist")


def test_cells_of_zeros_only_pass_the_head() -> None:
    module = NASBench201().build(NASBench201().parse(NO_EDGE)).eval()
    first, second = module(torch.randn(2, 3, 32, 32))
    torch.testing.assert_close(first, second)


def test_the_pool_leaves_padding_out() -> None:
    pool = "|avg_pool_3x3~0|+|none~0|skip_connect~1|+|none~0|none~1|skip_connect~2|"
    cell = NASBench201().build(NASBench201().parse(pool)).get_submodule("cells.0")
    torch.testing.assert_close(cell(torch.ones(1, 16, 5, 5)), torch.ones(1, 16, 5, 5))


def test_the_benchmark_knows_6466_classes() -> None:
    space = NASBench201()
    keys = {space.isomorphism_key(space.decode(v)) for v in itertools.product(range(5), repeat=6)}
    assert len(keys) == 6466


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (ALL_CONV.replace("nor_conv_3x3~2", "conv_5x5~2"), "'conv_5x5'.*nor_conv_1x1"),
        (ALL_CONV.replace("~2", "~1"), "must read"),
        (ALL_CONV.replace("+", ""), "must read"),
    ],
)
def test_wrong_cells_are_named(text: str, why: str) -> None:
    with pytest.raises(SpaceError, match=why):
        NASBench201().parse(text)


def write(path: Path, *lines: str) -> Path:
    path.write_bytes(gzip.compress("\n".join(lines).encode()))
    return path


def test_a_table_is_read(tmp_path: Path) -> None:
    file = write(tmp_path / "t.csv.gz", HEADER, f"0,{ALL_CONV},93.5,70.1,41.2", f"7,{NO_EDGE},10,1,0.8333")
    table = NASBench201().read(file)
    assert list(table.columns) == ["cifar10.test", "cifar100.test", "imagenet16-120.test"]
    assert table.labels("cifar100.test").tolist() == [70.1, 1.0]
    assert [str(cell) for cell in table.genotypes] == [ALL_CONV, NO_EDGE]
    assert table.subset([1]).labels("cifar10.test").tolist() == [10.0]
    assert table.params is None


def test_published_proxies_are_read(tmp_path: Path) -> None:
    file = write(tmp_path / "t.csv.gz", "cell,synflow,params,flops", f"{ALL_CONV},85.2,1.53155,220.12")
    table = NASBench201().read(file)
    assert table.proxies["synflow"].tolist() == [85.2]
    assert table.params is not None
    assert table.params.tolist() == pytest.approx([1_531_550])
    with pytest.raises(SpaceError, match=r"cifar10\.test.*no labels at all"):
        table.labels("cifar10.test")


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (f"1,{NO_EDGE},x,1,1", r"t\.csv\.gz, line 3, column cifar10_test_200ep: 'x' is no number"),
        (f"1,{NO_EDGE},nan,1,1", "line 3, column cifar10_test_200ep: nan is not within"),
        (f"1,{NO_EDGE},101,1,1", "101.0 is not within 0.0 and 100.0"),
        (f"1,{NO_EDGE},50,1", "line 3: 4 cells where the header has 5"),
        (f"1,{ALL_CONV},50,1,1", "line 3, column cell: repeats line 2"),
        ("1,|none~0|,50,1,1", "line 3, column cell: .*must read"),
    ],
)
def test_a_wrong_row_is_named(line: str, why: str, tmp_path: Path) -> None:
    file = write(tmp_path / "t.csv.gz", HEADER, f"0,{ALL_CONV},93.5,70.1,41.2", line)
    with pytest.raises(SpaceError, match=why):
        NASBench201().read(file)


def test_a_truncated_table_is_refused(tmp_path: Path) -> None:
    file = write(tmp_path / "t.csv.gz", HEADER, *(f"{i},{NO_EDGE},{i},1,1" for i in range(50)))
    file.write_bytes(file.read_bytes()[:-30])
    with pytest.raises(SpaceError, match=r"t\.csv\.gz is cut short or damaged"):
        NASBench201().read(file)


def test_table_arrays_cannot_be_changed(tmp_path: Path) -> None:
    table = NASBench201().read(write(tmp_path / "t.csv.gz", HEADER, f"0,{ALL_CONV},93.5,70.1,41.2"))
    with pytest.raises(ValueError, match="read-only"):
        table.labels("cifar10.test")[0] = 0
