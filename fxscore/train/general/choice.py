"""Settings of the general scorer: of some that are drawn with a seed, the mean of the better half on left-out origins.

With a dozen origins the best of many is the best by chance as much as by worth; the mean of the better half is not.

The ranges that candidates are drawn from were found by a search over all populations (EXPERIMENTS.md); what is chosen
within them is, on the board, chosen anew for every origin that is left out, by the other origins alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from fxscore.scorer.kernel_head import KernelHead
from fxscore.train.general.learning import Learning, Pool
from fxscore.train.general.left_out import merit, without_origins
from fxscore.train.general.lessons import Lesson

CANDIDATES = 24
KEPT = 0.5  # share of the candidates that the settings are the mean of
MIDDLE = Learning(
    heights={"size": 1.1, "operators": 0.7, "wiring": 0.015, "layout": 0.11, "forward": 0.15},
    lengths={"size": 0.5, "operators": 3.1, "wiring": 1.4, "layout": 1.7, "forward": 0.6},
    own=6.0,
    noise=0.3,
    prior=0.3,
    limit=2.5,
)
_PRIORS, _LIMITS = (0.3, 0.35, 0.4), (2.0, 2.5)
_WIDE, _NARROW = 0.5, 0.3  # deviations of logarithms


def candidates(count: int = CANDIDATES, seed: int = 0) -> list[Learning]:
    """The settings that are tried: the middle of the ranges, and draws around it."""
    draw = np.random.default_rng(seed)

    def around(middle: float, deviation: float) -> float:
        return float(middle * np.exp(deviation * draw.standard_normal()))

    drawn = [
        Learning(
            heights={name: around(middle, _WIDE) for name, middle in MIDDLE.heights.items()},
            lengths={name: around(middle, _NARROW) for name, middle in MIDDLE.lengths.items()},
            own=around(MIDDLE.own, _WIDE),
            noise=around(MIDDLE.noise, _WIDE),
            prior=float(draw.choice(_PRIORS)),
            limit=float(draw.choice(_LIMITS)),
        )
        for _ in range(count - 1)
    ]
    return [MIDDLE, *drawn]


def chosen(lessons: Sequence[Lesson], pools: Sequence[Pool], options: Sequence[Learning]) -> Learning:
    """The mean of the candidates of the greatest `merit` on origins left out."""
    found = [merit(list(without_origins(lessons, pools, learning))) for learning in options]
    return mean_of_best(options, found)


def chosen_without(
    lessons: Sequence[Lesson],
    pools: Sequence[Pool],
    options: Sequence[Learning],
    tell: Callable[[str], None] = lambda line: None,
) -> dict[str, Learning]:
    """By origin what the *other* origins choose, each judged by a head that has seen neither."""
    origins = sorted({lesson.origin for lesson in lessons})
    found: dict[str, list[float]] = {origin: [] for origin in origins}
    for number, learning in enumerate(options, 1):
        heads: dict[frozenset[str], KernelHead] = {}
        for origin in origins:
            found[origin].append(merit(list(without_origins(lessons, pools, learning, [origin], heads))))
        tell(f"settings {number} of {len(options)} tried on {len(origins)} left-out origins")
    return {origin: mean_of_best(options, merits) for origin, merits in found.items()}


def mean_of_best(options: Sequence[Learning], merits: Sequence[float]) -> Learning:
    """The mean of the share `KEPT` of the settings whose merits are greatest, of one at least.

    Heights, lengths, `own` and `noise` are scales: theirs is the geometric mean.
    """
    order = sorted(range(len(options)), key=lambda place: -merits[place])
    kept = [options[place] for place in order[: max(1, round(KEPT * len(options)))]]
    if len(kept) == 1:
        return kept[0]
    return Learning(
        heights={name: _geometric([each.heights[name] for each in kept]) for name in kept[0].heights},
        lengths={name: _geometric([each.lengths[name] for each in kept]) for name in kept[0].lengths},
        own=_geometric([each.own for each in kept]),
        noise=_geometric([each.noise for each in kept]),
        prior=float(np.mean([each.prior for each in kept])),
        limit=float(np.mean([each.limit for each in kept])),
    )


def _geometric(values: Sequence[float]) -> float:
    return float(np.exp(np.log(values).mean()))
