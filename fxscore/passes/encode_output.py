"""The graph's result becomes the encoding: an average over every axis but batch and channel (METHOD.md section 2)."""

from __future__ import annotations

from torch import fx

from fxscore.ops import encode
from fxscore.passes.base import PassBase, PassResult, output_node


class EncodeOutputPass(PassBase):
    """Appends `encode`, for the channel axis that `CutHeadPass` noted."""

    def call(self, graph_module: fx.GraphModule) -> PassResult:
        output = output_node(graph_module.graph)
        result = output.args[0]
        assert isinstance(result, fx.Node)
        if result.target is encode:
            return PassResult(graph_module, False)
        with graph_module.graph.inserting_before(output):
            encoding = graph_module.graph.call_function(encode, (result, graph_module.meta["encoded"].axis))
        encoding.meta.update(val=encode(result.meta["val"], encoding.args[1]), represented=True)  # type: ignore[arg-type]
        output.args = (encoding,)
        output.meta["val"] = encoding.meta["val"]
        return PassResult(graph_module, True)
