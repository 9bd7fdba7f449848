"""What the record of a figure or a file says of its origin: versions of packages, the date, and hashes of files."""

from __future__ import annotations

import hashlib
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
