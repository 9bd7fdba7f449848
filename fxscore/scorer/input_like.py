"""The input-like tensor at any resolution: resampled in the frequency domain, axis by axis (METHOD.md section 1)."""

from __future__ import annotations

import torch
from torch import Tensor

from fxscore.types import Shape


def resample(tensor: Tensor, shape: Shape) -> Tensor:
    """Resample a (B, C, H, W) tensor to (B, *shape); amplitudes stay as they are.

    Other ranks: with fewer axes the trailing ones are joined first, with more axes those after the channels are
    constant. Differentiable.
    """
    if tensor.shape[1:] == torch.Size(shape):
        return tensor
    for axis, length in enumerate(shape, start=1):
        tensor = _match_rank(tensor, len(shape))
        tensor = _resample_axis(tensor, axis, length)
    return tensor


def _match_rank(tensor: Tensor, rank: int) -> Tensor:
    if tensor.dim() - 1 > rank:
        return tensor.flatten(rank)
    while tensor.dim() - 1 < rank:
        tensor = tensor.unsqueeze(2)
    return tensor


def _resample_axis(tensor: Tensor, axis: int, length: int) -> Tensor:
    before = tensor.shape[axis]
    if before == length:
        return tensor
    spectrum = torch.fft.rfft(tensor, dim=axis)
    resampled: Tensor = torch.fft.irfft(spectrum, n=length, dim=axis) * (length / before)
    return resampled
