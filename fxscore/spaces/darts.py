"""DARTS cells: a normal and a reduction cell of four nodes each (Liu et al., ICLR 2019).

Every node adds two of seven operations on two different earlier nodes, and the output joins all four nodes.
The default size is that of NAS-Bench-301 (Zela et al., ICLR 2022): 8 cells from 32 channels, for CIFAR-10;
DARTS itself trains 20 cells from 36. Both have BatchNorm with affine parameters throughout.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn

from fxscore.errors import SpaceError
from fxscore.spaces.base import SearchSpace, Value, Variable
from fxscore.spaces.cells import CellNetwork, CellPlan, Edge, checked, parse_cell
from fxscore.spaces.files.csv_rows import column, read_rows
from fxscore.spaces.files.darts_json import read_results
from fxscore.spaces.table import BenchmarkTable

NODES = 4
OPERATIONS = (
    "max_pool_3x3",
    "avg_pool_3x3",
    "skip_connect",
    "sep_conv_3x3",
    "sep_conv_5x5",
    "dil_conv_3x3",
    "dil_conv_5x5",
)  # in the order of the compact form

_JOINED = tuple(range(2, 2 + NODES))
_COMPACT = "compact_normal_and_reduce"
_SURROGATE = "surrogate accuracies: predicted by NAS-Bench-301's model, not trained"


@dataclass(frozen=True)
class Cells:
    """The two cells; in every node the edge from the earlier source comes first."""

    normal: CellPlan
    reduce: CellPlan


class DARTS(SearchSpace[Cells]):
    """About 10¹⁸ pairs of cells. Text form: `op~i+op~j|…>2,3,4,5/…`, normal before reduction."""

    name = "darts"
    variables = tuple(
        variable
        for cell in ("normal", "reduce")
        for node in _JOINED
        for variable in (
            Variable(f"{cell}_{node}_sources", tuple(f"{i}_{j}" for i, j in combinations(range(node), 2))),
            Variable(f"{cell}_{node}_first", OPERATIONS),
            Variable(f"{cell}_{node}_second", OPERATIONS),
        )
        if len(variable.values) > 1
    )

    def __init__(self, width: int = 32, depth: int = 8, classes: int = 10, imagenet: bool = False) -> None:
        self._options = (width, depth, classes, imagenet)
        self.input_shape = (3, 224, 224) if imagenet else (3, 32, 32)

    def values_of(self, genotype: Cells) -> tuple[Value, ...]:
        """Sources (where there is a choice) and two operations per node, normal before reduction."""
        return (*_cell_values(genotype.normal), *_cell_values(genotype.reduce))

    def from_values(self, values: tuple[Value, ...]) -> Cells:
        """Read what `values_of` gives."""
        half = len(values) // 2
        return Cells(_cell(values[:half]), _cell(values[half:]))

    def format(self, genotype: Cells) -> str:
        """The two cells' texts joined by a slash."""
        return f"{genotype.normal}/{genotype.reduce}"

    def parse(self, text: str) -> Cells:
        """Read the text form; `SpaceError` names an unknown operation, source or joined node."""
        normal, _, reduce = text.strip().partition("/")
        try:
            return Cells(*(_canonical(parse_cell(cell, OPERATIONS, NODES)) for cell in (normal, reduce)))
        except SpaceError as error:
            raise SpaceError(f"{self.name}: {error}") from None

    def from_compact(self, text: str) -> Cells:
        """Read NASLib's compact form: two lists of eight (source, operation number)."""
        try:
            normal, reduce = ast.literal_eval(text)
            plans = [_compact_plan(cell) for cell in (normal, reduce)]
        except (ValueError, TypeError, SyntaxError, IndexError) as error:
            raise SpaceError(f"{self.name}: {text!r} is no compact pair of cells ({error})") from None
        return Cells(*map(_canonical, plans))

    def build(self, genotype: Cells) -> nn.Module:
        """The network of these cells, of the size that the space was made with."""
        return CellNetwork(genotype.normal, genotype.reduce, *self._options)

    def read_official(self, path: str | Path) -> BenchmarkTable[Cells]:
        """Read a folder of NAS-Bench-301's `results_N.json`, or a table of surrogate labels."""
        if Path(path).is_dir() or Path(path).suffix == ".json":
            return read_results(self.name, path, self._from_edges)
        rows = read_rows(path, (_COMPACT, "surrogate_valid_acc", "params_millions", "flops_millions"))
        genotypes = tuple(row.parse(_COMPACT, self.from_compact) for row in rows)
        labels = {"cifar10_surrogate.valid": column(rows, "surrogate_valid_acc", 0.0, 100.0)}
        params, flops = (np.round(column(rows, f"{k}_millions", 0.0) * 1e6) for k in ("params", "flops"))
        return BenchmarkTable(self.name, genotypes, labels, params=params, flops=flops, caution=_SURROGATE)

    def _from_edges(self, normal: Sequence[Edge], reduce: Sequence[Edge]) -> Cells:
        return Cells(*(_canonical(CellPlan(tuple(edges), _JOINED)) for edges in (normal, reduce)))


def _cell_values(plan: CellPlan) -> list[Value]:
    values: list[Value] = []
    for i in range(0, len(plan.edges), 2):
        (first, a), (second, b) = plan.edges[i : i + 2]
        values += [first, second] if i == 0 else [f"{a}_{b}", first, second]
    return values


def _cell(values: Sequence[Value]) -> CellPlan:
    texts = ["0_1", *map(str, values)]  # node 2 has no choice of sources
    edges: list[Edge] = []
    for i in range(0, len(texts), 3):
        a, b = map(int, texts[i].split("_"))
        edges += [(texts[i + 1], a), (texts[i + 2], b)]
    return CellPlan(tuple(edges), _JOINED)


def _canonical(plan: CellPlan) -> CellPlan:
    """The checked plan with every node's edges in the order of their sources; a sum knows no order."""
    if plan.concat != _JOINED or len(plan.edges) != 2 * NODES:
        raise SpaceError(f"a DARTS cell has {NODES} nodes and joins all of them, not {plan}")
    checked(plan, OPERATIONS)
    edges: list[Edge] = []
    for i in range(0, len(plan.edges), 2):
        pair = sorted(plan.edges[i : i + 2], key=lambda edge: edge[1])
        if pair[0][1] == pair[1][1]:
            raise SpaceError(f"node {i // 2 + 2} takes node {pair[0][1]} twice; DARTS wants two sources")
        edges += pair
    return CellPlan(tuple(edges), _JOINED)


def _compact_plan(cell: Sequence[Any]) -> CellPlan:
    pairs = [(int(source), int(number)) for source, number in cell]
    if any(not 0 <= number < len(OPERATIONS) for _, number in pairs):
        raise SpaceError(f"operation numbers go from 0 to {len(OPERATIONS) - 1}: {cell}")
    return CellPlan(tuple((OPERATIONS[number], source) for source, number in pairs), _JOINED)
