"""Fits the head of the general scorer: one Gaussian process over the networks of all populations.

Within a population an accuracy says how its networks rank; between two it says nothing. So every population has its own
level, and beliefs of its own beside what all have in common:

    target of network i of population t = prior(x_i) + shared(x_i) + own_t(x_i) + level_t + noise

`shared` and `own_t` are Gaussian processes with the same kernel, `own_t` with `own` times its variance. What one
population alone believes is taken up by its `own_t`; what many agree on becomes `shared`, and that scores networks that
are like none of them. Those that are like one are scored by a process of its own (`KernelHead`): tables of networks of
all kinds are believed further away than a narrow space, whose networks are all alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve

from fxscore.aligned import Aligned
from fxscore.scorer.features import FORWARD, feature_names
from fxscore.scorer.hybrid_learners import normal_targets
from fxscore.scorer.kernel_head import Floats, KernelHead, nearness
from fxscore.scorer.neighbours import squashed
from fxscore.train.general.lessons import WHOLE, Lesson
from fxscore.types import ModelRef

SIZE = (
    "log_params",
    "own_log_macs",
    "own_log_weighted_activations",
    "own_log_activations",
    "count_weighted",
    "depth",
    "entropy_sum",
    "log_elements_sum",
    "entropy_mean",
    "log_elements_mean",
    "width_mean",
    "own_log_side",
)
# ln(activations · √params), and of small images NASWOT's ln |det K| per image of the forward's activation patterns
# (Mellor et al., ICML 2021), which few plain columns beat on spaces that nobody has learned from.
PRIOR = {
    "own_log_weighted_activations": 1.0,
    "log_params": 0.5,
    "patterns_log_units": 0.6,
    "patterns_log_det": 0.6,
}
# Columns that depend on the size at which a network is seen, which steps where its own size does not.
SEEN = (
    "log_macs",
    "log_activations",
    "log_weighted_activations",
    "positions_last",
    "path_min_reach",
    "path_max_reach",
    "path_mean_reach",
    "path_std_reach",
    "path_signal_reach",
)
_PREFIXES = {
    "operators": ("count_", "share_", "uses_"),
    "wiring": ("fan_", "path_", "breadth"),
    "layout": (
        "width_",
        "quarter",
        "kernel_",
        "expansion",
        "group_width",
        "stem",
        "stage",
        "downsampling",
        "shapes",
        "repetition",
        "tokens",
        "head_width",
    ),
}
# Nearness at which what a population alone teaches begins to count, and counts in full: of a space; of one of so many
# networks that they tell how near they are to one another, in full at that quantile of it, if that is less; and, as
# quantiles, of how near the networks of a table of all kinds are to those of its other families.
REACH_OF_A_SPACE = (0.9, 0.97)
REACH_WIDTH = REACH_OF_A_SPACE[1] - REACH_OF_A_SPACE[0]
ENOUGH, FULL_AT = 100, 0.25
REACH_OF_KINDS = (0.05, 0.5)
# Networks of unseen spaces resemble photographs' classifiers of all kinds, which say less of them than all do together.
MOST_OF = {"timm": 0.7, "torchvision": 0.7}
# Of what a population alone teaches: parts of the kernel (scale, height), and noise.
LOCAL_PARTS = ((0.3, 1.0), (1.0, 0.5))
LOCAL_NOISE = 0.1
LEANING = 0.5  # on the prior, in its deviations within the population
LEAST_DEVIATION = 1e-3  # of a column within a population, in those over all, for it to enter
LEAST_SPREAD = 0.05  # of the prior, below which a population's sizes are as good as equal
SPREADS = (1.0, 2.0)  # least and most deviation of a population's targets
TAUGHT = 300  # networks of one space that teach
SHARED = 150  # of them, and of a table of all kinds, what all populations have in common
_LEVEL = 10.0  # variance of a population's level: as good as free
_TINY = 1e-6


def groups() -> dict[str, tuple[str, ...]]:
    """The columns of each group of features, by name."""
    found: dict[str, tuple[str, ...]] = {"size": SIZE}
    for name, prefixes in _PREFIXES.items():
        found[name] = tuple(
            each
            for each in feature_names()
            if each.startswith(prefixes) and not each.startswith(SEEN) and each not in SIZE
        )
    return {**found, "forward": tuple(name for name in FORWARD if name != "ft_score")}


@dataclass(frozen=True)
class Learning:
    """Settings of the fit.

    Attributes:
        heights: variance of each group of `groups`.
        lengths: its length scale, in standard deviations of a column.
        own: variance of what a population believes alone, as a share of what all have in common.
        noise: variance of an accuracy's noise, as a share of that of its population's targets.
        prior: weight of the prior mean, in standard deviations of it within a population.
        limit: standardised columns are cut at ± so many deviations.
    """

    heights: dict[str, float] = field(default_factory=lambda: dict.fromkeys(groups(), 0.3))
    lengths: dict[str, float] = field(default_factory=lambda: dict.fromkeys(groups(), 1.0))
    own: float = 1.0
    noise: float = 0.5
    prior: float = 0.3
    limit: float = 2.0


@dataclass(frozen=True, eq=False)
class Pool(Aligned):
    """The networks of one table, with one target each: the mean over its tasks.

    Attributes:
        table, origin: as of the lessons.
        values: (n, `feature_names`).
        targets: (n,) standardised normal quantiles of the ranks.
        refs: (n,) the networks.
        labels: (n,) the measure of each task, by the task's name.
        families: (n,) names; all empty where the table has none.
    """

    ALIGNED: ClassVar = ("refs", "values", "targets", "labels", "families")

    table: str
    origin: str
    values: Floats
    targets: Floats
    refs: tuple[ModelRef, ...]
    labels: Mapping[str, Floats]
    families: NDArray[np.str_]


def pools_of(lessons: Iterable[Lesson], most: int = TAUGHT, whole: int = 0, seed: int = 0) -> list[Pool]:
    """One pool for each set of networks of a table, of those lessons that may train.

    Args:
        lessons: tasks; those of the same networks teach together.
        most: networks of a pool, drawn with `seed`.
        whole: networks of a pool of networks of all kinds (`WHOLE`); 0 takes all.
        seed: of the draw.
    """
    together: dict[tuple[str, bytes], list[Lesson]] = {}
    for lesson in lessons:
        if lesson.may_train:
            together.setdefault((lesson.table, lesson.fingerprints.tobytes()), []).append(lesson)
    pools = [_pool(same) for same in together.values()]
    return [_drawn(pool, whole if pool.table in WHOLE else most, seed) for pool in pools]


def _pool(same: Sequence[Lesson]) -> Pool:
    targets = np.mean([normal_targets(lesson.labels) for lesson in same], 0)
    targets = (targets - targets.mean()) / (targets.std() + _TINY)
    labels = {lesson.name: lesson.labels for lesson in same}
    families = np.array(same[0].families or [""] * len(targets))
    return Pool(same[0].table, same[0].origin, same[0].values, targets, same[0].refs, labels, families)


def _drawn(pool: Pool, most: int, seed: int) -> Pool:
    if not 0 < most < len(pool):
        return pool
    return pool.subset(np.random.default_rng(seed).choice(len(pool), most, replace=False))


def fit(pools: Sequence[Pool], learning: Learning) -> KernelHead:
    """The head that these populations teach; each counts alike in what a column's standard deviation is."""
    values = np.concatenate([pool.values for pool in pools])
    weights = np.concatenate([np.full(len(pool), 1 / len(pool)) for pool in pools])
    head = _untaught(values, weights / weights.sum(), pools, learning)
    return _with_local(_with_shared(_with_reach(head, pools), pools, learning), pools)


