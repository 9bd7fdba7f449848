"""`fxscore draw`: a picture of a network, from the graph that its forward shows."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fxscore.cli import arguments, options, output

EPILOG = (
    "Examples:\n\n"
    "  fxscore draw timm:resnet50 -o resnet50.svg\n\n"
    "  fxscore draw zoo/inception.py --depth 1 -o inception.png\n\n"
    "  fxscore draw zoo/vit.py -o vit.dot\n\n"
    "Pictures need fxscore[draw]; a .dot file, for graphviz, does not. "
    "Exit codes: 0 drawn, 2 the network cannot be built or captured (says why)."
)


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("draw", epilog=EPILOG)(draw)


def draw(
    model: options.Model,
    out: Annotated[
        Path,
        typer.Option(
            "--out", "-o", metavar="FILE", help="The drawing: .svg, .png, .pdf, or .dot for graphviz."
        ),
    ] = Path("network.svg"),
    depth: Annotated[
        int | None,
        typer.Option(
            min=0,
            help="How many levels of modules are opened.",
            show_default="as many as leave 40 blocks or fewer",
        ),
    ] = None,
    input_shape: options.InputShape = None,
    verbose: options.Verbose = False,
    log_file: options.LogFile = None,
) -> None:
    """Draw a network: blocks, branches, skips, shapes, and where its parameters and MACs are.

    Blocks that stand in a row several times are drawn once, with their number. The network's file runs in this very
    process, without a time limit.
    """
    output.prepare(verbose, log_file, out, inputs=arguments.files(model))
    from fxscore.report import drawing

    drawing.check_form(out)
    picture = drawing.draw(model, input_shape=input_shape, depth=depth)
    out.parent.mkdir(parents=True, exist_ok=True)
    picture.save(out)
    typer.echo(f"{out}: {len(picture.diagram.blocks)} blocks", err=True)
