"""Files that a user names are read where they are regular and of a fitting size: nothing waits, or fills memory."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

LARGEST = 1 << 30


def is_file(path: Path) -> bool:
    """Whether there is a regular file; a name that no file can have and links in a circle are none."""
    return os.path.isfile(path)  # the method of a path raises for some of these


def is_stream(path: Path) -> bool:
    """Whether there is a device, a pipe or a socket: it is written to, and never replaced."""
    return os.path.exists(path) and not os.path.isfile(path) and not os.path.isdir(path)


def file_bytes(path: Path, largest: int = LARGEST) -> bytes:
    """The content of a file.

    Raises:
        OSError: it cannot be read, is a pipe or a device (which may never end), or has more than `largest` bytes.
    """
    found = os.stat(path)
    if not stat.S_ISREG(found.st_mode) and not stat.S_ISDIR(found.st_mode):
        raise OSError(errno.EINVAL, "it is no regular file", str(path))
    if found.st_size > largest:
        raise OSError(errno.EFBIG, f"it is larger than {largest >> 20} MiB", str(path))
    return path.read_bytes()
