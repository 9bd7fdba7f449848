"""The gated linear unit in single steps: one half of the channels, gated by the sigmoid of the other."""

from __future__ import annotations

from operator import getitem

import torch
import torch.nn.functional as F
from torch import fx

from fxscore.passes.rules.pattern import Call, Setting, Value, match, times
from fxscore.passes.rules.registry import rewrites
from fxscore.represent.context import RewriteContext

_HALVES = Call(torch.chunk, (Value("x"), 2, Setting("axis")))
_GLU = times(Call(getitem, (_HALVES, 0)), Call(torch.sigmoid, (Call(getitem, (_HALVES, 1)),)))


@rewrites(torch.mul)
def gated_linear_unit(ctx: RewriteContext, node: fx.Node) -> fx.Node | None:
    """`a, b = x.chunk(2, axis)`, then `a * sigmoid(b)`."""
    found = match(_GLU, node)
    return None if found is None else ctx.call(F.glu, found["x"], found["axis"], like=node)
