"""Results of common operators on the meta device, read off the shapes; None is for PyTorch to answer.

PyTorch's own answers are Python: 5 ms for an attention, 0.3 to 0.9 ms for the others (seen in 2.14).
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

_POOL = ("value", "kernel_size", "stride", "padding", "ceil_mode", "count_include_pad", "divisor_override")


def like(tensor: Tensor) -> Tensor:
    """A tensor of this shape and type in row-major order."""
    return torch.empty(tensor.shape, dtype=tensor.dtype, device="meta")


def elementwise(func: Any, first: Tensor, second: Any, kwargs: dict[str, Any]) -> Tensor | None:
    """The sum or product of a tensor and another of its type, or a number."""
    if kwargs:
        return None
    if isinstance(second, Tensor):
        if second.dtype != first.dtype:
            return None
        return like(first) if second.shape == first.shape else _broadcast(func, first, second)
    return like(first) if isinstance(second, (int, float)) and first.is_floating_point() else None


def _broadcast(func: Any, first: Tensor, second: Tensor) -> Tensor | None:
    """The sum or product of two tensors in row-major order; None where that is no new tensor."""
    if func in (Tensor.add_, Tensor.mul_) or not (first.is_contiguous() and second.is_contiguous()):
        return None
    rank = max(first.dim(), second.dim())
    pairs = zip(
        (1,) * (rank - first.dim()) + first.shape, (1,) * (rank - second.dim()) + second.shape, strict=True
    )
    sizes = [b if a == 1 else a if b in (1, a) else -1 for a, b in pairs]
    return None if -1 in sizes else torch.empty(sizes, dtype=first.dtype, device="meta")


def pooled(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Tensor | None:
    """(N, C, H, W) by windows that lie within the padded image: the sizes of `F.avg_pool2d` as numbers or pairs."""
    given = dict(zip(_POOL, args, strict=False)) | kwargs
    value, size, stride = args[0], given.get("kernel_size"), given.get("stride")
    usual = not given.get("ceil_mode") and given.get("divisor_override") is None
    axes = [_pair(each) for each in (size, size if stride is None else stride, given.get("padding", 0))]
    if not usual or value.dim() != 4 or None in axes or not value.is_contiguous():
        return None
    sizes = [
        (length + 2 * pad - window) // step + 1
        for length, window, step, pad in zip(value.shape[2:], *filter(None, axes), strict=True)
        if 0 < window <= length + 2 * pad and step > 0 and 0 <= pad <= window // 2
    ]
    fits = len(sizes) == 2 and 0 not in value.shape
    return torch.empty((*value.shape[:2], *sizes), dtype=value.dtype, device="meta") if fits else None


def _pair(size: Any) -> tuple[int, int] | None:
    pair = (size, size) if type(size) is int else size
    whole = isinstance(pair, tuple) and len(pair) == 2 and all(type(each) is int for each in pair)
    return pair if whole else None


def attention(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Tensor | None:
    """(N, heads, L, E), (N, heads, S, E), (N, heads, S, V) → (N, heads, L, V), without a mask or with one for all."""
    if len(args) != 3 or not set(kwargs) <= {"attn_mask", "dropout_p", "is_causal", "scale"}:
        return None
    query, key, value = args
    if not all(isinstance(one, Tensor) and one.dim() == 4 and one.dtype == query.dtype for one in args):
        return None
    fits = (
        query.shape[:2] == key.shape[:2]
        and key.shape[:3] == value.shape[:3]
        and query.shape[3] == key.shape[3]
    )
    if not fits or kwargs.get("attn_mask") is not None:
        return None
    return torch.empty((*query.shape[:3], value.shape[3]), dtype=query.dtype, device="meta")


def concatenated(tensors: Any, axis: Any) -> Tensor | None:
    """Of tensors in row-major order that differ along one axis alone."""
    if not isinstance(tensors, (list, tuple)) or type(axis) is not int or not tensors:
        return None
    first = tensors[0]
    if not isinstance(first, Tensor) or not -first.dim() <= axis < first.dim():
        return None
    form = (first.dtype, first.dim(), True)
    if any((one.dtype, one.dim(), one.is_contiguous()) != form for one in tensors):
        return None
    axis %= first.dim()
    sizes = [list(one.shape) for one in tensors]
    total = sum(size.pop(axis) for size in sizes)
    if any(size != sizes[0] for size in sizes):
        return None
    return torch.empty((*sizes[0][:axis], total, *sizes[0][axis:]), dtype=first.dtype, device="meta")


def mean_over(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Tensor | None:
    """The average of a tensor in row-major order over one axis or several, each named once."""
    given = dict(zip(("value", "dim", "keepdim"), args, strict=False)) | kwargs
    if len(given) != len(args) + len(kwargs) or not set(given) <= {"value", "dim", "keepdim"}:
        return None
    value, axes, keepdim = args[0], given.get("dim"), given.get("keepdim", False)
    axes = (axes,) if type(axes) is int else axes
    if not isinstance(axes, (tuple, list)) or type(keepdim) is not bool or not value.is_contiguous():
        return None
    gone = {axis % value.dim() for axis in axes if type(axis) is int and -value.dim() <= axis < value.dim()}
    if not gone or len(gone) != len(axes):
        return None
    sizes = [
        1 if axis in gone else size for axis, size in enumerate(value.shape) if keepdim or axis not in gone
    ]
    return torch.empty(sizes, dtype=value.dtype, device="meta")
