"""The package version that keys stored scores.

A checkout changes without a new version number, so there the sources that decide a score are part of it: an
edited representation must not be answered with the scores from before the edit.
"""

from __future__ import annotations

import hashlib
from functools import cache
from importlib import metadata
from pathlib import Path

_WITHOUT_EFFECT = {"cli", "report", "run", "searching", "train", "evaluate"}


@cache
def package_version() -> str:
    """The version; with a digest of the sources where fxscore runs from a checkout."""
    package = Path(__file__).resolve().parents[1]
    try:
        version = metadata.version("fxscore")
    except metadata.PackageNotFoundError:
        version = "0"
    installed = "site-packages" in package.parts
    return version if installed else f"{version}+{source_digest(package)}"


def source_digest(package: Path) -> str:
    """A digest of the package's sources, save the rooms that no score depends on."""
    digest = hashlib.sha256()
    for path in sorted(package.rglob("*.py")):
        place = path.relative_to(package)
        if place.parts[0] not in _WITHOUT_EFFECT:
            digest.update(str(place).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:12]
