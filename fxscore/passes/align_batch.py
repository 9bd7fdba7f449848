"""What is encoded is brought to (B, …): time-first sequences, and images or frames folded into the batch."""

from __future__ import annotations

from typing import Any

import torch
from torch import fx

from fxscore.ops import encode, encode_rows
from fxscore.passes.base import PassBase, PassResult, shape_of
from fxscore.passes.batch_axis import BatchAxis, batch_axes


class AlignBatchPass(PassBase):
    """Moves the batch of every encoded value to the front, and takes what is folded into it out again.

    Frames and folded images are then positions like any other, over which the encoding is averaged. A value in which
    no batch is found (a graph's nodes) is encoded by its positions, averaged into as many rows as the scorer has.
    """

    def call(self, graph_module: fx.GraphModule) -> PassResult:
        rows: int = graph_module.meta["rows"]
        found = batch_axes(graph_module)
        moved = [
            node
            for node in graph_module.graph.nodes
            if node.target is encode and not _is_plain(node.args[0], found, rows)
        ]
        for node in moved:
            _align(node, found.get(node.args[0]), rows)
        return PassResult(graph_module, bool(moved))


def _is_plain(value: Any, found: dict[fx.Node, BatchAxis], rows: int) -> bool:
    """Whether the first axis is the batch, or may be: where nothing is known but its length fits."""
    shape = shape_of(value) or (0,)
    return shape[0] == rows and found.get(value, BatchAxis(0)) == BatchAxis(0)


def _align(encoding: fx.Node, place: BatchAxis | None, rows: int) -> None:
    value, axis = encoding.args[:2]
    assert isinstance(value, fx.Node)
    assert isinstance(axis, int)
    if place is None:
        encoding.target, encoding.args = encode_rows, (value, axis, rows)
        encoding.meta["val"] = encode_rows(value.meta["val"], axis, rows)
        return
    shape = list(shape_of(value) or ())
    outer, inner = ([size] * (size > 1) for size in (shape[place.axis] // (rows * place.inner), place.inner))
    split = [*shape[: place.axis], *outer, rows, *inner, *shape[place.axis + 1 :]]
    front = place.axis + len(outer)
    order = [front, *(other for other in range(len(split)) if other != front)]
    if axis == place.axis:  # channels are on another axis, if there is one
        axis = order[-1] if len(order) > 1 else axis
    elif axis > place.axis:
        axis += len(outer) + len(inner)
    apart = _call(encoding, torch.reshape, value, tuple(split))
    aligned = _call(encoding, torch.permute, apart, tuple(order))
    encoding.args = (aligned, order.index(axis) if axis in order else len(order))
    encoding.meta["val"] = encode(aligned.meta["val"], encoding.args[1])


def _call(before: fx.Node, target: Any, value: fx.Node, argument: tuple[int, ...]) -> fx.Node:
    with before.graph.inserting_before(before):
        node = before.graph.call_function(target, (value, argument))
    node.meta.update(val=target(value.meta["val"], argument), represented=True)
    return node
