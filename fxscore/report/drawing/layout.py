"""Places of the blocks of a diagram: a layered layout (Sugiyama, Tagawa and Toda, 1981), from top to bottom.

`grandalf` does it: pure Python, one small package, while graphviz is a program that few machines have, and networkx
has no layered layout that keeps edges out of the blocks they pass.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from fxscore.extras import require
from fxscore.report.drawing.diagram import Diagram

Point = tuple[float, float]


@dataclass(frozen=True)
class Layout:
    """Centres of the blocks and the points that each edge passes, in inches; y grows upwards."""

    blocks: tuple[Point, ...]
    edges: tuple[tuple[Point, ...], ...]


def lay_out(diagram: Diagram, width: float, height: float, gap: float) -> Layout:
    """Place blocks of this size in inches, at least `gap` apart.

    Raises:
        MissingExtraError: grandalf is not there.
    """
    require("draw", "a drawing of a network")
    from grandalf.graphs import Edge, Graph, Vertex

    vertices = [Vertex(place) for place in range(len(diagram.blocks))]
    for vertex in vertices:
        vertex.view = _View(width, height)
    edges = [Edge(vertices[edge.source], vertices[edge.target]) for edge in diagram.edges]
    for edge in edges:
        edge.view = _Route()
    for component in Graph(vertices, edges).C:
        _place(component, gap)
    points = tuple((v.view.xy[0], -v.view.xy[1]) for v in vertices)
    middle = _middle(points)
    moved = tuple((x - middle, y) for x, y in points)
    return Layout(moved, tuple(tuple(_route(edge, middle, height)) for edge in edges))


class _View:
    """Size and place of a block, as grandalf reads and sets them."""

    def __init__(self, width: float, height: float) -> None:
        self.w, self.h = width, height
        self.xy: Point = (0.0, 0.0)


class _Route:
    """The points of an edge, as grandalf sets them."""

    def __init__(self) -> None:
        self.points: list[Point] = []

    def setpath(self, points: list[Point]) -> None:
        self.points = list(points)


def _place(component: Any, gap: float) -> None:
    from grandalf.layouts import SugiyamaLayout

    layout = SugiyamaLayout(component)
    layout.xspace, layout.yspace = gap, gap
    layout.init_all(optimize=True)
    layout.draw(10)  # sweeps against crossings


def _middle(points: tuple[Point, ...]) -> float:
    return (min(x for x, _ in points) + max(x for x, _ in points)) / 2


def _route(edge: Any, middle: float, height: float) -> Iterator[Point]:
    """From the lower side of one block to the upper side of the other."""
    (first, *between, last) = edge.view.points or [edge.v[0].view.xy, edge.v[1].view.xy]
    yield first[0] - middle, -first[1] - height / 2
    yield from ((x - middle, -y) for x, y in between)
    yield last[0] - middle, -last[1] + height / 2
