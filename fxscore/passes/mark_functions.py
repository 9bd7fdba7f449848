"""Elementwise functions without a name are activations too: of which kind is seen by evaluating them.

The operators of such a function are marked in `meta["function"]`: the last one with the kind of the activation
(`act_rectified`, `act_bounded`, `act_smooth`), the others with `PART`.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import fx

from fxscore.ops import sum_of
from fxscore.passes.base import PassBase, PassResult
from fxscore.passes.functions.expression import (
    ACTIVATIONS,
    COMPARISONS,
    LINEAR,
    PRODUCTS,
    Region,
    expression_of,
    is_elementwise,
    is_number,
    regions,
)
from fxscore.passes.functions.grid import kind_of_function

PART = "part"
_ACTIVATE_NOTHING: set[Any] = ACTIVATIONS | COMPARISONS | LINEAR | {sum_of}


class MarkFunctionsPass(PassBase):
    """Marks the largest functions of one value that end in an operator that bends, and are used as a whole."""

    def call(self, graph_module: fx.GraphModule) -> PassResult:
        order = {node: place for place, node in enumerate(graph_module.graph.nodes)}
        modified = False
        for node in reversed(order):
            if "function" in node.meta or not _bends(node):
                continue
            for kind, region in _functions(node, order, graph_module):
                node.meta["function"] = kind
                for part in region.nodes[1:]:
                    part.meta["function"] = PART
                modified = True
        return PassResult(graph_module, modified)


def _functions(
    node: fx.Node, order: dict[fx.Node, int], graph_module: fx.GraphModule
) -> list[tuple[str, Region]]:
    """The largest function that ends in `node`, with its kind; empty where there is none."""
    largest: list[tuple[str, Region]] = []
    for region in regions(node, order):
        inner = set(region.nodes)
        if any(user not in inner for part in region.nodes[1:] for user in part.users):
            break
        expression = expression_of(region, graph_module)
        kind = None if expression is None else kind_of_function(expression)
        if kind is not None:
            largest = [(kind, region)]
    return largest


def _bends(node: fx.Node) -> bool:
    """Whether a function may end here: not in a sum, a scale, a comparison or a guard from one side."""
    if node.target == "to":  # a comparison as numbers is a step
        return bool(node.all_input_nodes[0].meta["val"].dtype == torch.bool)
    if node.target in _ACTIVATE_NOTHING or not is_elementwise(node):
        return False
    if node.target is torch.clamp:
        return len(node.args) == 3 and None not in node.args
    values = [arg for arg in node.args if isinstance(arg, fx.Node) and not is_number(arg)]
    return node.target not in PRODUCTS or len(values) > 1
