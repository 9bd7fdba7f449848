"""Learnable input: the graph's inputs become the input-like tensor, the synthesised weights and the observer."""

from __future__ import annotations

from torch import fx

from fxscore.passes.base import PassBase, PassResult

INPUTS = ("input_like", "weights", "observer")


class PrepareInputsPass(PassBase):
    """Names the captured input `input_like` and adds the inputs `weights` and `observer` (METHOD.md section 1)."""

    def call(self, graph_module: fx.GraphModule) -> PassResult:
        graph = graph_module.graph
        placeholders = [node for node in graph.nodes if node.op == "placeholder"]
        if [node.target for node in placeholders] == list(INPUTS):
            return PassResult(graph_module, False)
        placeholders[0].target = placeholders[0].name = INPUTS[0]
        after = placeholders[0]
        for name in INPUTS[1:]:
            with graph.inserting_after(after):
                after = graph.placeholder(name)
        return PassResult(graph_module, True)
