"""Multilayer perceptrons as relational graphs, for CIFAR-10 (You et al., "Graph Structure of Neural Networks", 2020).

Linear(3072, 512)-BN-ReLU; three linear layers whose weights are masked by one graph, to `width` neurons each, with BN
and ReLU; Linear(width, 10). The neurons of a layer are shared out among the 64 nodes of the graph, as evenly as may be,
the first nodes having one more; the block of weights between two nodes is kept where they are joined or the same.
Widths were chosen so that as many weights are kept in every network; parameters count those masked away too.
Text form: `w=1539,adj=f00…`, the graph's upper triangle row by row as 504 hexadecimal digits.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import combinations, pairwise
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from fxscore.errors import SpaceError
from fxscore.spaces.base import SearchSpace, Value, Variable
from fxscore.spaces.files.csv_rows import CsvRow
from fxscore.spaces.files.task_rows import read_tasks
from fxscore.spaces.table import BenchmarkTable

Floats = NDArray[np.float32]

NODES = 64
FIRST, CLASSES = 512, 10
_PIXELS = 3 * 32 * 32
_PAIRS = tuple(combinations(range(NODES), 2))
_DIGITS = len(_PAIRS) // 4
_TEXT = re.compile(rf"w=(\d+),adj=([0-9a-f]{{{_DIGITS}}})")


@dataclass(frozen=True)
class RelationalGraph:
    """The width of the masked layers and the graph's upper triangle, as one whole number of 2,016 bits."""

    width: int
    edges: int


class RelationalMLP(SearchSpace[RelationalGraph]):
    """The perceptrons of every graph of 64 nodes, of 512 to 2,048 neurons a layer."""

    name = "relational_mlp"
    input_shape = (3, 32, 32)
    variables = (
        Variable("width", tuple(range(FIRST, 2049)), ordered=True),
        *(Variable(f"edge_{i}_{j}", (0, 1)) for i, j in _PAIRS),
    )

    def values_of(self, genotype: RelationalGraph) -> tuple[Value, ...]:
        """The width, and 1 or 0 for every pair of nodes."""
        return (genotype.width, *map(int, f"{genotype.edges:0{len(_PAIRS)}b}"))

    def from_values(self, values: tuple[Value, ...]) -> RelationalGraph:
        """Read what `values_of` gives."""
        return RelationalGraph(int(values[0]), int("".join(map(str, values[1:])), 2))

    def format(self, genotype: RelationalGraph) -> str:
        """The width and the graph in hexadecimal digits."""
        return f"w={genotype.width},adj={genotype.edges:0{_DIGITS}x}"

    def parse(self, text: str) -> RelationalGraph:
        """Read the text form; raises `SpaceError` where it does not fit."""
        match = _TEXT.fullmatch(text.strip())
        if match is None:
            raise SpaceError(f"{self.name}: {text!r} must read w=1539,adj= and {_DIGITS} hexadecimal digits")
        width = int(match[1])
        self.variables[0].index(width)
        return RelationalGraph(width, int(match[2], 16))

    def build(self, genotype: RelationalGraph) -> nn.Module:
        """The network, ten classes."""
        widths = [FIRST, *[genotype.width] * 3]
        graph = self._adjacency(genotype)
        layers = [_normed(nn.Linear(_PIXELS, FIRST, bias=False))]
        layers += [_normed(MaskedLinear(_mask(graph, *pair))) for pair in pairwise(widths)]
        return nn.Sequential(nn.Flatten(), *layers, nn.Linear(genotype.width, CLASSES))

    def _adjacency(self, genotype: RelationalGraph) -> Floats:
        """(64, 64) ones and zeros, ones on the diagonal."""
        graph = np.zeros((NODES, NODES), np.float32)
        graph[np.triu_indices(NODES, 1)] = self.values_of(genotype)[1:]
        joined: Floats = graph + graph.T + np.eye(NODES, dtype=np.float32)
        return joined

    def read_official(self, path: str | Path) -> BenchmarkTable[RelationalGraph]:
        """Read a table of columns `architecture`, `dataset` and `accuracy`."""
        rows, labels = read_tasks(path, {"CIFAR-10": "cifar10.test"})
        return BenchmarkTable(self.name, tuple(map(self._row, rows)), labels)

    def _row(self, row: CsvRow) -> RelationalGraph:
        found = re.search(r" n=64 .*\b(w=\d+) (adj=[0-9a-f]+)$", row.cells["architecture"])
        if found is None:
            raise row.fail("architecture", f"it must read '… n=64 … w=WIDTH adj=DIGITS' to be a {self.name}")
        return row.parse_text("architecture", f"{found[1]},{found[2]}", self.parse)


class MaskedLinear(nn.Module):
    """A linear layer without bias of which a mask (outputs, inputs) of ones and zeros keeps some weights."""

    mask: Tensor

    def __init__(self, mask: Tensor) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(mask.shape))
        self.register_buffer("mask", mask)
        nn.init.kaiming_uniform_(self.weight)

    @property
    def out_features(self) -> int:
        """The number of outputs."""
        return self.weight.shape[0]

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs) to (N, outputs)."""
        return F.linear(x, self.weight * self.mask)


def _normed(layer: nn.Linear | MaskedLinear) -> nn.Sequential:
    return nn.Sequential(layer, nn.BatchNorm1d(layer.out_features), nn.ReLU())


def _mask(graph: Floats, inputs: int, outputs: int) -> Tensor:
    """(outputs, inputs): the graph, each node as often as it has neurons."""
    return torch.tensor(graph.repeat(_shares(outputs), 0).repeat(_shares(inputs), 1))


def _shares(width: int) -> list[int]:
    """The neurons of each node: `width` shared out evenly, what is left over to the first nodes."""
    least, over = divmod(width, NODES)
    return [least + (node < over) for node in range(NODES)]
