"""Zen-Score: how strongly a network's features answer to its input, normalisation's scale given back.

Lin et al., "Zen-NAS: A Zero-Shot NAS for High-Performance Deep Image Recognition", ICCV 2021, algorithm 1. With
weights from N(0, 1), biases 0, images x and noise ε from N(0, 1), f the features before the global pool, and σ_l²
the variances, one per channel, by which normalisation l divides:

    ln E Σ |f(x + 0.01 ε) − f(x)| + Σ_l ln sqrt(mean_c σ_lc²)

The paper knows BatchNorm; layer and group norms give their scale back alike. A normalisation whose input is
constant (behind a zero) has no scale to give.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from fxscore.proxies.flow import Call
from fxscore.proxies.inputs import random_images
from fxscore.proxies.last_features import FeatureMode
from fxscore.proxies.operators import NORMS
from fxscore.proxies.outputs import main_tensor
from fxscore.proxies.probe import SeededProxy
from fxscore.proxies.taps import Unfused

PERTURBATION = 0.01
# A variance below this share of the normalisation's eps is rounding.
NO_VARIANCE = 1e-4


@dataclass(frozen=True)
class Zen(SeededProxy):
    """Zen-Score, on the logarithmic scale of the paper; white noise by default, as there."""

    spectrum: float = 0.0

    name: ClassVar[str] = "zen"
    source: ClassVar[str] = "Lin et al., Zen-NAS, ICCV 2021, algorithm 1"
    tie_rule: ClassVar[str] = (
        "a real number, so ties come only from networks that compute alike; where the features do not answer to "
        "the image the logarithm is infinite and the network has no score"
    )

    redraws: ClassVar[bool] = True

    def value_on(self, network: nn.Module, images: Tensor) -> float:
        noise = random_images(self.batch, tuple(images.shape[1:]), self.seed + 1, self.spectrum)
        with torch.no_grad():
            if self.initialise:
                draw_standard_normal(network)
            features, log_scale = _run(network, images)
            perturbed, _ = _run(network, images + PERTURBATION * noise.to(images.device))
        change = (perturbed - features).abs().flatten(1).sum(1).mean()
        return float(change.log()) + log_scale


def draw_standard_normal(network: nn.Module) -> None:
    """Draw matrices and kernels from N(0, 1) and set biases to 0; normalisation weights stay."""
    for name, parameter in network.named_parameters():
        if parameter.dim() > 1:
            parameter.normal_()
        elif name.endswith("bias"):
            parameter.zero_()


def _run(network: nn.Module, images: Tensor) -> tuple[Tensor, float]:
    with Unfused(), _ScaleMode(network.parameters(), images) as mode:
        output = main_tensor(network(images))
    return mode.features(output), mode.log_scale


class _ScaleMode(FeatureMode):
    log_scale = 0.0

    def see(self, call: Call) -> None:
        super().see(call)
        # The third output is the reciprocal of the standard deviation, empty where running statistics serve.
        if call.packet in NORMS and call.data and call.outputs[2].numel():
            eps = float(call.args[-1])
            variance = float(call.outputs[2].double().pow(-2).sub(eps).mean())
            if variance > NO_VARIANCE * eps:
                self.log_scale += 0.5 * math.log(variance)
