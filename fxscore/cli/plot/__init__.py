"""`fxscore plot`: pictures for papers, of files that other commands wrote and of how a scorer sees a space."""

from __future__ import annotations

import typer

from fxscore.cli.plot import recorded, transition


def register(app: typer.Typer) -> None:
    """Add the group of commands to the application."""
    group = typer.Typer(help="Pictures for papers, from what other commands wrote.", no_args_is_help=True)
    group.callback()(_plots)
    recorded.register(group)
    group.command("transition", epilog=transition.EPILOG)(transition.transition)
    app.add_typer(group, name="plot")


def _plots() -> None:
    """Pictures for papers, from what other commands wrote."""
