"""What a scorer is worth on populations and families that it has not seen: all of one origin leaves together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from fxscore.evaluate import spearman
from fxscore.evaluate.splits import family_folds
from fxscore.scorer.features import feature_names
from fxscore.scorer.kernel_head import Floats, KernelHead
from fxscore.train.general.learning import Learning, Pool, fit, pools_of
from fxscore.train.general.lessons import Lesson

SIZES = {
    "params": ("log_params",),
    "MACs": ("own_log_macs",),
    "activations": ("own_log_weighted_activations",),
    "activations·√params": ("own_log_weighted_activations", "own_log_weighted_activations", "log_params"),
    "activations·layers": ("own_log_weighted_activations", "log_layers"),
    "entropy_sum": ("entropy_sum",),
}
ROBUST = "activations·√params"  # of plain sizes the best on the mean of all tasks
FEW = 200  # networks of a pool of all kinds while settings are chosen
_WORST = 0.1  # a task may lose so much to the robust size before that counts by itself


def sizes_of(lesson: Lesson) -> dict[str, Floats]:
    """What plain sizes say of the networks, at their own input."""
    columns = {
        name: lesson.column(name) for names in SIZES.values() for name in names if name != "log_layers"
    }
    columns["log_layers"] = np.log(np.maximum(lesson.column("count_weighted"), 1))
    return {name: np.sum([columns[each] for each in parts], axis=0) for name, parts in SIZES.items()}


@dataclass(frozen=True, eq=False)
class Judged:
    """Networks that training left out.

    Attributes:
        lesson: the networks and their labels.
        scores: (n,) raw.
        head: what scored them; of families that left in folds, that of the last fold.
    """

    lesson: Lesson
    scores: Floats
    head: KernelHead

    @property
    def rho(self) -> float:
        """Spearman's ρ; 0 where all scores are equal."""
        return spearman(self.scores, self.lesson.labels) if np.ptp(self.scores) else 0.0


def without_origins(
    lessons: Sequence[Lesson],
    pools: Sequence[Pool],
    learning: Learning,
    also: Sequence[str] = (),
    heads: dict[frozenset[str], KernelHead] | None = None,
) -> Iterator[Judged]:
    """Every task, by a head that no network of its origin, or of an origin in `also`, has taught.

    `heads` keeps what was fitted with these settings, by the origins left out: two that leave each other out share one.
    """
    heads = {} if heads is None else heads
    for origin in sorted({lesson.origin for lesson in lessons} - set(also)):
        left = frozenset((origin, *also))
        if left not in heads:
            heads[left] = fit([pool for pool in pools if pool.origin not in left], learning)
        head = heads[left]
        for lesson in lessons:
            if lesson.origin == origin:
                yield Judged(lesson, head.predict(feature_names(), lesson.values), head)


def without_families(
    lesson: Lesson, pools: Sequence[Pool], learning: Learning, folds: int = 5, seed: int = 0
) -> Judged:
    """A task's networks by folds of whole families; all else of its origin stays out too, other origins teach."""
    assert lesson.families is not None
    (own,) = pools_of([lesson], most=0)
    others = [pool for pool in pools if pool.origin != lesson.origin]
    scores = np.zeros(len(lesson))
    for fold in family_folds(lesson.families, folds, seed=seed):
        seen = np.setdiff1d(np.arange(len(lesson)), fold)
        head = fit([*others, own.subset(seen)], learning)
        scores[fold] = head.predict(feature_names(), lesson.values[fold])
    return Judged(lesson, scores, head)


def merit(judged: Sequence[Judged]) -> float:
    """The one criterion by which settings are chosen: how far tasks lie above the robust size.

    Mean gain in ρ over tasks, plus its mean over origins, which counts an origin of many tasks once, plus half of what
    the worst task loses beyond a tenth.
    """
    gains = {
        each.lesson.name: each.rho - spearman(sizes_of(each.lesson)[ROBUST], each.lesson.labels)
        for each in judged
    }
    origins = {each.lesson.name: each.lesson.origin for each in judged}
    by_origin = _by_origin(gains, origins)
    worst = min(gains.values())
    return float(np.mean(list(gains.values())) + np.mean(by_origin) + min(0.0, worst + _WORST) / 2)


def _by_origin(figures: Mapping[str, float], origins: Mapping[str, str]) -> list[float]:
    return [
        float(np.mean([figure for name, figure in figures.items() if origins[name] == origin]))
        for origin in sorted(set(origins.values()))
    ]
