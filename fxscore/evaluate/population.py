"""Networks with labels, each network once: what scores are measured on."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from fxscore.aligned import Aligned
from fxscore.errors import SpaceError
from fxscore.evaluate.coefficients import Floats
from fxscore.spaces import BenchmarkTable, get_space
from fxscore.types import ModelRef

LIBRARIES = ("timm", "torchvision")  # their genotypes are architecture names


@dataclass(frozen=True, eq=False)
class Population(Aligned):
    """Networks and what somebody measured of them.

    Attributes:
        name: what reports call it.
        refs: the networks, each once.
        labels: (n,) values by label; more is better.
        families: networks of one name resemble each other; None where nothing is known of that.
        caution: what must be said beside every figure.
    """

    ALIGNED: ClassVar = ("refs", "labels", "families")

    name: str
    refs: tuple[ModelRef, ...]
    labels: Mapping[str, Floats]
    families: tuple[str, ...] | None = None
    caution: str = ""

    @classmethod
    def of_table(
        cls, table: BenchmarkTable[Any], *, source: str | None = None, families: Sequence[str] | None = None
    ) -> Population:
        """The networks of a table in order of appearance; rows of one group are one network, their labels' mean.

        Args:
            table: the benchmark.
            source: of the references, where it is not the table's space.
            families: one name per row.
        """
        members = group_rows(table)
        first = [rows[0] for rows in members]
        return cls(
            table.space,
            tuple(refs_of(table, first, source=source)),
            {
                name: np.array([values[rows].mean() for rows in members])
                for name, values in table.columns.items()
            },
            None if families is None else tuple(families[row] for row in first),
            table.caution,
        )

    def label(self, name: str) -> Floats:
        """One label's values; raises `SpaceError` with the labels that there are."""
        if name not in self.labels:
            raise SpaceError(f"{self.name}: no label {name!r}; there are {', '.join(self.labels) or 'none'}")
        return self.labels[name]

    @property
    def test_labels(self) -> tuple[str, ...]:
        """The labels of a test set, or all where none is called so."""
        tests = tuple(name for name in self.labels if name.endswith(".test"))
        return tests or tuple(self.labels)

    def without_families(self, names: Collection[str]) -> Population:
        """The networks of all other families.

        Raises:
            SpaceError: a name that no network's family has; says which there are.
        """
        if not names:
            return self
        known = self.families or ()
        if unknown := sorted(set(names) - set(known)):
            there = ", ".join(sorted(set(known))) or "none, since it knows no families"
            raise SpaceError(f"{self.name}: no family {', '.join(unknown)}; there are {there}")
        return self.subset([row for row, name in enumerate(known) if name not in names])

    def draw(self, count: int, seed: int) -> Population:
        """`count` networks drawn without replacement, in the table's order; all where it is 0 or too many."""
        return self.subset(self.drawn(count, seed))

    def drawn(self, count: int, seed: int) -> list[int]:
        """The indices that `draw` takes."""
        if count <= 0 or count >= len(self):
            return list(range(len(self)))
        chosen = np.random.default_rng(seed).choice(len(self), count, replace=False)
        return sorted(chosen.tolist())

    def without(self, indices: frozenset[int]) -> Population:
        """All networks but those at `indices`."""
        return self.subset([row for row in range(len(self)) if row not in indices]) if indices else self


def group_rows(table: BenchmarkTable[Any]) -> list[list[int]]:
    """The rows of each network of a table, networks in order of appearance."""
    keys = table.group or tuple(str(row) for row in range(len(table)))
    rows: dict[str, list[int]] = {}
    for row, key in enumerate(keys):
        rows.setdefault(key, []).append(row)
    return list(rows.values())


def refs_of(
    table: BenchmarkTable[Any], indices: Sequence[int] | None = None, *, source: str | None = None
) -> list[ModelRef]:
    """References to the networks in a table's rows."""
    rows = range(len(table)) if indices is None else indices
    text = str if table.space in LIBRARIES else get_space(source or table.space).format
    return [ModelRef.parse(f"{source or table.space}:{text(table.genotypes[row])}") for row in rows]
