"""What all plots share: figures without a display, one palette, and axes with names, units and fitting ticks."""

from __future__ import annotations

from functools import partial
from math import floor, log10
from pathlib import Path
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from fxscore.evaluate.coefficients import Floats
from fxscore.report import numbers

Which = Literal["x", "y"]
FORMATS = (".png", ".svg", ".pdf")
PALETTE = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
"""Okabe and Ito's colours, which readers with every kind of colour vision tell apart."""
_SQUEEZED = 10  # ranges of the middle half
_FEW = 200  # points
_NARROW = 30  # times the least size
SIZES = {
    "params": "parameters",
    "macs": "multiply-accumulates of one image (MACs)",
    "flops": "floating-point operations of one image (FLOPs)",
    "activations": "activations",
}
_COUNTED = {
    "layers": "layers",
    "depth": "depth (layers)",
    "generation": "generation",
    "count": "times that the operator is called",
}
_NAMES = {
    "latency": "latency of one image (s)",
    "unseen score": "score, in no unit, by a fit that had not seen the network",
    "accuracy": "accuracy, as it was given",
}


def new_figure(width: float, height: float) -> Figure:
    """A figure of this size in inches, with a canvas that needs no display."""
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def new_axes(figure: Figure, title: str = "") -> Axes:
    """The only axes of a figure, with its title."""
    axes = figure.add_subplot()
    prepare_axes(axes, title)
    return axes


def prepare_axes(axes: Axes, title: str) -> None:
    """The palette, a title and a grid."""
    axes.set_prop_cycle(color=PALETTE)
    axes.set_title(title, fontsize=9, wrap=True)
    axes.grid(alpha=0.3)


def name_of(quantity: str) -> str:
    """A quantity's name with its unit."""
    return SIZES.get(quantity) or _COUNTED.get(quantity) or _NAMES.get(quantity, quantity)


def name_axis(axes: Axes, quantity: str, which: Which = "x") -> None:
    """X (or y) is this quantity: its name and unit, sizes on a logarithmic scale, what is counted on whole numbers."""
    axis = axis_of(axes, which)
    axis.set_label_text(name_of(quantity))
    if quantity in SIZES:
        scale_sizes(axes, which)
    elif quantity in _COUNTED:
        whole_numbers(axes, which)


def axis_of(axes: Axes, which: Which) -> Axis:
    """X or y of these axes."""
    return axes.xaxis if which == "x" else axes.yaxis


def scale_sizes(axes: Axes, which: Which = "x") -> None:
    """X (or y) is a size: a logarithmic scale, its ticks as people write counts."""
    axes.set(**{f"{which}scale": "log"})
    axis = axis_of(axes, which)
    axis.set_major_formatter(lambda value, _: numbers.count(value))
    axis.set_minor_formatter(partial(_between_powers, axis))


def _between_powers(axis: Axis, value: float, _: int | None) -> str:
    """The text of a tick between powers of ten: of 2 and 5 times one, where hardly a power is on the axis."""
    low, high = axis.get_view_interval()
    leading = round(value / 10 ** floor(log10(value)))
    return numbers.count(value) if high < _NARROW * low and leading in (2, 5) else ""


def dots(count: int) -> dict[str, Any]:
    """How so many points are drawn: each to be seen, or faintly, so that their density is."""
    few = count <= _FEW
    return {"s": 16 if few else 4, "alpha": 0.7 if few else 0.4, "linewidths": 0}


def spread_out(axes: Axes, values: Floats) -> None:
    """X shows these values, on a scale on which few extreme ones do not squeeze all others together."""
    low, high = np.quantile(values, (0.25, 0.75))
    if np.ptp(values) <= _SQUEEZED * (high - low):
        return
    if values.min() > 0:
        axes.set_xscale("log")
    else:
        axes.set_xscale("asinh", linear_width=float(np.median(np.abs(values))) or 1.0)


def whole_numbers(axes: Axes, which: Which = "x") -> None:
    """X (or y) counts something."""
    axis_of(axes, which).set_major_locator(MaxNLocator(integer=True))


def scorer_name(scorer_id: str) -> str:
    """``general@1f3c…`` is `general` to people: the digest is for stores."""
    return scorer_id.split("@")[0]


def save(figure: Figure, path: Path) -> None:
    """Write the figure; its path's ending decides the format; raises `ValueError` for one that is none of `FORMATS`."""
    if path.suffix.lower() not in FORMATS:
        raise ValueError(f"{path.name} is no picture that can be written; end it with {', '.join(FORMATS)}")
    figure.savefig(path, dpi=150)
