"""One line for whatever other people's code raises: which reference, which line of which file, what."""

from __future__ import annotations

import inspect
import os
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fxscore.errors import FxScoreError, ModelRefError
from fxscore.texts import message_of, one_line, visible

_LONGEST = 300


@contextmanager
def foreign_code(what: str, path: Path | None = None) -> Iterator[None]:
    """Turn what the code within raises into a `ModelRefError`; `sys.exit()` too.

    Args:
        what: the text of the reference.
        path: the file whose line is named; without one, the line where the error was raised.
    """
    try:
        yield
    except ModelRefError:
        raise
    except FxScoreError as error:
        raise ModelRefError(f"{what}: {error}") from error
    except (Exception, SystemExit) as error:  # a boundary: not our code
        raise ModelRefError(f"{what}: {_describe(error)}{_place(error, path)}") from error


def check_options(what: str, builder: Callable[..., Any], options: Mapping[str, Any]) -> None:
    """Raise `ModelRefError` where a builder's signature does not take these keyword arguments."""
    try:
        signature = inspect.signature(builder)
    except (TypeError, ValueError):
        return  # written in C: the call itself will tell
    try:
        signature.bind(**options)
    except TypeError as error:
        raise ModelRefError(f"{what}: {error}; the builder takes {_parameters(signature)}") from None


def _parameters(signature: inspect.Signature) -> str:
    return ", ".join(map(str, signature.parameters.values())) or "no options"


def _describe(error: BaseException) -> str:
    if isinstance(error, SystemExit):
        code = one_line(repr(error.code), _LONGEST) if isinstance(error.code, (int, str)) else ""
        return f"the file called sys.exit({code})"
    text = one_line(str(error.msg) if isinstance(error, SyntaxError) else message_of(error), _LONGEST)
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _place(error: BaseException, path: Path | None) -> str:
    if isinstance(error, SyntaxError) and error.filename:
        return f" ({_shown(str(error.filename))}:{error.lineno})"
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if path is not None and frame.filename == str(path)]
    last = (own or frames)[-1]
    return f" ({_shown(last.filename)}:{last.lineno})"


def _shown(filename: str) -> str:
    """A file below the current folder by its name from there, as users write it."""
    near = os.path.relpath(filename) if os.path.isabs(filename) else filename
    return visible(filename if near.startswith(os.pardir) else near)
