"""jacov: how little the input gradients of different images correlate.

Mellor et al., "Neural Architecture Search without Training", arXiv:2006.04647v1, section 3. Let row n of J be
the gradient of the sum of image n's outputs with respect to the image, and λ the eigenvalues of the correlation
matrix of J's rows. The score is `−Σ_i ln(λ_i + k) + 1/(λ_i + k)`, k = 1e-5; −batch is its upper bound.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from fxscore.proxies.outputs import main_tensor
from fxscore.proxies.probe import SeededProxy

K = 1e-5


@dataclass(frozen=True)
class Jacov(SeededProxy):
    """Score of the eigenvalues of the correlation between input gradients."""

    name: ClassVar[str] = "jacov"
    source: ClassVar[str] = "Mellor et al., arXiv:2006.04647 version 1, section 3"
    tie_rule: ClassVar[str] = (
        "a real number, so ties come only from networks that compute alike; where the output does not depend "
        "on the image the correlation is undefined and the network has no score"
    )

    def value_on(self, network: nn.Module, images: Tensor) -> float:
        images = images.clone().requires_grad_()
        outputs = main_tensor(network(images)).sum()
        (gradient,) = torch.autograd.grad(outputs, images, materialize_grads=True)
        return correlation_score(gradient.flatten(1).double())


def correlation_score(rows: Tensor) -> float:
    """The score of a (images, numbers) matrix; NaN where a row is constant."""
    correlation = torch.corrcoef(rows)
    if not bool(correlation.isfinite().all()):
        return float("nan")
    shifted = torch.linalg.eigvalsh(correlation) + K
    return -float((shifted.log() + 1 / shifted).sum())
