"""Reading csv tables strictly: a wrong, truncated or foreign file gives one clear error and no rows."""

from __future__ import annotations

import csv
import gzip
import io
import math
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np

from fxscore.errors import SpaceError
from fxscore.reading import file_bytes
from fxscore.spaces.table import Floats

T = TypeVar("T")


@dataclass(frozen=True)
class CsvRow:
    """One line of a csv file, with what an error message needs; `line` counts from 1, the header's line."""

    path: Path
    line: int
    cells: Mapping[str, str]

    def fail(self, key: str, why: str) -> SpaceError:
        """An error that names this row and the column `key`."""
        return SpaceError(f"{self.path.name}, line {self.line}, column {key}: {why}")

    def number(self, key: str, low: float = -math.inf, high: float = math.inf) -> float:
        """The finite number in column `key`, within [low, high]."""
        try:
            value = float(self.cells[key])
        except ValueError:
            raise self.fail(key, f"{self.cells[key]!r} is no number") from None
        if not (math.isfinite(value) and low <= value <= high):
            raise self.fail(key, f"{value} is not within {low} and {high}")
        return value

    def parse(self, key: str, parser: Callable[[str], T]) -> T:
        """What `parser` makes of column `key`; its `SpaceError` gains the row and column."""
        return self.parse_text(key, self.cells[key], parser)

    def parse_text(self, key: str, text: str, parser: Callable[[str], T]) -> T:
        """What `parser` makes of a text put together from column `key` and others."""
        try:
            return parser(text)
        except SpaceError as error:
            raise self.fail(key, str(error)) from None


def read_header(path: str | Path) -> list[str]:
    """The column names of a `.csv` or `.csv.gz` file; raises `SpaceError` where it cannot be read."""
    return next(csv.reader(io.StringIO(_read_text(Path(path)), newline="")), [])


def read_rows(path: str | Path, required: Sequence[str]) -> list[CsvRow]:
    """Every row of a `.csv` or `.csv.gz` file whose header has the columns `required`.

    Raises:
        SpaceError: the file is missing, damaged, cut short, empty or lacks a column.
    """
    path = Path(path)
    reader = csv.reader(io.StringIO(_read_text(path), newline=""))
    header = next(reader, [])
    if missing := [key for key in required if key not in header]:
        raise SpaceError(f"{path.name}: foreign table, it has no column {', '.join(missing)}")
    rows = [_row(path, reader.line_num, header, cells) for cells in reader]
    if not rows:
        raise SpaceError(f"{path.name}: no rows below the header")
    return rows


def columns(rows: Sequence[CsvRow], names: Mapping[str, str], low: float, high: float) -> dict[str, Floats]:
    """Columns of numbers: `names` maps a csv column to the name it gets; absent columns are left out."""
    present = {key: name for key, name in names.items() if key in rows[0].cells}
    return {name: column(rows, key, low, high) for key, name in present.items()}


def column(rows: Sequence[CsvRow], key: str, low: float = -math.inf, high: float = math.inf) -> Floats:
    """One column of finite numbers within [low, high]."""
    return np.array([row.number(key, low, high) for row in rows])


def refuse_repeats(rows: Sequence[CsvRow], key: str, values: Sequence[T]) -> None:
    """Raise `SpaceError` where a benchmark that lists each network once lists one twice."""
    first: dict[T, CsvRow] = {}
    for row, value in zip(rows, values, strict=True):
        if (earlier := first.setdefault(value, row)) is not row:
            raise row.fail(key, f"repeats line {earlier.line}: {row.cells[key]}")


def _row(path: Path, line: int, header: Sequence[str], cells: Sequence[str]) -> CsvRow:
    if len(cells) != len(header):
        raise SpaceError(f"{path.name}, line {line}: {len(cells)} cells where the header has {len(header)}")
    return CsvRow(path, line, dict(zip(header, cells, strict=True)))


def _read_text(path: Path) -> str:
    try:
        data = file_bytes(path)
        return (gzip.decompress(data) if path.suffix == ".gz" else data).decode()
    except OSError as error:
        raise SpaceError(f"{path} cannot be read: {error.strerror or error}") from None
    except (EOFError, zlib.error) as error:
        raise SpaceError(f"{path.name} is cut short or damaged: {error}") from None
    except UnicodeDecodeError as error:
        raise SpaceError(f"{path.name} is no text table: {error}") from None
