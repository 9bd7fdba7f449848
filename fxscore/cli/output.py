"""Where the commands write: results to stdout or a file, everything else to stderr."""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from fxscore.cli.arguments import STDOUT

if TYPE_CHECKING:
    from rich.console import Console

_PIPE_WIDTH = 200  # a pipe has no width of its own, and folded cells would be hard to read back
_LOG_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def console(*, stderr: bool = False) -> Console:
    """A rich console on stdout or stderr; wide where there is no terminal to measure."""
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    wide = not stream.isatty() and "COLUMNS" not in os.environ
    return Console(file=stream, width=_PIPE_WIDTH if wide else None, soft_wrap=False)


def write(text: str, target: str) -> None:
    """Write a whole result to stdout (``-``) or to a file."""
    if target == STDOUT:
        typer.echo(text, nl=False)
    else:
        Path(target).write_text(text, encoding="utf-8")


def set_up_logging(verbose: bool = False, log_file: Path | None = None) -> None:
    """Send fxscore's log to stderr (with ``-v``) and to a file (with ``--log-file``)."""
    logger = logging.getLogger("fxscore")
    for handler in list(logger.handlers):
        logger.removeHandler(handler)
        handler.close()
    logger.setLevel(logging.DEBUG if verbose or log_file else logging.WARNING)
    _add_handler(logger, logging.StreamHandler(sys.stderr), logging.DEBUG if verbose else logging.WARNING)
    if log_file is not None:
        _add_handler(logger, logging.FileHandler(log_file, encoding="utf-8"), logging.DEBUG)


def _add_handler(logger: logging.Logger, handler: logging.Handler, level: int) -> None:
    handler.setLevel(level)
    handler.setFormatter(logging.Formatter(_LOG_FORMAT))
    logger.addHandler(handler)