def _with_reach(head: KernelHead, pools: Sequence[Pool]) -> KernelHead:
    """How near a network must be to a population for what that alone teaches."""
    reach = np.tile(REACH_OF_A_SPACE, (len(pools), 1))
    for place, pool in enumerate(pools):
        points = head.points[head.pool == place]
        likeness = replace(head, points=points).likeness(points.astype(float)) / head.heights.sum()
        if pool.table in WHOLE and len(set(pool.families)) > 1:
            others = np.where(pool.families[:, None] == pool.families, 0, likeness)
            reach[place] = np.quantile(nearness(others), REACH_OF_KINDS)
        elif len(pool) >= ENOUGH:
            np.fill_diagonal(likeness, 0)
            near = min(reach[place, 1], float(np.quantile(nearness(likeness), FULL_AT)))
            reach[place] = near - REACH_WIDTH, near
    most = np.array([MOST_OF.get(pool.table, 1.0) for pool in pools])
    return replace(head, far=reach[:, 0], near=reach[:, 1], most=most)


def _with_shared(head: KernelHead, pools: Sequence[Pool], learning: Learning) -> KernelHead:
    """What all populations have in common, learned from some networks of each."""
    drawn = [_sharing(pool) for pool in pools]
    taught = np.concatenate([np.flatnonzero(head.pool == place)[own] for place, own in enumerate(drawn)])
    of = head.pool[taught]
    some = replace(head, points=head.points[taught])
    covariance = some.likeness(some.points.astype(float))
    covariance *= 1 + learning.own * (of[:, None] == of)
    targets = np.zeros(len(taught))
    for place, pool in enumerate(pools):
        own = np.flatnonzero(of == place)
        mean = head.means[taught][own]
        spread = _spread(mean, learning.prior)
        targets[own] = spread * pool.targets[drawn[place]] - (mean - mean.mean())
        noise = learning.noise * np.eye(len(own))
        covariance[np.ix_(own, own)] += _LEVEL + spread**2 * noise
    amounts = np.zeros(len(head.points))
    amounts[taught] = cho_solve(cho_factor(covariance, lower=True), targets)
    return replace(head, amounts=amounts)


