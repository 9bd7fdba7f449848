"""A value contracted with a weight over named axes, as the linear layer that it is.

    y[free, out] = Σ_k x[free, k] · W[out, k]

Axes are put in this order by `permute` and joined by `reshape`, which leave no trace where they change nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any

import torch
import torch.nn.functional as F
from torch import fx

from fxscore.capture.nodes import new_call
from fxscore.capture.shapes import infer
from fxscore.passes.base import shape_of

Axes = tuple[Any, ...]


@dataclass(frozen=True)
class Contraction:
    """A product of two operands, summed over axes that both have and the result has not.

    Attributes:
        first, second: the operands.
        axes: names of the axes of the first, of the second, and of the result.
    """

    first: fx.Node
    second: fx.Node
    axes: tuple[Axes, Axes, Axes]

    def swapped(self) -> Contraction:
        """The same with its operands the other way round."""
        return Contraction(self.second, self.first, (self.axes[1], self.axes[0], self.axes[2]))

    def sizes(self) -> dict[Any, int] | None:
        """Length of every axis; None where a length of 1 meets another, or an axis stands twice in one operand."""
        found: dict[Any, int] = {}
        for node, axes in ((self.first, self.axes[0]), (self.second, self.axes[1])):
            shape = shape_of(node) or ()
            if len(set(axes)) != len(axes) or len(shape) != len(axes):
                return None
            for axis, length in zip(axes, shape, strict=True):
                if found.setdefault(axis, length) != length:
                    return None
        return found


def linear_before(node: fx.Node, contraction: Contraction, weights: set[fx.Node]) -> fx.Node | None:
    """The linear layer that has the value of `node`; None where it is none: no weight, or axes that are not summed."""
    if contraction.first in weights:
        contraction = contraction.swapped()
    sizes = contraction.sizes()
    value, weight, result = contraction.axes
    summed = tuple(axis for axis in value if axis in weight and axis not in result)
    free = tuple(axis for axis in value if axis not in summed)
    outputs = tuple(axis for axis in weight if axis not in summed)
    if contraction.second not in weights or contraction.first in weights or sizes is None or not summed:
        return None
    if sorted(map(str, result)) != sorted(map(str, (*free, *outputs))):
        return None  # an axis that both keep (a matrix for each group), or one that is summed in one alone
    rows = _arranged(node, contraction.first, value, (*free, *summed))
    rows = _reshaped(node, rows, (*(sizes[axis] for axis in free), prod(sizes[axis] for axis in summed)))
    matrix = _arranged(node, contraction.second, weight, (*outputs, *summed))
    lengths = tuple(sizes[axis] for axis in outputs)
    matrix = _reshaped(node, matrix, (prod(lengths), prod(sizes[axis] for axis in summed)))
    product = call_before(node, F.linear, rows, matrix)
    apart = _reshaped(node, product, (*(sizes[axis] for axis in free), *lengths))
    return _arranged(node, apart, (*free, *outputs), result)


def _arranged(node: fx.Node, value: fx.Node, axes: Axes, order: Axes) -> fx.Node:
    return value if axes == order else call_before(node, torch.permute, value, tuple(map(axes.index, order)))


def _reshaped(node: fx.Node, value: fx.Node, shape: tuple[int, ...]) -> fx.Node:
    return value if shape_of(value) == shape else call_before(node, torch.reshape, value, shape)


def call_before(node: fx.Node, target: Any, *args: Any) -> fx.Node:
    """A call of `target` before `node`, with the shape that it has."""
    with node.graph.inserting_before(node):
        call = new_call(node.graph, target, *args)
    call.meta["val"] = infer(target, tuple(fx.node.map_arg(args, lambda n: n.meta["val"])), {})
    return call
