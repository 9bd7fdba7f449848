"""Size of a network at its own input from a graph that was captured at another: its shapes alone are computed anew.

That needs a forward that never asks for the size of a value: then Python went the one way that it goes at every size,
and the graph holds no number that was read off a shape. Most convolutional networks are such; a transformer, which
lays its tokens out by their number, is captured again.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, fx

from fxscore.capture.inputs import Inputs
from fxscore.capture.shapes import infer
from fxscore.costs.network import Costs, costs


def costs_of_one(graph_module: fx.GraphModule, inputs: Inputs) -> Costs | None:
    """The size for one example of `inputs`; None where the graph does not tell.

    Args:
        graph_module: as captured, before any pass; its shapes are afterwards as they were.
        inputs: one image, of any size.
    """
    if not _is_of_any_size(graph_module, inputs):
        return None
    nodes = list(graph_module.graph.nodes)
    before = [node.meta.get("val") for node in nodes]
    try:
        _infer_all(nodes, inputs)
        return costs(graph_module, 1)
    except Exception:  # noqa: BLE001  what PyTorch raises where shapes do not fit; a capture says it better
        return None
    finally:
        for node, value in zip(nodes, before, strict=True):
            node.meta["val"] = value


def _is_of_any_size(graph_module: fx.GraphModule, inputs: Inputs) -> bool:
    asked = graph_module.meta["sizes_asked"] or graph_module.meta["exported"] or not inputs.is_one_image
    return not asked and all(map(_fits_every_size, graph_module.graph.nodes))


def _fits_every_size(node: fx.Node) -> bool:
    """Whole numbers may be places in a value: whether they are there depends on its size."""
    if node.op != "get_attr":
        return node.op != "call_module"
    value = node.meta["val"]
    return bool(node.meta["is_parameter"]) or value.is_floating_point()


def _infer_all(nodes: list[fx.Node], inputs: Inputs) -> None:
    """Give every node the value that it has for one example."""
    known: dict[int, Any] = {}  # an operator in place has its argument's value, at every size
    for node in nodes:
        old = node.meta.get("val")
        new = known.get(id(old))
        if node.op != "output" and new is None:
            new = known[id(old)] = _value(node, old, inputs)
        node.meta["val"] = new


def _value(node: fx.Node, old: Any, inputs: Inputs) -> Any:
    if node.op == "placeholder":
        return torch.empty((1, *inputs.shape), dtype=old.dtype, device="meta")
    if node.op == "get_attr":
        return old
    args, kwargs = fx.node.map_arg((node.args, node.kwargs), lambda source: source.meta["val"])
    target = getattr(Tensor, node.target) if isinstance(node.target, str) else node.target
    new = infer(target, args, kwargs)
    if isinstance(old, (tuple, list)) and len(new) != len(old):
        raise ValueError("another number of values")  # the forward would have gone on otherwise
    return new
