"""Tables with one row per network and task: columns `architecture`, `dataset`, `accuracy` and others.

Tasks are the values of `dataset`; a network that was trained for several has as many rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from fxscore.errors import SpaceError
from fxscore.spaces.files.csv_rows import CsvRow, read_rows
from fxscore.spaces.table import Floats

_COLUMNS = ("architecture", "dataset", "accuracy")


def read_tasks(
    path: str | Path, names: Mapping[str, str], others: Sequence[str] = ()
) -> tuple[list[CsvRow], dict[str, Floats]]:
    """Each network's first row, and its accuracies in percent by label.

    Args:
        path: the table.
        names: the label of a value of `dataset`; rows of other data sets are left out.
        others: columns that the table must have beside those of all such tables.

    Raises:
        SpaceError: the file is wrong or foreign, a network has two rows of one data set, or lacks one that others have.
    """
    rows = [row for row in read_rows(path, (*_COLUMNS, *others)) if row.cells["dataset"] in names]
    if not rows:
        raise SpaceError(f"{Path(path).name}, column dataset: no row is of {', '.join(names)}")
    networks: dict[str, dict[str, CsvRow]] = {}
    for row in rows:
        tasks = networks.setdefault(row.cells["architecture"], {})
        if (earlier := tasks.setdefault(names[row.cells["dataset"]], row)) is not row:
            raise row.fail("architecture", f"repeats line {earlier.line}: {row.cells['architecture']}")
    labels = [label for label in names.values() if any(label in tasks for tasks in networks.values())]
    columns = {label: _column(list(networks.values()), label) for label in labels}
    return [next(iter(tasks.values())) for tasks in networks.values()], columns


def _column(networks: Sequence[Mapping[str, CsvRow]], label: str) -> Floats:
    for tasks in networks:
        if label not in tasks:
            raise next(iter(tasks.values())).fail("architecture", f"this network has no row of {label}")
    return np.array([tasks[label].number("accuracy", 0.0, 100.0) for tasks in networks])
