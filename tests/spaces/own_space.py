"""A user's own space, as the README shows it: what the defaults of the base class must carry."""

from __future__ import annotations

from torch import nn

from fxscore.spaces import SearchSpace, Value, Variable


class Plain(SearchSpace[tuple[Value, ...]]):
    name = "plain"
    input_shape = (3, 16, 16)
    variables = (
        Variable("width", (8, 16, 32), ordered=True),
        Variable("norm", ("batch", "none")),
    )

    def build(self, genotype: tuple[Value, ...]) -> nn.Module:
        width, norm = genotype
        layers = [
            nn.Conv2d(3, int(width), 3),
            nn.BatchNorm2d(int(width)) if norm == "batch" else nn.Identity(),
        ]
        return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(int(width), 10))
