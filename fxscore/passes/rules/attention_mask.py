"""Masks of attention in the ways in which they are written: added, filled in, chosen; constant ones in one form.

A mask of the network's own that only hides positions is a tensor of truth values (length, length), `True` for what is
seen; one that hides the future is no tensor but `is_causal`, one that hides nothing is none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, fx

from fxscore.passes.rules.pattern import is_number
from fxscore.represent.context import RewriteContext

HIDDEN = -1e4  # scores are masked by -inf, by the least number of a type, or by one as small as this
_CHANGES = (torch.mul, torch.div, torch.add, torch.masked_fill, torch.reshape)


@dataclass(frozen=True, eq=False)
class Mask:
    """What `scaled_dot_product_attention` is to take as `attn_mask` and `is_causal`.

    Attributes:
        argument: a node of the graph, the values of a constant to be, or None.
        causal: whether it hides the future, and is no tensor.
        inverted: whether the node is true where positions are hidden.
        spread: where scores were folded otherwise when it was added (windows apart from images): their shape then,
            and the shape that the mask takes; else empty.
    """

    argument: fx.Node | Tensor | None = None
    causal: bool = False
    inverted: bool = False
    spread: tuple[tuple[int, ...], ...] = ()

    @property
    def hides(self) -> bool:
        """Whether it is a mask at all."""
        return self.causal or self.argument is not None

    @property
    def added(self) -> bool:
        """Whether it is a number for every score."""
        return isinstance(self.argument, fx.Node) and self.argument.meta["val"].dtype != torch.bool

    def node(self, ctx: RewriteContext) -> fx.Node | None:
        """The mask in the graph."""
        node = _new_constant(ctx, self.argument) if isinstance(self.argument, Tensor) else self.argument
        if self.inverted:
            node = ctx.call(torch.logical_not, node)
        if node is not None and self.spread:
            node = ctx.call(torch.reshape, ctx.call("expand", node, self.spread[0]), self.spread[1])
        return node


def added_mask(ctx: RewriteContext, node: fx.Node) -> tuple[fx.Node, Mask] | None:
    """(scores, mask) of a sum."""
    if len(node.args) != 2:
        return None
    first: Any
    second: Any
    first, second = node.args
    for scores, mask in ((first, second), (second, first)):
        if _leads_to_product(scores):
            return scores, constant_mask(ctx, mask) or Mask(mask)
    return None


def filled_mask(ctx: RewriteContext, node: fx.Node) -> tuple[fx.Node, Mask] | None:
    """(scores, mask) of `masked_fill(scores, hidden, -inf)` or `where(seen, scores, -inf)`."""
    if len(node.args) != 3:
        return None
    if node.target is torch.masked_fill:
        scores, hidden, number = node.args
        return _seen(ctx, scores, hidden, number, inverted=True)
    if node.target is not torch.where:
        return None
    condition, first, second = node.args
    if _leads_to_product(first):
        return _seen(ctx, first, condition, second, inverted=False)
    return _seen(ctx, second, condition, first, inverted=True)


def constant_mask(ctx: RewriteContext, node: Any) -> Mask | None:
    """The one form of a mask that is a constant and only hides; None for any other."""
    values = ctx.constant(node)
    if values is None:
        return None
    if values.dtype != torch.bool:
        if not bool(((values == 0) | (values <= HIDDEN)).all()):
            return None
        values = values == 0
    return _form(ctx, values, node)


def can_combine(masks: Sequence[Mask]) -> bool:
    """Whether several masks are one: all but one hide nothing, or all are added."""
    hiding = [mask for mask in masks if mask.hides]
    if any(mask.causal and mask.spread for mask in hiding):
        return False
    return len(hiding) < 2 or all(mask.added for mask in hiding)


def combined(ctx: RewriteContext, masks: Sequence[Mask]) -> tuple[fx.Node | None, bool]:
    """(mask, whether it is causal) of several; the innermost one, which is met last, comes first."""
    hiding = [mask for mask in masks if mask.hides] or [Mask()]
    last = hiding.pop()
    total = last.node(ctx)
    while hiding:
        total = ctx.call(torch.add, total, hiding.pop().node(ctx))
    return total, last.causal


def _seen(
    ctx: RewriteContext, scores: Any, condition: Any, number: Any, *, inverted: bool
) -> tuple[fx.Node, Mask] | None:
    if not _hides(ctx, number) or not isinstance(condition, fx.Node) or not _leads_to_product(scores):
        return None
    values = ctx.constant(condition)
    if values is not None:
        mask = _form(ctx, values.logical_not() if inverted else values.bool(), condition)
        return None if mask is None else (scores, mask)
    if condition.meta["val"].dtype != torch.bool:
        return None
    while condition.target is torch.logical_not:
        condition, inverted = condition.args[0], not inverted
    return scores, Mask(condition, inverted=inverted)


def _form(ctx: RewriteContext, seen: Tensor, node: fx.Node) -> Mask | None:
    if not bool(seen.any(-1).all()):  # a row that sees nothing: every spelling makes something else of it
        return None
    if bool(seen.all()):
        return Mask()
    while seen.dim() > 2 and seen.shape[0] == 1:
        seen = seen[0]
    square = seen.dim() == 2 and seen.shape[0] == seen.shape[1]
    if square and torch.equal(seen, torch.ones_like(seen).tril()):
        return Mask(causal=True)
    known = ctx.constant(node)
    if known is not None and known.dtype == torch.bool and torch.equal(known, seen):
        return Mask(node)
    return Mask(seen)


def _hides(ctx: RewriteContext, value: Any) -> bool:
    if isinstance(value, fx.Node) and value.target is torch.full_like and len(value.args) > 1:
        value = value.args[1]
    if isinstance(value, fx.Node):
        constant = ctx.constant(value)
        return constant is not None and constant.numel() == 1 and float(constant) <= HIDDEN
    return is_number(value) and bool(value <= HIDDEN)


def _leads_to_product(node: Any) -> bool:
    """Whether scores, scaled and masked or not, are a matrix product."""
    while isinstance(node, fx.Node) and node.target in _CHANGES:
        node = next((arg for arg in node.args if isinstance(arg, fx.Node)), None)
    return isinstance(node, fx.Node) and node.target is torch.matmul


def _new_constant(ctx: RewriteContext, tensor: Tensor) -> fx.Node:
    module: Any = ctx.graph.owning_module
    name = f"mask_{sum(name.startswith('mask_') for name, _ in module.named_buffers())}"
    module.register_buffer(name, tensor)
    with ctx.graph.inserting_before(ctx.node):
        node = ctx.graph.get_attr(name)
    node.meta.update(val=tensor.to("meta"), represented=True)
    return node
