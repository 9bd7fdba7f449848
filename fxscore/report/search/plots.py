"""Plots of a search: the Pareto front and how the search came to it, drawn without a display."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from fxscore.report import numbers
from fxscore.report.figure import (
    PALETTE,
    dots,
    name_axis,
    name_of,
    new_axes,
    new_figure,
    prepare_axes,
    save,
    scorer_name,
    whole_numbers,
)
from fxscore.searching.evaluation import Evaluation
from fxscore.searching.goals import SCORE
from fxscore.searching.result import SearchRecord
from fxscore.types import is_percentile


def plot_pareto(
    result: SearchRecord, chosen: Evaluation | None, path: Path, *, title: str | None = None
) -> None:
    """Score against the first other objective, else parameters: all generations faintly, the front, the choice.

    Args:
        result: of a search with a feasible network.
        chosen: the network to mark.
        path: the picture; its ending decides the format.
        title: what stands before the names of the axes; that it is a search, and of which space, by default.

    Raises:
        ValueError: the ending is no picture's.
    """
    figure = new_figure(6.5, 4.5)
    draw_pareto(figure.add_subplot(), result, chosen, title=title)
    save(figure, path)


def draw_pareto(
    axes: Axes, result: SearchRecord, chosen: Evaluation | None = None, *, title: str | None = None
) -> None:
    """As `plot_pareto`, on these axes."""
    cost = next((each.name for each in result.objectives if each.name != SCORE), "params")
    prepare_axes(axes, f"{title or f'Search of {result.name}'}: score against {name_of(cost)}")
    name_axis(axes, cost)
    _draw_generations(axes, result, cost)
    front = sorted(result.front, key=lambda each: each.values[cost])
    axes.plot(*_points(front, cost), "o-", color="black", ms=4, lw=1, label=f"front ({len(front)})")
    if chosen is not None:
        axes.plot(*_points([chosen], cost), "*", color=PALETTE[1], ms=14, label="chosen")
    if (limit := result.settings["limits"].get(cost)) is not None:
        axes.axvline(limit, color="grey", ls="--", lw=0.8, label=f"limit, {numbers.count(limit)}")
    unit = " (percentile)" if is_percentile(getattr(result, "judge", None)) else ""
    axes.set_ylabel(f"score of {scorer_name(result.settings['scorer'])}{unit}")
    axes.legend(fontsize=8)


def _draw_generations(axes: Axes, result: SearchRecord, cost: str) -> None:
    """One colour a generation, from the first to the last; of a single one, no scale of colours."""
    feasible = [
        (number, each)
        for number, generation in enumerate(result.history)
        for each in generation
        if each.feasible
    ]
    x, y = _points([each for _, each in feasible], cost)
    if len(result.history) == 1:
        axes.scatter(x, y, color=PALETTE[0], **dots(len(x)))
        return
    shown = axes.scatter(x, y, c=[number for number, _ in feasible], cmap="viridis", **dots(len(x)))
    axes.figure.colorbar(shown, ax=axes, label="generation", ticks=MaxNLocator(integer=True))


def _points(evaluations: list[Evaluation], cost: str) -> tuple[list[float], list[float]]:
    return [each.values[cost] for each in evaluations], [each.values[SCORE] for each in evaluations]


def plot_convergence(runs: Mapping[str, SearchRecord], path: Path) -> None:
    """The highest score so far against the number of networks scored, one line a run."""
    figure = new_figure(6, 4)
    axes = new_axes(figure, "Highest score found so far")
    for name, result in runs.items():
        points = [(x, y) for x, y in result.best_so_far() if y > float("-inf")]
        axes.step([x for x, _ in points], [y for _, y in points], where="post", label=name)
    whole_numbers(axes)
    axes.set_xlabel("networks scored")
    axes.set_ylabel("highest score so far")
    axes.legend(fontsize=8)
    save(figure, path)
