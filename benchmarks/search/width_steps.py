"""How far the widths of a network's layers step from one to the next."""

from __future__ import annotations

from torch import nn

WIDEST = 16  # a step that nobody questions; of wider ones, training shows no gain (`benchmarks.search.wide_layers`)


def widest_step(network: nn.Module) -> tuple[int, int]:
    """Channels in and out of the convolution, behind the first, that changes them by the largest factor."""
    convs = [part for part in network.modules() if isinstance(part, nn.Conv2d) and part.groups == 1][1:]
    steps = [(conv.in_channels, conv.out_channels) for conv in convs]
    return max(steps, key=factor)


def factor(step: tuple[int, int]) -> float:
    """By how much a step changes the width, either way."""
    return max(step) / min(step)
