"""The ResNet-like space of Zen-NAS (Lin et al., ICCV 2021), searched in the paper's section III-E.

A network is conv3×3-BN-ReLU, a chain of residual super-blocks, conv1×1-BN-ReLU, global average and linear.
A sub-layer of SuperResKXKX is one residual block of two k×k convolutions; a sub-layer of SuperResK1KXK1 is two
residual blocks of 1×1, k×k, 1×1. The first convolution narrows to the bottleneck width, the last widens; the
stride is the first block's. The shortcut of a super-block's first residual block is always a conv1×1 (with bias)
and BN, later ones are the input itself. METHOD.md section 6: sub-layers add up to 18 at most; search limits
the parameters, which `count_parameters` gives without building.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import nn

from fxscore.errors import SpaceError
from fxscore.spaces.base import SearchSpace, Value, Variable
from fxscore.spaces.layers import Classifier, Residual, conv_bn_relu

CHANNELS, BOTTLENECKS = tuple(range(8, 2049, 8)), tuple(range(8, 257, 8))
MAX_SUB_LAYERS = 18

_KINDS = ("KXKX", "K1KXK1")
_CALL = re.compile(r"(\w+?)\(([\d,]+)\)")
_BLOCK = re.compile(r"SuperRes(?:K([357])K\1|K1K([357])K1)")
_GENES = {
    "active": Variable("active", (0, 1)),
    "kind": Variable("kind", _KINDS),
    "kernel": Variable("kernel", (3, 5, 7)),
    "stride": Variable("stride", (1, 2)),
    "channels": Variable("channels", CHANNELS, ordered=True),
    "bottleneck": Variable("bottleneck", BOTTLENECKS, ordered=True),
    "sub_layers": Variable("sub_layers", tuple(range(1, 10)), ordered=True),
}
_SPARE: tuple[Value, ...] = (0, "KXKX", 3, 1, 64, 32, 1)  # what an inactive slot holds


@dataclass(frozen=True)
class Block:
    """A super-block: `kind` KXKX or K1KXK1, kernel, stride, output and bottleneck widths, sub-layers."""

    kind: str
    kernel: int
    stride: int
    channels: int
    bottleneck: int
    sub_layers: int

    def text(self, inputs: int) -> str:
        """Zen-NAS's text, such as `SuperResK1K7K1(88,120,1,16,1)`."""
        k = self.kernel
        name = f"SuperResK{k}K{k}" if self.kind == "KXKX" else f"SuperResK1K{k}K1"
        return f"{name}({inputs},{self.channels},{self.stride},{self.bottleneck},{self.sub_layers})"


@dataclass(frozen=True)
class Chain:
    """Stem width, super-blocks, tail width."""

    stem: int
    blocks: tuple[Block, ...]
    tail: int


