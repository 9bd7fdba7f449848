"""How well a scorer ranks cells that its training did not draw."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from fxscore.errors import TrainingError
from fxscore.evaluate import Measures, agreement, kendall, spearman
from fxscore.scorer.hybrid_head import Floats
from fxscore.train.data import TABLES, CellSet, load_cells, set_families_aside, split_cells
from fxscore.train.plan import TrainingPlan


@dataclass(frozen=True)
class UnseenFigures:
    """How well a scorer ranks cells that the run did not draw.

    Attributes:
        line: the figures, as a scorer's record holds them.
        scores: (n,) of these cells.
    """

    line: dict[str, Any]
    scores: Floats


def measure_all(
    score: Callable[[CellSet], Tensor], plan: TrainingPlan, data: Path, test: int
) -> list[UnseenFigures]:
    """On every space of the plan that has cells left."""
    found = (measure(score, plan, data, space, test) for space in plan.spaces)
    return [each for each in found if each is not None]


def split(plan: TrainingPlan, data: Path, space: str, label: str | None) -> tuple[CellSet, CellSet, CellSet]:
    """The cells that a plan trains on, validates on, and does not draw."""
    cells = load_cells(data, space, label, plan.settings)
    drawn = split_cells(cells, plan.cells, plan.validation, plan.seed)
    return set_families_aside(drawn, plan.without_families)


def measure(
    score: Callable[[CellSet], Tensor], plan: TrainingPlan, data: Path, space: str, test: int
) -> UnseenFigures | None:
    """Rank correlations with the test label on cells that the run did not draw, params and MACs beside them.

    None where fewer than two are left.

    The interval is that of ρ: 95 %, bootstrap over networks, 1000 resamples of seed 0.
    """
    label = TABLES[space].test_label
    rest = split(plan, data, space, label)[2]
    cells = rest.subset(rest.sample(test or len(rest), torch.Generator().manual_seed(plan.seed)))
    if len(cells) < 2:
        return None
    sizes = [
        size for index in range(len(cells)) if (size := cells[index].costs) is not None
    ]  # all are counted
    scores = score(cells).double().numpy()
    if not np.isfinite(scores).all():
        raise TrainingError(f"the scorer gives cells of {space} no finite score; lower the learning rate")
    accuracies = cells.accuracies.double().numpy()
    columns = {
        "": scores,
        "params_": np.array([float(size.params) for size in sizes]),
        "macs_": np.array([float(size.macs) for size in sizes]),
    }
    line: dict[str, Any] = {"on": f"cells of {space} that were not drawn, {label}", "n": len(cells)}
    if cells.caution:
        line["caution"] = cells.caution
    for name, values in columns.items():
        line[f"{name}spearman"] = round(spearman(values, accuracies, undefined=0.0), 4)
        line[f"{name}kendall"] = round(kendall(values, accuracies, undefined=0.0), 4)
    figure = agreement(scores, accuracies, Measures()).figures["spearman"]
    if figure.low is not None and figure.high is not None:
        line["interval"] = [round(figure.low, 4), round(figure.high, 4)]
    return UnseenFigures(line, scores)
