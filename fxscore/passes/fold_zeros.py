"""Edges that carry only zeros are cut (METHOD.md section 1: the `none` operation of NAS-Bench-201)."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import fx

from fxscore.ops import batch_axis_norm, note_redundant, sum_of, unitise, zeros
from fxscore.passes.base import PassBase, PassResult, is_sum, replace, shape_of

# Operators whose result is zero where their first argument is.
_KEEP_ZERO = {
    F.relu, F.relu6, F.gelu, F.silu, F.hardswish, F.mish, F.leaky_relu, F.elu, F.selu, F.celu, torch.tanh,
    torch.abs, torch.neg, F.max_pool2d, F.avg_pool2d, F.adaptive_avg_pool2d, torch.mean, torch.reshape,
    torch.permute, F.interpolate, F.linear, F.conv1d, F.conv2d, F.conv3d, F.conv_transpose2d, batch_axis_norm,
    F.layer_norm, F.group_norm, F.instance_norm, unitise, note_redundant, torch.mul, torch.div, "expand",
    "repeat", F.dropout,
}  # fmt: skip
_CONVOLUTIONS = {F.linear, F.conv1d, F.conv2d, F.conv3d, F.conv_transpose2d}


class FoldZerosPass(PassBase):
    """Follows zeros through the graph, drops them from sums, and makes what is left of them a constant."""

    def call(self, graph_module: fx.GraphModule) -> PassResult:
        graph = graph_module.graph
        zero: set[fx.Node] = set()
        modified = False
        for node in list(graph.nodes):
            if is_sum(node):
                modified |= self._shorten_sum(node, zero)
            elif _is_zero(node, zero):
                zero.add(node)
        input_like = next(iter(graph.nodes))
        for node in [node for node in graph.nodes if node in zero and node.target is not zeros]:
            if any(user not in zero for user in node.users):
                modified = True
                self._make_constant(node, input_like)
        return PassResult(graph_module, modified)

    def _shorten_sum(self, node: fx.Node, zero: set[fx.Node]) -> bool:
        kept = [term for term in node.args if term not in zero]
        same_shape = all(shape_of(term) == shape_of(node) for term in kept)  # type: ignore[arg-type]
        if len(kept) == len(node.args) or not same_shape:
            return False
        if not kept:
            zero.add(node)
        elif len(kept) == 1:
            replace(node, kept[0])  # type: ignore[arg-type]
        else:
            node.target, node.args = sum_of, tuple(kept)
        return bool(kept)

    def _make_constant(self, node: fx.Node, input_like: fx.Node) -> None:
        with node.graph.inserting_before(node):
            constant = node.graph.call_function(zeros, (input_like, shape_of(node)))
        constant.meta.update(val=node.meta["val"], represented=True)
        replace(node, constant)


def _is_zero(node: fx.Node, zero: set[fx.Node]) -> bool:
    if node.target in (torch.zeros_like, "new_zeros", zeros):
        return True
    if node.target is torch.mul and any(_is_zero_factor(arg, zero) for arg in node.args):
        return True
    if node.target not in _KEEP_ZERO or node.args[0] not in zero:
        return False
    return node.target not in _CONVOLUTIONS or node.args[2] is None


def _is_zero_factor(value: Any, zero: set[fx.Node]) -> bool:
    return value in zero if isinstance(value, fx.Node) else not isinstance(value, bool) and value == 0
