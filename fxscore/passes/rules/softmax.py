"""Softmax by exponentials: `exp(x) / exp(x).sum()`, with the maximum taken off first or not."""

from __future__ import annotations

from operator import getitem

import torch
import torch.nn.functional as F
from torch import fx

from fxscore.passes.rules.pattern import Call, Either, Setting, Value, match, over, total
from fxscore.passes.rules.registry import rewrites
from fxscore.represent.context import RewriteContext

_X, _AXES, _MAXIMUM = Value("x"), Setting("axes"), Value("maximum")
_EXP = Call(torch.exp, (_X,))
_SOFTMAX = over(_EXP, total(_EXP, _AXES))
_LARGEST = Either(
    (
        Call(torch.amax, (_X, _AXES, True)),
        Call(getitem, (Call(torch.max, (_X, Setting("dim"), True)), 0)),
        Call(getitem, (Call(torch.max, (_X, Setting("dim")), {"keepdim": True}), 0)),
        Call(getitem, (Call(torch.max, (_X,), {"dim": Setting("dim"), "keepdim": True}), 0)),
        Call(torch.max, (_X,)),
    )
)
_SHIFTED = Call(torch.sub, (_X, _LARGEST))


@rewrites(torch.div, torch.mul)
def softmax(ctx: RewriteContext, node: fx.Node) -> fx.Node | None:
    """Softmax over the axis that is summed."""
    found = match(_SOFTMAX, node)
    if found is None or len(found["axes"]) != 1:
        return None
    shifted = match(
        _SHIFTED, found["x"]
    )  # a shift does not change a softmax; the maximum only keeps it finite
    value = found["x"] if shifted is None else shifted["x"]
    return ctx.call(torch.softmax, value, found["axes"][0], like=node)


@rewrites(torch.exp)
def exponential_of_log_softmax(ctx: RewriteContext, node: fx.Node) -> fx.Node | None:
    """`exp(log_softmax(x))`."""
    value = node.args[0] if node.args else None
    if (
        not isinstance(value, fx.Node)
        or value.target not in (F.log_softmax, torch.log_softmax)
        or not value.args
    ):
        return None
    dim = value.args[1] if len(value.args) > 1 else value.kwargs.get("dim")
    if not isinstance(dim, int):
        return None
    return ctx.call(torch.softmax, value.args[0], dim % len(ctx.shape(node)), like=node)
