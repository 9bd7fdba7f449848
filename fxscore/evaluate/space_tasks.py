"""The tasks of search spaces' tables, and of timm's and torchvision's accuracies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fxscore.evaluate.accuracy_tables import timm_table, torchvision_table
from fxscore.evaluate.population import Population, group_rows
from fxscore.evaluate.tables import TABLE_FILES, population_of
from fxscore.evaluate.task import LEAST_NETWORKS, RankingTask, TaskTable
from fxscore.spaces import BenchmarkTable, get_space
from fxscore.types import Shape


@dataclass(frozen=True)
class SpaceTable:
    """One file of a space.

    Attributes:
        space: a search space, `timm` or `torchvision`.
        origin: see `RankingTask`.
        labels: the labels that are tasks; the test labels where empty. A second measure of one training on the same
            images (top-5, or the same networks on re-labelled images) is no task of its own.
        may_train: see `RankingTask`.
        shapes: input shapes by label, where a label's images have not the space's size.
    """

    space: str
    origin: str
    labels: tuple[str, ...] = ()
    may_train: bool = True
    shapes: Mapping[str, Shape] = field(default_factory=dict)

    @property
    def file(self) -> str:
        """Its name in a folder of tables; empty for torchvision, which brings its own."""
        return TABLE_FILES.get(self.space, "")


SPACE_TABLES = (
    SpaceTable("nasbench201", "nats_bench"),
    SpaceTable("nats_size", "nats_bench"),
    SpaceTable("nasbench_macro", "nasbench_macro"),
    SpaceTable("nasbench101", "nasbench101"),
    SpaceTable("transnas_micro", "transnas"),
    SpaceTable("accel_nasbench", "accel_nasbench", ("imagenet.valid",)),
    SpaceTable("darts", "darts"),
    SpaceTable("nasbench_mr", "nasbench_mr", may_train=False),
    SpaceTable(
        "nasbench_mr_segment",
        "nasbench_mr",
        may_train=False,
        shapes={"cityscapes_quarter.test": (3, 128, 256)},
    ),
    SpaceTable("metaqnn", "metaqnn"),
    SpaceTable("relational_mlp", "relational_mlp"),
    SpaceTable("wild", "wild"),
    SpaceTable("zen_resnet", "wild"),  # other networks, trained by the same hands, recipe and images
    SpaceTable("timm", "imagenet_networks", ("imagenet.top1",)),
    SpaceTable("torchvision", "imagenet_networks", ("imagenet.top1",)),
)


def space_tasks(entry: SpaceTable, path: Path) -> TaskTable:
    """The tasks of one file.

    Raises:
        SpaceError: the file is wrong, cut short or foreign.
    """
    table, population = _read(entry.space, path)
    labels = entry.labels or population.test_labels
    tasks = tuple(
        RankingTask(
            f"{entry.space}/{label}",
            entry.origin,
            population,
            label,
            entry.may_train,
            entry.shapes.get(label),
        )
        for label in labels
    )
    enough = len(population) >= LEAST_NETWORKS
    return TaskTable(
        entry.space,
        entry.origin,
        tasks if enough else (),
        population.refs,
        _published(table, population),
        {} if enough else {"fewer than ten networks": len(population)},
    )


def _read(space: str, path: Path) -> tuple[BenchmarkTable[Any], Population]:
    if space in ("timm", "torchvision"):
        table, families = timm_table(path) if space == "timm" else torchvision_table()
        return table, Population.of_table(table, families=families)
    reader = get_space(space)
    read: BenchmarkTable[Any] = reader.read(path)
    return read, population_of(read, reader, space)


def _published(table: BenchmarkTable[Any], population: Population) -> dict[Any, float]:
    if table.params is None:
        return {}
    first: Sequence[int] = [rows[0] for rows in group_rows(table)]
    return dict(zip(population.refs, table.params[first].tolist(), strict=True))
