"""NDS: cells of five search spaces in networks of varying width and depth (Radosavovic et al., ICCV 2019).

Every node adds two operations on any earlier nodes (the same one twice is allowed). The output joins all
inner nodes (PNAS, DARTS) or those that no other node uses (NASNet, Amoeba, ENAS). Networks, stems and
reductions are those of DARTS for CIFAR-10 and ImageNet; auxiliary heads end with training and are left out.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from fxscore.errors import SpaceError
from fxscore.spaces.base import SearchSpace, Value, Variable
from fxscore.spaces.cells import CellNetwork, CellPlan, Edge, checked, parse_cell
from fxscore.spaces.files.entries import Entry
from fxscore.spaces.files.nds_jobs import read_nds_jobs
from fxscore.spaces.table import BenchmarkTable


@dataclass(frozen=True)
class Family:
    """One of the five spaces: operations, inner nodes per cell, whether the output joins all of them."""

    operations: tuple[str, ...]
    nodes: int
    joins_all: bool


_POOLS = ("avg_pool_3x3", "max_pool_3x3")
_SEPARABLE = ("sep_conv_3x3", "sep_conv_5x5")
FAMILIES = {  # NDS paper, table 3
    "nasnet": Family(
        (
            *("skip_connect", "conv_3x1_1x3", "conv_7x1_1x7", "dil_conv_3x3", *_POOLS, "max_pool_5x5"),
            *("max_pool_7x7", "conv_1x1", "conv_3x3", *_SEPARABLE, "sep_conv_7x7"),
        ),
        nodes=5,
        joins_all=False,
    ),
    "amoeba": Family(
        ("skip_connect", *_SEPARABLE, "sep_conv_7x7", *_POOLS, "dil_sep_conv_3x3", "conv_7x1_1x7"),
        nodes=5,
        joins_all=False,
    ),
    "pnas": Family(
        (*_SEPARABLE, "sep_conv_7x7", "conv_7x1_1x7", "skip_connect", *_POOLS, "dil_conv_3x3"),
        nodes=5,
        joins_all=True,
    ),
    "enas": Family(("skip_connect", *_SEPARABLE, *_POOLS), nodes=5, joins_all=False),
    "darts": Family(
        ("none", *reversed(_POOLS), "skip_connect", *_SEPARABLE, "dil_conv_3x3", "dil_conv_5x5"),
        nodes=4,
        joins_all=True,
    ),
}
# (widths, depths) that the authors drew from; files may hold others.
_DRAWN = {
    "cifar10": ((16, 24, 32), (4, 8, 12, 16, 20)),
    "imagenet": ((32, 48, 64, 80, 96), (6, 10, 14, 18, 22)),
}
_WIDTHS, _DEPTHS = tuple(range(4, 129, 4)), tuple(range(2, 41))


@dataclass(frozen=True)
class Network:
    """Two cells, the width of the first cell and the number of cells."""

    normal: CellPlan
    reduce: CellPlan
    width: int
    depth: int


class NDS(SearchSpace[Network]):
    """One family on one data set. Text form: `32x20:op~i+op~j|…>2,3/…>…`, width × depth first."""

    def __init__(self, family: str = "darts", dataset: str = "cifar10") -> None:
        if family not in FAMILIES or dataset not in _DRAWN:
            raise SpaceError(
                f"no NDS space {family!r} on {dataset!r}: {', '.join(FAMILIES)} on {', '.join(_DRAWN)}"
            )
        self.family, self.dataset = FAMILIES[family], dataset
        self.name = f"nds_{family}" + ("_in" if dataset == "imagenet" else "")
        self.input_shape = (3, 224, 224) if dataset == "imagenet" else (3, 32, 32)
        self.variables = (*_cell_variables("normal", self.family), *_cell_variables("reduce", self.family))
        self.variables += (Variable("width", _WIDTHS, ordered=True), Variable("depth", _DEPTHS, ordered=True))

    def values_of(self, genotype: Network) -> tuple[Value, ...]:
        """Source and operation of every edge, then width and depth."""
        edges = [*genotype.normal.edges, *genotype.reduce.edges]
        flat = [value for operation, source in edges for value in (source, operation)]
        # Node 2 chooses between nodes 0 and 1, so every edge has a variable for its source.
        return (*flat, genotype.width, genotype.depth)

    def from_values(self, values: tuple[Value, ...]) -> Network:
        """The network whose cells join what the family joins."""
        *flat, width, depth = values
        edges = [(str(flat[i + 1]), int(flat[i])) for i in range(0, len(flat), 2)]
        half = len(edges) // 2
        return Network(self._plan(edges[:half]), self._plan(edges[half:]), int(width), int(depth))

    def _plan(self, edges: Sequence[Edge]) -> CellPlan:
        inner = range(2, 2 + self.family.nodes)
        used = set() if self.family.joins_all else {source for _, source in edges}
        return CellPlan(tuple(edges), tuple(node for node in inner if node not in used))

    def format(self, genotype: Network) -> str:
        """Width × depth, a colon, and the two cells joined by a slash."""
        return f"{genotype.width}x{genotype.depth}:{genotype.normal}/{genotype.reduce}"

    def parse(self, text: str) -> Network:
        """Read the text form; `SpaceError` names what is wrong."""
        match = re.fullmatch(r"(\d+)x(\d+):([^/]*)/([^/]*)", text.strip())
        if match is None:
            raise SpaceError(f"{self.name}: {text!r} must read WIDTHxDEPTH:cell/cell")
        width, depth = int(match[1]), int(match[2])
        try:
            normal, reduce = (self._parse_cell(match[i]) for i in (3, 4))
            self._check_size(width, depth)
        except SpaceError as error:
            raise SpaceError(f"{self.name}: {error}") from None
        return Network(normal, reduce, width, depth)

    def _parse_cell(self, text: str) -> CellPlan:
        return parse_cell(text, self.family.operations, self.family.nodes)

    def _check_size(self, width: int, depth: int) -> None:
        for variable, value in zip(self.variables[-2:], (width, depth), strict=True):
            variable.index(value)

    def sample(self, generator: torch.Generator) -> Network:
        """Uniform over cells, and over the widths and depths that the authors drew from."""
        drawn = self.decode(self._random_vector(generator))
        width, depth = (
            choices[int(torch.randint(len(choices), (), generator=generator))]
            for choices in _DRAWN[self.dataset]
        )
        return Network(drawn.normal, drawn.reduce, width, depth)

    def build(self, genotype: Network) -> nn.Module:
        """The network, with ten classes or a thousand."""
        imagenet = self.dataset == "imagenet"
        size = genotype.width, genotype.depth, 1000 if imagenet else 10
        return CellNetwork(genotype.normal, genotype.reduce, *size, imagenet)

    def read_official(self, path: str | Path) -> BenchmarkTable[Network]:
        """Read `nds_data/*.json`: a list of jobs, or the lists `top` and `mid`.

        The label is 100 − the test error of the last epoch. Published numbers of parameters count the
        auxiliary heads where a job trained with one.
        """
        return read_nds_jobs(path, self.name, self.dataset, self._network)

    def _network(self, net: Entry) -> Network:
        width, depth = (int(net[key].number(1)) for key in ("width", "depth"))
        genotype = net["genotype"]
        try:
            self._check_size(width, depth)
            return Network(self._cell(genotype, "normal"), self._cell(genotype, "reduce"), width, depth)
        except SpaceError as error:
            raise genotype.fail(str(error)) from None

    def _cell(self, genotype: Entry, cell: str) -> CellPlan:
        pairs = [pair.elements() for pair in genotype[cell].elements()]
        edges = tuple((operation.text(), int(source.number())) for operation, source in pairs)
        joined = tuple(int(node) for node in genotype[f"{cell}_concat"].numbers())
        if len(edges) != 2 * self.family.nodes:
            raise SpaceError(f"the {cell} cell has {len(edges)} edges, not {2 * self.family.nodes}")
        return checked(CellPlan(edges, joined), self.family.operations)


def _cell_variables(cell: str, family: Family) -> list[Variable]:
    variables = []
    for node in range(2, 2 + family.nodes):
        for side in ("first", "second"):
            variables.append(Variable(f"{cell}_{node}_{side}_source", tuple(range(node))))
            variables.append(Variable(f"{cell}_{node}_{side}", family.operations))
    return variables
