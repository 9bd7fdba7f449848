"""A benchmark table: genotypes beside the accuracies that somebody trained them to."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import ClassVar, Generic, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fxscore.aligned import Aligned
from fxscore.errors import SpaceError

Floats = NDArray[np.float64]
G = TypeVar("G", bound=Hashable)


@dataclass(frozen=True, eq=False)
class BenchmarkTable(Aligned, Generic[G]):
    """Rows of a benchmark: one genotype and its labels each.

    Attributes:
        space: name of the search space.
        genotypes: one per row; a genotype may recur where the benchmark drew it more than once.
        columns: labels by `dataset.split` (`cifar100.valid`, `cifar100.test`); more is better.
            Accuracies are in percent.
        group: rows with one key are one network; split and rank by it. None where every row is its own.
        params: published numbers of learnable parameters (None where the file states none).
        flops: published multiply-accumulates of one image.
        proxies: published values of zero-cost proxies, by name.
        caution: what must be said beside every figure made from this table; empty where nothing need be.
    """

    ALIGNED: ClassVar = ("genotypes", "columns", "group", "params", "flops", "proxies")

    space: str
    genotypes: tuple[G, ...]
    columns: Mapping[str, Floats]
    group: tuple[str, ...] | None = None
    params: Floats | None = None
    flops: Floats | None = None
    proxies: Mapping[str, Floats] = field(default_factory=dict)
    caution: str = ""

    def __post_init__(self) -> None:
        set_field = object.__setattr__
        set_field(self, "columns", _frozen_columns(self.columns))
        set_field(self, "proxies", _frozen_columns(self.proxies))
        set_field(self, "params", None if self.params is None else _frozen(self.params))
        set_field(self, "flops", None if self.flops is None else _frozen(self.flops))
        for name, values in self._every_column().items():
            if len(values) != len(self):
                raise SpaceError(f"{self.space}: column {name} has {len(values)} rows, not {len(self)}")

    def _every_column(self) -> dict[str, Sequence[object] | Floats]:
        optional = {"group": self.group, "params": self.params, "flops": self.flops}
        given = {name: values for name, values in optional.items() if values is not None}
        return {**self.columns, **self.proxies, **given}

    def labels(self, name: str) -> Floats:
        """The label column `name`; raises `SpaceError` with the names that there are."""
        if name not in self.columns:
            known = ", ".join(self.columns) or "no labels at all"
            raise SpaceError(f"{self.space}: no label {name!r}; the table has {known}")
        return self.columns[name]


def _frozen_columns(columns: Mapping[str, ArrayLike]) -> Mapping[str, Floats]:
    return MappingProxyType({name: _frozen(values) for name, values in columns.items()})


def _frozen(values: ArrayLike) -> Floats:
    """A read-only copy: a frozen table must not change through its arrays."""
    copy: Floats = np.array(values, dtype=np.float64)
    copy.flags.writeable = False
    return copy
