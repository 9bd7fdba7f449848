"""What a drawing shows: blocks with their sizes and shares, and the values that flow between them.

It is the captured graph with nodes put together: an edge leads from one block to another exactly where a value does.
Values between a block and its own copies are what ``×n`` says.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from torch import fx

from fxscore.capture.dependence import weight_nodes
from fxscore.costs import macs_of
from fxscore.costs.network import operator_name
from fxscore.report.drawing import captions
from fxscore.report.drawing.parts import SEQUENCES, Part, drawn_nodes, parts_of
from fxscore.report.drawing.repeats import folded, with_repeats

MOST_BLOCKS = 40  # of a drawing whose depth is not given
_LONGEST = 38  # letters of a title


@dataclass(frozen=True)
class Block:
    """One box.

    Attributes:
        title: what it is.
        detail: widths or the module's path.
        family: what its colour stands for (`captions.FAMILIES`), `input` or `output`.
        channels: of its result.
        times: how many of it stand in a row.
        params: learnable numbers, of all of them.
        macs: multiply-accumulates of one example, of all of them.
        nodes: names of the graph's nodes in it; of copies, too.
    """

    title: str
    detail: str
    family: str
    channels: int
    times: int = 1
    params: int = 0
    macs: int = 0
    nodes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Edge:
    """A value from one block, by its place among the blocks, to another, with its shapes (without the batch)."""

    source: int
    target: int
    shapes: tuple[str, ...]


@dataclass(frozen=True)
class Frame:
    """Blocks that stand in a row several times, together."""

    blocks: tuple[int, ...]
    times: int


@dataclass(frozen=True)
class Diagram:
    """A network as blocks and edges; params and MACs are of the whole network."""

    name: str
    blocks: tuple[Block, ...]
    edges: tuple[Edge, ...]
    frames: tuple[Frame, ...]
    params: int
    macs: int


def diagram_of(name: str, graph_module: fx.GraphModule, depth: int | None = None) -> Diagram:
    """The diagram of a graph that was captured with scopes.

    Args:
        name: of the network.
        graph_module: as `fxscore.costs.network.capture_for_costs` gives it.
        depth: how many levels of modules are opened; by default the most that leave at most `MOST_BLOCKS` blocks.
    """
    nodes = drawn_nodes(graph_module.graph)
    values = frozenset({*nodes, *(n for n in graph_module.graph.nodes if _is_input(n))})
    roots = _opened_roots(parts_of(nodes, values))
    parts = with_repeats([folded(part, values) for part in roots], values)
    return _Drawer(name, graph_module, parts, _depth(parts) if depth is None else depth).diagram()


def _is_input(node: fx.Node) -> bool:
    return node.op == "placeholder" or bool(node.meta.get("is_input"))


def _opened_roots(parts: tuple[Part, ...]) -> tuple[Part, ...]:
    """The network itself is always open, and so is what it only wraps."""
    while len(parts) == 1 and parts[0].children:
        parts = parts[0].children
    return parts


def _depth(parts: Iterable[Part]) -> int:
    depth = 0
    while _count(parts, depth) < _count(parts, depth + 1) <= MOST_BLOCKS:
        depth += 1
    return depth


def _count(parts: Iterable[Part], depth: int) -> int:
    return sum(
        _count(part.children, below) if (below := _opens(part, depth)) is not None else 1 for part in parts
    )


def _opens(part: Part, depth: int) -> int | None:
    """The depth left for what a part consists of; None where it stays closed. A run of several is always open."""
    if not part.children:
        return None
    if not part.title:
        return depth
    return depth - 1 if depth else None


@dataclass
class _Drawer:
    """Collects blocks, and in which of them each node is.

    Attributes:
        place: of each node, its block.
        copy: of each node, which copy of each run of equal parts around it it is in.
    """

    name: str
    graph_module: fx.GraphModule
    parts: Iterable[Part]
    depth: int
    blocks: list[Block] = field(default_factory=list)
    frames: list[Frame] = field(default_factory=list)
    place: dict[fx.Node, int] = field(default_factory=dict)
    copy: dict[fx.Node, dict[int, int]] = field(default_factory=lambda: defaultdict(dict))

    def diagram(self) -> Diagram:
        """Blocks in order of execution, between the inputs and the output."""
        self.batch: int = self.graph_module.meta["batch"]
        nodes = list(self.graph_module.graph.nodes)
        self.weights, self.from_input = weight_nodes(nodes)
        for node in filter(_is_input, nodes):
            self._add_end(node, "Input", "input")
        for part in self.parts:
            self._add(part, self.depth)
        self._add_end(nodes[-1], "Output", "output")
        blocks = self._with_sizes()
        total = sum(self.graph_module.meta["parameters"].values())
        macs = sum(map(self._macs, nodes))
        return Diagram(self.name, blocks, tuple(self._edges()), tuple(self.frames), total, macs)

    def _add_end(self, node: fx.Node, title: str, kind: str) -> None:
        source = node if kind == "input" else node.all_input_nodes[0]
        shape = captions.shape_text(captions.shape_in(source, self.batch))
        width = captions.channels(source, self.batch)
        self.place[node] = len(self.blocks)
        self.blocks.append(Block(title, shape, kind, width, nodes=(node.name,)))

    def _add(self, part: Part, depth: int) -> None:
        """Draw a part, opened as far as `depth` says, and put its copies' nodes where its own are."""
        start, below = len(self.blocks), _opens(part, depth)
        if below is None:
            self._add_block(part)
        else:
            for child in part.children:
                self._add(child, below)
            if part.copies:
                self.frames.append(Frame(tuple(range(start, len(self.blocks))), 1 + len(part.copies)))
        for number, nodes in enumerate((part.nodes, *part.copies)):
            for original, node in zip(part.nodes, nodes, strict=True):
                self.place[node] = self.place[original]
                self.copy[node] |= self.copy[original]
                if part.copies:
                    self.copy[node][id(part)] = number

    def _add_block(self, part: Part) -> None:
        working = (node for node in reversed(part.nodes) if not captions.is_glue(node))
        width = captions.channels(next(working, part.nodes[-1]), self.batch)
        detail = captions.widths(part.nodes, self.batch) if not part.children else part.path
        title = _title(part)
        self.place.update(dict.fromkeys(part.nodes, len(self.blocks)))
        self.blocks.append(Block(title, detail, captions.family(part.nodes), width, 1 + len(part.copies)))

    def _with_sizes(self) -> tuple[Block, ...]:
        params: Counter[int] = Counter()
        macs: Counter[int] = Counter()
        names: dict[int, list[str]] = defaultdict(list)
        for node, block in self._places_with_weights():
            params[block] += self._params(node)
            macs[block] += self._macs(node)
            if node in self.place:
                names[block].append(node.name)
        return tuple(
            Block(b.title, b.detail, b.family, b.channels, b.times, params[i], macs[i], tuple(names[i]))
            for i, b in enumerate(self.blocks)
        )

    def _places_with_weights(self) -> Iterator[tuple[fx.Node, int]]:
        """Each node with its block; what is computed from weights alone is in the block that first uses it."""
        place = dict(self.place)
        for node in reversed(self.graph_module.graph.nodes):
            found = [place[user] for user in node.users if user in place]
            if node in self.weights and found:
                place[node] = min(found)
        yield from place.items()

    def _params(self, node: fx.Node) -> int:
        return int(node.meta["val"].numel()) if node.meta.get("is_parameter") else 0

    def _macs(self, node: fx.Node) -> int:
        return macs_of(node) // (self.batch if node in self.from_input else 1)

    def _edges(self) -> Iterator[Edge]:
        shapes: dict[tuple[int, int], dict[str, None]] = defaultdict(dict)
        for target in self.place:
            for source in target.all_input_nodes:
                if source in self.place and self._is_drawn(source, target):
                    text = captions.shape_text(captions.shape_in(source, self.batch))
                    shapes[self.place[source], self.place[target]].setdefault(text)
        for (begin, end), found in sorted(shapes.items()):
            yield Edge(begin, end, tuple(found))

    def _is_drawn(self, source: fx.Node, target: fx.Node) -> bool:
        """Between different blocks, and not from one copy of a run to another."""
        mine, other = self.copy[source], self.copy[target]
        same_run = all(mine[run] == other[run] for run in mine.keys() & other.keys())
        return self.place[source] != self.place[target] and same_run


def _title(part: Part) -> str:
    """A sequence of few layers goes by these."""
    inside = ", ".join(child.title for child in part.children)
    if (
        part.title in SEQUENCES
        and len(inside) <= _LONGEST
        and not any(child.copies for child in part.children)
    ):
        return inside
    return part.title or operator_name(part.nodes[0]).capitalize()
