"""The invariances over NAS-Bench-201 cells: writing, isomorphism, and that different cells differ."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from fxscore.constructed import construct
from fxscore.scorer.ft_scorenet import FTScoreNet
from fxscore.scorer.subject import Subject
from fxscore.spaces.nasbench201 import EDGES, OPERATIONS, Cell, NASBench201, Network
from tests.invariance.conftest import SHAPE
from tests.strategies import retrained

SPACE = NASBench201()
WIDTH = 4
Equal = Callable[[nn.Module, nn.Module], None]
cells = st.tuples(*(st.sampled_from(OPERATIONS),) * len(EDGES)).map(Cell)


class OwnCell(nn.Module):
    """The cell once more, in another hand: functional, in place, operands of sums in any order."""

    def __init__(self, cell: Cell, channels: int, seed: int) -> None:
        super().__init__()
        self.choice = random.Random(seed)
        self.operations = dict(zip(EDGES, cell.operations, strict=True))
        self.weights = nn.ParameterDict()
        for (i, j), operation in self.operations.items():
            if operation.startswith("nor_conv"):
                size = int(operation[-1])
                self.weights[f"w{j}{i}"] = nn.Parameter(torch.randn(channels, channels, size, size))
                self.weights[f"scale{j}{i}"] = nn.Parameter(torch.ones(channels))

    def forward(self, x: Tensor) -> Tensor:
        nodes = [x]
        for target in (1, 2, 3):
            terms = [self.edge(nodes[source], source, target) for source in range(target)]
            self.choice.shuffle(terms)
            total = terms.pop()
            while terms:
                if self.choice.random() < 0.5:
                    total = terms.pop() + total
                else:
                    total = F.dropout(total, 0.2, self.training).clone()
                    total += terms.pop()
            nodes.append(total)
        return nodes[-1]

    def edge(self, x: Tensor, source: int, target: int) -> Tensor:
        operation = self.operations[source, target]
        if operation == "none":
            return torch.zeros_like(x)
        if operation == "skip_connect":
            return x
        if operation == "avg_pool_3x3":
            return F.avg_pool2d(x, (3, 3), 1, (1, 1), count_include_pad=False)
        weight = self.weights[f"w{target}{source}"]
        y = F.conv2d(torch.relu(F.relu(x)), weight, padding=weight.shape[-1] // 2)
        return F.batch_norm(y, None, None, self.weights[f"scale{target}{source}"], training=True)


def build(cell: Cell) -> Network:
    """One cell a stage: the same computations as the whole network has, in a third of the time."""
    return Network(cell.operations, classes=10, width=WIDTH, cells=1)


def rewritten(cell: Cell, seed: int) -> Network:
    network = build(cell)
    for stage in range(3):
        network.cells[2 * stage] = OwnCell(cell, WIDTH * 2**stage, seed + stage)
    return network


def terms(cell: Cell) -> tuple[str, ...]:
    """What the last node sums: the benchmark's string form with zeros cut and nested sums flattened."""
    nodes: list[tuple[str, ...]] = [("input",)]
    for target in (1, 2, 3):
        found: list[str] = []
        for (i, j), operation in zip(EDGES, cell.operations, strict=True):
            if j != target or operation == "none" or not nodes[i]:
                continue
            found += nodes[i] if operation == "skip_connect" else [f"{operation}({'+'.join(nodes[i])})"]
        nodes.append(tuple(sorted(found)))
    return nodes[-1]


def nodes_exchanged(cell: Cell) -> Cell:
    """Nodes 1 and 2 under each other's number; there must be no edge between them."""
    edges = dict(zip(EDGES, cell.operations, strict=True))
    other = {0: 0, 1: 2, 2: 1, 3: 3}
    return Cell(tuple(edges[other[i], other[j]] if (i, j) != (1, 2) else "none" for i, j in EDGES))


@settings(max_examples=4)
@given(cell=cells, seed=st.integers(0, 999))
def test_initialisation_and_training_change_nothing(cell: Cell, seed: int, assert_equal: Equal) -> None:
    assert_equal(build(cell), retrained(build(cell), seed).train())


@settings(max_examples=10)
@given(cell=cells, seed=st.integers(0, 999))
def test_another_hand_changes_nothing(cell: Cell, seed: int, assert_equal: Equal) -> None:
    assert_equal(build(cell), rewritten(cell, seed))


@settings(max_examples=6)
@given(cell=cells)
def test_numbers_of_nodes_change_nothing(cell: Cell, assert_equal: Equal) -> None:
    cell = replace(cell, operations=(*cell.operations[:2], "none", *cell.operations[3:]))
    assert_equal(build(cell), build(nodes_exchanged(cell)))


@st.composite
def pairs(draw: st.DrawFn) -> tuple[Cell, Cell]:
    """Two cells that differ in one edge, or in more."""
    first = draw(cells)
    if draw(st.booleans()):
        return first, draw(cells)
    place, operation = draw(st.integers(0, 5)), draw(st.sampled_from(OPERATIONS))
    changed = (*first.operations[:place], operation, *first.operations[place + 1 :])
    return first, Cell(changed)


@settings(max_examples=25)
@given(pair=pairs())
def test_fingerprints_differ_exactly_where_cells_do(pair: tuple[Cell, Cell]) -> None:
    first, second = (construct(build(cell), SHAPE, batch=2).fingerprint for cell in pair)
    assert (first == second) == (terms(pair[0]) == terms(pair[1]))


def test_different_cells_get_different_scores(scorer: FTScoreNet) -> None:
    texts = (
        "|nor_conv_3x3~0|+|none~0|nor_conv_3x3~1|+|skip_connect~0|none~1|nor_conv_3x3~2|",
        "|avg_pool_3x3~0|+|none~0|nor_conv_1x1~1|+|skip_connect~0|none~1|skip_connect~2|",
        "|skip_connect~0|+|none~0|none~1|+|skip_connect~0|nor_conv_1x1~1|none~2|",
    )
    found = [scorer.score(Subject(build(SPACE.parse(text)), SHAPE)) for text in texts]
    assert len(set(found)) == len(texts), found
