"""Several scorers beside each other on the same networks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import compress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fxscore.errors import ScorerError
from fxscore.evaluate.coefficients import Floats, Ties
from fxscore.evaluate.estimates import Agreement, Measures, agreement
from fxscore.evaluate.population import Population
from fxscore.evaluate.scoring import scores_of
from fxscore.types import ScoreRecord

_ENOUGH = (
    0.5  # a scorer that fails on more of the networks is set aside, lest it decide what all are measured on
)


@dataclass(frozen=True)
class ScorerEvaluation:
    """One scorer on one label.

    Attributes:
        scorer: its name.
        label: what its scores are compared with.
        n: networks compared.
        agreement: the figures with their intervals.
        tied_scores: ties among its scores.
        tied_labels: ties among the labels.
    """

    scorer: str
    label: str
    n: int
    agreement: Agreement
    tied_scores: Ties
    tied_labels: Ties


@dataclass(frozen=True)
class ScorerComparison:
    """Scorers and labels on one population.

    Attributes:
        population: its name.
        n: networks that every scorer scored: all figures are of these.
        drawn: networks that were to be scored.
        measures: what was measured, and how.
        evaluations: scorer by scorer, label by label.
        scores: (n,) by scorer.
        labels: (n,) by label.
        failures: records without a score, by scorer.
        families: number of families that were resampled as wholes; 0 where networks were.
        notes: what must be said beside the figures.
        networks: (n,) their names.
        records: (n,) by scorer, of the same networks.
    """

    population: str
    n: int
    drawn: int
    measures: Measures
    evaluations: tuple[ScorerEvaluation, ...]
    scores: Mapping[str, Floats]
    labels: Mapping[str, Floats]
    failures: Mapping[str, tuple[ScoreRecord, ...]]
    families: int = 0
    notes: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()
    records: Mapping[str, tuple[ScoreRecord, ...]] = field(default_factory=dict, repr=False)


def compare_scorers(
    population: Population,
    records: Mapping[str, Sequence[ScoreRecord]],
    measures: Measures,
    labels: Sequence[str] = (),
    *,
    by_family: bool = True,
    notes: Sequence[str] = (),
) -> ScorerComparison:
    """Measure scorers on the networks that all of them scored.

    A scorer that fails on half of the networks or more is set aside, and a note says so.

    Args:
        population: the networks.
        records: by scorer, one record per network, in the population's order.
        measures: what and how.
        labels: all test labels by default.
        by_family: resample whole families, where the population has them.
        notes: kept with the result.

    Raises:
        ScorerError: fewer than two networks are left.
    """
    scores = {name: scores_of(found) for name, found in records.items()}
    used = {name: values for name, values in scores.items() if np.isfinite(values).mean() > _ENOUGH}
    common = np.all([np.isfinite(values) for values in used.values()], axis=0) if used else np.zeros(0, bool)
    _require_two(common, records)
    kept = population.subset(np.flatnonzero(common).tolist())
    families = kept.families if by_family else None
    wanted = {name: kept.label(name) for name in labels or kept.test_labels}
    left = {name: values[common] for name, values in used.items()}
    return ScorerComparison(
        population.name,
        len(kept),
        len(population),
        measures,
        tuple(_evaluations(left, wanted, measures, families)),
        left,
        wanted,
        {name: tuple(r for r in found if r.error is not None) for name, found in records.items()},
        len(set(families)) if families else 0,
        (*notes, *_notes(population, scores, used)),
        tuple(map(str, kept.refs)),
        {name: tuple(compress(records[name], common)) for name in used},
    )


def _evaluations(
    scores: Mapping[str, Floats],
    labels: Mapping[str, Floats],
    measures: Measures,
    families: Sequence[str] | None,
) -> list[ScorerEvaluation]:
    return [
        ScorerEvaluation(
            scorer,
            label,
            len(truth),
            agreement(values, truth, measures, families),
            Ties.of(values),
            Ties.of(truth),
        )
        for scorer, values in scores.items()
        for label, truth in labels.items()
    ]


def _require_two(common: NDArray[np.bool_], records: Mapping[str, Sequence[ScoreRecord]]) -> None:
    if common.sum() >= 2:
        return
    errors = [f"{r.ref}: {r.error}" for found in records.values() for r in found if r.error is not None]
    reason = f", such as {errors[0]}" if errors else ""
    raise ScorerError(f"fewer than two networks were scored by every scorer{reason}")


def _notes(population: Population, scores: Mapping[str, Floats], used: Mapping[str, Any]) -> list[str]:
    notes = [population.caution] if population.caution else []
    for name, values in scores.items():
        if name not in used:
            failed = int((~np.isfinite(values)).sum())
            notes.append(f"{name} is set aside: it failed on {failed} of {len(values)} networks")
    return notes
