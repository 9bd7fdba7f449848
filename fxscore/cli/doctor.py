"""`fxscore doctor`: what this installation is and whether it works, to be put into every bug report."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from fxscore.cli import options, output
from fxscore.cli.arguments import STDOUT

if TYPE_CHECKING:
    from fxscore.checkup import Finding

EPILOG = (
    "Examples:\n\n"
    "  fxscore doctor\n\n"
    "  fxscore doctor --json\n\n"
    "Put what it prints into every bug report. Exit codes: 0 fxscore works here, 1 something is wrong."
)


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("doctor", epilog=EPILOG)(doctor)


def doctor(scorer: options.Scorer = None, store: options.StoreFile = None, json: options.Json = None) -> None:
    """Print versions, extras, machine, settings and store, and score two networks to see whether it works."""
    output.check_targets(json)
    from json import dumps

    from fxscore.checkup import Finding, checkup
    from fxscore.cli.settings import KEYS, settings_here

    settings = settings_here(tolerant=True)
    found = [Finding("settings", settings.told(list(KEYS)), settings.fault is None)]
    show(found[0], json)
    for finding in checkup(scorer, None if store is None else Path(store)):
        found.append(finding)
        show(finding, json)
    if json is not None:
        text = dumps([each.as_dict() for each in found], indent=2, ensure_ascii=False)
        output.write(text + "\n", json)
    raise typer.Exit(0 if all(each.sound for each in found) else 1)


def show(finding: Finding, json: str | None) -> None:
    """Print one line, unless stdout is taken by JSON."""
    if json != STDOUT:
        typer.echo(f"{finding.name}: {'' if finding.sound else 'WRONG, '}{finding.text}")
