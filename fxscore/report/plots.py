"""Evaluations, matrices and learning curves as PNG, SVG or PDF files, drawn without a display."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fxscore.errors import UsageError
from fxscore.evaluate import CrossSpace, LearningCurve, ScorerComparison
from fxscore.evaluate.calibration import Calibration
from fxscore.evaluate.coefficients import Floats, spearman
from fxscore.evaluate.cross_space import ScoreMatrix
from fxscore.report.evaluation_table import headline, ordered, value_text
from fxscore.report.figure import (
    PALETTE,
    SIZES,
    dots,
    new_axes,
    new_figure,
    save,
    scale_sizes,
    spread_out,
    whole_numbers,
)
from fxscore.report.recorded import ScoredPopulation

_DARK = 0.7  # beyond this ρ a cell of a heat map is dark
_BINS = 30  # of a margin
_PANELS = 6  # scatter plots at most; the best of the first label


def plot_comparison(comparison: ScorerComparison, path: Path) -> None:
    """ρ with intervals for every scorer and label, and the networks of the best scorers, score against label.

    Args:
        comparison: what to draw.
        path: the picture; its ending decides the format.

    Raises:
        ValueError: the ending is none of `FORMATS`.
    """
    label = next(iter(comparison.labels))
    best = [each.scorer for each in ordered(comparison, label)[:_PANELS]]
    columns, rows = _layout(len(best))
    height = 1 + 0.14 * _bars(comparison)
    figure = new_figure(3.5 * columns, height + 2.8 * rows)
    parts = figure.add_gridspec(2, 1, height_ratios=[height, 2.8 * rows])
    _draw_intervals(figure.add_subplot(parts[0, 0]), comparison)
    grid = parts[1, 0].subgridspec(rows, columns)
    for place, name in enumerate(best):
        axes = figure.add_subplot(grid[place // columns, place % columns])
        _draw_networks(axes, comparison.scores[name], comparison.labels[label], name, label)
    save(figure, path)


def plot_scores(populations: Sequence[ScoredPopulation], path: Path) -> None:
    """Score against accuracy, with how both are spread on the margins: a panel for each scorer of each population.

    Args:
        populations: each by its first label.
        path: the picture; its ending decides the format.

    Raises:
        ValueError: the ending is none of `FORMATS`.
    """
    panels = [(each, name) for each in populations for name in each.scores]
    columns, rows = _layout(len(panels))
    figure = new_figure(4.2 * columns, 3.6 * rows)
    for place, (each, name) in enumerate(panels):
        label, values = next(iter(each.labels.items()))
        axes = figure.add_subplot(rows, columns, place + 1)
        about = f"{each.name}\n{name}: ρ {spearman(each.scores[name], values):.3f}, {len(values)} networks"
        _draw_networks(axes, each.scores[name], values, name, label, about)
    save(figure, path)


def _layout(panels: int) -> tuple[int, int]:
    """(columns, rows) of so many panels."""
    columns = min(3, panels)
    return columns, -(-panels // columns)


def plot_cross_space(matrix: CrossSpace, path: Path) -> None:
    """The matrix as a heat map; bold and underlined cells as in the table."""
    names = (*matrix.learned, *matrix.handcrafted)
    values = [[_or_nan(matrix.value(row, name)) for name in names] for row in matrix.rows]
    figure = new_figure(2.5 + 0.9 * len(names), 1.5 + 0.5 * len(matrix.rows))
    axes = _heat_map(figure, np.array(values), matrix.rows, names)
    for y, row in enumerate(matrix.rows):
        for x, name in enumerate(names):
            _write_cell(axes, x, y, matrix.value(row, name), matrix.mark(row, name))
    axes.axvline(len(matrix.learned) - 0.5, color="black")
    axes.set_title("Spearman's ρ; rows: tested on, columns: scorers", fontsize=9)
    save(figure, path)


def plot_score_matrix(matrix: ScoreMatrix, path: Path) -> None:
    """Scorer against scorer as a heat map: ρ of their scores, mean over the populations."""
    figure = new_figure(2.5 + 0.9 * len(matrix.columns), 1.5 + 0.5 * len(matrix.rows))
    axes = _heat_map(figure, matrix.values, matrix.rows, matrix.columns)
    for (y, x), value in np.ndenumerate(matrix.values):
        _write_cell(axes, x, y, None if np.isnan(value) else float(value))
    axes.set_title(
        f"Spearman's ρ of scorer with scorer, {', '.join(matrix.populations)}", fontsize=9, wrap=True
    )
    save(figure, path)


def plot_calibration(found: Calibration, path: Path) -> None:
    """Promised probabilities of pairs against what came true: bins with intervals and weights, and every origin."""
    figure = new_figure(5, 4.6)
    axes = new_axes(figure, f"Pairs of left-out networks, expected calibration error {found.error:.3f}")
    said, true = ([getattr(each, name) for each in found.bins] for name in ("promised", "true"))
    apart = [[max(0, each.true - each.low), max(0, each.high - each.true)] for each in found.bins]
    axes.axline((0.5, 0.5), slope=1, color="black", linewidth=1, linestyle="--", label="as promised")
    axes.errorbar(said, true, np.transpose(apart), fmt="none", color=PALETTE[0], capsize=3)
    sizes = [20 + 400 * each.weight for each in found.bins]
    axes.scatter(said, true, sizes, color=PALETTE[0], label="bins, by weight, with 95 % intervals", zorder=3)
    alone = ([getattr(each, name) for each in found.origins] for name in ("promised", "true"))
    axes.plot(*alone, "x", markersize=5, color=PALETTE[1], label="origins, all of their pairs")
    axes.set_xlabel("probability that the higher score is the better network's")
    axes.set_ylabel("share of pairs of which that came true")
    axes.set_xlim(0.5, 1)
    axes.legend(fontsize=8)
    save(figure, path)


def _heat_map(figure: Figure, values: Floats, rows: Sequence[str], columns: Sequence[str]) -> Axes:
    """ρ from red (−1) over white to blue (1)."""
    axes = figure.add_subplot()
    shown = axes.imshow(values, cmap="RdBu", vmin=-1, vmax=1, aspect="auto")
    axes.set_xticks(range(len(columns)), columns, rotation=45, ha="right")
    axes.set_yticks(range(len(rows)), rows)
    figure.colorbar(shown, ax=axes, label="Spearman's ρ")
    return axes


def plot_curves(curves: Sequence[LearningCurve], path: Path, figure_name: str = "Spearman's ρ") -> None:
    """Learning curves, with bands where there are intervals.

    Raises:
        UsageError: they do not share what x is.
    """
    axes_of = sorted({curve.axis for curve in curves})
    if len(axes_of) > 1:
        raise UsageError(f"these curves are by {' and by '.join(axes_of)}; draw those of one kind together")
    figure = new_figure(6, 4)
    axes = new_axes(figure, f"{figure_name} by {curves[0].axis}")
    for curve in curves:
        x = [point.x for point in curve.points]
        (line,) = axes.plot(
            x, [_or_nan(point.estimate.value) for point in curve.points], marker=".", label=curve.name
        )
        low, high = ([_or_nan(getattr(p.estimate, end)) for p in curve.points] for end in ("low", "high"))
        axes.fill_between(x, low, high, alpha=0.2, color=line.get_color())
    whole_numbers(axes)
    axes.set_xlabel(curves[0].axis)
    axes.set_ylabel(figure_name)
    axes.legend(fontsize=8)
    save(figure, path)


def _draw_intervals(axes: Axes, comparison: ScorerComparison) -> None:
    scorers = list(dict.fromkeys(each.scorer for each in comparison.evaluations))
    labels = list(comparison.labels)
    for shift, label in enumerate(labels):
        for each in comparison.evaluations:
            estimate = each.agreement.figures["spearman"]
            if each.label == label and estimate.value is not None:
                y = scorers.index(each.scorer) * (len(labels) + 1) + shift
                ends = [estimate.value if end is None else end for end in (estimate.low, estimate.high)]
                axes.plot(ends, [y, y], color=PALETTE[shift % len(PALETTE)], lw=2)
                axes.plot(estimate.value, y, "o", color=PALETTE[shift % len(PALETTE)], ms=4)
        axes.plot([], [], "o-", color=PALETTE[shift % len(PALETTE)], label=label)
    middle = (len(labels) - 1) / 2
    axes.set_yticks([i * (len(labels) + 1) + middle for i in range(len(scorers))], scorers, fontsize=8)
    axes.tick_params(axis="x", labelsize=8)
    axes.invert_yaxis()
    axes.set_xlabel("Spearman's ρ")
    axes.grid(axis="x", alpha=0.3)
    axes.legend(fontsize=7, loc="center left", bbox_to_anchor=(1, 0.5))
    axes.set_title(headline(comparison), fontsize=8, wrap=True)


def _draw_networks(
    axes: Axes, scores: Floats, values: Floats, scorer: str, label: str, title: str = ""
) -> None:
    """Networks by score and label, and how both are spread."""
    axes.scatter(scores, values, color=PALETTE[0], **dots(len(scores)))
    if scorer in SIZES and scores.min() > 0:
        scale_sizes(axes)
    else:
        spread_out(axes, scores)
    axes.set_xlabel(f"score: {SIZES.get(scorer, scorer)}", fontsize=7)
    axes.set_ylabel(label, fontsize=7)
    axes.tick_params(labelsize=7, which="both")
    above = axes.inset_axes((0, 1.01, 1, 0.12), sharex=axes)
    above.hist(scores, bins=_bins(axes, scores), color=PALETTE[0], alpha=0.5)
    above.set_title(title or scorer, fontsize=8)
    beside = axes.inset_axes((1.01, 0, 0.12, 1), sharey=axes)
    beside.hist(values, bins=_BINS, orientation="horizontal", color=PALETTE[0], alpha=0.5)
    for margin in (above, beside):
        margin.axis("off")


def _bins(axes: Axes, values: Floats) -> list[float]:
    """Edges that stand at equal distances on the scale of x."""
    scale = axes.xaxis.get_transform()
    first, last = scale.transform(np.array([values.min(), values.max()]))
    if first == last:
        return [float(values[0]) - 0.5, float(values[0]) + 0.5]
    return [float(edge) for edge in scale.inverted().transform(np.linspace(first, last, _BINS + 1))]


def _write_cell(axes: Axes, x: int, y: int, value: float | None, mark: str = "") -> None:
    weight = "bold" if mark == "bold" else "normal"
    ink = "white" if value is not None and abs(value) > _DARK else "black"
    axes.text(x, y, value_text(value), ha="center", va="center", fontsize=8, weight=weight, color=ink)
    if mark == "underline":
        axes.plot([x - 0.25, x + 0.25], [y + 0.28, y + 0.28], color=ink, lw=0.8)


def _bars(comparison: ScorerComparison) -> int:
    scorers = {each.scorer for each in comparison.evaluations}
    return len(scorers) * (len(comparison.labels) + 1)


def _or_nan(value: float | None) -> float:
    return float("nan") if value is None else value
