"""What a scorer is given: a built network and, on demand, its constructed architecture."""

from __future__ import annotations

from typing import Protocol

from torch import nn

from fxscore.construct import ConstructedArchitecture, construct
from fxscore.types import Shape


class Subject:
    """One network under scoring.

    Args:
        module: the network; built weight-free unless the scorer needs weights.
        input_shape: (C, H, W).
        owned: the module was built for this alone, and may be captured without a copy.
    """

    def __init__(self, module: nn.Module, input_shape: Shape, *, owned: bool = False) -> None:
        self.module = module
        self.input_shape = input_shape
        self.owned = owned
        self._constructed: dict[int, ConstructedArchitecture] = {}

    def construct(self, batch: int) -> ConstructedArchitecture:
        """The constructed architecture at a scorer's batch; made once per batch."""
        if batch not in self._constructed:
            self._constructed[batch] = construct(self.module, self.input_shape, batch, owned=self.owned)
        return self._constructed[batch]


class Scorer(Protocol):
    """Anything that gives a network a number, higher is better: learned scorers and handcrafted proxies alike."""

    @property
    def needs_weights(self) -> bool:
        """Whether `subject.module` must be built with real, initialised weights."""
        ...

    @property
    def batch(self) -> int | None:
        """The batch at which the scorer constructs networks; None where it does not construct them."""
        ...

    @property
    def scorer_id(self) -> str:
        """Identity in records and stores: equal ids give equal scores."""
        ...

    def score(self, subject: Subject) -> float:
        """The score; raises `FxScoreError` where there is none."""
        ...
