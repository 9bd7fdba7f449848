"""`fxscore models`: what a pattern stands for."""

from __future__ import annotations

import typer

from fxscore.cli import arguments, options, output
from fxscore.cli.arguments import STDOUT
from fxscore.cli.expand import expand

EPILOG = "Examples:\n\n  fxscore models 'timm:resnet*'\n\n  fxscore models 'torchvision:*' | wc -l"


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("models", epilog=EPILOG)(models)


def models(
    patterns: options.Models, pretrained_only: options.PretrainedOnly = False, json: options.Json = None
) -> None:
    """List the networks that a pattern stands for, one a line."""
    output.check_targets(json, inputs=arguments.files(*patterns))
    import json as json_format

    names = [str(ref) for ref in expand(patterns, pretrained_only)]
    if json is not None:
        output.write(json_format.dumps(names, indent=2, ensure_ascii=False) + "\n", json)
    else:
        output.write("".join(f"{name}\n" for name in names), STDOUT)
