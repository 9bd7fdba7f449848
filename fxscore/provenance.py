"""What the record of a figure or a file says of its origin: versions of packages, the date, and hashes of files."""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Iterable
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any


def provenance(packages: Iterable[str]) -> dict[str, Any]:
    """Versions of these packages, and today's date."""
    return {"versions": {name: version(name) for name in packages}, "date": date.today().isoformat()}


def file_sha256(path: Path) -> str:
    """SHA-256 of a file's bytes, as hexadecimal digits."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def command_line(program: str, words: Iterable[str]) -> str:
    """A command as a shell takes it; of absolute paths the last part: where things lie is this machine's business."""
    return " ".join([program, *(shlex.quote(_without_place(word)) for word in words)])


def _without_place(word: str) -> str:
    option, given, value = word.partition("=") if word.startswith("--") else ("", "", word)
    return f"{option}{given}{Path(value).name if Path(value).is_absolute() else value}"
