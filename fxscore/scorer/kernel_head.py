"""The head of the general scorer: a prior mean, and a Gaussian process over groups of features.

common(x) = prior(x) + Σ_i α_i k(x, p_i),   k(x, p) = Σ_g a_g exp(−‖s_g∘(x_g − p_g)‖²)
raw(x) = (1 − Σ_t w_t) common(x) + Σ_t w_t (m_t + d_t Σ_{i in t} β_i l(x, p_i))

k is a sum over groups (sizes, operators, wiring, layout, forward), so that a network can be near to training in one
group and far in another; where it is far in all, its raw score is the prior: size and, for small images, activation
patterns. A network that is like those of a population t is scored by what t alone teaches, with a kernel l of its own,
placed on the common scale by t's mean m_t and deviation d_t there. With n_t(x) = max_{i in t} k(x, p_i) / Σ a,
w_t(x) = n_t^reach_t (n_t / max_u n_u)^`RIVALRY`, divided by their sum where that is above 1. Columns are squashed by
SymLog, standardised by the training networks and cut, but for those of the prior, which enter as they are.

What a forward shows tells small networks for small images apart, and was no help on photographs: it counts in full up
to sides of `FULL` pixels and fades out until `GONE`, so that larger networks need no forward.
Source: METHOD.md section 5.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fxscore.scorer.neighbours import squashed
from fxscore.scorer.trees import require

Floats = NDArray[np.float64]
Arrays = dict[str, NDArray[Any]]
FULL, GONE = 48.0, 96.0
RIVALRY = 64.0  # the greater, the more the population that is most alike counts alone
TINY = 1e-12
SIDE = "own_log_side"
GROUPS = ("size", "operators", "wiring", "layout", "forward")
LIKE = ("how much it is like one population alone", "what that population alone teaches")


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
        faded: (faded groups,) those that fade out with the side of the image.
        points: (m, columns) p, the training networks; half precision is enough.
        sides: (m,) the larger sides of their images.
        means: (m,) the prior mean of them.
        pool: (m,) the population of each, from 0.
        reach: (populations,) the greater, the nearer a network must be for what a population alone teaches to count.
        middles, spreads: (populations,) m and d.
        local_lengths, local_heights: of l, as `lengths` and `heights` of k.
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
    sides: Floats
    means: Floats
    pool: NDArray[np.int64]
    reach: Floats
    middles: Floats
    spreads: Floats
    local_lengths: Floats
    local_heights: Floats
    local_amounts: Floats
    amounts: Floats

    def predict(self, names: Sequence[str], values: Floats) -> Floats:
        """Raw scores (n,) of networks with these features (n, names)."""
        rows, sides = self.standardised(names, values), _sides(names, values)
        return self._raw(self.prior_mean(names, values), rows, sides)

    def own_scores(self) -> Floats:
        """(m,) raw scores of the training networks."""
        return self._raw(self.means, self.points.astype(float), self.sides)

    def common(self) -> Floats:
        """(m,) what all populations have in common says of the training networks."""
        return np.asarray(self.means + self._likeness(self.points.astype(float), self.sides) @ self.amounts)

    def _raw(self, prior: Floats, rows: Floats, sides: Floats) -> Floats:
        likeness = self._likeness(rows, sides)
        common = prior + likeness @ self.amounts
        shares = self._shares(likeness)
        placed = self._placed(rows, sides)
        return np.asarray((1 - shares.sum(1)) * common + (shares * placed).sum(1))

    def _shares(self, likeness: Floats) -> Floats:
        """(n, populations) w."""
        nearest = np.zeros((len(likeness), len(self.reach)))
        for place in range(len(self.reach)):
            nearest[:, place] = likeness[:, self.pool == place].max(1) / self.heights.sum()
        shares = nearest**self.reach * (nearest / np.maximum(nearest.max(1, keepdims=True), TINY)) ** RIVALRY
        return np.asarray(shares / np.maximum(shares.sum(1, keepdims=True), 1))

    def _placed(self, rows: Floats, sides: Floats) -> Floats:
        """(n, populations) what each population alone says, on the common scale."""
        near = self._kernel(rows, sides, self.local_lengths, self.local_heights)
        local = np.zeros((len(rows), len(self.reach)))
        for place in range(len(self.reach)):
            own = self.pool == place
            local[:, place] = near[:, own] @ self.local_amounts[own]
        return np.asarray(self.middles + self.spreads * local)

    @property
    def part_names(self) -> tuple[str, ...]:
        """What the columns of `parts` are."""
        groups = (f"all populations, by {name}" for name in group_names(len(self.heights)))
        return ("prior: size and activation patterns", *groups, *LIKE)

    def parts(self, names: Sequence[str], values: Floats) -> Floats:
        """What `whole` puts together, (n, parts): prior, terms of the groups, w, and what w's populations say alone.

        A network that is like no population has nothing of the last; what is common stands there.
        """
        rows, sides = self.standardised(names, values), _sides(names, values)
        kernels = list(self._kernels(rows, sides, self.lengths, self.heights))
        shares = self._shares(np.sum(kernels, 0))
        terms = np.stack([self.prior_mean(names, values), *(each @ self.amounts for each in kernels)], 1)
        total = shares.sum(1)
        said = (shares * self._placed(rows, sides)).sum(1)
        alone = np.where(total > TINY, said / np.maximum(total, TINY), terms.sum(1))
        return np.column_stack([terms, total, alone])

    @staticmethod
    def whole(parts: Floats) -> Floats:
        """(n,) the raw scores of networks with these parts."""
        share, alone = parts[:, -2], parts[:, -1]
        return np.asarray((1 - share) * parts[:, :-2].sum(1) + share * alone)

    def prior_mean(self, names: Sequence[str], values: Floats) -> Floats:
        """(n,) what is said of any network: sizes, and patterns of small images."""
        faded = weight_of(_sides(names, values))[:, None] ** self.fading
        return np.asarray((faded * _columns(self.prior_columns, names, values)) @ self.prior)

    def likeness(self, names: Sequence[str], values: Floats) -> Floats:
        """(n, m) covariance with every training network."""
        return self._likeness(self.standardised(names, values), _sides(names, values))

    def local_likeness(self, names: Sequence[str], values: Floats) -> Floats:
        """(n, m) covariance with every training network, for what a population alone teaches."""
        rows, sides = self.standardised(names, values), _sides(names, values)
        return self._kernel(rows, sides, self.local_lengths, self.local_heights)

    def _likeness(self, rows: Floats, sides: Floats) -> Floats:
        return self._kernel(rows, sides, self.lengths, self.heights)

    def _kernel(self, rows: Floats, sides: Floats, lengths: Floats, heights: Floats) -> Floats:
        total = np.zeros((len(rows), len(self.points)))
        for part in self._kernels(rows, sides, lengths, heights):
            total += part
        return total

    def _kernels(self, rows: Floats, sides: Floats, lengths: Floats, heights: Floats) -> Iterator[Floats]:
        """(n, m) of each group."""
        points = self.points.astype(float)
        ours, theirs = weight_of(sides), weight_of(self.sides)
        for place, height in enumerate(heights):
            own = self.group == place
            if not height or not own.any():
                yield np.zeros((len(rows), len(points)))
                continue
            part = height * alikeness(rows[:, own] * lengths[own], points[:, own] * lengths[own])
            yield part * ours[:, None] * theirs if place in self.faded else part

    def standardised(self, names: Sequence[str], values: Floats) -> Floats:
        """What the kernel sees: (n, columns)."""
        rows = (squashed(_columns(self.columns, names, values)) - self.centre) / self.spread
        return np.clip(rows, -self.limit, self.limit)

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
        require(
            own, {"points": (points, count), "amounts": (points,), "sides": (points,), "means": (points,)}
        )
        if (self.spread <= 0).any() or (self.heights < 0).any() or not points or not self.limit[0] > 0:
            raise ValueError("spreads and heights are positive, and there is a training network")
        if any(not ((each >= 0) & (each < groups)).all() for each in (self.group, self.faded)):
            raise ValueError("every column is of one of the groups")
        if set(self.pool.tolist()) != set(range(len(self.reach))) or (self.reach <= 0).any():
            raise ValueError("every training network is of a population, and every population has some")


_ARRAYS = tuple(field.name for field in fields(KernelHead) if not field.name.endswith("columns"))


def group_names(count: int) -> tuple[str, ...]:
    """What people call so many groups: the files that there are have `GROUPS`, in this order."""
    return GROUPS if count == len(GROUPS) else tuple(f"group {place + 1}" for place in range(count))


def weight_of(sides: Floats) -> Floats:
    """(n,) how much the faded groups count at these sides: from 1 at `FULL` to 0 at `GONE`, linear in the logarithm."""
    return np.asarray(np.clip(np.log(GONE / np.maximum(sides, 1)) / np.log(GONE / FULL), 0, 1))


def alikeness(rows: Floats, points: Floats) -> Floats:
    """exp(−‖x − p‖²) of every row with every point, (n, m)."""
    squares = (rows**2).sum(1)[:, None] + (points**2).sum(1) - 2 * rows @ points.T
    return np.asarray(np.exp(-np.maximum(squares, 0)))


def _sides(names: Sequence[str], values: Floats) -> Floats:
    return np.asarray(np.exp(_columns((SIDE,), names, values)[:, 0]))


def _columns(wanted: Sequence[str], names: Sequence[str], values: Floats) -> Floats:
    places = {name: place for place, name in enumerate(names)}
    return values[:, [places[name] for name in wanted]]
