"""A cell of NAS-Bench-201: four nodes, and on each of the six edges one of five operators.

X. Dong, Y. Yang, *NAS-Bench-201: Extending the Scope of Reproducible Neural Architecture Search*, 2020
(arXiv:2001.00326). The cell below is among the most accurate of the benchmark; its text is written as there:
node 1 + node 2 + node 3, each a list of `operator~source node`. Change it and see what the score does.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

INPUT_SHAPE = (3, 32, 32)
CELL = "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_3x3~1|nor_conv_1x1~2|"


class Zero(nn.Module):
    """No edge at all."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.zeros_like(x)


def relu_conv_bn(inputs: int, outputs: int, kernel: int, stride: int = 1) -> nn.Module:
    conv = nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2, bias=False)
    return nn.Sequential(nn.ReLU(), conv, nn.BatchNorm2d(outputs))


def operator(name: str, channels: int) -> nn.Module:
    """The operator of an edge by its benchmark name."""
    if name == "nor_conv_3x3":
        return relu_conv_bn(channels, channels, 3)
    if name == "nor_conv_1x1":
        return relu_conv_bn(channels, channels, 1)
    if name == "avg_pool_3x3":
        return nn.AvgPool2d(3, stride=1, padding=1, count_include_pad=False)
    return {"skip_connect": nn.Identity, "none": Zero}[name]()


class Cell(nn.Module):
    """Each node is the sum of its incoming edges; the last node is the output."""

    def __init__(self, text: str, channels: int) -> None:
        super().__init__()
        self.nodes = nn.ModuleList()
        self.sources: list[list[int]] = []
        for node in text.split("+"):
            edges = [edge.split("~") for edge in node.strip("|").split("|")]
            self.nodes.append(nn.ModuleList(operator(name, channels) for name, _ in edges))
            self.sources.append([int(source) for _, source in edges])

    def forward(self, x: Tensor) -> Tensor:
        values = [x]
        for edges, sources in zip(self.nodes, self.sources, strict=True):
            assert isinstance(edges, nn.ModuleList)
            incoming = [edge(values[source]) for edge, source in zip(edges, sources, strict=True)]
            values.append(sum(incoming[1:], start=incoming[0]))
        return values[-1]


class Reduction(nn.Module):
    """The residual block between stages: half the resolution, twice the channels."""

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            relu_conv_bn(inputs, 2 * inputs, 3, stride=2), relu_conv_bn(2 * inputs, 2 * inputs, 3)
        )
        self.shortcut = nn.Sequential(nn.AvgPool2d(2), nn.Conv2d(inputs, 2 * inputs, 1, bias=False))

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.body(x) + self.shortcut(x)
        return out


def build() -> nn.Module:
    """The whole network of the benchmark: three stages of five cells, 16 channels at first."""
    layers: list[nn.Module] = [nn.Conv2d(INPUT_SHAPE[0], 16, 3, padding=1, bias=False), nn.BatchNorm2d(16)]
    for channels in (16, 32, 64):
        if channels > 16:
            layers.append(Reduction(channels // 2))
        layers += [Cell(CELL, channels) for _ in range(5)]
    layers += [nn.BatchNorm2d(64), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    return nn.Sequential(*layers, nn.Linear(64, 10))
