"""NATS-Bench, size space: one cell, five widths (Dong et al., TPAMI 2021, section 3.2).

The skeleton of NAS-Bench-201 with one cell per stage: stem, cell, residual block of stride 2, cell, residual
block, cell, of widths 8, 16, …, 64 each. The cell is fixed:
|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_3x3~1|nor_conv_3x3~2|; where a
cell changes width, its skip from node 0 is conv1×1-BN.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor, nn

from fxscore.errors import SpaceError
from fxscore.spaces.base import SearchSpace, Value, Variable
from fxscore.spaces.files.nats import is_nats, read_nats
from fxscore.spaces.files.task_rows import read_tasks
from fxscore.spaces.layers import Classifier, conv_bn, relu_conv_bn
from fxscore.spaces.nasbench201 import DATASETS, ResidualBlock
from fxscore.spaces.table import BenchmarkTable

WIDTHS = tuple(range(8, 65, 8))


@dataclass(frozen=True)
class Widths:
    """The widths of stem and first cell, first residual block, second cell, second block, third cell."""

    channels: tuple[int, ...]


class NATSSize(SearchSpace[Widths]):
    """The 32,768 width combinations, for `cifar10`, `cifar100` or `imagenet16-120`. Text: `8:16:24:32:40`."""

    name = "nats_size"
    variables = tuple(Variable(f"width_{i}", WIDTHS, ordered=True) for i in range(5))

    def __init__(self, dataset: str = "cifar10") -> None:
        if dataset not in DATASETS:
            raise SpaceError(f"{self.name}: no data set {dataset!r}; there are {', '.join(DATASETS)}")
        self.classes, self.input_shape = DATASETS[dataset]

    def values_of(self, genotype: Widths) -> tuple[Value, ...]:
        """The five widths."""
        return genotype.channels

    def from_values(self, values: tuple[Value, ...]) -> Widths:
        """Five widths."""
        return Widths(tuple(map(int, values)))

    def format(self, genotype: Widths) -> str:
        """The widths joined by colons, the benchmark's own text."""
        return ":".join(map(str, genotype.channels))

    def parse(self, text: str) -> Widths:
        """Read the text form; `SpaceError` names a width that is not in the space."""
        if not re.fullmatch(r"\d+(:\d+){4}", text.strip()):
            raise SpaceError(f"{self.name}: {text!r} must read five widths joined by colons, 8:16:24:32:40")
        numbers = map(int, text.strip().split(":"))
        return self.decode([variable.index(n) for variable, n in zip(self.variables, numbers, strict=True)])

    def build(self, genotype: Widths) -> nn.Module:
        """The benchmark's network of these widths."""
        stem, first, second, third, last = genotype.channels
        return nn.Sequential(
            *conv_bn(3, stem, 3),
            FixedCell(stem, stem),
            ResidualBlock(stem, first, stride=2),
            FixedCell(first, second),
            ResidualBlock(second, third, stride=2),
            FixedCell(third, last),
            *(nn.BatchNorm2d(last), nn.ReLU()),
            Classifier(last, self.classes),
        )

    def read_official(self, path: str | Path) -> BenchmarkTable[Widths]:
        """Read the official `NATS-sss-*.pickle.pbz2` or folder, trained for 90 epochs, or a table of accuracies.

        The table has columns `architecture`, `dataset` and `accuracy`; which images were tested it does not say.
        """
        if ".csv" in Path(path).suffixes:
            rows, labels = read_tasks(path, {"CIFAR-10": "cifar10.accuracy"})
            genotypes = tuple(row.parse("architecture", self.parse) for row in rows)
            return BenchmarkTable(
                self.name, genotypes, labels, caution="on images that the table does not name"
            )
        if not is_nats(path):
            raise SpaceError(
                f"{path} is no file of {self.name}: a .pickle.pbz2, its folder or a .csv is wanted"
            )
        return read_nats(self.name, path, self.parse, ("90",))


class FixedCell(nn.Module):
    """The cell of the size space."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.edges = nn.ModuleDict(
            {
                "0_1": relu_conv_bn(inputs, outputs, 3),
                "0_2": relu_conv_bn(inputs, outputs, 3),
                "1_2": relu_conv_bn(outputs, outputs, 3),
                "0_3": nn.Identity() if inputs == outputs else nn.Sequential(*conv_bn(inputs, outputs, 1)),
                "1_3": relu_conv_bn(outputs, outputs, 3),
                "2_3": relu_conv_bn(outputs, outputs, 3),
            }
        )

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, H, W) to (N, outputs, H, W)."""
        first: Tensor = self.edges["0_1"](x)
        second: Tensor = self.edges["0_2"](x) + self.edges["1_2"](first)
        third: Tensor = self.edges["0_3"](x) + self.edges["1_3"](first) + self.edges["2_3"](second)
        return third
