"""From a generation of genotypes to evaluations: cheap sizes first, then one call of the engine per measure.

A network that passes a limit is never run: parameters and layers come from the space's own arithmetic where it has
any, else from the network's structure, built weight-free and counted without arithmetic by a worker.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from itertools import accumulate
from types import TracebackType
from typing import Any, Protocol

from fxscore.errors import ModelRefError
from fxscore.run import Executor, Store, Watcher, Where, evaluate
from fxscore.scorer import Scorer
from fxscore.scorer.card import card_of
from fxscore.searching.caution import Caution
from fxscore.searching.evaluation import UNBUILT, Evaluation
from fxscore.searching.goals import HELD_BACK, LATENCY, SCORE, Objective, SizeLimits
from fxscore.searching.handle import AnySpace, LocalSpace, SpaceHandle
from fxscore.searching.inline import InlineExecutor
from fxscore.searching.job import SpaceJob, SpaceSession
from fxscore.searching.latency import LatencyScorer
from fxscore.sources.blame import foreign_code
from fxscore.types import ModelRef, ScoreRecord


class Measure(Protocol):
    """Gives each of a list of genotype texts a record of one measure, as they arrive."""

    def __call__(self, texts: Sequence[str], watcher: Watcher | None = None) -> Iterator[ScoreRecord]: ...


@dataclass
class EngineMeasure:
    """One scorer over genotypes, through the engine that ranks; its workers stay warm between generations."""

    job: SpaceJob
    executor: Executor
    store: Store

    def __call__(self, texts: Sequence[str], watcher: Watcher | None = None) -> Iterator[ScoreRecord]:
        """The records of these genotypes."""
        refs = [ModelRef(self.job.handle.place, text) for text in texts]
        return evaluate(refs, self.job, self.executor, self.store, watcher=watcher)


@dataclass
class Measurer:
    """Evaluates generations: sizes, limits, then the objectives of those that keep them.

    Args:
        space: the space.
        objectives: what to measure beside the score.
        limits: decided before anything is run.
        measures: by name, with `score` among them; `params`, `macs` and `layers` are counted where a limit or an
            objective needs what the space does not know.
        caution: holds back scores of networks far from training; `held_back` is then among the values.

    Attributes:
        unfinished: after a `KeyboardInterrupt`, what was known of the generation.
    """

    space: AnySpace
    objectives: Sequence[Objective]
    limits: SizeLimits
    measures: Mapping[str, Measure]
    caution: Caution | None = None
    unfinished: list[Evaluation] = field(default_factory=list)

    def __call__(
        self, texts: Sequence[str], room: int | None = None, watcher: Watcher | None = None
    ) -> list[Evaluation]:
        """Evaluations in the order of the texts; equal texts have equal ones.

        Args:
            texts: genotypes.
            room: how many networks may be scored; the texts from the first one too many on are left out.
            watcher: is told of each score.
        """
        drafts = {text: self._sized(text) for text in texts}
        for name in self.limits.given:
            self._count(drafts, name)
        for draft in drafts.values():
            draft.judge(self.limits)
        kept = self._within([drafts[text] for text in texts], room)
        drafts = {draft.text: draft for draft in kept}
        try:
            for name in self._measured():
                self._measure(drafts, name, watcher if name == SCORE else None)
        except KeyboardInterrupt:
            self.unfinished = [draft.evaluation() for draft in drafts.values() if self._is_finished(draft)]
            raise
        return [draft.evaluation() for draft in kept]

    def _within(self, drafts: Sequence[_Draft], room: int | None) -> list[_Draft]:
        attempts = accumulate(draft.evaluation().attempted for draft in drafts)
        return [draft for draft, used in zip(drafts, attempts, strict=True) if room is None or used <= room]

    def _is_finished(self, draft: _Draft) -> bool:
        return draft.violation > 0 or all(name in draft.values for name in self._measured())

    def _sized(self, text: str) -> _Draft:
        genotype = self.space.parse(text)
        try:
            with foreign_code(text):
                counts = self.space.count_parameters(genotype), self.space.count_layers(genotype)
        except ModelRefError as error:
            return _Draft(text, {}, UNBUILT, str(error))
        known = zip(("params", "layers"), counts, strict=True)
        return _Draft(text, {name: float(count) for name, count in known if count is not None})

    def _count(self, drafts: Mapping[str, _Draft], name: str) -> None:
        missing = [d.text for d in drafts.values() if d.error is None and name not in d.values]
        if missing:
            for record in self.measures[name](missing):
                drafts[record.ref.name].take(name, record)

    def _measured(self) -> list[str]:
        names = [SCORE, *(each.name for each in self.objectives)]
        return list(dict.fromkeys(names))

    def _measure(self, drafts: Mapping[str, _Draft], name: str, watcher: Watcher | None) -> None:
        wanted = [d.text for d in drafts.values() if d.violation <= 0 and name not in d.values]
        if wanted:
            for record in self.measures[name](wanted, watcher):
                drafts[record.ref.name].take(name, record)
                if name == SCORE and self.caution is not None and record.error is None:
                    drafts[record.ref.name].hold_back(self.caution.held_back(record))


@dataclass
class _Draft:
    text: str
    values: dict[str, float]
    violation: float = 0.0
    error: str | None = None
    fingerprint: str | None = None

    def take(self, name: str, record: ScoreRecord) -> None:
        """Keep what a record says, a measure's value and the sizes that came with it."""
        if record.error is not None:
            self.error, self.violation = record.error, UNBUILT
            return
        assert record.score is not None  # a record without an error has a score
        self.values[name] = record.score
        for size, count in (("params", record.params), ("macs", record.macs)):
            if count is not None:
                self.values.setdefault(size, float(count))
        if name == SCORE:
            self.fingerprint = record.fingerprint

    def hold_back(self, amount: float) -> None:
        """Lower the score."""
        self.values[SCORE] -= amount
        self.values[HELD_BACK] = amount

    def judge(self, limits: SizeLimits) -> None:
        """Hold the sizes against the limits."""
        if self.error is None:
            self.violation = limits.violation(self.values)

    def evaluation(self) -> Evaluation:
        values = dict(sorted(self.values.items()))
        return Evaluation(self.text, values, self.violation, self.error, self.fingerprint)


