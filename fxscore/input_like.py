"""The input-like tensor at any resolution: resampled in the frequency domain, axis by axis (METHOD.md section 1)."""

from __future__ import annotations

import torch
from torch import Tensor

from fxscore.types import Shape


def resample(tensor: Tensor, shape: Shape) -> Tensor:
    """Resample a (B, C, H, W) tensor to (B, *shape); amplitudes stay as they are.

    Other ranks: with fewer axes the trailing ones are joined first, with more axes those after the channels are
    constant. An empty shape, of a network that takes token ids alone, asks for nothing. Differentiable.
    """
    if tensor.shape[1:] == torch.Size(shape) or not shape:
        return tensor
    tensor = _match_rank(tensor, len(shape))
    for axis, length in enumerate(shape, start=1):
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
    shared = min(before, length)
    spectrum = torch.fft.rfft(tensor, dim=axis).narrow(axis, 0, shared // 2 + 1)
    if shared % 2 == 0:
        # At the highest frequency of an even length two waves fall into one value; on the longer side they are two.
        scale = spectrum.new_ones(shared // 2 + 1)
        scale[-1] = 2.0 if length < before else 0.5
        spectrum = spectrum * scale.view(-1, *(1,) * (tensor.dim() - axis - 1))
    resampled: Tensor = torch.fft.irfft(spectrum, n=length, dim=axis) * (length / before)
    return resampled


def further_input(input_like: Tensor, shape: Shape, place: int) -> Tensor:
    """What stands for a network's second, third, … input: the input-like tensor at its shape, other images per row.

    Args:
        input_like: (B, …), at the shape of the first input.
        shape: of this input, without the batch; () of one number per row (the time of a diffusion).
        place: 1 for the second input.
    """
    return resample(input_like, shape or (1,)).roll(place, dims=0).reshape(-1, *shape)


def complex_input(value: Tensor) -> Tensor:
    """What stands for a complex input: a real one of its shape, with that of the next row as imaginary part."""
    return torch.complex(value, value.roll(1, dims=0))
