"""Families that are neither plain stacks of convolutions nor of tokens: random graphs, MLPs, recurrent networks."""

from __future__ import annotations

import random
from dataclasses import replace

import torch
from torch import Tensor, nn

from fxscore.spaces.layers import Residual
from fxscore.spaces.wild.choices import Choices
from fxscore.spaces.wild.layers import (
    activation,
    classifier,
    conv_unit,
    halve,
    halved,
    head,
    stem,
    vector_norm,
)
from fxscore.spaces.wild.registry import family
from fxscore.spaces.wild.tokens import TokenNorm


class RandomGraph(nn.Module):
    """Nodes in order, each fed by earlier ones as a seeded draw decides; the last joins all that feed no other.

    Each node is a k×k convolution, a separable one, or a pool; it joins its inputs by their sum, or concatenated and
    brought back to `width` by a 1×1 convolution.
    """

    def __init__(self, c: Choices, width: int) -> None:
        super().__init__()
        draw = random.Random(c.wiring)
        self.sources = [
            sorted({draw.randrange(node + 1) for _ in range(draw.choice((1, 1, 2, 3)))})
            for node in range(c.depth)
        ]
        fed = {source for sources in self.sources for source in sources}
        self.loose = [node for node in range(1, c.depth + 1) if node not in fed]
        self.concat = c.merge == "concat"
        self.nodes = nn.ModuleList(
            self._node(c, width, draw.choice(("conv", "conv", "separable", "pool"))) for _ in self.sources
        )
        joins = [*self.sources, self.loose]
        self.joins = nn.ModuleList(self._join(c, width, len(join)) for join in joins)

    def _node(self, c: Choices, width: int, kind: str) -> nn.Module:
        if kind == "pool":
            return nn.AvgPool2d(3, 1, 1)
        if kind == "conv":
            return nn.Sequential(*conv_unit(c, width, width, c.kernel))
        return nn.Sequential(*conv_unit(c, width, width, c.kernel, 1, width), *conv_unit(c, width, width, 1))

    def _join(self, c: Choices, width: int, count: int) -> nn.Module:
        if not self.concat or count == 1:
            return nn.Identity()
        return nn.Sequential(*conv_unit(c, count * width, width, 1))

    def _joined(self, join: nn.Module, maps: list[Tensor]) -> Tensor:
        if self.concat and len(maps) > 1:
            return torch.as_tensor(join(torch.cat(maps, 1)))
        total = maps[0]
        for other in maps[1:]:
            total = total + other
        return total

    def forward(self, x: Tensor) -> Tensor:
        """(N, width, H, W) to the same shape."""
        known = [x]
        for node, join, sources in zip(self.nodes, self.joins, self.sources, strict=False):
            known.append(node(self._joined(join, [known[source] for source in sources])))
        return self._joined(self.joins[-1], [known[node] for node in self.loose])


@family(
    "random_graph",
    "width",
    "depth",
    "stages",
    "kernel",
    "stem",
    "down",
    "norm",
    "activation",
    "pool",
    "hidden",
    "merge",
    "wiring",
)
def random_graph(c: Choices) -> nn.Module:
    """Randomly wired graphs (in the spirit of Xie 2019), `stages` of them, the map halved between them."""
    layers, side = stem(c, c.width)
    for place in range(c.stages):
        layers.append(RandomGraph(replace(c, wiring=100 * place + c.wiring), c.width))
        if place + 1 < c.stages and side >= 4:
            layers += halve(c, c.width)
            side = halved(side, 2)
    return nn.Sequential(*layers, *head(c, c.width, side))


@family("mlp", "width", "growth", "depth", "norm", "activation", "residual", "order")
def mlp(c: Choices) -> nn.Module:
    """Fully connected layers over all pixels; `growth` is applied at every layer, downwards."""
    layers: list[nn.Module] = [nn.Flatten()]
    inputs, width = c.side * c.side, c.width
    for _ in range(c.depth):
        layers.append(_dense_step(c, inputs, width))
        inputs, width = width, max(4, int(width / c.growth))
    return nn.Sequential(*layers, *classifier(c, inputs))


def _dense_step(c: Choices, inputs: int, outputs: int) -> nn.Module:
    linear, normed, active = nn.Linear(inputs, outputs), vector_norm(c, outputs), activation(c)
    body = (
        nn.Sequential(linear, normed, active) if c.order == "pre" else nn.Sequential(linear, active, normed)
    )
    return Residual(body) if c.residual and inputs == outputs else body


class OverRows(nn.Module):
    """A recurrent network that reads an image row by row."""

    def __init__(self, c: Choices) -> None:
        super().__init__()
        kinds = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}
        inputs = c.width if c.project else c.side
        self.project = nn.Sequential(nn.Linear(c.side, inputs), activation(c)) if c.project else nn.Identity()
        self.cell = kinds[c.cell](inputs, c.width, c.stages, batch_first=True, bidirectional=c.both_ways)
        self.pool, features = c.pool, c.width * (1 + c.both_ways)
        self.norm = TokenNorm(c, features)
        self.head = nn.Sequential(*classifier(c, features * c.side if c.pool == "flatten" else features))

    def forward(self, x: Tensor) -> Tensor:
        """(N, 1, H, W) to (N, classes)."""
        states = self.norm(self.cell(self.project(x[:, 0]))[0])
        pooled = {
            "avg": lambda: states.mean(1),
            "max": lambda: states[:, -1],
            "flatten": lambda: states.flatten(1),
        }
        return torch.as_tensor(self.head(pooled[self.pool]()))


@family(
    "recurrent", "width", "stages", "cell", "both_ways", "project", "norm", "activation", "pool", "hidden"
)
def recurrent(c: Choices) -> nn.Module:
    """Rows in order through `stages` recurrent layers; `pool` max stands for the last state."""
    return OverRows(c)
