"""The functions that a constructed architecture calls beside PyTorch's own, and the observer they report to.

Source: METHOD.md section 1 (batch-axis norm, variance unitisation), section 2 (encoding), section 5 (taps).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

EPSILON = 1e-5


class Observer:
    """Applies variance unitisation during one constructed forward, and writes down what scorers may want.

    Args:
        v_norm: divide the output of every synthesised operator by its standard deviation (+1e-5).
        factors: divide by these constants instead (pass 2 of training), in the order in which pass 1 stored them.
        keep_redundant: measure also the factors that a batch-axis norm would cancel.
        keep_patterns: accumulate the agreement of activation patterns between the images of the batch.

    Attributes:
        factors: the unitisation factors met so far, scalars in execution order.
        patterns: (B, B) number of activation units on which two images agree, or None.
        batch: B, set by the constructed architecture that is run; None takes the leading axis of each value.
    """

    def __init__(
        self,
        *,
        v_norm: bool = True,
        factors: list[Tensor] | None = None,
        keep_redundant: bool = False,
        keep_patterns: bool = False,
    ) -> None:
        self.v_norm = v_norm
        self.factors: list[Tensor] = []
        self.keep_redundant = keep_redundant
        self.keep_patterns = keep_patterns
        self.batch: int | None = None
        self.patterns: Tensor | None = None
        self._given = iter(factors) if factors is not None else None

    def unitise(self, value: Tensor) -> Tensor:
        """`value` divided by its unitisation factor; itself without v-norm."""
        if not self.v_norm or not value.numel():
            return value
        return value / self._next_factor(value)

    def note_redundant(self, value: Tensor) -> Tensor:
        """Keep the factor, where wanted, of a value that a batch-axis norm is about to rescale anyway."""
        if self.v_norm and self.keep_redundant and value.numel():
            self._next_factor(value)
        return value

    def note_activation(self, value: Tensor) -> Tensor:
        """Count, where wanted, the units on which each pair of images is active or inactive together.

        A value that the batch does not divide is the same for every image (a bias computed from positions), and shows
        nothing of a pair.
        """
        if self.keep_patterns and value.numel() % (self.batch or len(value)) == 0:
            # A forward may fold other axes into the batch (windows, two images): rows are the batch's all the same.
            rows = in_memory_order(value.detach())
            units = rows.reshape(self.batch or len(rows), -1)
            # Truth values and then numbers take seven times as long.
            active = torch.gt(units, 0, out=torch.empty(units.shape, device=units.device))
            together = active @ active.T
            own = together.diagonal()
            agreement = active.shape[1] - own - own.unsqueeze(1) + 2 * together
            self.patterns = agreement if self.patterns is None else self.patterns + agreement
        return value

    def _next_factor(self, value: Tensor) -> Tensor:
        factor = standard_deviation(value) + EPSILON if self._given is None else next(self._given)
        self.factors.append(factor)
        return factor


def standard_deviation(value: Tensor) -> Tensor:
    """The biased standard deviation over all elements, without gradient.

    In two passes, which take a third of the time of PyTorch's one.
    """
    value = value.detach()
    centred = value - value.mean()
    return (centred.abs() if centred.is_complex() else centred).square_().mean().sqrt_()


def unitise(value: Tensor, observer: Observer) -> Tensor:
    """Variance unitisation of a synthesised operator's output (METHOD.md section 1)."""
    return observer.unitise(value)


def note_redundant(value: Tensor, observer: Observer) -> Tensor:
    """Stands where unitisation would, before a batch-axis norm, which cancels any scale."""
    return observer.note_redundant(value)


def note_activation(value: Tensor, observer: Observer) -> Tensor:
    """Shows an activation's output to the observer."""
    return observer.note_activation(value)


def batch_axis_norm(value: Tensor) -> Tensor:
    """BatchNorm over the batch axis alone: every (channel, position) has a mean and variance of its own.

    `value` is (B, …); no affine, biased variance, eps inside the root. Flattened, every position is a channel of
    PyTorch's own kernel, which is several times faster than `var_mean` (METHOD.md section 1).
    """
    rows = in_memory_order(value)
    normed = F.batch_norm(rows.flatten(1), None, None, training=True, eps=EPSILON).view(rows.shape)
    return normed if rows is value else normed.permute(0, 3, 1, 2)


def in_memory_order(value: Tensor) -> Tensor:
    """A channels-last (B, C, H, W) tensor as (B, H, W, C), which flattens without a copy; others as they are."""
    channels_last = value.dim() == 4 and value.is_contiguous(memory_format=torch.channels_last)
    return value.permute(0, 2, 3, 1) if channels_last else value


def unit_variance(weight: Tensor) -> Tensor:
    """A synthesised tensor that is used directly, divided by its standard deviation; one without elements is itself."""
    if not weight.numel():
        return weight
    return weight / (weight.std(correction=0) + EPSILON)


def sum_of(*terms: Tensor) -> Tensor:
    """The sum of two or more tensors."""
    total = terms[0] + terms[1]
    for term in terms[2:]:
        # The running total is nobody else's, so it may be changed in place where its shape allows.
        total = total.add_(term) if term.shape == total.shape else total + term
    return total


def swish(value: Tensor, beta: float) -> Tensor:
    """`x · sigmoid(β x)`: SiLU with another slope; quick GELU at β = 1.702 (Hendrycks and Gimpel 2016)."""
    return value * torch.sigmoid(beta * value)


def encode(value: Tensor, axis: int) -> Tensor:
    """Average over every axis but the batch and the channel axis: (B, C); (B, 1) where there is no such axis.

    Of complex numbers (frequencies), their magnitudes.
    """
    value = _magnitude(value)
    axes = [other for other in range(1, value.dim()) if other != axis]
    averaged = value.mean(axes) if axes else value
    return averaged if averaged.dim() > 1 else averaged.unsqueeze(1)


def encode_rows(value: Tensor, axis: int, rows: int) -> Tensor:
    """Of a value without a batch axis, its positions averaged into `rows` equal parts: (rows, C)."""
    value = _magnitude(value)
    positions = value.movedim(axis, -1).flatten(0, -2) if axis < value.dim() else value.reshape(-1, 1)
    return F.adaptive_avg_pool1d(positions.T.unsqueeze(0), rows).squeeze(0).T


def _magnitude(value: Tensor) -> Tensor:
    return value.abs() if value.is_complex() else value


def zeros(like: Tensor, shape: tuple[int, ...]) -> Tensor:
    """A tensor of zeros, of the dtype of the input-like tensor."""
    return like.new_zeros(shape)
