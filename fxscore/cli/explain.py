"""`fxscore explain`: what each operator of a network became, what is encoded, and what it costs."""

from __future__ import annotations

from typing import Annotated

import typer

from fxscore.cli import arguments, options, output

EPILOG = (
    "Examples:\n\n"
    "  fxscore explain zoo/vit.py\n\n"
    "  fxscore explain timm:resnet50 --verbose\n\n"
    "  fxscore explain zoo/vgg.py --code\n\n"
    "Exit codes: 0 explained, 2 the network cannot be built, captured or represented (says why)."
)


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("explain", epilog=EPILOG)(explain)


def explain(
    model: options.Model,
    scorer: options.Scorer = None,
    input_shape: options.InputShape = None,
    code: Annotated[bool, typer.Option("--code", help="Print the constructed architecture's code.")] = False,
    json: options.Json = None,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Name every module path, and log what is done.")
    ] = False,
    log_file: options.LogFile = None,
) -> None:
    """Show what each operator of a network became.

    The network's file runs in this very process, without a time limit.
    """
    output.prepare(verbose, log_file, json, inputs=arguments.files(model, scorer))
    from dataclasses import asdict
    from json import dumps

    from fxscore import api
    from fxscore.report.explanation import print_explanation

    explanation = api.explain(model, scorer=scorer, input_shape=input_shape)
    if json != "-":
        print_explanation(output.console(), explanation, paths=verbose, code=code)
    if json is not None:
        output.write(dumps(asdict(explanation), indent=2, ensure_ascii=False) + "\n", json)
