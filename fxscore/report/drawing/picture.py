"""A diagram as a figure: blocks from input to output, with their widths and shares to scale.

Within a block, the bar on its upper edge is its channels, the two on its lower edge its shares of all parameters and of
all MACs; a bar as long as the block is the widest layer, or everything.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch, PathPatch, Rectangle
from matplotlib.path import Path as Curve

from fxscore.report import numbers
from fxscore.report.drawing.captions import FAMILIES
from fxscore.report.drawing.diagram import Block, Diagram, Frame
from fxscore.report.drawing.layout import Layout, Point, lay_out
from fxscore.report.figure import new_figure

_WIDTH, _HEIGHT, _GAP = 2.3, 0.66, 0.32  # of a block and between blocks, in inches
_BAR = 0.06
_PARAMS, _MACS, _CHANNELS = "#222222", "#888888", "#ee6677"
_FONT = 7.5
_FITS, _LONGEST = 32, 40  # letters of a title that fit into a block at this size, and smaller
_LINE = 0.14  # of the legend
_CAPTIONS = {"sum": "sum, product, concatenation", "attention": "attention, matrix product"}


def figure_of(diagram: Diagram) -> Figure:
    """The whole drawing; its size in inches fits the network's.

    Raises:
        MissingExtraError: the package that lays it out is not there.
    """
    layout = lay_out(diagram, _WIDTH, _HEIGHT, _GAP)
    xs = [x for x, _ in (*layout.blocks, *(point for edge in layout.edges for point in edge))]
    ys = [y for _, y in layout.blocks]
    left, right = min(xs) - _WIDTH / 2 - 0.4, max(xs) + _WIDTH / 2 + 0.7
    legend = _legend_of(diagram)
    low, high = min(ys) - _HEIGHT - _LINE * (1 + len(legend)), max(ys) + _HEIGHT + 0.35
    figure = new_figure(right - left, high - low)
    figure.set_layout_engine("none")
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_xlim(left, right)
    axes.set_ylim(low, high)
    axes.axis("off")
    _draw(axes, diagram, layout)
    _head(axes, diagram, high)
    _draw_legend(axes, legend, low)
    return figure


def _draw(axes: Axes, diagram: Diagram, layout: Layout) -> None:
    for frame in diagram.frames:
        _draw_frame(axes, _extent(frame, diagram, layout), frame.times)
    for edge, points in zip(diagram.edges, layout.edges, strict=True):
        _draw_edge(axes, points, ", ".join(edge.shapes), f"edge-{edge.source}-{edge.target}")
    widest = max(block.channels for block in diagram.blocks)
    for place, (block, centre) in enumerate(zip(diagram.blocks, layout.blocks, strict=True)):
        _draw_block(axes, centre, block, f"block-{place}")
        _draw_bars(axes, centre, block, diagram, widest)


def _draw_block(axes: Axes, centre: Point, block: Block, name: str) -> None:
    x, y = centre
    colour = FAMILIES.get(block.family, "white")
    box = FancyBboxPatch(
        (x - _WIDTH / 2, y - _HEIGHT / 2), _WIDTH, _HEIGHT, boxstyle="round,pad=0,rounding_size=0.04",
        fc=(*_rgb(colour), 0.28), ec=colour if block.family in FAMILIES else "black", lw=1.1, gid=name,
    )  # fmt: skip
    axes.add_patch(box)
    times = f"  ×{block.times}" if block.times > 1 else ""
    title = _short(block.title, _LONGEST - len(times)) + times
    size = _FONT * min(1, _FITS / len(title))
    axes.text(x, y + 0.14, title, ha="center", va="center", fontsize=size, weight="bold")
    axes.text(x, y, _short(block.detail, _LONGEST + 6), ha="center", va="center", fontsize=_FONT - 1)


def _draw_bars(axes: Axes, centre: Point, block: Block, diagram: Diagram, widest: int) -> None:
    x, y = centre[0] - _WIDTH / 2, centre[1]
    _bar(axes, x, y + _HEIGHT / 2 - _BAR, block.channels / widest, _CHANNELS)
    if block.family in ("input", "output"):
        return
    shares = (block.params / (diagram.params or 1), block.macs / (diagram.macs or 1))
    for row, (share, colour) in enumerate(zip(shares, (_PARAMS, _MACS), strict=True)):
        _bar(axes, x, y - _HEIGHT / 2 + (1 - row) * _BAR, share, colour)
    amounts = zip((block.params, block.macs), ("params", "MACs"), shares, strict=True)
    text = ", ".join(f"{numbers.count(n)} {unit} ({_percent(share)})" for n, unit, share in amounts if n)
    axes.text(centre[0], y - 0.12, text, ha="center", va="center", fontsize=_FONT - 1.7)


def _bar(axes: Axes, x: float, y: float, share: float, colour: str) -> None:
    axes.add_patch(Rectangle((x, y), _WIDTH * min(share, 1), _BAR, fc=colour, ec="none"))


def _draw_edge(axes: Axes, points: Sequence[Point], text: str, name: str) -> None:
    axes.add_patch(PathPatch(_curve(points), fc="none", ec="#444444", lw=0.8, gid=name))
    (x, y) = points[-1]
    axes.fill([x - 0.035, x + 0.035, x], [y + 0.08, y + 0.08, y], color="#444444", lw=0)
    x, y = points[len(points) // 2] if len(points) > 2 else _between(points[0], points[-1])
    behind = {"fc": "white", "ec": "none", "pad": 0.6, "alpha": 0.8}
    axes.text(x + 0.05, y, text, fontsize=_FONT - 1.7, va="center", color="#444444", bbox=behind)


def _between(first: Point, last: Point) -> Point:
    return (first[0] + last[0]) / 2, (first[1] + last[1]) / 2


def _curve(points: Sequence[Point]) -> Curve:
    """Bends that leave and enter blocks upright."""
    vertices, codes = [points[0]], [Curve.MOVETO]
    for (x0, y0), (x1, y1) in pairwise(points):
        half = (y0 + y1) / 2
        vertices += [(x0, half), (x1, half), (x1, y1)]
        codes += [Curve.CURVE4] * 3
    return Curve(vertices, codes)


def _extent(frame: Frame, diagram: Diagram, layout: Layout) -> tuple[float, float, float, float]:
    """(left, right, low, high) of the blocks of a frame and of the edges between them."""
    inside = set(frame.blocks)
    edges = zip(diagram.edges, layout.edges, strict=True)
    passed = [x for edge, points in edges if {edge.source, edge.target} <= inside for x, _ in points]
    xs = [x + side for x, _ in map(layout.blocks.__getitem__, inside) for side in (-_WIDTH / 2, _WIDTH / 2)]
    ys = [layout.blocks[place][1] for place in inside]
    return min(*xs, *passed), max(*xs, *passed), min(ys) - _HEIGHT / 2, max(ys) + _HEIGHT / 2


def _draw_frame(axes: Axes, extent: tuple[float, float, float, float], times: int) -> None:
    left, right, low, high = extent
    corner, size = (left - 0.12, low - 0.1), (right - left + 0.7, high - low + 0.2)
    axes.add_patch(Rectangle(corner, *size, fc="#f4f4f4", ec="#888888", ls="--", lw=0.8, zorder=0))
    axes.text(right + 0.52, high, f"×{times}", fontsize=_FONT + 3, weight="bold", va="top", ha="right")


def _head(axes: Axes, diagram: Diagram, high: float) -> None:
    text = f"{_short(diagram.name, 50)}\n{numbers.count(diagram.params)} parameters, {numbers.count(diagram.macs)} MACs"
    axes.text(
        sum(axes.get_xlim()) / 2, high - 0.08, text, ha="center", va="top", fontsize=_FONT + 1, weight="bold"
    )


def _legend_of(diagram: Diagram) -> list[tuple[str, str]]:
    """(colour, words): the bars, and the families of operators that there are."""
    bars = [
        (_CHANNELS, "channels, the widest fills the block"),
        (_PARAMS, "share of parameters" + ", of all n of ×n" * _has_copies(diagram)),
        (_MACS, "share of MACs" + ", of all n of ×n" * _has_copies(diagram)),
    ]
    shown = {block.family for block in diagram.blocks}
    return bars + [(colour, _CAPTIONS.get(name, name)) for name, colour in FAMILIES.items() if name in shown]


def _has_copies(diagram: Diagram) -> bool:
    return bool(diagram.frames) or any(block.times > 1 for block in diagram.blocks)


def _draw_legend(axes: Axes, rows: Sequence[tuple[str, str]], low: float) -> None:
    x = sum(axes.get_xlim()) / 2 - _WIDTH / 2
    for row, (colour, text) in enumerate(rows):
        y = low + _LINE * (len(rows) - row)
        axes.add_patch(Rectangle((x, y), 0.3, _BAR, fc=colour, ec="none"))
        axes.text(x + 0.36, y + _BAR / 2, text, fontsize=_FONT - 1, va="center")


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _short(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"


def _rgb(colour: str) -> tuple[float, float, float]:
    from matplotlib.colors import to_rgb

    return to_rgb(colour)
