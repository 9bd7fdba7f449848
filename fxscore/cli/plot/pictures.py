"""What the commands of `fxscore plot` share: the picture that is asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fxscore.cli import arguments, output

Picture = Annotated[
    Path, typer.Option("--out", "-o", metavar="FILE", help="The picture: .png, .svg or .pdf.")
]


def check_picture(path: Path) -> None:
    """Refuse a name that ends like no picture."""
    from fxscore.report.figure import FORMATS

    if path.suffix.lower() not in FORMATS:
        raise typer.BadParameter(f"{path} is no picture; end its name with {', '.join(FORMATS)}")


def prepare(out: Path, verbose: bool, log_file: Path | None, *read: Path | str) -> None:
    """Refuse a picture that cannot be written, or must not be, before anything is read; then log."""
    check_picture(out)
    output.prepare(verbose, log_file, str(out), inputs=arguments.files(*read))


def told(out: Path) -> None:
    """Say where the picture is."""
    typer.echo(f"wrote {out}", err=True)
