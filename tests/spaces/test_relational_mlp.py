from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from fxscore.errors import SpaceError
from fxscore.spaces.nats_size import NATSSize
from fxscore.spaces.relational_mlp import MaskedLinear, RelationalGraph, RelationalMLP

FIRST_EDGE = 1 << 2015  # the upper triangle's first bit: nodes 0 and 1


def masks(graph: RelationalGraph) -> list[torch.Tensor]:
    layers = [m for m in RelationalMLP().build(graph).modules() if isinstance(m, MaskedLinear)]
    return [layer.mask for layer in layers]


def test_a_graph_without_edges_keeps_each_node_to_itself() -> None:
    first, *others = masks(RelationalGraph(576, 0))
    assert first.shape == (576, 512)
    assert first.sum() == 64 * 9 * 8
    assert all(torch.equal(mask, torch.block_diag(*[torch.ones(9, 9)] * 64)) for mask in others)  # type: ignore[no-untyped-call]


def test_the_first_digits_are_the_first_nodes_edges() -> None:
    mask = masks(RelationalGraph(512, FIRST_EDGE))[1]
    assert mask[:8, 8:16].all()
    assert mask[8:16, :8].all()
    assert mask.sum() == 64 * 64 + 2 * 64


def test_neurons_left_over_go_to_the_first_nodes() -> None:
    mask = masks(RelationalGraph(514, 0))[1]
    assert mask[:9, :9].all()
    assert mask.sum() == 2 * 81 + 62 * 64


def test_masked_weights_learn_nothing() -> None:
    layer = MaskedLinear(torch.eye(3))
    layer(torch.ones(2, 3)).sum().backward()
    assert layer.weight.grad is not None
    assert torch.equal(layer.weight.grad, 2 * torch.eye(3))


def test_the_layers_are_normed_linear_layers() -> None:
    with torch.device("meta"):
        module = RelationalMLP().build(RelationalGraph(600, 3))
    widths = [m.num_features for m in module.modules() if isinstance(m, nn.BatchNorm1d)]
    assert widths == [512, 600, 600, 600]
    assert module(torch.empty(2, 3, 32, 32, device="meta")).shape == (2, 10)


def test_a_table_is_read(tmp_path: Path) -> None:
    digits = f"{FIRST_EDGE:0504x}"
    file = tmp_path / "g.csv"
    head = "relational-graph MLP n=64 ws-flex sparsity=0.1 p=0.2 seed=1"
    file.write_text(f"architecture,dataset,accuracy\n{head} w=600 adj={digits},CIFAR-10,66\n")
    table = RelationalMLP().read(file)
    assert table.genotypes == (RelationalGraph(600, FIRST_EDGE),)
    file.write_text(f"architecture,dataset,accuracy\n{head} w=600 adj={digits[1:]},CIFAR-10,66\n")
    with pytest.raises(SpaceError, match=r"g\.csv, line 2, column architecture: .*504 hexadecimal"):
        RelationalMLP().read(file)


def test_a_table_of_widths_is_read(tmp_path: Path) -> None:
    file = tmp_path / "n.csv.gz"
    with pytest.raises(SpaceError, match=r"n\.csv\.gz"):
        NATSSize().read(file)
    file = tmp_path / "n.csv"
    file.write_text("architecture,dataset,accuracy\n8:16:24:32:40,CIFAR-10,89.2\n")
    table = NATSSize().read(file)
    assert table.labels("cifar10.accuracy").tolist() == [89.2]
    file.write_text("architecture,dataset,accuracy\n" + "8:16:24:32:40,CIFAR-10,89.2\n" * 2)
    with pytest.raises(SpaceError, match=r"line 3, column architecture: repeats line 2"):
        NATSSize().read(file)
