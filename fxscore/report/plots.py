"""Evaluations, matrices and learning curves as PNG, SVG or PDF files, drawn without a display."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from scipy.stats import rankdata

from fxscore.evaluate import Comparison, CrossSpace, LearningCurve
from fxscore.evaluate.coefficients import Floats
from fxscore.report.evaluation_table import headline, ordered, value_text

FORMATS = (".png", ".svg", ".pdf")
_PANELS = 6  # scatter plots at most; the best of the first label


def plot_comparison(comparison: Comparison, path: Path) -> None:
    """ρ with intervals for every scorer and label, and the networks of the best scorers, rank against label.

    Args:
        comparison: what to draw.
        path: the picture; its ending decides the format.

    Raises:
        ValueError: the ending is none of `FORMATS`.
    """
    label = next(iter(comparison.labels))
    best = ordered(comparison, label)[:_PANELS]
    columns = min(3, len(best))
    rows = -(-len(best) // columns)
    height = 1 + 0.14 * _bars(comparison)
    figure = new_figure(3.5 * columns, height + 2.8 * rows)
    grid = figure.add_gridspec(rows + 1, columns, height_ratios=[height, *[2.8] * rows])
    _draw_intervals(figure.add_subplot(grid[0, :]), comparison)
    for index, evaluation in enumerate(best):
        axes = figure.add_subplot(grid[1 + index // columns, index % columns])
        ranks = rankdata(comparison.scores[evaluation.scorer]) - 1
        _draw_networks(axes, ranks, comparison.labels[label], evaluation.scorer, label)
    save(figure, path)


def plot_cross_space(matrix: CrossSpace, path: Path) -> None:
    """The matrix as a heat map; bold and underlined cells as in the table."""
    names = (*matrix.learned, *matrix.handcrafted)
    values = [[_or_nan(matrix.value(row, name)) for name in names] for row in matrix.rows]
    figure = new_figure(2.5 + 0.9 * len(names), 1.5 + 0.5 * len(matrix.rows))
    axes = figure.add_subplot()
    axes.imshow(np.array(values), cmap="RdBu", vmin=-1, vmax=1, aspect="auto")
    axes.set_xticks(range(len(names)), names, rotation=45, ha="right")
    axes.set_yticks(range(len(matrix.rows)), matrix.rows)
    for y, row in enumerate(matrix.rows):
        for x, name in enumerate(names):
            _write_cell(axes, x, y, value_text(matrix.value(row, name)), matrix.mark(row, name))
    axes.axvline(len(matrix.learned) - 0.5, color="black")
    axes.set_title("Spearman's ρ; rows: tested on, columns: scorers", fontsize=9)
    save(figure, path)


def plot_curves(curves: Sequence[LearningCurve], path: Path, figure_name: str = "Spearman's ρ") -> None:
    """Learning curves, with bands where there are intervals."""
    figure = new_figure(6, 4)
    axes = figure.add_subplot()
    for curve in curves:
        x = [point.x for point in curve.points]
        (line,) = axes.plot(
            x, [_or_nan(point.estimate.value) for point in curve.points], marker=".", label=curve.name
        )
        low, high = ([_or_nan(getattr(p.estimate, end)) for p in curve.points] for end in ("low", "high"))
        axes.fill_between(x, low, high, alpha=0.2, color=line.get_color())
    axes.set_xlabel(curves[0].axis)
    axes.set_ylabel(figure_name)
    axes.legend(fontsize=8)
    axes.grid(alpha=0.3)
    save(figure, path)


def _draw_intervals(axes: Axes, comparison: Comparison) -> None:
    scorers = list(dict.fromkeys(each.scorer for each in comparison.evaluations))
    labels = list(comparison.labels)
    for shift, label in enumerate(labels):
        for each in comparison.evaluations:
            estimate = each.agreement.figures["spearman"]
            if each.label == label and estimate.value is not None:
                y = scorers.index(each.scorer) * (len(labels) + 1) + shift
                ends = [estimate.value if end is None else end for end in (estimate.low, estimate.high)]
                axes.plot(ends, [y, y], color=f"C{shift}", lw=2)
                axes.plot(estimate.value, y, "o", color=f"C{shift}", ms=4)
        axes.plot([], [], "o-", color=f"C{shift}", label=label)
    middle = (len(labels) - 1) / 2
    axes.set_yticks([i * (len(labels) + 1) + middle for i in range(len(scorers))], scorers, fontsize=8)
    axes.tick_params(axis="x", labelsize=8)
    axes.invert_yaxis()
    axes.set_xlabel("Spearman's ρ")
    axes.grid(axis="x", alpha=0.3)
    axes.legend(fontsize=7, loc="center left", bbox_to_anchor=(1, 0.5))
    axes.set_title(headline(comparison), fontsize=8, wrap=True)


def _draw_networks(axes: Axes, ranks: Floats, values: Floats, scorer: str, label: str) -> None:
    axes.scatter(ranks, values, s=4, alpha=0.5, linewidths=0)
    axes.set_title(scorer, fontsize=8)
    axes.set_xlabel("rank by score, best last", fontsize=7)
    axes.set_ylabel(label, fontsize=7)
    axes.tick_params(labelsize=7)


def _write_cell(axes: Axes, x: int, y: int, text: str, mark: str) -> None:
    weight = "bold" if mark == "bold" else "normal"
    axes.text(x, y, text, ha="center", va="center", fontsize=8, weight=weight)
    if mark == "underline":
        axes.plot([x - 0.25, x + 0.25], [y + 0.28, y + 0.28], color="black", lw=0.8)


def _bars(comparison: Comparison) -> int:
    scorers = {each.scorer for each in comparison.evaluations}
    return len(scorers) * (len(comparison.labels) + 1)


def _or_nan(value: float | None) -> float:
    return float("nan") if value is None else value


def new_figure(width: float, height: float) -> Figure:
    """A figure of this size in inches, with a canvas that needs no display."""
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def save(figure: Figure, path: Path) -> None:
    """Write the figure; its path's ending decides the format; raises `ValueError` for one that is none of `FORMATS`."""
    if path.suffix.lower() not in FORMATS:
        raise ValueError(f"{path.name} is no picture that can be written; end it with {', '.join(FORMATS)}")
    figure.savefig(path, dpi=150)
