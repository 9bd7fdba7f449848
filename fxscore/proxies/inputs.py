"""Seeded stand-ins for a batch of labelled images, since no data set is at hand.

Images are Gaussian noise. White noise lacks what convolutions see in photographs, so by default its amplitude
spectrum falls as 1/f, as that of natural images does (Field, J. Opt. Soc. Am. A 4(12), 1987), with f in
cycles per image: `A(f) = max(f, 1)^−spectrum`, the whole batch scaled to unit variance. `spectrum = 0` is
white noise. Labels are drawn uniformly.
"""

from __future__ import annotations

import torch
from torch import Tensor

from fxscore.types import Shape


def random_images(batch: int, shape: Shape, seed: int, spectrum: float) -> Tensor:
    """A float32 batch (batch, C, …) of zero-mean, unit-variance noise; the same for equal arguments."""
    generator = torch.Generator().manual_seed(seed)
    noise = torch.randn(batch, *shape, generator=generator)
    axes = tuple(range(2, noise.dim()))
    if not spectrum or not axes:
        return noise
    amplitudes = frequencies(noise.shape[2:]).clamp(min=1.0) ** -spectrum
    shaped: Tensor = torch.fft.ifftn(torch.fft.fftn(noise, dim=axes) * amplitudes, dim=axes).real
    return shaped / shaped.std()


def frequencies(sizes: Shape) -> Tensor:
    """The length of every frequency vector of a grid of `sizes`, in cycles per image."""
    axes = [torch.fft.fftfreq(size) * size for size in sizes]
    squares: Tensor = torch.stack(torch.meshgrid(*axes, indexing="ij")).square().sum(0)
    return squares.sqrt()


def random_labels(batch: int, classes: int, seed: int) -> Tensor:
    """Class indices (batch,), drawn uniformly from `classes`."""
    return torch.randint(classes, (batch,), generator=torch.Generator().manual_seed(seed))
