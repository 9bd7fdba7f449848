"""Finds the blocks of a forward pass: what lies between tensors through which everything goes.

A tensor is a *cut* where nothing that was computed before it is read after it: the output of a residual block is one,
its inner layers are none while the shortcut waits. Of the cuts between two convolution or linear layers the last one
counts, behind normalisation, activation and pool. Of these, `features` keeps those of more than one position, so that
the pooled features and the logits are left out; a network that has no positions keeps all but its output.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.multiprocessing.reductions import StorageWeakRef

from fxscore.proxies.flow import Call, FlowMode, storage_of


@dataclass(frozen=True)
class _Step:
    made: StorageWeakRef
    tensor: Tensor | None  # None where the operator only lays out what another has made
    layers: int  # convolution and linear operators up to here


class BlockMode(FlowMode):
    """Follows a forward pass with gradients; afterwards `features` gives the tensors between its blocks."""

    def __init__(self, parameters: Iterator[Tensor], images: Tensor) -> None:
        super().__init__(parameters, images)
        self._batch = len(images)
        self._steps: list[_Step] = []
        self._made: dict[StorageWeakRef, int] = {storage_of(images): -1}
        self._read: dict[StorageWeakRef, int] = {storage_of(images): -1}
        self._layers = 0

    def see(self, call: Call) -> None:
        if not call.data:
            return
        self._layers += call.weighted
        here, output = len(self._steps), call.outputs[0]
        for tensor, origin in zip(call.inputs, call.origins, strict=True):
            if origin.data:
                self._read[storage_of(tensor)] = here
        same = any(
            output is not tensor and storage_of(output) == storage_of(tensor) for tensor in call.inputs
        )
        self._steps.append(_Step(storage_of(output), None if same else output, self._layers))
        for key in map(storage_of, call.outputs):
            self._made.setdefault(key, here)
            self._read.setdefault(key, here)

    def features(self, output: Tensor) -> list[Tensor]:
        """The tensors between blocks, in the order of the pass, part of the autograd graph of `output`."""
        cuts = [(step.layers, step.tensor) for step in self._cuts() if step.tensor is not None]
        kept = [(n, tensor) for n, tensor in cuts if n and tensor.is_floating_point() and tensor.dim() > 1]
        kept = [(n, tensor) for n, tensor in kept if tensor.shape[0] % self._batch == 0]
        wide = [(n, tensor) for n, tensor in kept if positions(tensor) > 1]
        last = dict(wide or [(n, tensor) for n, tensor in kept if n < self._layers])
        return [tensor for tensor in last.values() if tensor is not output]

    def _cuts(self) -> Iterator[_Step]:
        order = sorted(self._made.items(), key=lambda item: item[1])
        for here, step in enumerate(self._steps):
            earlier = (self._read[key] for key, made in order if made <= here and key != step.made)
            if all(last <= here for last in earlier):
                yield step


def positions(tensor: Tensor) -> int:
    """Places of a map (N, C, …), or tokens of a sequence (N, T, C); 1 of rows (N, C)."""
    return 1 if tensor.dim() < 3 else tensor.shape[1] if tensor.dim() == 3 else tensor[0, 0].numel()


def channels_last(tensor: Tensor) -> Tensor:
    """Maps (N, C, …), sequences (N, T, C) or rows (N, C) as (N, positions, C)."""
    if tensor.dim() < 3:
        return tensor[:, None]
    return tensor if tensor.dim() == 3 else tensor.flatten(2).transpose(1, 2)


def rademacher(tensor: Tensor, seed: int) -> Tensor:
    """Signs, each as likely, in the shape of `tensor`."""
    signs = torch.randint(2, tensor.shape, generator=torch.Generator().manual_seed(seed))
    return (2 * signs - 1).to(tensor)
