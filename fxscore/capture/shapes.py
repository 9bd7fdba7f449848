"""The shape and dtype of an operator's result, from its arguments on the meta device.

PyTorch's own meta kernels answer for every operator; some of them are Python and cost a millisecond a call, so the
commonest operators whose result is plain to see are answered here.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from fxscore.capture.arguments_fit import check_arguments
from fxscore.capture.torch_private import GROUPED_PRODUCTS, pytree, sample_dirichlet

_LIKE_INPUT = {
    F.relu, F.layer_norm, F.group_norm, F.gelu, F.silu, F.softmax, F.hardswish, F.hardsigmoid, F.sigmoid, F.mish,
    F.relu6, F.hardtanh, F.leaky_relu, F.elu, F.softplus, F.tanh, F.rms_norm, torch.sigmoid, torch.tanh,
    torch.softmax, Tensor.softmax, Tensor.sigmoid, sample_dirichlet,
}  # fmt: skip
RECURRENT = {torch.lstm, torch.gru, torch.rnn_tanh, torch.rnn_relu}
_GROUPED = set(GROUPED_PRODUCTS)
# Refuses windows that overlap to zero, which shapes alone do not say (seen in 2.14).
_ON_ONES = {torch.istft, Tensor.istft}
_SUMS = {Tensor.add, Tensor.mul, Tensor.sub, Tensor.add_, Tensor.mul_, torch.add, torch.mul, torch.sub}


def infer(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """What `func` returns for `args`, as tensors on the meta device.

    Raises:
        Whatever PyTorch does for arguments that do not fit, and `RuntimeError` where only its CPU kernels would.
    """
    check_arguments(func, args, kwargs)
    if func in _ON_ONES:
        return _like(
            func(*pytree.tree_map_only(Tensor, _ones, args), **pytree.tree_map_only(Tensor, _ones, kwargs))
        )
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
        return _batch_norm(first, (*args[1:5], *_affine(kwargs)))
    if func is F.linear and len(args) > 1:
        return _linear(first, args[1])
    if func in _GROUPED and len(args) == 2:
        return _grouped(*args, kwargs.get("offs"))
    if func in RECURRENT:
        return _recurrent(args) if len(args) == 9 else None
    if func is F.conv2d:
        return _conv2d(*args) if not kwargs and len(args) == 7 else None
    if func in _LIKE_INPUT and kwargs.get("dtype") is None and _normalised_axes_fit(func, args, kwargs):
        return _like(first)
    return None


def _like(tensor: Tensor) -> Tensor:
    return torch.empty(tensor.shape, dtype=tensor.dtype, device="meta")


def _ones(tensor: Tensor) -> Tensor:
    return torch.ones(tensor.shape, dtype=tensor.dtype) if tensor.is_meta else tensor


def _elementwise(first: Tensor, second: Any, kwargs: dict[str, Any]) -> Tensor | None:
    if kwargs:
        return None
    if isinstance(second, Tensor):
        return _like(first) if second.shape == first.shape and second.dtype == first.dtype else None
    return _like(first) if isinstance(second, (int, float)) and first.is_floating_point() else None


def _batch_norm(value: Tensor, tensors: tuple[Any, ...]) -> Tensor | None:
    # Anything unusual goes to PyTorch itself, whose error message is the right one.
    fits = value.dim() >= 2 and all(one is None or one.numel() == value.shape[1] for one in tensors)
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


def _recurrent(args: tuple[Any, ...]) -> tuple[Tensor, ...] | None:
    """PyTorch's own answer walks through every layer and time step, and cannot read the sizes of a packed sequence."""
    packed = isinstance(args[3], (list, tuple))
    states = args[2] if packed else args[1]
    both_ways = args[8] if packed else args[7]
    states = states if isinstance(states, (list, tuple)) else (states,)
    if args[0].dim() != 3 - packed or not all(
        isinstance(state, Tensor) and state.dim() == 3 for state in states
    ):
        return None
    width = states[0].shape[2] * (2 if both_ways else 1)
    sequence = torch.empty((*args[0].shape[:-1], width), dtype=args[0].dtype, device="meta")
    return sequence, *(_like(state) for state in states)


def _grouped(first: Tensor, second: Tensor, ends: Any) -> Tensor | None:
    """PyTorch's own answer takes half precision alone (seen in 2.14), which its kernel on a CPU does not ask for."""
    if first.shape[-1] != second.shape[-2]:
        return None
    groups = ends.shape[:1] if first.dim() == second.dim() == 2 else ()
    leading = first.shape[:-2] if second.dim() == 2 or first.dim() == 3 else ()
    shape = (*groups, *leading, first.shape[-2], second.shape[-1])
    return torch.empty(shape, dtype=first.dtype, device="meta")


def _normalised_axes_fit(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    if func not in (F.layer_norm, F.group_norm):
        return True
    if len(args) < 2:
        return False
    value, over = args[:2]
    affine = [one for one in (*args[2:4], *_affine(kwargs)) if one is not None]
    if func is F.layer_norm:
        shape = tuple(over)
        return tuple(value.shape[-len(shape) :]) == shape and all(tuple(one.shape) == shape for one in affine)
    fits = value.dim() >= 2 and value.shape[1] % over == 0
    return fits and all(one.numel() == value.shape[1] for one in affine)


def _affine(kwargs: dict[str, Any]) -> tuple[Any, Any]:
    return kwargs.get("weight"), kwargs.get("bias")
