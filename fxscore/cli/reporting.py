"""What the commands with `--report` share: the command as a setting, and the writing of the page."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from fxscore.provenance import command_line

if TYPE_CHECKING:
    from fxscore.report.html import Page


def settings(**chosen: Any) -> dict[str, Any]:
    """The command as it was given, and what it chose."""
    return {"command": command_line("fxscore", sys.argv[1:]), **chosen}


def scorer_record(scorer: str | None) -> tuple[str, dict[str, Any]]:
    """The name of a scorer, and what its file says of itself where it is a shipped one."""
    from fxscore.scorer import DEFAULT_SCORER, list_scorers

    name = scorer or DEFAULT_SCORER
    return name, next((dict(info.record) for info in list_scorers() if info.name == name), {})


def write_page(page: Page, path: Path) -> None:
    """Write a report and say so."""
    path.parent.mkdir(parents=True, exist_ok=True)
    page.save(path)
    typer.echo(f"wrote {path}", err=True)
