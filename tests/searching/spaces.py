"""A space of tiny networks and a scorer that costs nothing, both importable by workers."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

from torch import nn

from fxscore.scorer import Subject
from fxscore.spaces import SearchSpace, Value, Variable
from fxscore.types import Shape


class Tiny(SearchSpace[tuple[Value, ...]]):
    """Depth and width are ordered, kernel and norm are not."""

    name = "tiny"
    input_shape = (3, 12, 12)
    variables = (
        Variable("depth", (1, 2, 3, 4, 5, 6), ordered=True),
        Variable("width", tuple(range(2, 42, 2)), ordered=True),
        Variable("kernel", (1, 3, 5)),
        Variable("norm", ("batch", "none")),
    )

    def build(self, genotype: tuple[Value, ...]) -> nn.Module:
        depth, width, kernel, norm = genotype
        layers: list[nn.Module] = []
        channels = 3
        for _ in range(int(depth)):
            layers += [nn.Conv2d(channels, int(width), int(kernel), padding=int(kernel) // 2), nn.ReLU()]
            layers += [nn.BatchNorm2d(int(width))] if norm == "batch" else []
            channels = int(width)
        return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 10))


class Brittle(Tiny):
    """Does not build at a kernel of 5, and ends its process at depth 6."""

    name = "brittle"

    def build(self, genotype: tuple[Value, ...]) -> nn.Module:
        depth, _, kernel, _ = genotype
        if kernel == 5:
            raise ZeroDivisionError("no kernel of five")
        if depth == 6:
            os._exit(3)
        return super().build(genotype)


@dataclass(frozen=True)
class Taste:
    """Likes 30 channels, kernel 3 and depth; notes each network that it looks at."""

    log: str | None = None
    sleep: float = 0.0
    interrupt_after: int = 0
    batch: None = None
    needs_weights: bool = False

    @property
    def scorer_id(self) -> str:
        return "taste"

    def shape_for(self, input_shape: Shape) -> Shape:
        return input_shape

    def score(self, subject: Subject) -> float:
        convs = [layer for layer in subject.module.modules() if isinstance(layer, nn.Conv2d)]
        if subject.input_shape != Tiny.input_shape:
            return 0.0  # the network of the warm-up
        time.sleep(self.sleep)
        self._note(subject)
        width, kernel = convs[0].out_channels, convs[0].kernel_size[0]
        return len(convs) - abs(width - 30) / 10 - abs(kernel - 3) + 0.1 / 3

    def _note(self, subject: Subject) -> None:
        if self.log is not None:
            with Path(self.log).open("a") as stream:
                stream.write(f"{sum(p.numel() for p in subject.module.parameters())}\n")
            if self.interrupt_after and len(Path(self.log).read_text().splitlines()) == self.interrupt_after:
                raise KeyboardInterrupt


def noted(log: Path) -> list[int]:
    """Parameters of the networks that were scored."""
    return list(map(int, log.read_text().split())) if log.exists() else []
