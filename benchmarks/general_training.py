"""Training of the general scorer: a head of small images from cells, a head of all other networks on timm's scale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from benchmarks.general_parts import Floats, Part, standardised
from benchmarks.timm_recipes import NAMES, RECIPES, Lessons
from fxscore.scorer.features import FORWARD, feature_names
from fxscore.scorer.hybrid_head import Head, HeadBySize
from fxscore.scorer.hybrid_learners import Learning, fit_head
from fxscore.scorer.percentiles import Percentiles

LEARNING = Learning(members=(("radial", 1.0), ("forest", 1.0)), trees=80, leaf=3, penalty=3.0, width=0.3)
# Handcrafted scores, which are not learned, steady the head on networks unlike those that it learned from.
SMALL = replace(LEARNING, members=(*LEARNING.members, ("naswot", 0.5), ("size", 0.5)))
LARGE = replace(LEARNING, squash=False)
ANCHOR = replace(LARGE, members=(("radial", 1.0),))
# They teach the head of small images.
CELLS = ("nasbench201", "nasbench_macro", "nasbench101", "darts", "transnas_micro")
SMALL_IMAGES = CELLS[:4]
LEAST_SPREAD = 0.5  # of a benchmark's anchored targets
LIBRARY_WEIGHT = 2.0  # of timm, where every other benchmark has 1
LARGE_COLUMNS = (*(name for name in feature_names() if name not in FORWARD), *RECIPES)
SMALL_COLUMNS = tuple(name for name in feature_names() if not name.startswith("quarter"))


def train(parts: Sequence[Part], lessons: Lessons | None, seed: int = LEARNING.seed) -> HeadBySize:
    """Both heads.

    Args:
        parts: all benchmarks that may be learned from; timm's part only gives the large networks' scale.
        lessons: weights of timm that may be learned from.
        seed: of the forests.
    """
    spaces = [part for part in parts if part.source.space != "timm"]
    small = fit_small([part for part in spaces if part.source.space in CELLS], seed)
    large = fit_large(spaces, lessons, seed)
    of_cells = _scale(small, [part for part in spaces if part.source.space in SMALL_IMAGES])
    photographs = [part for part in parts if part.source.space not in CELLS]
    of_timm = _scale(large, photographs[-1:])  # Accel-NASBench's, where timm is left out
    return HeadBySize(small, large, (of_cells, of_timm))


def fit_small(parts: Sequence[Part], seed: int = LEARNING.seed) -> Head:
    """The head of small images, from benchmarks of cells; each counts the same."""
    targets = [standardised(part.targets) for part in parts]
    weights = [np.full(len(part), 1 / len(part)) for part in parts]
    values = [part.values for part in parts]
    return _fit(values, targets, weights, replace(SMALL, seed=seed), SMALL_COLUMNS)


def fit_large(parts: Sequence[Part], lessons: Lessons | None, seed: int = LEARNING.seed) -> Head:
    """A head on the scale of timm's networks.

    Accuracies of two benchmarks cannot be compared, but their networks can resemble each other: a mobile network that
    is good among mobile ones is none of the best of timm. So a machine fitted to timm alone places each other
    benchmark, by its mean and spread there, and the benchmark's own accuracies only order its networks.
    """
    learning = replace(LARGE, seed=seed)
    values, weights = [part.values for part in parts], [np.full(len(part), 1 / len(part)) for part in parts]
    if lessons is None:
        return _fit(values, [standardised(part.targets) for part in parts], weights, learning, LARGE_COLUMNS)
    share = np.full(len(lessons), 1 / len(lessons))
    anchor = _fit([lessons.values], [lessons.targets], [share], ANCHOR, LARGE_COLUMNS)
    return _fit(
        [lessons.values, *values],
        [lessons.targets, *(_anchored(part, anchor) for part in parts)],
        [LIBRARY_WEIGHT * share, *weights],
        learning,
        LARGE_COLUMNS,
    )


def _anchored(part: Part, anchor: Head) -> Floats:
    placed = anchor.predict(feature_names(), part.values)
    return np.asarray(placed.mean() + max(placed.std(), LEAST_SPREAD) * standardised(part.targets))


def _fit(
    values: Sequence[Floats],
    targets: Sequence[Floats],
    weights: Sequence[Floats],
    learning: Learning,
    columns: Sequence[str],
) -> Head:
    padded = [np.pad(each, ((0, 0), (0, len(NAMES) - each.shape[1]))) for each in values]
    return fit_head(
        NAMES,
        np.concatenate(padded),
        np.concatenate(targets),
        learning,
        columns=columns,
        weights=np.concatenate(weights),
    )


def _scale(head: Head, parts: Sequence[Part]) -> Percentiles:
    """Percentiles among the networks of these benchmarks."""
    return Percentiles.of(np.concatenate([head.predict(feature_names(), part.values) for part in parts]))
