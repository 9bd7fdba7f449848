"""Learning curves (Figure 5 of the paper): a figure by training step or by number of training networks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import t as student

from fxscore.evaluate.estimates import Estimate


@dataclass(frozen=True)
class Point:
    """One x of a curve: the mean over runs and its interval, and the number of runs."""

    x: float
    estimate: Estimate
    runs: int


@dataclass(frozen=True)
class LearningCurve:
    """A named curve; `axis` says what x is."""

    name: str
    axis: str
    points: tuple[Point, ...]


def mean_over_runs(values: Sequence[float], confidence: float = 0.95) -> Estimate:
    """The mean over seeds, with Student's interval where there are two runs or more."""
    mean = float(np.mean(values))
    if len(values) < 2:
        return Estimate(mean)
    spread = float(np.std(values, ddof=1)) / len(values) ** 0.5
    reach = float(student.ppf((1 + confidence) / 2, len(values) - 1)) * spread
    return Estimate(mean, mean - reach, mean + reach)


def learning_curve(
    name: str, axis: str, runs: Sequence[Mapping[float, float]], confidence: float = 0.95
) -> LearningCurve:
    """The mean curve of several runs, each a mapping from x to the figure; an x may be missing in some."""
    points = []
    for x in sorted({x for run in runs for x in run}):
        values = [run[x] for run in runs if x in run]
        points.append(Point(x, mean_over_runs(values, confidence), len(values)))
    return LearningCurve(name, axis, tuple(points))


def validation_curve(name: str, history: Sequence[Mapping[str, float]]) -> LearningCurve:
    """ρ on the validation part by training step, from the history in a scorer's training record."""
    measured = {row["step"]: row["validation"] for row in history if "validation" in row}
    return learning_curve(name, "training step", [measured])
