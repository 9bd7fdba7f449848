"""The head of a hybrid scorer: from a network's features to a number.

Columns are squashed by SymLog(x) = sign(x)·ln(|x| + 1), standardised by the training networks, and cut at ±LIMIT, so
that a network of a size never seen before cannot run away with a linear member. Several members predict; each
prediction is standardised over the training networks, and the raw score is their weighted mean. A head that was fitted
on top of another one takes that one's raw score as a further column.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from fxscore.scorer.trees import Trees

Floats = NDArray[np.float64]
Arrays = dict[str, NDArray[Any]]
LIMIT = 4.0
PRIOR = "prior"


class Member(Protocol):
    """One fitted learner."""

    def predict(self, rows: Floats) -> Floats:
        """(n,) predictions for standardised rows (n, columns)."""
        ...

    def arrays(self) -> Arrays:
        """All that it has learned."""
        ...


@dataclass(frozen=True, eq=False)
class Linear:
    """w·x + b."""

    weights: Floats
    offset: Floats

    def predict(self, rows: Floats) -> Floats:
        """(n,)."""
        return np.asarray(rows @ self.weights + self.offset[0])

    def arrays(self) -> Arrays:
        """Weights (columns,) and offset (1,)."""
        return {"weights": self.weights, "offset": self.offset}


@dataclass(frozen=True, eq=False)
class Radial:
    """Σ_i a_i exp(−‖s∘(x − v_i)‖²) + b: kernel ridge, support vector regression and Gaussian processes."""

    vectors: NDArray[np.float32]
    amounts: Floats
    lengths: Floats
    offset: Floats

    def predict(self, rows: Floats) -> Floats:
        """(n,)."""
        scaled, vectors = rows * self.lengths, self.vectors * self.lengths
        squares = (scaled**2).sum(1)[:, None] + (vectors**2).sum(1) - 2 * scaled @ vectors.T
        return np.asarray(np.exp(-np.maximum(squares, 0)) @ self.amounts + self.offset[0])

    def arrays(self) -> Arrays:
        """Vectors (m, columns), amounts (m,), scales (columns,), offset (1,)."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


_KINDS = {"trees": Trees, "linear": Linear, "radial": Radial}


@dataclass(frozen=True, eq=False)
class Head:
    """Standardisation, members and their means.

    Attributes:
        columns: names of the features that are used; `PRIOR` is the raw score of `prior`.
        centre, spread: (columns,) of the squashed features.
        members: fitted learners by name.
        levels: (members, 3) mean and deviation of each member's predictions, and its weight in the mean.
        prior: the head on top of which this one was fitted.
    """

    columns: tuple[str, ...]
    centre: Floats
    spread: Floats
    members: Mapping[str, Member]
    levels: Floats
    prior: Head | None = None

    def predict(self, names: Sequence[str], values: Floats) -> Floats:
        """Raw scores (n,) of networks with these features (n, names)."""
        rows = self.standardised(names, values)
        total = np.zeros(len(rows))
        for member, (mean, deviation, weight) in zip(self.members.values(), self.levels, strict=True):
            total += weight * (member.predict(rows) - mean) / deviation
        return np.asarray(total / self.levels[:, 2].sum())

    def uses(self, names: Collection[str]) -> bool:
        """Whether this head or what it builds upon reads one of these features."""
        return any(name in names for name in self.columns) or (
            self.prior is not None and self.prior.uses(names)
        )

    def standardised(self, names: Sequence[str], values: Floats) -> Floats:
        """What members see: (n, columns)."""
        return np.clip((squashed(self._chosen(names, values)) - self.centre) / self.spread, -LIMIT, LIMIT)

    def _chosen(self, names: Sequence[str], values: Floats) -> Floats:
        return choose(self.columns, names, values, self.prior)

    def arrays(self, prefix: str = "head.") -> Arrays:
        """All learned numbers by name."""
        found: Arrays = {f"{prefix}{name}": getattr(self, name) for name in ("centre", "spread", "levels")}
        for name, member in self.members.items():
            found |= {f"{prefix}{name}.{key}": array for key, array in member.arrays().items()}
        if self.prior is not None:
            found |= self.prior.arrays(f"{prefix}below.")
        return found

    def describe(self) -> dict[str, Any]:
        """What `from_arrays` needs beside the arrays, JSON-ready."""
        kinds = {kind: name for name, kind in _KINDS.items()}
        members = {name: kinds[type(member)] for name, member in self.members.items()}
        prior = None if self.prior is None else self.prior.describe()
        return {"columns": list(self.columns), "members": members, "prior": prior}

    @classmethod
    def from_arrays(
        cls, about: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]], prefix: str = "head."
    ) -> Head:
        """The head of which `describe` and `arrays` were kept; raises `KeyError`, `TypeError` or `ValueError`."""
        own = {name: arrays[f"{prefix}{name}"] for name in ("centre", "spread", "levels")}
        members = {
            name: _member(kind, _under(f"{prefix}{name}.", arrays)) for name, kind in about["members"].items()
        }
        prior = about["prior"] and cls.from_arrays(about["prior"], arrays, f"{prefix}below.")
        columns = tuple(about["columns"])
        if any(len(own[name]) != len(columns) for name in ("centre", "spread")) or len(own["levels"]) != len(
            members
        ):
            raise ValueError("columns, members and arrays differ in number")
        return cls(columns, own["centre"], own["spread"], members, own["levels"], prior or None)


def choose(columns: Sequence[str], names: Sequence[str], values: Floats, prior: Head | None) -> Floats:
    """The named columns; raises `KeyError` for one that there is not."""
    places = {name: place for place, name in enumerate(names)}
    parts = [values[:, [places[name] for name in columns if name != PRIOR]]]
    if prior is not None:
        parts.append(prior.predict(names, values)[:, None])
    return np.concatenate(parts, 1)


def squashed(values: Floats) -> Floats:
    """SymLog."""
    return np.asarray(np.sign(values) * np.log1p(np.abs(values)))


def _member(kind: str, arrays: Mapping[str, NDArray[Any]]) -> Member:
    return Trees.from_arrays(arrays) if kind == "trees" else _KINDS[kind](**arrays)


def _under(prefix: str, arrays: Mapping[str, NDArray[Any]]) -> Arrays:
    return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}
