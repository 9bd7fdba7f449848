"""What the general scorer learns from: the ranking tasks of all tables, with the features of their networks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from fxscore.aligned import Aligned
from fxscore.evaluate.task import LEAST_NETWORKS, RankingTask, TaskTable
from fxscore.evaluate.tasks import task_tables
from fxscore.graph_features.layers import larger_side
from fxscore.run import Where
from fxscore.score_job import FeatureJob
from fxscore.scorer import Hybrid
from fxscore.scorer.features import NetworkFeatures, feature_names, network_features
from fxscore.scorer.kernel_head import GONE
from fxscore.scorer.subject import Subject
from fxscore.train.looking import look
from fxscore.types import ModelRef, ScoreRecord

Floats = NDArray[np.float64]
MOST = 300  # networks of one task: more of one space teach little
WHOLE = ("wild", "timm", "torchvision")  # tables whose networks are of all kinds, taken whole


@dataclass(frozen=True, eq=False)
class Lesson(Aligned):
    """One ranking task with the features of its networks, each network once.

    Attributes:
        name, origin, may_train: as of the `RankingTask`.
        refs: the networks.
        values: (n, `feature_names`).
        labels: (n,) the measure, more is better.
        fingerprints: (n,); equal ones have equal features.
        families: of each network, where the table has families.
        seen: places in the task's population of all networks that were looked at, equal ones too.
    """

    ALIGNED: ClassVar = ("refs", "values", "labels", "fingerprints", "families")

    name: str
    origin: str
    may_train: bool
    refs: tuple[ModelRef, ...]
    values: Floats
    labels: Floats
    fingerprints: NDArray[np.str_]
    families: tuple[str, ...] | None
    seen: tuple[int, ...] = ()

    @property
    def table(self) -> str:
        """The name of its table."""
        return self.name.partition("/")[0]

    def column(self, name: str) -> Floats:
        """(n,) one feature."""
        return np.asarray(self.values[:, feature_names().index(name)])


class Reader(Hybrid):
    """Reads features for the general scorer: without a forward where a `KernelHead` asks for none."""

    def features(self, subject: Subject) -> NetworkFeatures:
        """As `Hybrid.features`."""
        return network_features(subject, self.encoder, forward=larger_side(subject.input_shape) < GONE)


def read_lessons(
    folders: Sequence[Path],
    where: Where,
    *,
    only: Sequence[str] = (),
    most: int = MOST,
    tell: Callable[[str], None] = lambda line: None,
) -> list[Lesson]:
    """Every task of the tables in some folders, with features; what the store has is not computed again.

    Args:
        folders: of tables, looked through in this order.
        where: workers, limits and store.
        only: names of tables; all where empty.
        most: networks of one table that are looked at, drawn with seed 0; those of `WHOLE` are all.
        tell: is told a line for each table.

    Raises:
        SpaceError: no such folder or table, or a file that is wrong, cut short or foreign.
    """
    return [lesson for table in task_tables(folders, only) for lesson in _of_table(table, where, most, tell)]


def _of_table(table: TaskTable, where: Where, most: int, tell: Callable[[str], None]) -> Iterator[Lesson]:
    most = _most_of(table, most)
    for shape in dict.fromkeys(task.input_shape for task in table.tasks):
        tasks = [task for task in table.tasks if task.input_shape == shape]
        wanted = _wanted(tasks, most)
        reader = Reader(name="lesson features")
        job = FeatureJob(reader, reader.scorer_id, shape)
        records = look(job, wanted, where, lambda done: None)
        failed = [record for record in records.values() if record.error is not None]
        for record in failed:
            tell(f"{record.ref} left out: {record.error}")
        tell(f"{table.name}: features of {len(records) - len(failed)} of {len(wanted)} networks")
        for task in tasks:
            lesson = _lesson(task, records)
            if len(lesson) >= LEAST_NETWORKS:
                yield lesson


def looked_at(table: TaskTable, most: int = MOST) -> list[ModelRef]:
    """All networks of a table's tasks whose features are read, by the same draws."""
    return _wanted(table.tasks, _most_of(table, most))


def _most_of(table: TaskTable, most: int) -> int:
    """How many networks of one table are looked at; 0 for all."""
    return 0 if table.name in WHOLE else most


def _wanted(tasks: Sequence[RankingTask], most: int) -> list[ModelRef]:
    """The networks of these tasks, or so many of each distinct set of them."""
    refs: dict[ModelRef, None] = {}
    for networks in dict.fromkeys(task.population.refs for task in tasks):
        rows = np.arange(len(networks))
        if 0 < most < len(networks):
            rows = np.sort(np.random.default_rng(0).choice(rows, most, replace=False))
        refs |= dict.fromkeys(networks[row] for row in rows)
    return list(refs)


def _lesson(task: RankingTask, records: Mapping[ModelRef, ScoreRecord]) -> Lesson:
    """Of networks that are equal to fxscore, the first."""
    usable = {
        ref: record
        for ref, record in records.items()
        if record.error is None and record.fingerprint is not None
    }
    seen = tuple(row for row, ref in enumerate(task.population.refs) if ref in usable)
    first: dict[str, int] = {}
    for row in seen:
        first.setdefault(str(usable[task.population.refs[row]].fingerprint), row)
    rows = list(first.values())
    refs = tuple(task.population.refs[row] for row in rows)
    families = task.population.families
    return Lesson(
        task.name,
        task.origin,
        task.may_train,
        refs,
        np.array([usable[ref].values for ref in refs], dtype=float).reshape(-1, len(feature_names())),
        task.values[rows],
        np.array(list(first)),
        None if families is None else tuple(families[row] for row in rows),
        seen,
    )
