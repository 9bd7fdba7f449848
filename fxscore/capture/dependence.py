"""Which values of a captured graph are computed from an input, and which from parameters alone."""

from __future__ import annotations

from collections.abc import Iterable

from torch import fx


def weight_nodes(nodes: Iterable[fx.Node]) -> tuple[set[fx.Node], set[fx.Node]]:
    """(nodes computed from parameters and not from an input, nodes computed from an input)."""
    weights: set[fx.Node] = set()
    from_input: set[fx.Node] = set()
    for node in nodes:
        inputs = node.all_input_nodes
        if (
            node.op == "placeholder"
            or node.meta.get("is_input")
            or any(source in from_input for source in inputs)
        ):
            from_input.add(node)
        elif node.meta.get("is_parameter") or any(source in weights for source in inputs):
            weights.add(node)
    return weights, from_input
