"""The flow of data through a constructed architecture: its operators, and what each is fed by.

Weights, constants and the observer are left out, nodes that only change a shape are looked through, and so is
everything that the input does not reach. Edges that carry only zeros were cut before (`FoldZerosPass`); a network
that returns zeros whatever it is fed has an empty flow.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from torch import fx

from fxscore.constructed import ConstructedArchitecture
from fxscore.graph_features.kinds import elements, kind_of
from fxscore.ops import zeros
from fxscore.passes.base import output_node
from fxscore.types import Shape

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Operator:
    """One operator of the flow.

    Attributes:
        node: its node.
        kind: one of `KINDS`, or `input`.
        sources: places of the operators that feed it, in the order of its operands; terms of sums may recur.
        elements: of its value, per image.
        weights: its operands that do not depend on the input.
    """

    node: fx.Node
    kind: str
    sources: tuple[int, ...]
    elements: int
    weights: tuple[fx.Node, ...] = ()


@dataclass(frozen=True)
class Flow:
    """Operators in execution order, the input first; empty where the output does not depend on the input.

    Attributes:
        operators: those on some way from the input to the output.
        output: place of the operator whose value is encoded.
        input_shape, batch, channels: as constructed.
    """

    operators: tuple[Operator, ...]
    output: int
    input_shape: Shape
    batch: int
    channels: int

    def count(self, *kinds: str) -> int:
        """The number of operators of these kinds."""
        return sum(operator.kind in kinds for operator in self.operators)


def trace_flow(constructed: ConstructedArchitecture) -> Flow:
    """The flow of a constructed architecture."""
    graph = constructed.graph_module.graph
    places, operators = _operators(graph, constructed.batch)
    (result,) = output_node(graph).all_input_nodes
    shape = tuple(constructed.input_shape) or (
        1,
    )  # of a network of token ids alone nothing but those is known
    sizes = (shape, constructed.batch, constructed.channels)
    if result not in places:
        return Flow((), 0, *sizes)
    kept = _reaching(operators, places[result])
    renumbered = {place: index for index, place in enumerate(kept)}
    chosen = [operators[place] for place in kept]
    return Flow(
        tuple(replace(o, sources=tuple(renumbered[s] for s in o.sources)) for o in chosen),
        renumbered[places[result]],
        *sizes,
    )


def _operators(graph: fx.Graph, batch: int) -> tuple[dict[fx.Node, int], list[Operator]]:
    """Operators in execution order, and of every node that depends on the input the operator that it stands for."""
    places: dict[fx.Node, int] = {}
    operators: list[Operator] = []
    for node in graph.nodes:
        if node.op == "output" or (node.op == "placeholder" and operators) or node.target is zeros:
            continue
        fed = [places[source] for source in node.all_input_nodes if source in places]
        if not fed and not (node.op == "placeholder" or node.meta.get("is_input")):
            continue
        kind = kind_of(node, len(fed)) if fed else "input"
        if kind == "shape":
            places[node] = fed[0]
            continue
        places[node] = len(operators)
        weights = tuple(source for source in node.all_input_nodes if source not in places)
        operators.append(Operator(node, kind, _sources(node, kind, places), elements(node, batch), weights))
    return places, operators


def _sources(node: fx.Node, kind: str, places: Mapping[fx.Node, int]) -> tuple[int, ...]:
    if kind == "sum":
        return tuple(places[arg] for arg in node.args if isinstance(arg, fx.Node) and arg in places)
    return tuple(dict.fromkeys(places[source] for source in node.all_input_nodes if source in places))


def _reaching(operators: list[Operator], output: int) -> list[int]:
    """Places of the operators on which the output depends."""
    wanted = {output}
    for place in range(output, -1, -1):
        if place in wanted:
            wanted.update(operators[place].sources)
    return sorted(wanted)