class Bench:
    """Keeps the measures of one search, and closes their workers; a context."""

    def __init__(self, handle: SpaceHandle, where: Where, names: Sequence[str]) -> None:
        self._handle = handle
        self._macs = "macs" in names
        self._where = where
        self._stack = ExitStack()
        self._store = self._stack.enter_context(where.opened_store())
        self._cluster: Executor | None = None

    def measure(self, name: str, scorer: str | Scorer | None = None) -> Measure:
        """The measure of a name; `scorer` is that of `score`, every other name is a proxy or the latency."""
        chosen: str | Scorer | None = (
            scorer if name == SCORE else LatencyScorer() if name == LATENCY else name
        )
        with_macs = self._macs and name == SCORE
        job = SpaceJob(self._handle, chosen, card_of(chosen).scorer_id, macs=with_macs)
        return EngineMeasure(job, self._executor(job, name), self._store)

    def _executor(self, job: SpaceJob, name: str) -> Executor:
        """Processes of the measure's own, so that they stay warm; a cluster is one for all but latencies."""
        if isinstance(self._handle, LocalSpace):
            return InlineExecutor(SpaceSession(job))
        if name == LATENCY:
            return self._stack.enter_context(replace(self._where, workers=1, cluster=None).executor())
        if self._where.cluster is None:
            return self._stack.enter_context(self._where.executor())
        self._cluster = self._cluster or self._stack.enter_context(self._where.executor())
        return self._cluster

    def __enter__(self) -> Bench:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()


def needed(objectives: Sequence[Objective], limits: SizeLimits) -> list[str]:
    """The names of all that a search measures."""
    return list(dict.fromkeys([SCORE, "params", *(each.name for each in objectives), *limits.given]))


def open_measures(bench: Bench, names: Sequence[str], scorer: Any) -> dict[str, Measure]:
    """All measures by name; workers start when a measure is first used."""
    return {name: bench.measure(name, scorer) for name in names}
