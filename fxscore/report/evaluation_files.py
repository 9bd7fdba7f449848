"""Evaluations and matrices as JSON and CSV."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

from fxscore.evaluate import CrossSpace, ScorerComparison, ScorerEvaluation
from fxscore.evaluate.resampling import FIGURES


def comparison_json(*comparisons: ScorerComparison) -> str:
    """One object, or a list where there are several; undefined figures are ``null``."""
    contents = [_content(comparison) for comparison in comparisons]
    shown = contents[0] if len(contents) == 1 else contents
    return json.dumps(shown, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _content(comparison: ScorerComparison) -> dict[str, Any]:
    """What was compared, one object per scorer and label, the failures, the notes, and every network."""
    measures = comparison.measures
    return {
        "population": comparison.population,
        "n": comparison.n,
        "drawn": comparison.drawn,
        "families": comparison.families or None,
        "resamples": measures.resamples,
        "confidence": measures.confidence,
        "seed": measures.seed,
        "top": measures.top,
        "picks": measures.picks,
        "evaluations": [_flat(each) for each in comparison.evaluations],
        "failures": [
            {"scorer": scorer, "name": str(record.ref), "error": record.error}
            for scorer, failed in comparison.failures.items()
            for record in failed
        ],
        "notes": list(comparison.notes),
        "networks": [_network(comparison, place, name) for place, name in enumerate(comparison.networks)],
    }


def _network(comparison: ScorerComparison, place: int, name: str) -> dict[str, Any]:
    """What one network scored, and what was measured of it."""
    scores, labels = (
        {key: float(values[place]) for key, values in each.items()}
        for each in (comparison.scores, comparison.labels)
    )
    return {"name": name, "scores": scores, "labels": labels}


def comparison_csv(*comparisons: ScorerComparison) -> str:
    """One line per population, scorer and label; what is undefined is empty."""
    return _csv([{"population": c.population, **_flat(each)} for c in comparisons for each in c.evaluations])


def cross_space_csv(matrix: CrossSpace) -> str:
    """One line per cell of the matrix: row, scorer, ρ with interval, n, mark."""
    return _csv(
        [
            {
                "tested_on": row,
                "scorer": scorer,
                "kind": "learned" if scorer in matrix.learned else "handcrafted",
                "trained_there": row in matrix.trained.get(scorer, ()),
                "spearman": cell.value,
                "low": cell.low,
                "high": cell.high,
                "n": matrix.counts.get((row, scorer)),
                "mark": matrix.mark(row, scorer),
            }
            for (row, scorer), cell in matrix.cells.items()
        ]
    )


def _flat(evaluation: ScorerEvaluation) -> dict[str, Any]:
    row: dict[str, Any] = {"scorer": evaluation.scorer, "label": evaluation.label, "n": evaluation.n}
    for name in FIGURES:
        estimate = evaluation.agreement.figures[name]
        row |= {name: estimate.value, f"{name}_low": estimate.low, f"{name}_high": estimate.high}
    for name, ties in (("scores", evaluation.tied_scores), ("labels", evaluation.tied_labels)):
        row |= {f"tied_{name}": ties.tied, f"tied_{name}_share": ties.share, f"distinct_{name}": ties.levels}
    return row


def _csv(rows: list[dict[str, Any]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]) if rows else [], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
