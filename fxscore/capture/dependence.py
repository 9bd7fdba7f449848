"""Which values of a captured graph are computed from an input, and which from parameters alone."""

from __future__ import annotations

from collections.abc import Iterable

from torch import fx

from fxscore.capture.operators import SHAPES_ONLY
from fxscore.errors import CaptureError


class ConstantOutputError(CaptureError):
    """The output does not depend on the input."""


def check_dependence(graph: fx.Graph) -> None:
    """Refuse a network whose output does not depend on its input, if it takes one whose values count.

    Raises:
        ConstantOutputError: it depends on no input, or on an input's shape alone.
    """
    reached: set[fx.Node] = set()
    taken = False
    for node in graph.nodes:
        is_input = node.op == "placeholder" or node.meta.get("is_input", False)
        taken = taken or is_input
        passes_on = getattr(node.target, "__name__", node.target) not in SHAPES_ONLY
        if is_input or (passes_on and any(source in reached for source in node.all_input_nodes)):
            reached.add(node)
    if taken and node not in reached:
        raise ConstantOutputError(
            "the output does not depend on the input: it is made of constants alone, so there is nothing to score"
        )


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
