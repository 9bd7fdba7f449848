"""One line of text for everything that can go wrong with one network, and whether it would go wrong again."""

from __future__ import annotations

import re
import signal
import sysconfig
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fxscore.errors import FxScoreError, ModelRefError, NetworkError, WorkerError
from fxscore.texts import message_of, one_line, visible

_FAULT = re.compile(r'File "(?P<file>[^"]+)", line (?P<line>\d+) in ')
_LIBRARIES = tuple(
    {sysconfig.get_path("stdlib"), sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
)


def describe_exception(error: BaseException) -> str:
    """An error of fxscore speaks for itself; any other is ``TypeName: message (file:line)``."""
    if isinstance(error, FxScoreError):
        return one_line(message_of(error)) or type(error).__name__
    if isinstance(error, SyntaxError) and error.filename:
        return one_line(
            f"{type(error).__name__}: {error.msg} ({Path(str(error.filename)).name}:{error.lineno})"
        )
    place = _place(error)
    text = one_line(f"{type(error).__name__}: {message_of(error)}")
    return text + (f" ({visible(place)})" if place else "")


def _place(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if _is_users(frame.filename)]
    return f"{Path((own or frames)[-1].filename).name}:{(own or frames)[-1].lineno}" if frames else ""


def _is_users(filename: str) -> bool:
    """Whether a file is the user's own: the line that he can mend, rather than the depth of a library."""
    package = str(Path(__file__).resolve().parents[1])
    return not filename.startswith((*_LIBRARIES, package, "<"))


@contextmanager
def own_errors_only(whose: str = "the network") -> Iterator[None]:
    """Whatever foreign code raises within becomes a `NetworkError`, its cause chained; Ctrl-C goes through."""
    try:
        yield
    except (FxScoreError, KeyboardInterrupt):
        raise
    except BaseException as error:
        raise NetworkError(f"{whose} raised {describe_exception(error)}") from error


def is_lasting(error: BaseException) -> bool:
    """Whether trying again with the same recipe, package and libraries must fail again.

    True where fxscore itself says that a network cannot be scored. A broken file or a missing package
    (`ModelRefError`), a network's own exception, a lost worker and every foreign exception may be mended outside
    of the recipe.
    """
    return isinstance(error, FxScoreError) and not isinstance(
        error, (ModelRefError, NetworkError, WorkerError)
    )


def describe_death(code: int, stderr: str) -> str:
    """How a process ended, with the place or the last words that it left on stderr.

    Args:
        code: the exit code, or a signal's number, negative.
        stderr: the end of what it wrote there.
    """
    words = _last_words(stderr)
    tail = f" ({words})" if words else ""
    if code < 0:
        return one_line(f"the process was killed by {_signal_name(-code)}{tail}")
    return one_line(f"the process ended with exit code {code} before it had a score{tail}")


def is_outside_kill(code: int) -> bool:
    """Whether somebody else ended the process, such as the kernel when memory runs out."""
    return -code in (getattr(signal, "SIGKILL", None), signal.SIGTERM)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _last_words(stderr: str) -> str:
    faults = list(_FAULT.finditer(stderr))
    own = [fault for fault in faults if _is_users(fault["file"])]
    if faults:
        place = (own or faults)[0]  # the fault handler lists the most recent call first
        return f"{Path(place['file']).name}:{place['line']}"
    lines = [line for line in stderr.splitlines() if line.strip()]
    return lines[-1] if lines else ""


def gibibytes(size: float) -> str:
    """A size for people."""
    return f"{size / 2**30:.1f} GiB" if size >= 2**30 else f"{size / 2**20:.0f} MiB"
