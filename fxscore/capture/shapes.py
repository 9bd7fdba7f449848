"""The shape and dtype of an operator's result, from its arguments on the meta device.

PyTorch's own meta kernels answer for every operator; some of them are Python and cost a millisecond a call, so the
commonest operators whose result is plain to see are answered here.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

_LIKE_INPUT = {
    F.relu, F.layer_norm, F.group_norm, F.gelu, F.silu, F.softmax, F.hardswish, F.hardsigmoid, F.sigmoid, F.mish,
    F.relu6, F.hardtanh, F.leaky_relu, F.elu, F.softplus, F.tanh, F.rms_norm, torch.sigmoid, torch.tanh,
    torch.softmax, Tensor.softmax, Tensor.sigmoid,
}  # fmt: skip
_SUMS = {Tensor.add, Tensor.mul, Tensor.sub, Tensor.add_, Tensor.mul_, torch.add, torch.mul, torch.sub}


def infer(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """What `func` returns for `args`, as tensors on the meta device."""
    quick = _quick(func, args, kwargs)
    return func(*args, **kwargs) if quick is None else quick


def _quick(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    first = args[0] if args else None
    if not isinstance(first, Tensor):
        return None
    if func in _SUMS:
        return _elementwise(first, args[1] if len(args) == 2 else None, kwargs)
    if not first.is_floating_point():
        return None
    if func is F.batch_norm and len(args) > 1:
        return _batch_norm(first, args[1])
    if func is F.linear and len(args) > 1:
        return _linear(first, args[1])
    if func is torch.lstm:
        return _lstm(*args) if len(args) == 9 else None
    if func is F.conv2d:
        return _conv2d(*args) if not kwargs and len(args) == 7 else None
    if func in _LIKE_INPUT and kwargs.get("dtype") is None and _normalised_axes_fit(func, args):
        return _like(first)
    return None


def _like(tensor: Tensor) -> Tensor:
    return torch.empty(tensor.shape, dtype=tensor.dtype, device="meta")


def _elementwise(first: Tensor, second: Any, kwargs: dict[str, Any]) -> Tensor | None:
    if kwargs:
        return None
    if isinstance(second, Tensor):
        return _like(first) if second.shape == first.shape and second.dtype == first.dtype else None
    return _like(first) if isinstance(second, (int, float)) and first.is_floating_point() else None


def _batch_norm(value: Tensor, running_mean: Any) -> Tensor | None:
    # Anything unusual goes to PyTorch itself, whose error message is the right one.
    fits = value.dim() >= 2 and (running_mean is None or running_mean.numel() == value.shape[1])
    return _like(value) if fits else None


def _linear(value: Tensor, weight: Any) -> Tensor | None:
    if not isinstance(weight, Tensor) or weight.dim() != 2 or value.shape[-1] != weight.shape[1]:
        return None
    return torch.empty((*value.shape[:-1], weight.shape[0]), dtype=value.dtype, device="meta")


def _conv2d(
    value: Tensor, weight: Any, bias: Any, stride: Any, padding: Any, dilation: Any, groups: int
) -> Tensor | None:
    """The output of `F.conv2d` as `nn.Conv2d` calls it: sizes as pairs, numbers of channels that fit."""
    pairs = (stride, padding, dilation)
    if value.dim() != 4 or not all(isinstance(size, tuple) and len(size) == 2 for size in pairs):
        return None
    (images, channels, *sizes), (out, inner, *kernel) = value.shape, weight.shape
    if channels != inner * groups or out % groups:
        return None
    spatial = [
        (size + 2 * pad - step * (k - 1) - 1) // move + 1
        for size, k, move, pad, step in zip(sizes, kernel, *pairs, strict=True)
    ]
    if min(spatial) < 1:
        return None
    return torch.empty((images, out, *spatial), dtype=value.dtype, device="meta")


def _lstm(
    value: Tensor,
    hx: Any,
    params: Any,
    has_biases: bool,
    layers: int,
    dropout: float,
    train: bool,
    bidirectional: bool,
    batch_first: bool,
) -> tuple[Tensor, ...] | None:
    """PyTorch's own answer walks through every layer and time step; this one takes plain sequences."""
    if value.dim() != 3 or not isinstance(hx, (tuple, list)):
        return None
    width = sum(state.shape[2] for state in hx[:1]) * (2 if bidirectional else 1)
    return torch.empty((*value.shape[:2], width), dtype=value.dtype, device="meta"), *(
        _like(state) for state in hx
    )


def _normalised_axes_fit(func: Any, args: tuple[Any, ...]) -> bool:
    if len(args) < 2 and func in (F.layer_norm, F.group_norm):
        return False
    if func is F.layer_norm:
        shape = tuple(args[1])
        return tuple(args[0].shape[-len(shape) :]) == shape
    return func is not F.group_norm or (args[0].dim() >= 2 and args[0].shape[1] % args[1] == 0)
