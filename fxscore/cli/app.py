"""The `fxscore` command: its commands, and what becomes of errors.

Exit codes: 0, everything was done; 1, some networks failed (each has its error row), or the one network asked
for did; 2, wrong usage, or nothing could be done; 130, interrupted.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Sequence

import typer

from fxscore.cli import (
    compare,
    data,
    doctor,
    draw,
    evaluate,
    explain,
    fit,
    models,
    output,
    plot,
    rank,
    score,
    scorers,
    search,
    store,
    train,
    train_network,
)
from fxscore.cli.arguments import complete
from fxscore.cli.settings import settings_here
from fxscore.errors import FxScoreError
from fxscore.extras import missing_requirement

USAGE = 2
INTERRUPTED = 130
_HELP = {"-h", "--help", "--version"}

app = typer.Typer(
    name="fxscore",
    help="Rank any PyTorch network without training it.",
    epilog=(
        "Examples:\n\n"
        "  fxscore rank zoo/*.py\n\n"
        "  fxscore rank 'timm:resnet*' torchvision:vit_b_16 --sort params\n\n"
        "  fxscore explain zoo/vit.py\n\n"
        "Exit codes: 0 all done, 1 some networks failed, 2 wrong usage or nothing could be done, "
        "130 interrupted."
    ),
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
commands = (
    rank,
    compare,
    score,
    explain,
    draw,
    models,
    scorers,
    search,
    train,
    train_network,
    fit,
    data,
    evaluate,
    plot,
    store,
    doctor,
)
for module in commands:
    module.register(app)


def show_version(wanted: bool) -> None:
    """Print the version and end."""
    if wanted:
        from importlib.metadata import version

        typer.echo(version("fxscore"))
        raise typer.Exit


@app.callback()
def fxscore(
    version: bool = typer.Option(
        False, "--version", help="Print the version and exit.", is_eager=True, callback=show_version
    ),
) -> None:
    """Rank any PyTorch network without training it."""


def run(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; an expected error is one line on stderr, no traceback.

    Args:
        arguments: The words after ``fxscore``; `sys.argv` by default.
    """
    output.speak_any_encoding()
    words = complete(list(sys.argv[1:] if arguments is None else arguments))
    try:
        command = typer.main.get_command(app)
        settings_here(tolerant=not words or words[0] == "doctor" or bool(_HELP & {*words})).put_in(command)
        command(args=words, prog_name="fxscore")
    except SystemExit as exit_request:
        return exit_request.code if isinstance(exit_request.code, int) else int(exit_request.code is not None)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # `fxscore rank … | head` has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (FxScoreError, OSError) as error:
        logging.getLogger("fxscore.cli").debug("the command failed", exc_info=error)  # shown by -v
        typer.echo(f"fxscore: {one_line(error)}", err=True)
        return USAGE
    except ModuleNotFoundError as error:
        told = missing_requirement(error)
        if told is None:
            raise
        typer.echo(f"fxscore: {told}", err=True)
        return USAGE
    return 0


def one_line(error: BaseException) -> str:
    """The error's message on one line; its type where it has none."""
    return " ".join(str(error).split()) or type(error).__name__
