"""How far a network is from those of training, and which of them are its nearest.

Rows of features are standardised as a head does it; the distance of two is the root of the mean square of their
difference. What is far is said by the training networks themselves: `reach` holds the distance to the next one that 95
of 100 of them have at most, and the one that the loneliest has. Both are mapped to one scale: 1 at the first, 2 at the
second, linear between and beyond.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fxscore.scorer.measured import Networks
from fxscore.scorer.trees import require

Floats = NDArray[np.float64]
LIMIT = 4.0  # standardised features are cut here, so that one wild column does not decide alone
_INSIDE = 0.95
_BLOCK = 512  # points that are compared with all others at once


@dataclass(frozen=True, eq=False)
class Neighbours:
    """The networks of a training, as points.

    Attributes:
        columns: names of the features.
        centre, spread: (columns,) of the features, squashed where `squash` says so.
        points: (n, columns) standardised rows, in half precision; no two are equal.
        reach: (2,) distances, in units of the points, at which a network is no longer inside, and is outside.
        networks: who they are; without names where the file has none.
        squash: whether features are squashed by SymLog before they are standardised.
    """

    columns: tuple[str, ...]
    centre: Floats
    spread: Floats
    points: NDArray[np.float16]
    reach: Floats
    networks: Networks = field(default_factory=Networks)
    squash: bool = False

    def __post_init__(self) -> None:
        """Raise `ValueError` where the parts do not fit each other."""
        count = len(self.points)
        wide = (len(self.columns),)
        require(self._parts, {"centre": wide, "spread": wide, "points": (count, *wide), "reach": (2,)})
        if not count or (self.spread <= 0).any() or not 0 < self.reach[0] < self.reach[1]:
            raise ValueError("neighbours are one at least, their spreads are positive and their reach rises")
        self.networks.check(count)

    @property
    def _parts(self) -> dict[str, NDArray[Any]]:
        return {name: getattr(self, name) for name in ("centre", "spread", "points", "reach")}

    @classmethod
    def of(
        cls,
        columns: Sequence[str],
        rows: Floats,
        *,
        networks: Networks | None = None,
        squash: bool = False,
    ) -> Neighbours:
        """The points of training networks with these features, (n, columns); of equal ones the first."""
        values = squashed(rows) if squash else rows
        centre, spread = values.mean(0), np.maximum(values.std(0), 1e-6)
        return cls.at(columns, centre, spread, _cut((values - centre) / spread), networks, squash=squash)

    @classmethod
    def at(
        cls,
        columns: Sequence[str],
        centre: Floats,
        spread: Floats,
        rows: NDArray[np.float16],
        networks: Networks | None = None,
        *,
        squash: bool,
    ) -> Neighbours:
        """Those at standardised rows, (n, columns); of equal ones the first."""
        found = np.unique(rows.astype(np.float32), axis=0, return_index=True, return_inverse=True)
        points, first, place = found[0].astype(np.float16), found[1], found[2].reshape(-1)
        known = (networks or Networks()).merged(first, place)
        return cls(tuple(columns), centre, spread, points, reach_of(points), known, squash)

    def distance(self, names: Sequence[str], values: Floats) -> float:
        """How far a network with these features, (names,), is from the nearest point: 1 and 2 at the two reaches."""
        return self._scaled(float(self._apart(names, values).min()))

    def nearest(self, names: Sequence[str], values: Floats, count: int = 3) -> list[tuple[int, float]]:
        """The nearest points, nearest first: (place, distance)."""
        apart = self._apart(names, values)
        return [(int(place), self._scaled(float(apart[place]))) for place in np.argsort(apart)[:count]]

    def _apart(self, names: Sequence[str], values: Floats) -> Floats:
        places = {name: place for place, name in enumerate(names)}
        own = values[[places[name] for name in self.columns]]
        row = _cut(((squashed(own) if self.squash else own) - self.centre) / self.spread)
        return _distances(row.astype(np.float64), self._wide_points)

    @cached_property
    def _wide_points(self) -> Floats:
        """The points, kept from score to score: half precision is slow to read."""
        return self.points.astype(np.float64)

    def _scaled(self, apart: float) -> float:
        inside, outside = map(float, self.reach)
        return apart / inside if apart <= inside else 1 + (apart - inside) / (outside - inside)

    def describe(self) -> dict[str, Any]:
        """What `from_arrays` needs beside the arrays, JSON-ready."""
        return {"columns": list(self.columns), "squash": self.squash, **self.networks.describe()}

    def arrays(self, prefix: str) -> dict[str, NDArray[Any]]:
        """All numbers by name."""
        own = {f"{prefix}{name}": array for name, array in self._parts.items()}
        measured = self.networks.measured
        return own | (measured.arrays(f"{prefix}measured.") if measured.tasks else {})

    @classmethod
    def from_arrays(
        cls, about: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]], prefix: str
    ) -> Neighbours:
        """What `describe` and `arrays` were kept of; raises `KeyError`, `TypeError` or `ValueError`."""
        own = {name: arrays[f"{prefix}{name}"] for name in ("centre", "spread", "points", "reach")}
        networks = Networks.from_arrays(about, arrays, f"{prefix}measured.")
        return cls(tuple(about["columns"]), **own, networks=networks, squash=bool(about["squash"]))


def reach_of(points: NDArray[Any]) -> Floats:
    """(2,) distances to the next point: that of 95 of 100 points at most, and the largest; rising in any case."""
    lonely = _to_next(points.astype(np.float64)) if len(points) > 1 else np.ones(1)
    inside = max(float(np.quantile(lonely, _INSIDE)), 1e-6)
    return np.array([inside, max(float(lonely.max()), 1.5 * inside)])


def _to_next(points: Floats) -> Floats:
    """(n,) distance of each point to the nearest other one."""
    squares = (points**2).sum(1)
    found = []
    for start in range(0, len(points), _BLOCK):
        block = points[start : start + _BLOCK]
        apart = squares[start : start + _BLOCK, None] + squares - 2 * block @ points.T
        apart[np.arange(len(block)), np.arange(start, start + len(block))] = np.inf
        found.append(apart.min(1))
    return np.asarray(np.sqrt(np.maximum(np.concatenate(found), 0) / points.shape[1]))


def squashed(values: Floats) -> Floats:
    """SymLog."""
    return np.asarray(np.sign(values) * np.log1p(np.abs(values)))


def _cut(rows: Floats) -> NDArray[np.float16]:
    return np.clip(rows, -LIMIT, LIMIT).astype(np.float16)


def _distances(row: Floats, points: Floats) -> Floats:
    return np.asarray(np.sqrt(((points - row) ** 2).mean(1)))
