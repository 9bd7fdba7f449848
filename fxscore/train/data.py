"""Training data: a benchmark table, a split of it, and the constructed architectures of its cells."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, fx

from fxscore.capture.empty_weights import empty_weights
from fxscore.constructed import ConstructedArchitecture, construct
from fxscore.errors import TrainingError
from fxscore.evaluate.population import group_rows
from fxscore.evaluate.splits import split_indices
from fxscore.evaluate.tables import TABLE_FILES
from fxscore.scorer.ft_scorenet import Settings
from fxscore.scorer.seen_size import seen_shape
from fxscore.spaces import SearchSpace, get_space
from fxscore.types import Shape


@dataclass(frozen=True)
class TableSource:
    """Which labels of a space's table train and test.

    A table without validation accuracies trains on the label that it is tested on, of other cells.
    """

    train_label: str
    test_label: str


# TransNAS-Bench-101 has seven tasks; object classification is the nearest to what the other tables hold.
TABLES = {
    "nasbench201": TableSource("cifar100.valid", "cifar100.test"),
    "nasbench_macro": TableSource("cifar10.test", "cifar10.test"),
    "nasbench101": TableSource("cifar10.valid", "cifar10.valid"),
    "transnas_micro": TableSource("class_object.valid", "class_object.test"),
    "accel_nasbench": TableSource("imagenet.valid", "imagenet.valid"),
    "wild": TableSource("fashion_mnist.test", "fashion_mnist.test"),
    "zen_resnet": TableSource("fashion_mnist.test", "fashion_mnist.test"),
    "darts": TableSource("cifar10_surrogate.valid", "cifar10_surrogate.valid"),
}


_NO_GRAPH = fx.GraphModule({}, fx.Graph())


class LabelledNetworks:
    """Constructed architectures with a label each, as training takes them.

    Args:
        architectures: the networks.
        accuracies: (n,) their labels.
    """

    def __init__(self, architectures: Sequence[ConstructedArchitecture], accuracies: Tensor) -> None:
        self._architectures = architectures
        self.accuracies = accuracies

    def __len__(self) -> int:
        return len(self.accuracies)

    def __getitem__(self, index: int) -> ConstructedArchitecture:
        return self._architectures[index]

    def subset(self, indices: Sequence[int]) -> LabelledNetworks:
        """The networks at `indices`."""
        return LabelledNetworks([self[index] for index in indices], self.accuracies[list(indices)])

    def at(self, resolution: int) -> LabelledNetworks:
        """The same networks, run at another height and width."""
        raise TrainingError(f"networks that are constructed already cannot be run at {resolution}")

    def sample(self, size: int, generator: torch.Generator) -> list[int]:
        """Indices of `size` different networks (all of them where there are fewer)."""
        return torch.randperm(len(self), generator=generator)[:size].tolist()


class CellSet(LabelledNetworks):
    """Cells of one table with one label, constructed when first asked for.

    Args:
        space: the search space, or its name.
        genotypes: the cells.
        accuracies: their labels.
        settings: of the scorer: its batch, and whether it sees networks at a small size.
        shape: the input shape (C, H, W) at which cells are run; by default the one at which the scorer sees each.
        caution: what must be said beside every figure on them.
    """

    def __init__(
        self,
        space: str | SearchSpace[Any],
        genotypes: Sequence[Any],
        accuracies: Tensor,
        settings: Settings,
        shape: Shape | None = None,
        caution: str = "",
    ) -> None:
        self.space = get_space(space) if isinstance(space, str) else space
        self.genotypes = list(genotypes)
        self.accuracies = accuracies
        self.settings = settings
        self.shape = shape
        self.caution = caution
        self._constructed: dict[int, ConstructedArchitecture] = {}
        self._others: dict[int, CellSet] = {}

    def __getitem__(self, index: int) -> ConstructedArchitecture:
        if index not in self._constructed:
            with empty_weights():
                module = self.space.build(self.genotypes[index])
            built = construct(module.eval(), self.shape_of(index), self.settings.batch, owned=True)
            self._constructed[index] = _without_graph(built)
        return self._constructed[index]

    def shape_of(self, index: int) -> Shape:
        """The input shape at which a cell is run."""
        if self.shape is not None:
            return self.shape
        own = self.space.shape_of(self.genotypes[index])
        return seen_shape(own) if self.settings.small_inputs else own

    def subset(self, indices: Sequence[int]) -> CellSet:
        """The cells at `indices`."""
        return self._of([self.genotypes[index] for index in indices], self.accuracies[list(indices)])

    def joined(self, other: CellSet) -> CellSet:
        """These cells, then those of `other`, which is of the same table."""
        return self._of(self.genotypes + other.genotypes, torch.cat([self.accuracies, other.accuracies]))

    def at(self, resolution: int) -> CellSet:
        """The same cells, run at another height and width."""
        shape = (self.space.input_shape[0], resolution, resolution)
        if all(self.shape_of(index) == shape for index in range(len(self))):
            return self
        if resolution not in self._others:
            self._others[resolution] = self._of(self.genotypes, self.accuracies, shape)
        return self._others[resolution]

    def _of(self, genotypes: Sequence[Any], accuracies: Tensor, shape: Shape | None = None) -> CellSet:
        """Cells of the same table, seen alike."""
        return CellSet(self.space, genotypes, accuracies, self.settings, shape or self.shape, self.caution)


def load_cells(data: Path, space: str, label: str | None, settings: Settings) -> CellSet:
    """All rows of a space's table in the folder `data`; rows of one group count once, with their mean label."""
    if space not in TABLES:
        raise TrainingError(
            f"no table is known for the space {space!r}; there is one for {', '.join(TABLES)}"
        )
    source = TABLES[space]
    path = data / TABLE_FILES[space]
    if not path.is_file():
        raise TrainingError(f"{path} is missing; give the folder of the benchmark tables with --data")
    table = get_space(space).read(path)
    accuracies = torch.tensor(table.labels(label or source.train_label))
    networks = group_rows(table)
    genotypes = [table.genotypes[rows[0]] for rows in networks]
    means = torch.stack([accuracies[rows].mean() for rows in networks])
    return CellSet(space, genotypes, means, settings, caution=table.caution)


