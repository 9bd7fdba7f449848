"""What all plots share: figures without a display, one palette, and axes with names, units and fitting ticks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from fxscore.evaluate.coefficients import Floats

FORMATS = (".png", ".svg", ".pdf")
PALETTE = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
"""Okabe and Ito's colours, which readers with every kind of colour vision tell apart."""
_SQUEEZED = 10  # ranges of the middle half
SIZES = {
    "params": "parameters",
    "macs": "multiply-accumulates of one image (MACs)",
    "flops": "floating-point operations of one image (FLOPs)",
    "activations": "activations",
}
_COUNTED = {"layers": "layers", "depth": "depth (layers)", "generation": "generation"}
_NAMES = {"latency": "latency of one image (s)", "score": "score"}


def new_figure(width: float, height: float) -> Figure:
    """A figure of this size in inches, with a canvas that needs no display."""
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def new_axes(figure: Figure, title: str = "") -> Axes:
    """The only axes of a figure, with its title."""
    axes = figure.add_subplot()
    axes.set_prop_cycle(color=PALETTE)
    axes.set_title(title, fontsize=9)
    axes.grid(alpha=0.3)
    return axes


def name_cost(axes: Axes, cost: str) -> None:
    """X is this quantity: its name and unit, sizes on a logarithmic scale, what is counted on whole numbers."""
    axes.set_xlabel(SIZES.get(cost) or _COUNTED.get(cost) or _NAMES.get(cost, cost))
    if cost in SIZES:
        axes.set_xscale("log")
    elif cost in _COUNTED:
        whole_numbers(axes)


def spread_out(axes: Axes, values: Floats) -> None:
    """X shows these values, on a scale on which few extreme ones do not squeeze all others together."""
    low, high = np.quantile(values, (0.25, 0.75))
    if np.ptp(values) <= _SQUEEZED * (high - low):
        return
    if values.min() > 0:
        axes.set_xscale("log")
    else:
        axes.set_xscale("asinh", linear_width=float(np.median(np.abs(values))) or 1.0)


def whole_numbers(axes: Axes) -> None:
    """X counts something."""
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))


def scorer_name(scorer_id: str) -> str:
    """``general@1f3c…`` is `general` to people: the digest is for stores."""
    return scorer_id.split("@")[0]


def save(figure: Figure, path: Path) -> None:
    """Write the figure; its path's ending decides the format; raises `ValueError` for one that is none of `FORMATS`."""
    if path.suffix.lower() not in FORMATS:
        raise ValueError(f"{path.name} is no picture that can be written; end it with {', '.join(FORMATS)}")
    figure.savefig(path, dpi=150)
