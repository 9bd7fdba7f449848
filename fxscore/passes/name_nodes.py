"""Nodes get plain names in the order in which they run, so that the constructed architecture reads as code."""

from __future__ import annotations

from collections import Counter
from operator import getitem

from torch import fx

from fxscore.passes.base import PassBase, PassResult


class NameNodesPass(PassBase):
    """Names nodes after their operator and number, and synthesised weights after their shape."""

    def call(self, graph_module: fx.GraphModule) -> PassResult:
        numbers: Counter[str] = Counter()
        modified = False
        for node in graph_module.graph.nodes:
            if node.op not in ("call_function", "call_method"):
                continue
            base = _base_name(node)
            numbers[base] += 1
            name = base if base.startswith("w_") else f"{base}_{numbers[base]}"
            modified |= node.name != name
            node.name = name
        return PassResult(graph_module, modified)


def _base_name(node: fx.Node) -> str:
    if node.target is getitem and isinstance(node.args[0], fx.Node) and node.args[0].target == "weights":
        return "w_" + "_".join(map(str, node.args[1]))  # type: ignore[arg-type]
    return node.target if isinstance(node.target, str) else node.target.__name__.strip("_")
