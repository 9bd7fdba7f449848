"""One precision: a constructed architecture computes in float32, whatever precisions its network mixes.

Weights are synthesised in float32, so a cast between floating-point types changes nothing that a score may depend on.
While the forward is recorded its tensors keep their own types, which it may ask for; the graph has one.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

_LARGEST = torch.finfo(torch.float32).max


def single(dtype: torch.dtype) -> torch.dtype:
    """The type that stands for `dtype` in a graph."""
    if dtype.is_floating_point:
        return torch.float32
    return torch.complex64 if dtype.is_complex else dtype


def in_single(tensor: Tensor) -> Tensor:
    """`tensor` in the type that stands for its own; itself where that is its own."""
    dtype = single(tensor.dtype)
    if dtype == tensor.dtype:
        return tensor
    return torch.empty(tensor.shape, dtype=dtype, device="meta") if tensor.is_meta else tensor.to(dtype)


def plain_argument(value: Any) -> Any:
    """A type or number among an operator's arguments, as the graph has it."""
    if isinstance(value, torch.dtype):
        return single(value)
    if type(value) is float and _LARGEST < abs(value) < float("inf"):  # `torch.finfo(torch.float64).min`
        return _LARGEST if value > 0 else -_LARGEST
    return value


def input_precision(model: nn.Module) -> torch.dtype:
    """The floating-point type of a network's first weight: what its input must have."""
    types = (parameter.dtype for parameter in model.parameters())
    return next((dtype for dtype in types if dtype.is_floating_point), torch.float32)
