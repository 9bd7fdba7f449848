"""What the commands with `--report` share: the command as a setting, and the writing of the page."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from fxscore.report.html import Page


def settings(**chosen: Any) -> dict[str, Any]:
    """The command as it was given, and what it chose."""
    return {"command": shlex.join(["fxscore", *sys.argv[1:]]), **chosen}


def write_page(page: Page, path: Path) -> None:
    """Write a report and say so."""
    path.parent.mkdir(parents=True, exist_ok=True)
    page.save(path)
    typer.echo(f"wrote {path}", err=True)
