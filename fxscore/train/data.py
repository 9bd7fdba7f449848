"""Training data: a benchmark table, a split of it, and the constructed architectures of its cells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, fx

from fxscore.capture.empty_weights import empty_weights
from fxscore.constructed import ConstructedArchitecture, construct
from fxscore.errors import TrainingError
from fxscore.scorer.ft_scorenet import Settings
from fxscore.spaces import SearchSpace, get_space


@dataclass(frozen=True)
class TableSource:
    """Where a space's table lies in a data folder, and which labels train and test on it."""

    file: str
    train_label: str
    test_label: str


TABLES = {
    "nasbench201": TableSource("nas_bench_201.csv.gz", "cifar100.valid", "cifar100.test"),
    "macro": TableSource("nas_bench_macro.csv.gz", "cifar10.test", "cifar10.test"),
    "nasbench101": TableSource("nas_bench_101_valid.csv.gz", "cifar10.valid", "cifar10.valid"),
}


_NO_GRAPH = fx.GraphModule({}, fx.Graph())


class CellSet:
    """Cells of one table with one label, constructed when first asked for.

    Args:
        space: the search space, or its name.
        genotypes: the cells.
        accuracies: their labels.
        settings: of the scorer: its batch, and the resolution at which cells are run.
    """

    def __init__(
        self, space: str | SearchSpace[Any], genotypes: Sequence[Any], accuracies: Tensor, settings: Settings
    ) -> None:
        self.space = get_space(space) if isinstance(space, str) else space
        self.genotypes = list(genotypes)
        self.accuracies = accuracies
        self.settings = settings
        self._constructed: dict[int, ConstructedArchitecture] = {}
        self._others: dict[int, CellSet] = {}

    def __len__(self) -> int:
        return len(self.genotypes)

    def __getitem__(self, index: int) -> ConstructedArchitecture:
        if index not in self._constructed:
            with empty_weights():
                module = self.space.build(self.genotypes[index])
            built = construct(module.eval(), self.settings.input_shape, self.settings.batch, owned=True)
            self._constructed[index] = _without_graph(built)
        return self._constructed[index]

    def subset(self, indices: Sequence[int]) -> CellSet:
        """The cells at `indices`."""
        genotypes = [self.genotypes[index] for index in indices]
        return CellSet(self.space, genotypes, self.accuracies[list(indices)], self.settings)

    def at(self, resolution: int) -> CellSet:
        """The same cells, run at another height and width."""
        shape = (self.settings.input_shape[0], resolution, resolution)
        if shape == self.settings.input_shape:
            return self
        if resolution not in self._others:
            settings = replace(self.settings, input_shape=shape)
            self._others[resolution] = CellSet(self.space, self.genotypes, self.accuracies, settings)
        return self._others[resolution]

    def sample(self, size: int, generator: torch.Generator) -> list[int]:
        """Indices of `size` different cells (all of them where there are fewer)."""
        return torch.randperm(len(self), generator=generator)[:size].tolist()


def load_cells(data: Path, space: str, label: str | None, settings: Settings) -> CellSet:
    """All rows of a space's table in the folder `data`; rows of one group count once, with their mean label."""
    if space not in TABLES:
        raise TrainingError(
            f"no table is known for the space {space!r}; there is one for {', '.join(TABLES)}"
        )
    source = TABLES[space]
    path = data / source.file
    if not path.is_file():
        raise TrainingError(f"{path} is missing; give the folder of the benchmark tables with --data")
    table = get_space(space).read(path)
    accuracies = torch.tensor(table.labels(label or source.train_label))
    keys = table.group or tuple(str(index) for index in range(len(table)))
    rows: dict[str, list[int]] = {}
    for index, key in enumerate(keys):
        rows.setdefault(key, []).append(index)
    genotypes = [table.genotypes[members[0]] for members in rows.values()]
    means = torch.stack([accuracies[members].mean() for members in rows.values()])
    return CellSet(space, genotypes, means, settings)


def split_cells(cells: CellSet, count: int, validation: float, seed: int) -> tuple[CellSet, CellSet, CellSet]:
    """(training, validation, all other cells), drawn with `seed`; `count` covers training and validation."""
    order = torch.randperm(len(cells), generator=torch.Generator().manual_seed(seed)).tolist()
    chosen = order[: count or len(order)]
    held = round(validation * len(chosen))
    return cells.subset(chosen[held:]), cells.subset(chosen[:held]), cells.subset(order[len(chosen) :])


def _without_graph(architecture: ConstructedArchitecture) -> ConstructedArchitecture:
    """Keep what is run; thousands of graphs would fill the memory."""
    return replace(architecture, graph_module=_NO_GRAPH, coverage=())
