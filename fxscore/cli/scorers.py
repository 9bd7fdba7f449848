"""`fxscore scorers`: what ships, what it was trained on, and how good it was on what it did not see."""

from __future__ import annotations

from typing import Annotated

import typer

from fxscore.cli import options, output

EPILOG = (
    "Examples:\n\n"
    "  fxscore scorers\n\n"
    "  fxscore scorers nasbench201 --json\n\n"
    "Use one by its name: fxscore rank zoo/*.py --scorer NAME. A checkpoint of your own is used by its path."
)


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("scorers", epilog=EPILOG)(scorers)


def scorers(
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="Show the full record of one.", show_default=False)
    ] = None,
    json: options.Json = None,
) -> None:
    """List the shipped scorers: trained on what, measured how."""
    output.check_targets(json)
    from dataclasses import asdict
    from json import dumps

    from fxscore.errors import ScorerError
    from fxscore.proxies import proxy_names
    from fxscore.report.scorers import print_record, print_scorers
    from fxscore.scorer import DEFAULT_SCORER, list_scorers

    known = list_scorers()
    shown = [info for info in known if name in (None, info.name)]
    if not shown:
        raise ScorerError(
            f"no shipped scorer is called {name!r}; there are {', '.join(i.name for i in known)}"
        )
    if json is not None:
        output.write(dumps([asdict(info) for info in shown], indent=2, ensure_ascii=False) + "\n", json)
    elif name is not None:
        print_record(output.console(), shown[0])
    else:
        print_scorers(output.console(), shown, default=DEFAULT_SCORER, proxies=proxy_names())
