"""The job of a search: from a genotype's text to a number, in a worker (see `fxscore.run.job`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import nn

from fxscore.capture.empty_weights import build_without_weights
from fxscore.capture.modes import evaluating
from fxscore.errors import SpaceError
from fxscore.proxies import count_params
from fxscore.run import Prepared
from fxscore.run.job import Found
from fxscore.score_job import ScoreJob
from fxscore.score_session import fingerprint, found_of, prepare
from fxscore.scorer import Scorer, Subject, load_scorer
from fxscore.searching.handle import SpaceHandle
from fxscore.sources.building import seeded
from fxscore.types import ModelRef


@dataclass(frozen=True)
class SpaceJob:
    """Scores genotypes of one space with one scorer; shares stored scores with `fxscore rank`.

    Args:
        handle: of the space.
        scorer: a name, a path or a picklable scorer.
        scorer_id: the id of that scorer.
        macs: whether multiply-accumulates are wanted too; at the network's own resolution they need a capture of
            their own, a tenth of all the time.
    """

    handle: SpaceHandle
    scorer: str | Scorer | None
    scorer_id: str
    macs: bool = False

    @property
    def settings(self) -> str:
        """What else changes a score."""
        return ScoreJob(self.scorer, self.scorer_id).settings

    def recipe_key(self, ref: ModelRef) -> str:
        """The genotype, and all that the space's networks depend on."""
        return f"{ref.name} of {self.handle.key}"

    def trusts(self, ref: ModelRef) -> bool:
        """Whether the space's code may share a process."""
        return self.handle.trusted

    def open(self) -> SpaceSession:
        """Load the scorer and the space."""
        scored = ScoreJob(self.scorer, self.scorer_id).open()  # with its first network, which warms up
        return SpaceSession(self, scored.scorer)


class SpaceSession:
    """A space and a scorer at work in one process."""

    def __init__(self, job: SpaceJob, scorer: Scorer | None = None) -> None:
        self.job = job
        self.scorer = load_scorer(job.scorer) if scorer is None else scorer
        self.space = job.handle.open()

    def prepare(self, ref: ModelRef) -> Prepared:
        """Build the network, and construct it where the scorer will."""
        genotype = self.space.parse(ref.name)
        with seeded(0):
            if self.scorer.needs_weights:
                module = evaluating(self._built(genotype))
            else:
                module = build_without_weights(lambda: self._built(genotype)).module
        subject = Subject(module, self.space.shape_of(genotype), owned=not self.scorer.needs_weights)
        recipe = self.job.recipe_key(ref)
        if self.job.macs:
            return prepare(subject, self.scorer, recipe)
        params = count_params(module)
        return Prepared(fingerprint(subject, self.scorer, recipe), params, None, subject)

    def _built(self, genotype: Any) -> nn.Module:
        built = self.space.build(genotype)
        if isinstance(built, nn.Module):
            return built
        raise SpaceError(f"build of the space returned {type(built).__name__}, not an nn.Module")

    def finish(self, prepared: Prepared) -> Found:
        """The score, and where the network stands to training."""
        return found_of(self.scorer, prepared.payload)
