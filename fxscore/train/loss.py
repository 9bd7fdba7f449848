"""Differentiable Spearman correlation (paper III-D; METHOD.md section 4)."""

from __future__ import annotations

from torch import Tensor

STRENGTH = 3.0
_TINY = 1e-7


def average_ranks(values: Tensor) -> Tensor:
    """Ranks from 1 on, equal values sharing the average of theirs; `values` is (s,)."""
    below = (values[None, :] < values[:, None]).sum(1)
    equal = (values[None, :] == values[:, None]).sum(1)
    return (below + (equal + 1) / 2).to(values.dtype)


def spearman_loss(scores: Tensor, accuracies: Tensor, strength: float = STRENGTH) -> Tensor:
    """Minus the Spearman correlation between soft ranks of `scores` and hard ranks of `accuracies`, both (s,).

    The ranks of the accuracies need no gradient, so they are exact: soft ranks of percentages at this strength would
    be the raw accuracies, and the correlation Pearson's. Equal scores give 0 with a zero gradient, not NaN.
    """
    import torchsort  # compiled, and needed for training alone

    # In double precision, so that rounding does not look like an order among equal scores.
    soft = torchsort.soft_rank(scores.double()[None], regularization_strength=strength)[0]
    return -_correlation(soft, average_ranks(accuracies.double())).to(scores.dtype)


def _correlation(first: Tensor, second: Tensor) -> Tensor:
    first, second = first - first.mean(), second - second.mean()
    covariance, norm = (first * second).sum(), first.norm() * second.norm()
    correlation: Tensor = covariance * 0 if float(norm.detach()) < _TINY else covariance / norm
    return correlation
