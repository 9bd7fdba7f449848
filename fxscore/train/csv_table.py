"""A CSV table as people and spreadsheets write it: read as it stands, or refused with the row; nothing is guessed.

The text is UTF-8, or UTF-16 with its byte order mark; the header says whether cells are parted by commas, semicolons
or tabs; every row has as many cells as the header. So `60,7` for 60.7 is a further cell, which is refused, and never
the number 60. In a row that lacks another cell, and so has as many as the header, nobody can tell 60,7
from 60 and 7: that is said, with the row.
"""

from __future__ import annotations

import codecs
import csv
import logging
from collections.abc import Iterator, Sequence
from io import StringIO
from itertools import pairwise
from pathlib import Path

from fxscore.errors import TrainingError
from fxscore.reading import file_bytes, is_file

_SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs"}
_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_LARGEST = 1 << 28  # bytes
_logger = logging.getLogger(__name__)

NumberedRow = tuple[int, dict[str, str]]


def read_table(path: Path, columns: Sequence[str]) -> Iterator[NumberedRow]:
    """(number, cells of `columns`) of each row; empty rows are left out.

    Args:
        path: the file.
        columns: names that the header must hold, each once; cells of other columns are not read.

    Returns:
        Rows with the number of the line on which they end, counted from 1, the header included; cells without the
        space around them.

    Raises:
        TrainingError: the file cannot be read as text, a column is missing or there twice, or a row has another number
            of cells than the header; names the file and the row.
    """
    text = _text(path)
    separator = _separator(path, text, columns)
    records = _records(path, text, separator)
    _, header = next(records)
    told = separator != ","
    for number, cells in records:
        if len(cells) != len(header):
            raise TrainingError(
                f"{path}, row {number}: {len(cells)} cells where the header has {len(header)}, parted by "
                f"{_SEPARATORS[separator]}; write numbers with a point (60.7), quote a cell that holds {separator!r}"
            )
        told = told or _tell_of_split(path, number, header, cells, columns)
        yield number, {name: cells[header.index(name)] for name in columns}


def _tell_of_split(
    path: Path, number: int, header: Sequence[str], cells: Sequence[str], columns: Sequence[str]
) -> bool:
    """Say of the first row that could hold a number with a decimal comma how it is read; whether it was said."""
    for place, (name, other) in enumerate(pairwise(header)):
        whole, part = cells[place], cells[place + 1]
        if name in columns and other not in columns and whole.isdecimal() and part.isdecimal():
            _logger.warning(
                "%s, row %d: %s is %s, and %s is %s; where %s,%s was meant, write %s.%s",
                *(path, number, name, whole, other, part, whole, part, whole, part),
            )
            return True
    return False


def _text(path: Path) -> str:
    if not is_file(path):
        raise TrainingError(f"there is no file {path}")
    try:
        data = file_bytes(path, _LARGEST)
    except OSError as error:
        raise TrainingError(f"{path} cannot be read: {error.strerror or error}") from None
    encoding = "utf-16" if data.startswith(_MARKS) else "utf-8-sig"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        row, name = data.count(b"\n", 0, error.start) + 1, encoding.removesuffix("-sig").upper()
        raise TrainingError(
            f"{path}, row {row}: byte {error.start} is not {name}; save the table as CSV in UTF-8"
        ) from None
    if "\0" in text:  # UTF-16 without its mark, or no text at all
        raise TrainingError(f"{path} is no text in UTF-8; save the table as CSV in UTF-8")
    return text


def _records(path: Path, text: str, separator: str) -> Iterator[tuple[int, list[str]]]:
    """(line on which it ends, cells) of every record that is not empty, the header first."""
    # `strict` refuses a quote that does not end, which would swallow the rest of the file.
    reader = csv.reader(StringIO(text, newline=""), delimiter=separator, skipinitialspace=True, strict=True)
    try:
        for record in reader:
            cells = [cell.strip() for cell in record]
            if any(cells):
                yield reader.line_num, cells
    except csv.Error as error:
        raise TrainingError(f"{path}, row {reader.line_num}: no row of a CSV table ({error})") from None


def _separator(path: Path, text: str, columns: Sequence[str]) -> str:
    """What parts the cells: that by which the header names all columns, each once."""
    found: set[str] = set()
    for separator in _SEPARATORS:
        _, header = next(_records(path, text, separator), (0, []))
        if set(columns) <= set(header):
            _refuse_twice(path, header, columns)
            return separator
        found |= set(header)
    missing = next((name for name in columns if name not in found), columns[-1])
    raise TrainingError(
        f"{path}: no column {missing!r}; the first row must name the columns: {','.join(columns)}"
    )


def _refuse_twice(path: Path, header: Sequence[str], columns: Sequence[str]) -> None:
    for name in columns:
        if header.count(name) > 1:
            raise TrainingError(
                f"{path}: {header.count(name)} columns are called {name!r}; rename all but the one that counts"
            )
