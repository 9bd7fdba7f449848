"""Input shapes from a library's configuration and a reference's options."""

from __future__ import annotations

from typing import Any

from fxscore.types import Shape


def resized(shape: Shape, channels: int | None = None, size: Any = None) -> Shape:
    """A shape with other channels, or other last axes: a number for both, or a pair (H, W)."""
    pair = pair_of(size) or shape[-2:]
    return (channels or shape[0], *shape[1:-2], *pair)


def pair_of(size: Any) -> tuple[int, int] | None:
    """(H, W) from a number, from one or two numbers in a sequence, or None from anything else."""
    numbers = [size] if isinstance(size, int) else size
    if not isinstance(numbers, (list, tuple)) or len(numbers) not in (1, 2):
        return None
    return int(numbers[0]), int(numbers[-1])
