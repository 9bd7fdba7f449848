"""Networks with complex weights and Fourier transforms, as neural operators and filters have them."""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite

import pytest
import torch
from torch import Tensor, nn

import fxscore


class SpectralConv(nn.Module):
    """A Fourier layer: the lowest frequencies mix channels, each by its own complex matrix."""

    def __init__(self, channels: int, modes: int) -> None:
        super().__init__()
        self.modes = modes
        self.weight = nn.Parameter(torch.randn(channels, channels, modes, dtype=torch.cfloat))

    def forward(self, x: Tensor) -> Tensor:
        spectrum = torch.fft.rfft(x)
        mixed = torch.zeros(len(x), x.shape[1], spectrum.shape[-1], dtype=torch.cfloat)
        low = torch.einsum("bix,iox->box", spectrum[..., : self.modes], self.weight)
        mixed[..., : self.modes] = low
        result: Tensor = torch.fft.irfft(mixed, n=x.shape[-1])
        return result


class FourierNet(nn.Module):
    def __init__(self, channels: int, modes: int) -> None:
        super().__init__()
        self.lift, self.spectral = nn.Conv1d(2, channels, 1), SpectralConv(channels, modes)
        self.skip, self.head = nn.Conv1d(channels, channels, 1), nn.Linear(channels, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = self.lift(x)
        result: Tensor = self.head((self.spectral(x) + self.skip(x)).relu().mean(-1))
        return result


class Use(nn.Module):
    def __init__(self, function: Callable[[Tensor, Tensor], Tensor], weight: Tensor) -> None:
        super().__init__()
        self.function, self.weight = function, nn.Parameter(weight)

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x, self.weight)


def test_complex_products_count_once_and_transforms_are_named() -> None:
    found = fxscore.explain(FourierNet(6, 4), input_shape=(2, 20))
    assert found.macs == 20 * 2 * 6 + 6 * 6 * 4 + 20 * 6 * 6 + 6 * 3
    assert found.uncounted == ("fft_irfft", "fft_rfft")
    assert found.params == (2 * 6 + 6) + 6 * 6 * 4 + (6 * 6 + 6) + (6 * 3 + 3)


def test_modes_and_channels_show() -> None:
    sizes = [(6, 4), (6, 8), (9, 4)]
    assert len({fxscore.score(FourierNet(*size), input_shape=(2, 20)) for size in sizes}) == len(sizes)


@pytest.mark.parametrize(
    "function",
    [
        lambda x, w: torch.fft.irfft(torch.fft.rfft(x) @ w),
        lambda x, w: torch.complex(x[..., :6], x[..., 4:]) @ w,
        lambda x, w: torch.fft.fft(x),
    ],
    ids=["a complex head", "a complex output", "frequencies as the output"],
)
def test_complex_values_are_encoded_by_their_magnitudes(function: Callable[[Tensor, Tensor], Tensor]) -> None:
    network = Use(function, torch.randn(6, 6, dtype=torch.cfloat))
    assert isfinite(fxscore.score(network, input_shape=(5, 10)))


def test_parts_that_an_order_of_axes_made_neighbours() -> None:
    def spectrum(x: Tensor, w: Tensor) -> Tensor:
        parts = (w * x.unsqueeze(1)).unflatten(1, (3, 2)).permute(0, 1, 3, 4, 5, 2).contiguous()  # type: ignore[no-untyped-call]
        return torch.view_as_complex(parts).abs().mean((2, 3))

    network = Use(spectrum, torch.randn(6, 1, 1, 1))
    assert isfinite(fxscore.score(network, input_shape=(2, 5, 7)))
