"""Lays tensors of a forward pass out with one row per image."""

from __future__ import annotations

from torch import Tensor

from fxscore.errors import ScorerError


def one_row_per_image(tensor: Tensor, batch: int) -> Tensor:
    """`tensor` as (batch, rest); raises `ScorerError` where no axis holds the batch."""
    axis = batch_axis(tensor, batch)
    if axis is None:
        raise ScorerError(
            f"an inner tensor {tuple(tensor.shape)} has no axis for the batch of {batch} images"
        )
    return tensor.movedim(axis, 0).reshape(batch, -1)


def batch_axis(tensor: Tensor, batch: int) -> int | None:
    """0 where axis 0 is a multiple of the batch (windows folded into it), 1 where axis 1 is the batch."""
    if tensor.dim() and tensor.shape[0] % batch == 0:
        return 0
    return 1 if tensor.dim() > 1 and tensor.shape[1] == batch else None
