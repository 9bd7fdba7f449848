"""METHOD.md sections 1 to 3 once more, as plainly as they can be written, for NAS-Bench-201 networks.

It shares no code with fxscore: no capture, no graph, no cache. The kernel is synthesised anew at every layer, as the
paper describes it; the skeleton is written down layer by layer. Tests compare the package with it, and
`benchmarks/speed/plain_forward.py` measures what the package saves.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt

import torch
import torch.nn.functional as F
from torch import Tensor

EPSILON = 1e-5
Transform = Callable[[Tensor, tuple[int, ...]], Tensor]


@dataclass(frozen=True)
class Plain:
    """What a scorer has learned: input-like tensor (B, 3, H, W), maps (n, k, k), L2 (1, 100), layers of MLP_b."""

    input_like: Tensor
    maps: Tensor
    readout: tuple[Tensor, Tensor]
    mlp: Sequence[tuple[Tensor, Tensor]]
    v_norm: bool


def from_state(state: Mapping[str, Tensor], v_norm: bool) -> Plain:
    """The learned values in the state of an `FTScoreNet`, found by name."""
    layers = sorted({name.rpartition(".")[0] for name in state if name.startswith("mlp.")})
    return Plain(
        input_like=state["input_like"],
        maps=state["kernel.maps"],
        readout=(state["readout.weight"], state["readout.bias"]),
        mlp=[(state[f"{layer}.weight"], state[f"{layer}.bias"]) for layer in layers],
        v_norm=v_norm,
    )


# -- section 1: the kernel -------------------------------------------------------------------------------------------


def fast_transform(values: Tensor, lengths: tuple[int, ...]) -> Tensor:
    """Orthonormal DFT of each axis in turn, zero-padded or trimmed to its length."""
    for axis, length in reversed(list(enumerate(lengths))):
        values = torch.fft.fft(values, n=length, dim=axis, norm="ortho")
    return values


def matrix_transform(values: Tensor, lengths: tuple[int, ...]) -> Tensor:
    """The same by the definition of the DFT, a matrix per axis; in double precision, for small shapes."""
    values = values.to(torch.complex128)
    for axis, length in enumerate(lengths):
        kept = min(length, values.shape[axis])
        frequencies, times = torch.arange(length)[:, None], torch.arange(kept)[None]
        angles = -2 * torch.pi * (frequencies * times % length) / length
        matrix = torch.polar(torch.ones_like(angles), angles).to(torch.complex128) / sqrt(length)
        moved = values.movedim(axis, 0)[:kept]
        values = torch.tensordot(matrix, moved, dims=1).movedim(0, axis)
    return values


def synthesise(maps: Tensor, shape: tuple[int, ...], transform: Transform = fast_transform) -> Tensor:
    """Steps 1 to 3: 2-D DFT of each map, DFT along the maps, magnitude; energy restored where padding thinned it."""
    out, within, kh, kw = shape
    lengths = (out * within, kh, kw)
    weight = transform(maps, lengths).abs()
    for stored, wanted in zip(maps.shape, lengths, strict=True):
        if wanted > stored:
            weight = weight / sqrt(stored / wanted)
    return weight.reshape(shape).to(maps.dtype)


# -- section 1: operators --------------------------------------------------------------------------------------------


def batch_norm(x: Tensor) -> Tensor:
    """Over the batch axis alone, for each channel and position; biased variance, eps inside the root, no affine."""
    mean = x.mean(dim=0, keepdim=True)
    variance = ((x - mean) ** 2).mean(dim=0, keepdim=True)
    return (x - mean) / (variance + EPSILON).sqrt()


def convolve(
    plain: Plain, x: Tensor, out: int, kernel: int, stride: int = 1, *, normed: bool = True
) -> Tensor:
    """A convolution without bias; unitised by its deviation, unless a norm follows and cancels that anyway."""
    shape = (out, x.shape[1], kernel, kernel)
    weight = synthesise(plain.maps, shape)
    if not plain.v_norm:
        weight = weight * sqrt(2 / (x.shape[1] * kernel * kernel))
    y = F.conv2d(x, weight, stride=stride, padding=kernel // 2)
    if normed:
        return batch_norm(y)
    return y / deviation(y) if plain.v_norm else y


def deviation(x: Tensor) -> Tensor:
    """The unitisation factor."""
    return ((x - x.mean()) ** 2).mean().sqrt() + EPSILON


# -- the skeleton of NAS-Bench-201 -----------------------------------------------------------------------------------


def cell(plain: Plain, operations: Sequence[str], x: Tensor) -> Tensor:
    """One cell; operations on the edges 0→1, 0→2, 1→2, 0→3, 1→3, 2→3."""
    nodes = [x]
    edges = iter(operations)
    for target in (1, 2, 3):
        total = torch.zeros_like(x)
        for source in range(target):
            total = total + edge(plain, next(edges), nodes[source])
        nodes.append(total)
    return nodes[3]


def edge(plain: Plain, operation: str, x: Tensor) -> Tensor:
    """The value of one edge."""
    if operation == "none":
        return torch.zeros_like(x)
    if operation == "skip_connect":
        return x
    if operation == "avg_pool_3x3":
        return F.avg_pool2d(x, 3, stride=1, padding=1, count_include_pad=False)
    return convolve(plain, x.relu(), x.shape[1], {"nor_conv_1x1": 1, "nor_conv_3x3": 3}[operation])


def reduction(plain: Plain, x: Tensor) -> Tensor:
    """The residual block between stages: twice the channels, half the size."""
    channels = 2 * x.shape[1]
    body = convolve(plain, x.relu(), channels, 3, stride=2)
    body = convolve(plain, body.relu(), channels, 3)
    return body + convolve(plain, F.avg_pool2d(x, 2, 2), channels, 1, normed=False)


def features(plain: Plain, operations: Sequence[str], width: int = 16, cells: int = 5) -> Tensor:
    """Section 2: (B, C), the input of the classifier."""
    x = convolve(plain, plain.input_like, width, 3)
    for stage in range(3):
        if stage:
            x = reduction(plain, x)
        for _ in range(cells):
            x = cell(plain, operations, x)
    return batch_norm(x).relu().mean(dim=(2, 3))


# -- section 3: the head ---------------------------------------------------------------------------------------------


def head(plain: Plain, encoding: Tensor) -> Tensor:
    """L1, division by the deviation, SymLog, L2, transposition, MLP_b."""
    channels = encoding.shape[1]
    weight = synthesise(plain.maps, (100, channels, 1, 1)).reshape(100, channels)
    if not plain.v_norm:
        weight = weight * sqrt(2 / channels)
    projected = encoding @ weight.T
    if plain.v_norm:
        projected = projected / deviation(projected)
    squashed = torch.sign(projected) * torch.log(projected.abs() + 1)
    value = (squashed @ plain.readout[0].T + plain.readout[1]).T
    for number, (matrix, bias) in enumerate(plain.mlp):
        value = (value if number == 0 else value.relu()) @ matrix.T + bias
    return value[0, 0]


def score(plain: Plain, operations: Sequence[str], width: int = 16, cells: int = 5) -> Tensor:
    """The score of a NAS-Bench-201 network by the plain method."""
    return head(plain, features(plain, operations, width, cells))
