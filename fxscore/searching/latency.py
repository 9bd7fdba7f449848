"""Measured latency as a scorer, so that it has the engine's limits and its store."""

from __future__ import annotations

import time
from dataclasses import dataclass

import torch

from fxscore.scorer import Subject
from fxscore.types import Shape


@dataclass(frozen=True)
class LatencyScorer:
    """Seconds of one forward pass of one image, in eval mode, on one thread.

    Args:
        passes: timed; the fastest counts, since whatever else the machine does only adds.
        warm_up: passes before that.
    """

    passes: int = 10
    warm_up: int = 2
    batch: None = None
    needs_weights: bool = True

    @property
    def scorer_id(self) -> str:
        """Its identity in the store."""
        return f"latency({self.warm_up}+{self.passes})"

    def shape_for(self, input_shape: Shape) -> Shape:
        """A network's own."""
        return input_shape

    @torch.inference_mode()
    def score(self, subject: Subject) -> float:
        """The latency in seconds."""
        image = torch.randn(1, *subject.input_shape, generator=torch.Generator().manual_seed(0))
        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            return min(
                [self._pass(subject, image) for _ in range(self.warm_up + self.passes)][self.warm_up :]
            )
        finally:
            torch.set_num_threads(threads)

    def _pass(self, subject: Subject, image: torch.Tensor) -> float:
        begin = time.perf_counter()
        subject.module(image)
        return time.perf_counter() - begin
