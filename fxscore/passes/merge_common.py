"""Common subexpressions are computed once."""

from __future__ import annotations

from torch import fx

from fxscore.passes.base import PassBase, PassResult, replace
from fxscore.passes.structure import structural_hashes


class MergeCommonSubexpressionsPass(PassBase):
    """Replaces every node by the first one with the same structural hash."""

    def call(self, graph_module: fx.GraphModule) -> PassResult:
        hashes = structural_hashes(graph_module)
        first: dict[str, fx.Node] = {}
        modified = False
        for node in list(graph_module.graph.nodes):
            if node.op in ("placeholder", "output"):
                continue
            kept = first.setdefault(hashes[node], node)
            if kept is not node:
                replace(node, kept)
                modified = True
        return PassResult(graph_module, modified)
