"""`fxscore scorers`: what ships, what it was trained on, and how good it was on what it did not see."""

from __future__ import annotations

from typing import Annotated

import typer

from fxscore.cli import arguments, options, output

EPILOG = (
    "Examples:\n\n"
    "  fxscore scorers\n\n"
    "  fxscore scorers general\n\n"
    "  fxscore scorers general --features\n\n"
    "  fxscore scorers nasbench201 --json\n\n"
    "Use one by its name: fxscore rank zoo/*.py --scorer NAME. A checkpoint of your own is used by its path."
)


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("scorers", epilog=EPILOG)(scorers)


def scorers(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="NAME",
            help="Show one: every task that it was judged on, and how it was made.",
            show_default=False,
            autocompletion=arguments.shipped_scorers,
        ),
    ] = None,
    features: Annotated[
        bool, typer.Option("--features", help="List the features that it reads, with their meaning.")
    ] = False,
    json: options.Json = None,
) -> None:
    """Show the shipped scorers: trained on what, judged on what, and when not to trust them."""
    output.check_targets(json)
    from dataclasses import asdict
    from json import dumps

    from fxscore.errors import ScorerError, UsageError
    from fxscore.proxies import proxy_names
    from fxscore.report.scorers import feature_table, features_of, print_record, print_scorers
    from fxscore.scorer import DEFAULT_SCORER, list_scorers

    known = list_scorers()
    shown = [info for info in known if name in (None, info.name)]
    if not shown:
        raise ScorerError(
            f"no shipped scorer is called {name!r}; there are {', '.join(i.name for i in known)}. "
            "What a fit found of a file of your own is in its --json and --report"
        )
    if features and name is None:
        raise UsageError("features of which scorer? fxscore scorers NAME --features")
    if json is not None:
        found = features_of(shown[0]) if features else [asdict(info) for info in shown]
        output.write(dumps(found, indent=2, ensure_ascii=False) + "\n", json)
    elif features:
        output.console().print(
            feature_table(shown[0]) or f"{name} reads no features: it sees the encoding of a network alone."
        )
    elif name is not None:
        print_record(output.console(), shown[0], shown[0].name)
    else:
        print_scorers(output.console(), shown, default=DEFAULT_SCORER, proxies=proxy_names())
