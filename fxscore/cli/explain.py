"""`fxscore explain`: a network's score and what stands behind it, what became of its operators, and what it costs."""

from __future__ import annotations

from typing import Annotated

import typer

from fxscore.cli import arguments, options, output

EPILOG = (
    "Examples:\n\n"
    "  fxscore explain zoo/vit.py\n\n"
    "  fxscore explain timm:resnet50 --verbose\n\n"
    "  fxscore explain zoo/vgg.py --code\n\n"
    "  fxscore explain zoo/resnet.py --against zoo/vgg.py\n\n"
    "Exit codes: 0 explained, 2 the network cannot be built, captured or represented (says why)."
)


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("explain", epilog=EPILOG)(explain)


def explain(
    model: options.Model,
    against: Annotated[
        str | None,
        typer.Option(
            metavar="MODEL",
            help="Another network: say what makes the difference of the two.",
            show_default=False,
        ),
    ] = None,
    scorer: options.Scorer = None,
    input_shape: options.InputShape = None,
    code: Annotated[bool, typer.Option("--code", help="Print the constructed architecture's code.")] = False,
    json: options.Json = None,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Name every module path, and log what is done.")
    ] = False,
    log_file: options.LogFile = None,
) -> None:
    """Show a network's score, the networks of training that it looks most like, and what its operators became.

    The network's file runs in this very process, without a time limit.
    """
    output.prepare(verbose, log_file, json, inputs=arguments.files(model, against, scorer))
    from dataclasses import asdict
    from json import dumps

    from fxscore import api
    from fxscore.report.explanation import print_explanation

    explanation = api.explain(model, against=against, scorer=scorer, input_shape=input_shape)
    if json != "-":
        print_explanation(output.console(), explanation, paths=verbose, code=code)
    if json is not None:
        output.write(dumps(asdict(explanation), indent=2, ensure_ascii=False) + "\n", json)
