"""Proxies of the loss gradient at initialisation: grad_norm, snip and grasp.

With L the cross entropy of one batch, and the sum over the weights w of convolution and linear layers (not
biases, not normalisations; those that the output does not depend on count nothing):

- grad_norm: `Σ_w ‖∂L/∂w‖₂` (Abdelfattah et al., ICLR 2021, section 3.1);
- snip: `Σ_w Σ |w · ∂L/∂w|` (Lee et al., ICLR 2019, equation 5);
- grasp: `−Σ_w Σ w · (H g)`, g the gradient, H the Hessian (Wang et al., ICLR 2020, equation 8). Accuracy
  was found to fall with `+w·Hg`, so the field's tools take the sign given here.

There is no data set: images are the seeded noise of `inputs`, labels are drawn uniformly from the network's
outputs. The values are on the `symlog` scale.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from fxscore.errors import ScorerError
from fxscore.proxies.inputs import random_labels
from fxscore.proxies.outputs import class_logits
from fxscore.proxies.probe import SeededProxy
from fxscore.proxies.readable import symlog
from fxscore.proxies.taps import TwiceDifferentiable, WeightTap

_TIES = (
    "a real number; networks whose output depends on no weight tie at 0, others only where they compute alike"
)


@dataclass(frozen=True)
class GradientProxy(SeededProxy):
    """A sum over weights of a function of the weight and its loss gradient."""

    tie_rule: ClassVar[str] = _TIES

    def value_on(self, network: nn.Module, images: Tensor) -> float:
        loss, tap = self.forward(network, images)
        return symlog(float(self.saliency(loss, tap)))

    def forward(self, network: nn.Module, images: Tensor) -> tuple[Tensor, WeightTap]:
        """The loss and what the tap saw on the way to it."""
        with self.tap() as tap:
            loss = self.loss(network(images))
        if not tap.weights:
            raise ScorerError("the network uses no convolution or linear weight")
        return loss, tap

    def tap(self) -> WeightTap:
        """The mode under which the forward pass runs."""
        return WeightTap()

    def loss(self, output: object) -> Tensor:
        """Cross entropy of seeded labels, averaged over the batch."""
        logits = class_logits(output, self.batch)
        labels = random_labels(self.batch, logits.shape[1], self.seed)
        return F.cross_entropy(logits, labels.to(logits.device))

    @abstractmethod
    def saliency(self, loss: Tensor, tap: WeightTap) -> Tensor:
        """The sum over what `tap` saw, a scalar; the graph of `loss` is there."""


@dataclass(frozen=True)
class FirstOrder(GradientProxy):
    """One that needs the loss gradient alone, so that several can share it (`together`)."""

    def saliency(self, loss: Tensor, tap: WeightTap) -> Tensor:
        wanted = self.wanted(tap)
        return self.summed(torch.autograd.grad(loss, wanted, materialize_grads=True), tap)

    def wanted(self, tap: WeightTap) -> list[Tensor]:
        """The tensors whose gradients are needed."""
        return tap.weights

    @abstractmethod
    def summed(self, gradients: Sequence[Tensor], tap: WeightTap) -> Tensor:
        """The sum, of the gradients of what is `wanted`."""


@dataclass(frozen=True)
class GradNorm(FirstOrder):
    """The sum of the layers' gradient norms."""

    name: ClassVar[str] = "grad_norm"
    source: ClassVar[str] = "Abdelfattah et al., Zero-Cost Proxies, ICLR 2021, section 3.1"

    def summed(self, gradients: Sequence[Tensor], tap: WeightTap) -> Tensor:
        return total(gradient.norm() for gradient in gradients)


@dataclass(frozen=True)
class Snip(FirstOrder):
    """How much the loss would feel the loss of each weight, to first order."""

    name: ClassVar[str] = "snip"
    source: ClassVar[str] = "Lee et al., SNIP, ICLR 2019; summed as in Abdelfattah et al., ICLR 2021"

    def summed(self, gradients: Sequence[Tensor], tap: WeightTap) -> Tensor:
        return total((w.detach() * g).abs().sum() for w, g in zip(tap.weights, gradients, strict=True))


@dataclass(frozen=True)
class Grasp(GradientProxy):
    """How much the gradient's norm would feel the loss of each weight, to first order."""

    name: ClassVar[str] = "grasp"
    source: ClassVar[str] = "Wang et al., GraSP, ICLR 2020; sign as in Krishnakumar et al., NeurIPS 2022"

    def value_on(self, network: nn.Module, images: Tensor) -> float:
        # Fused attention has no second derivative.
        with sdpa_kernel(SDPBackend.MATH):
            return super().value_on(network, images)

    def tap(self) -> WeightTap:
        return TwiceDifferentiable()

    def saliency(self, loss: Tensor, tap: WeightTap) -> Tensor:
        gradients = torch.autograd.grad(loss, tap.weights, create_graph=True, materialize_grads=True)
        squared = total((gradient.detach() * gradient).sum() for gradient in gradients)
        if not squared.requires_grad:
            return squared * 0
        products = torch.autograd.grad(squared, tap.weights, materialize_grads=True)
        return -total((w.detach() * hg).sum() for w, hg in zip(tap.weights, products, strict=True))


def total(values: Iterable[Tensor]) -> Tensor:
    """The sum of scalars, in double precision."""
    return torch.stack([value.double().reshape(()) for value in values]).sum()
