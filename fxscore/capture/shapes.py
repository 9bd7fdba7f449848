"""The shape and dtype of an operator's result, from its arguments on the meta device.

PyTorch's own meta kernels answer for every operator; some of them are Python and cost a millisecond a call, so the
commonest operators whose result is plain to see are answered here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from fxscore.capture.arguments_fit import check_arguments
from fxscore.capture.quick_shapes import attention, concatenated, elementwise, like, mean_over, pooled
from fxscore.capture.torch_private import GROUPED_PRODUCTS, pytree, sample_dirichlet

_LIKE_INPUT = {
    F.relu, F.layer_norm, F.group_norm, F.gelu, F.silu, F.softmax, F.hardswish, F.hardsigmoid, F.sigmoid, F.mish,
    F.relu6, F.hardtanh, F.leaky_relu, F.elu, F.softplus, F.tanh, F.rms_norm, torch.sigmoid, torch.tanh,
    torch.softmax, Tensor.softmax, Tensor.sigmoid, Tensor.neg, torch.neg, sample_dirichlet,
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
        return like(
            func(*pytree.tree_map_only(Tensor, _ones, args), **pytree.tree_map_only(Tensor, _ones, kwargs))
        )
    quick = _quick(func, args, kwargs)
    return func(*args, **kwargs) if quick is None else quick


def _quick(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    first = args[0] if args else None
    if func is torch.cat:
        return concatenated(first, args[1] if len(args) == 2 else kwargs.get("dim", 0))
    if not isinstance(first, Tensor):
        return None
    if func in _SUMS:
        return elementwise(func, first, args[1] if len(args) == 2 else None, kwargs)
    if not first.is_floating_point():
        return None
    if func in _ANSWERS:
        return _ANSWERS[func](args, kwargs)
    if func in _LIKE_INPUT and kwargs.get("dtype") is None and _normalised_axes_fit(func, args, kwargs):
        return like(first)
    return None


def _ones(tensor: Tensor) -> Tensor:
    return torch.ones(tensor.shape, dtype=tensor.dtype) if tensor.is_meta else tensor


def _batch_norm(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Tensor | None:
    value, tensors = args[0], (*args[1:5], *_affine(kwargs))
    # Anything unusual goes to PyTorch itself, whose error message is the right one.
    fits = (
        len(args) > 1
        and value.dim() >= 2
        and all(one is None or one.numel() == value.shape[1] for one in tensors)
    )
    return like(value) if fits else None


def _linear(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Tensor | None:
    value, weight = args[0], args[1] if len(args) > 1 else None
    if not isinstance(weight, Tensor) or weight.dim() != 2 or value.shape[-1] != weight.shape[1]:
        return None
    return torch.empty((*value.shape[:-1], weight.shape[0]), dtype=value.dtype, device="meta")


def _conv2d(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Tensor | None:
    """The output of `F.conv2d` as `nn.Conv2d` calls it: sizes as pairs, numbers of channels that fit."""
    if kwargs or len(args) != 7:
        return None
    value, weight, _, *pairs, groups = args
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


def _recurrent(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Tensor, ...] | None:
    """PyTorch's own answer walks through every layer and time step, and cannot read the sizes of a packed sequence."""
    if len(args) != 9:
        return None
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
    return sequence, *(like(state) for state in states)


def _grouped(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Tensor | None:
    """PyTorch's own answer takes half precision alone (seen in 2.14), which its kernel on a CPU does not ask for."""
    if len(args) != 2 or args[0].shape[-1] != args[1].shape[-2]:
        return None
    first, second = args
    groups = kwargs["offs"].shape[:1] if first.dim() == second.dim() == 2 else ()
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


_ANSWERS: dict[Any, Callable[[tuple[Any, ...], dict[str, Any]], Any]] = {
    F.batch_norm: _batch_norm,
    F.linear: _linear,
    F.conv2d: _conv2d,
    F.scaled_dot_product_attention: attention,
    F.avg_pool2d: pooled,
    **dict.fromkeys((Tensor.mean, torch.mean), mean_over),
    **dict.fromkeys(_GROUPED, _grouped),
    **dict.fromkeys(RECURRENT, _recurrent),
}
