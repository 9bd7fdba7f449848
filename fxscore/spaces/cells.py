"""Networks of normal and reduction cells, after DARTS (Liu et al., ICLR 2019).

A cell takes the outputs of the two cells before it (nodes 0 and 1), each brought to the cell's width by
ReLU-conv1×1-BN (by a factorised reduction where the cell before last was larger). Every further node adds
two operations on earlier nodes; the cell's output concatenates some of its nodes. In a reduction cell
operations on nodes 0 and 1 have stride 2. The width doubles at a third and at two thirds of the depth.
Auxiliary heads are left out: they end with training.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from fxscore.errors import SpaceError
from fxscore.spaces.layers import Classifier, FactorizedReduction, Zero, conv_bn, relu_conv_bn

Edge = tuple[str, int]


@dataclass(frozen=True)
class CellPlan:
    """A cell: two (operation, source node) per inner node, and the nodes that its output joins."""

    edges: tuple[Edge, ...]
    concat: tuple[int, ...]

    def __str__(self) -> str:
        """`op~source+op~source` per node, nodes joined by `|`, and `>` before the joined nodes."""
        texts = [f"{operation}~{source}" for operation, source in self.edges]
        nodes = ("+".join(texts[i : i + 2]) for i in range(0, len(texts), 2))
        return f"{'|'.join(nodes)}>{','.join(map(str, self.concat))}"


def parse_cell(text: str, operations: Sequence[str], nodes: int) -> CellPlan:
    """Read the text of a cell of `nodes` inner nodes; raises `SpaceError` that names what is wrong."""
    body, _, joined = text.partition(">")
    pairs = re.findall(r"(\w+)~(\d+)", body)
    if not re.fullmatch(r"\d+(,\d+)*", joined) or len(pairs) != 2 * nodes:
        raise SpaceError(f"cell {text!r} must read op~i+op~j for {nodes} nodes, joined by |, then >i,j,…")
    plan = CellPlan(tuple((name, int(source)) for name, source in pairs), tuple(map(int, joined.split(","))))
    if str(plan) != text:
        raise SpaceError(f"cell {text!r} must read {plan}")
    return checked(plan, operations)


def checked(plan: CellPlan, operations: Sequence[str]) -> CellPlan:
    """The plan itself; raises `SpaceError` for an unknown operation or a node that is not there yet."""
    for place, (operation, source) in enumerate(plan.edges):
        if operation not in operations:
            raise SpaceError(f"operation {operation!r} is not one of {', '.join(operations)}")
        if not 0 <= source < place // 2 + 2:
            raise SpaceError(
                f"node {place // 2 + 2} cannot take node {source}, which does not come before it"
            )
    last = len(plan.edges) // 2 + 1
    if not plan.concat or any(not 0 <= node <= last for node in plan.concat):
        raise SpaceError(f"the output joins nodes {plan.concat}; the cell has nodes 0 to {last}")
    return plan


def _separable(width: int, kernel: int, stride: int, dilation: int = 1) -> list[nn.Module]:
    padding = dilation * (kernel - 1) // 2
    depthwise = nn.Conv2d(width, width, kernel, stride, padding, dilation, width, bias=False)
    return [nn.ReLU(), depthwise, *conv_bn(width, width, 1)]


def _factorised(width: int, kernel: int, stride: int) -> nn.Module:
    """1×k and k×1, one after the other."""
    half = kernel // 2
    across = nn.Conv2d(width, width, (1, kernel), (1, stride), (0, half), bias=False)
    down = nn.Conv2d(width, width, (kernel, 1), (stride, 1), (half, 0), bias=False)
    return nn.Sequential(nn.ReLU(), across, down, nn.BatchNorm2d(width))


def _average(kernel: int, stride: int) -> nn.Module:
    return nn.AvgPool2d(kernel, stride, kernel // 2, count_include_pad=False)


def _twice(width: int, kernel: int, stride: int, dilation: int = 1) -> nn.Module:
    first, second = (_separable(width, kernel, s, dilation) for s in (stride, 1))
    return nn.Sequential(*first, *second)


OPERATIONS: dict[str, Callable[[int, int], nn.Module]] = {
    "none": lambda width, stride: Zero(width, width, stride),
    "skip_connect": lambda width, stride: (
        nn.Identity() if stride == 1 else FactorizedReduction(width, width, stride)
    ),
    "avg_pool_3x3": lambda width, stride: _average(3, stride),
    "max_pool_3x3": lambda width, stride: nn.MaxPool2d(3, stride, 1),
    "max_pool_5x5": lambda width, stride: nn.MaxPool2d(5, stride, 2),
    "max_pool_7x7": lambda width, stride: nn.MaxPool2d(7, stride, 3),
    "conv_1x1": lambda width, stride: relu_conv_bn(width, width, 1, stride),
    "conv_3x3": lambda width, stride: relu_conv_bn(width, width, 3, stride),
    "conv_3x1_1x3": lambda width, stride: _factorised(width, 3, stride),
    "conv_7x1_1x7": lambda width, stride: _factorised(width, 7, stride),
    "sep_conv_3x3": lambda width, stride: _twice(width, 3, stride),
    "sep_conv_5x5": lambda width, stride: _twice(width, 5, stride),
    "sep_conv_7x7": lambda width, stride: _twice(width, 7, stride),
    "dil_conv_3x3": lambda width, stride: nn.Sequential(*_separable(width, 3, stride, 2)),
    "dil_conv_5x5": lambda width, stride: nn.Sequential(*_separable(width, 5, stride, 2)),
    "dil_sep_conv_3x3": lambda width, stride: _twice(width, 3, stride, 2),
}


class CellModule(nn.Module):
    """One cell at a width; `before_last` and `last` are the widths of its inputs."""

    def __init__(
        self, plan: CellPlan, before_last: int, last: int, width: int, reduction: bool, reduced_before: bool
    ) -> None:
        super().__init__()
        self.sources = tuple(source for _, source in plan.edges)
        self.concat = plan.concat
        fit = (
            FactorizedReduction(before_last, width, 2)
            if reduced_before
            else relu_conv_bn(before_last, width, 1)
        )
        self.preprocess = nn.ModuleList([fit, relu_conv_bn(last, width, 1)])
        strides = [2 if reduction and source < 2 else 1 for source in self.sources]
        names = (name for name, _ in plan.edges)
        self.edges = nn.ModuleList(OPERATIONS[name](width, s) for name, s in zip(names, strides, strict=True))

    def forward(self, before_last: Tensor, last: Tensor) -> Tensor:
        """(N, ·, H, W) twice to (N, len(concat) · width, H, W), halved in a reduction cell."""
        nodes = [fit(x) for fit, x in zip(self.preprocess, (before_last, last), strict=True)]
        for i in range(0, len(self.sources), 2):
            first = self.edges[i](nodes[self.sources[i]])
            second = self.edges[i + 1](nodes[self.sources[i + 1]])
            nodes.append(first + second)
        return torch.cat([nodes[node] for node in self.concat], 1)


class CellNetwork(nn.Module):
    """Stem, `depth` cells and a linear classifier."""

    def __init__(
        self, normal: CellPlan, reduce: CellPlan, width: int, depth: int, classes: int, imagenet: bool = False
    ) -> None:
        super().__init__()
        first = width if imagenet else 3 * width
        self.stem = (
            _imagenet_stem(width) if imagenet else nn.ModuleList([nn.Sequential(*conv_bn(3, first, 3))])
        )
        self.cells = nn.ModuleList()
        before_last, last, reduced_before = first, first, imagenet
        for place in range(depth):
            reduction = place in (depth // 3, 2 * depth // 3)
            width *= 2 if reduction else 1
            plan = reduce if reduction else normal
            self.cells.append(CellModule(plan, before_last, last, width, reduction, reduced_before))
            before_last, last, reduced_before = last, len(plan.concat) * width, reduction
        self.classifier = Classifier(last, classes)

    def forward(self, x: Tensor) -> Tensor:
        """(N, 3, H, W) to (N, classes)."""
        before_last = self.stem[0](x)
        last = self.stem[1](before_last) if len(self.stem) == 2 else before_last
        for cell in self.cells:
            before_last, last = last, cell(before_last, last)
        logits: Tensor = self.classifier(last)
        return logits


def _imagenet_stem(width: int) -> nn.ModuleList:
    """Three convolutions of stride 2; nodes 0 and 1 of the first cell are the second's and the third's."""
    first = nn.Sequential(*conv_bn(3, width // 2, 3, 2), nn.ReLU(), *conv_bn(width // 2, width, 3, 2))
    return nn.ModuleList([first, relu_conv_bn(width, width, 3, 2)])
