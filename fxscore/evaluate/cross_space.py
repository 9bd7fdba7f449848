"""Matrices of scorers: across spaces (Tables I and II of the paper), and scorer against scorer (III and IV)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Literal

import numpy as np

from fxscore.evaluate.coefficients import UNDEFINED, Floats, spearman
from fxscore.evaluate.comparison import ScorerComparison
from fxscore.evaluate.estimates import Estimate

Mark = Literal["", "bold", "underline"]


@dataclass(frozen=True)
class CrossSpace:
    """Rows are where a scorer is tested, columns are scorers, in the paper's form.

    A learned scorer's cell is bold where it outperforms all handcrafted ones of the row, underlined where it
    outperforms two of them or more; a cell of a space that the scorer was trained on is not marked, nor is a
    handcrafted one.

    Attributes:
        rows: test populations.
        learned: learned scorers.
        handcrafted: handcrafted scorers.
        cells: ρ with its interval, by (row, scorer); a missing one was not measured.
        counts: networks behind a cell.
        trained: the rows whose space a learned scorer was trained on.
    """

    rows: tuple[str, ...]
    learned: tuple[str, ...]
    handcrafted: tuple[str, ...]
    cells: Mapping[tuple[str, str], Estimate]
    counts: Mapping[tuple[str, str], int] = field(default_factory=dict)
    trained: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def value(self, row: str, scorer: str) -> float | None:
        """The ρ of a cell; None where it was not measured or is undefined."""
        cell = self.cells.get((row, scorer))
        return None if cell is None else cell.value

    def mark(self, row: str, scorer: str) -> Mark:
        """The paper's mark of a cell."""
        own = self.value(row, scorer)
        if scorer not in self.learned or own is None or row in self.trained.get(scorer, ()):
            return ""
        others = [value for name in self.handcrafted if (value := self.value(row, name)) is not None]
        beaten = sum(own > value for value in others)
        if others and beaten == len(others):
            return "bold"
        return "underline" if beaten >= 2 else ""

    @property
    def negative(self) -> list[tuple[str, str]]:
        """Cells of learned scorers below zero, in spaces that they were not trained on."""
        pairs = product(self.rows, self.learned)
        return [
            (row, scorer)
            for row, scorer in pairs
            if row not in self.trained.get(scorer, ()) and (self.value(row, scorer) or 0) < 0
        ]

    @classmethod
    def of(
        cls,
        comparisons: Mapping[str, ScorerComparison],
        learned: Sequence[str],
        handcrafted: Sequence[str],
        trained: Mapping[str, frozenset[str]],
    ) -> CrossSpace:
        """The matrix of comparisons, by their row's name, each on its first label."""
        found = [
            (row, each)
            for row, comparison in comparisons.items()
            for each in comparison.evaluations
            if each.label == next(iter(comparison.labels))
        ]
        return cls(
            tuple(comparisons),
            tuple(learned),
            tuple(handcrafted),
            {(row, each.scorer): each.agreement.figures["spearman"] for row, each in found},
            {(row, each.scorer): each.n for row, each in found},
            trained,
        )


@dataclass(frozen=True)
class ScoreMatrix:
    """Mean ρ between the scores of two scorers, over populations.

    Attributes:
        rows: scorers.
        columns: scorers.
        values: (rows, columns); NaN where no population defines it.
        populations: what the mean is taken over.
    """

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    values: Floats
    populations: tuple[str, ...]


def score_matrix(
    scores: Mapping[str, Mapping[str, Floats]], rows: Sequence[str], columns: Sequence[str]
) -> ScoreMatrix:
    """Scorer against scorer.

    Args:
        scores: by population, then by scorer: (n,) scores of the same networks; NaN where there is none.
        rows: scorers.
        columns: scorers.
    """
    means = [[_mean_correlation(scores, row, column) for column in columns] for row in rows]
    return ScoreMatrix(tuple(rows), tuple(columns), np.array(means), tuple(scores))


def _mean_correlation(scores: Mapping[str, Mapping[str, Floats]], one: str, other: str) -> float:
    found = [
        _correlation(known[one], known[other]) for known in scores.values() if {one, other} <= known.keys()
    ]
    defined = [value for value in found if np.isfinite(value)]
    return float(np.mean(defined)) if defined else float("nan")


def _correlation(one: Floats, other: Floats) -> float:
    both = np.isfinite(one) & np.isfinite(other)
    return spearman(one[both], other[both]) if both.sum() > 1 else UNDEFINED
