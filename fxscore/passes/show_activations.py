"""Activations are shown to the observer, which may count their patterns (METHOD.md section 5)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import fx

from fxscore.capture.nodes import new_call
from fxscore.ops import note_activation, swish
from fxscore.passes.base import PassBase, PassResult
from fxscore.passes.mark_functions import PART

_ACTIVATIONS = {
    F.relu, F.relu6, F.gelu, F.silu, F.hardswish, F.mish, F.leaky_relu, F.elu, F.selu, F.celu, F.softplus, torch.tanh,
    swish,
}  # fmt: skip


class ShowActivationsPass(PassBase):
    """Inserts `note_activation` after every activation function, named or not; it returns its argument."""

    def call(self, graph_module: fx.GraphModule) -> PassResult:
        graph = graph_module.graph
        observer = next(node for node in graph.nodes if node.target == "observer")
        modified = False
        for node in list(graph.nodes):
            if not _is_activation(node) or any(user.target is note_activation for user in node.users):
                continue
            with graph.inserting_after(node):
                shown = new_call(graph, note_activation, node, observer)
            shown.meta.update(val=node.meta["val"], represented=True)
            node.replace_all_uses_with(shown, delete_user_cb=lambda user, shown=shown: user is not shown)
            modified = True
        return PassResult(graph_module, modified)


def _is_activation(node: fx.Node) -> bool:
    marked = node.meta.get("function")
    return node.target in _ACTIVATIONS if marked is None else marked != PART
