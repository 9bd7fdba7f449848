"""What every pass shares: the form of a pass, and questions about nodes that several passes ask.

A pass is a class `VerbNounPass` with `call(graph_module) -> PassResult`; it changes the graph in place, says whether
it did, and does nothing when applied again.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import fx
from torch.fx.passes.infra.pass_base import PassBase, PassResult

from fxscore.capture.dependence import weight_nodes
from fxscore.ops import sum_of
from fxscore.types import Shape

__all__ = [
    "PassBase",
    "PassResult",
    "ancestors",
    "is_sum",
    "output_node",
    "replace",
    "shape_of",
    "weight_nodes",
]


def output_node(graph: fx.Graph) -> fx.Node:
    """The node that returns the graph's result."""
    last: fx.Node = next(iter(reversed(graph.nodes)))
    return last


def shape_of(node: fx.Node) -> Shape | None:
    """The shape of a node's value; None where the value is not one tensor."""
    value = node.meta.get("val")
    return tuple(value.shape) if isinstance(value, torch.Tensor) else None


def replace(node: fx.Node, substitute: fx.Node) -> None:
    """Let `substitute` take the place of `node` everywhere, and remove `node`."""
    node.replace_all_uses_with(substitute)
    node.graph.erase_node(node)


def is_sum(node: Any) -> bool:
    """Whether a node adds tensors and nothing else."""
    if not isinstance(node, fx.Node):
        return False
    plain = (
        node.target is torch.add and not node.kwargs and all(isinstance(arg, fx.Node) for arg in node.args)
    )
    return plain or node.target is sum_of


def ancestors(node: fx.Node) -> set[fx.Node]:
    """Every node that `node` is computed from."""
    seen: set[fx.Node] = set()
    waiting = list(node.all_input_nodes)
    while waiting:
        current = waiting.pop()
        if current not in seen:
            seen.add(current)
            waiting.extend(current.all_input_nodes)
    return seen


def reversed_nodes(graph: fx.Graph) -> Iterator[fx.Node]:
    """The nodes from last to first; the list is fixed at the start, so nodes may be erased on the way."""
    return iter(list(reversed(graph.nodes)))
