"""Looking at the networks that a scorer is fitted to in workers: within limits, and kept for the next run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from fxscore.errors import ScorerError
from fxscore.run import Where, evaluate
from fxscore.score_job import FeatureJob, ScoreJob
from fxscore.scorer import Hybrid
from fxscore.scorer.confidence import form_of
from fxscore.scorer.features import NetworkFeatures, feature_names
from fxscore.scorer.given import Model
from fxscore.scorer.hybrid_head import Floats
from fxscore.scorer.subject import Subject
from fxscore.types import ModelRef, ScoreRecord, Shape

Watch = Callable[[int], None]
Records = Mapping[ModelRef, ScoreRecord]


@dataclass(frozen=True)
class LookedAt:
    """What a fit learns from of one network, the form of its inputs, and its size."""

    features: NetworkFeatures
    form: int
    params: int
    macs: int


def feature_job(start: Hybrid, input_shape: Shape | None) -> FeatureJob:
    """The job that reads features as `start` does; scorers with one encoder share what is kept."""
    encoder = Hybrid(start.encoder, name="features")
    return FeatureJob(encoder, encoder.scorer_id, input_shape)


def look(job: ScoreJob, models: Sequence[Model], where: Where | None, watch: Watch) -> Records:
    """The records of all references among the models; none where it is not said where.

    Args:
        job: what is wanted of each.
        models: modules, which no other process could be given, or references.
        where: workers, limits, store and cluster; None leaves all to this process.
        watch: is told how many are done.
    """
    refs = list(dict.fromkeys(model for model in models if isinstance(model, ModelRef)))
    if where is None or not refs:
        return {}
    with where.executor() as executor, where.opened_store() as store:
        return {
            record.ref: record for record in evaluate(refs, job, executor, store, watcher=_Counter(watch))
        }


def record_of(records: Records, model: Model) -> ScoreRecord | None:
    """What was found of a network; None where nobody looked. Raises `ScorerError` where it failed."""
    record = records.get(model) if isinstance(model, ModelRef) else None
    if record is not None and record.error is not None:
        raise ScorerError(record.error)
    return record


def found_of(records: Records, model: Model) -> LookedAt | None:
    """What a `feature_job` found; as `record_of`."""
    record = record_of(records, model)
    if record is None or record.fingerprint is None or record.score is None:
        return None
    if record.params is None or record.macs is None:
        return None
    features = NetworkFeatures(feature_names(), np.array(record.values), record.fingerprint)
    return LookedAt(features, int(record.score), record.params, record.macs)


def sizes_of(networks: Sequence[LookedAt]) -> dict[str, Floats]:
    """Sizes (n,) of networks, by what people call them."""
    return {
        "params": np.array([float(each.params) for each in networks]),
        "MACs": np.array([float(each.macs) for each in networks]),
    }


def seen_here(start: Hybrid, subject: Subject) -> LookedAt:
    """What a `feature_job` would find, in this process."""
    features = start.features(subject)
    size = subject.costs()
    return LookedAt(features, form_of(subject.inputs), size.params, size.macs)


class _Counter:
    """A watcher of the engine that counts."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._done = 0

    def working(self, refs: Sequence[ModelRef]) -> None:
        """Nothing is shown of what runs."""

    def arrived(self, record: ScoreRecord, cached: bool) -> None:
        """One more is done."""
        self._done += 1
        self._watch(self._done)
