"""The score–representation transition (Figure 3 of the paper): the score as a heat map, networks as quivers over it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path as File

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes

from fxscore.evaluate.coefficients import Floats
from fxscore.evaluate.transition import Path, Plane, landscape
from fxscore.report.figure import new_figure, save


def plot_transition(
    paths: Sequence[Path], planes: Sequence[Plane], vectors: Floats, title: str, file: File
) -> None:
    """A panel for each map of the same paths.

    Args:
        paths: of networks, in the order of the legend.
        planes: the maps.
        vectors: (n, B) of the networks that the maps were made of; they set the extent.
        title: of the figure.
        file: the picture; its ending decides the format.

    Raises:
        ValueError: the ending is no picture's.
    """
    figure = new_figure(5.5 * len(planes) + 1.5, 5)
    figure.suptitle(f"{title} (arrows), up to the whole network (dots)", fontsize=10)
    for place, plane in enumerate(planes):
        axes = figure.add_subplot(1, len(planes), place + 1)
        _draw_plane(axes, plane, paths, vectors)
    figure.legend(*axes.get_legend_handles_labels(), loc="outside right upper", fontsize=7)
    save(figure, file)


def _draw_plane(axes: Axes, plane: Plane, paths: Sequence[Path], vectors: Floats) -> None:
    points = [plane.points(path.vectors) for path in paths]
    x, y, scores = landscape(plane, np.concatenate([plane.points(vectors), *points]))
    shown = axes.pcolormesh(x, y, scores, cmap="cividis", shading="auto")
    axes.figure.colorbar(shown, ax=axes, label="score, before its percentile")
    colours = colormaps["plasma"](np.linspace(0, 1, len(paths)))
    for path, place, colour in zip(paths, points, colours, strict=True):
        steps = np.diff(place, axis=0)
        axes.quiver(
            place[:-1, 0], place[:-1, 1], steps[:, 0], steps[:, 1], color=colour, angles="xy", scale_units="xy",
            scale=1, width=0.004, label=path.name, edgecolor="black", linewidth=0.2,
        )  # fmt: skip
        # A network whose encodings hardly move has no arrow to be seen: its end is marked.
        axes.plot(*place[-1], "o", color=colour, ms=7, markeredgecolor="white", markeredgewidth=1)
    axes.set_title(plane.name, fontsize=9)
    axes.set_xlabel("first coordinate")
    axes.set_ylabel("second coordinate")
