"""NASWOT: how differently a network's rectifiers switch for different images.

Mellor, Turner, Storkey, Crowley, "Neural Architecture Search without Training", ICML 2021, section 3. Let c_i be
the binary code of image i, one bit for every rectifier's input, set where it is positive, and N the code's
length. The score is `ln |det K|` with `K_ij = N − hamming(c_i, c_j)`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from fxscore.errors import ScorerError
from fxscore.proxies.flow import Call, FlowMode
from fxscore.proxies.operators import RECTIFIERS
from fxscore.proxies.probe import SeededProxy
from fxscore.proxies.rows import one_row_per_image
from fxscore.proxies.taps import Unfused


@dataclass(frozen=True)
class Naswot(SeededProxy):
    """Log-determinant of the agreement of activation codes.

    Rectifiers are ReLU and its kin (leaky, parametric, ELU, GELU, SiLU, hard-swish, Mish …), found in the
    executed operators, so functional calls count as modules do; sigmoid and tanh are gates and do not count.
    """

    # The ranking sharpens with the batch, and a forward pass without gradients is cheap.
    batch: int = 32

    name: ClassVar[str] = "naswot"
    source: ClassVar[str] = "Mellor et al., ICML 2021, section 3"
    tie_rule: ClassVar[str] = (
        "a real number, so ties come only from networks that compute alike; where no rectifier sees the image "
        "the determinant is zero and the network has no score"
    )

    def value_on(self, network: nn.Module, images: Tensor) -> float:
        with torch.no_grad(), Unfused():
            codes = _CodeMode(network.parameters(), images)
            with codes:
                network(images)
        if not codes.bits:
            raise ScorerError("no rectifier (ReLU, GELU, SiLU …) was called, so there is no code to compare")
        return float(torch.linalg.slogdet(codes.agreement)[1])


class _CodeMode(FlowMode):
    def __init__(self, parameters: Iterator[Tensor], images: Tensor) -> None:
        super().__init__(parameters, images)
        self.agreement = torch.zeros(len(images), len(images), dtype=torch.float64)
        self.bits = 0

    def before(self, call: Call) -> None:
        if call.packet in RECTIFIERS and call.data:
            # Positive bits in common, and then, with n bits in all, negative bits in common.
            code = one_row_per_image(call.inputs[0], len(self.agreement)).gt(0).float()
            positive, ones = (code @ code.T).double().cpu(), code.sum(1).double().cpu()
            self.agreement += 2 * positive - ones - ones[:, None] + code.shape[1]
            self.bits += code.shape[1]
