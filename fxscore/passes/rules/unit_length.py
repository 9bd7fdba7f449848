"""Vectors divided by their length are `F.normalize`; times the root of their number of elements, they are RMSNorm."""

from __future__ import annotations

from math import isclose, prod, sqrt
from typing import Any

import torch
import torch.nn.functional as F
from torch import fx

from fxscore.passes.rules.normalisation import with_axes_last
from fxscore.passes.rules.pattern import (
    Call,
    Either,
    Found,
    Number,
    Setting,
    Value,
    match,
    over,
    over_root,
    plus,
    root,
    square,
    times,
    total,
)
from fxscore.passes.rules.registry import rewrites
from fxscore.represent.context import RewriteContext
from fxscore.represent.reductions import LARGEST_GUARD

_X, _EPS, _AXES, _SHARE = Value("x"), Number("eps"), Setting("axes"), Number("share")
_SQUARES = total(square(_X), _AXES)
_LENGTH = Either((Call(torch.linalg.vector_norm, (_X, 2.0, _AXES, True)), root(_SQUARES)))
_GUARDED = Either((_LENGTH, plus(_LENGTH, _EPS), Call(torch.clamp, (_LENGTH, _EPS, None))))
_UNIT = Either(
    (
        over(_X, _GUARDED),
        over_root(_X, _SQUARES),
        over_root(_X, plus(_SQUARES, _EPS)),
        over_root(_X, Call(torch.clamp, (_SQUARES, _EPS, None))),
    )
)
_SCALED_LENGTH = Either((times(_LENGTH, _SHARE), Call(torch.div, (_LENGTH, Number("root")))))
_RMS_BY_LENGTH = Either((over(_X, _SCALED_LENGTH), over(_X, plus(_SCALED_LENGTH, _EPS))))
_NORMALISED = Call(F.normalize, (_X, 2.0, _AXES))
_RMS_OF_UNIT = Either((times(_NORMALISED, _SHARE), Call(torch.div, (_NORMALISED, Number("root")))))


@rewrites(torch.div, torch.mul)
def rms_norm(ctx: RewriteContext, node: fx.Node) -> fx.Node | None:
    """`x / (|x| / √n + eps)`, or `normalize(x) · √n`, over n elements."""
    for pattern, power in ((_RMS_BY_LENGTH, -1), (_RMS_OF_UNIT, 1)):
        found = match(pattern, node)
        if found is not None and ctx.shape(found["x"]) == ctx.shape(node) and _is_rms(ctx, found, power):
            return with_axes_last(
                ctx,
                found["x"],
                _axes(found),
                lambda last, shape: ctx.call(F.rms_norm, last, shape, None, 0.0, like=last),
            )
    return None


@rewrites(torch.div, torch.mul)
def unit_length(ctx: RewriteContext, node: fx.Node) -> fx.Node | None:
    """`x / |x|` along one axis, with or without a guard against vectors of zeros."""
    found = match(_UNIT, node)
    if found is None or len(found["axes"]) != 1 or ctx.shape(found["x"]) != ctx.shape(node):
        return None
    if abs(found.get("eps", 0.0)) > LARGEST_GUARD:
        return None
    return ctx.call(F.normalize, found["x"], 2.0, found["axes"], like=node)


def _axes(found: Found) -> tuple[int, ...]:
    axes: Any = found["axes"]
    return (axes,) if isinstance(axes, int) else tuple(axes)


def _is_rms(ctx: RewriteContext, found: Found, power: int) -> bool:
    """Whether the number beside the length is that of a mean in place of a sum."""
    if abs(found.get("eps", 0.0)) > LARGEST_GUARD:
        return False
    share = found["share"] if "share" in found else 1 / (found["root"] or 1)
    count = prod(ctx.shape(found["x"])[axis] for axis in _axes(found))
    return isclose(share, sqrt(count) ** power, rel_tol=1e-5)
