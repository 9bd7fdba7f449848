"""The course of a convolutional network: a stem, blocks of which some halve the map, a head."""

from __future__ import annotations

from collections.abc import Callable

from torch import nn

from fxscore.spaces.wild.choices import Choices
from fxscore.spaces.wild.layers import halved, head, pool_before, stem

Block = Callable[[Choices, int, int, int], nn.Module]  # (choices, inputs, outputs, stride)
_EVEN = 8  # channels beyond it are multiples of it, so that they divide into groups


def halving_blocks(c: Choices) -> set[int]:
    """Which of the blocks halve the map."""
    depth = c.depth
    places = {
        "none": set(),
        "middle": {depth // 2},
        "early": {0, 1},
        "even": {depth // 3, 2 * depth // 3},
        "late": {depth - 2, depth - 1},
        "every": set(range(depth)),
    }
    return {place for place in places[c.strides] if 0 <= place < depth}


def grown(c: Choices, width: int) -> int:
    """The channels after a downsampling."""
    if c.growth == 1:
        return width
    wider = int(width * c.growth)
    return wider if wider < _EVEN else wider // _EVEN * _EVEN


def network(c: Choices, block: Block, width: int | None = None) -> nn.Sequential:
    """The whole network from its kind of block; `width` in place of the chosen one."""
    channels = width or c.width
    layers, side = stem(c, channels)
    blocks, channels, side = course(c, block, channels, side)
    return nn.Sequential(*layers, *blocks, *head(c, channels, side))


def course(c: Choices, block: Block, channels: int, side: int) -> tuple[list[nn.Module], int, int]:
    """(blocks, channels and side after them); a map of fewer than four pixels a side is halved no further."""
    layers: list[nn.Module] = []
    halving = halving_blocks(c)
    for place in range(c.depth):
        stride, outputs = 1, channels
        if place in halving and side >= 4:
            outputs, side = grown(c, channels), halved(side, 2)
            stride = 2 if c.down == "stride" else 1
            layers += [] if stride == 2 else [pool_before(c)]
        layers.append(block(c, channels, outputs, stride))
        channels = outputs
    return layers, channels, side
