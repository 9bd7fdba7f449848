"""The shared Fourier kernel: one learnable bank of frequency maps gives a weight for every shape.

For a layer with weight (out, in, kh, kw) the weight is the magnitude of the orthonormal 3-D DFT of the n maps of
k × k, zero-padded or trimmed to (out·in, kh, kw). Where padding made an axis longer (N → K, N < K) the result is
divided by sqrt(N/K), so that the energy does not depend on the shape. Source: paper III-B1; METHOD.md section 1.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from math import pi, prod, sqrt

import torch
from torch import Tensor, nn

from fxscore.capture.torch_private import version_of
from fxscore.types import Shape

LONG = (
    2**24
)  # values; the plain transform of more takes many times as long, and MKL's (torch 2.14) may even crash
_ROWS = 128


class FourierKernel(nn.Module):
    """Frequency maps (n_in·n_out, k, k) and biases (n_out,); both standard normal at the start.

    Args:
        n_in, n_out: the paper's 64 and 64.
        size: k, the largest kernel of the data set.
        generator: source of the initial values.
    """

    def __init__(
        self, n_in: int = 64, n_out: int = 64, size: int = 3, generator: torch.Generator | None = None
    ) -> None:
        super().__init__()
        self.maps = nn.Parameter(torch.randn(n_in * n_out, size, size, generator=generator))
        self.biases = nn.Parameter(torch.randn(n_out, generator=generator))

    def synthesise(self, shape: Shape) -> Tensor:
        """The weight of `shape` (out, in, kh, kw), or the bias of shape (out,); differentiable."""
        source = self.biases if len(shape) == 1 else self.maps
        if 0 in shape:
            return source.new_zeros(shape)
        lengths = shape if len(shape) == 1 else (shape[0] * shape[1], *shape[2:])
        axes = tuple(range(len(lengths)))
        trimmed = source[tuple(slice(0, length) for length in lengths)]
        if lengths[0] > LONG:
            magnitudes = _long_magnitudes(trimmed, lengths)
        else:
            magnitudes = torch.fft.fftn(trimmed, s=lengths, dim=axes, norm="ortho").abs()
        weight: Tensor = (magnitudes / _padding_scale(source.shape, lengths)).reshape(shape)
        return weight


def _long_magnitudes(source: Tensor, lengths: Shape) -> Tensor:
    """Magnitudes of the DFT where the first axis, of N, is much longer than its L values.

    With N = P·M and k = M·r + q, the term exp(−2πi·n·k/N) is exp(−2πi·n·q/N)·exp(−2πi·n·r/P): M transforms of P ≥ L
    values instead of one of N, some rows q at a time.
    """
    known, length = source.shape[0], lengths[0]
    parts = next(m for m in range(length // known, 0, -1) if length % m == 0)
    others = tuple(range(1, source.dim()))
    inner = torch.fft.fftn(source, s=lengths[1:], dim=others, norm="ortho") if others else source
    rows = torch.split(torch.arange(parts, dtype=torch.float64, device=source.device), _ROWS)
    blocks = [torch.fft.fft(_turned(inner, q, length), n=length // parts, dim=1).abs() for q in rows]
    return torch.cat(blocks).transpose(0, 1).reshape(lengths) / sqrt(length)


def _turned(inner: Tensor, q: Tensor, length: int) -> Tensor:
    """exp(−2πi·n·q/N) times the values: (rows, L, …)."""
    places = torch.arange(len(inner), dtype=torch.float64, device=inner.device)
    angles = (-2 * pi / length) * q[:, None] * places
    turns = torch.polar(torch.ones_like(angles), angles).to(torch.complex64)
    return turns.reshape(*turns.shape, *(1,) * (inner.dim() - 1)) * inner


def _padding_scale(source: Shape, lengths: Shape) -> float:
    """The product of sqrt(N/K) over the axes that padding made longer."""
    return prod(sqrt(n / k) for n, k in zip(source, lengths, strict=True) if n < k)


def kaiming_scale(shape: Shape) -> float:
    """sqrt(2 / fan_in), fan_in as `torch.nn.init` reads it off a weight's shape; 1 for a bias."""
    return sqrt(2.0 / prod(shape[1:])) if len(shape) > 1 else 1.0


class WeightCache(Mapping[Shape, Tensor]):
    """Weights by shape, synthesised without gradient when first asked for, and kept while the kernel stays the same.

    Args:
        kernel: the kernel to synthesise from.
        kaiming: scale weights by sqrt(2 / fan_in), for use without v-norm.
        max_bytes: the least recently used weights are forgotten past this size.
    """

    def __init__(self, kernel: FourierKernel, *, kaiming: bool = False, max_bytes: int = 512 * 2**20) -> None:
        self.kernel = kernel
        self.kaiming = kaiming
        self.max_bytes = max_bytes
        self._weights: OrderedDict[Shape, Tensor] = OrderedDict()
        self._bytes = 0
        self._version: tuple[int, ...] = ()

    def __getitem__(self, shape: Shape) -> Tensor:
        self._forget_if_stale()
        if shape in self._weights:
            self._weights.move_to_end(shape)
            return self._weights[shape]
        with torch.no_grad():
            weight = self.kernel.synthesise(shape)
            weight = weight.mul_(kaiming_scale(shape)) if self.kaiming else weight
        self._keep(shape, weight)
        return weight

    def __iter__(self) -> Iterator[Shape]:
        return iter(self._weights)

    def __len__(self) -> int:
        return len(self._weights)

    def __getstate__(self) -> dict[str, object]:
        """Copies and pickles start empty: weights are quicker to synthesise than to move."""
        return {**self.__dict__, "_weights": OrderedDict(), "_bytes": 0, "_version": ()}

    def _keep(self, shape: Shape, weight: Tensor) -> None:
        self._weights[shape] = weight
        self._bytes += weight.nbytes
        while self._bytes > self.max_bytes:
            _, forgotten = self._weights.popitem(last=False)
            self._bytes -= forgotten.nbytes

    def _forget_if_stale(self) -> None:
        """Every in-place change of a parameter, such as an optimiser's step, raises its version."""
        parameters = (self.kernel.maps, self.kernel.biases)
        version = tuple(number for p in parameters for number in (id(p), p.data_ptr(), version_of(p)))
        if version != self._version:
            self._weights.clear()
            self._bytes = 0
            self._version = version


class TrainableWeights(Mapping[Shape, Tensor]):
    """Weights by shape as leaves of autograd.

    Gradients of many networks add up here, and go through one synthesis per shape to the kernel (METHOD.md section 4).
    """

    def __init__(self, kernel: FourierKernel, *, kaiming: bool = False) -> None:
        self.kernel = kernel
        self.kaiming = kaiming
        self._leaves: dict[Shape, Tensor] = {}

    def __getitem__(self, shape: Shape) -> Tensor:
        if shape not in self._leaves:
            with torch.no_grad():
                self._leaves[shape] = self._synthesise(shape)
            self._leaves[shape].requires_grad_()
        return self._leaves[shape]

    def __iter__(self) -> Iterator[Shape]:
        return iter(self._leaves)

    def __len__(self) -> int:
        return len(self._leaves)

    def backward(self) -> None:
        """Push the gradients gathered at the weights through the synthesis into the kernel's parameters."""
        for shape, leaf in self._leaves.items():
            if leaf.grad is not None:
                torch.autograd.backward(self._synthesise(shape), leaf.grad)

    def _synthesise(self, shape: Shape) -> Tensor:
        weight = self.kernel.synthesise(shape)
        return weight * kaiming_scale(shape) if self.kaiming else weight
