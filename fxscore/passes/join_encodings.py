"""The encodings of a network's outputs become one (METHOD.md section 2)."""

from __future__ import annotations

import torch
from torch import fx

from fxscore.ops import note_redundant, unitise
from fxscore.passes.base import PassBase, PassResult, output_node
from fxscore.passes.structure import structural_hashes


class JoinEncodingsPass(PassBase):
    """Concatenates the encodings along the channel axis; equal ones count once, a single one stays as it is.

    Their order is fixed by what they are, never by the order of the outputs: from the shallowest (the fewest
    synthesised operators on the longest way to it) to the deepest, then by width, then by structural hash.
    """

    def call(self, graph_module: fx.GraphModule) -> PassResult:
        output = output_node(graph_module.graph)
        if isinstance(output.args[0], fx.Node):
            return PassResult(graph_module, False)
        encodings = output.all_input_nodes
        joined = (
            encodings[0] if len(encodings) == 1 else _concatenate(output, _in_order(graph_module, encodings))
        )
        output.args = (joined,)
        output.meta["val"] = joined.meta["val"]
        return PassResult(graph_module, True)


def _in_order(graph_module: fx.GraphModule, encodings: list[fx.Node]) -> list[fx.Node]:
    depths, hashes = _depths(graph_module.graph), structural_hashes(graph_module)
    return sorted(encodings, key=lambda node: (depths[node], node.meta["val"].shape[1], hashes[node]))


def _concatenate(output: fx.Node, encodings: list[fx.Node]) -> fx.Node:
    with output.graph.inserting_before(output):
        joined = output.graph.call_function(torch.cat, (encodings, 1))
    joined.meta.update(val=torch.cat([node.meta["val"] for node in encodings], 1), represented=True)
    return joined


def _depths(graph: fx.Graph) -> dict[fx.Node, int]:
    """Synthesised operators on the longest way to every node."""
    depths: dict[fx.Node, int] = {}
    for node in graph.nodes:
        before = max((depths[source] for source in node.all_input_nodes), default=0)
        depths[node] = before + (node.target in (unitise, note_redundant))
    return depths
