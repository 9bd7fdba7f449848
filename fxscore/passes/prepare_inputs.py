"""Learnable input: the graph's inputs become the input-like tensor, the synthesised weights and the observer."""

from __future__ import annotations

import torch
from torch import fx

from fxscore.input_like import further_input
from fxscore.passes.base import PassBase, PassResult, replace

INPUTS = ("input_like", "weights", "observer")


class PrepareInputsPass(PassBase):
    """Names the first captured input `input_like`, makes further ones of it, and adds `weights` and `observer`.

    Source: METHOD.md section 1.
    """

    def call(self, graph_module: fx.GraphModule) -> PassResult:
        graph = graph_module.graph
        placeholders = [node for node in graph.nodes if node.op == "placeholder"]
        if [node.target for node in placeholders] == list(INPUTS):
            return PassResult(graph_module, False)
        first = placeholders[0] if placeholders else _unused_input(graph)
        first.target = first.name = INPUTS[0]
        last = placeholders[-1] if placeholders else first
        for name in INPUTS[1:]:
            with graph.inserting_after(last):
                last = graph.placeholder(name)
        for place, further in enumerate(placeholders[1:], start=1):
            with graph.inserting_after(last):
                last = graph.call_function(
                    further_input, (first, tuple(further.meta["val"].shape[1:]), place)
                )
            last.meta.update(further.meta, represented=True)
            replace(further, last)
        return PassResult(graph_module, True)


def _unused_input(graph: fx.Graph) -> fx.Node:
    """A network of token ids alone looks at no input-like tensor, but its graph is called like any other."""
    with graph.inserting_before(next(iter(graph.nodes))):
        node = graph.placeholder(INPUTS[0])
    node.meta["val"] = torch.empty(0, device="meta")
    return node
