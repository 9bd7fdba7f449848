"""The plain function that each aten operator is known by: exported and scripted graphs are recorded as any other.

`torch.ops.aten.linear.default` is `F.linear`, `aten::_convolution` one of `F.conv1d` … `F.conv_transpose3d`: the rules
of representation are then the same as for every other network.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from fxscore.capture.torch_private import FUNCTION_HOMES, OpOverload, operator_name


def plain_function(target: Any) -> Callable[..., Any]:
    """The function or tensor method that an aten operator is known by; the operator itself where there is none."""
    if not isinstance(target, OpOverload) or target.namespace != "aten":
        return target  # type: ignore[no-any-return]
    return plain_named(operator_name(target)) or target


def plain_named(name: str) -> Callable[..., Any] | None:
    """The same, by the operator's bare name; None where PyTorch has no function or method of that name."""
    if name in _OTHER_NAMES:
        return _OTHER_NAMES[name]
    for namespace in FUNCTION_HOMES:
        function = getattr(namespace, name, None)
        if callable(function):
            return function  # type: ignore[no-any-return]
    return None


def _batch_norm(
    value: Tensor, weight: Any, bias: Any, mean: Tensor, variance: Tensor, momentum: float, eps: float
) -> tuple[Tensor, None, None]:
    return torch.batch_norm(value, weight, bias, mean, variance, False, momentum, eps, False), None, None


def _layer_norm(
    value: Tensor, shape: Sequence[int], weight: Any, bias: Any, eps: float
) -> tuple[Tensor, None, None]:
    return F.layer_norm(value, list(shape), weight, bias, eps), None, None


def _group_norm(
    value: Tensor, weight: Any, bias: Any, n: int, channels: int, size: int, groups: int, eps: float
) -> tuple[Tensor, None, None]:
    return F.group_norm(value, groups, weight, bias, eps), None, None


def _convolution(
    value: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
    transposed: bool,
    output_padding: Sequence[int],
    groups: int,
    *_: Any,
) -> Tensor:
    axes = weight.dim() - 2
    if transposed:
        back: Any = (F.conv_transpose1d, F.conv_transpose2d, F.conv_transpose3d)[axes - 1]
        sizes = map(tuple, (stride, padding, output_padding))
        return back(value, weight, bias, *sizes, groups, tuple(dilation))  # type: ignore[no-any-return]
    function: Any = (F.conv1d, F.conv2d, F.conv3d)[axes - 1]
    return function(value, weight, bias, *map(tuple, (stride, padding, dilation)), groups)  # type: ignore[no-any-return]


def _attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    dropout: float = 0.0,
    causal: bool = False,
    *,
    attn_mask: Tensor | None = None,
    scale: float | None = None,
) -> tuple[Tensor, None]:
    return F.scaled_dot_product_attention(query, key, value, attn_mask, 0.0, causal, scale=scale), None


def _index(value: Tensor, indices: list[Any]) -> Tensor:
    return value[tuple(slice(None) if index is None else index for index in indices)]


def _slice(value: Tensor, dim: int = 0, start: Any = None, end: Any = None, step: int = 1) -> Tensor:
    index = [slice(None)] * (dim % value.dim())
    return value[tuple(index) + (slice(start, end, step),)]  # noqa: RUF005


def _elu(value: Tensor, alpha: float = 1.0, scale: float = 1.0, input_scale: float = 1.0) -> Tensor:
    if (scale, input_scale) == (1, 1):
        return F.elu(value, alpha)
    return F.selu(value)  # the only other use of the two scales


def _resized(mode: str, takes_corners: bool) -> Callable[..., Tensor]:
    """`upsample_…(value, output_size, [align_corners,] scale factors)` as interpolation."""

    def upsample(value: Tensor, size: Any = None, *rest: Any, **named: Any) -> Tensor:
        names = ("align_corners", "scale_factors") if takes_corners else ("scale_factors",)
        given = {**dict(zip(names, rest, strict=False)), **named}
        corners: Any = given.get("align_corners") if takes_corners else None
        if size is not None:
            return F.interpolate(value, list(size), mode=mode, align_corners=corners)
        return F.interpolate(
            value, scale_factor=list(given["scale_factors"]), mode=mode, align_corners=corners
        )

    return upsample


def _softmax(value: Tensor, dim: int, half_to_float: bool = False) -> Tensor:
    return torch.softmax(value, dim)


def _log_softmax(value: Tensor, dim: int, half_to_float: bool = False) -> Tensor:
    return torch.log_softmax(value, dim)


_OTHER_NAMES: dict[str, Callable[..., Any]] = {
    "_native_batch_norm_legit_no_training": _batch_norm,
    "_unsafe_view": Tensor.reshape,
    "_to_copy": Tensor.to,
    "index": _index,
    "slice": _slice,
    "native_layer_norm": _layer_norm,
    "native_group_norm": _group_norm,
    "_convolution": _convolution,
    "convolution": _convolution,
    "_softmax": _softmax,
    "_log_softmax": _log_softmax,
    "elu": _elu,
    "elu_": _elu,
    "upsample_nearest1d": _resized("nearest", False),
    "upsample_nearest2d": _resized("nearest", False),
    "upsample_nearest3d": _resized("nearest", False),
    "upsample_linear1d": _resized("linear", True),
    "upsample_bilinear2d": _resized("bilinear", True),
    "upsample_bicubic2d": _resized("bicubic", True),
    "upsample_trilinear3d": _resized("trilinear", True),
    "_scaled_dot_product_flash_attention_for_cpu": _attention,
}
