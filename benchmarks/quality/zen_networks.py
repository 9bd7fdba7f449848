"""Networks of Zen-NAS's space from narrow to wide, drawn for the table of their trainings (`wild_training`).

`ZenResNet.sample` draws what the paper's search begins with, all alike. Here widths spread over two orders of
magnitude, each drawn alone, so that layers step from 8 channels to hundreds as searches of this space make them, and
stay level. Ranges and limits were fixed before any of these networks was scored or trained.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch.utils.flop_counter import FlopCounterMode

from fxscore.spaces.zen_resnet import Block, Chain, ZenResNet

SPACE = ZenResNet(classes=10)
LEAST_PARAMETERS, MOST_PARAMETERS = 10_000, 1_000_000
MOST_MACS = 100_000_000
_KINDS, _KERNELS = ("KXKX", "K1KXK1"), (3, 5, 7)
_STEP = 8  # of all widths in the space


def networks(seed: int) -> Iterator[str]:
    """Texts of different networks within the limits, without end."""
    generator, known = torch.Generator().manual_seed(seed), set[str]()
    while True:
        chain = draw(generator)
        text = SPACE.format(chain)
        if text not in known and fits(chain):
            known.add(text)
            yield text


def draw(generator: torch.Generator) -> Chain:
    """One to six super-blocks of one to three sub-layers, each choice alone; three halve the map at most."""

    def among(count: int) -> int:
        return int(torch.randint(count, (), generator=generator))

    def width(octaves: float) -> int:
        return _STEP * round(2 ** (octaves * float(torch.rand((), generator=generator))))

    count = 1 + among(6)
    halving = torch.randperm(count, generator=generator).tolist()[: among(4)]
    blocks = [
        Block(
            kind=_KINDS[among(2)],
            kernel=_KERNELS[among(3)],
            stride=2 if place in halving else 1,
            channels=width(6.5),
            bottleneck=width(4),
            sub_layers=1 + among(3),
        )
        for place in range(count)
    ]
    return Chain(width(5), tuple(blocks), width(6))


def fits(chain: Chain) -> bool:
    """Whether a network is within the limits."""
    params = SPACE.count_parameters(chain)
    return LEAST_PARAMETERS <= params <= MOST_PARAMETERS and macs_of(chain) <= MOST_MACS


def macs_of(chain: Chain) -> int:
    """Multiply-accumulates of one image, by a dry run without values."""
    with torch.device("meta"), torch.no_grad(), FlopCounterMode(display=False) as counter:
        SPACE.build(chain).eval()(torch.empty(1, *SPACE.input_shape))
    return int(counter.get_total_flops()) // 2
