"""The tasks of published tables, whose rows are networks by name (`fxscore.published.tables`)."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from fxscore.evaluate.population import Population
from fxscore.evaluate.task import LEAST_NETWORKS, RankingTask, TaskTable
from fxscore.published.places import NoTask
from fxscore.published.tables import PublishedTable
from fxscore.spaces.files.csv_rows import CsvRow, read_rows
from fxscore.types import ModelRef

_COLUMNS = ("architecture", "dataset", "metric", "accuracy", "recipe")
_COUNT = re.compile(r"([\d.]+) ?([MK]?)")
_UNITS = {"M": 1e6, "K": 1e3}

Rows = dict[ModelRef, list[CsvRow]]


def published_tasks(entry: PublishedTable, path: Path) -> TaskTable:
    """The tasks of one file.

    Raises:
        SpaceError: the file is wrong, cut short or foreign, or one task would mix data sets or measures.
    """
    placed: dict[str, Rows] = defaultdict(lambda: defaultdict(list))
    left_out: Counter[str] = Counter()
    for row in read_rows(path, _COLUMNS):
        place = entry.place(row)
        if isinstance(place, NoTask):
            left_out[place.reason] += 1
        else:
            placed[place.task][place.ref].append(row)
    tasks = []
    for name, rows in placed.items():
        if len(rows) >= LEAST_NETWORKS:
            tasks.append(_task(entry, name, rows))
        else:
            left_out["fewer than ten networks of one recipe"] += sum(map(len, rows.values()))
    networks = {ref: rows[0] for group in placed.values() for ref, rows in group.items()}
    counts = {ref: count for ref, row in networks.items() if (count := _count(row)) is not None}
    return TaskTable(entry.name, entry.origin, tuple(tasks), tuple(networks), counts, dict(left_out))


def _task(entry: PublishedTable, name: str, rows: Rows) -> RankingTask:
    _refuse_mixtures(rows)
    label = f"{name}.accuracy"
    values = [np.mean([row.number("accuracy", 0, 100) for row in same]) for same in rows.values()]
    families = [_family(same[0].cells["architecture"]) for same in rows.values()]
    population = Population(
        entry.name,
        tuple(rows),
        {label: np.array(values)},
        tuple(families) if len(set(families)) > 1 else None,
        entry.caution,
    )
    return RankingTask(f"{entry.name}/{name}", entry.origin, population, label, input_shape=entry.input_shape)


def _refuse_mixtures(rows: Mapping[ModelRef, Sequence[CsvRow]]) -> None:
    (first, *_), *_ = rows.values()
    for row in (row for same in rows.values() for row in same):
        for key in ("dataset", "metric"):
            if row.cells[key] != first.cells[key]:
                raise row.fail(key, f"{row.cells[key]!r} does not rank against {first.cells[key]!r}")


def _family(name: str) -> str:
    """The letters that a name begins with: `vgg` for VGG16-BN-ReLU."""
    found = re.match(r"[a-z]+", name.lower())
    return found[0] if found else name


def _count(row: CsvRow) -> float | None:
    """The published parameters: counted in the authors' weights, or stated, in millions where no unit is."""
    for key in ("params_measured", "params_stated"):
        found = _COUNT.fullmatch(row.cells.get(key, ""))
        if key == "params_stated" and row.cells["dataset"] == "CIFAR-100":
            continue  # authors state the count of ten classes beside both accuracies
        if found and (found[2] or key == "params_stated"):
            return float(found[1]) * _UNITS[found[2] or "M"]
        if found and float(found[1]) >= 1000:  # smaller ones were measured of a rebuilt network, in millions
            return float(found[1])
    return None
