"""Learnable input: the graph's inputs become the input-like tensor, the synthesised weights and the observer."""

from __future__ import annotations

from operator import getitem
from typing import Any

import torch
from torch import fx

from fxscore.input_like import complex_input, further_input
from fxscore.passes.base import PassBase, PassResult, replace
from fxscore.types import Shape

INPUTS = ("input_like", "weights", "observer")


class PrepareInputsPass(PassBase):
    """Names the leading captured input `input_like`, makes others of it, and adds `weights` and `observer`.

    Inputs without a batch axis are the first row of what stands for inputs with one.

    Source: METHOD.md section 1.
    """

    def call(self, graph_module: fx.GraphModule) -> PassResult:
        graph = graph_module.graph
        placeholders = [node for node in graph.nodes if node.op == "placeholder"]
        if [node.target for node in placeholders] == list(INPUTS):
            return PassResult(graph_module, False)
        first = _leading(graph_module, placeholders) if placeholders else _unused_input(graph)
        placeholders = [first, *(node for node in placeholders if node is not first)]
        first.target = first.name = INPUTS[0]
        last = placeholders[-1]
        for name in INPUTS[1:]:
            with graph.inserting_after(last):
                last = graph.placeholder(name)
        rows = graph_module.meta["rows"]
        for place, further in enumerate(placeholders[1:], start=1):
            batched, shape = further.meta["batched"], _own_shape(further)
            last = _call_after(last, further_input, (first, shape, place), further)
            last.meta["val"] = torch.empty((rows, *shape), device="meta")
            last = _as_complex(last, last, further)
            replace(further, last if batched else _call_after(last, getitem, (last, 0), further))
        _make_real(first, last)
        if not first.meta["batched"]:
            _split_off_row(first, last, rows)
        return PassResult(graph_module, True)


def _leading(graph_module: fx.GraphModule, placeholders: list[fx.Node]) -> fx.Node:
    """The input whose shape is that of the network's inputs (`Inputs.shape`), moved to the front."""
    shape = graph_module.meta["inputs"].shape
    leading = next(node for node in placeholders if _own_shape(node) == shape)
    if leading is not placeholders[0]:
        placeholders[0].prepend(leading)
    return leading


def _own_shape(node: fx.Node) -> Shape:
    shape = tuple(node.meta["val"].shape)
    return shape[1:] if node.meta["batched"] else shape


def _split_off_row(first: fx.Node, last: fx.Node, rows: int) -> None:
    """A network without a batch axis takes the first row of the input-like tensor, which has one all the same."""
    row = _call_after(last, getitem, (first, 0), first)
    first.replace_all_uses_with(
        row, delete_user_cb=lambda user: user is not row and user.target is not further_input
    )
    first.meta["val"] = torch.empty((rows, *first.meta["val"].shape), device="meta")


def _make_real(first: fx.Node, last: fx.Node) -> None:
    """The leading input is the input-like tensor, which is real; what takes complex numbers takes them made of it."""
    made = _as_complex(first, last, first)
    if made is not first:
        first.replace_all_uses_with(
            made, delete_user_cb=lambda user: user is not made and user.target is not further_input
        )
        first.meta["val"] = first.meta["val"].real


def _as_complex(value: fx.Node, last: fx.Node, like: fx.Node) -> fx.Node:
    """`value`, or complex numbers made of it where `like` is complex."""
    if not like.meta["val"].is_complex():
        return value
    node = _call_after(last, complex_input, (value,), like)
    node.meta["val"] = value.meta["val"].to(torch.complex64)
    return node


def _call_after(last: fx.Node, target: Any, args: tuple[Any, ...], like: fx.Node) -> fx.Node:
    with last.graph.inserting_after(last):
        node = last.graph.call_function(target, args)
    node.meta.update(like.meta, represented=True)
    return node


def _unused_input(graph: fx.Graph) -> fx.Node:
    """A network of token ids alone looks at no input-like tensor, but its graph is called like any other."""
    with graph.inserting_before(next(iter(graph.nodes))):
        node = graph.placeholder(INPUTS[0])
    node.meta.update(val=torch.empty(0, device="meta"), batched=True)
    return node
