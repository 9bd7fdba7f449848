"""VKDNW: how evenly a network knows its weights, by the eigenvalues of its Fisher information.

Tybl, Neumann, "Training-free Neural Architecture Search through Variance of Knowledge of Deep Network Weights", CVPR
2025, arXiv:2502.04975, section 3. With p the class probabilities of an image and J the Jacobian of its logits by the
weights, the Fisher information is the mean over images of `Jᵀ (diag p − p pᵀ) J`. With λ_k the k-th decile of its
eigenvalues, k = 1 … 9, scaled to the sum 1, the score is

    −Σ_k λ_k ln λ_k + n

The entropy is at most ln 9. n, the number of convolution and linear layers, is the size of the network, which the
entropy does not know (the paper's score for a single network; ranks of five proxies are added up for a set).

The matrix is kept small by one weight for each layer, as in the paper. Details that are chosen here: it is the weight
of the first input channel to the first output channel, in the middle of the kernel; at most the first `LAYERS` layers;
BatchNorms hold on to the statistics of the batch, so that images do not mix; with more than `DRAWS` classes the sum
over classes is estimated by as many random signs. Transposed convolutions and torch's own attention function count
towards n, and have no weight in the matrix.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from fxscore.capture.torch_private import BatchNormBase
from fxscore.errors import ScorerError
from fxscore.proxies.outputs import class_logits
from fxscore.proxies.probe import SeededProxy
from fxscore.proxies.rows import batch_axis
from fxscore.proxies.taps import WeightTap, used_weights

LAYERS = 128
DRAWS = 10
_DECILES = torch.arange(1, 10, dtype=torch.float64) / 10
_CONVOLUTIONS = (torch.conv1d, torch.conv2d, torch.conv3d)


@dataclass(frozen=True)
class Vkdnw(SeededProxy):
    """Entropy of the deciles of the Fisher information's eigenvalues, plus the number of layers."""

    name: ClassVar[str] = "vkdnw"
    source: ClassVar[str] = "Tybl, Neumann, arXiv:2502.04975, section 3"
    tie_rule: ClassVar[str] = "a real number, so ties come only from networks that compute alike"
    redraws: ClassVar[bool] = True  # BatchNorms are stopped

    def value_on(self, network: nn.Module, images: Tensor) -> float:
        hold_statistics(network, images)
        with WeightProbe(self.batch) as tap:
            logits = class_logits(network(images), self.batch)
        if not tap.deltas:
            raise ScorerError("the network uses no convolution or linear weight")
        return decile_entropy(fisher(logits, tap.deltas[:LAYERS], self.seed)) + float(tap.layers)


def hold_statistics(network: nn.Module, images: Tensor) -> None:
    """Give the BatchNorms the statistics of the batch, and stop them."""
    norms = [part for part in network.modules() if isinstance(part, BatchNormBase)]
    for norm in norms:
        norm.momentum = 1.0
    if norms:
        with torch.no_grad():
            network(images)
    for norm in norms:
        norm.training = norm.running_mean is None


class WeightProbe(WeightTap):
    """Adds to one weight of every layer a zero for each image, `deltas` (batch,), by which one can differentiate."""

    def __init__(self, batch: int) -> None:
        super().__init__()
        self.batch = batch
        self.deltas: list[Tensor] = []
        self.layers = 0

    def run(self, func: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        result = super().run(func, args, kwargs)
        self.layers += int(bool(used_weights(func, args, kwargs)))
        if func is F.linear:
            return self._changed(result, args[0] if args else kwargs["input"], result.dim() - 1)
        if func in _CONVOLUTIONS:
            return self._changed(result, _first_channel(func, args, kwargs), 1)
        return result

    def _changed(self, result: Tensor, seen: Tensor, channel: int) -> Tensor:
        """`result` with its first channel plus delta times the first channel of `seen`."""
        axis = batch_axis(result, self.batch)
        if axis is None or axis == channel:
            return result
        delta = result.new_zeros(self.batch).requires_grad_()
        self.deltas.append(delta)
        shape = [-1 if place == axis else 1 for place in range(result.dim())]
        factor = delta.repeat_interleave(result.shape[axis] // self.batch).reshape(shape)
        added = factor * seen.narrow(channel, 0, 1)
        rest = result.narrow(channel, 1, result.shape[channel] - 1)
        return torch.cat([result.narrow(channel, 0, 1) + added, rest], channel)


def _first_channel(func: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Tensor:
    """What the middle weight from the first channel to the first one is multiplied by, at every place."""
    names = ("input", "weight", "bias", "stride", "padding", "dilation", "groups")
    given = dict(zip(names, args, strict=False)) | dict(kwargs)
    kernel = torch.zeros_like(given["weight"][:1, :1])
    middle = (0, 0, *(size // 2 for size in kernel.shape[2:]))
    kernel[middle] = 1
    how = {name: given[name] for name in ("stride", "padding", "dilation") if name in given}
    seen: Tensor = func(given["input"].narrow(1, 0, 1), kernel, **how)
    return seen


def fisher(logits: Tensor, deltas: Sequence[Tensor], seed: int) -> Tensor:
    """The Fisher information (layers, layers) of one weight for each layer, by each image's own gradient.

    With s = √p, `diag p − p pᵀ` is R Rᵀ for `R = diag s − p sᵀ`; its columns, or R times random signs, are what is
    led back.
    """
    chances = logits.detach().softmax(1)
    roots = chances.sqrt()
    found = torch.zeros(len(deltas), len(deltas), dtype=torch.float64)
    directions = list(_directions(logits.shape[1], seed))
    for direction in directions:
        scaled = roots * direction.to(roots)
        led_back = scaled - chances * scaled.sum(1, keepdim=True)
        gradients = torch.autograd.grad(logits, deltas, led_back, retain_graph=True, materialize_grads=True)
        rows = torch.stack([each.double().cpu() for each in gradients])
        found += rows @ rows.T / rows.shape[1]
    return found / len(directions) if logits.shape[1] > DRAWS else found


def _directions(classes: int, seed: int) -> Iterator[Tensor]:
    if classes <= DRAWS:
        yield from torch.eye(classes)
        return
    generator = torch.Generator().manual_seed(seed)
    for _ in range(DRAWS):
        yield 2.0 * torch.randint(2, (classes,), generator=generator) - 1


def decile_entropy(information: Tensor) -> float:
    """Entropy of the deciles of the eigenvalues, scaled to the sum 1; NaN where all are zero."""
    deciles = torch.quantile(torch.linalg.eigvalsh(information).clamp(min=0), _DECILES)
    return float(torch.special.entr(deciles / deciles.sum()).sum())
