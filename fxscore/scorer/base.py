"""What every scorer is."""

from __future__ import annotations

from typing import Protocol

from fxscore.scorer.subject import Subject
from fxscore.types import Shape


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

    def shape_for(self, input_shape: Shape) -> Shape:
        """The input shape at which the scorer constructs a network of this input shape, if the network takes it."""
        ...

    @property
    def scorer_id(self) -> str:
        """Identity in records and stores: equal ids give equal scores."""
        ...

    def score(self, subject: Subject) -> float:
        """The score; raises `FxScoreError` where there is none."""
        ...
