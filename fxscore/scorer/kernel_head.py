"""The head of the general scorer: a prior mean, and a Gaussian process over groups of features.

common(x) = prior(x) + Σ_i α_i k(x, p_i),   k(x, p) = Σ_g a_g exp(−‖s_g∘(x_g − p_g)‖²)
raw(x) = (1 − Σ_t w_t) common(x) + Σ_t w_t (m_t + d_t (h_t prior(x) + Σ_{i in t} β_i l(x, p_i)))

k is a sum over groups (sizes, operators, wiring, layout, forward), so that a network can be near to training in one
group and far in another; where it is far in all, its raw score is the prior: size and, for small images, activation
patterns. A network that is like those of a population t is scored by what t alone teaches, placed on the common scale
by t's mean m_t and deviation d_t there; l(x, p) = Σ_j b_j exp(−c_j ‖x − p‖²) over all columns at once, in t's own
deviations, since one population's networks differ in few ways that belong together. With n_t(x) the mean of k(x, p_i) /
Σ a over the `NEAREST` networks of t, the share w_t rises from 0 where n_t is `far` to 1 where it is `near`, as t's own
networks are to one another, times (n_t / max_u n_u)^`RIVALRY`, and falls to 0 with the number of columns that are alike
in all of t and differ here (`STRANGE`); shares are divided by their sum where that is above 1. Columns are squashed by
SymLog, standardised by the training networks and cut, but for those of the prior, which enter as they are.

What a forward shows tells small networks for small images apart, and was no help on photographs: its columns count in
full up to sides of `FULL` pixels and shrink to nothing at `GONE`, so that larger networks need no forward.
Source: METHOD.md section 5.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fxscore.scorer.neighbours import squashed
from fxscore.scorer.own_size import columns_at_own_size
from fxscore.scorer.trees import require

Floats = NDArray[np.float64]
Arrays = dict[str, NDArray[Any]]
FULL, GONE = 32.0, 48.0
LOCAL_LIMIT = 3.0  # deviations within a population at which its columns are cut
NEAREST = 5
RIVALRY = 64.0  # the greater, the more the population that is most alike counts alone
STRANGE = (0.5, 3.0)  # columns that differ: believed in full up to the one, not at all from the other
HALF_STRANGE = 0.5  # deviations at which such a column counts half
TINY = 1e-12
SIDE = "own_log_side"
GROUPS = ("size", "operators", "wiring", "layout", "forward")
PRIOR_PART = "what size and activation patterns say"
_WORDS = {"layout": "widths, kernels and stages", "forward": "signal of the forward"}  # of groups, for people
LIKE = ("how much it is like one origin of training", "what that origin alone teaches")


@dataclass(frozen=True, eq=False)
class KernelHead:
    """What was learned.

    Attributes:
        columns: names of the features that the groups read.
        prior_columns: those that the prior sums.
        prior: (prior columns,) their weights.
        fading: (prior columns,) 1 for those that fade out with the side of the image, else 0.
        centre, spread: (columns,) of the squashed features.
        limit: (1,) standardised columns are cut at ± this.
        group: (columns,) the group of each column, from 0.
        lengths: (columns,) s, the inverse length scale of each column.
        heights: (groups,) a, the variance of each group.
        faded: (faded groups,) those whose columns fade out with the side of the image.
        points: (m, columns) p, the training networks; half precision is enough.
        means: (m,) the prior mean of them.
        pool: (m,) the population of each, from 0.
        far, near: (populations,) of n: what a population alone teaches counts from the one on, in full from the other.
        most: (populations,) the greatest w of each.
        middles, spreads: (populations,) m and d.
        leanings: (populations,) h, how much a population leans on the prior.
        local_centre, local_spread: (populations, columns) of the points of each; a column that is alike in all of a
            population's networks has no spread, and does not enter its l.
        local_scales, local_heights: (parts of l,) c, over the number of columns that enter, and b.
        local_amounts: (m,) β.
        amounts: (m,) α.
    """

    columns: tuple[str, ...]
    prior_columns: tuple[str, ...]
    prior: Floats
    fading: Floats
    centre: Floats
    spread: Floats
    limit: Floats
    group: NDArray[np.int64]
    lengths: Floats
    heights: Floats
    faded: NDArray[np.int64]
    points: NDArray[np.float16]
    means: Floats
    pool: NDArray[np.int64]
    far: Floats
    near: Floats
    most: Floats
    middles: Floats
    spreads: Floats
    leanings: Floats
    local_centre: Floats
    local_spread: Floats
    local_scales: Floats
    local_heights: Floats
    local_amounts: Floats
    amounts: Floats

    def predict(self, names: Sequence[str], values: Floats) -> Floats:
        """Raw scores (n,) of networks with these features (n, names)."""
        return self.whole(self.parts(names, values))

    def own_scores(self) -> Floats:
        """(m,) raw scores of the training networks."""
        return self.whole(self._parts(self.means, self.points.astype(float)))

    def common(self) -> Floats:
        """(m,) what all populations have in common says of the training networks."""
        return np.asarray(self.means + self.likeness(self.points.astype(float)) @ self.amounts)

    def _placed(self, prior: Floats, rows: Floats, shares: Floats) -> Floats:
        """(n, populations) what each population alone says, on the common scale; only those with a share are asked."""
        local = np.zeros((len(rows), len(self.near)))
        for place in np.flatnonzero(shares.any(0)).tolist():
            local[:, place] = self.local_likeness(rows, place) @ self.local_amounts[self.pool == place]
        return np.asarray(self.middles + self.spreads * (local + self.leanings * prior[:, None]))

    def _shares(self, rows: Floats, likeness: Floats) -> Floats:
        """(n, populations) w."""
        nearest = np.zeros((len(likeness), len(self.near)))
        for place, members in enumerate(self._members):
            nearest[:, place] = nearness(likeness[:, members] / self.heights.sum())
        shares = np.clip((nearest - self.far) / (self.near - self.far), 0, 1)
        shares *= (nearest / np.maximum(nearest.max(1, keepdims=True), TINY)) ** RIVALRY
        known, foreign = STRANGE
        shares *= self.most * np.clip((foreign - self.strangeness(rows)) / (foreign - known), 0, 1)
        return np.asarray(shares / np.maximum(shares.sum(1, keepdims=True), 1))

    def strangeness(self, rows: Floats) -> Floats:
        """(n, populations) how many columns differ that are alike in all of a population, by its `standardised` rows.

        A network is like those of a space by sizes and operators, and yet of another, where what they all have in
        common does not hold of it: another stem, other pools, another number of stages. A column counts smoothly, so
        that a score does not step with the size of the image; the forward's columns, which fade, do not count.
        """
        found, lasting = np.zeros((len(rows), len(self.near))), ~np.isin(self.group, self.faded)
        for place, (centre, spread) in enumerate(zip(self.local_centre, self.local_spread, strict=True)):
            alike = (spread == 0) & lasting
            apart = (rows[:, alike] - centre[alike]) ** 2
            found[:, place] = (apart / (apart + HALF_STRANGE**2)).sum(1)
        return found

    @property
    def part_names(self) -> tuple[str, ...]:
        """What the columns of `parts` are."""
        groups = (
            f"what all origins teach, by {_WORDS.get(name, name)}" for name in group_names(len(self.heights))
        )
        return (PRIOR_PART, *groups, *LIKE)

    def parts(self, names: Sequence[str], values: Floats) -> Floats:
        """What `whole` puts together, (n, parts): prior, terms of the groups, w, and what w's populations say alone.

        A network that is like no population has nothing of the last; what is common stands there.
        """
        return self._parts(self.prior_mean(names, values), self.standardised(names, values))

    def _parts(self, prior: Floats, rows: Floats) -> Floats:
        likeness, terms = np.zeros((len(rows), len(self.points))), [prior]
        for kernel in self._kernels(rows):
            likeness += kernel
            terms.append(kernel @ self.amounts)
        shares = self._shares(rows, likeness)
        total, common = shares.sum(1), np.sum(terms, axis=0)
        said = (shares * self._placed(prior, rows, shares)).sum(1)
        alone = np.where(total > TINY, said / np.maximum(total, TINY), common)
        return np.column_stack([*terms, total, alone])

    @staticmethod
    def whole(parts: Floats) -> Floats:
        """(n,) the raw scores of networks with these parts."""
        share, alone = parts[:, -2], parts[:, -1]
        return np.asarray((1 - share) * parts[:, :-2].sum(1) + share * alone)

    def prior_mean(self, names: Sequence[str], values: Floats) -> Floats:
        """(n,) what is said of any network: sizes, and patterns of small images."""
        faded = _weights(names, values)[:, None] ** self.fading
        return np.asarray((faded * columns_at_own_size(self.prior_columns, names, values)) @ self.prior)

    def likeness(self, rows: Floats) -> Floats:
        """Covariance k (n, m) of `standardised` rows with every training network."""
        total = np.zeros((len(rows), len(self.points)))
        for part in self._kernels(rows):
            total += part
        return total

    def _kernels(self, rows: Floats) -> Iterator[Floats]:
        """(n, m) of each group."""
        for place, (height, (points, lengths)) in enumerate(
            zip(self.heights, self._scaled_points, strict=True)
        ):
            own = self.group == place
            if height and own.any():
                yield height * np.exp(-squares(rows[:, own] * self.lengths[own], points, lengths))
            else:
                yield np.zeros((len(rows), len(points)))

    @cached_property
    def _scaled_points(self) -> list[tuple[Floats, Floats]]:
        """s∘p of each group and ‖s∘p‖², kept from score to score: half precision is slow to read."""
        points = self.points.astype(float)
        groups = [self.group == place for place in range(len(self.heights))]
        scaled = [points[:, own] * self.lengths[own] for own in groups]
        return [(each, (each**2).sum(1)) for each in scaled]

    @cached_property
    def _members(self) -> list[NDArray[Any]]:
        """Places of the training networks of each population."""
        return [np.flatnonzero(self.pool == place) for place in range(len(self.near))]

    def local_likeness(self, rows: Floats, place: int) -> Floats:
        """Covariance l of `standardised` rows with every training network of a population, (n, its networks)."""
        entering = self.local_spread[place] > 0
        centre, spread = self.local_centre[place][entering], self.local_spread[place][entering]

        def scaled(values: Floats) -> Floats:
            return np.asarray(np.clip((values[:, entering] - centre) / spread, -LOCAL_LIMIT, LOCAL_LIMIT))

        apart = squares(scaled(rows), scaled(self.points[self.pool == place].astype(float))) / max(
            entering.sum(), 1
        )
        parts = zip(self.local_scales, self.local_heights, strict=True)
        return np.asarray(sum(height * np.exp(-scale * apart) for scale, height in parts))

    def standardised(self, names: Sequence[str], values: Floats) -> Floats:
        """What the kernels see: (n, columns)."""
        rows = (squashed(columns_at_own_size(self.columns, names, values)) - self.centre) / self.spread
        fading = np.isin(self.group, self.faded)
        return np.clip(rows, -self.limit, self.limit) * _weights(names, values)[:, None] ** fading

    def uses(self, names: Collection[str], side: int) -> bool:
        """Whether it reads one of these features of networks of this larger input side."""
        gone = side >= GONE
        prior = [
            name for name, fades in zip(self.prior_columns, self.fading, strict=True) if not (gone and fades)
        ]
        kept = [
            name
            for name, group in zip(self.columns, self.group, strict=True)
            if not (gone and group in self.faded)
        ]
        return any(name in names for name in (*kept, *prior))

    def arrays(self, prefix: str = "head.") -> Arrays:
        """All learned numbers by name."""
        return {f"{prefix}{name}": getattr(self, name) for name in _ARRAYS}

    def describe(self) -> dict[str, Any]:
        """What `from_arrays` needs beside the arrays, JSON-ready."""
        return {"columns": list(self.columns), "prior_columns": list(self.prior_columns)}

    @classmethod
    def from_arrays(
        cls, about: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]], prefix: str = "head."
    ) -> KernelHead:
        """The head of which `describe` and `arrays` were kept; raises `KeyError`, `TypeError` or `ValueError`."""
        own = {name: arrays[f"{prefix}{name}"] for name in _ARRAYS}
        head = cls(tuple(about["columns"]), tuple(about["prior_columns"]), **own)
        head.check()
        return head

    def check(self) -> None:
        """Raise `ValueError` where it could not predict, or not finitely."""
        count, points, groups = len(self.columns), len(self.amounts), len(self.heights)
        own = {name: getattr(self, name) for name in _ARRAYS}
        shapes = dict.fromkeys(("centre", "spread", "lengths", "group"), (count,))
        require(own, {**shapes, "heights": (groups,), "limit": (1,)})
        populations = (len(self.near),)
        require(own, dict.fromkeys(("far", "most", "middles", "spreads", "leanings"), populations))
        require(own, dict.fromkeys(("local_centre", "local_spread"), (*populations, count)))
        require(own, {"points": (points, count), "amounts": (points,), "means": (points,)})
        if (self.spread <= 0).any() or (self.heights < 0).any() or not points or not self.limit[0] > 0:
            raise ValueError("spreads and heights are positive, and there is a training network")
        if any(not ((each >= 0) & (each < groups)).all() for each in (self.group, self.faded)):
            raise ValueError("every column is of one of the groups")
        if set(self.pool.tolist()) != set(range(len(self.near))) or not (self.far < self.near).all():
            raise ValueError("every training network is of a population, and every population has some")


_ARRAYS = tuple(field.name for field in fields(KernelHead) if not field.name.endswith("columns"))


def group_names(count: int) -> tuple[str, ...]:
    """What people call so many groups: the files that there are have `GROUPS`, in this order."""
    return GROUPS if count == len(GROUPS) else tuple(f"group {place + 1}" for place in range(count))


def weight_of(sides: Floats) -> Floats:
    """(n,) how much a forward counts at these sides: from 1 at `FULL` to 0 at `GONE`, linear in the logarithm."""
    return np.asarray(np.clip(np.log(GONE / np.maximum(sides, 1)) / np.log(GONE / FULL), 0, 1))


def nearness(likeness: Floats) -> Floats:
    """(n,) how near networks are to a population, of their likeness (n, m) with all of it."""
    return np.asarray(np.sort(likeness, 1)[:, -NEAREST:].mean(1))


def squares(rows: Floats, points: Floats, lengths: Floats | None = None) -> Floats:
    """‖x − p‖² of every row with every point, (n, m); `lengths`, where they are known, are the points' ‖p‖²."""
    lengths = (points**2).sum(1) if lengths is None else lengths
    found = (rows**2).sum(1)[:, None] + lengths - 2 * rows @ points.T
    return np.asarray(np.maximum(found, 0))


def _weights(names: Sequence[str], values: Floats) -> Floats:
    return weight_of(np.exp(columns_at_own_size((SIDE,), names, values)[:, 0]))
