"""What a Python file depends on: itself, and the files beside it that it imports.

Nothing is parsed: this runs in the parent of all workers, and a file may be made so that parsing it takes minutes or
overflows the stack. What follows the words `import` and `from` is looked for beside the file, in comments too.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import suppress
from importlib import metadata
from pathlib import Path

from fxscore.errors import ModelRefError
from fxscore.sources.files import chunks

LARGEST = 16 << 20  # bytes of a Python file that describes a network
_IMPORT = re.compile(rb"\b(?:import|from|import_module|__import__)\W{1,4}([\w., \t]+)")
_WORD = re.compile(rb"\w+")


def source_digest(path: Path) -> str:
    """SHA-256 (hex) over a file and, file by file, the siblings that it imports; paths do not count.

    Raises:
        ModelRefError: the file cannot be read, or is too large for one of Python code.
    """
    digest = hashlib.sha256()
    for file, content in sorted(_closure(path).items()):
        digest.update(os.fsencode(file.name) + b"\0" + content + b"\0")
    return digest.hexdigest()


def versions(*packages: str) -> dict[str, str]:
    """The installed versions, found without importing; "none" for a package that is not installed."""
    return {package: _version(package) for package in packages}


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "none"


def _closure(path: Path) -> dict[Path, bytes]:
    """The files by their content; a sibling that cannot be read is the error of whoever imports it."""
    found = {path: _content(path)}
    waiting = [path]
    while waiting:
        file = waiting.pop()
        for sibling in _imported_siblings(file, found[file]):
            if sibling not in found:
                found[sibling] = b""
                with suppress(ModelRefError):
                    found[sibling] = _content(sibling)
                waiting.append(sibling)
    return found


def _content(path: Path) -> bytes:
    content = b""
    for chunk in chunks(path):
        content += chunk
        if len(content) > LARGEST:
            raise ModelRefError(f"{path} is larger than {LARGEST >> 20} MiB, too large for a network's code")
    return content


def _imported_siblings(file: Path, content: bytes) -> Iterator[Path]:
    words = {word for found in _IMPORT.finditer(content) for word in _WORD.findall(found[1])}
    for name in sorted(map(os.fsdecode, words)):
        for sibling in (file.parent / f"{name}.py", file.parent / name / "__init__.py"):
            if len(name) < 200 and sibling.is_file():  # a file system has no longer names
                yield sibling
