"""NAS-Bench-201, the topology space of NATS-Bench: one cell of six edges, fifteen times in a fixed skeleton.

Skeleton (Dong & Yang, ICLR 2020, section 2.1): conv3×3 to 16 channels and BN; five cells; a residual block of
stride 2; five cells at 32; a residual block; five cells at 64; BN-ReLU, global average, linear. In a cell
node j is the sum over i < j of op_ij(node i), j = 1, 2, 3. Convolutions are ReLU-conv-BN without bias, the
average pool leaves padding out of its count, and `none` multiplies by zero.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch.nn.functional as F
from torch import Tensor, nn

from fxscore.errors import SpaceError
from fxscore.spaces.base import SearchSpace, Value, Variable
from fxscore.spaces.files.csv_rows import CsvRow, column, columns, read_rows, refuse_repeats
from fxscore.spaces.files.nats import is_nats, read_nats
from fxscore.spaces.layers import relu_conv_bn
from fxscore.spaces.table import BenchmarkTable
from fxscore.types import Shape

OPERATIONS = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")
_KERNELS = {"nor_conv_1x1": 1, "nor_conv_3x3": 3}
EDGES = ((0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3))
DATASETS: dict[str, tuple[int, Shape]] = {
    "cifar10": (10, (3, 32, 32)),
    "cifar100": (100, (3, 32, 32)),
    "imagenet16-120": (120, (3, 16, 16)),
}

_SPLITS = ("valid", "test")
_LABELS = {f"{d.replace('-', '_')}_{s}_200ep": f"{d}.{s}" for d in DATASETS for s in _SPLITS}
_PROXY_LINE = "epe_nas,fisher,flops,grad_norm,grasp,jacov,l2_norm,nwot,params,plain,snip,synflow,zen"
_PROXIES = tuple(_PROXY_LINE.split(","))


@dataclass(frozen=True)
class Cell:
    """Six operations on the edges 0→1, 0→2, 1→2, 0→3, 1→3, 2→3 (the order of the text form)."""

    operations: tuple[str, ...]

    def __str__(self) -> str:
        nodes = ((0, 1), (1, 3), (3, 6))
        return "+".join(_node_text(self.operations[start:stop]) for start, stop in nodes)


class NASBench201(SearchSpace[Cell]):
    """The 15,625 cells, as networks for `cifar10`, `cifar100` or `imagenet16-120`."""

    name = "nasbench201"
    variables = tuple(Variable(f"edge_{i}_{j}", OPERATIONS) for i, j in EDGES)

    def __init__(self, dataset: str = "cifar10") -> None:
        if dataset not in DATASETS:
            raise SpaceError(f"{self.name}: no data set {dataset!r}; there are {', '.join(DATASETS)}")
        self.classes, self.input_shape = DATASETS[dataset]

    def values_of(self, genotype: Cell) -> tuple[Value, ...]:
        """The six operation names."""
        return genotype.operations

    def from_values(self, values: tuple[Value, ...]) -> Cell:
        """A cell of six operation names."""
        return Cell(tuple(map(str, values)))

    def format(self, genotype: Cell) -> str:
        """The benchmark's cell string, `|op~0|+|op~0|op~1|+|op~0|op~1|op~2|`."""
        return str(genotype)

    def parse(self, text: str) -> Cell:
        """Read the benchmark's cell string; `SpaceError` names an unknown operation or the form."""
        found = re.findall(r"([^|~+]+)~(\d)", text)
        for operation, _ in found:
            if operation not in OPERATIONS:
                raise SpaceError(
                    f"{self.name}: {operation!r} in {text!r} is not one of {', '.join(OPERATIONS)}"
                )
        cell = Cell(tuple(operation for operation, _ in found))
        if len(found) != len(EDGES) or str(cell) != text.strip():
            raise SpaceError(f"{self.name}: {text!r} must read |op~0|+|op~0|op~1|+|op~0|op~1|op~2|")
        return cell

    def build(self, genotype: Cell) -> nn.Module:
        """The benchmark's network of this cell for the space's data set."""
        return Network(genotype.operations, self.classes)

    def isomorphism_key(self, genotype: Cell) -> str:
        """The benchmark's own string form, its zeros considered: 6,466 classes over the space."""
        return _unique_text(genotype.operations)

    def read_official(self, path: str | Path) -> BenchmarkTable[Cell]:
        """Read the official `.pth`, NATS-tss file or folder (200 epochs), or a table with a column `cell`.

        A table may hold accuracies, published values of zero-cost proxies, or both.
        """
        if is_nats(path):
            return read_nats(self.name, path, self.parse, ("200", "full"))
        rows = read_rows(path, ("cell",))
        genotypes = tuple(row.parse("cell", self.parse) for row in rows)
        refuse_repeats(rows, "cell", genotypes)
        return _table(self.name, rows, genotypes)


