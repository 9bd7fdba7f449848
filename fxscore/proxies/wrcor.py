"""WRCor: how little a network's responses to different images correlate, and its gradients, deep layers counting more.

Jing et al., "Zero-Shot Neural Architecture Search with Weighted Response Correlation", arXiv:2507.08841. The responses
of a layer are its activations and the gradients of the loss with respect to them. With `C_l` and `G_l` the matrices of
correlation coefficients of these between images, the score is

    ln det Σ_l w_l (C_l + G_l)

The equations were not at hand when this was written, so these details are chosen here: layers are the outputs of
rectifiers; `w_l = l`, the layer's place; the loss is the cross entropy of random labels, as in `gradients`; a layer
whose responses do not vary within an image says nothing and is passed by.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from fxscore.errors import ScorerError
from fxscore.proxies.flow import Call, FlowMode
from fxscore.proxies.inputs import random_labels
from fxscore.proxies.operators import RECTIFIERS
from fxscore.proxies.outputs import class_logits
from fxscore.proxies.probe import SeededProxy
from fxscore.proxies.rows import one_row_per_image
from fxscore.proxies.taps import Unfused


@dataclass(frozen=True)
class WRCor(SeededProxy):
    """Log-determinant of the weighted sum of the layers' response correlations."""

    name: ClassVar[str] = "wrcor"
    source: ClassVar[str] = (
        "Jing et al., arXiv:2507.08841; weights and layers as `fxscore.proxies.wrcor` says"
    )
    tie_rule: ClassVar[str] = (
        "a real number, so ties come only from networks that compute alike; where no layer answers differently to "
        "different images the determinant is zero and the network has no score"
    )

    def value_on(self, network: nn.Module, images: Tensor) -> float:
        with Unfused(), _ResponseMode(network.parameters(), images) as mode:
            logits = class_logits(network(images), self.batch)
        responses = [each for each in mode.responses if each.requires_grad]
        if not responses:
            raise ScorerError("no rectifier (ReLU, GELU, SiLU …) was called behind a weight")
        loss = F.cross_entropy(
            logits, random_labels(self.batch, logits.shape[1], self.seed).to(logits.device)
        )
        gradients = torch.autograd.grad(loss, responses, materialize_grads=True)
        return float(log_determinant([tensor.detach() for tensor in responses], gradients, self.batch))


def log_determinant(responses: list[Tensor], gradients: tuple[Tensor, ...], batch: int) -> Tensor:
    """The score of a network's layers, from the first to the last; each tensor has an axis of images."""
    summed = torch.zeros(batch, batch, dtype=torch.float64)
    for place, pair in enumerate(zip(responses, gradients, strict=True), 1):
        for tensor in pair:
            summed += place * _correlation(one_row_per_image(tensor, batch))
    return torch.as_tensor(torch.linalg.slogdet(summed)[1])


def _correlation(rows: Tensor) -> Tensor:
    """Correlation coefficients of rows, (n, n); zeros where a row does not vary."""
    found = torch.corrcoef(rows.double()).cpu()
    return found if bool(found.isfinite().all()) else torch.zeros_like(found)


class _ResponseMode(FlowMode):
    def __init__(self, parameters: Iterator[Tensor], images: Tensor) -> None:
        super().__init__(parameters, images)
        self.responses: list[Tensor] = []

    def see(self, call: Call) -> None:
        if call.packet in RECTIFIERS and call.data:
            self.responses.append(call.outputs[0])
