"""Results as plots in a notebook: what `plot()` of a ranking, a comparison, a search, an explanation or a fit draws."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib import pyplot
from matplotlib.axes import Axes

from fxscore.errors import UsageError
from fxscore.report.figure import dots, name_axis, name_of, prepare_axes
from fxscore.report.search.plots import draw_pareto
from fxscore.searching.result import SearchResult
from fxscore.tabular import Tabular
from fxscore.types import is_percentile

_NAMED = 12  # points that leave room for their names
_LONGEST = 28  # letters of a name
Row = Mapping[str, Any]


def plot_result(result: Tabular, axes: Axes | None = None) -> Axes:
    """A point for each row that has both of the result's `AXES`; new axes by default.

    Raises:
        UsageError: no row has both.
    """
    across, up = result.AXES
    known = [row for row in result.table() if row.get(across) is not None and row.get(up) is not None]
    if not known:
        raise UsageError(f"there is nothing to plot: no row has both {across} and {up}")
    if axes is None:
        axes = pyplot.subplots(layout="constrained")[1]
    if isinstance(result, SearchResult):
        draw_pareto(axes, result)
        return axes
    title = f"{name_of(up)} against {name_of(across)}"
    prepare_axes(axes, title[0].upper() + title[1:])
    _draw_groups(axes, known, across, up)
    name_axis(axes, across)
    name_axis(axes, up, "y")
    if _is_in_percent(result):
        axes.set_ylabel(f"{name_of(up)} (percentile)")
    _write_names(axes, known, across, up)
    return axes


def _is_in_percent(result: Tabular) -> bool:
    """Whether the scores of a ranking, or of the ranking of a comparison, are percentiles."""
    return is_percentile(getattr(getattr(result, "ranking", result), "judge", None))


def _draw_groups(axes: Axes, rows: Sequence[Row], across: str, up: str) -> None:
    """The points of each group of networks that compare in a colour of its own, and what they cannot be told from."""
    groups = dict.fromkeys(row.get("group") for row in rows)
    for group in groups:
        own = [row for row in rows if row.get("group") == group]
        x = [row[across] for row in own]
        drawn = axes.scatter(x, [row[up] for row in own], label=group, **dots(len(rows)))
        if all(row.get("low") is not None for row in own):
            low, high = ([row[end] for row in own] for end in ("low", "high"))
            axes.vlines(x, low, high, color=drawn.get_facecolor(), lw=1, alpha=0.3)
    if len(groups) > 1:
        axes.legend(fontsize=8)


def _write_names(axes: Axes, rows: Sequence[Row], across: str, up: str) -> None:
    """Few points have their names beside them."""
    if len(rows) > _NAMED:
        return
    axes.margins(x=0.15)
    for row in rows:
        name = str(next(iter(row.values()))).rsplit("/", 1)[-1]
        shown = name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…"
        axes.annotate(
            shown,
            (row[across], row[up]),
            xytext=(4, 3),
            textcoords="offset points",
            fontsize=7,
            parse_math=False,
        )
