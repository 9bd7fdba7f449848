"""fxscore's own table format, the same for every space: a csv file that holds a `BenchmarkTable` whole.

Columns: `space`, `genotype` (text form), one per label by its name (`cifar10.test`), and where there are any
`group`, `params`, `flops`, `proxy:NAME` and `caution`. What is read slowly once is written to this and
read quickly afterwards; a user's own space is read from it without a line of code.
"""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Callable, Hashable
from pathlib import Path
from typing import TypeVar

from fxscore.errors import SpaceError
from fxscore.spaces.files.csv_rows import CsvRow, column, read_header, read_rows
from fxscore.spaces.table import BenchmarkTable, Floats

G = TypeVar("G", bound=Hashable)

_KEYS = ("space", "genotype")
_PROXY = "proxy:"


def is_plain_table(path: str | Path) -> bool:
    """Whether a file is a csv table of this format, by its header."""
    return ".csv" in Path(path).suffixes and tuple(read_header(path)[:2]) == _KEYS


def read_plain_table(path: str | Path, space: str, parse: Callable[[str], G]) -> BenchmarkTable[G]:
    """Read a table of this format; raises `SpaceError` where it is of another space or damaged."""
    rows = read_rows(path, _KEYS)
    if foreign := next((row for row in rows if row.cells["space"] != space), None):
        raise foreign.fail("space", f"{foreign.cells['space']!r} is not {space!r}")
    keys = list(rows[0].cells)
    return BenchmarkTable(
        space=space,
        genotypes=tuple(row.parse("genotype", parse) for row in rows),
        columns={key: column(rows, key) for key in keys if "." in key},
        group=tuple(row.cells["group"] for row in rows) if "group" in keys else None,
        params=_optional(rows, "params"),
        flops=_optional(rows, "flops"),
        proxies={key.removeprefix(_PROXY): column(rows, key) for key in keys if key.startswith(_PROXY)},
        caution=rows[0].cells.get("caution", ""),
    )


def _optional(rows: list[CsvRow], key: str) -> Floats | None:
    return column(rows, key, 0.0) if key in rows[0].cells else None


def write_plain_table(
    table: BenchmarkTable[G], path: str | Path, format_genotype: Callable[[G], str]
) -> None:
    """Write a table so that `read_plain_table` gives it back; `.gz` compresses it."""
    columns: dict[str, list[str]] = {
        "space": [table.space] * len(table),
        "genotype": [format_genotype(genotype) for genotype in table.genotypes],
    }
    columns |= {name: _texts(values) for name, values in table.columns.items()}
    columns |= {} if table.group is None else {"group": list(table.group)}
    columns |= {} if table.params is None else {"params": _texts(table.params)}
    columns |= {} if table.flops is None else {"flops": _texts(table.flops)}
    columns |= {_PROXY + name: _texts(values) for name, values in table.proxies.items()}
    columns |= {"caution": [table.caution] * len(table)} if table.caution else {}
    _write(Path(path), columns)


def _texts(values: Floats) -> list[str]:
    return [repr(float(value)) for value in values]


def _write(path: Path, columns: dict[str, list[str]]) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    data = text.getvalue().encode()
    try:
        path.write_bytes(gzip.compress(data, mtime=0) if path.suffix == ".gz" else data)
    except OSError as error:
        raise SpaceError(f"{path} cannot be written: {error.strerror or error}") from None
