"""A drawing of a found network in the manner of the paper's Figure 6: a chain of blocks from input to output.

The width of a box grows with its channels, the bar beside it is its share of the parameters, and the line between
boxes says where the resolution changes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch

from fxscore.report import numbers
from fxscore.report.plots import new_figure, save
from fxscore.report.search.boxes import Box, network_boxes
from fxscore.searching.evaluation import Evaluation
from fxscore.searching.goals import SCORE
from fxscore.searching.result import SearchResult

_PALETTE = ("#4e79a7", "#f28e2b", "#59a14f", "#b07aa1", "#edc948", "#76b7b2", "#e15759", "#9c755f")
_PLAIN = {"stem": "#bab0ac", "tail": "#bab0ac", "head": "#d7d2cf", "Linear": "#d7d2cf"}
_BAR = 2.0  # where the bars of parameters begin, and how long the longest is


def draw_network(result: SearchResult, evaluation: Evaluation, path: Path) -> None:
    """Draw one network of a search.

    Args:
        result: the search.
        evaluation: the network.
        path: the picture; its ending decides the format.

    Raises:
        ValueError: the ending is no picture's.
    """
    boxes = network_boxes(result, evaluation)
    figure = new_figure(7.5, 1.2 + 0.42 * len(boxes))
    axes = figure.add_subplot()
    draw_boxes(axes, boxes)
    score, params = evaluation.values[SCORE], evaluation.values["params"]
    axes.set_title(
        f"{result.space.name}: score {numbers.score(score)}, {numbers.count(params)} parameters", fontsize=9
    )
    save(figure, path)


def draw_boxes(axes: Axes, boxes: Sequence[Box]) -> None:
    """Draw the boxes from top to bottom into axes."""
    kinds = list(dict.fromkeys(box.kind for box in boxes if box.kind not in _PLAIN))
    colours = {kind: _PALETTE[index % len(_PALETTE)] for index, kind in enumerate(kinds)} | _PLAIN
    widest = max(math.log2(box.channels + 1) for box in boxes)
    total = sum(box.params for box in boxes) or 1
    for place, box in enumerate(boxes):
        width = 1.1 + 1.9 * math.log2(box.channels + 1) / widest
        _draw_box(axes, -place, width, colours[box.kind], box)
        _draw_share(axes, -place, box.params / total)
        if place:
            _draw_arrow(axes, -place, boxes[place - 1].side, box.side)
    axes.set_xlim(-1.9, 2 * _BAR + 1.1)
    axes.set_ylim(-len(boxes) + 0.3, 0.7)
    axes.axis("off")


def _draw_box(axes: Axes, y: float, width: float, colour: str, box: Box) -> None:
    shape = FancyBboxPatch(
        (-width / 2, y - 0.27),
        width,
        0.54,
        boxstyle="round,pad=0.02",
        fc=colour,
        ec="black",
        lw=0.6,
        alpha=0.85,
    )
    axes.add_patch(shape)
    axes.text(0, y + 0.1, box.label, ha="center", va="center", fontsize=7, weight="bold")
    axes.text(0, y - 0.13, box.detail, ha="center", va="center", fontsize=6)


def _draw_share(axes: Axes, y: float, share: float) -> None:
    axes.barh(y, share * _BAR, height=0.3, left=_BAR, color="#888888")
    axes.text(_BAR + share * _BAR + 0.05, y, f"{100 * share:.1f} %", va="center", fontsize=6)


def _draw_arrow(axes: Axes, y: float, before: int, after: int) -> None:
    arrow = {"arrowstyle": "-|>", "lw": 0.8, "shrinkA": 0, "shrinkB": 0}
    axes.annotate("", (0, y + 0.29), (0, y + 0.71), arrowprops=arrow)
    if before != after:
        axes.text(0.08, y + 0.5, f"{before}² → {after}²", fontsize=6, va="center")
