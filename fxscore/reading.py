"""Files that a user names are read where they are regular and of a fitting size: nothing waits, or fills memory."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

LARGEST = 1 << 30


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
