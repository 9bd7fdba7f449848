"""NAS-Bench-101: one cell, a graph of at most seven vertices and nine edges, nine times in a skeleton.

Skeleton (Ying et al., ICML 2019, section 2): conv3×3-BN-ReLU to 128 channels; three stacks of three cells,
the width doubled and a 2×2 max pool before the second and third; global average, linear. In a cell an inner
vertex adds its inputs and applies its operation; what leaves the cell's input passes a conv1×1-BN-ReLU
projection; the output concatenates the vertices that reach it and adds the projected input if that does too.
Vertex widths: the output's width divided evenly, earlier vertices one channel more where it does not divide;
a vertex off the output is as wide as the widest vertex it feeds, which truncates it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import torch
from torch import Tensor, nn

from fxscore.errors import SpaceError
from fxscore.spaces.base import SearchSpace, Value, Variable
from fxscore.spaces.files import nasbench101 as files
from fxscore.spaces.graph_hash import graph_hash, vertex_hashes
from fxscore.spaces.layers import Classifier, conv_bn_relu
from fxscore.spaces.table import BenchmarkTable

OPERATIONS = ("conv3x3-bn-relu", "conv1x1-bn-relu", "maxpool3x3")
MAX_VERTICES, MAX_EDGES = 7, 9

_PAIRS = tuple(combinations(range(MAX_VERTICES), 2))


@dataclass(frozen=True)
class Cell:
    """A pruned cell: the inner vertices' operations, and the edges (source, target) in order.

    Vertex 0 is the input and vertex `len(operations) + 1` the output.
    """

    operations: tuple[str, ...]
    edges: tuple[tuple[int, int], ...]

    @property
    def output(self) -> int:
        """The number of the output vertex."""
        return len(self.operations) + 1

    def sources(self, target: int) -> list[int]:
        """The vertices with an edge to `target`."""
        return [source for source, other in self.edges if other == target]

    def labels(self) -> list[int]:
        """The numbers under which the benchmark hashes the vertices."""
        return [-1, *(OPERATIONS.index(operation) for operation in self.operations), -2]

    def matrix(self) -> list[list[int]]:
        """The adjacency matrix, upper triangular."""
        span = range(self.output + 1)
        return [[int((source, target) in self.edges) for target in span] for source in span]


class NASBench101(SearchSpace[Cell]):
    """The 423,624 cells, for CIFAR-10. Text form: adjacency digits row by row, a colon, the operations.

    Cells are held pruned: as in the benchmark, vertices on no path from input to output are dropped.
    """

    name = "nasbench101"
    input_shape = (3, 32, 32)
    variables = tuple(Variable(f"edge_{i}_{j}", (0, 1)) for i, j in _PAIRS) + tuple(
        Variable(f"vertex_{i}", OPERATIONS) for i in range(1, MAX_VERTICES - 1)
    )

    def values_of(self, genotype: Cell) -> tuple[Value, ...]:
        """Edge bits and operations in a frame of seven vertices; spare vertices stand before the output."""
        moved = {genotype.output: MAX_VERTICES - 1}
        edges = {(source, moved.get(target, target)) for source, target in genotype.edges}
        spare = (OPERATIONS[0],) * (MAX_VERTICES - 2 - len(genotype.operations))
        return (*(int(pair in edges) for pair in _PAIRS), *genotype.operations, *spare)

    def from_values(self, values: tuple[Value, ...]) -> Cell:
        """The pruned cell; `SpaceError` where input and output are apart or more than nine edges remain."""
        bits, operations = values[: len(_PAIRS)], tuple(map(str, values[len(_PAIRS) :]))
        return self.cell(operations, tuple(pair for pair, bit in zip(_PAIRS, bits, strict=True) if bit))

    def cell(self, operations: Sequence[str], edges: Sequence[tuple[int, int]]) -> Cell:
        """Prune and check: the member of the space that these operations and edges stand for."""
        pruned = _prune(Cell(tuple(operations), tuple(sorted(edges))))
        if not pruned.edges:
            raise SpaceError(f"{self.name}: no path leads from the input to the output")
        if pruned.output >= MAX_VERTICES or len(pruned.edges) > MAX_EDGES:
            raise SpaceError(
                f"{self.name}: {pruned.output + 1} vertices and {len(pruned.edges)} edges; "
                f"at most {MAX_VERTICES} and {MAX_EDGES} belong to the space"
            )
        return pruned

    def format(self, genotype: Cell) -> str:
        """`0110…:input,conv1x1-bn-relu,…,output`."""
        digits = "".join(str(bit) for row in genotype.matrix() for bit in row)
        return f"{digits}:{','.join(('input', *genotype.operations, 'output'))}"

    def parse(self, text: str) -> Cell:
        """Read the text form; `SpaceError` names a wrong digit, edge or operation."""
        digits, _, names = text.strip().partition(":")
        operations = names.split(",")
        if operations[0] != "input" or operations[-1] != "output" or len(operations) < 2:
            raise SpaceError(f"{self.name}: {names!r} must read input,…,output")
        if unknown := [name for name in operations[1:-1] if name not in OPERATIONS]:
            raise SpaceError(f"{self.name}: {unknown[0]!r} is not one of {', '.join(OPERATIONS)}")
        return self.cell(operations[1:-1], self._edges(digits, len(operations)))

    def _edges(self, digits: str, vertices: int) -> list[tuple[int, int]]:
        if len(digits) != vertices**2 or set(digits) - set("01"):
            raise SpaceError(f"{self.name}: {digits!r} is not {vertices} × {vertices} digits of 0 and 1")
        edges = [divmod(place, vertices) for place, digit in enumerate(digits) if digit == "1"]
        if backward := [edge for edge in edges if edge[0] >= edge[1]]:
            raise SpaceError(f"{self.name}: edge {backward[0]} does not lead forward")
        return edges

    def neighbours(self, genotype: Cell) -> Iterator[Cell]:
        """One edge or operation changed, or (as pruning hides spare vertices) one edge split by a vertex."""
        seen = set()
        for changed in super().neighbours(genotype):
            seen.add(changed)
            yield changed
        for changed in self._splits(genotype):
            if changed not in seen:
                seen.add(changed)
                yield changed

    def _splits(self, genotype: Cell) -> Iterator[Cell]:
        if genotype.output + 1 >= MAX_VERTICES or len(genotype.edges) >= MAX_EDGES:
            return
        for edge in genotype.edges:
            yield from (_split(genotype, edge, operation) for operation in OPERATIONS)

    @property
    def size(self) -> int:
        """The number of cells that the benchmark counts as different (its section 2.1)."""
        return 423_624

    def isomorphism_key(self, genotype: Cell) -> str:
        """The benchmark's own graph hash, equal for cells that differ in vertex order.

        Where the output's width does not divide among the vertices it joins, the first of them (by number)
        are a channel wider, so that such cells build networks that differ by single channels.
        """
        return graph_hash(genotype.matrix(), genotype.labels())

    def build(self, genotype: Cell) -> nn.Module:
        """The benchmark's network, ten classes."""
        layers, channels = conv_bn_relu(3, 128, 3), 128
        for stack in range(3):
            if stack:
                layers.append(nn.MaxPool2d(2, 2, ceil_mode=True))
            widths = [channels if stack == 0 else channels // 2, channels, channels]
            layers += [CellModule(genotype, inputs, channels) for inputs in widths]
            channels *= 2
        return nn.Sequential(*layers, Classifier(channels // 2, 10))

    def read_official(self, path: str | Path) -> BenchmarkTable[Cell]:
        """Read the official `.tfrecord` (108 epochs, means of its runs), or a table of cells.

        Rows are grouped by graph hash: a table of draws may hold one cell many times.
        """
        if Path(path).suffix == ".tfrecord":
            return files.read_tfrecord(self.name, path, self.parse)
        return files.read_csv(self.name, path, self.parse, self.isomorphism_key)


def _prune(cell: Cell) -> Cell:
    """Keep the vertices that the input reaches and that reach the output, in their order."""
    forward, backward = {0}, {cell.output}
    for source, target in sorted(cell.edges):
        if source in forward:
            forward.add(target)
    for source, target in sorted(cell.edges, reverse=True):
        if target in backward:
            backward.add(source)
    kept = sorted(forward & backward)
    number = {vertex: place for place, vertex in enumerate(kept)}
    edges = tuple((number[s], number[t]) for s, t in cell.edges if s in number and t in number)
    return Cell(tuple(cell.operations[vertex - 1] for vertex in kept[1:-1]), edges)


def _split(cell: Cell, edge: tuple[int, int], operation: str) -> Cell:
    """Put a new vertex on an edge, just after the edge's source."""
    source, target = edge
    shifted = {(s + (s > source), t + (t > source)) for s, t in cell.edges if (s, t) != edge}
    edges = shifted | {(source, source + 1), (source + 1, target + 1)}
    operations = (*cell.operations[:source], operation, *cell.operations[source:])
    return Cell(operations, tuple(sorted(edges)))


def vertex_channels(cell: Cell, inputs: int, outputs: int) -> list[int]:
    """The width of every vertex for a cell of given input and output width."""
    into_output = [vertex for vertex in cell.sources(cell.output) if vertex]
    share, spare = divmod(outputs, max(len(into_output), 1))
    widths = [inputs, *[0] * len(cell.operations), outputs]
    for place, vertex in enumerate(into_output):
        widths[vertex] = share + (place < spare)
    for vertex in range(cell.output - 1, 0, -1):
        if vertex not in into_output:
            widths[vertex] = max(widths[target] for source, target in cell.edges if source == vertex)
    return widths


class CellModule(nn.Module):
    """One cell from `inputs` to `outputs` channels.

    The output joins its vertices in the order of their hashes, not of their numbers: this only permutes
    channels, and makes isomorphic cells of equal widths one and the same network.
    """

    def __init__(self, cell: Cell, inputs: int, outputs: int) -> None:
        super().__init__()
        self.cell = cell
        self.widths = vertex_channels(cell, inputs, outputs)
        fed = [target for source, target in cell.edges if source == 0]
        self.projections = nn.ModuleDict({str(v): _conv(inputs, self.widths[v], 1) for v in fed})
        hashes = vertex_hashes(cell.matrix(), cell.labels())
        joined = [vertex for vertex in cell.sources(cell.output) if vertex]
        self.joined = tuple(sorted(joined, key=lambda vertex: (hashes[vertex], self.widths[vertex])))
        inner = enumerate(cell.operations, start=1)
        self.operations = nn.ModuleDict({str(v): _operation(name, self.widths[v]) for v, name in inner})

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, H, W) to (N, outputs, H, W)."""
        values = [x]
        for vertex in range(1, self.cell.output):
            values.append(self.operations[str(vertex)](self._sum(values, vertex)))
        joined = [values[vertex] for vertex in self.joined]
        if not joined:
            return self._projected(x, self.cell.output)
        out = torch.cat(joined, 1) if len(joined) > 1 else joined[0]
        return (
            out + self._projected(x, self.cell.output) if str(self.cell.output) in self.projections else out
        )

    def _sum(self, values: Sequence[Tensor], vertex: int) -> Tensor:
        width, sources = self.widths[vertex], self.cell.sources(vertex)
        terms = [values[source] for source in sources if source]
        terms = [term if term.shape[1] == width else term[:, :width] for term in terms]
        if 0 in sources:
            terms.append(self._projected(values[0], vertex))
        total = terms[0]
        for term in terms[1:]:
            total = total + term
        return total

    def _projected(self, x: Tensor, vertex: int) -> Tensor:
        projected: Tensor = self.projections[str(vertex)](x)
        return projected


def _operation(name: str, width: int) -> nn.Module:
    return nn.MaxPool2d(3, 1, 1) if name == "maxpool3x3" else _conv(width, width, 3 if "3x3" in name else 1)


def _conv(inputs: int, outputs: int, kernel: int) -> nn.Module:
    return nn.Sequential(*conv_bn_relu(inputs, outputs, kernel))
