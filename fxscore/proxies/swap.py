"""SWAP-Score: how many different answers a network's units give to one batch of images.

Peng, Song, Fayek, Ciesielski, Chang, "SWAP-NAS: Sample-Wise Activation Patterns for Ultra-Fast NAS", ICLR 2024,
definitions 3.2 to 3.4. Every number that enters a rectifier is a unit; its pattern holds one bit for each image, set
where the number is positive. The score Ψ is the number of different patterns among all units of the network. The
regularised score favours networks of a wanted size: with Θ the millions of parameters, `Ψ · exp(−(Θ − μ)² / σ)`.

Two details are chosen here. The paper counts parameters in megabytes of a file and sets μ = σ for each search; here
both are settings, in millions, and without them the score is not regularised. The paper knows ReLU alone; here every
rectifier has units (as in `naswot`), so that transformers have a score.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from fxscore.errors import ScorerError
from fxscore.proxies.flow import Call, FlowMode
from fxscore.proxies.operators import RECTIFIERS
from fxscore.proxies.outputs import main_tensor
from fxscore.proxies.probe import SeededProxy
from fxscore.proxies.rows import one_row_per_image
from fxscore.proxies.structure import count_params
from fxscore.proxies.taps import Unfused

_WORD = 62  # bits of a pattern that one integer holds


@dataclass(frozen=True)
class Swap(SeededProxy):
    """Number of sample-wise activation patterns, times the factor of a wanted size where one is given.

    Attributes:
        mu: millions of parameters that are wanted; None regularises nothing.
        sigma: how far from `mu` a network may be, in squared millions.
    """

    batch: int = 32
    mu: float | None = None
    sigma: float = 1.0

    name: ClassVar[str] = "swap"
    source: ClassVar[str] = "Peng et al., SWAP-NAS, ICLR 2024, definitions 3.2 to 3.4"
    tie_rule: ClassVar[str] = (
        "a whole number, so networks of equally many patterns tie; there are at most 2^batch"
    )

    def value_on(self, network: nn.Module, images: Tensor) -> float:
        with torch.no_grad(), Unfused(), _PatternMode(network.parameters(), images) as mode:
            main_tensor(network(images))
        if mode.patterns is None:
            raise ScorerError("no rectifier (ReLU, GELU, SiLU …) was called, so there is no pattern to count")
        return len(mode.patterns) * self.factor(count_params(network))

    def factor(self, params: int) -> float:
        """What the regularised score multiplies the number of patterns by."""
        return 1.0 if self.mu is None else math.exp(-((params / 1e6 - self.mu) ** 2) / self.sigma)


class _PatternMode(FlowMode):
    def __init__(self, parameters: Iterator[Tensor], images: Tensor) -> None:
        super().__init__(parameters, images)
        self.batch = len(images)
        self.patterns: Tensor | None = None  # (patterns, words), each once

    def before(self, call: Call) -> None:
        if call.packet in RECTIFIERS and call.data:
            found = _patterns(one_row_per_image(call.inputs[0], self.batch).gt(0))
            known = [found] if self.patterns is None else [self.patterns, found]
            self.patterns = torch.unique(torch.cat(known), dim=0)


def _patterns(bits: Tensor) -> Tensor:
    """Different columns of a (images, units) matrix of bits, packed into (patterns, words)."""
    powers = torch.tensor([2**place for place in range(_WORD)], device=bits.device)
    parts = [bits[start : start + _WORD] for start in range(0, len(bits), _WORD)]
    words = [(part * powers[: len(part), None]).sum(0) for part in parts]
    if len(words) == 1:  # many times as fast as rows
        return torch.as_tensor(torch.unique(words[0]))[:, None]
    return torch.as_tensor(torch.unique(torch.stack(words, 1), dim=0))
