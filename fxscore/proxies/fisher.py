"""Fisher: how much the loss would feel the loss of each channel of each convolution and linear layer.

Theis et al., "Faster gaze prediction with dense networks and Fisher pruning", 2018, as used by Turner et al.
(BlockSwap, ICLR 2020) and Abdelfattah et al. (ICLR 2021). With a the output of a layer, for image n and channel
c `g_nc = Σ_positions a · ∂L/∂a`, and a channel's saliency is `½ mean_n g_nc²`. The published values count a
channel once for every weight that makes it; so does this. g is taken as the gradient of a factor 1 on the
channel. Images, labels and scale are those of `gradients`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from torch import Tensor

from fxscore.errors import ScorerError
from fxscore.proxies.gradients import FirstOrder, total
from fxscore.proxies.rows import batch_axis
from fxscore.proxies.taps import CONVOLUTIONS, WeightTap

# A factor, its axes of batch and channel, and the number of weights that make one channel.
Factor = tuple[Tensor, tuple[int, int], float]


@dataclass(frozen=True)
class Fisher(FirstOrder):
    """Sum of channel saliencies, each weighted by the number of weights that make the channel."""

    name: ClassVar[str] = "fisher"
    source: ClassVar[str] = "Turner et al., BlockSwap, ICLR 2020; summed as in Abdelfattah et al., ICLR 2021"

    def tap(self) -> WeightTap:
        return ChannelTap(self.batch)

    def wanted(self, tap: WeightTap) -> list[Tensor]:
        return [factor for factor, _, _ in self._factors(tap)]

    def summed(self, gradients: Sequence[Tensor], tap: WeightTap) -> Tensor:
        return total(
            0.5 * fan * self._per_image(gradient, axes).square().sum() / self.batch
            for gradient, (_, axes, fan) in zip(gradients, self._factors(tap), strict=True)
        )

    def _factors(self, tap: WeightTap) -> list[Factor]:
        if not isinstance(tap, ChannelTap) or not tap.factors:
            raise ScorerError("no convolution or linear output has an axis for the batch")
        return tap.factors

    def _per_image(self, gradient: Tensor, axes: tuple[int, int]) -> Tensor:
        """Sum the rows of the batch axis that belong to one image, windows say: (batch, channels)."""
        channels = gradient.shape[axes[1]]
        return gradient.movedim(axes, (0, 1)).reshape(self.batch, -1, channels).sum(1)


class ChannelTap(WeightTap):
    """Multiplies the output of every weighted call by a factor 1 per row of the batch axis and channel.

    `factors` holds each.
    """

    def __init__(self, batch: int) -> None:
        super().__init__()
        self.batch = batch
        self.factors: list[Factor] = []

    def changed(self, func: Any, result: Any, weights: Sequence[Tensor]) -> Any:
        if isinstance(result, tuple):
            return (self.changed(func, result[0], weights), *result[1:])
        axis = batch_axis(result, self.batch)
        channel = 1 if func in CONVOLUTIONS else result.dim() - 1
        if axis is None or axis == channel:
            return result
        shape = [size if i in (axis, channel) else 1 for i, size in enumerate(result.shape)]
        factor = result.new_ones(shape).requires_grad_()
        self.factors.append((factor, (axis, channel), weights[-1].numel() / result.shape[channel]))
        return result * factor