def _sharing(pool: Pool) -> NDArray[np.int64]:
    """Places of those of a pool that teach what all have in common: a large table is one witness among many, too."""
    order = np.random.default_rng(0).permutation(len(pool))
    return np.sort(order[:SHARED])


def _with_local(head: KernelHead, pools: Sequence[Pool]) -> KernelHead:
    """What each population alone teaches, placed on the common scale."""
    points, common = head.points.astype(float), head.common()
    populations = [points[head.pool == place] for place in range(len(pools))]
    spread = np.stack([each.std(0) for each in populations])
    centre = np.stack([each.mean(0) for each in populations])
    head = replace(head, local_centre=centre, local_spread=np.where(spread > LEAST_DEVIATION, spread, 0))
    amounts = np.zeros(len(points))
    middles, spreads, leanings = np.zeros((3, len(pools)))
    for place, pool in enumerate(pools):
        own = np.flatnonzero(head.pool == place)
        covariance = head.local_likeness(points[own], place) + LOCAL_NOISE * np.eye(len(own))
        prior = head.means[own]
        leanings[place] = LEANING / max(prior.std(), LEAST_SPREAD)
        left = pool.targets - leanings[place] * (prior - prior.mean())
        amounts[own] = cho_solve(cho_factor(covariance, lower=True), left)
        spreads[place] = common[own].std()
        middles[place] = common[own].mean() - spreads[place] * leanings[place] * prior.mean()
    return replace(head, local_amounts=amounts, middles=middles, spreads=spreads, leanings=leanings)


def _spread(mean: Floats, prior: float) -> float:
    """How far apart the accuracies of a population are: where sizes vary more, so do they."""
    low, high = SPREADS
    return float(np.clip(mean.std() / prior, low, high)) if prior else low


def _untaught(values: Floats, weights: Floats, pools: Sequence[Pool], learning: Learning) -> KernelHead:
    """The head before it knows the targets: columns that vary, their scale, and the prior."""
    names = feature_names()
    chosen = {name: place for place, own in enumerate(groups().values()) for name in own}
    columns = tuple(name for name in chosen if np.ptp(values[:, names.index(name)]) > _TINY)
    seen = squashed(values[:, [names.index(name) for name in columns]])
    centre = weights @ seen
    spread = np.sqrt(weights @ (seen - centre) ** 2) + _TINY
    group = np.array([chosen[name] for name in columns])
    sizes = np.bincount(group, minlength=len(groups()))
    scale = np.array([learning.lengths[name] for name in groups()])
    head = KernelHead(
        columns=columns,
        prior_columns=tuple(PRIOR),
        prior=np.array(list(PRIOR.values())),
        fading=np.array([float(name in FORWARD) for name in PRIOR]),
        centre=centre,
        spread=spread,
        limit=np.array([learning.limit]),
        group=group,
        lengths=1 / (scale[group] * np.sqrt(2 * sizes[group])),
        heights=np.array([learning.heights[name] for name in groups()]),
        faded=np.array([list(groups()).index("forward")]),
        points=np.zeros((0, len(columns)), dtype=np.float16),
        means=np.zeros(0),
        pool=np.concatenate([np.full(len(pool), place) for place, pool in enumerate(pools)]),
        far=np.zeros(len(pools)),
        near=np.ones(len(pools)),
        most=np.ones(len(pools)),
        middles=np.zeros(len(pools)),
        spreads=np.ones(len(pools)),
        leanings=np.zeros(len(pools)),
        local_centre=np.zeros((len(pools), len(columns))),
        local_spread=np.ones((len(pools), len(columns))),
        local_scales=np.array([scale for scale, _ in LOCAL_PARTS]),
        local_heights=np.array([height for _, height in LOCAL_PARTS]),
        local_amounts=np.zeros(0),
        amounts=np.zeros(0),
    )
    deviation = float(np.median([_prior_mean(head, pool).std() for pool in pools]))
    rows = head.standardised(names, values).astype(np.float16)
    head = replace(head, prior=head.prior * learning.prior / deviation)
    means = head.prior_mean(names, values)
    nothing = np.zeros(len(rows))
    return replace(head, points=rows, means=means, amounts=nothing, local_amounts=nothing)


def _prior_mean(head: KernelHead, pool: Pool) -> Floats:
    return head.prior_mean(feature_names(), pool.values)
