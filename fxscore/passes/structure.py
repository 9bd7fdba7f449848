"""Structural hashes: equal computations have equal ones, whatever nodes are called and however sums are written."""

from __future__ import annotations

import hashlib
from operator import attrgetter
from typing import Any

import torch
from torch import fx

from fxscore.passes.base import is_sum, output_node, shape_of


def structural_hashes(graph_module: fx.GraphModule) -> dict[fx.Node, str]:
    """The hash of every node, over its operator, constants and the hashes of its operands.

    Nested sums are one sum, and the operands of sums and products are sorted, so that neither association nor order
    matters. Names do not enter; the contents of constant tensors do.
    """
    hashes: dict[fx.Node, str] = {}
    names: dict[Any, str] = {}
    terms: dict[fx.Node, list[str]] = {}
    for node in graph_module.graph.nodes:
        if is_sum(node):
            terms[node] = sorted(_terms(node, hashes, terms))
            text = "sum " + " ".join(terms[node])
        else:
            text = _text(graph_module, node, hashes, names)
        hashes[node] = hashlib.blake2b(text.encode(), digest_size=12).hexdigest()
    return hashes


def fingerprint(graph_module: fx.GraphModule) -> str:
    """The architecture's fingerprint: the hash of what its canonical graph returns."""
    return structural_hashes(graph_module)[output_node(graph_module.graph)]


def _terms(node: fx.Node, hashes: dict[fx.Node, str], terms: dict[fx.Node, list[str]]) -> list[str]:
    found: list[str] = []
    for operand in node.args:
        assert isinstance(operand, fx.Node)
        nested = operand in terms and shape_of(operand) == shape_of(node)
        found += terms[operand] if nested else [hashes[operand]]
    return found


def _text(
    graph_module: fx.GraphModule, node: fx.Node, hashes: dict[fx.Node, str], names: dict[Any, str]
) -> str:
    """What is hashed of a node; `names` keeps those of the operators that were met."""
    target, kwargs = node.target, node.kwargs
    if node.op == "get_attr":
        return _constant_text(_attribute(graph_module, str(target)))
    name = names.get(target)
    if name is None:
        name = names[target] = target if isinstance(target, str) else f"{target.__module__}.{target.__name__}"
    arguments = [_argument(arg, hashes) for arg in node.args]
    if target is torch.mul:
        arguments.sort()
    named = [f"{key}={_argument(kwargs[key], hashes)}" for key in sorted(kwargs)] if kwargs else ()
    return " ".join((node.op, name, *arguments, *named))


def _argument(value: Any, hashes: dict[fx.Node, str]) -> str:
    if isinstance(value, fx.Node):
        return hashes[value]
    if type(value) is int:
        return str(value)
    if isinstance(value, (list, tuple)):
        return f"({','.join(_argument(item, hashes) for item in value)})"
    if isinstance(value, slice):
        return f"[{','.join(_argument(part, hashes) for part in (value.start, value.stop, value.step))}]"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))  # x * 2 and x * 2.0 are one computation
    return str(value)


def _constant_text(tensor: torch.Tensor) -> str:
    content = (
        b""
        if tensor.is_meta
        else tensor.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy().tobytes()
    )
    return f"constant {tuple(tensor.shape)} {tensor.dtype} {hashlib.blake2b(content, digest_size=12).hexdigest()}"


def _attribute(graph_module: fx.GraphModule, path: str) -> torch.Tensor:
    value = attrgetter(path)(graph_module)
    assert isinstance(value, torch.Tensor)
    return value
