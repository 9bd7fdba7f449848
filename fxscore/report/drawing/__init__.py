"""Drawings of networks, from the graph that a forward shows: `fxscore.draw` and `fxscore draw`."""

from __future__ import annotations

import io
import os
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
from torch import nn

from fxscore.capture.inputs import Examples
from fxscore.costs.network import capture_for_costs
from fxscore.errors import UsageError
from fxscore.report.drawing.diagram import Block, Diagram, Edge, Frame, diagram_of
from fxscore.report.drawing.dot import dot_of
from fxscore.report.drawing.picture import figure_of
from fxscore.report.figure import FORMATS
from fxscore.run.failure import own_errors_only
from fxscore.run.guard import unchanged_globals
from fxscore.scorer.given import Model
from fxscore.scorer.subject import Subject, subject_of
from fxscore.types import Shape

__all__ = ["Block", "Diagram", "Drawing", "Edge", "Frame", "draw", "draw_subject"]
DOT = ".dot"


@dataclass(frozen=True)
class Drawing:
    """A network to look at; a notebook shows it.

    Attributes:
        diagram: the blocks and edges that are drawn.
    """

    diagram: Diagram

    @property
    def dot(self) -> str:
        """The drawing in the language of graphviz."""
        return dot_of(self.diagram)

    @property
    def svg(self) -> str:
        """The drawing as an SVG document, whose text is text; raises `MissingExtraError` without grandalf."""
        text = io.StringIO()
        # A fixed salt and no date: the same network is the same file.
        with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "fxscore"}):
            figure_of(self.diagram).savefig(text, format="svg", metadata={"Date": None})
        return text.getvalue()

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the drawing; the ending of the path decides the form: svg, png, pdf or dot.

        Raises:
            UsageError: another ending.
            MissingExtraError: the package that lays pictures out is not there (dot needs none).
        """
        check_form(path)
        path = Path(path)
        if path.suffix == DOT:
            path.write_text(self.dot, encoding="utf-8")
        elif path.suffix == ".svg":
            path.write_text(self.svg, encoding="utf-8")
        else:
            figure_of(self.diagram).savefig(path, dpi=200)

    def _repr_svg_(self) -> str:
        return self.svg


def check_form(path: str | os.PathLike[str]) -> None:
    """Raises `UsageError` where the ending of a path is no form of a drawing."""
    if Path(path).suffix not in (*FORMATS, DOT):
        raise UsageError(f"{os.fspath(path)} is no drawing; end its name with {', '.join((*FORMATS, DOT))}")


def draw(
    model: Model,
    *,
    input_shape: Shape | None = None,
    example_inputs: Examples | None = None,
    depth: int | None = None,
) -> Drawing:
    """Draw a network as the blocks that it is made of: branches, skips, shapes, widths and shares.

    Args:
        model: a module (its weights are not read), or a reference such as `timm:resnet50`.
        input_shape: as for `fxscore.score`.
        example_inputs: as for `fxscore.score`.
        depth: how many levels of modules are opened; by default as many as leave a drawing to look at.

    Returns:
        A drawing: a notebook shows it, `save("network.svg")` writes it.

    Raises:
        FxScoreError: the model cannot be built or captured.
    """
    name = type(model).__name__ if isinstance(model, nn.Module) else os.fsdecode(str(model))
    with own_errors_only(), unchanged_globals():
        return draw_subject(name, subject_of(model, input_shape, example_inputs), depth)


def draw_subject(name: str, subject: Subject, depth: int | None = None) -> Drawing:
    """Draw a network that is built already, under this name; raises as `draw` does."""
    graph_module = capture_for_costs(
        subject.shaped, subject.input_shape, inputs=subject.inputs, owned=subject.owned, scopes=True
    )
    return Drawing(diagram_of(name, graph_module, depth))
