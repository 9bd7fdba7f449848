"""RegNet: networks whose widths follow a quantised line (Radosavovic et al., CVPR 2020, section 3.3).

Block j of depth d has width u_j = w_0 + w_a·j, quantised to w_0·w_m^⌊s_j⌉ where u_j = w_0·w_m^{s_j}, then to
multiples of 8; blocks of equal width form a stage of stride 2. Blocks are residual bottlenecks of ratio 1
whose groups have a fixed width, to a multiple of which stage widths are rounded. Stem: conv3×3 of stride 2 to
32 channels. RegNetY adds squeeze-excitation to a quarter of the block's input width.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from itertools import groupby

import torch
from torch import nn

from fxscore.errors import SpaceError
from fxscore.spaces.anynet import Stage, block_layers
from fxscore.spaces.base import SearchSpace, Value, Variable
from fxscore.spaces.layers import Classifier, conv_bn_relu

_GROUP_WIDTHS = (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 120, 128)


@dataclass(frozen=True)
class Widths:
    """The parameters of a RegNet: depth d, w_0, w_a, w_m and the width of a group."""

    depth: int
    initial: int
    slope: float
    multiplier: float
    group_width: int

    def stages(self) -> list[tuple[int, int]]:
        """(depth, width) of every stage."""
        exponents = (
            math.log1p(self.slope * j / self.initial) / math.log(self.multiplier) for j in range(self.depth)
        )
        widths = [self.initial * self.multiplier ** round(s) for s in exponents]
        quantised = [8 * round(width / 8) for width in widths]
        return [(len(list(equal)), self._fit(width)) for width, equal in groupby(quantised)]

    def _fit(self, width: int) -> int:
        group = min(self.group_width, width)
        return max(group, int(width + group / 2) // group * group)


class RegNet(SearchSpace[Widths]):
    """RegNetX (`squeeze=False`) or RegNetY, for ImageNet. Text form: `d22-w24+24.48x2.54-g16`."""

    def __init__(self, squeeze: bool = False) -> None:
        self.squeeze = squeeze
        self.name, self.input_shape = "regnet_y" if squeeze else "regnet_x", (3, 224, 224)
        self.variables = (
            Variable("depth", tuple(range(12, 65)), ordered=True),
            Variable("initial", tuple(range(8, 257, 8)), ordered=True),
            Variable("slope", tuple(hundredths / 100 for hundredths in range(800, 25601)), ordered=True),
            Variable("multiplier", tuple(hundredths / 100 for hundredths in range(150, 301)), ordered=True),
            Variable("group_width", _GROUP_WIDTHS, ordered=True),
        )

    def values_of(self, genotype: Widths) -> tuple[Value, ...]:
        """The five parameters."""
        g = genotype
        return (g.depth, g.initial, g.slope, g.multiplier, g.group_width)

    def from_values(self, values: tuple[Value, ...]) -> Widths:
        """Five parameters; at most four stages, as RegNet has."""
        depth, initial, slope, multiplier, group_width = values
        widths = Widths(int(depth), int(initial), float(slope), float(multiplier), int(group_width))
        if not 1 < len(widths.stages()) <= 4:
            raise SpaceError(f"{self.name}: {len(widths.stages())} stages, not two to four")
        return widths

    def format(self, genotype: Widths) -> str:
        """`d22-w24+24.48x2.54-g16`."""
        g = genotype
        return f"d{g.depth}-w{g.initial}+{g.slope:g}x{g.multiplier:g}-g{g.group_width}"

    def parse(self, text: str) -> Widths:
        """Read the text form; `SpaceError` names the parameter that does not fit."""
        match = re.fullmatch(r"d(\d+)-w(\d+)\+(\d+\.?\d*)x(\d+\.?\d*)-g(\d+)", text.strip())
        if match is None:
            raise SpaceError(
                f"{self.name}: {text!r} must read dDEPTH-wW0+WAxWM-gGROUP, as d22-w24+24.48x2.54-g16"
            )
        depth, initial, slope, multiplier, group = match.groups()
        values = (int(depth), int(initial), float(slope), float(multiplier), int(group))
        return self.decode([v.index(value) for v, value in zip(self.variables, values, strict=True)])

    def sample(self, generator: torch.Generator) -> Widths:
        """Within the constraints of RegNetX: 12 ≤ d ≤ 28, w_m ≥ 2; w_0 and w_a log-uniform."""
        while True:
            depth, group = 12 + _below(17, generator), _GROUP_WIDTHS[_below(len(_GROUP_WIDTHS), generator)]
            initial, slope = (8 * math.exp(math.log(32) * _unit(generator)) for _ in range(2))
            multiplier = (200 + _below(101, generator)) / 100
            drawn = (depth, 8 * round(initial / 8), round(100 * slope) / 100, multiplier, group)
            try:
                return self.from_values(drawn)
            except SpaceError:
                continue

    def build(self, genotype: Widths) -> nn.Module:
        """The network, a thousand classes."""
        layers, inputs = conv_bn_relu(3, 32, 3, 2), 32
        for depth, width in genotype.stages():
            stage = Stage(depth, width, 2, 1.0, width // min(genotype.group_width, width))
            for place in range(depth):
                squeezed = round(0.25 * inputs) if self.squeeze else 0
                layers += block_layers("bottleneck", stage, inputs, 2 if place == 0 else 1, squeezed)
                inputs = width
        return nn.Sequential(*layers, Classifier(inputs, 1000))


def _below(limit: int, generator: torch.Generator) -> int:
    return int(torch.randint(limit, (), generator=generator))


def _unit(generator: torch.Generator) -> float:
    return float(torch.rand((), generator=generator))
