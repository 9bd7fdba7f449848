"""synflow: how much the network's weights pass on, data and signs left out.

Tanaka et al., "Pruning neural networks without any data by iteratively conserving synaptic flow", NeurIPS 2020,
section 6; summed over the network as a proxy by Abdelfattah et al. (ICLR 2021, section 3.1). Every parameter is
replaced by its absolute value and one image of ones is fed; with R the sum of the outputs the score is
`Σ_w Σ |w · ∂R/∂w|` over convolution and linear weights. BatchNorms pass their input on, as in the published values;
other normalisations stay, for without them attention overflows. The flow grows by a factor per layer (1e61 has
been reported), so it is summed in double precision and given as `ln(1 + flow)`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from fxscore.errors import ScorerError
from fxscore.proxies.base import BaseProxy, resized
from fxscore.proxies.gradients import total
from fxscore.proxies.outputs import main_tensor
from fxscore.proxies.probe import device_of, private_copy
from fxscore.proxies.readable import symlog
from fxscore.proxies.taps import BatchNormFree
from fxscore.types import Shape


@dataclass(frozen=True)
class Synflow(BaseProxy):
    """Logarithm of the synaptic flow.

    Attributes:
        resolution: Height and width in place of the input shape's own, or None.
        seed: Of the weights.
        initialise: Whether weights are drawn anew; False keeps the module's own.
    """

    resolution: int | None = None
    seed: int = 0
    initialise: bool = True

    name: ClassVar[str] = "synflow"
    source: ClassVar[str] = (
        "Tanaka et al., NeurIPS 2020, section 6; as a proxy in Abdelfattah et al., ICLR 2021"
    )
    tie_rule: ClassVar[str] = "a real number; networks whose output depends on no weight tie at 0"

    def measure(self, module: nn.Module, input_shape: Shape) -> float:
        shape = resized(input_shape, self.resolution)
        with private_copy(module, self.seed, self.initialise) as network:
            make_positive(network.double())
            image = torch.ones(1, *shape, dtype=torch.float64, device=device_of(network))
            with BatchNormFree() as tap:
                flow = main_tensor(network(image)).sum()
            if not tap.weights:
                raise ScorerError("the network uses no convolution or linear weight")
            return symlog(float(synaptic_flow(flow, tap.weights)))


def make_positive(network: nn.Module) -> None:
    """Replace every parameter by its absolute value."""
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.abs_()


def synaptic_flow(flow: Tensor, weights: list[Tensor]) -> Tensor:
    """`Σ |w · ∂flow/∂w|`, a scalar."""
    gradients = torch.autograd.grad(flow, weights, materialize_grads=True)
    return total((w.detach() * g).abs().sum() for w, g in zip(weights, gradients, strict=True))