def split_cells(cells: CellSet, count: int, validation: float, seed: int) -> tuple[CellSet, CellSet, CellSet]:
    """(training, validation, all other cells), drawn with `seed`; `count` covers training and validation.

    A `count` of 0 leaves some to measure on (`fxscore.evaluate.splits`).
    """
    training, held, rest = split_indices(len(cells), count, validation, seed)
    return cells.subset(training), cells.subset(held), cells.subset(rest)


def set_families_aside(
    parts: tuple[CellSet, CellSet, CellSet], names: Collection[str]
) -> tuple[CellSet, CellSet, CellSet]:
    """A split whose training and validation cells of these families go to the others; each space needs not have all."""
    training, validation, rest = parts
    if not names:
        return parts
    (training, aside), (validation, more) = (_apart(part, names) for part in (training, validation))
    return training, validation, rest.joined(aside).joined(more)


def _apart(cells: CellSet, names: Collection[str]) -> tuple[CellSet, CellSet]:
    """(cells of other families, cells of these)."""
    among = [cells.space.family_of(genotype) in names for genotype in cells.genotypes]
    kept, aside = ([i for i, inside in enumerate(among) if inside is wanted] for wanted in (False, True))
    return cells.subset(kept), cells.subset(aside)


def _without_graph(architecture: ConstructedArchitecture) -> ConstructedArchitecture:
    """Keep what is run; thousands of graphs would fill the memory."""
    return replace(architecture, graph_module=_NO_GRAPH, coverage=())
