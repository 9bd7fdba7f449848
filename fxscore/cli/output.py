"""Where the commands write: results to stdout or a file, everything else to stderr."""

from __future__ import annotations

import codecs
import io
import json
import logging
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from fxscore.cli.arguments import STDOUT
from fxscore.errors import OutputError

if TYPE_CHECKING:
    from rich.console import Console

_PIPE_WIDTH = 200  # a pipe has no width of its own, and folded cells would be hard to read back
_SAID, _DATA = "fxscore.said", "fxscore.data"  # names of error handlers
_ASCII = {
    "ρ": "rho",
    "τ": "tau",
    "σ": "sigma",
    "–": "-",
    "−": "-",
    "…": "...",
    "×": "x",
    "→": "->",
    "†": "+",
    "²": "^2",
}
_LOG_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def console(*, stderr: bool = False) -> Console:
    """A rich console on stdout or stderr; wide where there is no terminal to measure."""
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    wide = not stream.isatty() and "COLUMNS" not in os.environ
    return Console(file=stream, width=_PIPE_WIDTH if wide else None, soft_wrap=False, emoji=False)


def speak_any_encoding() -> None:
    """From now on stdout and stderr say in ASCII what their encoding has no letter for, `rho` for the Greek one."""
    for name in ("stdin", "stdout", "stderr"):
        if (
            getattr(sys, name) is None
        ):  # closed, as by `>&-`: the next file that is opened would be in its place
            setattr(sys, name, open(os.devnull, "r" if name == "stdin" else "w", encoding="utf-8"))  # noqa: SIM115
    codecs.register_error(_SAID, _in_ascii)
    codecs.register_error(_DATA, lambda error: _replaced(error, {}))
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=_SAID)


def _in_ascii(error: UnicodeError) -> tuple[str, int]:
    return _replaced(error, _ASCII)


def _replaced(error: UnicodeError, known: Mapping[str, str]) -> tuple[str, int]:
    """Known letters in other words, others by the escapes of JSON, so that JSON remains JSON."""
    assert isinstance(error, UnicodeEncodeError)  # for output alone
    letters = error.object[error.start : error.end]
    return "".join(known.get(letter) or json.dumps(letter)[1:-1] for letter in letters), error.end


def write(text: str, target: str) -> None:
    """Write a whole result to stdout (``-``) or to a file; the values in it are never said in other words."""
    if target == STDOUT:
        encoding = sys.stdout.encoding or "utf-8"
        sys.stdout.write(text.encode(encoding, _DATA).decode(encoding))
        sys.stdout.flush()
    else:
        Path(target).write_text(text, encoding="utf-8", errors="backslashreplace")


def written(*writers: Callable[[], object]) -> bool:
    """Call each that writes a file; one that fails is said and the others are still written. False if any failed."""
    failed = 0
    for write_one in writers:
        try:
            write_one()
        except OSError as error:
            failed += 1
            typer.echo(f"fxscore: a result was not written: {error}", err=True)
    return not failed


def check_targets(*targets: Path | str | None, inputs: Sequence[Path] = ()) -> None:
    """Refuse, before the work, what cannot be written after it.

    Args:
        targets: files to write; None and ``-`` (stdout) are no files. Missing folders of a `Path` will be made.
        inputs: files that must stay as they are; what is none is passed over.

    Raises:
        OutputError: a file cannot be written, is named twice, or is an input.
    """
    files = [target for target in targets if target is not None and target != STDOUT]
    places = [Path(os.path.realpath(target)) for target in files]  # unlike `resolve`, takes links in a circle
    for target, place in zip(files, places, strict=True):
        if places.count(place) > 1:
            raise OutputError(f"{target} is given for two results; name two files")
        if any(_is_same(place, path) for path in inputs):
            raise OutputError(f"{target} is what is read; name another file for what is written")
        try:
            _try_to_write(place, make=isinstance(target, Path))
        except OSError as error:
            raise OutputError(f"{target} cannot be written: {error.strerror or error}") from None


def _is_same(place: Path, other: Path) -> bool:
    """Whether two names are one file, hard links and letters of another case too; a file that is to come is by name."""
    try:
        return os.path.samefile(place, other)
    except OSError:
        return os.path.realpath(other) == str(place)


def _try_to_write(path: Path, make: bool) -> None:
    """Open a file for writing, and leave everything as it was; raises `OSError`."""
    if make and not path.parent.exists():
        return _try_to_write(path.parent, make)
    if path.exists() and not path.is_file() and not path.is_dir():
        return None  # a pipe or a device: opening it may already say something
    there = path.exists()
    path.open("ab").close()
    if not there:
        path.unlink()
    return None


def prepare(
    verbose: bool, log_file: Path | None, *targets: Path | str | None, inputs: Sequence[Path] = ()
) -> None:
    """Refuse what cannot be written, or must not be, before anything is; then log. As the two that it calls."""
    check_targets(*targets, None if log_file is None else str(log_file), inputs=inputs)
    set_up_logging(verbose, log_file)


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
