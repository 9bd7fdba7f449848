"""What a Python file depends on: itself, and the files beside it that it imports."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path


def source_digest(path: Path) -> str:
    """SHA-256 (hex) over a file and, file by file, the siblings that it imports; paths do not count."""
    digest = hashlib.sha256()
    for file in sorted(_closure(path)):
        digest.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()


def versions(*packages: str) -> dict[str, str]:
    """The installed versions, found without importing; "none" for a package that is not installed."""
    return {package: _version(package) for package in packages}


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "none"


def _closure(path: Path) -> set[Path]:
    found, waiting = set[Path](), [path]
    while waiting:
        file = waiting.pop()
        if file not in found:
            found.add(file)
            waiting.extend(_imported_siblings(file))
    return found


def _imported_siblings(file: Path) -> Iterator[Path]:
    for name in _imports(file):
        for sibling in (file.parent / f"{name}.py", file.parent / name / "__init__.py"):
            if sibling.is_file():
                yield sibling


def _imports(file: Path) -> Iterator[str]:
    """The first components of the names that a file imports, wherever in the file."""
    try:
        tree = ast.parse(file.read_bytes())
    except (SyntaxError, ValueError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.partition(".")[0]