class ZenResNet(SearchSpace[Chain]):
    """Chains of at most `slots` super-blocks, for CIFAR images; the text form is Zen-NAS's own."""

    name = "zen_resnet"

    def __init__(self, classes: int = 100, slots: int = MAX_SUB_LAYERS, image_size: int = 32) -> None:
        self.classes, self.slots, self.input_shape = classes, slots, (3, image_size, image_size)
        genes = [
            Variable(f"block_{i}_{name}", gene.values, gene.ordered)
            for i in range(slots)
            for name, gene in _GENES.items()
        ]
        self.variables = (Variable("stem", CHANNELS, True), *genes, Variable("tail", CHANNELS, True))

    def values_of(self, genotype: Chain) -> tuple[Value, ...]:
        """Stem, seven genes a slot (active ones first), tail."""
        active = [
            (1, b.kind, b.kernel, b.stride, b.channels, b.bottleneck, b.sub_layers) for b in genotype.blocks
        ]
        slots = [*active, *[_SPARE] * (self.slots - len(active))]
        return (genotype.stem, *(value for slot in slots for value in slot), genotype.tail)

    def from_values(self, values: tuple[Value, ...]) -> Chain:
        """The chain of the active slots."""
        stem, *genes, tail = values
        slots = [genes[i : i + len(_GENES)] for i in range(0, len(genes), len(_GENES))]
        return self._checked(
            Chain(int(stem), tuple(_block(slot[1:]) for slot in slots if slot[0]), int(tail))
        )

    def _checked(self, chain: Chain) -> Chain:
        sub_layers = sum(block.sub_layers for block in chain.blocks)
        if not 1 <= len(chain.blocks) <= self.slots:
            raise SpaceError(f"{self.name}: {len(chain.blocks)} blocks, not 1 to {self.slots}")
        if sub_layers > MAX_SUB_LAYERS:
            raise SpaceError(f"{self.name}: {sub_layers} sub-layers, at most {MAX_SUB_LAYERS}")
        return chain

    def format(self, genotype: Chain) -> str:
        """Zen-NAS's structure text."""
        parts, inputs = [f"SuperConvK3BNRELU(3,{genotype.stem},1,1)"], genotype.stem
        for block in genotype.blocks:
            parts.append(block.text(inputs))
            inputs = block.channels
        return "".join([*parts, f"SuperConvK1BNRELU({inputs},{genotype.tail},1,1)"])

    def parse(self, text: str) -> Chain:
        """Read Zen-NAS's structure text; `SpaceError` names the part that does not fit."""
        text = text.strip()
        calls = [(name, list(map(int, numbers.split(",")))) for name, numbers in _CALL.findall(text)]
        if len(calls) < 3 or calls[0][0] != "SuperConvK3BNRELU" or calls[-1][0] != "SuperConvK1BNRELU":
            raise SpaceError(
                f"{self.name}: {text!r} must read SuperConvK3BNRELU(…)SuperRes…(…)SuperConvK1BNRELU(…)"
            )
        blocks = tuple(self._parse_block(name, numbers) for name, numbers in calls[1:-1])
        chain = Chain(calls[0][1][1], blocks, calls[-1][1][1])
        if self.format(chain) != text:
            raise SpaceError(f"{self.name}: {text!r} must read {self.format(chain)}")
        return self.decode(self.encode(self._checked(chain)))

    def _parse_block(self, name: str, numbers: Sequence[int]) -> Block:
        match = _BLOCK.fullmatch(name)
        if match is None or len(numbers) != 5:
            raise SpaceError(f"{self.name}: {name}{tuple(numbers)} is no super-block of the space")
        kind, kernel = ("KXKX", match[1]) if match[1] else ("K1KXK1", match[2])
        _, channels, stride, bottleneck, sub_layers = numbers
        return Block(kind, int(kernel), stride, channels, bottleneck, sub_layers)

    def sample(self, generator: torch.Generator) -> Chain:
        """A member of the paper's initial population.

        Channels 48 to 320, bottlenecks 32 to 80, one or two sub-layers; a slot is active one time in two,
        and at most three blocks have stride 2, as many as the network that Zen-NAS starts from.
        """

        def draw(low: int, high: int, step: int = 1) -> int:
            return low + step * int(torch.randint((high - low) // step + 1, (), generator=generator))

        blocks: list[Block] = []
        strides = [2, 2, 2, *[1] * (self.slots - 3)][: self.slots]
        order = torch.randperm(self.slots, generator=generator).tolist()
        for place in range(self.slots):
            shape = draw(48, 320, 8), draw(32, 80, 8), draw(1, 2)
            kind, kernel, active = _KINDS[draw(0, 1)], draw(3, 7, 2), draw(0, 1)
            room = MAX_SUB_LAYERS - sum(block.sub_layers for block in blocks)
            if shape[2] <= room and (active or place == 0):
                blocks.append(Block(kind, kernel, strides[order[place]], *shape))
        return Chain(draw(48, 320, 8), tuple(blocks), draw(48, 320, 8))

    def build(self, genotype: Chain) -> nn.Module:
        """The network; BatchNorm's epsilon is 1e-3, as in Zen-NAS."""
        layers, inputs = conv_bn_relu(3, genotype.stem, 3), genotype.stem
        for block in genotype.blocks:
            layers += _residual_blocks(block, inputs)
            inputs = block.channels
        network = nn.Sequential(
            *layers, *conv_bn_relu(inputs, genotype.tail, 1), Classifier(genotype.tail, self.classes)
        )
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.eps = 1e-3
        return network

    def count_parameters(self, genotype: Chain) -> int:
        """The number of learnable parameters of the network, by arithmetic."""
        total, inputs = 27 * genotype.stem + 2 * genotype.stem, genotype.stem
        for block in genotype.blocks:
            total += _block_parameters(block, inputs)
            inputs = block.channels
        tail = genotype.tail
        return total + inputs * tail + 2 * tail + tail * self.classes + self.classes

    def count_layers(self, genotype: Chain) -> int:
        """The sum of sub-layers, which is what METHOD.md section 6 limits."""
        return sum(block.sub_layers for block in genotype.blocks)


def _block(values: Sequence[Value]) -> Block:
    kind, *numbers = values
    return Block(str(kind), *map(int, numbers))


def _residual_blocks(block: Block, inputs: int) -> list[nn.Module]:
    layers: list[nn.Module] = []
    for place in range(block.sub_layers * (1 if block.kind == "KXKX" else 2)):
        stride, width = (block.stride, inputs) if place == 0 else (1, block.channels)
        shortcut = None
        if place == 0:
            projection = nn.Conv2d(inputs, block.channels, 1, stride)
            shortcut = nn.Sequential(projection, nn.BatchNorm2d(block.channels))
        layers += [Residual(_body(block, width, stride), shortcut), nn.ReLU()]
    return layers


def _body(block: Block, inputs: int, stride: int) -> nn.Module:
    narrow, k = block.bottleneck, block.kernel
    if block.kind == "KXKX":
        layers = [*conv_bn_relu(inputs, narrow, k, stride), *conv_bn_relu(narrow, block.channels, k)]
    else:
        middle = conv_bn_relu(narrow, narrow, k, stride)
        layers = [*conv_bn_relu(inputs, narrow, 1), *middle, *conv_bn_relu(narrow, block.channels, 1)]
    return nn.Sequential(*layers[:-1])  # the ReLU comes after the sum


def _block_parameters(block: Block, inputs: int) -> int:
    out, narrow, area = block.channels, block.bottleneck, block.kernel**2
    repeats = block.sub_layers * (1 if block.kind == "KXKX" else 2)
    per_input, ends = (area, area) if block.kind == "KXKX" else (1, 1)
    middle = 0 if block.kind == "KXKX" else area * narrow * narrow + 2 * narrow
    rest = 2 * narrow + middle + ends * narrow * out + 2 * out
    projection = inputs * out + out + 2 * out
    widths = inputs + (repeats - 1) * out
    return per_input * widths * narrow + repeats * rest + projection
