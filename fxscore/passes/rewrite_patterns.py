"""Small patterns of operators become the one operator that they compute, by the rules in `fxscore.passes.rules`."""

from __future__ import annotations

from torch import fx

from fxscore.passes.base import PassBase, PassResult
from fxscore.passes.rules import RULES
from fxscore.represent.context import RewriteContext


class RewritePatternsPass(PassBase):
    """Tries the rules of every node's operator, from the first node to the last, so that one match may make another."""

    def call(self, graph_module: fx.GraphModule) -> PassResult:
        graph = graph_module.graph
        inputs = {node.target: node for node in graph.nodes if node.op == "placeholder"}
        context = RewriteContext(graph, inputs["weights"], inputs["observer"], set())
        modified = False
        for node in list(graph.nodes):
            for rule in RULES.get(node.target, ()):
                context.node = node
                substitute = rule(context, node)
                if substitute is not None:
                    node.replace_all_uses_with(substitute)
                    _erase_unused(node)
                    modified = True
                    break
        return PassResult(graph_module, modified)


def _erase_unused(node: fx.Node) -> None:
    """Remove a node that nobody uses, and what only it used: the next rules count users."""
    waiting = [node]
    while waiting:
        unused = waiting.pop()
        if unused.users or unused.op not in ("call_function", "call_method", "get_attr"):
            continue
        operands = unused.all_input_nodes
        unused.graph.erase_node(unused)
        waiting.extend(operand for operand in operands if operand not in waiting)
