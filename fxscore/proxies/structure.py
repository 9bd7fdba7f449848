"""Counts what a network is made of, without its weights and without arithmetic.

MACs and activations are those of `fxscore.costs`. For the others the network runs once on tensors that have a shape
and no content (`FakeTensorMode`), two images at a time, in eval mode; counts are for one image.

- FLOPs: MACs + 2 per element of an affine normalisation + 1 per element of an activation + the window's size
  per element of a pool; sums of branches and global averages are free. This is the convention of the per-cell
  table of NAS-Bench-Suite-Zero (Krishnakumar et al., NeurIPS 2022), whose every NAS-Bench-201 value is ours plus
  5,184, its share of the global average;
- layers: calls of convolution and linear operators; depth: how many lie on the longest path that carries
  the input to the main output.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from fxscore.capture.modes import evaluating
from fxscore.capture.torch_private import FakeTensorMode
from fxscore.costs import network_costs
from fxscore.proxies.flow import Call, FlowMode
from fxscore.proxies.operators import ACTIVATIONS, NORMS, POOLS
from fxscore.proxies.outputs import main_tensor
from fxscore.proxies.probe import copy_with, like
from fxscore.proxies.taps import Unfused
from fxscore.types import Shape

# With one image, a squeeze of singleton axes would take the batch too.
IMAGES = 2


@dataclass(frozen=True)
class Structure:
    """Counts of one network for one image."""

    params: int
    macs: int
    flops: int
    activations: int
    layers: int
    layer_depth: int


def count_params(module: nn.Module) -> int:
    """Learnable numbers, tied ones once."""
    return sum(parameter.numel() for parameter in module.parameters())


def measure_structure(module: nn.Module, input_shape: Shape) -> Structure:
    """Count `module` at inputs (C, H, W); parameters may be on the meta device, and nothing is allocated."""
    with torch.inference_mode(False), torch.no_grad(), FakeTensorMode(), Unfused():
        network = evaluating(copy_with(module, Hollow()))
        images = torch.empty(IMAGES, *input_shape)
        with _CountingMode(network.parameters(), images) as mode:
            output = main_tensor(network(images))
    depth = mode.origin_of(output).depth or 0
    size = network_costs(module, input_shape)
    return Structure(
        params=count_params(module),
        macs=size.macs,
        flops=size.macs + mode.elementwise // IMAGES,
        activations=size.activations,
        layers=mode.layers,
        layer_depth=depth,
    )


class Hollow:
    """Gives tensors without content, on the CPU as far as any operator can tell; one for all of equal shape."""

    def __init__(self) -> None:
        self._made: dict[tuple[object, ...], Tensor] = {}

    def __call__(self, tensor: Tensor) -> Tensor:
        key = (isinstance(tensor, nn.Parameter), tensor.shape, tensor.stride(), tensor.dtype)
        if key not in self._made:
            new = torch.empty_strided(tensor.shape, tensor.stride(), dtype=tensor.dtype, device="cpu")
            self._made[key] = like(tensor, new)
        return self._made[key]


class _CountingMode(FlowMode):
    def __init__(self, parameters: Iterator[Tensor], images: Tensor) -> None:
        super().__init__(parameters, images)
        self.elementwise = self.layers = 0

    def see(self, call: Call) -> None:
        # What happens to weights alone happens once, not for every image.
        if not call.data:
            return
        self.elementwise += _elementwise(call)
        self.layers += call.weighted


def _elementwise(call: Call) -> int:
    elements = call.outputs[0].numel()
    if call.packet in NORMS:
        return elements * (2 if any(origin.learned for origin in call.origins[1:]) else 1)
    if call.packet in ACTIVATIONS:
        return elements
    if call.packet in POOLS:
        return elements * math.prod(_window(call))
    return 0


def _window(call: Call) -> tuple[int, ...]:
    sizes = [int(size) for size in call.args[1]]
    axes = call.inputs[0].dim() - 2
    return tuple(sizes * axes if len(sizes) == 1 else sizes)
