"""Activations that are written out become the activation that they are: what a function does decides, not its name."""

from __future__ import annotations

from torch import fx

from fxscore.passes.base import PassBase, PassResult
from fxscore.passes.functions.expression import (
    ACTIVATIONS,
    COMPARISONS,
    Region,
    expression_of,
    is_elementwise,
    regions,
)
from fxscore.passes.functions.grid import Activation, known_activation


class NameFunctionsPass(PassBase):
    """Replaces connected elementwise operators of one value by the known activation that they compute.

    Source: METHOD.md section 1, design principle: identical architectures have identical representations.
    """

    def call(self, graph_module: fx.GraphModule) -> PassResult:
        order = {node: place for place, node in enumerate(graph_module.graph.nodes)}
        modified = False
        for node in list(graph_module.graph.nodes):
            if not _may_be_written_out(node):
                continue
            found = _largest_known(node, order, graph_module)
            if found is not None:
                order[_replace(*found)] = order[node]
                modified = True
        return PassResult(graph_module, modified)


def _may_be_written_out(node: fx.Node) -> bool:
    """An activation by itself is spelled already; behind another operator both may be one: ReLU6 of ReLU is ReLU6."""
    if node.target in ACTIVATIONS:
        return any(is_elementwise(source) for source in node.all_input_nodes)
    return node.target not in COMPARISONS and is_elementwise(node)


def _largest_known(
    node: fx.Node, order: dict[fx.Node, int], graph_module: fx.GraphModule
) -> tuple[Region, Activation] | None:
    """The most that ends in `node` and is one activation: of `clamp(relu(x), max=6)` all, not the clamp alone."""
    largest = None
    for region in regions(node, order):
        expression = expression_of(region, graph_module)
        known = None if expression is None else known_activation(expression)
        if known is not None and (known[0] is not node.target or len(region.nodes) > 1):
            largest = region, known
    return largest


def _replace(region: Region, known: Activation) -> fx.Node:
    function, args, options = known
    node = region.nodes[0]
    with node.graph.inserting_before(node):
        activation = node.graph.call_function(function, (region.source, *args), options)
    activation.meta.update(val=node.meta["val"], represented=True)
    node.replace_all_uses_with(activation)
    for unused in region.nodes:
        if not unused.users:
            node.graph.erase_node(unused)
    return activation
