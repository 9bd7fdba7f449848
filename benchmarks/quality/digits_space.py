"""A space of 1,620 small convolutional networks for digits of 8×8 pixels."""

from __future__ import annotations

from torch import Tensor, nn

from fxscore.spaces import SearchSpace, Value, Variable

CLASSES = 10


class Skip(nn.Module):
    """A body beside the identity."""

    def __init__(self, body: nn.Module) -> None:
        super().__init__()
        self.body = body

    def forward(self, x: Tensor) -> Tensor:
        """The sum of both."""
        out: Tensor = x + self.body(x)
        return out


class DigitsNet(SearchSpace[tuple[Value, ...]]):
    """A stem, `depth` blocks of one kind and width, pooling after the first block, after all, or never."""

    name = "digits"
    input_shape = (1, 8, 8)
    variables = (
        Variable("depth", (1, 2, 3, 4, 5), ordered=True),
        Variable("width", (4, 6, 8, 12, 16, 24), ordered=True),
        Variable("kernel", (1, 3, 5), ordered=True),
        Variable("block", ("plain", "separable", "bottleneck")),
        Variable("skip", (False, True)),
        Variable("pool", ("never", "first", "last")),
    )

    def build(self, genotype: tuple[Value, ...]) -> nn.Module:
        """The network."""
        depth, width, kernel, block, skip, pool = genotype
        width, kernel = int(width), int(kernel)
        layers = conv(1, width, 3)
        for place in range(int(depth)):
            body = nn.Sequential(*BLOCKS[str(block)](width, kernel))
            layers.append(Skip(body) if skip else body)
            if (pool, place) in (("first", 0), ("last", int(depth) - 1)):
                layers.append(nn.MaxPool2d(2))
        return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, CLASSES))


def conv(inputs: int, outputs: int, kernel: int, groups: int = 1) -> list[nn.Module]:
    """Convolution, normalisation, ReLU."""
    layer = nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, groups=groups, bias=False)
    return [layer, nn.BatchNorm2d(outputs), nn.ReLU()]


def plain(width: int, kernel: int) -> list[nn.Module]:
    """One k×k convolution."""
    return conv(width, width, kernel)


def separable(width: int, kernel: int) -> list[nn.Module]:
    """k×k in each channel, then 1×1 over the channels."""
    return [*conv(width, width, kernel, groups=width), *conv(width, width, 1)]


def bottleneck(width: int, kernel: int) -> list[nn.Module]:
    """1×1 to half the width, k×k there, 1×1 back."""
    return [*conv(width, width // 2, 1), *conv(width // 2, width // 2, kernel), *conv(width // 2, width, 1)]


BLOCKS = {"plain": plain, "separable": separable, "bottleneck": bottleneck}
