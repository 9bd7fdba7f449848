"""Where a row belongs, and words that the tables have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fxscore.spaces.files.csv_rows import CsvRow
from fxscore.types import ModelRef


@dataclass(frozen=True)
class TaskPlace:
    """The task that a row belongs to, by a name within its table, and its network."""

    task: str
    ref: ModelRef


@dataclass(frozen=True)
class NoTask:
    """Why a row is in no task."""

    reason: str


def python_ref(where: str, **options: Any) -> ModelRef:
    """A builder of this package, `module:callable`, with its options."""
    module, _, name = where.partition(":")
    return ModelRef.of(f"fxscore.published.{module}", name, options)


def classes_of(row: CsvRow) -> int:
    """100 for CIFAR-100, 10 for all others."""
    return 100 if row.cells["dataset"] == "CIFAR-100" else 10


def data_set_of(row: CsvRow) -> str:
    """The data set's name as labels have it: `cifar10` for CIFAR-10."""
    return row.cells["dataset"].lower().replace("-", "")
