"""`fxscore score`: the score of one network on stdout, and nothing else; with `--json` its whole record."""

from __future__ import annotations

import typer

from fxscore.cli import arguments, options, output

EPILOG = (
    "Examples:\n\n"
    "  fxscore score zoo/vit.py\n\n"
    "  fxscore score timm:resnet50 --scorer nasbench201\n\n"
    "  fxscore score zoo/vit.py --json\n\n"
    "Exit codes: 0 scored, 1 the network failed, 2 wrong usage or an unusable scorer."
)


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("score", epilog=EPILOG)(score)


def score(
    model: options.Model,
    scorer: options.Scorer = None,
    input_shape: options.InputShape = None,
    time_limit: options.TimeLimit = None,
    store: options.Store = None,
    no_store: options.NoStore = False,
    json: options.Json = None,
    verbose: options.Verbose = False,
    log_file: options.LogFile = None,
) -> None:
    """Print the score of one network; higher is better, and only comparisons mean something."""
    output.prepare(verbose, log_file, json, inputs=arguments.files(model, scorer, store))
    from json import dumps

    from fxscore.ranking import rank as rank_networks
    from fxscore.report.rows import why
    from fxscore.types import ModelRef

    ranking = rank_networks(
        [ModelRef.parse(model)],
        scorer=scorer,
        input_shape=input_shape,
        workers=1,
        time_limit=time_limit,
        store=store,
        no_store=no_store,
    )
    record = ranking[0]
    if json is not None:
        output.write(dumps(record.as_dict(), indent=2, ensure_ascii=False, allow_nan=False) + "\n", json)
    if record.error is not None:
        typer.echo(f"fxscore: {record.ref}: {why(record)}", err=True)
        raise typer.Exit(1)
    if json != arguments.STDOUT:
        typer.echo(record.score)
