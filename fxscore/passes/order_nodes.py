"""Nodes take the order in which the result needs them; nodes that it does not need are removed."""

from __future__ import annotations

from torch import fx

from fxscore.passes.base import PassBase, PassResult, output_node


class OrderNodesPass(PassBase):
    """Dead-code removal and one order of execution: operands before their users, in the order of the arguments.

    With sums sorted, equal architectures then run the same operators in the same order.
    """

    def call(self, graph_module: fx.GraphModule) -> PassResult:
        graph = graph_module.graph
        order = _needed(output_node(graph))
        present = [node for node in graph.nodes if node.op not in ("placeholder", "output")]
        if order == present:
            return PassResult(graph_module, False)
        needed = set(order)
        for node in reversed(present):
            if node not in needed:
                graph.erase_node(node)
        end = output_node(graph)
        for node in order:
            end.prepend(node)
        return PassResult(graph_module, True)


def _needed(output: fx.Node) -> list[fx.Node]:
    """The operands of `output` in post-order (without recursion: networks are deeper than Python's stack)."""
    order: list[fx.Node] = []
    done: set[fx.Node] = set()
    waiting = [(output, iter(output.all_input_nodes))]
    while waiting:
        node, operands = waiting[-1]
        operand = next(operands, None)
        if operand is None:
            waiting.pop()
            done.add(node)
            if node.op not in ("placeholder", "output"):
                order.append(node)
        elif operand not in done:
            waiting.append((operand, iter(operand.all_input_nodes)))
    return order
