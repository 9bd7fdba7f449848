"""TransNAS-Bench-101, micro: a cell of six edges in five modules, trained on seven tasks.

Backbone (Duan et al., CVPR 2021, section 3.2): conv3×3 of stride 2 and ReLU-conv3×3-BN of stride 2 to 64
channels; five modules of two cells, coded `41414`: 1 keeps the shape, 4 doubles the width and halves the
resolution in its first cell. In a cell every edge from node 0 carries the cell's stride and width; the
operations are none, skip (a factorised reduction where the shape changes), conv1×1 and conv3×3. Inputs are
256×256, for jigsaw nine tiles of 64×64. Heads by task: linear, siamese linear, or a decoder.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from torch import Tensor, nn

from fxscore.errors import SpaceError
from fxscore.spaces.base import SearchSpace, Value, Variable
from fxscore.spaces.files.csv_rows import columns, read_rows, refuse_repeats
from fxscore.spaces.files.entries import Entry
from fxscore.spaces.files.pickles import read_pth
from fxscore.spaces.layers import FactorizedReduction, Zero, relu_conv_bn
from fxscore.spaces.table import BenchmarkTable, Floats
from fxscore.spaces.transnas_heads import TASKS, head, metric, with_head

OPERATIONS = ("none", "skip", "conv1x1", "conv3x3")
EDGES = ((0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3))

_PREFIX = "64-41414-"
_MODULES = (4, 1, 4, 1, 4)
_FINITE = (-float("inf"), float("inf"))


@dataclass(frozen=True)
class Cell:
    """Operations on the edges 0→1, 0→2, 1→2, 0→3, 1→3, 2→3."""

    operations: tuple[str, ...]


class TransNASBench101(SearchSpace[Cell]):
    """The 4,096 micro cells, as networks for one of the seven tasks. Text form: `64-41414-3_33_333`."""

    name = "transnas_micro"
    variables = tuple(Variable(f"edge_{i}_{j}", OPERATIONS) for i, j in EDGES)

    def __init__(self, task: str = "class_scene") -> None:
        if task not in TASKS:
            raise SpaceError(f"{self.name}: no task {task!r}; there are {', '.join(TASKS)}")
        self.task = task
        self.input_shape = (27, 64, 64) if task == "jigsaw" else (3, 256, 256)

    def values_of(self, genotype: Cell) -> tuple[Value, ...]:
        """The six operation names."""
        return genotype.operations

    def from_values(self, values: tuple[Value, ...]) -> Cell:
        """A cell of six operation names."""
        return Cell(tuple(map(str, values)))

    def format(self, genotype: Cell) -> str:
        """`64-41414-a_bc_def`, digits 0 none, 1 skip, 2 conv1x1, 3 conv3x3."""
        a, b, c, d, e, f = self.encode(genotype)
        return f"{_PREFIX}{a}_{b}{c}_{d}{e}{f}"

    def parse(self, text: str) -> Cell:
        """Read the text form; macro strings of the same benchmark are refused."""
        match = re.fullmatch(rf"{_PREFIX}([0-3])_([0-3])([0-3])_([0-3])([0-3])([0-3])", text.strip())
        if match is None:
            raise SpaceError(f"{self.name}: {text!r} must read {_PREFIX}a_bc_def, digits 0 to 3")
        return self.decode(list(map(int, match.groups())))

    def build(self, genotype: Cell) -> nn.Module:
        """The benchmark's network for the space's task."""
        layers: list[nn.Module] = [nn.Conv2d(3, 32, 3, 2, 1, bias=False), nn.BatchNorm2d(32)]
        layers, width = [*layers, relu_conv_bn(32, 64, 3, 2)], 64
        for kind in _MODULES:
            outputs, stride = (2 * width, 2) if kind == 4 else (width, 1)
            layers += [CellModule(genotype.operations, width, outputs, stride)]
            layers += [CellModule(genotype.operations, outputs, outputs, 1)]
            width = outputs
        return with_head(nn.Sequential(*layers), head(self.task, width), self.task)

    def read_official(self, path: str | Path) -> BenchmarkTable[Cell]:
        """Read the official `.pth` (its micro part), or a table with a column `cell_string`.

        Validation labels are those of the last epoch, test labels those of the best.
        """
        return self._read_pth(path) if Path(path).suffix == ".pth" else self._read_csv(path)

    def _read_csv(self, path: str | Path) -> BenchmarkTable[Cell]:
        rows = read_rows(path, ("cell_string",))
        genotypes = tuple(row.parse("cell_string", self.parse) for row in rows)
        refuse_repeats(rows, "cell_string", genotypes)
        labels = columns(rows, _label_names(), *_FINITE)
        if not labels:
            raise SpaceError(f"{Path(path).name}: foreign table, none of its columns is a task's")
        return BenchmarkTable(self.name, genotypes, labels)

    def _read_pth(self, path: str | Path) -> BenchmarkTable[Cell]:
        cells = read_pth(path)["data"]["micro"].items()
        genotypes = tuple(entry.parse(name, self.parse) for name, entry in cells)
        labels = {}
        for task in TASKS:
            results = [entry[task]["metrics"] for _, entry in cells]
            labels[f"{task}.valid"] = _numbers(results, f"valid_{metric(task)}", last=True)
            labels[f"{task}.test"] = _numbers(results, f"test_{metric(task)}", last=False)
        return BenchmarkTable(self.name, genotypes, labels)


def _label_names() -> dict[str, str]:
    names = {f"{task}_valid_{metric(task)}_last_epoch": f"{task}.valid" for task in TASKS}
    return names | {f"{task}_test_{metric(task)}_best_epoch": f"{task}.test" for task in TASKS}


def _numbers(results: Sequence[Entry], key: str, last: bool) -> Floats:
    curves = [[epoch.number() for epoch in result[key].elements()] for result in results]
    return np.array([curve[-1] if last else max(curve) for curve in curves])


class CellModule(nn.Module):
    """One cell; edges from node 0 change width and resolution."""

    def __init__(self, operations: Sequence[str], inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.edges = nn.ModuleList()
        for (source, _), operation in zip(EDGES, operations, strict=True):
            shape = (inputs, outputs, stride) if source == 0 else (outputs, outputs, 1)
            self.edges.append(_operation(operation, *shape))

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, H, W) to (N, outputs, H / stride, W / stride)."""
        nodes = [x]
        for (source, target), edge in zip(EDGES, self.edges, strict=True):
            value = edge(nodes[source])
            if len(nodes) == target:
                nodes.append(value)
            else:
                nodes[target] = nodes[target] + value
        return nodes[-1]


def _operation(operation: str, inputs: int, outputs: int, stride: int) -> nn.Module:
    if operation == "none":
        return Zero(inputs, outputs, stride)
    if operation == "skip":
        same = inputs == outputs and stride == 1
        return nn.Identity() if same else FactorizedReduction(inputs, outputs, stride)
    return relu_conv_bn(inputs, outputs, 1 if operation == "conv1x1" else 3, stride)
