"""Files of NAS-Bench-101: tables of cells, and the official TFRecord read without TensorFlow.

A TFRecord is a run of `length: u64, masked crc32c of it: u32, data, masked crc32c of it: u32`, little-endian.
Here each data is the json array [hash, epochs, adjacency, operations, base64 of a ModelMetrics message], and
ModelMetrics holds EvaluationData messages in field 1 (the third is the end of training; fields 4 and 5 are
validation and test accuracy, doubles between 0 and 1) and the number of trainable parameters in field 2.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import numpy as np

from fxscore.errors import SpaceError
from fxscore.spaces.files import wire
from fxscore.spaces.files.csv_rows import CsvRow, column, columns, read_rows
from fxscore.spaces.table import BenchmarkTable, Floats

C = TypeVar("C")

EPOCHS = 108
_LABELS = {
    "valid_acc_108ep_one_run": "cifar10.valid",
    "valid_acc_mean": "cifar10.valid",
    "test_acc_mean": "cifar10.test",
}
_PROXY_PREFIX = "zc_"


def read_csv(
    space: str, path: str | Path, parse: Callable[[str], C], key_of: Callable[[C], str]
) -> BenchmarkTable[C]:
    """A table with columns `nb101_hash`, `adjacency`, `operations` and accuracies in percent."""
    rows = read_rows(path, ("nb101_hash", "adjacency", "operations"))
    genotypes = tuple(_cell(row, parse, key_of) for row in rows)
    labels = columns(rows, _LABELS, 0.0, 100.0)
    if not labels:
        raise SpaceError(f"{Path(path).name}: foreign table, none of its columns is {', '.join(_LABELS)}")
    keys = [key for key in rows[0].cells if key.startswith(_PROXY_PREFIX)]
    proxies = {key.removeprefix(_PROXY_PREFIX): column(rows, key) for key in keys}
    group = tuple(row.cells["nb101_hash"] for row in rows)
    return BenchmarkTable(
        space, genotypes, labels, group, _params(rows), _millions(rows, "flops_millions"), proxies
    )


def _cell(row: CsvRow, parse: Callable[[str], C], key_of: Callable[[C], str]) -> C:
    cell = row.parse("adjacency", lambda digits: parse(f"{digits}:{row.cells['operations']}"))
    if key_of(cell) != row.cells["nb101_hash"]:
        raise row.fail("nb101_hash", f"{row.cells['nb101_hash']!r} is not the hash of this row's cell")
    return cell


def _params(rows: list[CsvRow]) -> Floats | None:
    if "trainable_params" in rows[0].cells:
        return column(rows, "trainable_params", 0.0)
    return _millions(rows, "params_millions")


def _millions(rows: list[CsvRow], key: str) -> Floats | None:
    return np.round(column(rows, key, 0.0) * 1e6) if key in rows[0].cells else None


@dataclass
class _Runs:
    """What the TFRecord says of one cell."""

    text: str
    params: int
    valid: list[float] = field(default_factory=list)
    test: list[float] = field(default_factory=list)


def read_tfrecord(space: str, path: str | Path, parse: Callable[[str], C]) -> BenchmarkTable[C]:
    """The official file: one row per cell, the mean of its runs at 108 epochs, in percent."""
    path, cells = Path(path), dict[str, _Runs]()
    for number, data in enumerate(_records(path)):
        where = f"{path.name}, record {number}"
        _add_run(cells, data, where)
    if not cells:
        raise SpaceError(f"{path.name}: no record of {EPOCHS} epochs")
    genotypes = tuple(_parse(runs, parse, path) for runs in cells.values())
    labels = {
        "cifar10.valid": np.array([100 * np.mean(runs.valid) for runs in cells.values()]),
        "cifar10.test": np.array([100 * np.mean(runs.test) for runs in cells.values()]),
    }
    params = np.array([float(runs.params) for runs in cells.values()])
    return BenchmarkTable(space, genotypes, labels, tuple(cells), params)


def _parse(runs: _Runs, parse: Callable[[str], C], path: Path) -> C:
    try:
        return parse(runs.text)
    except SpaceError as error:
        raise SpaceError(f"{path.name}, cell {runs.text}: {error}") from None


def _add_run(cells: dict[str, _Runs], data: bytes, where: str) -> None:
    try:
        key, epochs, adjacency, operations, metrics = json.loads(data)
        message = wire.fields(base64.b64decode(metrics, validate=True))
        final = wire.fields(wire.nested(message[1][2]))
        params, valid, test = int(message[2][0]), *(wire.double(final[i][0]) for i in (4, 5))
    except (ValueError, TypeError, KeyError, IndexError) as error:
        raise SpaceError(f"{where}: no NAS-Bench-101 record ({type(error).__name__}: {error})") from None
    if not (0 <= valid <= 1 and 0 <= test <= 1):
        raise SpaceError(f"{where}: accuracies {valid}, {test} are not within 0 and 1")
    if epochs == EPOCHS:
        runs = cells.setdefault(key, _Runs(f"{adjacency}:{operations}", params))
        runs.valid.append(valid)
        runs.test.append(test)


def _records(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as stream:
            yield from wire.records(stream, path.name)
    except OSError as error:
        raise SpaceError(f"{path} cannot be read: {error.strerror or error}") from None
