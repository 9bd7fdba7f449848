"""What PyTorch's CPU kernels refuse and its meta kernels let pass: a network that fails eagerly must not score.

Found by trying operators with arguments that do not fit on both devices (torch 2.14).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor


def check_arguments(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """Refuse a weight that does not fit, a softmax over an axis that is not there, layers of a type they do not take.

    Raises:
        RuntimeError, IndexError: with the numbers.
    """
    if func in _OVER_AN_AXIS:
        _check_axis(args, kwargs)
    if func in _LAYERS and args and isinstance(args[0], Tensor) and not args[0].is_floating_point():
        _try_on_zeros(func, args, kwargs)
    check = _CHECKS.get(func)
    if check is None:
        return
    names = ("input", "weight", "bias", "stride", "padding", "output_padding", "groups")
    given = {**dict(zip(names, args, strict=False)), **kwargs}
    value, weight = given.get("input"), given.get("weight", given.get("other", given.get("mat2")))
    if isinstance(value, Tensor) and isinstance(weight, Tensor):
        check(value, weight, given)


def _check_axis(args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    axis = kwargs.get("dim", args[1] if len(args) > 1 else None)
    rank = args[0].dim()
    if isinstance(axis, int) and not -rank <= axis < max(rank, 1):
        raise IndexError(f"axis {axis} of a tensor with {rank} axes, {tuple(args[0].shape)}")


def _try_on_zeros(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """Run a layer on whole numbers, which few kernels take; none of them may read a float, which could be large."""
    if any(isinstance(value, Tensor) and value.is_floating_point() for value in (*args, *kwargs.values())):
        return
    zeros = [torch.zeros_like(arg, device="cpu") if isinstance(arg, Tensor) else arg for arg in args]
    try:
        func(*zeros, **kwargs)
    except NotImplementedError as error:  # not worth an export, which does not notice
        raise RuntimeError(f"{func.__name__} of {args[0].dtype}: {error}") from error


def _same_type(value: Tensor, weight: Tensor, given: dict[str, Any]) -> None:
    if value.dtype != weight.dtype and not torch.is_autocast_enabled("cpu"):
        raise RuntimeError(f"input of {value.dtype} and weight of {weight.dtype} must have the same type")


def _convolution(value: Tensor, weight: Tensor, given: dict[str, Any]) -> None:
    _same_type(value, weight, given)
    _some_channels(weight)
    _bias_fits(given.get("bias"), weight.shape[0])


def _transposed(value: Tensor, weight: Tensor, given: dict[str, Any]) -> None:
    _same_type(value, weight, given)
    _some_channels(weight)
    groups = given.get("groups", 1)
    channels = value.shape[1] if value.dim() == weight.dim() else value.shape[0]
    if channels != weight.shape[0] or channels % groups:
        raise RuntimeError(
            f"transposed convolution with weight {tuple(weight.shape)} in {groups} groups expects "
            f"{weight.shape[0]} channels, but its input {tuple(value.shape)} has {channels}"
        )
    _bias_fits(given.get("bias"), weight.shape[1] * groups)


def _some_channels(weight: Tensor) -> None:
    if 0 in weight.shape[:2]:
        raise RuntimeError(f"a convolution with weight {tuple(weight.shape)} has no input or output channels")


def _bias_fits(bias: Any, channels: int) -> None:
    if isinstance(bias, Tensor) and tuple(bias.shape) != (channels,):
        raise RuntimeError(
            f"a bias of shape {tuple(bias.shape)} does not fit a convolution with {channels} output channels"
        )


# What works on floating-point numbers, mostly.
_LAYERS = {
    *(function for name, function in vars(F).items() if "pool" in name and callable(function)),
    F.interpolate, F.pad, F.relu, F.relu6, F.gelu, F.silu, F.elu, F.leaky_relu, F.hardtanh, F.sigmoid, F.tanh,
    F.softmax, F.log_softmax, torch.softmax, torch.log_softmax, torch.relu, Tensor.softmax, Tensor.log_softmax,
    Tensor.relu, F.pixel_shuffle, F.unfold, F.fold, F.normalize, F.softplus, F.hardswish, F.hardsigmoid, F.mish,
}  # fmt: skip
_OVER_AN_AXIS = {
    F.softmax, F.log_softmax, torch.softmax, torch.log_softmax, Tensor.softmax, Tensor.log_softmax,
}  # fmt: skip
_CHECKS: dict[Any, Callable[[Tensor, Tensor, dict[str, Any]], None]] = {
    **dict.fromkeys((F.conv1d, F.conv2d, F.conv3d), _convolution),
    **dict.fromkeys((F.conv_transpose1d, F.conv_transpose2d, F.conv_transpose3d), _transposed),
    **dict.fromkeys(
        (F.linear, torch.matmul, torch.mm, torch.bmm, Tensor.matmul, Tensor.__matmul__), _same_type
    ),
}
