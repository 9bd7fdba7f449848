"""Which values of a captured graph are computed from an input, and which from parameters alone."""

from __future__ import annotations

from collections.abc import Iterable

from torch import fx

from fxscore.capture.operators import AS_SECOND, LIKE
from fxscore.errors import CaptureError

_ZEROS = frozenset({"zeros_like", "new_zeros"})


class ConstantOutputError(CaptureError):
    """The output does not depend on the input."""


def check_dependence(graph: fx.Graph) -> None:
    """Refuse a network whose output does not depend on its input, if it takes one whose values count.

    Zeros shaped like a value (`zeros_like`, `new_zeros`) are a cut edge, the `none` of cell spaces, where a weighted
    operator follows: an architecture like any other, with the same score as `0 * x`.

    Raises:
        ConstantOutputError: it depends on no input, or on an input's shape alone.
    """
    reached: set[fx.Node] = set()  # depends on an input
    cut: set[fx.Node] = set()  # depends on zeros in an input's shape
    taken = False
    for node in graph.nodes:
        is_input = node.op == "placeholder" or node.meta.get("is_input", False)
        taken = taken or is_input
        name = getattr(node.target, "__name__", node.target)
        sources = node.all_input_nodes[:1] if name in AS_SECOND else node.all_input_nodes
        below = not reached.isdisjoint(sources)
        if name in _ZEROS and below:
            cut.add(node)
        elif is_input or (name not in LIKE and below):
            reached.add(node)
        elif not cut.isdisjoint(sources):
            weighted = any(source.meta.get("is_parameter") for source in sources)
            (reached if weighted else cut).add(node)
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
        if node.op == "placeholder" or node.meta.get("is_input") or not from_input.isdisjoint(inputs):
            from_input.add(node)
        elif node.meta.get("is_parameter") or not weights.isdisjoint(inputs):
            weights.add(node)
    return weights, from_input
