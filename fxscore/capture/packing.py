"""Packed sequences: how many rows there are depends on lengths, whose values an input of lengths has.

PyTorch's private operators (seen in 2.14, in `torch.nn.utils.rnn`):

    _pack_padded_sequence(input, lengths, batch_first) -> data, batch_sizes
    _pad_packed_sequence(data, batch_sizes, batch_first, padding_value, total_length) -> input, lengths

The whole numbers on both sides are real tensors, everything else is known by its shape alone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from fxscore.errors import CaptureError

_AXES = {
    "_pack_padded_sequence": 2,
    "_pad_packed_sequence": 1,
}  # of the first argument that are laid out anew
PACKING = frozenset(_AXES)


def packed(func: Callable[..., Any], value: Tensor, sizes: Tensor, *settings: Any) -> tuple[Tensor, Tensor]:
    """What `func` returns for `value` on the meta device and real `sizes`: a tensor without values, and real ones.

    Raises:
        CaptureError: the sizes have no values either.
    """
    if sizes.is_meta:
        raise CaptureError(
            "a packed sequence has lengths that are computed from the values of an input; give lengths as an input of "
            "whole numbers"
        )
    kept = _AXES[func.__name__]
    laid_out, further = func(torch.empty(*value.shape[:kept], 1), sizes, *settings)
    shape = (*laid_out.shape[:-1], *value.shape[kept:])
    return torch.empty(shape, dtype=value.dtype, device="meta"), further
