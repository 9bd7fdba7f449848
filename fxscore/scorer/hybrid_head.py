"""The head of a hybrid scorer: from a network's features to a number.

Columns are squashed by SymLog(x) = sign(x)·ln(|x| + 1) where the head asks for it, standardised by the training
networks, and cut at ±LIMIT, so
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

from fxscore.scorer.kernel_head import KernelHead
from fxscore.scorer.neighbours import squashed
from fxscore.scorer.trees import Trees, require

Floats = NDArray[np.float64]
Arrays = dict[str, NDArray[Any]]
LIMIT = 4.0
PRIOR = "prior"
RECIPE = "recipe_"  # begins the columns that tell how a network was trained; 0 where they are not given


class Member(Protocol):
    """One fitted learner."""

    def predict(self, rows: Floats) -> Floats:
        """(n,) predictions for standardised rows (n, columns)."""
        ...

    def arrays(self) -> Arrays:
        """All that it has learned."""
        ...

    def check(self, columns: int) -> None:
        """Raise `ValueError` where it cannot predict rows of so many columns."""
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

    def check(self, columns: int) -> None:
        """As `Member.check`."""
        require(self.arrays(), {"weights": (columns,), "offset": (1,)})


@dataclass(frozen=True, eq=False)
class Radial:
    """Σ_i a_i exp(−‖s∘(x − v_i)‖²) + b: support vector regression; half precision is enough for the vectors."""

    vectors: NDArray[np.float16]
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

    def check(self, columns: int) -> None:
        """As `Member.check`."""
        count = len(self.vectors)
        require(self.arrays(), {"vectors": (count, columns), "amounts": (count,), "lengths": (columns,)})
        require(self.arrays(), {"offset": (1,)})


_KINDS = {"trees": Trees, "linear": Linear, "radial": Radial}


@dataclass(frozen=True, eq=False)
class Head:
    """Standardisation, members and their means.

    Attributes:
        columns: names of the features that are used; `PRIOR` is the raw score of `prior`.
        centre, spread: (columns,) of the features, squashed where `squash` says so.
        members: fitted learners by name.
        levels: (members, 3) mean and deviation of each member's predictions, and its weight in the mean.
        prior: the head on top of which this one was fitted.
        squash: whether features are squashed.
    """

    columns: tuple[str, ...]
    centre: Floats
    spread: Floats
    members: Mapping[str, Member]
    levels: Floats
    prior: AnyHead | None = None
    squash: bool = True

    def predict(self, names: Sequence[str], values: Floats) -> Floats:
        """Raw scores (n,) of networks with these features (n, names)."""
        return self.whole(self.parts(names, values))

    @property
    def part_names(self) -> tuple[str, ...]:
        """What the columns of `parts` are."""
        return tuple(self.members)

    def parts(self, names: Sequence[str], values: Floats) -> Floats:
        """(n, members) what each adds to the raw scores."""
        rows = self.standardised(names, values)
        terms = [
            weight * (member.predict(rows) - mean) / deviation
            for member, (mean, deviation, weight) in zip(self.members.values(), self.levels, strict=True)
        ]
        return np.asarray(np.stack(terms, 1) / self.levels[:, 2].sum())

    @staticmethod
    def whole(parts: Floats) -> Floats:
        """(n,) the raw scores of networks with these parts."""
        return np.asarray(parts.sum(1))

    def uses(self, names: Collection[str], side: int) -> bool:
        """Whether it, or what it builds upon, reads one of these features of networks of this larger input side."""
        return any(name in names for name in self.columns) or (
            self.prior is not None and self.prior.uses(names, side)
        )

    def standardised(self, names: Sequence[str], values: Floats) -> Floats:
        """What members see: (n, columns)."""
        chosen = choose(self.columns, names, values, self.prior, self.squash)
        return np.clip((chosen - self.centre) / self.spread, -LIMIT, LIMIT)

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
        members = [[name, kinds[type(member)]] for name, member in self.members.items()]  # in `levels`' order
        prior = None if self.prior is None else self.prior.describe()
        return {"columns": list(self.columns), "members": members, "prior": prior, "squash": self.squash}

    @classmethod
    def from_arrays(
        cls, about: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]], prefix: str = "head."
    ) -> Head:
        """The head of which `describe` and `arrays` were kept; raises `KeyError`, `TypeError` or `ValueError`."""
        own = {name: arrays[f"{prefix}{name}"] for name in ("centre", "spread", "levels")}
        members = {name: _member(kind, _under(f"{prefix}{name}.", arrays)) for name, kind in about["members"]}
        prior = about["prior"] and head_of(about["prior"], arrays, f"{prefix}below.")
        columns = tuple(about["columns"])
        if any(len(own[name]) != len(columns) for name in ("centre", "spread")) or len(own["levels"]) != len(
            members
        ):
            raise ValueError("columns, members and arrays differ in number")
        head = cls(columns, **own, members=members, prior=prior or None, squash=about["squash"])
        head.check()
        return head

    def check(self) -> None:
        """Raise `ValueError` where it could not predict, or not finitely."""
        count = len(self.columns)
        own = {"centre": self.centre, "spread": self.spread, "levels": self.levels}
        require(own, {"centre": (count,), "spread": (count,), "levels": (len(self.members), 3)})
        last = () if self.prior is None else (PRIOR,)
        if self.columns.count(PRIOR) != len(last) or self.columns[count - len(last) :] != last:
            raise ValueError("the column of the prior is the last one, where there is a prior")
        weights = self.levels[:, 2]
        if (
            (self.spread <= 0).any()
            or (self.levels[:, 1] <= 0).any()
            or (weights < 0).any()
            or not weights.max() > 0
        ):
            raise ValueError("spreads and weights are positive")
        for member in self.members.values():
            member.check(count)


AnyHead = Head | KernelHead


def head_of(about: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]], prefix: str = "head.") -> AnyHead:
    """The head that was kept, of either kind; raises `KeyError`, `TypeError` or `ValueError`."""
    if "small" in about:
        raise ValueError("it stands on the two heads of fxscore 0.1, which are no more; fit it again")
    kind = KernelHead if "prior_columns" in about else Head
    return kind.from_arrays(about, arrays, prefix)


def choose(
    columns: Sequence[str], names: Sequence[str], values: Floats, prior: AnyHead | None, squash: bool
) -> Floats:
    """The named columns, 0 for one of a recipe that is not given; raises `KeyError` for another that there is not."""
    places = {name: place for place, name in enumerate(names)}
    own = [name for name in columns if name != PRIOR]
    chosen = np.zeros((len(values), len(own)))
    for column, name in enumerate(own):
        if name in places or not name.startswith(RECIPE):
            chosen[:, column] = values[:, places[name]]
    parts = [chosen]
    if prior is not None:
        parts.append(prior.predict(names, values)[:, None])
    found = np.concatenate(parts, 1)
    return squashed(found) if squash else found


def _member(kind: str, arrays: Mapping[str, NDArray[Any]]) -> Member:
    return Trees.from_arrays(arrays) if kind == "trees" else _KINDS[kind](**arrays)


def _under(prefix: str, arrays: Mapping[str, NDArray[Any]]) -> Arrays:
    return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}
