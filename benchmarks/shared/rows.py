"""Files of trainings, a row each: read, and written whole."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any


def kept_rows(path: Path) -> list[dict[str, Any]]:
    """What the file holds; nothing where there is none."""
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def keep_rows(path: Path, columns: Sequence[str], rows: Iterable[dict[str, Any]]) -> None:
    """The whole file, written aside and moved into place."""
    aside = path.with_suffix(".part")
    with aside.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    aside.replace(path)
