"""What the files of trained scorers say about their making."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fxscore.evaluate.tables import TABLE_FILES
from fxscore.provenance import file_sha256, provenance
from fxscore.scorer.ensemble import Ensemble
from fxscore.train.data import TABLES, CellSet
from fxscore.train.measured import UnseenFigures
from fxscore.train.plan import TrainingPlan

_PACKAGES = ("fxscore", "torch", "numpy", "torchsort")


def training_record(
    plan: TrainingPlan,
    data: Path,
    training: Sequence[CellSet],
    measured: Sequence[UnseenFigures],
    history: Sequence[Mapping[str, float]],
) -> dict[str, Any]:
    """What a scorer's file says about its making."""
    drawn = [
        f"{len(cells)} cells of {space}, {plan.labels.get(space) or TABLES[space].train_label}"
        + (f" ({cells.caution})" if cells.caution else "")
        for space, cells in zip(plan.spaces, training, strict=True)
    ]
    return {
        "trained_on": "; ".join(drawn),
        "measured": [each.line for each in measured],
        "caution": f"It has seen networks of {', '.join(plan.spaces)} alone, at one size of images: others, and other "
        "sizes, it may rank worse than their parameters do.",
        **table_provenance(plan, data),
        "history": list(history),
    }


def ensemble_record(
    plan: TrainingPlan,
    data: Path,
    ensemble: Ensemble,
    cells: Mapping[str, CellSet],
    fitted: float,
    measured: Sequence[UnseenFigures],
) -> dict[str, Any]:
    """What an ensemble's file says about its making and that of its members."""
    members = [
        {"name": member.name, "record": {k: v for k, v in member.record.items() if k != "history"}}
        for member in ensemble.members
    ]
    where = ", ".join(f"{len(chosen)} of {space}" for space, chosen in cells.items())
    return {
        "trained_on": f"{len(members)} members; weights found on cells: {where}",
        "measured": [each.line for each in measured],
        "fitted_mean_spearman": round(fitted, 4),
        **table_provenance(plan, data),
        "members": members,
    }


def table_provenance(plan: TrainingPlan, data: Path) -> dict[str, Any]:
    """The plan, its tables and the versions behind a scorer's file."""
    tables = {name: file_sha256(data / name) for name in (TABLE_FILES[space] for space in plan.spaces)}
    return {"plan": plan.as_dict(), "tables": tables, **provenance(_PACKAGES)}
