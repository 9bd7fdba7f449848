"""The job of scoring, as workers do it (see `fxscore.run.job`); loads no torch before it is opened."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fxscore.sources import recipe_key
from fxscore.sources.digest import versions
from fxscore.spaces import space_names
from fxscore.types import ModelRef, Shape

if TYPE_CHECKING:
    from fxscore.capture.inputs import Examples
    from fxscore.score_session import FeatureSession, ScoreSession
    from fxscore.scorer import Scorer

_OWN_CODE = ("timm", "torchvision")


@dataclass(frozen=True)
class ScoreJob:
    """Scores references with one scorer.

    Args:
        scorer: a name, a path or a picklable scorer.
        scorer_id: the id of that scorer.
        input_shape: (C, H, W) for all networks; None takes each network's own.
        example_inputs: what all networks take, where that is not one image.
    """

    scorer: str | Scorer | None
    scorer_id: str
    input_shape: Shape | None = None
    example_inputs: Examples | None = field(default=None, compare=False)

    @property
    def settings(self) -> str:
        """What else changes a score."""
        torch = versions("torch")["torch"]
        return f"input_shape={self.input_shape or 'own'} torch={torch}{self._given}"

    @property
    def _given(self) -> str:
        if self.example_inputs is None:
            return ""
        from fxscore.capture.inputs import examples_digest  # the examples are tensors: torch is there

        return f" inputs={examples_digest(self.example_inputs)}"

    def recipe_key(self, ref: ModelRef) -> str:
        """Text that changes with what the reference builds."""
        return recipe_key(ref)

    def trusts(self, ref: ModelRef) -> bool:
        """Whether the network's code ships with a library, and may share a process."""
        return ref.source in _OWN_CODE or ref.source in space_names()

    def open(self) -> ScoreSession:
        """Load the scorer in this process, and score one small network; see `Job.open`."""
        from fxscore.score_session import ScoreSession

        return ScoreSession.of(self.scorer, self.input_shape, self.example_inputs)


@dataclass(frozen=True)
class FeatureJob(ScoreJob):
    """Reads the features of references, as the hybrid scorer `scorer` sees them; kept like scores, and beside them."""

    def open(self) -> FeatureSession:
        """As `ScoreJob.open`, with the features of one small network."""
        from fxscore.score_session import FeatureSession

        return FeatureSession.of(self.scorer, self.input_shape, self.example_inputs)
