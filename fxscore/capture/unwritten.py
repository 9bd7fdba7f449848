"""Memory that nobody has written: what `torch.empty` and its like give, until something is written there."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from torch import Tensor

from fxscore.capture.chance import is_noise
from fxscore.capture.operators import WRITES_ALL, WRITES_PARTS
from fxscore.errors import CaptureError


class Unwritten:
    """The tensors of one forward that were made and never written; whoever reads one gets no number that means it."""

    def __init__(self) -> None:
        self._tensors: dict[int, Tensor] = {}  # kept, since an id is only unique while its tensor lives

    def __len__(self) -> int:
        return len(self._tensors)

    def add(self, tensor: Tensor) -> None:
        """`tensor` was made; one of no elements has nothing to read."""
        if tensor.numel():
            self._tensors[id(tensor)] = tensor

    def remove(self, tensor: Tensor) -> None:
        """`tensor` is written."""
        self._tensors.pop(id(tensor), None)

    def refuse(self, values: Iterable[Tensor]) -> None:
        """Raise `CaptureError` where one of these, which are read, was never written."""
        if any(id(value) in self._tensors for value in values):
            raise CaptureError(
                "the forward reads memory that nothing was written to (torch.empty, empty_like or new_empty); "
                "write to it first, or use zeros"
            )


def allocated(func: Any, args: Any, kwargs: Any) -> Tensor:
    """What `torch.empty` or its like gives, on the processor and the same each time: no number, or zeros."""
    empty: Tensor = func(*args, **{**kwargs, "device": "cpu"})
    return empty.fill_(float("nan") if empty.is_floating_point() or empty.is_complex() else 0)


def overwrites(func: Any, kwargs: Any) -> bool:
    """Whether a call that changes a tensor does not read it."""
    name = func.__name__
    return "out" in kwargs or name in WRITES_ALL or name in WRITES_PARTS or is_noise(func, (None,), {})
