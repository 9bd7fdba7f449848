"""Pixel shuffle and its inverse as a reshape, a permutation and a reshape."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import fx

from fxscore.passes.rules.registry import rewrites
from fxscore.represent.context import RewriteContext

_SHUFFLED, _UNSHUFFLED = (0, 1, 4, 2, 5, 3), (0, 1, 3, 5, 2, 4)


@rewrites(torch.reshape)
def pixel_shuffle(ctx: RewriteContext, node: fx.Node) -> fx.Node | None:
    """(B, C·r·r, H, W) to (B, C, r·H, r·W), or back."""
    permuted: Any = node.args[0]
    if permuted.target is not torch.permute or permuted.args[1] not in (_SHUFFLED, _UNSHUFFLED):
        return None
    split: Any = permuted.args[0]
    if split.target is not torch.reshape or len(ctx.shape(split.args[0])) != 4:
        return None
    value, shape, parts, out = split.args[0], ctx.shape(split.args[0]), ctx.shape(split), ctx.shape(node)
    back = permuted.args[1] == _UNSHUFFLED
    factor = parts[3] if back else parts[2]
    b, c, h, w = out if back else shape
    wide = (b, c // factor**2, h * factor, w * factor)
    if back:
        fits = shape == wide and parts == (b, c // factor**2, h, factor, w, factor)
    else:
        fits = out == wide and parts == (b, c // factor**2, factor, factor, h, w)
    if not fits or c % factor**2:
        return None
    return ctx.call(F.pixel_unshuffle if back else F.pixel_shuffle, value, factor, like=node)
