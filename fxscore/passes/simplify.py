"""Operators that change nothing disappear, and repeated ones collapse (METHOD.md section 1, design principle)."""

from __future__ import annotations

from collections.abc import Callable
from operator import getitem
from typing import Any

import torch
import torch.nn.functional as F
from torch import fx

from fxscore.ops import batch_axis_norm
from fxscore.passes.base import PassBase, PassResult, replace, shape_of
from fxscore.represent.attention import tuple_of

_NEUTRAL = {torch.add: 0, torch.sub: 0, torch.mul: 1, torch.div: 1}
_IDEMPOTENT = {F.relu, F.relu6, batch_axis_norm, torch.abs}


class SimplifyPass(PassBase):
    """Removes x + 0, x · 1, reshapes and permutations without effect, ReLU∘ReLU and BN∘BN."""

    def call(self, graph_module: fx.GraphModule) -> PassResult:
        modified = False
        for node in list(graph_module.graph.nodes):
            simplify = _RULES.get(node.target)
            substitute = simplify(node) if simplify is not None else None
            if substitute is not None:
                replace(node, substitute)
                modified = True
        return PassResult(graph_module, modified)


def _drop_neutral(node: fx.Node) -> fx.Node | None:
    value, other = (*node.args, None)[:2]
    neutral = not isinstance(other, (fx.Node, bool)) and other == _NEUTRAL[node.target] and not node.kwargs  # type: ignore[index]
    return _if_same_type(node, value) if neutral else None


def _if_same_type(node: fx.Node, value: Any) -> fx.Node | None:
    if not isinstance(value, fx.Node) or shape_of(value) != shape_of(node):
        return None
    return value if value.meta["val"].dtype == node.meta["val"].dtype else None


def _drop_repeated(node: fx.Node) -> fx.Node | None:
    value = node.args[0]
    return value if isinstance(value, fx.Node) and value.target is node.target else None


def _merge_reshapes(node: fx.Node) -> fx.Node | None:
    value = node.args[0]
    assert isinstance(value, fx.Node)
    if value.target is torch.reshape:
        node.args = (value.args[0], node.args[1])  # the inner one dies with its last user
    return _if_same_type(node, node.args[0])


def _merge_permutes(node: fx.Node) -> fx.Node | None:
    value, order = node.args
    assert isinstance(value, fx.Node)
    if value.target is torch.permute:
        inner: Any = value.args[1]
        order = tuple(inner[axis] for axis in order)  # type: ignore[union-attr]
        node.args = (value.args[0], order)
    return node.args[0] if order == tuple(range(len(order))) else None  # type: ignore[arg-type,return-value]


def _pick_item(node: fx.Node) -> fx.Node | None:
    values, index = node.args
    if not isinstance(values, fx.Node) or values.target is not tuple_of or not isinstance(index, int):
        return None
    item = values.args[index]
    return item if isinstance(item, fx.Node) else None


_RULES: dict[Any, Callable[[fx.Node], fx.Node | None]] = {
    **dict.fromkeys(_NEUTRAL, _drop_neutral),
    **dict.fromkeys(_IDEMPOTENT, _drop_repeated),
    torch.reshape: _merge_reshapes,
    torch.permute: _merge_permutes,
    getitem: _pick_item,
}