def _table(space: str, rows: Sequence[CsvRow], genotypes: tuple[Cell, ...]) -> BenchmarkTable[Cell]:
    labels = columns(rows, _LABELS, 0.0, 100.0)
    proxies = columns(rows, {key: key for key in _PROXIES}, -float("inf"), float("inf"))
    if not labels and not proxies:
        raise SpaceError(f"{rows[0].path.name}: foreign table, none of its columns is {', '.join(_LABELS)}")
    millions = {key: column(rows, key, 0.0) * 1e6 for key in ("params", "flops") if key in proxies}
    return BenchmarkTable(
        space, genotypes, labels, params=millions.get("params"), flops=millions.get("flops"), proxies=proxies
    )


def _node_text(operations: Sequence[str]) -> str:
    return "|" + "|".join(f"{operation}~{i}" for i, operation in enumerate(operations)) + "|"


def _unique_text(operations: Sequence[str]) -> str:
    """Every node as the sorted texts of its inputs; a skip is its input's own text, a zero is `#`."""
    nodes = ["0"]
    for j in (1, 2, 3):
        edges = [(nodes[i], op) for (i, target), op in zip(EDGES, operations, strict=True) if target == j]
        nodes.append("+".join(sorted(_edge_text(*edge) for edge in edges)))
    return nodes[-1]


def _edge_text(source: str, operation: str) -> str:
    if operation == "none" or source == "#":
        return "#"
    return source if operation == "skip_connect" else f"({source})@{operation}"


class Network(nn.Module):
    """The skeleton around one cell; (N, 3, H, W) to (N, classes)."""

    def __init__(self, operations: Sequence[str], classes: int, width: int = 16, cells: int = 5) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, width, 3, padding=1, bias=False), nn.BatchNorm2d(width))
        blocks: list[nn.Module] = []
        for stage in range(3):
            channels = width * 2**stage
            if stage:
                blocks.append(ResidualBlock(channels // 2, channels, stride=2))
            blocks += [CellModule(operations, channels) for _ in range(cells)]
        self.cells = nn.Sequential(*blocks)
        self.last = nn.Sequential(nn.BatchNorm2d(channels), nn.ReLU())
        self.classifier = nn.Linear(channels, classes)

    def forward(self, x: Tensor) -> Tensor:
        """Class logits (N, classes)."""
        x = self.last(self.cells(self.stem(x)))
        logits: Tensor = self.classifier(F.adaptive_avg_pool2d(x, 1).flatten(1))
        return logits


class CellModule(nn.Module):
    """One cell at a fixed width.

    Edges own a convolution and a BatchNorm and nothing else: a score pays for every module that is built.
    """

    def __init__(self, operations: Sequence[str], channels: int) -> None:
        super().__init__()
        self.operations = tuple(operations)
        self.relu = nn.ReLU()
        for (i, j), operation in zip(EDGES, operations, strict=True):
            if kernel := _KERNELS.get(operation):
                conv = nn.Conv2d(channels, channels, kernel, padding=kernel // 2, bias=False)
                self.add_module(f"conv_{i}_{j}", conv)
                self.add_module(f"norm_{i}_{j}", nn.BatchNorm2d(channels))

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) to the same shape."""
        nodes = [x]
        for (i, j), operation in zip(EDGES, self.operations, strict=True):
            edge = self._edge(operation, f"{i}_{j}", nodes[i])
            if len(nodes) == j:
                nodes.append(edge)
            else:
                nodes[j] = nodes[j] + edge
        return nodes[-1]

    def _edge(self, operation: str, name: str, x: Tensor) -> Tensor:
        if operation == "none":
            return x.mul(0.0)
        if operation == "skip_connect":
            return x
        if operation == "avg_pool_3x3":
            return F.avg_pool2d(x, 3, stride=1, padding=1, count_include_pad=False)
        edge: Tensor = getattr(self, f"conv_{name}")(self.relu(x))
        normalised: Tensor = getattr(self, f"norm_{name}")(edge)
        return normalised


class ResidualBlock(nn.Module):
    """conv3×3 of a stride and conv3×3 beside average pool and conv1×1."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.first = relu_conv_bn(inputs, outputs, 3, stride)
        self.second = relu_conv_bn(outputs, outputs, 3)
        self.shortcut = nn.Sequential(nn.AvgPool2d(stride, stride), nn.Conv2d(inputs, outputs, 1, bias=False))

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) to (N, outputs, H / stride, W / stride)."""
        total: Tensor = self.shortcut(x) + self.second(self.first(x))
        return total
