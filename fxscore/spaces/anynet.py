"""The AnyNet sweeps of NDS: standard networks of plain, residual and bottleneck blocks.

AnyNet (Radosavovic et al., ICCV 2019, table 1): stem, stages of equal blocks, global average, linear. A stage
has a depth, a width, a stride and, in bottleneck blocks, a ratio of bottleneck to width and a number of
groups. Stems: conv3×3 to 16 channels for CIFAR-10; conv7×7 of stride 2 to 64 and a max pool for ImageNet.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from fxscore.errors import SpaceError
from fxscore.spaces.base import SearchSpace, Value, Variable
from fxscore.spaces.files.entries import Entry
from fxscore.spaces.files.nds_jobs import read_nds_jobs
from fxscore.spaces.layers import Classifier, Residual, SqueezeExcitation, conv_bn, conv_bn_relu
from fxscore.spaces.table import BenchmarkTable

BLOCKS = {
    "vanilla": "double_plain_block",
    "basic": "res_basic_block",
    "bottleneck": "res_bottleneck_block",
}
_RATIOS = (0.25, 0.5, 1.0, 2.0, 4.0)
_GROUPS = (1, 2, 4, 8, 16, 32)
_STAGE = re.compile(r"(\d+)x(\d+)s([12])(?:b([\d.]+)g(\d+))?")


@dataclass(frozen=True)
class Stage:
    """`depth` blocks of `width`; the first has the stride. Ratio and groups are those of bottleneck blocks."""

    depth: int
    width: int
    stride: int
    ratio: float = 1.0
    groups: int = 1

    @property
    def bottleneck(self) -> int:
        """The bottleneck width."""
        return round(self.width * self.ratio)


Stages = tuple[Stage, ...]


class AnyNet(SearchSpace[Stages]):
    """Sweeps of one block kind. Text form: `2x16s1-2x32s2-2x64s2`, with `b0.5g4` behind bottleneck stages."""

    def __init__(self, block: str = "bottleneck", dataset: str = "cifar10") -> None:
        if block not in BLOCKS or dataset not in ("cifar10", "imagenet"):
            known = f"{', '.join(BLOCKS)} on cifar10, imagenet"
            raise SpaceError(f"no AnyNet of {block!r} blocks on {dataset!r}; there are {known}")
        self.block, self.dataset = block, dataset
        self.name = f"anynet_{block}" + ("_in" if dataset == "imagenet" else "")
        self.input_shape = (3, 224, 224) if dataset == "imagenet" else (3, 32, 32)
        self.stages = 4 if dataset == "imagenet" else 3
        self.variables = tuple(gene for i in range(self.stages) for gene in _stage_genes(i, block))

    def values_of(self, genotype: Stages) -> tuple[Value, ...]:
        """Depth, width and stride of every stage, and of bottleneck stages ratio and groups."""
        return tuple(value for stage in genotype for value in self._values(stage))

    def _values(self, stage: Stage) -> tuple[Value, ...]:
        shape = (stage.depth, stage.width, stage.stride)
        return (*shape, stage.ratio, stage.groups) if self.block == "bottleneck" else shape

    def from_values(self, values: tuple[Value, ...]) -> Stages:
        """Read what `values_of` gives; groups must divide the bottleneck width."""
        per_stage = len(values) // self.stages
        parts = (values[i : i + per_stage] for i in range(0, len(values), per_stage))
        stages = tuple(_from_values(part) for part in parts)
        for stage in stages:
            if stage.bottleneck % stage.groups:
                raise SpaceError(
                    f"{self.name}: {stage.groups} groups do not divide {stage.bottleneck} channels"
                )
        return stages

    def format(self, genotype: Stages) -> str:
        """Stages joined by dashes."""
        return "-".join(
            f"{s.depth}x{s.width}s{s.stride}"
            + (f"b{s.ratio:g}g{s.groups}" if self.block == "bottleneck" else "")
            for s in genotype
        )

    def parse(self, text: str) -> Stages:
        """Read the text form; `SpaceError` names the stage that does not fit."""
        parts = [_STAGE.fullmatch(part) for part in text.strip().split("-")]
        if len(parts) != self.stages or any(part is None for part in parts):
            raise SpaceError(f"{self.name}: {text!r} must read {self.stages} stages, DEPTHxWIDTHsSTRIDE each")
        groups = [part.groups() for part in parts if part is not None]
        return self._make([_stage(match) for match in groups])

    def _make(self, stages: Sequence[Stage]) -> Stages:
        if len(stages) != self.stages:
            raise SpaceError(f"{self.name}: {len(stages)} stages, not {self.stages}")
        values = self.values_of(tuple(stages))
        return self.decode([v.index(value) for v, value in zip(self.variables, values, strict=True)])

    def sample(self, generator: torch.Generator) -> Stages:
        """Depths 1 to 16 and widths 16 to 256, log-uniform; strides 1, 2, 2, …; ratio and groups uniform."""

        def log_uniform(low: float, high: float) -> float:
            return low * math.exp(math.log(high / low) * float(torch.rand((), generator=generator)))

        stages = []
        for place in range(self.stages):
            depth, width = round(log_uniform(1, 16)), 16 * max(1, round(log_uniform(1, 16)))
            stage = Stage(depth, width, 2 if place else 1)
            if self.block == "bottleneck":
                i, j = torch.randint(3, (2,), generator=generator).tolist()
                stage = Stage(depth, width, stage.stride, _RATIOS[i], _GROUPS[j])
            stages.append(stage)
        return self._make(stages)

    def build(self, genotype: Stages) -> nn.Module:
        """The network, with ten classes or a thousand."""
        imagenet = self.dataset == "imagenet"
        layers, width = (conv_bn_relu(3, 64, 7, 2), 64) if imagenet else (conv_bn_relu(3, 16, 3), 16)
        layers += [nn.MaxPool2d(3, 2, 1)] if imagenet else []
        for stage in genotype:
            for place in range(stage.depth):
                layers += block_layers(self.block, stage, width, stage.stride if place == 0 else 1)
                width = stage.width
        return nn.Sequential(*layers, Classifier(width, 1000 if imagenet else 10))

    def read_official(self, path: str | Path) -> BenchmarkTable[Stages]:
        """Read the standard sweeps of `nds_data` (ResNet, ResNeXt, Vanilla); jobs of other blocks are refused.

        The label is 100 − the test error of the last epoch.
        """
        return read_nds_jobs(path, self.name, self.dataset, self._network)

    def _network(self, net: Entry) -> Stages:
        net["block_type"].text([BLOCKS[self.block]])
        shapes = [[int(n) for n in net[key].numbers(1)] for key in ("ds", "ws", "ss")]
        ratios, groups = ([1.0] * len(shapes[0]), [1] * len(shapes[0]))
        if self.block == "bottleneck":
            ratios = net["bot_muls"].numbers(0)
            groups = [int(n) for n in net["num_gs"].numbers(1)]
        try:
            return self._make([Stage(*shape) for shape in zip(*shapes, ratios, groups, strict=True)])
        except (SpaceError, ValueError) as error:
            raise net.fail(str(error)) from None


def _stage_genes(i: int, block: str) -> list[Variable]:
    genes = [
        Variable(f"stage_{i}_depth", tuple(range(1, 33)), ordered=True),
        Variable(f"stage_{i}_width", tuple(range(8, 2049)), ordered=True),
        Variable(f"stage_{i}_stride", (1, 2)),
    ]
    if block == "bottleneck":
        genes.append(Variable(f"stage_{i}_ratio", _RATIOS, ordered=True))
        genes.append(Variable(f"stage_{i}_groups", _GROUPS, ordered=True))
    return genes


def _from_values(values: Sequence[Value]) -> Stage:
    depth, width, stride, *rest = values
    ratio, groups = rest or (1.0, 1)
    return Stage(int(depth), int(width), int(stride), float(ratio), int(groups))


def _stage(match: Sequence[str | None]) -> Stage:
    depth, width, stride, ratio, groups = match
    return Stage(int(depth or 0), int(width or 0), int(stride or 0), float(ratio or 1), int(groups or 1))


def block_layers(kind: str, stage: Stage, inputs: int, stride: int, squeezed: int = 0) -> list[nn.Module]:
    """One block: two conv3×3, or conv1×1, grouped conv3×3 (squeeze-excitation), conv1×1; a sum and a ReLU."""
    width, narrow = stage.width, stage.bottleneck
    if kind != "bottleneck":
        body = [*conv_bn_relu(inputs, width, 3, stride), *conv_bn(width, width, 3)]
    else:
        gate = [SqueezeExcitation(narrow, squeezed, nn.ReLU())] if squeezed else []
        middle = [*conv_bn_relu(narrow, narrow, 3, stride, stage.groups), *gate]
        body = [*conv_bn_relu(inputs, narrow, 1), *middle, *conv_bn(narrow, width, 1)]
    if kind == "vanilla":
        return [*body, nn.ReLU()]
    shortcut = None if inputs == width and stride == 1 else nn.Sequential(*conv_bn(inputs, width, 1, stride))
    return [Residual(nn.Sequential(*body), shortcut), nn.ReLU()]
