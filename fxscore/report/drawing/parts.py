"""A captured graph as a tree of parts: calls of modules, and in the innermost ones their operators.

An operator that only goes on with the result of the one before it (a norm, an activation, a reshape) is one part with
it, as people speak of it: "Conv 3×3, BN, ReLU".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from torch import fx

from fxscore.capture.dependence import weight_nodes
from fxscore.report.drawing.captions import is_follower, is_glue, label

SEQUENCES = ("Sequential", "ModuleList", "ModuleDict")
Nodes = tuple[fx.Node, ...]


@dataclass(frozen=True, eq=False)
class Part:
    """A call of a module, an operator with its followers, or a run of equal parts.

    Attributes:
        title: the class of the module, or the operators' names.
        path: of the module; "" where it is none.
        nodes: in order of execution; of the first where there are several.
        children: what it consists of; empty where there is nothing more to show.
        copies: the nodes of each further equal one, in the order of `nodes`.
        is_call: whether it is the call of a module that calls others.
    """

    title: str
    path: str
    nodes: Nodes
    children: tuple[Part, ...] = ()
    copies: tuple[Nodes, ...] = ()
    is_call: bool = False

    @property
    def every_node(self) -> Nodes:
        """Its own nodes, and its copies'."""
        return (*self.nodes, *(node for copy in self.copies for node in copy))


def drawn_nodes(graph: fx.Graph) -> Nodes:
    """The operators between an input and an output, in order of execution."""
    _, from_input = weight_nodes(graph.nodes)
    wanted: set[fx.Node] = set()
    for node in reversed(graph.nodes):
        if node.op == "output" or node in wanted:
            wanted.update(node.all_input_nodes)
    return tuple(n for n in graph.nodes if n in wanted and n in from_input and n.op.startswith("call"))


def parts_of(nodes: Sequence[fx.Node], values: frozenset[fx.Node], level: int = 0) -> tuple[Part, ...]:
    """The parts that these nodes of one call form.

    Args:
        nodes: in order of execution, with the scopes of `fxscore.capture.scopes`.
        values: all nodes of the network that are drawn.
        level: how many calls lie around the parts.
    """

    def place(node: fx.Node) -> object:
        scope = node.meta.get("scope", ())
        return scope[level] if len(scope) > level else node

    found = [_part(tuple(run), values, level) for _, run in groupby(nodes, key=place)]
    return tuple(_joined(found, values))


def _part(nodes: Nodes, values: frozenset[fx.Node], level: int) -> Part:
    scope = nodes[0].meta.get("scope", ())
    if len(scope) <= level:
        return Part(label(nodes[0]), "", nodes)
    call = scope[level]
    children = parts_of(nodes, values, level + 1)
    if len(children) == 1:
        (only,) = children
        if only.children and only.title in SEQUENCES:  # what wraps it says more
            return replace(only, title=call.kind, path=call.path)
        return replace(only, path=only.path or call.path)
    calls_others = any(len(node.meta["scope"]) > level + 1 for node in nodes)
    return Part(call.kind, call.path, nodes, children, is_call=calls_others)


def _joined(parts: Sequence[Part], values: frozenset[fx.Node]) -> Iterator[Part]:
    """The parts, with each follower in the part that it goes on from."""
    found: list[Part] = []
    home: dict[fx.Node, int] = {}
    for part in parts:
        place = _place_to_join(part, found, home, values)
        if place is None:
            place = len(found)
            found.append(part)
        else:
            found[place] = _with_follower(found[place], part)
        home.update(dict.fromkeys(part.nodes, place))
    yield from found


def _place_to_join(
    part: Part, found: Sequence[Part], home: dict[fx.Node, int], values: frozenset[fx.Node]
) -> int | None:
    """Where a part goes on from a single value; None where it is a part of its own."""
    own = set(part.nodes)
    sources = {
        source for node in own for source in node.all_input_nodes if source in values and source not in own
    }
    if part.children or len(sources) != 1:
        return None
    (source,) = sources
    place = home.get(source)
    if place is None or found[place].children:
        return None
    alone = all(user in own for user in source.users)
    goes_on = all(map(is_follower, own)) or not found[place].title
    return place if all(map(is_glue, own)) or (alone and goes_on) else None


def _with_follower(part: Part, follower: Part) -> Part:
    titles = [title for title in (part.title, follower.title) if title]
    return replace(part, title=", ".join(titles), nodes=(*part.nodes, *follower.nodes))
