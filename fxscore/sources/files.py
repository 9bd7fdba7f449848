"""Files that references name: whether they are there, are files at all, and can be read."""

from __future__ import annotations

import glob
import hashlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from fxscore.errors import ModelRefError
from fxscore.sources.names import did_you_mean
from fxscore.texts import original, visible

_CHUNK = 1 << 20
_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


def regular_file(name: str) -> Path:
    """The file of a name, also of one that was printed with escapes.

    Raises:
        ModelRefError: it is not there, is no regular file (reading a pipe might never end), or cannot be looked at.
    """
    for spelling in dict.fromkeys((name, original(name))):
        try:
            mode = os.stat(spelling).st_mode
        except FileNotFoundError:
            continue
        except (OSError, ValueError) as error:  # ValueError: a null byte
            raise unreadable(name, error) from None
        if stat.S_ISREG(mode):
            return Path(spelling)
        kind = next((text for is_kind, text in _KINDS if is_kind(mode)), "something else")
        raise ModelRefError(f"{visible(name)} is {kind}, not a file")
    if os.path.islink(name):
        raise ModelRefError(f"{visible(name)} is a link to {visible(os.readlink(name))}, which is not there")
    raise ModelRefError(f"{visible(name)}: no such file{near_file(Path(name))}")


def is_pattern(name: str) -> bool:
    """Whether a name holds wildcards and is that of no file, as it stands or as it was printed."""
    return glob.has_magic(name) and not any(map(os.path.lexists, (name, original(name))))


def matching(name: str) -> list[str]:
    """The file of a name, or the files that a pattern matches, sorted; raises `ModelRefError` where there is none."""
    if not is_pattern(name):
        return [str(regular_file(name))]
    found = sorted(glob.glob(name, recursive=True))
    if not found:
        raise ModelRefError(f"{name} matches no file{near_file(Path(name))}")
    return found


def near_file(path: Path) -> str:
    """The names of files of its kind in a path's folder that are close to its own, as `did_you_mean` says them.

    The ending that they share makes no names alike.
    """
    try:
        beside = [visible(other.stem) for other in path.parent.glob(f"*{path.suffix}")]
    except (OSError, ValueError):
        return ""
    return did_you_mean(path.stem, beside, path.suffix)


def chunks(path: Path) -> Iterator[bytes]:
    """A file's bytes; raises `ModelRefError` where they cannot be read."""
    try:
        with path.open("rb") as stream:
            while chunk := stream.read(_CHUNK):
                yield chunk
    except OSError as error:
        raise unreadable(str(path), error) from None


def file_digest(path: Path) -> str:
    """SHA-256 (hex) of a file of any size; raises `ModelRefError` where it cannot be read."""
    digest = hashlib.sha256()
    for chunk in chunks(path):
        digest.update(chunk)
    return digest.hexdigest()


def unreadable(name: str, error: Exception) -> ModelRefError:
    """The error for a file that the system does not give."""
    reason = error.strerror if isinstance(error, OSError) else str(error)
    return ModelRefError(f"{visible(name)} cannot be read: {reason or error}")
